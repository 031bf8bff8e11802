"""`reconcile status` as text: what needs somebody first, one line a unit; JSON; one line alone."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from reconciler.duration import spoken
from reconciler.model import Kind
from reconciler.planning.document import utc
from reconciler.planning.plan import State
from reconciler.report.layout import columns, hang, joined, pad
from reconciler.report.standing import ORDER, WITHOUT_POLICY, Need, Standing, spoken_since
from reconciler.report.style import Hue, printable
from reconciler.wording import clock, counted, moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model import Instant
    from reconciler.planning.plan import Replica
    from reconciler.report.standing import Overview, UnitStanding
    from reconciler.report.style import Style

_WORD = 10
_LAST = 20
_FOLD_FROM = 2
_HUES = {
    State.UNKNOWN: Hue.WAIT,
    State.LATE: Hue.ERROR,
    State.MISSING: Hue.ERROR,
    State.BLOCKED: Hue.ERROR,
    State.CONTENDED: Hue.ERROR,
    State.BRAKED: Hue.WAIT,
    State.COMPLIANT: Hue.CREATE,
}
_WITHOUT = {
    State.ORPHANED: "orphaned",
    State.UNMANAGED: "never had one",
    State.DESTINATION: "destination",
    State.UNSUPPORTED: "unsupported",
}


def render_text(shown: Overview, *, style: Style) -> str:
    """Write the overview; one unit as a line a target, several as a table of units."""
    if len(shown.units) == 1 and shown.units[0].need is None:
        lines = list(_one_unit(shown, style))
    else:
        lines = list(_fleet(shown, style))
    return "\n".join(lines).rstrip("\n") + "\n"


def render_line(shown: Overview) -> str:
    """Write one line for a monitoring system: OK or CRITICAL, then the counts."""
    word = "OK" if shown.as_promised else "CRITICAL"
    return f"{word}: {_counts(shown)}\n"


def render_json(shown: Overview) -> str:
    """Write the overview as JSON: every target with its state, need and times in UTC."""
    document = {
        "read_at": utc(shown.read_at),
        "policy_revision": shown.revision,
        "counts": {str(state): count for state, count in shown.counts.items()},
        "missing": [_need_json(need) for need in shown.missing],
        "units": [
            {
                "nas": unit.nas,
                "last_read": _maybe(unit.read),
                "need": _need_json(unit.need),
                "targets": [_target_json(target) for target in unit.targets],
            }
            for unit in shown.units
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _target_json(target: Standing) -> dict[str, Any]:
    return {
        "kind": str(target.kind),
        "name": target.name,
        "policy": target.policy or None,
        "state": str(target.state),
        "need": _need_json(target.need),
        "newest": _maybe(target.newest),
        "due_now": target.due_now,
        "next_due": _maybe(target.next_due),
        "immutable": target.immutable,
        "replicas": [
            {**asdict(replica), "newest": _maybe(replica.newest)} for replica in target.replicas
        ],
    }


def _need_json(need: Need | None) -> dict[str, Any] | None:
    if need is None:
        return None
    return {
        "state": str(need.state),
        "fact": need.fact,
        "next_step": need.next_step or None,
        "since": _maybe(need.since),
    }


def _maybe(instant: Instant | None) -> str | None:
    return utc(instant) if instant is not None else None


def _one_unit(shown: Overview, style: Style) -> Iterator[str]:
    unit = shown.units[0]
    rows = [_row(target) for target in unit.promised]
    widths = [max((columns(row[n]) for row in rows), default=0) for n in range(4)]
    gap = "    " if sum(widths) + _LAST + 16 <= style.columns else "  "
    for target, row in zip(unit.promised, rows, strict=True):
        cells = [pad(cell, width) for cell, width in zip(row, widths, strict=True)]
        start = columns(cells[0] + gap)
        head, *rest = _beside(gap.join((*cells, "")), _last(target), style)
        yield head[:start] + _painted(target.state, head[start:], style)
        yield from rest
    yield from _needs(shown, style)
    yield from _without(unit, style)


def _beside(first: str, last: str, style: Style) -> tuple[str, ...]:
    """Write the last cell beside the others, or below them where too little room is left."""
    if columns(first) + _LAST <= style.columns:
        return hang(first, last, width=style.columns)
    return (first.rstrip(), *hang("    ", last, width=style.columns))


def _painted(state: State, text: str, style: Style) -> str:
    word = str(state)
    return style.paint(word, _HUES.get(state, Hue.ATTRIBUTE)) + text[len(word) :]


def _row(target: Standing) -> tuple[str, str, str, str]:
    age = target.age
    newest = f"newest {spoken(age)}" if age is not None else "no snapshot yet"
    due = target.next_due
    after = f"next {_when(due, target)}" if due is not None else "nothing due"
    after = "due now" if target.due_now else after
    return printable(target.label), str(target.state), newest, after


def _when(instant: Instant, target: Standing) -> str:
    """Write a coming time: its clock within a day, else with the day."""
    at = zone(target.zone)
    return clock(instant, at) if instant - target.now < 86_400 else moment(instant, at)  # noqa: PLR2004  a day


def _last(target: Standing) -> str:
    if not target.replicas:
        return "no replication"
    return printable("; ".join(_replica(one, target.now) for one in target.replicas))


def _replica(replica: Replica, now: Instant) -> str:
    known = spoken(now - replica.newest) if replica.newest is not None else "has nothing"
    progress = f" {replica.progress} %" if replica.progress is not None else ""
    running = f", sync running{progress}" if replica.busy else ""
    return f"{replica.destination} {known}{running}"


def _without(unit: UnitStanding, style: Style) -> Iterator[str]:
    """Name what no policy owns, or why it cannot be snapshotted."""
    words = (
        (State.UNMANAGED, "No policy"),
        (State.UNSUPPORTED, "Cannot be snapshotted"),
        (State.DESTINATION, "Destination of a replication"),
    )
    parts = []
    for state, word in words:
        names = [t.name for t in unit.targets if t.state is state]
        if names:
            parts.append(f"{word}: {', '.join(map(printable, names))}.")
    if parts:
        yield ""
        yield from joined(parts, " ", width=style.columns)


def _fleet(shown: Overview, style: Style) -> Iterator[str]:
    promised = sum(len(u.promised) + u.remembered for u in shown.units)
    at = shown.units[0].zone if shown.units else "UTC"
    head = (
        f"{counted(len(shown.units), 'NAS', 'NAS')}, {counted(promised, 'target')} with a policy",
        f"policies {shown.revision[:7] if ':' not in shown.revision else shown.revision}",
        f"read {moment(shown.read_at, zone(at), year=True)}, {at}",
    )
    yield from joined(head, " · ", width=style.columns)
    yield ""
    yield from _units(shown, style)
    yield from _needs(shown, style)
    yield ""
    yield from joined((_counts(shown),), "", width=style.columns)


def _units(shown: Overview, style: Style) -> Iterator[str]:
    """Write a table of units, worst first; those with nothing to tell in one row."""
    telling = [u for u in shown.units if u.need is not None or any(t.need for t in u.targets)]
    calm = [u for u in shown.units if u not in telling]
    telling.sort(key=_worst)
    rows: list[tuple[str, ...]] = [
        ("nas", "targets", "newest, worst", "sync, worst", "immutable", "state")
    ]
    rows += [_unit_row(unit.nas, [unit]) for unit in telling]
    fold = len(calm) > _FOLD_FROM and not style.verbose
    if fold:
        rows.append(_unit_row(f"{len(calm)} {'others' if telling else 'units'}", calm))
    else:
        rows += [_unit_row(unit.nas, [unit]) for unit in calm]
    widths = [max(columns(row[n]) for row in rows) for n in range(5)]
    for name, *figures, state in rows:
        right = (" " * (w - columns(c)) + c for c, w in zip(figures, widths[1:], strict=True))
        first = "  ".join(("", pad(name, widths[0]), *right, ""))
        yield from hang(first, state, width=style.columns)


def _worst(unit: UnitStanding) -> int:
    if unit.need is not None:
        return -1
    return min(ORDER.index(t.state) for t in unit.targets if t.need is not None)


def _unit_row(name: str, units: Sequence[UnitStanding]) -> tuple[str, ...]:
    first = units[0]
    if first.need is not None:
        since = spoken_since(first.need.since, first.need.since or 0, first.zone)
        state = f"UNKNOWN since {since}" if since else "UNKNOWN"
        return (printable(name), str(first.remembered or "?"), "?", "?", "?", state)
    promised = [target for unit in units for target in unit.promised]
    ages = [age for target in promised if (age := target.age) is not None]
    lags = [lag for target in promised if (lag := target.lag) is not None]
    return (
        printable(name),
        str(len(promised)),
        spoken(max(ages)) if ages else "-",
        spoken(max(lags)) if lags else "-",
        str(sum(target.immutable for target in promised)),
        _states(target for unit in units for target in unit.targets),
    )


def _states(targets: Iterable[Standing]) -> str:
    """Count the states that need a person; `compliant` where none does."""
    found = [target.state for target in targets if target.need is not None]
    counts = [f"{found.count(state)} {state}" for state in ORDER if state in found]
    return ", ".join(counts) or "compliant"


def _needs(shown: Overview, style: Style) -> Iterator[str]:
    """Write a row for each thing that needs a person, equal ones of a unit folded."""
    rows = list(_need_rows(shown))
    if not rows:
        return
    yield ""
    wide = min(40, max(columns(who) for _, who in rows))
    for need, who in rows:
        word = pad(str(need.state).upper(), _WORD)
        first = f"  {word} {pad(who, wide)}  " if who else f"  {word} "
        head, *rest = hang(first, printable(need.fact), width=style.columns)
        yield "  " + style.paint(word, _HUES.get(need.state, Hue.ATTRIBUTE)) + head[2 + _WORD :]
        yield from rest
        if need.next_step:
            lead = " " * (_WORD + 3) + "next: "
            yield from hang(lead, printable(need.next_step), width=style.columns)


def _need_rows(shown: Overview) -> Iterator[tuple[Need, str]]:
    found: list[tuple[Need, str]] = []
    for unit in shown.units:
        if unit.need is not None:
            found.append((_unread(unit, unit.need), printable(_who(unit))))
        groups: dict[Need, list[Standing]] = {}
        for target in unit.targets:
            if target.need is not None:
                key = replace(target.need, fact=_dated(target, target.need))
                groups.setdefault(key, []).append(target)
        found.extend((need, printable(_named(same))) for need, same in groups.items())
    found.extend((need, "") for need in shown.missing)
    yield from sorted(found, key=lambda row: ORDER.index(row[0].state))


def _who(unit: UnitStanding) -> str:
    known = f", {counted(unit.remembered, 'target')}" if unit.remembered else ""
    return f"{unit.nas}{known}"


def _unread(unit: UnitStanding, need: Need) -> Need:
    read = f", last read {moment(unit.read, zone(unit.zone))}" if unit.read is not None else ""
    return replace(need, fact=f"{need.fact}{read}")


def _dated(target: Standing, need: Need) -> str:
    since = spoken_since(need.since, target.now, target.zone)
    if need.state is State.SUSPENDED and need.since is not None:
        return f"{spoken(target.now - need.since)}: {need.fact}"
    return f"{need.fact} (since {since})" if since else need.fact


def _named(same: Sequence[Standing]) -> str:
    if len(same) == 1:
        return same[0].label
    shares = sum(target.kind is Kind.SHARE for target in same)
    counts = ((shares, "share"), (len(same) - shares, "LUN"))
    return f"{same[0].nas}, " + ", ".join(counted(n, noun) for n, noun in counts if n)


def _counts(shown: Overview) -> str:
    states = (State.COMPLIANT, *(s for s in ORDER if s not in (State.COMPLIANT, State.ORPHANED)))
    parts = [f"{shown.counts[state]} {state}" for state in states if shown.counts[state]]
    without = [
        f"{shown.counts[state]} {_WITHOUT[state]}"
        for state in WITHOUT_POLICY
        if shown.counts[state]
    ]
    named = ", ".join(parts) or "no target with a policy"
    return f"{named}; without a policy: {', '.join(without)}" if without else named
