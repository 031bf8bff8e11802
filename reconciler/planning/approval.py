"""What a person lets go: a unit's waiting deletions, and what that leave settles for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.orders import APPROVED_FOR, Approval
from reconciler.planning import digest
from reconciler.planning.plan import Delete, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model import Instant
    from reconciler.planning.plan import Action, TargetPlan, UnitPlan

    Granted = tuple[str, str, str]

_OF_THE_UNIT = frozenset({Stop.NEW_STATE, Stop.PLANS_GONE, Stop.CLOCK_JUMP})
"""Stops that concern a whole unit: one approval ends them for all of its targets."""


def waiting(plan: UnitPlan) -> tuple[tuple[TargetPlan, Action], ...]:
    """Return the deletions of a unit that an approval can release, with their targets."""
    return tuple(
        (target, action)
        for target in plan.targets
        for action in target.actions
        if isinstance(action.change, Delete)
        and action.stopped_by is not None
        and action.stopped_by.approvable
    )


def approval_of(plan: UnitPlan, *, by: str, reason: str, now: Instant) -> Approval | None:
    """Return leave for exactly what waits on a unit, for 24 hours; None where nothing waits."""
    waits = digest.waiting(plan)
    if waits is None:
        return None
    found = waiting(plan)
    return Approval(
        nas=plan.nas,
        digest=waits.digest,
        victims=frozenset((t.uuid, a.snapshot.key) for t, a in found if a.snapshot is not None),
        stops=tuple(sorted({str(a.stopped_by) for _, a in found})),
        given=now,
        expires=now + APPROVED_FOR,
        by=by,
        reason=reason,
    )


def grants_of(plan: UnitPlan) -> tuple[Granted, ...]:
    """Return what one approval of a unit's waiting deletions settles for good.

    A target's first deletion of scheduled snapshots, its first of each other policy's, and what
    stops a whole unit. Brakes, unmarked snapshots and a replica that cannot be told are never
    settled: each such deletion needs its own leave.
    """
    return tuple(dict.fromkeys(grant for pair in waiting(plan) for grant in _grants(*pair)))


def _grants(target: TargetPlan, action: Action) -> Iterator[Granted]:
    stop, snapshot = action.stopped_by, action.snapshot
    if stop in _OF_THE_UNIT:
        yield ("", str(stop), "")
    if snapshot is None:
        return
    mark = snapshot.mark
    unmarked = mark is None or mark.adopted
    if unmarked and snapshot.scheduled:
        yield (target.uuid, str(Stop.SCHEDULED), "")
    if mark is not None and not mark.adopted and mark.policy != target.policy:
        yield (target.uuid, str(Stop.OTHER_POLICY), mark.policy)
