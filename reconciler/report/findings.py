"""Findings as text with their source lines, as JSON, and as workflow annotations."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reconciler.model import Severity
from reconciler.report.layout import columns, hang, wrap
from reconciler.report.style import Hue, printable
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model import Finding, Place
    from reconciler.report.style import Style

_HUES = {Severity.ERROR: Hue.ERROR, Severity.WARNING: Hue.WARNING, Severity.NOTE: Hue.NONE}
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_GUTTER = 10  # seven for the line's number, then " | "
_CUT = "…"
_LONGEST = 400  # characters: more never fit on a line, and a line may be a megabyte


def render_text(
    findings: Sequence[Finding], *, sources: Mapping[str, str], style: Style, summary: str
) -> str:
    """Write each finding as `place: severity[code]: fact`, its source lines, the hint, the cure.

    `sources` are the texts by the paths that places name; what is not in it is shown without lines.
    `summary` comes last. The first line of a finding is never wrapped, so that editors, grep and
    problem matchers find it. Ends with a line end.
    """
    lines: list[str] = []
    for finding in findings:
        lines.extend(lines_of(finding, sources, style))
        lines.append("")
    lines.extend(wrap(printable(summary), style.columns))
    return "\n".join(lines) + "\n"


def summary(findings: Sequence[Finding]) -> str:
    """Count findings by severity and the files they are in: `3 errors, 1 warning in 2 files.`."""
    counts = [
        counted(number, str(severity))
        for severity in Severity
        if (number := sum(finding.severity is severity for finding in findings))
    ]
    if not counts:
        return "Nothing found."
    files = {finding.place.path for finding in findings if finding.place is not None}
    where = f" in {counted(len(files), 'file')}" if files else ""
    return f"{', '.join(counts)}{where}."


def render_json(findings: Sequence[Finding]) -> str:
    """Write findings as a JSON list; absent places, hints and next steps are null."""
    return json.dumps([_values(finding) for finding in findings], indent=2) + "\n"


def render_github(findings: Sequence[Finding]) -> str:
    """Write findings as workflow commands, one line each, which GitHub shows at the line."""
    return "".join(f"{_annotation(finding)}\n" for finding in findings)


def lines_of(finding: Finding, sources: Mapping[str, str], style: Style) -> Iterator[str]:
    """Write one finding, as `render_text` does."""
    place = finding.place
    where = f"{_position(place)}: " if place is not None else ""
    mark = f"{finding.severity}[{finding.code}]"
    painted = style.paint(mark, _HUES[finding.severity])
    yield f"{printable(where)}{painted}: {printable(finding.text)}"
    framed = list(_frame(place, sources, finding.hint, style)) if place is not None else []
    yield from framed
    if finding.hint and not framed:
        yield from hang("   hint: ", printable(finding.hint), width=style.columns)
    if finding.next_step:
        yield from hang("   next: ", printable(finding.next_step), width=style.columns)


def _position(place: Place) -> str:
    numbers = [str(number) for number in (place.line, place.column) if number]
    return ":".join((place.path, *numbers))


def _frame(place: Place, sources: Mapping[str, str], hint: str, style: Style) -> Iterator[str]:
    """Write the line and the one before it, and carets with the hint below."""
    lines = _split(sources.get(place.path, ""))
    if not 0 < place.line <= len(lines):
        return
    room = style.columns - _GUTTER
    before = lines[place.line - 2] if place.line > 1 else ""
    if before.strip():
        yield f"{place.line - 1:>7} | {_clipped(_level(before[:_LONGEST]), 0, room)}".rstrip()
    line = _level(lines[place.line - 1][: max(place.column, 0) + _LONGEST])
    start = max(0, min(place.column, len(line) + 1) - 1)
    skip = max(0, start - room // 2) if columns(line) > room else 0
    yield f"{place.line:>7} | {_clipped(line, skip, room)}".rstrip()
    if not place.column:
        return
    indent = columns(line[skip:start]) if skip <= 1 else columns(_CUT + line[skip + 1 : start])
    width = max(1, min(place.width, len(line) - start, room - indent))
    carets = style.paint("^" * width, Hue.ERROR)
    yield f"{' ' * 8}| {' ' * indent}{carets} {printable(hint)}".rstrip()


@lru_cache(maxsize=64)
def _split(text: str) -> tuple[str, ...]:
    """Split a source once, however many findings it has."""
    return tuple(text.splitlines())


def _level(line: str) -> str:
    """Return a source line with one plain character for each that could steer a terminal."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "�" for c in line)


def _clipped(line: str, skip: int, room: int) -> str:
    """Return what fits of a line from `skip` on, an ellipsis where something is cut."""
    shown = _CUT + line[skip + 1 : skip + _LONGEST] if skip else line[:_LONGEST]
    if columns(shown) <= room:
        return shown
    while columns(shown) >= room:
        shown = shown[:-1]
    return shown + _CUT


def _values(finding: Finding) -> dict[str, Any]:
    place = finding.place
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "text": finding.text,
        "hint": finding.hint or None,
        "next_step": finding.next_step or None,
        "place": {
            "path": place.path,
            "line": place.line,
            "column": place.column,
            "width": place.width,
        }
        if place is not None
        else None,
    }


def _annotation(finding: Finding) -> str:
    properties = {"title": finding.code}
    place = finding.place
    if place is not None:
        properties["file"] = place.path
        if place.line:
            properties["line"] = str(place.line)
        if place.column:
            properties["col"] = str(place.column)
            properties["endColumn"] = str(place.column + place.width)
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    parts = (finding.text, finding.hint, f"next: {finding.next_step}" if finding.next_step else "")
    message = "\n".join(part for part in parts if part)
    return f"::{_LEVELS[finding.severity]} {written}::{_message(message)}"


def _message(text: str) -> str:
    """Escape a workflow command's message, as the runner's own toolkit does."""
    shown = "\n".join(printable(line) for line in text.split("\n"))
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a workflow command's property, which also ends at `,` and `:`."""
    return _message(text).replace(":", "%3A").replace(",", "%2C")
