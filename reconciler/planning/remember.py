"""What this pass leaves for the next: the memory of a unit made anew from its last reading."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.memory import BoundHold, Seen, TargetMemory
from reconciler.planning import belongs, guards, recall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.memory import TargetKey, UnitMemory
    from reconciler.model import Instant, Observation, ObservedTarget, Snapshot
    from reconciler.planning.plan import TargetPlan, UnitPlan
    from reconciler.planning.situation import Situation
    from reconciler.policy.model import Hold

    Deleted = Mapping[TargetKey, frozenset[str]]
    """The keys of the snapshots that this pass deleted, by target."""


def without(memory: UnitMemory, deleted: Deleted) -> UnitMemory:
    """Take what this pass deleted out of a memory, so that it is not missed as vanished."""
    return replace(
        memory,
        targets={
            key: replace(one, ours=_left(one.ours, deleted.get(key, frozenset())))
            for key, one in memory.targets.items()
        },
    )


def unread(memory: UnitMemory, problem: str, now: Instant) -> UnitMemory:
    """Remember that the unit cannot be read, and since when; all else stays as it was."""
    since = memory.unread_since if memory.unread_since is not None else now
    return replace(memory, unread_since=since, unread=problem)


def remember(
    before: UnitMemory, plan: UnitPlan, observed: Observation, situation: Situation,
    *, holds: Mapping[TargetKey, tuple[Hold, ...]], standing: Sequence[Hold],
) -> UnitMemory:  # fmt: skip
    """Return the memory after a pass.

    `plan` is of `observed`, the pass's last reading, and was made with `before`, from which what
    the pass deleted was taken out. `holds` are those that cover each target now, `standing` those
    of the repository: a bond ends with its hold alone, also where its target is gone.
    """
    planned = {(one.kind, one.uuid): one for one in plan.targets}
    serial = observed.identity.serial
    known = before.serials if serial in before.serials else (*before.serials, serial)
    seen = {(one.kind, one.uuid): one for one in observed.targets}
    targets = {
        key: _target(one, planned[key], before.targets.get(key), situation)
        for key, one in seen.items()
        if key in planned
    }
    return replace(
        before,
        serials=known,
        hostname=observed.identity.hostname or before.hostname,
        clock=observed.now,
        steady=observed.steady,
        jumped=guards.jumped_since(before, observed, situation.skew),
        plans_offered=before.plans_offered or observed.plans_offered,
        shifts=observed.name_shift,
        unread_since=None,
        unread="",
        targets=targets,
        holds=(*_bonds(before, seen, holds, situation), *_absent(before, seen, standing)),
    )


def _target(
    seen: ObservedTarget, planned: TargetPlan, known: TargetMemory | None, situation: Situation
) -> TargetMemory:
    now, state = situation.now, str(planned.state)
    fresh = TargetMemory(seen.kind, seen.uuid, seen.name, state, since=now)
    base = known or fresh
    owned = bool(planned.policy)
    if owned:
        base = replace(
            base,
            policy=planned.policy,
            place=str(planned.selected_by or ""),
            owned_name=seen.name,
            released=None,
        )
    if seen.snapshots is not None:
        made = recall.ours(seen.snapshots, situation.installation)
        base = replace(base, listed=len(seen.snapshots), ours=tuple(map(_seen, made)))
    return replace(
        base,
        name=seen.name,
        state=state,
        since=base.since if base.state == state else now,
        vanished=recall.vanished(seen, known, now),
        orphaned_since=None if owned else _orphaned(seen, known, situation),
    )


def _orphaned(
    seen: ObservedTarget, known: TargetMemory | None, situation: Situation
) -> Instant | None:
    """Keep since when it was orphaned also after the 30 days, or it would be shown again."""
    if known is not None and known.orphaned_since is not None:
        return known.orphaned_since
    return recall.orphaned_since(seen, known, situation)


def _bonds(
    before: UnitMemory,
    seen: Mapping[TargetKey, ObservedTarget],
    holds: Mapping[TargetKey, tuple[Hold, ...]],
    situation: Situation,
) -> Iterator[BoundHold]:
    """Yield each hold bound to each target of this reading."""
    known = {(bond.hold, bond.key): bond for bond in before.holds}
    for key, target in seen.items():
        for hold in holds[key]:
            fresh = BoundHold(hold.name, *key, name=target.name, since=situation.now)
            yield _bond(known.get((hold.name, key), fresh), hold, target, situation)


def _absent(
    before: UnitMemory, seen: Mapping[TargetKey, ObservedTarget], standing: Sequence[Hold]
) -> Iterator[BoundHold]:
    names = {hold.name for hold in standing}
    return (bond for bond in before.holds if bond.key not in seen and bond.hold in names)


def _bond(old: BoundHold, hold: Hold, target: ObservedTarget, situation: Situation) -> BoundHold:
    if target.snapshots is None:
        return old
    covered = tuple(_seen(s) for s in target.snapshots if _covered(hold, s, situation))
    gone = recall.lost_under(old, hold, target)
    return replace(old, name=target.name, covered=covered, gone=gone)


def _covered(hold: Hold, snapshot: Snapshot, situation: Situation) -> bool:
    off = belongs.margin(
        snapshot.form, fractional=situation.fractional_zone, shifts=situation.shifts
    )
    return belongs.covered(hold, snapshot, off)


def _seen(snapshot: Snapshot) -> Seen:
    return Seen(snapshot.key, snapshot.name, snapshot.time)


def _left(ours: tuple[Seen, ...], deleted: frozenset[str]) -> tuple[Seen, ...]:
    return tuple(one for one in ours if one.key not in deleted) if deleted else ours
