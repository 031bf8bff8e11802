"""Running a replication plan once for its due time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import AmbiguousWrite, TargetError
from reconciler.execute.outcome import ActionOutcome, Result
from reconciler.planning.plan import Action, Sync

if TYPE_CHECKING:
    from reconciler.execute.ground import Ground, Sight
    from reconciler.planning.plan import TargetPlan

_PAUSES = (0, 1, 2, 4)


def sync(ground: Ground, target: TargetPlan, action: Action) -> ActionOutcome:
    """Start the sync that `action` asks for, unless an attempt began meanwhile."""
    sight = ground.look(target.kind, target.uuid)
    trouble = _trouble(ground, sight)
    if trouble:
        return _ended(ground, ActionOutcome(action, Result.FAILED, trouble))
    change = _still_due(sight, action)
    if change is None:
        return ActionOutcome(action, Result.SKIPPED, "no longer due")
    ground.log.info("sync.intent", plan=change.plan_id, destination=change.destination)
    lost = ""
    try:
        ground.writer.sync(
            change.plan_id,
            lock_snapshot=change.lock_synced,
            send_encrypted=change.send_encrypted,
            description=f"Sync of policy {target.policy}",
        )
    except AmbiguousWrite as error:
        lost = str(error)
    except TargetError as error:
        return _ended(ground, ActionOutcome(action, Result.FAILED, str(error)))
    return _ended(ground, _verify(ground, target, action, lost=lost))


def _still_due(sight: Sight, action: Action) -> Sync | None:
    planned = action.change
    if sight.plan is None or not isinstance(planned, Sync):
        return None
    for fresh in sight.plan.actions:
        change = fresh.change
        if isinstance(change, Sync) and change.plan_id == planned.plan_id:
            return change if fresh.stopped_by is None else None
    return None


def _verify(ground: Ground, target: TargetPlan, action: Action, *, lost: str) -> ActionOutcome:
    """Look for the attempt: a sync that began is no longer due.

    A reading that does not list the plans shows nothing.
    """
    trouble = ""
    for pause in _PAUSES:
        ground.clock.sleep(pause)
        sight = ground.look(target.kind, target.uuid)
        trouble = _trouble(ground, sight)
        if not trouble and _still_due(sight, action) is None:
            return ActionOutcome(action, Result.DONE)
    unseen = f"sent, but nothing shows whether it began: {trouble}" if trouble else ""
    text = lost or unseen or "DSM accepted it, but no attempt is seen to have begun"
    return ActionOutcome(action, Result.FAILED, text)


def _trouble(ground: Ground, sight: Sight) -> str:
    """Say why this reading tells nothing about the plan, "" where it does."""
    if ground.observation.plans is None:
        return f"the replication plans cannot be listed: {ground.observation.plans_problem}"
    return sight.trouble


def _ended(ground: Ground, outcome: ActionOutcome) -> ActionOutcome:
    ground.log.info("sync.outcome", result=outcome.result, detail=outcome.detail)
    return outcome
