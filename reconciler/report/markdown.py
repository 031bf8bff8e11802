"""A plan as Markdown for a pull request: one folded section for each block, within GitHub's limit.

Names and texts that came from a NAS are escaped for Markdown and HTML, and mention nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.report.style import printable
from reconciler.report.text import total
from reconciler.report.units import parts
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.planning.plan import Plan
    from reconciler.report.block import Block
    from reconciler.report.lines import Line
    from reconciler.report.units import Part

LIMIT = 65_536
"""A comment on GitHub may have so many characters."""

_NAMED = 3
_ENTITIES = {ord(c): f"&#{ord(c)};" for c in "&<>`*_[]|~\\$"}
_SILENT = {ord(c): f"{c}\u200b" for c in "@#"}
_ESCAPES = _ENTITIES | _SILENT


def render_plan(plan: Plan) -> str:
    """Write a plan with its targets folded; always shorter than 65,536 characters.

    What does not fit in full is shown with deletions grouped by reason, then as titles alone, then
    counted, from the end: what needs a person stands first and stays longest. Ends with a line end.
    """
    title = f"Snapshot plan: {total(plan)}"
    return page(title, lambda every_one: parts(plan.units, every_one=every_one))


def page(title: str, parts_in: Callable[[bool], Sequence[Part]]) -> str:
    """Write a page of parts; `parts_in` makes them, every deletion listed or grouped by reason.

    Fits GitHub's limit as `render_plan` says.
    """
    head = f"### {escaped(title)}\n\n"
    for every_one in (True, False):
        found = parts_in(every_one)
        sections = [section for part in found for section in _sections(part)]
        text = head + "".join(full for full, _ in sections)
        if len(text) < LIMIT:
            return text
    return _fitted(head, sections)


def escaped(text: str) -> str:
    """Escape a text for a place inside a line of Markdown, in a table and in HTML alike."""
    return printable(text).translate(_ESCAPES)


def _fitted(head: str, sections: Sequence[tuple[str, str]]) -> str:
    """Shorten sections from the end until everything fits: to their titles, then to a count."""
    shown = [full for full, _ in sections]
    size = len(head) + sum(len(section) for section in shown)
    for position in range(len(sections) - 1, -1, -1):
        if size < LIMIT:
            return head + "".join(shown)
        size += len(sections[position][1]) - len(shown[position])
        shown[position] = sections[position][1]
    left = 0
    while size + len(_more(left)) >= LIMIT:
        size -= len(shown.pop())
        left += 1
    return head + "".join(shown) + (_more(left) if left else "")


def _more(number: int) -> str:
    return f"… and {counted(number, 'more section')}: `reconcile --dry-run` shows them all.\n"


def _sections(part: Part) -> Iterator[tuple[str, str]]:
    """Yield a part's sections, each in full and shortened, none of which breaks a line."""
    title = " · ".join(escaped(text) for text in part.title(every_one=False))
    head = f"#### {title.replace(' (-v)', '')}\n\n"
    names = ", ".join(escaped(unit.nas) for unit in part.units)
    folds = "(-v)" in title
    yield head + (_folded("all of them", names) if folds else ""), head
    for remark in part.remarks:
        word = escaped(remark.word.removeprefix("!").strip())
        text = f"**{word}**: {escaped(remark.text)}{_then(remark.next_step)}\n\n"
        yield text, text
    for block in part.blocks:
        yield _details(block), f"- {_title(block)}\n\n"
    yield from _rest(part)


def _rest(part: Part) -> Iterator[tuple[str, str]]:
    counts, alone = part.rest(every_one=False)
    said = [escaped(text.removesuffix(" (-v)")) for text in counts]
    lead = "left alone on each" if len(part.units) > 1 else "left alone"
    left = [f"{lead}: {escaped(alone)}"] if alone else []
    text = " · ".join((*said, *left))
    if text:
        text = f"{text[0].upper()}{text[1:]}.\n\n"
        yield text, text


def _title(block: Block) -> str:
    head, *rest = (escaped(part) for part in block.title(names=_NAMED))
    return " · ".join((f"<b>{head.removesuffix(' (-v)')}</b>", *rest))


def _details(block: Block) -> str:
    several = block.several
    rows = [row for line in block.lines for row in _rows(line, several=several)]
    table = ["| | | which | why |", "|---|---|---|---|", *rows] if rows else []
    notes = [
        f"- **{note.severity}**: {escaped(note.text)}{_then(note.next_step)}"
        for note in block.notes
    ]
    names = (
        [f"All: {', '.join(escaped(name) for name in block.names)}"] if len(block.names) > 1 else []
    )
    parts = ("\n".join(part) for part in (names, table, notes) if part)
    body = "\n\n".join(parts)
    if not body:
        return f"- {_title(block)}\n\n"
    return _folded(_title(block), body)


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>\n\n"


def _rows(line: Line, *, several: bool) -> Iterator[str]:
    each = " on each" if several and line.waits else ""
    yield _row(f"`{line.sign}`", f"{line.word}{each}", line.which, line.why)
    for detail in line.details:
        count = f"{detail.count}: " if detail.count else ""
        yield _row("", "", f"{count}{detail.which}", detail.why)
    if line.advice:
        yield _row("", line.advice_for.strip(), "", line.advice)


def _row(sign: str, word: str, which: str, why: str) -> str:
    return f"| {sign} | {escaped(word)} | {escaped(which)} | {escaped(why)} |"


def _then(next_step: str) -> str:
    return f"; next: {escaped(next_step)}" if next_step else ""
