"""Why each snapshot of a target stays or goes, and one snapshot in full."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.duration import spoken
from reconciler.planning.plan import Delete, State, Verdict
from reconciler.report.effective import rows as effective
from reconciler.report.layout import columns, hang, joined, pad
from reconciler.report.printing import found
from reconciler.report.style import printable
from reconciler.wording import counted, day, moment
from reconciler.zones import local, zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from reconciler.model import Instant, Snapshot
    from reconciler.planning.plan import SnapshotVerdict, TargetPlan
    from reconciler.policy.model import Policy
    from reconciler.report.style import Style

_RUN = 4
"""From so many on, equal neighbours are one row."""

_WHEN = 24
_WIDEST_WHY = 48


def render_target(
    target: TargetPlan, policy: Policy | None, *, now: Instant, nas: str, style: Style
) -> str:
    """Write a target's state and effective policy, and why each of its snapshots stays or goes.

    Newest first; runs of snapshots that the same rules keep are one row unless `verbose`. The last
    column is the earliest moment a snapshot can go, where that is known. Ends with a line end.
    """
    teller = _Teller(target, zone(target.zone), now, style)
    lines = [*teller.head(nas, policy), *teller.policy(policy), *teller.facts(policy)]
    for finding in target.findings:
        lines.extend(found(finding, style, indent=2))
    ours = [v for v in target.snapshots if v.managed]
    strange = [v for v in target.snapshots if not v.managed]
    lines.extend(teller.table(ours, strange))
    return "\n".join(lines) + "\n"


def render_snapshot(
    target: TargetPlan, verdict: SnapshotVerdict, *, now: Instant, nas: str, style: Style
) -> str:
    """Write what becomes of one snapshot, every reason for it, and what DSM says of it."""
    teller = _Teller(target, zone(target.zone), now, style)
    return "\n".join(teller.snapshot(nas, verdict)) + "\n"


@dataclass(frozen=True, slots=True)
class _Teller:
    """Writes about one target, in its zone, as of `now`."""

    target: TargetPlan
    at: ZoneInfo
    now: Instant
    style: Style

    def head(self, nas: str, policy: Policy | None) -> Iterator[str]:
        owner = f"policy {policy.name} ({policy.place})" if policy is not None else "no policy"
        parts = (f"{nas}/{self.target.label}", str(self.target.state).upper(), owner)
        yield from hang("", printable(" · ".join(parts)), width=self.style.columns)

    def policy(self, policy: Policy | None) -> Iterator[str]:
        if policy is None:
            return
        shown = [tuple(printable(cell) for cell in row) for row in effective(policy)]
        keys = max(columns(key) for key, _, _ in shown)
        values = min(max(columns(value) for _, value, _ in shown), _WIDEST_WHY)
        for key, value, place in shown:
            first = f"  {pad(key, keys)}  "
            if columns(value) > values:
                yield from hang(first, f"{value}  {place}", width=self.style.columns)
            else:
                yield f"{first}{pad(value, values)}  {place}"

    def facts(self, policy: Policy | None) -> Iterator[str]:
        target = self.target
        parts = []
        if target.newest is not None:
            age = spoken(max(0, self.now - target.newest))
            rpo = policy.rpo if policy is not None else None
            promised = f", promised {spoken(rpo)}" if rpo is not None else ""
            parts.append(f"newest {self.when(target.newest)}, {age} old{promised}")
        if target.next_due is not None:
            parts.append(f"next {self.when(target.next_due)}")
        ours = [v.snapshot.time for v in target.snapshots if v.managed]
        times = [time for time in ours if time is not None]
        back = f" back to {day(min(times), self.at, today=self.now)}" if times else ""
        parts.append(f"{counted(len(ours), 'snapshot')} of ours{back}")
        parts.append(f"{len(target.snapshots) - len(ours)} not ours")
        for line in joined(parts, " · ", width=self.style.columns - 2):
            yield f"  {line}"

    def table(
        self, ours: Sequence[SnapshotVerdict], strange: Sequence[SnapshotVerdict]
    ) -> Iterator[str]:
        if not ours and not strange:
            if self.target.state is State.UNKNOWN:
                yield "  Its snapshots could not be read."
            return
        rows = self._rows(ours)
        others = self._rows(strange)
        whens = max([_WHEN, *(columns(row[0]) for row in (*rows, *others))])
        untils = max([len("not before"), *(len(row[2]) for row in (*rows, *others))])
        room = self.style.columns - whens - untils - 6
        whys = max(20, min(room, max([0, *(columns(row[1]) for row in (*rows, *others))])))
        yield ""
        head = pad(f"taken ({self.target.zone})", whens)
        yield f"  {head}  {pad('why', whys)}  not before"
        for row in rows:
            yield from self._row(row, whens, whys)
        if others:
            yield "  not ours"
        for row in others:
            yield from self._row(row, whens, whys)

    def _row(self, row: tuple[str, str, str], whens: int, whys: int) -> Iterator[str]:
        when, why, until = row
        first, *rest = hang(f"  {pad(when, whens)}  ", why, width=4 + whens + whys)
        yield f"{pad(first, 4 + whens + whys)}  {until}".rstrip()
        yield from rest

    def _rows(self, verdicts: Sequence[SnapshotVerdict]) -> list[tuple[str, str, str]]:
        """Return rows newest first, what has no time last, runs of one kind folded."""
        newest = sorted(verdicts, key=_age)
        found: list[tuple[str, str, str]] = []
        for _, run in groupby(newest, key=self._kind):
            same = list(run)
            if len(same) < _RUN or self.style.verbose:
                found.extend(self._single(verdict) for verdict in same)
            else:
                found.append(self._run(same))
        return found

    def _kind(self, verdict: SnapshotVerdict) -> tuple[object, ...]:
        """Return what makes neighbours alike: their fate, the first rule, every other reason."""
        ruled = [why.rule for why in verdict.reasons if why.ordinal is not None]
        others = tuple(why.rule for why in verdict.reasons if why.ordinal is None)
        if verdict.verdict is Verdict.DELETE:
            others = (str(self._stop(verdict)), verdict.reasons[0].text if verdict.reasons else "")
        return (verdict.verdict, ruled[:1], others, verdict.snapshot.time is None)

    def _single(self, verdict: SnapshotVerdict) -> tuple[str, str, str]:
        return (
            printable(self._taken(verdict.snapshot)),
            printable(self._why(verdict)),
            self._not_before(verdict.expires_not_before) if verdict.verdict is Verdict.KEEP else "",
        )

    def _run(self, same: Sequence[SnapshotVerdict]) -> tuple[str, str, str]:
        last, first = same[0].snapshot.time, same[-1].snapshot.time
        if last is None or first is None:
            return f"{len(same)} without a time", printable(self._common(same)), ""
        days = dict.fromkeys(self.when(time).rpartition(" ")[0] for time in (last, first))
        span = " to ".join(days)
        ends = [v.expires_not_before for v in same if v.expires_not_before is not None]
        ends = [] if same[0].verdict is Verdict.DELETE else ends
        until = f"from {self._not_before(min(ends))}" if ends else ""
        return f"{len(same)} of {span}", printable(self._common(same)), until

    def _common(self, same: Sequence[SnapshotVerdict]) -> str:
        """Return the reasons of a run: each rule with the range of its ordinals."""
        if same[0].verdict is Verdict.DELETE:
            return self._why(same[0])
        ordinals: dict[str, list[int]] = {}
        others: dict[str, list[str]] = {}
        for why in (why for verdict in same for why in verdict.reasons):
            if why.ordinal is not None:
                ordinals.setdefault(why.rule, []).append(why.ordinal)
            else:
                others.setdefault(why.rule, []).append(why.text)
        ranges = [f"{rule} {_range(numbers)}" for rule, numbers in ordinals.items()]
        texts = [_shared(rule, said) for rule, said in others.items()]
        return " · ".join(_last((*ranges, *texts)))

    def _why(self, verdict: SnapshotVerdict) -> str:
        if verdict.verdict is Verdict.DELETE:
            stop = self._stop(verdict)
            fate = f"waits ({stop})" if stop is not None else "goes"
            return f"{fate}: {verdict.reasons[0].text}" if verdict.reasons else fate
        texts = tuple(why.text for why in verdict.reasons)
        return " · ".join(_last(texts)) or "kept"

    def _stop(self, verdict: SnapshotVerdict) -> str | None:
        """Return what stops the snapshot's deletion, None where it runs."""
        for action in self.target.actions:
            change = action.change
            if isinstance(change, Delete) and change.snapshot.key == verdict.snapshot.key:
                return str(action.stopped_by) if action.stopped_by is not None else None
        return None

    def _taken(self, snapshot: Snapshot) -> str:
        return self.when(snapshot.time) if snapshot.time is not None else snapshot.name

    def when(self, instant: Instant) -> str:
        """Write an instant with its weekday, and its year where it is another one than now's."""
        other = local(instant, self.at).year != local(self.now, self.at).year
        return moment(instant, self.at, year=other)

    def _not_before(self, instant: Instant | None) -> str:
        return self.when(instant) if instant is not None else ""

    def snapshot(self, nas: str, verdict: SnapshotVerdict) -> Iterator[str]:
        """Write one snapshot in full."""
        snapshot, width = verdict.snapshot, self.style.columns
        taken = moment(snapshot.time, self.at, year=True) if snapshot.time is not None else ""
        when = taken or "its name cannot be read as a time"
        head = f"{nas}/{self.target.label}, {when} (DSM: {snapshot.name})"
        yield from hang("", printable(head), width=width)
        yield from hang("  ", self._fate(verdict), width=width)
        for text in dict.fromkeys(why.text for why in verdict.reasons):
            yield from hang("    - ", printable(text), width=width)
        if verdict.verdict is Verdict.KEEP and verdict.expires_not_before is not None:
            yield f"  It cannot go before {self.when(verdict.expires_not_before)}."
        yield from hang("  On the NAS: ", printable(self._attributes(snapshot)), width=width)
        if snapshot.description:
            yield from hang("  Description: ", printable(snapshot.description), width=width)
        yield from self._nearest(verdict)

    def _fate(self, verdict: SnapshotVerdict) -> str:
        ours = "ours" if verdict.managed else "not ours"
        if verdict.verdict is Verdict.KEEP:
            return f"It STAYS ({ours}):"
        stop = self._stop(verdict)
        if stop is not None:
            return f"It WAITS to be deleted, stopped by {stop} ({ours}):"
        return f"It GOES at the next pass, which cannot be undone ({ours}):"

    def _attributes(self, snapshot: Snapshot) -> str:
        until = f" until {self._not_before(snapshot.immutable_until)}".removesuffix(" until ")
        parts = (
            "locked" if snapshot.locked else "",
            f"immutable{until}" if snapshot.immutable else "",
            f"held by {', '.join(snapshot.holders)}" if snapshot.holders else "",
            "made by DSM's schedule" if snapshot.scheduled else "",
            "" if snapshot.healthy else "not healthy",
        )
        return ", ".join(part for part in parts if part) or "neither locked nor immutable"

    def _nearest(self, verdict: SnapshotVerdict) -> Iterator[str]:
        """Name the nearest snapshots that stay, where this one goes."""
        time = verdict.snapshot.time
        if verdict.verdict is Verdict.KEEP or time is None:
            return
        staying = [v.snapshot.time for v in self.target.snapshots if v.verdict is Verdict.KEEP]
        times = [other for other in staying if other is not None]
        before = max((other for other in times if other <= time), default=None)
        after = min((other for other in times if other > time), default=None)
        pairs = ((before, "earlier"), (after, "later"))
        parts = [
            f"{self.when(other)} ({spoken(abs(other - time))} {word})"
            for other, word in pairs
            if other is not None
        ]
        if parts:
            text = f"Nearest that stay: {' and '.join(parts)}."
            yield from hang("  ", text, width=self.style.columns)


def _age(verdict: SnapshotVerdict) -> tuple[bool, int, str]:
    snapshot = verdict.snapshot
    return (snapshot.time is None, -(snapshot.time or 0), snapshot.key)


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}-{high}"


def _shared(rule: str, texts: Sequence[str]) -> str:
    """Return the text that all have in common, else the rule's word."""
    return texts[0] if len(set(texts)) == 1 else rule


def _last(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the reasons without "not ours", which the section's heading says already."""
    return tuple(text for text in texts if text != "not ours") or ("never touched",) * bool(texts)
