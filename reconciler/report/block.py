"""A target's part of a plan as neutral lines, and the folding of targets that are equal.

The text and the Markdown form are both made from these values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.model import Kind, Severity
from reconciler.planning.plan import State
from reconciler.report.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model import Finding
    from reconciler.planning.plan import TargetPlan, UnitPlan
    from reconciler.report.lines import Line

_SILENT = frozenset({State.COMPLIANT, State.BRAKED})
STANDING_STILL = {
    State.DESTINATION: "destination of a replication",
    State.UNSUPPORTED: "cannot be snapshotted",
    State.UNMANAGED: "no policy",
}
"""Why a target is left alone, by its state."""

LATE_CODES = ("late", "replica-late")
"""The findings that say how late a target is."""

_NEEDS = {
    State.UNKNOWN: 0,
    State.CONTENDED: 1,
    State.MISSING: 2,
    State.BLOCKED: 3,
    State.BRAKED: 4,
    State.LATE: 5,
    State.DRIFTED: 7,
    State.SUSPENDED: 9,
}
_NEEDS_WAIT, _NEEDS_ERROR, _NEEDS_WARNING, _NEEDS_NOBODY = 4, 6, 8, 10
_KINDS = {Kind.SHARE: "shares", Kind.LUN: "LUNs"}
ANYONE = "NAME"
"""What stands in a text for the names that equal targets or units differ in."""


@dataclass(frozen=True, slots=True)
class Note:
    """A finding under the lines: `severity` is its word, `next_step` may be empty."""

    severity: Severity
    text: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One target, or several that are equal but for the name.

    `facts` are the title's parts after the names; `keeps` is its last, "" where nothing was judged.
    `on_each` counts the targets where they are those of several units and named differently there.
    """

    kind: Kind
    names: tuple[str, ...]
    facts: tuple[str, ...]
    keeps: str
    lines: tuple[Line, ...]
    notes: tuple[Note, ...]
    on_each: str = ""

    @property
    def several(self) -> bool:
        """Whether it speaks of more than one target of a unit."""
        return len(self.names) != 1

    def title(self, *, names: int) -> tuple[str, ...]:
        """Return the parts of the title; of several targets at most `names` are named."""
        keeps = f"each {self.keeps}" if self.keeps and self.several else self.keeps
        if self.on_each:
            head = f"{self.on_each} on each (-v)"
        elif not self.several:
            head = f"{self.kind}/{self.names[0]}"
        else:
            shown = ", ".join(self.names[:names])
            more = " … (-v)" if len(self.names) > names else ""
            head = f"{len(self.names)} {_KINDS[self.kind]}: {shown}{more}"
        return tuple(part for part in (head, *self.facts, keeps) if part)


def still(target: TargetPlan) -> str:
    """Return why a target is left alone, "" where it is not."""
    return "" if _speaks(target) else STANDING_STILL.get(target.state, "")


def blocks(unit: UnitPlan, *, every_one: bool) -> tuple[Block, ...]:
    """Return what is to be shown of a unit's targets, what needs a person first, equals folded."""
    shown = [t for t in unit.targets if _speaks(t) and not _suspended_with(unit, t)]
    shown.sort(key=need)
    return folded(_block(target, unit, every_one=every_one) for target in shown)


def _speaks(target: TargetPlan) -> bool:
    """Whether a target has actions, a state that says something, or a finding above a note."""
    if target.actions or any(f.severity is not Severity.NOTE for f in target.findings):
        return True
    return target.state not in _SILENT and target.state not in STANDING_STILL


def _suspended_with(unit: UnitPlan, target: TargetPlan) -> bool:
    return bool(unit.suspended) and target.state is State.SUSPENDED


def need(target: TargetPlan) -> int:
    """Return how urgently a target needs a person: 0 most, 10 not at all."""
    severities = {finding.severity for finding in target.findings}
    return min(
        _NEEDS.get(target.state, _NEEDS_NOBODY),
        _NEEDS_WAIT if target.waiting else _NEEDS_NOBODY,
        _NEEDS_ERROR if Severity.ERROR in severities else _NEEDS_NOBODY,
        _NEEDS_WARNING if Severity.WARNING in severities else _NEEDS_NOBODY,
    )


def _block(target: TargetPlan, unit: UnitPlan, *, every_one: bool) -> Block:
    title, rest = state_of(target)
    facts = (f"policy {target.policy}" if target.policy else "no policy", *title)
    return Block(
        target.kind,
        (target.name,),
        facts,
        _keeps(target),
        lines_of(target, unit, every_one=every_one),
        tuple(Note(f.severity, f.text, f.next_step) for f in rest),
    )


def state_of(target: TargetPlan) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the state as a part of the title, and the findings that it does not say already.

    The first finding without a next step, where it is what made the state, stands in the title.
    """
    if target.state in _SILENT:
        return (), target.findings
    word = str(target.state).upper()
    said = {State.LATE: LATE_CODES, State.UNKNOWN: ("unread",)}
    codes = said.get(target.state, (str(target.state),))
    for finding in target.findings:
        if finding.code in codes and not finding.next_step:
            text = finding.text.removeprefix(f"{target.state}: ")
            rest = tuple(f for f in target.findings if f is not finding)
            return (f"{word}, {text}",), rest
    return (word,), target.findings


def _keeps(target: TargetPlan) -> str:
    if not target.kept and not target.snapshots:
        return ""
    waits = sum(action.stopped_by is not None for action in target.victims)
    text = f"keeps {target.kept}"
    if waits:
        text = f"{text} of {target.kept + waits}"
    if target.immutable:
        text = f"{text}, {target.immutable} of them immutable"
    return f"{text}, {target.held} on hold" if target.held else text


def folded(found: Iterable[Block]) -> tuple[Block, ...]:
    """Fold blocks that are equal but for the name, each at the place of its first."""
    groups: dict[Block, list[Block]] = {}
    for block in found:
        groups.setdefault(nameless(block), []).append(block)
    return tuple(
        same[0] if len(same) == 1 else replace(key, names=tuple(b.names[0] for b in same))
        for key, same in groups.items()
    )


def nameless(block: Block) -> Block:
    """Return the block without its names, and with NAME where its findings say one."""
    if len(block.names) != 1:
        return replace(block, names=())
    name = re.compile(rf"(?<![\w.-]){re.escape(block.names[0])}(?![\w-])")

    def without(text: str) -> str:
        return name.sub(ANYONE, text)

    notes = tuple(replace(n, text=without(n.text), next_step=without(n.next_step))
                  for n in block.notes)  # fmt: skip
    return replace(block, names=(), notes=notes)
