"""`reconcile forecast` as text, JSON, HTML and a picture."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from reconciler.duration import DAY, HOUR, WEEK, render, spoken
from reconciler.forward.steady import Span
from reconciler.report.effective import sentence
from reconciler.report.layout import columns, joined, pad
from reconciler.report.style import printable
from reconciler.report.timeline import MOST_MARKS, Bar, Mark, Panel, Row, Timeline, render_svg, safe
from reconciler.wording import counted, day, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.forward.forecast import Forecast, Life
    from reconciler.model import Instant, Seconds
    from reconciler.policy.model import Policy
    from reconciler.report.style import Style

_STEPS: tuple[Seconds, ...] = (HOUR, 6 * HOUR, DAY, WEEK, 4 * WEEK, 13 * WEEK, 52 * WEEK)
_MOST_ROWS = 14
_AGES: tuple[tuple[str, Seconds], ...] = (
    ("the last day", DAY), ("the last week", WEEK), ("the last 4 weeks", 4 * WEEK),
    ("the last 13 weeks", 13 * WEEK), ("the last year", 365 * DAY), ("before", 36_500 * DAY),
)  # fmt: skip
_BORDERS = 6
_MOST_RINGS = 80
"""More rings than these would touch each other and read as a bar."""


@dataclass(frozen=True, slots=True)
class Told:
    """A forecast with the policy it is of; `assumed` says what history it began with."""

    policy: Policy
    forecast: Forecast
    limit: int
    assumed: str


def render_text(told: Told, other: Told | None, *, style: Style) -> str:
    """Write the counts over time and how densely one can go back at the end; ends with a line end.

    With `other` its numbers stand beside, and what the change comes to.
    """
    both = (told, other) if other is not None else (told,)
    lines: list[str] = []
    for one in both:
        lines.extend(_head(one, style))
    lines += ["", *_columns(_over_time(both)), "", *_columns(_density(both))]
    for one in both:
        said = _troubles(one)
        lines += ["", *(line for text in said for line in joined([text], "", width=style.columns))]
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _head(one: Told, style: Style) -> list[str]:
    forecast, zone = one.forecast, one.forecast.rules.zone
    span = spoken(forecast.end - forecast.start)
    parts = (f"policy {one.policy.name} ({one.policy.place})",
             f"{span} from {moment(forecast.start, zone, year=True)}, {zone.key}")  # fmt: skip
    numbers = (
        f"holds {Span(*forecast.held)}",
        f"{Span(*forecast.immutable)} immutable",
        f"limit {one.limit}",
        f"takes {sum(p.taken is not None for p in forecast.passes)}",
        f"deletes {sum(len(p.gone) for p in forecast.passes)}",
    )
    found = list(joined([" · ".join(parts)], "", width=style.columns))
    for texts in (sentence(one.policy), numbers, (one.assumed,)):
        found.extend(f"  {line}" for line in joined(texts, " · ", width=style.columns - 2))
    return [printable(line) for line in found]


def _over_time(both: Sequence[Told]) -> list[tuple[str, ...]]:
    forecast = both[0].forecast
    zone, start, end = forecast.rules.zone, forecast.start, forecast.end
    step = next((s for s in _STEPS if (end - start) / s <= _MOST_ROWS), 52 * WEEK)
    moments = [*range(start, end, step), end]
    head = ["on"]
    for one in both:
        whose = f" {printable(one.policy.name)}" if len(both) > 1 else ""
        head += [f"held{whose}", "immutable", "back to"]
    rows = [tuple(head)]
    for at in moments:
        row = [moment(at, zone, year=True)]
        for one in both:
            row += [str(number) for number in _counts(one.forecast, at)]
            oldest = _oldest(one.forecast, at)
            row.append(day(oldest, zone, today=end) if oldest is not None else "-")
        rows.append(tuple(row))
    return rows


def _counts(forecast: Forecast, at: Instant) -> tuple[int, int]:
    last = bisect_right(forecast.passes, at, key=lambda one: one.due) - 1
    one = forecast.passes[max(0, last)]
    return one.held, one.immutable


def _oldest(forecast: Forecast, at: Instant) -> Instant | None:
    there = (v.taken for v in forecast.lives if v.taken <= at + 1 and (v.gone or at + 1) > at)
    return next(there, None)


def _density(both: Sequence[Told]) -> list[tuple[str, ...]]:
    """Say for each age at the end how many there are, and the longest way between two."""
    rows = [("back from the end", *(_whose(one, both) for one in both))]
    begun = 0
    for label, length in _AGES:
        cells = [_dense(one.forecast, begun, length) for one in both]
        if any(cells):
            rows.append((label, *(cell or "-" for cell in cells)))
        begun = length
    return rows


def _whose(one: Told, both: Sequence[Told]) -> str:
    return printable(one.policy.name) if len(both) > 1 else "snapshots, at most so far apart"


def _dense(forecast: Forecast, begun: Seconds, length: Seconds) -> str:
    times = [life.taken for life in forecast.left]
    first = bisect_left(times, forecast.end - length)
    last = bisect_left(times, forecast.end - begun) if begun else len(times)
    if first >= last:
        return ""
    gaps = [b - a for a, b in pairwise(times[first : last + 1])]
    apart = f", {spoken(max(gaps))}" if gaps else ""
    return f"{last - first}{apart}"


def _troubles(one: Told) -> list[str]:
    """Say what an outage costs, and when the immutable ones of the end can go."""
    forecast, zone = one.forecast, one.forecast.rules.zone
    found: list[str] = []
    for outage in forecast.outages:
        missed = sum(outage.covers(due) for due in forecast.missed)
        found.append(
            f"outage from {moment(outage.start, zone, year=True)} to "
            f"{moment(outage.end, zone, year=True)}: {counted(missed, 'due time')} missed"
        )
    for start, end in forecast.late(one.policy.rpo):
        promised = render(one.policy.rpo) if one.policy.rpo is not None else ""
        found.append(f"later than promised ({promised}) from {moment(start, zone, year=True)} "
                     f"to {moment(end, zone, year=True)}")  # fmt: skip
    pinned = [life for life in forecast.left if life.immutable_until > forecast.end]
    if pinned:
        first, last = pinned[0].immutable_until, max(life.immutable_until for life in pinned)
        found.append(
            f"of the {len(pinned)} immutable at the end the first can go from "
            f"{moment(first, zone, year=True)}, the last from {moment(last, zone, year=True)}"
        )
    return [printable(text) for text in found]


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(columns(row[n]) for row in rows) for n in range(len(rows[0]))]
    return ["  " + "  ".join(pad(cell, widths[n]) for n, cell in enumerate(row)) for row in rows]


def render_json(told: Told, other: Told | None) -> str:
    """Write one forecast, or a list of two; instants in UTC, lengths in seconds."""
    documents = [_document(one) for one in (told, other) if one is not None]
    return json.dumps(documents if other is not None else documents[0], indent=2) + "\n"


def _document(one: Told) -> dict[str, Any]:
    forecast = one.forecast
    return {
        "policy": one.policy.name,
        "timezone": forecast.rules.zone.key,
        "start": _utc(forecast.start),
        "end": _utc(forecast.end),
        "assumed": one.assumed,
        "limit": one.limit,
        "held": list(forecast.held),
        "immutable": list(forecast.immutable),
        "missed": [_utc(due) for due in forecast.missed],
        "late": [[_utc(a), _utc(b)] for a, b in forecast.late(one.policy.rpo)],
        "passes": [
            {
                "due": _utc(p.due),
                "taken": p.taken is not None,
                "deleted": [_utc(member.time) for member in p.gone],
                "held": p.held,
                "immutable": p.immutable,
            }
            for p in forecast.passes
        ],
        "snapshots": [
            {
                "time": _utc(life.taken),
                "immutable_until": _utc(life.immutable_until) if life.immutable_until else None,
                "deleted": _utc(life.gone) if life.gone is not None else None,
            }
            for life in forecast.lives
        ],
    }


def _utc(instant: Instant) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def timeline_of(told: Told) -> Timeline:
    """Return the picture: what was there before narrow, the stretch ahead wide."""
    forecast, zone = told.forecast, told.forecast.rules.zone
    oldest = min((life.taken for life in forecast.lives), default=forecast.start - DAY)
    start, end = forecast.start, forecast.end
    ahead = f"{spoken(end - start)} ahead"
    panels = (
        Panel("before", min(oldest, start - DAY), start, 1),
        Panel(ahead, start, end, 4),
    )
    low, high = forecast.held
    title = (
        f"{told.policy.name}: {Span(low, high)} snapshots over {ahead}, "
        f"{day(oldest, zone, today=end)} to {day(end, zone, today=0)}; "
        f"{len(forecast.missed)} missed; {Span(*forecast.immutable)} immutable"
    )
    borders = tuple(
        (at, day(at, zone)) for at in range(start, end, max(1, (end - start) // _BORDERS))
    )[1:]
    return Timeline(
        title, panels, _rows(told), start, f"now {day(start, zone, today=0)}",
        tuple((outage.start, outage.end) for outage in forecast.outages), borders,
    )  # fmt: skip


def _rows(told: Told) -> tuple[Row, ...]:
    forecast, zone = told.forecast, told.forecast.rules.zone

    def tip(at: Instant) -> str:
        return moment(at, zone, year=True)

    late = forecast.late(told.policy.rpo)
    few = len(forecast.lives) <= MOST_MARKS  # above it marks are drawn together, without their tips
    coming = "ring" if len(forecast.passes) <= _MOST_RINGS else "tick"
    known = [v.taken for v in forecast.lives if v.taken <= forecast.start]
    ahead = [v.taken for v in forecast.lives[len(known) :]]
    taken = [Mark(at, "tick", tip(at)) for at in known]
    taken += [Mark(at, coming, tip(at) if few else "") for at in ahead]
    missed = [Mark(due, "cross", f"missed: {tip(due)}") for due in forecast.missed]
    gone = [
        Mark(v.gone, "minus", f"{tip(v.taken)} goes" if few else "")
        for v in forecast.lives
        if v.gone
    ]
    rules = [
        Row(f"{rule} {_count(told, rule)}", [Mark(at, "disc", tip(at)) for at in times])
        for rule, times in forecast.kept_by.items()
    ]
    return (
        Row("promise", bars=_promise(forecast, late)),
        Row("taken", (*taken, *missed)),
        *rules,
        *_pinned(forecast, tip),
        Row("goes", gone),
    )


def _count(told: Told, rule: str) -> str:
    keep = told.policy.keep
    value = int(getattr(keep, rule)) if keep is not None else 0
    return render(value) if rule == "within" else str(value)


def _promise(forecast: Forecast, late: Sequence[tuple[Instant, Instant]]) -> tuple[Bar, ...]:
    """Return the ribbon: solid while the newest was young enough, hatched where it was not."""
    bars: list[Bar] = []
    at = forecast.start
    for start, end in late:
        if at < start:
            bars.append(Bar(at, start, "solid"))
        bars.append(Bar(start, end, "late", "later than promised"))
        at = end
    return (*bars, Bar(at, forecast.end, "solid")) if at < forecast.end else tuple(bars)


def _pinned(forecast: Forecast, tip: Any) -> tuple[Row, ...]:
    """Return the bar from the first to the last of the end's immutable ones."""
    pinned: list[Life] = [v for v in forecast.left if v.immutable_until > forecast.end]
    if not pinned:
        return ()
    last = max(life.immutable_until for life in pinned)
    text = f"{len(pinned)} immutable at the end, the last until {tip(last)}"
    return (Row("immutable", bars=(Bar(pinned[0].taken, forecast.end, "pinned", text),)),)


