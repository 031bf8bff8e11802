"""Columns of text: widths as a terminal counts them, wrapping, and lines that hang."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def columns(text: str) -> int:
    """Return how many columns a terminal gives the text: two for wide characters."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, width: int) -> str:
    """Return the text with spaces up to `width` columns."""
    return text + " " * max(0, width - columns(text))


def wrap(text: str, width: int) -> tuple[str, ...]:
    """Break a text at spaces into lines of at most `width` columns.

    What may be copied is never broken: a longer word stands alone and sticks out, and what stands
    between backticks stays on one line where a line can hold it. Nor does a number part from the
    word after it, its unit. Several spaces in a row stay together; an empty text is one empty line.
    """
    lines: list[str] = []
    line = ""
    for word in _words(text, width):
        longer = f"{line} {word}" if line else word
        if line and columns(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return (*lines, line)


def _words(text: str, width: int) -> Iterator[str]:
    """Yield what is not to be broken: words, numbers with their units, what backticks hold."""
    held = ""
    for word in text.split(" "):
        whole = f"{held} {word}" if held else word
        if columns(whole) > width:
            yield from whole.split(" ")
            held = ""
        elif whole.count("`") % 2 or word.isdigit():
            held = whole
        else:
            yield whole
            held = ""
    if held:
        yield from held.split(" ")


def hang(first: str, text: str, *, width: int) -> tuple[str, ...]:
    """Write `first` and then the text, which wraps under itself; trailing spaces are cut."""
    indent = columns(first)
    head, *rest = wrap(text, max(20, width - indent))
    return tuple(line.rstrip() for line in (first + head, *(" " * indent + more for more in rest)))


def joined(parts: Sequence[str], separator: str, *, width: int) -> tuple[str, ...]:
    """Join parts into lines of at most `width` columns, broken between parts where they can be."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{separator}{part}" if lines else part
        if lines and columns(longer) <= width:
            lines[-1] = longer
        else:
            lines.extend(wrap(part, width))
    return tuple(lines)
