"""A plan as text for a terminal or a log: units, their targets' blocks, the sum, the next step."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from reconciler.planning import digest
from reconciler.planning.plan import Delete, State
from reconciler.report.layout import columns, hang, joined, wrap
from reconciler.report.lines import WORDS, word
from reconciler.report.printing import CLOSE_TOGETHER, marked, next_step, printed
from reconciler.report.style import printable
from reconciler.report.units import parts
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.planning.plan import Plan
    from reconciler.report.style import Style
    from reconciler.report.units import Part

_COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGESTS = 3
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
    for position, part in enumerate(parts(plan.units, every_one=style.verbose)):
        lines.extend([""] if position else [])
        lines.extend(part_lines(part, style))
    lines.append("")
    said = f"{printable(total(plan))}."
    lines.extend(closing(said, _WRITTEN[wrote], style, command=command))
    return "\n".join(lines) + "\n"


def total(plan: Plan) -> str:
    """Count a plan's actions by their words, then what waits, with its digest, and what is unread.

    The digest is eight characters of each unit's list of deletions that an approval can release.
    """
    free = Counter(word(action) for action in plan.actions if action.stopped_by is None)
    counts = ", ".join(f"{free[verb]} {verb}" for verb in WORDS if free[verb])
    waiting, missing = waits(plan), unread(plan)
    if not counts and not waiting:
        counts = "Nothing to do on what could be read" if missing else "Nothing to do"
    return "; ".join(part for part in (counts, waiting, missing) if part)


def waits(plan: Plan) -> str:
    """Count the actions that something stops, with their digest; "" where there are none."""
    stopped = [action for action in plan.actions if action.stopped_by is not None]
    if not stopped:
        return ""
    noun = "deletion" if all(isinstance(a.change, Delete) for a in stopped) else "action"
    verb = "waits" if len(stopped) == 1 else "wait"
    return f"{counted(len(stopped), noun)} {verb}{_digests(plan)}"


def _digests(plan: Plan) -> str:
    """Name what waits for approval by its digest, unit by unit where it is several."""
    found = [(unit.nas, w) for unit in plan.units if (w := digest.waiting(unit)) is not None]
    if not found:
        return ""
    if len(found) > _DIGESTS:
        return " (-o json names their digests)"
    named = (f"{nas} {w.shown}" if len(found) > 1 else w.shown for nas, w in found)
    return f" ({', '.join(named)})"


def unread(plan: Plan) -> str:
    """Count the units and targets that could not be read; "" where there are none."""
    units = sum(bool(unit.problem) for unit in plan.units)
    targets = sum(t.state is State.UNKNOWN for unit in plan.units for t in unit.targets)
    counts = ((units, "NAS", "NAS"), (targets, "target", "targets"))
    named = [counted(number, one, many) for number, one, many in counts if number]
    return f"{' and '.join(named)} could not be read" if named else ""


def part_lines(part: Part, style: Style) -> Iterator[str]:
    """Write a unit, or several that are equal: head, remarks, blocks, and what needs nothing."""
    title = tuple(printable(text) for text in part.title(every_one=style.verbose))
    if len(part.units) == 1:
        name, *facts = title
        yield from hang(f"{name}  ", " · ".join(facts), width=style.columns)
    else:
        head, *rest = joined(title, " · ", width=style.columns - 6)
        yield head
        yield from (f"      {line}" for line in rest)
    for remark in part.remarks:
        yield from marked("  ", remark.word, style, hue=remark.hue, text=remark.text)
        yield from next_step(remark.next_step, style, indent=len(remark.word) - 5)
    yield from printed(part.blocks, style)
    yield from _rest(part, style)


def _rest(part: Part, style: Style) -> Iterator[str]:
    """Write what needs nothing and what is left alone, set off from many blocks."""
    lines: list[str] = []
    counts, alone = part.rest(every_one=style.verbose)
    if counts:
        found = tuple(printable(text) for text in counts)
        lines.extend(f"  {line}" for line in joined(found, " · ", width=style.columns - 2))
    if alone:
        lead = "Left alone on each" if len(part.units) > 1 else "Left alone"
        lines.extend(hang("  ", f"{lead}: {printable(alone)}", width=style.columns))
    if lines and not 0 < len(part.blocks) <= CLOSE_TOGETHER:
        yield ""
    yield from lines


def closing(said: str, written: str, style: Style, *, command: str) -> Iterator[str]:
    """Write the sum and what to type next, on as few lines as hold them; the command unbroken."""
    after = f"Next: {printable(command)}" if command else ""
    for parts_together in ((said, written, after), (written, after)):
        together = " ".join(part for part in parts_together if part)
        if columns(together) <= style.columns:
            yield from () if said in parts_together else wrap(said, style.columns)
            yield from (together,) if together else ()
            return
    yield from wrap(said, style.columns)
    yield from (part for part in (written, after) if part)