def render_picture(told: Told) -> str:
    """Return the SVG alone."""
    return render_svg(timeline_of(told))


def render_html(told: Told, other: Told | None) -> str:
    """Write a page of its own: the picture, and below it the tables with every number."""
    both = (told, other) if other is not None else (told,)
    parts = [f"<h1>{safe(' and '.join(one.policy.name for one in both))}</h1>"]
    for one in both:
        said = " · ".join((*sentence(one.policy), one.assumed))
        parts.append(f"<p>{safe(said)}</p><div class=p>{render_picture(one)}</div>")
        parts.extend(f"<p>{safe(text)}</p>" for text in _troubles(one))
    parts.extend(_table(rows) for rows in (_over_time(both), _density(both)))
    return _PAGE.format(title=safe(told.policy.name), body="\n".join(parts))


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th scope=col>{safe(cell)}</th>" for cell in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{safe(cell)}</td>' for cell in row)}</tr>\n" for row in rows[1:]
    )
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}: forecast</title>
<style>
body{{font:15px/1.45 system-ui,sans-serif;margin:1rem auto;max-width:60rem;padding:0 .8rem;
color:CanvasText;background:Canvas}}
.p{{overflow-x:auto}} table{{border-collapse:collapse;margin:1rem 0}}
th,td{{text-align:left;padding:.15rem 1rem .15rem 0;border-bottom:1px solid #8884}}
td{{font-variant-numeric:tabular-nums}}
</style></head><body>
{body}
</body></html>
"""
