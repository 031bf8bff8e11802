"""The timeline picture: panels on the time axis, rows of marks and bars, as one SVG.

Shapes say what something is, colour only repeats it; light and dark, print and high contrast are
CSS media queries inside the picture. No script, nothing from elsewhere; every text is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from reconciler.report.style import printable
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.model import Instant

WIDTH = 960
ROW = 26
_LABEL = 110
_GAP = 6
_TOP = 26
MOST_MARKS = 1500
"""Above so many in a picture those of one row and pixel are drawn once."""

SHAPES: Mapping[str, str] = {
    "tick": "taken", "cross": "missed", "ring": "to come", "disc": "kept", "minus": "goes",
    "waits": "waits", "square": "copy",
}  # fmt: skip
"""What each shape of a mark means, in the order of the legend."""

_STYLE = """
.t{--ink:#1f2328;--dim:#59636e;--line:#d1d9e0;--paper:#fff;--kept:#0b5fc0;--pinned:#17703a;
--goes:#b34700;--missed:#8032b4;--unknown:#6e7781;background:var(--paper);
font:12px system-ui,sans-serif}
@media (prefers-color-scheme:dark){.t{--ink:#e6edf3;--dim:#9198a1;--line:#3d444d;--paper:#0d1117;
--kept:#6cb0ff;--pinned:#4cc26b;--goes:#ff9b50;--missed:#cf9bff;--unknown:#9198a1}}
@media print{.t{--ink:#000;--dim:#444;--line:#bbb;--paper:#fff;--kept:#222;--pinned:#444;
--goes:#000;--missed:#000;--unknown:#777}}
.t text{fill:var(--ink)}.t .d{fill:var(--dim)}.t .l{stroke:var(--line)}
.t .tick{stroke:var(--ink)}.t .cross{stroke:var(--missed);stroke-width:1.6}
.t .ring{stroke:var(--ink);fill:none}.t .disc{fill:var(--kept)}
.t .minus{stroke:var(--goes);stroke-width:2}.t .waits{stroke:var(--goes);fill:none}
.t .square{fill:var(--unknown)}.t .letter{fill:var(--ink);font-weight:600}
.t .solid{fill:var(--kept);opacity:.55}.t .late{fill:url(#late);stroke:var(--missed)}
.t .unread{fill:url(#unread);stroke:var(--unknown)}.t .pinned{fill:var(--pinned)}
.t .pinned-end{stroke:var(--pinned);stroke-width:2}
.t .outage{fill:var(--missed);opacity:.12}.t .now{stroke:var(--ink);stroke-dasharray:3 2}
.t pattern path{stroke:var(--missed)}.t pattern circle{fill:var(--unknown)}
"""
_PATTERNS = (
    '<defs><pattern id="late" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<path d="M0 6L6 0"/></pattern>'
    '<pattern id="unread" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<circle cx="2" cy="2" r="1"/></pattern></defs>'
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A stretch of the time axis, linear inside; `weight` is its share of the width."""

    label: str
    start: Instant
    end: Instant
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: a shape of `SHAPES`, or one letter; `tip` is what a pointer shows."""

    at: Instant
    shape: str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A span: `solid`, `late`, `unread` or `pinned`; `tip` is what a pointer shows."""

    start: Instant
    end: Instant
    kind: str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the picture."""

    label: str
    marks: Sequence[Mark] = ()
    bars: Sequence[Bar] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture; `title` is all a screen reader needs, the table below has the values."""

    title: str
    panels: tuple[Panel, ...]
    rows: tuple[Row, ...]
    now: Instant
    now_label: str
    outages: tuple[tuple[Instant, Instant], ...] = ()
    borders: tuple[tuple[Instant, str], ...] = ()


def render_svg(timeline: Timeline) -> str:
    """Draw the picture as one SVG element, 960 wide and 26 a row; ends with a line end.

    Above 1,500 marks those of one row and pixel are drawn once, their number in the tip.
    """
    return "\n".join(_Drawing(timeline, tuple(_edges(timeline.panels))).lines()) + "\n"


def _edges(panels: Sequence[Panel]) -> Iterator[tuple[Panel, float, float]]:
    """Yield each panel with its left and right edge."""
    room = WIDTH - _LABEL - _GAP * len(panels)
    whole = sum(panel.weight for panel in panels)
    left = float(_LABEL)
    for panel in panels:
        width = room * panel.weight / whole
        yield panel, left, left + width
        left += width + _GAP


def safe(text: str) -> str:
    """Return text from outside for SVG and HTML: what steers is written out, what marks escaped."""
    return escape(printable(text), quote=True)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Draws one timeline; everything vertical follows from the number of its rows."""

    timeline: Timeline
    edges: tuple[tuple[Panel, float, float], ...]

    @property
    def bottom(self) -> int:
        return _TOP + ROW * len(self.timeline.rows)

    def lines(self) -> Iterator[str]:
        title, height = safe(self.timeline.title), self.bottom + 2 * ROW
        yield (
            f'<svg class="t" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img" aria-label="{title}">'
        )
        yield f"<title>{title}</title>"
        yield f"<style>{_STYLE}</style>{_PATTERNS}"
        yield from self._frame()
        for number, row in enumerate(self.timeline.rows):
            yield from self._row(row, _TOP + ROW * number)
        yield from self._now()
        yield from self._legend()
        yield "</svg>"

    def x(self, instant: Instant) -> float | None:
        """Return where an instant lies, None outside every panel."""
        for panel, left, right in self.edges:
            if panel.start <= instant <= panel.end:
                part = (instant - panel.start) / (panel.end - panel.start)
                return left + part * (right - left)
        return None

    def _frame(self) -> Iterator[str]:
        for panel, left, right in self.edges:
            yield f'<text class="d" x="{left:.1f}" y="16">{safe(panel.label)}</text>'
            for edge in (left, right):
                yield f'<path class="l" d="M{edge:.1f} {_TOP}V{self.bottom}"/>'
        for start, end in self.timeline.outages:
            for left, right in self._spans(start, end):
                yield (
                    f'<rect class="outage" x="{left:.1f}" y="{_TOP}" '
                    f'width="{max(1, right - left):.1f}" height="{self.bottom - _TOP}">'
                    "<title>no pass runs</title></rect>"
                )
        for instant, label in self.timeline.borders:
            at = self.x(instant)
            if at is not None:
                y = self.bottom + 14
                yield f'<path class="l" d="M{at:.1f} {self.bottom}v4"/>'
                yield f'<text class="d" x="{at:.1f}" y="{y}">{safe(label)}</text>'

    def _spans(self, start: Instant, end: Instant) -> Iterator[tuple[float, float]]:
        for panel, left, right in self.edges:
            begin, finish = max(start, panel.start), min(end, panel.end)
            if begin < finish:
                scale = (right - left) / (panel.end - panel.start)
                yield left + (begin - panel.start) * scale, left + (finish - panel.start) * scale

    def _row(self, row: Row, top: int) -> Iterator[str]:
        middle = top + ROW // 2
        yield f'<text x="4" y="{middle + 4}">{safe(row.label)}</text>'
        yield f'<path class="l" d="M{_LABEL} {top + ROW}H{WIDTH - _GAP}" opacity=".5"/>'
        for bar in row.bars:
            for left, right in self._spans(bar.start, bar.end):
                yield (
                    f'<rect class="{bar.kind}" x="{left:.1f}" y="{middle - 5}" '
                    f'width="{max(1.0, right - left):.1f}" height="10">{_tip(bar.tip)}</rect>'
                )
        for at, shape, tip in self._placed(row.marks):
            yield _drawn(shape, at, middle, tip)

    def _placed(self, marks: Iterable[Mark]) -> Iterator[tuple[float, str, str]]:
        """Yield marks with their place; above the limit those of one pixel as one."""
        placed = [(at, mark) for mark in marks if (at := self.x(mark.at)) is not None]
        if self._marks <= MOST_MARKS:
            yield from ((at, mark.shape, mark.tip) for at, mark in placed)
            return
        pixels: dict[tuple[int, str], list[tuple[float, Mark]]] = {}
        for at, mark in placed:
            pixels.setdefault((round(at), mark.shape), []).append((at, mark))
        for (at_pixel, shape), same in pixels.items():
            number = len(same)
            tip = same[0][1].tip if number == 1 else counted(number, "snapshot")
            yield (same[0][0] if number == 1 else float(at_pixel)), shape, tip

    @property
    def _marks(self) -> int:
        return sum(len(row.marks) for row in self.timeline.rows)

    def _now(self) -> Iterator[str]:
        at = self.x(self.timeline.now)
        if at is not None:
            label = safe(self.timeline.now_label)
            yield f'<path class="now" d="M{at:.1f} {_TOP - 6}V{self.bottom + 2}"/>'
            yield f'<text x="{at:.1f}" y="{self.bottom + 14}">{label}</text>'

    def _legend(self) -> Iterator[str]:
        used = {mark.shape for row in self.timeline.rows for mark in row.marks}
        y, at = self.bottom + ROW + 10, float(_LABEL)
        for shape, word in SHAPES.items():
            if shape in used:
                yield _drawn(shape, at + 5, y, "")
                yield f'<text class="d" x="{at + 14:.1f}" y="{y + 4}">{word}</text>'
                at += 14 + 8 * len(word) + 12
        kinds = {bar.kind for row in self.timeline.rows for bar in row.bars}
        for kind, word in (("solid", "as promised"), ("late", "later than promised"),
                           ("pinned", "immutable")):  # fmt: skip
            if kind in kinds:
                yield f'<rect class="{kind}" x="{at:.1f}" y="{y - 5}" width="16" height="10"/>'
                yield f'<text class="d" x="{at + 21:.1f}" y="{y + 4}">{word}</text>'
                at += 21 + 7 * len(word) + 12


def _tip(text: str) -> str:
    return f"<title>{safe(text)}</title>" if text else ""


def _drawn(shape: str, at: float, middle: int, tip: str) -> str:
    """Draw one mark around (at, middle)."""
    x = f"{at:.1f}"
    paths = {
        "tick": f"M{x} {middle - 6}v12",
        "cross": f"M{at - 4:.1f} {middle - 4}l8 8m0-8l-8 8",
        "minus": f"M{at - 4:.1f} {middle}h8",
    }
    if shape in paths:
        return f'<path class="{shape}" d="{paths[shape]}">{_tip(tip)}</path>'
    if shape in ("disc", "ring", "waits"):
        radius = 4 if shape == "ring" else 3.5
        return f'<circle class="{shape}" cx="{x}" cy="{middle}" r="{radius}">{_tip(tip)}</circle>'
    if shape == "square":
        return (
            f'<rect class="square" x="{at - 3:.1f}" y="{middle - 3}" width="6" height="6">'
            f"{_tip(tip)}</rect>"
        )
    letter = safe(shape[:1])
    return f'<text class="letter" x="{at - 4:.1f}" y="{middle + 4}">{letter}{_tip(tip)}</text>'
