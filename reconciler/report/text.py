"""A plan as text for a terminal or a log: units, their targets' blocks, the sum, the next step."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from reconciler.model import Kind
from reconciler.planning import digest
from reconciler.planning.plan import Delete, State
from reconciler.report.block import blocks, still, unit_need
from reconciler.report.layout import columns, hang, wrap
from reconciler.report.lines import WORDS, word
from reconciler.report.printing import CLOSE_TOGETHER, found, marked, next_step, printed
from reconciler.report.style import Hue, printable
from reconciler.wording import counted, moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.planning.plan import Plan, TargetPlan, UnitPlan
    from reconciler.report.block import Block
    from reconciler.report.style import Style

_COMMIT = re.compile(r"[0-9a-f]{40}")
_BUILD = re.compile(r"-\d+.*\Z", re.DOTALL)
_LISTED_ALONE = 4
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


def header(unit: UnitPlan) -> str:
    """Write what a unit is and when it was read; what is unknown is left out."""
    parts: list[str] = []
    if unit.identity is not None:
        known = (unit.identity.model, _BUILD.sub("", unit.identity.version))
        parts.append(", ".join(part for part in known if part))
    if not unit.problem:
        counts = ((unit.share_count, "share"), (unit.lun_count, "LUN"))
        parts.append(", ".join(counted(number, noun) for number, noun in counts if number))
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
    return ", ".join(f"{_named(targets)} ({why})" for why, targets in reasons.items()) + " (-v)"


def calm(unit: UnitPlan, shown: Sequence[Block]) -> int:
    """Return how many targets need nothing: neither shown nor left alone."""
    if unit.suspended:
        return 0
    alone = sum(bool(still(target)) for target in unit.targets)
    return len(unit.targets) - alone - sum(len(block.names) for block in shown)


def _named(targets: Sequence[TargetPlan]) -> str:
    if len(targets) == 1:
        return targets[0].label
    shares = sum(target.kind is Kind.SHARE for target in targets)
    counts = ((shares, "share"), (len(targets) - shares, "LUN"))
    return ", ".join(counted(number, noun) for number, noun in counts if number)


def _unit(unit: UnitPlan, style: Style) -> Iterator[str]:
    yield from hang(f"{printable(unit.nas)}  ", printable(header(unit)), width=style.columns)
    if unit.problem:
        yield from _problem(unit, style)
        return
    if unit.suspended:
        text = f"SUSPENDED, {unit.suspended}: nothing is written there"
        yield from hang("  ", printable(text), width=style.columns)
    for finding in unit.findings:
        yield from found(finding, style, indent=2)
    shown = blocks(unit, every_one=style.verbose)
    yield from printed(shown, style)
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
        lines.extend(hang("  ", f"Left alone: {printable(alone)}", width=style.columns))
    if lines and not 0 < len(shown) <= CLOSE_TOGETHER:
        yield ""
    yield from lines


def _problem(unit: UnitPlan, style: Style) -> Iterator[str]:
    yield from marked("  ", "! UNKNOWN", style, hue=Hue.WAIT, text=unit.problem)
    yield from next_step(unit.next_step, style, indent=4)


def _sum(plan: Plan, style: Style, *, written: str, command: str) -> Iterator[str]:
    said = f"{printable(total(plan))}."
    after = " ".join(
        part for part in (written, f"Next: {printable(command)}" if command else "") if part
    )
    together = f"{said} {after}".rstrip()
    if columns(together) <= style.columns:
        yield together
        return
    yield from wrap(said, style.columns)
    yield from wrap(after, style.columns)
