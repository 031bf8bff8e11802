"""Blocks as lines of text: three columns, signs in colour, findings below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.report.layout import columns, hang, joined, pad
from reconciler.report.style import printable
from reconciler.report.units import HUES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model import Finding
    from reconciler.report.block import Block, Note
    from reconciler.report.lines import Line
    from reconciler.report.style import Hue, Style

CLOSE_TOGETHER = 3
"""Up to so many blocks of one unit stand without empty lines between them."""

_NAMED = 3
_WORD = 6
_WIDEST_FIRST = 44


def printed(shown: Sequence[Block], style: Style) -> Iterator[str]:
    """Write a unit's blocks, their third columns in line; an empty line goes before them."""
    shape = _shape(shown)
    for position, block in enumerate(shown):
        if not position or len(shown) > CLOSE_TOGETHER:
            yield ""
        yield from _block(block, style, shape=shape)


def found(finding: Finding | Note, style: Style, *, indent: int) -> Iterator[str]:
    """Write a finding with its next step."""
    margin = " " * indent
    hue = HUES[finding.severity]
    severity = pad(str(finding.severity), 7)
    yield from marked(margin, severity, style, hue=hue, text=finding.text)
    yield from next_step(finding.next_step, style, indent=indent)


def next_step(text: str, style: Style, *, indent: int) -> Iterator[str]:
    """Write what to do about the line above; nothing where nothing is known."""
    if text:
        yield from hang(f"{' ' * indent}next     ", printable(text), width=style.columns)


def marked(margin: str, mark: str, style: Style, *, hue: Hue, text: str) -> tuple[str, ...]:
    """Write a coloured mark and a text that wraps beside it."""
    head, *rest = hang(f"{margin}{mark}  ", printable(text), width=style.columns)
    return (margin + style.paint(mark, hue) + head[len(margin) + len(mark) :], *rest)


def _block(block: Block, style: Style, *, shape: tuple[int, int]) -> Iterator[str]:
    names = len(block.names) if style.verbose else _NAMED
    title = tuple(printable(part) for part in block.title(names=names))
    head, *rest = joined(title, " · ", width=style.columns - 6)
    yield f"  {head}"
    yield from (f"      {line}" for line in rest)
    for line in block.lines:
        yield from _line(line, style, shape=shape, several=block.several)
    for note in block.notes:
        yield from found(note, style, indent=6)


def _shape(shown: Sequence[Block]) -> tuple[int, int]:
    """Return the widths of the word, and of word and snapshot together, over a unit's lines."""
    lines = [(line, block.several) for block in shown for line in block.lines]
    word = max((len(line.word) for line, _ in lines if line.which), default=0)
    word = max(word, _WORD)
    first = max((columns(_head(line, word, several=each)) for line, each in lines), default=0)
    return word, min(first, _WIDEST_FIRST)


def _head(line: Line, word: int, *, several: bool) -> str:
    """Return the first two columns: sign, word and which snapshot."""
    each = " on each" if several and line.waits else ""
    said = printable(line.word)
    if not line.which:
        return f"{line.sign} {said}{each}"
    return f"{line.sign} {pad(said, word)}  {printable(line.which)}"


def _line(line: Line, style: Style, *, shape: tuple[int, int], several: bool) -> Iterator[str]:
    word, first = shape
    text = _head(line, word, several=several)
    mark = f"{line.sign} {printable(line.word)}"
    head, *rest = hang(f"    {pad(text, first)}  ", printable(line.why), width=style.columns)
    yield "    " + style.paint(mark, line.hue) + head[4 + len(mark) :]
    yield from rest
    counts = max((len(str(detail.count)) for detail in line.details), default=0)
    wide = max((columns(printable(detail.which)) for detail in line.details), default=0)
    for detail in line.details:
        count = str(detail.count).rjust(max(2, counts)) + "  " if detail.count else ""
        start = f"        {count}{pad(printable(detail.which), wide)}  "
        yield from hang(start, printable(detail.why), width=style.columns)
    if line.advice:
        lead = f"      {line.advice_for}  "
        yield from hang(lead, printable(line.advice), width=style.columns)
