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
_STANDING_STILL = {
    State.DESTINATION: "destination of a replication",
    State.UNSUPPORTED: "cannot be snapshotted",
    State.UNMANAGED: "no policy",
}
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
_ANYONE = "NAME"


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
    """

    kind: Kind
    names: tuple[str, ...]
    facts: tuple[str, ...]
    keeps: str
    lines: tuple[Line, ...]
    notes: tuple[Note, ...]

    def title(self, *, names: int) -> tuple[str, ...]:
        """Return the parts of the title; of several targets at most `names` are named."""
        if len(self.names) == 1:
            head, keeps = f"{self.kind}/{self.names[0]}", self.keeps
        else:
            shown = ", ".join(self.names[:names])
            more = " … (-v)" if len(self.names) > names else ""
            head = f"{len(self.names)} {_KINDS[self.kind]}: {shown}{more}"
            keeps = f"each {self.keeps}" if self.keeps else ""
        return tuple(part for part in (head, *self.facts, keeps) if part)


def still(target: TargetPlan) -> str:
    """Return why a target is left alone, "" where it is not."""
    return "" if _speaks(target) else _STANDING_STILL.get(target.state, "")


def blocks(unit: UnitPlan, *, every_one: bool) -> tuple[Block, ...]:
    """Return what is to be shown of a unit's targets, what needs a person first, equals folded."""
    shown = [t for t in unit.targets if _speaks(t) and not _suspended_with(unit, t)]
    shown.sort(key=need)
    return folded(_block(target, unit, every_one=every_one) for target in shown)


def _speaks(target: TargetPlan) -> bool:
    """Whether a target has actions, a state that says something, or a finding above a note."""
    if target.actions or any(f.severity is not Severity.NOTE for f in target.findings):
        return True
    return target.state not in _SILENT and target.state not in _STANDING_STILL


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


def unit_need(unit: UnitPlan) -> int:
    """Return how urgently a unit needs a person, on the same scale; unread comes first."""
    if unit.problem:
        return -1
    error = any(finding.severity is Severity.ERROR for finding in unit.findings)
    return min([need(t) for t in unit.targets] + [0 if error else _NEEDS_NOBODY])


def _block(target: TargetPlan, unit: UnitPlan, *, every_one: bool) -> Block:
    title, rest = _state(target)
    facts = (f"policy {target.policy}" if target.policy else "no policy", *title)
    return Block(
        target.kind,
        (target.name,),
        facts,
        _keeps(target),
        lines_of(target, unit, every_one=every_one),
        tuple(Note(f.severity, f.text, f.next_step) for f in rest),
    )


def _state(target: TargetPlan) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the state as a part of the title, and the findings that it does not say already.

    The first finding without a next step, where it is what made the state, stands in the title.
    """
    if target.state in _SILENT:
        return (), target.findings
    word = str(target.state).upper()
    said = {State.LATE: ("late", "replica-late"), State.UNKNOWN: ("unread",)}
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
        groups.setdefault(_nameless(block), []).append(block)
    return tuple(
        same[0] if len(same) == 1 else replace(key, names=tuple(b.names[0] for b in same))
        for key, same in groups.items()
    )


def _nameless(block: Block) -> Block:
    """Return the block with NAME where its findings and facts name the target."""
    name = re.compile(rf"(?<![\w.-]){re.escape(block.names[0])}(?![\w-])")

    def without(text: str) -> str:
        return name.sub(_ANYONE, text)

    notes = tuple(replace(n, text=without(n.text), next_step=without(n.next_step))
                  for n in block.notes)  # fmt: skip
    return replace(block, names=(), notes=notes)
