"""Reading what DSM does by itself on a whole NAS, for the import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.duration import DAY
from reconciler.importing.model import FoundTarget, OwnReplication, Survey
from reconciler.model import Kind, ObservedTarget
from reconciler.observe import Observer
from reconciler.planning.situation import local_destinations, names_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.builtin import OwnSchedule, OwnSettings
    from reconciler.dsm import Reader
    from reconciler.model import Observation, ReplicationPlan, Snapshot


def survey(nas: str, timezone: str, reader: Reader) -> tuple[Survey, Observation]:
    """Read a NAS for the import; raises TargetError where the unit itself cannot be read.

    Where the replication plans cannot be listed, every target is left alone: any of them could be
    a destination.
    """
    seen = Observer(nas, reader).whole(lambda *_: False)
    shares = [t.name for t in seen.targets if t.kind is Kind.SHARE and t.snapshots is not None]
    settings: dict[tuple[Kind, str], OwnSettings] = {
        (Kind.SHARE, name): own for name, own in reader.read_own_settings(shares).items()
    }
    settings |= {(Kind.LUN, uuid): own for uuid, own in reader.read_lun_settings().items()}
    schedules = reader.read_plan_schedules() if seen.plans else {}
    found = tuple(_found(target, seen, settings, schedules) for target in seen.targets)
    return Survey(nas, timezone, found), seen


def _found(
    target: ObservedTarget,
    seen: Observation,
    settings: Mapping[tuple[Kind, str], OwnSettings],
    schedules: Mapping[str, OwnSchedule],
) -> FoundTarget:
    key = target.name if target.kind is Kind.SHARE else target.uuid
    made = [s for s in target.snapshots or () if s.scheduled]
    immutable = [s for s in made if s.immutable]
    return FoundTarget(
        kind=target.kind,
        name=target.name,
        uuid=target.uuid,
        settings=settings.get((target.kind, key)),
        scheduled=len(made),
        others=len(target.snapshots or ()) - len(made),
        held=sum(s.locked or bool(s.holders) for s in made),
        immutable=len(immutable),
        immutable_days=max((_days(s) for s in immutable), default=0),
        replications=tuple(
            OwnReplication(plan.plan_id, plan.destination_host, schedules.get(plan.plan_id))
            for plan in seen.plans or ()
            if _replicates(plan, target)
        ),
        left_alone=_left_alone(target, seen),
    )


def _replicates(plan: ReplicationPlan, target: ObservedTarget) -> bool:
    return plan.role == 1 and plan.kind is target.kind and names_target(plan.target_ids, target)


def _days(snapshot: Snapshot) -> int:
    """Return for how many days it is immutable in all, rounded up; 30, DSM's most, if unknown."""
    if snapshot.immutable_until is None or snapshot.time is None:
        return 30
    return max(1, -(-(snapshot.immutable_until - snapshot.time - _BEGIN_LATE) // DAY))


_BEGIN_LATE = 3600
"""Immutability begins up to minutes after the name's time; that is no further day."""


def _left_alone(target: ObservedTarget, seen: Observation) -> str:
    if target.unsupported:
        return target.unsupported
    if target.snapshots is None:
        return target.problem
    if seen.plans is None:
        return f"it may be the destination of a replication: {seen.plans_problem}"
    ids = local_destinations(seen.plans).get(target.kind, frozenset())
    if ids & {target.uuid.casefold(), target.name.casefold()}:
        return "the destination of a replication"
    return ""
