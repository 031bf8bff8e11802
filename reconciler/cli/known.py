"""What can be named: the targets that were read, else those the state remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.cli import output
from reconciler.fleet import Fleet
from reconciler.memory import Seen
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from reconciler.cli.settings import Settings
    from reconciler.inventory.model import Unit
    from reconciler.memory import TargetKey, UnitMemory
    from reconciler.model import Kind
    from reconciler.policy.model import PolicySet
    from reconciler.reconcile import Looked


@dataclass(frozen=True, slots=True)
class Known:
    """A share or LUN with its snapshots; `remembered` where its NAS could not be read now."""

    kind: Kind
    uuid: str
    name: str
    at: ZoneInfo
    snapshots: tuple[Seen, ...]
    remembered: bool = False

    @property
    def key(self) -> TargetKey:
        """Kind and uuid."""
        return self.kind, self.uuid


def units_of(settings: Settings, text: str) -> tuple[Unit, ...]:
    """Return the one unit that TARGET begins with, every unit where it begins with none."""
    units = settings.configuration.units
    first = text.strip("/").split("/", 1)[0].casefold()
    named = tuple(unit for unit in units if "/" in text and unit.name.casefold() == first)
    return named or units


def read(settings: Settings, policies: PolicySet, units: Sequence[Unit]) -> tuple[Looked, ...]:
    """Read units without writing, and say of each that could not be read why."""
    with Fleet(settings.run(policies), units) as fleet:
        looked = fleet.look()
    for one in looked:
        if one.plan.problem:
            output.say(f"{one.plan.nas}: {one.plan.problem}")
    return looked


def known(settings: Settings, looked: Sequence[Looked]) -> list[tuple[str, Known]]:
    """Return by unit what was read, and what is remembered of a unit that could not be read."""
    return [(one.plan.nas, target) for one in looked for target in _of(settings, one)]


def _of(settings: Settings, looked: Looked) -> Iterator[Known]:
    at = zone(looked.plan.zone)
    memory = settings.store.unit(looked.plan.nas)
    if looked.observation is None or looked.plan.problem:
        yield from remembered(memory, at)
        return
    past = {target.key: target for target in remembered(memory, at)}
    for target in looked.observation.targets:
        key = (target.kind, target.uuid)
        if target.snapshots is None:
            snapshots = past[key].snapshots if key in past else ()
        else:
            snapshots = tuple(Seen(s.key, s.name, s.time) for s in target.snapshots)
        yield Known(target.kind, target.uuid, target.name, at, snapshots, target.snapshots is None)


def remembered(memory: UnitMemory, at: ZoneInfo) -> Iterator[Known]:
    """Yield each target as the last pass left it: of its snapshots those of ours or on hold."""
    for target in memory.targets.values():
        held = [seen for bond in memory.holds if bond.key == target.key for seen in bond.covered]
        seen = {one.key: one for one in (*target.ours, *held)}
        yield Known(
            target.kind, target.uuid, target.name, at, tuple(seen.values()), remembered=True
        )
