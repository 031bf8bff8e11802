"""What is wrong with a text that is no YAML, in words of our own.

The parser's own wording differs between its two builds and speaks of tokens. Of an error only the
position is used, and the stable core of what it expected; the commonest beginner's lines are
recognised from the text itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from reconciler.model import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.yamlfile.faults import Faults

_QUOTED = re.compile(r"""(?<=[\[{,:\-\s])(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')""")
_BARE = re.compile(r"(?:^\s*-\s+|[\[{,]\s*|(?<=\S):\s+|^\s+-\s+)([*!#&@%`][^\s,\]}]*)")
_TWICE = re.compile(r"^(\s*(?:-\s+)*[\w-]+:\s+)([^\s\[{\"'#][^#]*?:\s.*?)\s*$")
_NOT_FIRST = "cannot begin a plain value"
_BEGINNERS = {
    "*": "a bare `*` begins a YAML alias, not a pattern",
    "!": "a bare `!` begins a YAML tag, not a pattern",
    "#": "a `#` here begins a comment: the rest of the line is lost",
    "&": "a bare `&` begins a YAML anchor",
    "@": f"`@` {_NOT_FIRST}",
    "%": f"`%` {_NOT_FIRST}",
    "`": f"a backtick {_NOT_FIRST}",
}
_SAYS: tuple[tuple[str, str, str, str], ...] = (
    (
        "mapping values are not allowed", "bad-indent",
        "this `key:` stands deeper than the line above, which already has a value",
        "indent it like the other keys of its map, or quote the text above",
    ),
    (
        "unexpected end of stream", "unclosed-quote", "this quote is never closed",
        "close it on the same line",
    ),
    ("or ']'", "unclosed-list", "this `[` is not closed where it should be", "close it with `]`"),
    ("or '}'", "unclosed-map", "this `{` is not closed where it should be", "close it with `}`"),
    (
        "escape", "bad-escape", "a backslash in double quotes begins an escape, and this is none",
        "use single quotes",
    ),
    (
        "expected ':'", "no-colon", "this line is no `key: value`",
        "write a colon and a space after the key",
    ),
    (
        "document start", "multiple-documents", "text stands after the document's end",
        "a file is one document",
    ),
)  # fmt: skip
_FALLBACK = (
    "not-yaml", "this cannot be read as YAML",
    "compare the indentation with the line above, and quote text with special characters",
)  # fmt: skip


def explain(error: yaml.YAMLError, *, path: str, lines: Sequence[str], faults: Faults) -> None:
    """Add the one finding that says why the parser stopped."""
    if isinstance(error, yaml.MarkedYAMLError):
        first, last = _span(error)
        explainers: tuple[Callable[[], bool], ...] = (
            lambda: _tab(error, path, lines, faults=faults),
            lambda: _beginner(range(first, last + 1), path, lines, faults=faults),
            lambda: _two_colons(last, path, lines, faults=faults),
            lambda: _comment(last, path, lines, faults=faults),
        )
        if any(explainer() for explainer in explainers):
            return
        code, text, step = _said(str(error.problem))
        where = error.context_mark if code.startswith("unclosed") else error.problem_mark
        where = where or error.problem_mark
        faults.error(_place(where, path, lines), code, text, next_step=step)
        return
    character = getattr(error, "character", None)
    shown = f"U+{ord(character) if isinstance(character, str) else character or 0:04X}"
    faults.error(
        Place(path), "bad-character", f"the text holds the control character {shown}",
        next_step="remove it; a file is plain UTF-8 text",
    )  # fmt: skip


def _said(problem: str) -> tuple[str, str, str]:
    found = next(((c, t, s) for words, c, t, s in _SAYS if words in problem), None)
    return found or _FALLBACK


def _span(error: yaml.MarkedYAMLError) -> tuple[int, int]:
    """Return the first and last line an error speaks of, from 0."""
    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark is not None]
    return (min(marks), max(marks)) if marks else (0, 0)


def _place(mark: yaml.Mark | None, path: str, lines: Sequence[str]) -> Place:
    """Return a mark's place; one past the end is that of the last line with text."""
    line = mark.line if mark is not None else 0
    column = mark.column if mark is not None else 0
    while line > 0 and (line >= len(lines) or not lines[line].strip()):
        line, column = line - 1, 0
    column = column or len(lines[line]) - len(lines[line].lstrip())
    return Place(path, line + 1, column + 1)


def _tab(error: yaml.MarkedYAMLError, path: str, lines: Sequence[str], *, faults: Faults) -> bool:
    mark = error.problem_mark
    if mark is None or mark.line >= len(lines) or lines[mark.line][mark.column :][:1] != "\t":
        return False
    faults.error(
        Place(path, mark.line + 1, mark.column + 1), "tab", "a tab stands in the indentation",
        next_step="indent with spaces",
    )  # fmt: skip
    return True


def _beginner(span: range, path: str, lines: Sequence[str], *, faults: Faults) -> bool:
    """Say which of the lines begins a value with a character that YAML keeps for itself."""
    for number in span:
        for column, word in _bare(lines[number] if number < len(lines) else ""):
            if word[0] == "#" and not _in_list(lines[number], column):
                continue
            faults.error(
                Place(path, number + 1, column + 1, len(word)), "quote-it", _BEGINNERS[word[0]],
                hint=f'write "{word}"',
            )  # fmt: skip
            return True
    return False


def _comment(last: int, path: str, lines: Sequence[str], *, faults: Faults) -> bool:
    """Look above the error for a list that a `#` cut off, the nearest first."""
    for number in range(min(last, len(lines) - 1), -1, -1):
        cut = any(
            word[0] == "#" and _in_list(lines[number], column)
            for column, word in _bare(lines[number])
        )
        if cut:
            return _beginner(range(number, number + 1), path, lines, faults=faults)
    return False


def _bare(line: str) -> Iterator[tuple[int, str]]:
    """Yield column (from 0) and word of every value that begins with a special character."""
    blanked = _QUOTED.sub(lambda found: "q" * len(found[0]), line)
    for found in _BARE.finditer(blanked):
        yield found.start(1), found[1]


def _in_list(line: str, column: int) -> bool:
    """Whether a list or map begun on the line is still open at the column."""
    before = _QUOTED.sub("", line[:column])
    opened = before.count("[") + before.count("{") - before.count("]") - before.count("}")
    return opened > 0 and bool(re.search(r"[\]}]", line[column:]))


def _two_colons(last: int, path: str, lines: Sequence[str], *, faults: Faults) -> bool:
    found = _TWICE.match(lines[last]) if last < len(lines) else None
    if found is None:
        return False
    faults.error(
        Place(path, last + 1, len(found[1]) + 1, len(found[2])), "quote-it",
        "a second `: ` in one line begins another map",
        hint=f'write {found[1].strip(" -")} "{found[2]}"',
    )  # fmt: skip
    return True
