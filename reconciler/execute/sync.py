"""Running a replication plan once for its due time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import AmbiguousWrite, TargetError
from reconciler.execute.outcome import ActionOutcome, Result
from reconciler.planning.plan import Action, Sync

if TYPE_CHECKING:
    from reconciler.execute.ground import Ground, Sight
    from reconciler.model import Instant
    from reconciler.planning.plan import TargetPlan

_PAUSES = (0, 1, 2, 4)


def sync(ground: Ground, target: TargetPlan, action: Action) -> ActionOutcome:
    """Start the sync that `action` asks for, unless an attempt began meanwhile."""
    sight = ground.look(target.kind, target.uuid)
    trouble = _unlisted(ground) or sight.trouble
    if trouble:
        return _ended(ground, ActionOutcome(action, Result.FAILED, trouble))
    change = _still_due(sight, action)
    if change is None:
        return ActionOutcome(action, Result.SKIPPED, "no longer due")
    known = _attempts(ground, change)
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
    outcome = ActionOutcome(action, Result.DONE)
    unseen = _unseen(ground, target, change, known)
    if unseen:
        outcome = ActionOutcome(action, Result.FAILED, lost or unseen)
    return _ended(ground, outcome)


def _still_due(sight: Sight, action: Action) -> Sync | None:
    planned = action.change
    if sight.plan is None or not isinstance(planned, Sync):
        return None
    for fresh in sight.plan.actions:
        change = fresh.change
        if isinstance(change, Sync) and change.plan_id == planned.plan_id:
            return change if fresh.stopped_by is None else None
    return None


def _attempts(ground: Ground, change: Sync) -> frozenset[Instant]:
    """Return when each attempt of the plan began, the running one's included, as last read.

    One that runs and does not say since when counts as begun at 0.
    """
    for plan in ground.observation.plans or ():
        if plan.plan_id == change.plan_id:
            running = {plan.syncing_since or 0} if plan.busy or plan.syncing_since else set()
            return frozenset({record.began for record in plan.records} | running)
    return frozenset()


def _unseen(ground: Ground, target: TargetPlan, change: Sync, known: frozenset[Instant]) -> str:
    """Look for the attempt itself, one that was not there before the call; "" once it is seen.

    That the sync is no longer due would not show it: the plan may have been deleted, its window may
    have closed. A reading that does not list the plans shows nothing.
    """
    for pause in _PAUSES:
        ground.clock.sleep(pause)
        ground.look(target.kind, target.uuid)
        if _attempts(ground, change) - known:
            return ""
    if ground.observation.plans is None:
        return f"sent, but nothing shows whether it began: {_unlisted(ground)}"
    return "DSM accepted it, but no attempt is seen to have begun"


def _unlisted(ground: Ground) -> str:
    if ground.observation.plans is not None:
        return ""
    return f"the replication plans cannot be listed: {ground.observation.plans_problem}"


def _ended(ground: Ground, outcome: ActionOutcome) -> ActionOutcome:
    ground.log.info("sync.outcome", result=outcome.result, detail=outcome.detail)
    return outcome
