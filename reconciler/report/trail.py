"""The audit trail as a table for people."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.report.layout import columns, hang, pad
from reconciler.report.style import Hue, printable
from reconciler.wording import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from reconciler.report.style import Style
    from reconciler.trail import Record

_HUES = {
    "create": Hue.CREATE,
    "set_attr": Hue.ATTRIBUTE,
    "delete": Hue.DELETE,
    "sync": Hue.SYNC,
    "stopped": Hue.WAIT,
}
_WIDEST = 34


def render(records: Sequence[Record], *, at: ZoneInfo, style: Style) -> str:
    """Write records in their order: unit/number, when, what, of what, and how it ended or why."""
    if not records:
        return "no records\n"
    rows = [_row(record.body, at) for record in records]
    widths = [min(_WIDEST, max(columns(row[n]) for row in rows)) for n in range(4)]
    return "\n".join(line for row in rows for line in _line(row, widths, style)) + "\n"


def _line(row: Sequence[str], widths: Sequence[int], style: Style) -> Iterator[str]:
    *cells, last = row
    first = "  ".join(pad(cell, width) for cell, width in zip(cells, widths, strict=True)) + "  "
    if columns(first) + 20 > style.columns:
        yield first.rstrip()
        first = "    "
    head, *rest = hang(first, last, width=style.columns)
    word = cells[2].split(" ", 1)[0]
    hue = _HUES.get(word, Hue.NONE)
    yield head.replace(f"  {word}", f"  {style.paint(word, hue)}", 1) if hue else head
    yield from rest


def _row(body: Mapping[str, Any], at: ZoneInfo) -> tuple[str, ...]:
    when = int(datetime.fromisoformat(body["at"]).timestamp())
    return tuple(
        printable(cell)
        for cell in (
            f"{body['nas']}/{body['number']}",
            moment(when, at, year=True),
            _what(body),
            _of(body),
            _why(body),
        )
    )


def _what(body: Mapping[str, Any]) -> str:
    verb = body.get("verb")
    return f"{verb} {body['event']}" if verb else str(body["event"])


def _of(body: Mapping[str, Any]) -> str:
    target = body.get("target")
    if not target:
        return "the unit"
    snapshot = body.get("snapshot")
    label = f"{target['kind']}/{target['name']}"
    return f"{label} {snapshot}" if snapshot else label


def _why(body: Mapping[str, Any]) -> str:
    """Say how it ended, or why it was meant; last on whose behalf."""
    who = body.get("who") or {}
    parts = [
        str(body.get("result") or ""),
        str(body.get("answer") or ""),
        "; ".join((body.get("reasons") or [])[:1]),
        ", ".join(f"{count} {stop}" for stop, count in (body.get("waiting") or {}).items()),
        str(body.get("reason") or ""),
    ]
    said = ": ".join(part for part in parts if part)
    by = f"by {who['name']}" if who.get("name") else ""
    return " · ".join(part for part in (said, by) if part)
