"""A plan as Markdown for a pull request: one folded section for each block, within GitHub's limit.

Names and texts that came from a NAS are escaped for Markdown and HTML, and mention nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.report.block import blocks, unit_need
from reconciler.report.style import printable
from reconciler.report.text import calm, header, left_alone, total
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.planning.plan import Plan, UnitPlan
    from reconciler.report.block import Block
    from reconciler.report.lines import Line

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
    head = f"### Snapshot plan: {escaped(total(plan))}\n\n"
    units = sorted(plan.units, key=unit_need)
    for every_one in (True, False):
        sections = [section for unit in units for section in _sections(unit, every_one=every_one)]
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


def _sections(unit: UnitPlan, *, every_one: bool) -> Iterator[tuple[str, str]]:
    """Yield a unit's parts, each in full and shortened, none of which breaks a line."""
    head = f"#### {escaped(unit.nas)} · {escaped(header(unit))}\n\n"
    yield head, head
    if unit.problem:
        text = f"**UNKNOWN**: {escaped(unit.problem)}{_then(unit.next_step)}\n\n"
        yield text, text
        return
    if unit.suspended:
        text = f"**SUSPENDED**, {escaped(unit.suspended)}: nothing is written there\n\n"
        yield text, text
    for finding in unit.findings:
        text = f"**{finding.severity}**: {escaped(finding.text)}{_then(finding.next_step)}\n\n"
        yield text, text
    shown = blocks(unit, every_one=every_one)
    for block in shown:
        yield _details(block), f"- {_title(block)}\n\n"
    yield from _rest(unit, shown)


def _rest(unit: UnitPlan, shown: Sequence[Block]) -> Iterator[tuple[str, str]]:
    nothing = calm(unit, shown)
    alone = left_alone(unit, every_one=False).removesuffix(" (-v)")
    counts = f"{counted(nothing, 'target')} without anything to do" if nothing else ""
    left = f"left alone: {escaped(alone)}" if alone else ""
    text = "; ".join(part for part in (counts, left) if part)
    if text:
        text = f"{text[0].upper()}{text[1:]}.\n\n"
        yield text, text


def _title(block: Block) -> str:
    head, *rest = (escaped(part) for part in block.title(names=_NAMED))
    return " · ".join((f"<b>{head.removesuffix(' (-v)')}</b>", *rest))


def _details(block: Block) -> str:
    several = len(block.names) > 1
    rows = [row for line in block.lines for row in _rows(line, several=several)]
    table = ["| | | which | why |", "|---|---|---|---|", *rows] if rows else []
    notes = [
        f"- **{note.severity}**: {escaped(note.text)}{_then(note.next_step)}"
        for note in block.notes
    ]
    names = [f"All: {', '.join(escaped(name) for name in block.names)}"] if several else []
    parts = ("\n".join(part) for part in (names, table, notes) if part)
    body = "\n\n".join(parts)
    if not body:
        return f"- {_title(block)}\n\n"
    return f"<details><summary>{_title(block)}</summary>\n\n{body}\n\n</details>\n\n"


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
