"""A plan as text for a terminal or a log: units, their targets' blocks, the sum, the next step."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from reconciler.model import Kind, Severity
from reconciler.planning import digest
from reconciler.planning.plan import Delete, State
from reconciler.report.block import blocks, still, unit_need
from reconciler.report.layout import columns, hang, joined, pad, wrap
from reconciler.report.lines import WORDS, word
from reconciler.report.style import Hue
from reconciler.wording import counted, moment, plain
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model import Finding
    from reconciler.planning.plan import Plan, TargetPlan, UnitPlan
    from reconciler.report.block import Block
    from reconciler.report.lines import Line
    from reconciler.report.style import Style

_COMMIT = re.compile(r"[0-9a-f]{40}")
_BUILD = re.compile(r"-\d+.*\Z", re.DOTALL)
_NAMED = 3
_LISTED_ALONE = 4
_CLOSE_TOGETHER = 3
_WORD = 6
_WIDEST_FIRST = 44
_SEVERITIES = {Severity.ERROR: Hue.ERROR, Severity.WARNING: Hue.WARNING, Severity.NOTE: Hue.NONE}
_WRITTEN = {None: "Nothing was written.", False: "Nothing has been written yet.", True: ""}


def render_plan(plan: Plan, *, style: Style, wrote: bool | None, command: str) -> str:
    """Write a plan: what needs a person first, last the sum and what to type next.

    `wrote` is None for a dry run, False before a pass that may still be declined, True where the
    plan was carried out. `command` is what to type next, "" for nothing. Ends with a line end.
    Whatever came from a NAS is printed without anything that could steer the terminal.
    """
    lines: list[str] = []
    if _COMMIT.fullmatch(plan.revision):
        lines.append(f"policies  {plan.revision[:7]}")
    for position, unit in enumerate(sorted(plan.units, key=unit_need)):
        lines.extend([""] if position else [])
        lines.extend(_unit(unit, style))
    lines.append("")
    lines.extend(_sum(plan, style, written=_WRITTEN[wrote], command=command))
    return "\n".join(lines) + "\n"


def total(plan: Plan) -> str:
    """Count a plan's actions by their words, then what waits, with its digest, and what is unread.

    The digest is eight characters of each unit's list of deletions that an approval can release.
    """
    free = Counter(word(action) for action in plan.actions if action.stopped_by is None)
    counts = ", ".join(f"{free[verb]} {verb}" for verb in WORDS if free[verb])
    waits, unread = _waits(plan), _unread(plan)
    if not counts and not waits:
        counts = "Nothing to do on what could be read" if unread else "Nothing to do"
    return "; ".join(part for part in (counts, waits, unread) if part)


def _waits(plan: Plan) -> str:
    stopped = [action for action in plan.actions if action.stopped_by is not None]
    if not stopped:
        return ""
    noun = "deletion" if all(isinstance(a.change, Delete) for a in stopped) else "action"
    verb = "waits" if len(stopped) == 1 else "wait"
    return f"{counted(len(stopped), noun)} {verb}{_digests(plan)}"


def _digests(plan: Plan) -> str:
    """Name what waits for approval by its digest, unit by unit where it is several."""
    found = [(unit.nas, w) for unit in plan.units if (w := digest.waiting(unit)) is not None]
    if len(found) == 1:
        return f" ({found[0][1].shown})"
    return f" ({', '.join(f'{nas} {w.shown}' for nas, w in found)})" if found else ""


def _unread(plan: Plan) -> str:
    units = sum(bool(unit.problem) for unit in plan.units)
    targets = sum(t.state is State.UNKNOWN for unit in plan.units for t in unit.targets)
    counts = ((units, "NAS", "NAS"), (targets, "target", "targets"))
    named = [counted(number, one, many) for number, one, many in counts if number]
    return f"{' and '.join(named)} could not be read" if named else ""


def header(unit: UnitPlan) -> str:
    """Write what a unit is and when it was read; what is unknown is left out."""
    parts: list[str] = []
    if unit.identity is not None:
        known = (unit.identity.model, _BUILD.sub("", unit.identity.version))
        parts.append(", ".join(part for part in known if part))
    if not unit.problem:
        counts = (counted(unit.share_count, "share"), counted(unit.lun_count, "LUN"))
        parts.append(", ".join(counts if unit.lun_count else counts[:1]))
    parts.append(f"{moment(unit.now, zone(unit.zone), year=True)}, {unit.zone}")
    return " · ".join(part for part in parts if part)


def left_alone(unit: UnitPlan, *, every_one: bool) -> str:
    """Name what nothing is done about and why, more than four of them as counts."""
    alone = [(target, why) for target in unit.targets if (why := still(target))]
    if every_one or len(alone) <= _LISTED_ALONE:
        return ", ".join(f"{target.label} ({why})" for target, why in alone)
    reasons: dict[str, list[TargetPlan]] = {}
    for target, why in alone:
        reasons.setdefault(why, []).append(target)
    return ", ".join(f"{_named(found)} ({why})" for why, found in reasons.items()) + " (-v)"


def calm(unit: UnitPlan, shown: Sequence[Block]) -> int:
    """Return how many targets need nothing: neither shown nor left alone."""
    if unit.suspended:
        return 0
    alone = sum(bool(still(target)) for target in unit.targets)
    return len(unit.targets) - alone - sum(len(block.names) for block in shown)


def _named(found: Sequence[TargetPlan]) -> str:
    if len(found) == 1:
        return found[0].label
    shares = sum(target.kind is Kind.SHARE for target in found)
    counts = ((shares, "share"), (len(found) - shares, "LUN"))
    return ", ".join(counted(number, noun) for number, noun in counts if number)


def _unit(unit: UnitPlan, style: Style) -> Iterator[str]:
    yield from hang(f"{plain(unit.nas)}  ", plain(header(unit)), width=style.columns)
    if unit.problem:
        yield from _problem(unit, style)
        return
    if unit.suspended:
        text = f"SUSPENDED, {unit.suspended}: nothing is written there"
        yield from hang("  ", plain(text), width=style.columns)
    for finding in unit.findings:
        yield from _finding(finding, style, indent=2)
    shown = blocks(unit, every_one=style.verbose)
    yield from _body(unit, style, shown)


def _body(unit: UnitPlan, style: Style, shown: Sequence[Block]) -> Iterator[str]:
    first = _first_width(shown)
    for position, block in enumerate(shown):
        if not position or len(shown) > _CLOSE_TOGETHER:
            yield ""
        yield from _block(block, style, first=first)
    yield from _rest(unit, style, shown)


def _rest(unit: UnitPlan, style: Style, shown: Sequence[Block]) -> Iterator[str]:
    """Write what needs nothing and what is left alone, set off from many blocks."""
    lines: list[str] = []
    nothing = calm(unit, shown)
    if nothing:
        verb = "needs" if nothing == 1 else "need"
        lines.append(f"  {counted(nothing, 'target')} {verb} nothing")
    alone = left_alone(unit, every_one=style.verbose)
    if alone:
        lines.extend(hang("  ", f"Left alone: {plain(alone)}", width=style.columns))
    if lines and not 0 < len(shown) <= _CLOSE_TOGETHER:
        yield ""
    yield from lines


def _problem(unit: UnitPlan, style: Style) -> Iterator[str]:
    yield from _marked("  ", "! UNKNOWN", style, hue=Hue.WAIT, text=unit.problem)
    if unit.next_step:
        yield from hang("    next     ", plain(unit.next_step), width=style.columns)


def _finding(finding: Finding, style: Style, *, indent: int) -> Iterator[str]:
    margin = " " * indent
    hue = _SEVERITIES[finding.severity]
    yield from _marked(margin, pad(str(finding.severity), 7), style, hue=hue, text=finding.text)
    if finding.next_step:
        yield from hang(f"{margin}next     ", plain(finding.next_step), width=style.columns)


def _marked(margin: str, mark: str, style: Style, *, hue: Hue, text: str) -> tuple[str, ...]:
    """Write a coloured mark and a text that wraps beside it."""
    head, *rest = hang(f"{margin}{mark}  ", plain(text), width=style.columns)
    return (margin + style.paint(mark, hue) + head[len(margin) + len(mark) :], *rest)


def _block(block: Block, style: Style, *, first: int) -> Iterator[str]:
    names = len(block.names) if style.verbose else _NAMED
    title = tuple(plain(part) for part in block.title(names=names))
    head, *rest = joined(title, " · ", width=style.columns - 6)
    yield f"  {head}"
    yield from (f"      {line}" for line in rest)
    for line in block.lines:
        yield from _line(line, style, first=first, several=len(block.names) > 1)
    for note in block.notes:
        severity = pad(str(note.severity), 7)
        hue = _SEVERITIES[note.severity]
        yield from _marked("      ", severity, style, hue=hue, text=note.text)
        if note.next_step:
            yield from hang("      next     ", plain(note.next_step), width=style.columns)


def _head(line: Line, *, several: bool) -> str:
    """Return the first two columns: sign, word and which snapshot."""
    each = " on each" if several and line.waits else ""
    if not line.which:
        return f"{line.sign} {line.word}{each}"
    return f"{line.sign} {pad(line.word, _WORD)}  {plain(line.which)}"


def _first_width(shown: Sequence[Block]) -> int:
    """Return the width of the first two columns of a unit, so that the third stands in line."""
    widths = [
        columns(_head(line, several=len(block.names) > 1))
        for block in shown
        for line in block.lines
    ]
    return min(max(widths, default=0), _WIDEST_FIRST)


def _line(line: Line, style: Style, *, first: int, several: bool) -> Iterator[str]:
    text = _head(line, several=several)
    mark = f"{line.sign} {line.word}"
    head, *rest = hang(f"    {pad(text, first)}  ", plain(line.why), width=style.columns)
    yield "    " + style.paint(mark, line.hue) + head[4 + len(mark) :]
    yield from rest
    counts = max((len(str(detail.count)) for detail in line.details), default=0)
    wide = max((columns(plain(detail.which)) for detail in line.details), default=0)
    for detail in line.details:
        count = str(detail.count).rjust(max(2, counts)) + "  " if detail.count else ""
        start = f"        {count}{pad(plain(detail.which), wide)}  "
        yield from hang(start, plain(detail.why), width=style.columns)
    if line.advice:
        yield from hang(f"      {line.advice_for}  ", plain(line.advice), width=style.columns)


def _sum(plan: Plan, style: Style, *, written: str, command: str) -> Iterator[str]:
    said = f"{plain(total(plan))}."
    after = " ".join(part for part in (written, f"Next: {command}" if command else "") if part)
    together = f"{said} {after}".rstrip()
    if columns(together) <= style.columns:
        yield together
        return
    yield from wrap(said, style.columns)
    yield from wrap(after, style.columns)
