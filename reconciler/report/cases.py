"""What test cases came to: text by snapshot with its reasons, JSON, and workflow annotations."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconciler.report.findings import lines_of
from reconciler.report.findings import render_github as findings_as_github
from reconciler.report.layout import columns, hang, pad, wrap
from reconciler.report.style import Hue, printable
from reconciler.wording import counted, moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from reconciler.cases.model import Difference, Outcome, Shown
    from reconciler.report.style import Style

_MOST_SHOWN = 8
_HUES = {"deleted": Hue.DELETE, "waits": Hue.WAIT}


def render_text(
    outcomes: Sequence[Outcome], *, files: int, sources: Mapping[str, str], style: Style
) -> str:
    """Write each difference at its line, the snapshots it is about below; last the sum.

    Cases that passed are listed with `style.verbose` alone, as are more than eight snapshots of one
    difference. Ends with a line end.
    """
    lines: list[str] = []
    for outcome in outcomes:
        if outcome.passed and style.verbose:
            lines.append(
                f"ok  {printable(outcome.case.place.path)}: {printable(outcome.case.name)}"
            )
        for difference in outcome.differences:
            lines.extend(lines_of(difference.finding, sources, style))
            lines.extend(_rows(difference, outcome.case.zone, style))
            lines.append("")
    lines.extend(wrap(_sum(outcomes, files), style.columns))
    return "\n".join(lines) + "\n"


def _sum(outcomes: Sequence[Outcome], files: int) -> str:
    failed = sum(not outcome.passed for outcome in outcomes)
    total, where = counted(len(outcomes), "case"), f"in {counted(files, 'file')}"
    if not failed:
        return f"{total} {where}: all as expected. Nothing was contacted."
    return f"{failed} of {total} {where} not as expected. Nothing was contacted."


def _rows(difference: Difference, at: ZoneInfo, style: Style) -> Iterator[str]:
    """Write the snapshots of a difference, what becomes of each and why; of many the first."""
    listed = difference.snapshots if style.verbose else difference.snapshots[:_MOST_SHOWN]
    whens = [_when(one, at) for one in listed]
    when = max(map(columns, whens), default=0)
    fate = max((columns(printable(one.which)) for one in listed), default=0)
    for one, at_time in zip(listed, whens, strict=True):
        word = printable(one.which)
        lead = f"     {pad(at_time, when)}  "
        head, *rest = hang(f"{lead}{pad(word, fate)}  ", printable(one.why), width=style.columns)
        hue = _HUES.get(one.which.split(" ")[0], Hue.NONE)
        yield lead + style.paint(word, hue) + head[len(lead) + len(word) :]
        yield from rest
    more = len(difference.snapshots) - len(listed)
    if more:
        yield f"     … and {more} more (-v)"


def _when(one: Shown, at: ZoneInfo) -> str:
    time = one.snapshot.time
    return moment(time, at, year=True) if time is not None else printable(one.snapshot.name)


def render_github(outcomes: Sequence[Outcome]) -> str:
    """Write each difference as a workflow annotation, the first of its snapshots in the message."""
    return findings_as_github(
        [
            replace(one.finding, hint="\n".join(_told(one, outcome.case.zone)))
            for outcome in outcomes
            for one in outcome.differences
        ]
    )


def _told(difference: Difference, at: ZoneInfo) -> Iterator[str]:
    for one in difference.snapshots[:_MOST_SHOWN]:
        yield f"{_when(one, at)}: {one.which}" + (f" ({one.why})" if one.why else "")
    if len(difference.snapshots) > _MOST_SHOWN:
        yield f"… and {len(difference.snapshots) - _MOST_SHOWN} more"


def render_json(outcomes: Sequence[Outcome]) -> str:
    """Write a list of all cases with what is not as expected; times are seconds since 1970."""
    return json.dumps([_values(outcome) for outcome in outcomes], indent=2) + "\n"


def _values(outcome: Outcome) -> dict[str, Any]:
    case, planned = outcome.case, outcome.planned
    return {
        "name": case.name,
        "path": case.place.path,
        "line": case.place.line,
        "passed": outcome.passed,
        "policy": planned.policy or None,
        "state": str(planned.state),
        "differences": [_difference(one) for one in outcome.differences],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    place = difference.finding.place
    return {
        "key": difference.finding.code,
        "line": place.line if place is not None else None,
        "text": difference.finding.text,
        "snapshots": [
            {"name": one.snapshot.name, "time": one.snapshot.time, "fate": one.which,
             "why": one.why}
            for one in difference.snapshots
        ],
    }  # fmt: skip
