"""Units as they are shown: each by itself, or several whose plans are equal but for names.

The text and the Markdown form of a plan, and the outcome of a pass, are all made from these values.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.model import Kind, Severity
from reconciler.planning.plan import State
from reconciler.report.block import ANYONE, Block, Note, blocks, nameless, need, still
from reconciler.report.style import Hue
from reconciler.wording import clock, counted, moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.planning.plan import TargetPlan, UnitPlan

HUES = {Severity.ERROR: Hue.ERROR, Severity.WARNING: Hue.WARNING, Severity.NOTE: Hue.NONE}
"""The colour of a finding's word."""

_BUILD = re.compile(r"-\d+.*\Z", re.DOTALL)
_LISTED_ALONE = 4
_NAMED = 3
_KINDS = {Kind.SHARE: "share", Kind.LUN: "LUN"}
_NEEDS_NOBODY = 10
_PHRASES = {
    State.DESTINATION: ("is a destination", "are destinations"),
    State.UNSUPPORTED: ("cannot be snapshotted", "cannot be snapshotted"),
    State.UNMANAGED: ("has no policy", "have no policy"),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """A fact about a whole unit, led in by a word; `next_step` may be empty."""

    word: str
    hue: Hue
    text: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One unit, or several that are equal but for the names, with what is to be said of each.

    `calm` counts the targets that need nothing: neither shown nor left alone. `named` says that
    every one of several is to be named: their trouble is for a person.
    """

    units: tuple[UnitPlan, ...]
    remarks: tuple[Remark, ...]
    blocks: tuple[Block, ...]
    calm: int = 0
    named: bool = False

    def title(self, *, every_one: bool) -> tuple[str, ...]:
        """Return the unit's name, or how many they are and which; then what all have in common."""
        names = [unit.nas for unit in self.units]
        if len(names) == 1:
            return (names[0], *_facts(self.units))
        shown = names if every_one or self.named else names[:_NAMED]
        more = " … (-v)" if len(names) > len(shown) else ""
        return (f"{len(names)} units: {', '.join(shown)}{more}", *_facts(self.units))

    def rest(self, *, every_one: bool) -> tuple[tuple[str, ...], str]:
        """Return counts of what needs nothing, and what is left alone by name.

        What is left alone is named where each unit leaves the same up to four targets alone, or
        with `every_one`; else it is among the counts.
        """
        counts = (
            (f"{counted(self.calm, 'target')} {_need(self.calm)} nothing",) if self.calm else ()
        )
        alone = [[t for t in unit.targets if still(t)] for unit in self.units]
        listed = {", ".join(f"{t.label} ({still(t)})" for t in some) for some in alone}
        if len(listed) == 1 and (every_one or len(alone[0]) <= _LISTED_ALONE):
            return counts, listed.pop()
        return (*counts, *_phrases([t for some in alone for t in some])), ""


def parts(units: Iterable[UnitPlan], *, every_one: bool) -> tuple[Part, ...]:
    """Return a plan's units, what needs a person first, those equal but for names as one.

    With `every_one` only those are one that also name the same targets.
    """
    shown = (_part(unit, every_one=every_one) for unit in sorted(units, key=unit_need))
    return folded(shown, every_one=every_one)


def _part(unit: UnitPlan, *, every_one: bool) -> Part:
    shown = () if unit.problem else blocks(unit, every_one=every_one)
    trouble = bool(unit.problem) or _in_trouble(unit)
    return Part((unit,), tuple(remarks_of(unit)), shown, calm=calm_of(unit, shown), named=trouble)


def folded(found: Iterable[Part], *, every_one: bool) -> tuple[Part, ...]:
    """Fold parts that are equal but for names, each at the place of its first."""
    groups: dict[object, list[Part]] = {}
    for part in found:
        groups.setdefault(_key(part, every_one=every_one), []).append(part)
    return tuple(_one(same) for same in groups.values())


def unit_need(unit: UnitPlan) -> int:
    """Return how urgently a unit needs a person: -1 unread, then as `need` of its targets."""
    if unit.problem:
        return -1
    return min([need(t) for t in unit.targets] + [0 if _in_trouble(unit) else _NEEDS_NOBODY])


def _in_trouble(unit: UnitPlan) -> bool:
    return any(finding.severity is Severity.ERROR for finding in unit.findings)


def remarks_of(unit: UnitPlan) -> Iterable[Remark]:
    """Return what is to be said of a whole unit: that it is unread or suspended, its findings."""
    if unit.problem:
        yield Remark("! UNKNOWN", Hue.WAIT, unit.problem, unit.next_step)
        return
    if unit.suspended:
        yield Remark("SUSPENDED", Hue.NONE, f"{unit.suspended}: nothing is written there")
    for finding in unit.findings:
        word = str(finding.severity).ljust(7)
        yield Remark(word, HUES[finding.severity], finding.text, finding.next_step)


def _facts(units: Sequence[UnitPlan]) -> tuple[str, ...]:
    """Return what the units are and when they were read; what differs or is unknown is left out."""
    each = "each " if len(units) > 1 else ""
    models = {_model(unit) for unit in units}
    sizes = {_size(unit) for unit in units}
    size = sizes.pop() if len(sizes) == 1 else ""
    found = (models.pop() if len(models) == 1 else "", f"{each}{size}" if size else "")
    return (*(part for part in found if part), when(units))


def _model(unit: UnitPlan) -> str:
    if unit.identity is None:
        return ""
    known = (unit.identity.model, _BUILD.sub("", unit.identity.version))
    return ", ".join(part for part in known if part)


def _size(unit: UnitPlan) -> str:
    if unit.problem:
        return ""
    counts = ((unit.share_count, "share"), (unit.lun_count, "LUN"))
    return ", ".join(counted(number, noun) for number, noun in counts if number)


def when(units: Sequence[UnitPlan]) -> str:
    """Write when units of one zone were read."""
    name = units[0].zone
    at = zone(name)
    first, last = min(unit.now for unit in units), max(unit.now for unit in units)
    start, end = moment(first, at, year=True), moment(last, at, year=True)
    if start == end:
        return f"{start}, {name}"
    same_day = start.rpartition(" ")[0] == end.rpartition(" ")[0]
    return f"{start} to {clock(last, at) if same_day else end}, {name}"


def calm_of(unit: UnitPlan, shown: Sequence[Block]) -> int:
    """Return how many targets are neither shown nor left alone."""
    if unit.suspended:
        return 0
    alone = sum(bool(still(target)) for target in unit.targets)
    return len(unit.targets) - alone - sum(len(block.names) for block in shown)


def _need(number: int) -> str:
    return "needs" if number == 1 else "need"


def _phrases(alone: Sequence[TargetPlan]) -> Iterator[str]:
    """Say in a phrase for each state what is left alone: `7 shares, 2 LUNs have no policy`."""
    for state, (one, many) in _PHRASES.items():
        found = [target for target in alone if target.state is state]
        kinds = Counter(target.kind for target in found)
        counts = ", ".join(
            counted(kinds[kind], noun) for kind, noun in _KINDS.items() if kinds[kind]
        )
        if len(found) == 1:
            yield f"{found[0].label} {one}"
        elif found:
            yield f"{counts} {many} (-v)"


def _key(part: Part, *, every_one: bool) -> object:
    """Return what parts that are shown as one have in common; each part is of one unit here."""
    unit = part.units[0]
    named: object = None
    if every_one:
        names = tuple(block.names for block in part.blocks)
        alone = tuple(target.label for target in unit.targets if still(target))
        named = (names, alone, len(unit.targets))
    neutral = _without_unit(part)
    return (unit.zone, neutral.remarks, tuple(nameless(b) for b in neutral.blocks), named)


def _without_unit(part: Part) -> Part:
    """Return the part with NAME where its texts name the unit."""
    name = re.compile(rf"(?<![\w.-]){re.escape(part.units[0].nas)}(?![\w-])")

    def without(text: str) -> str:
        return name.sub(ANYONE, text)

    def note(n: Note) -> Note:
        return replace(n, text=without(n.text), next_step=without(n.next_step))

    remarks = tuple(
        replace(r, text=without(r.text), next_step=without(r.next_step)) for r in part.remarks
    )
    shown = tuple(replace(b, notes=tuple(note(n) for n in b.notes)) for b in part.blocks)
    return replace(part, remarks=remarks, blocks=shown)


def _one(same: Sequence[Part]) -> Part:
    """Return several parts as one: their blocks with the targets' names where those are equal."""
    first = same[0]
    if len(same) == 1:
        return first
    units = tuple(part.units[0] for part in same)
    neutral = [_without_unit(part) for part in same]
    across = zip(*(part.blocks for part in neutral), strict=True)
    shown = tuple(_one_block(blocks_of_each) for blocks_of_each in across)
    calm = sum(part.calm for part in same)
    return Part(units, neutral[0].remarks, shown, calm=calm, named=first.named)


def _one_block(same: Sequence[Block]) -> Block:
    if all(block == same[0] for block in same):
        return same[0]
    neutral = nameless(same[0])
    if all(block.names == same[0].names for block in same):
        return replace(neutral, names=same[0].names)
    fewest, most = (f(len(block.names) for block in same) for f in (min, max))
    count = counted(most, _KINDS[neutral.kind])
    return replace(neutral, on_each=count if fewest == most else f"{fewest} to {count}")
