"""Locking and unlocking: from the reading after the creation, one snapshot at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import TargetError
from reconciler.execute.outcome import ActionOutcome, Result
from reconciler.planning.plan import Action, SetAttributes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.execute.ground import Ground, Sight
    from reconciler.model import Snapshot
    from reconciler.planning.plan import TargetPlan


def set_attributes(
    ground: Ground, target: TargetPlan, actions: Sequence[Action], *, unlock: bool
) -> tuple[ActionOutcome, ...]:
    """Apply the permitted changes that a fresh reading still asks for.

    With `unlock` False, after a creation that failed, nothing is unlocked.
    """
    if not actions:
        return ()
    outcomes: list[ActionOutcome] = []
    sight = ground.look(target.kind, target.uuid)
    for action in actions:
        change = _still_wanted(sight, action)
        if change is None:
            outcomes.append(ActionOutcome(action, Result.SKIPPED, "no longer asked for"))
            continue
        if not unlock and not change.lock:
            text = "not unlocked, since the creation failed"
            outcomes.append(ActionOutcome(action, Result.SKIPPED, text, change.snapshot.name))
            continue
        refusal = _send(ground, sight, change)
        sight = ground.look(target.kind, target.uuid)
        outcomes.append(_verify(ground, sight, action, change=change, refusal=refusal))
    return tuple(outcomes)


def _still_wanted(sight: Sight, action: Action) -> SetAttributes | None:
    planned = action.change
    if not sight.trusted or sight.plan is None or not isinstance(planned, SetAttributes):
        return None
    for fresh in sight.plan.actions:
        change = fresh.change
        if (
            isinstance(change, SetAttributes)
            and fresh.stopped_by is None
            and change.snapshot.key == planned.snapshot.key
            and change.lock == planned.lock
        ):
            return change
    return None


def _send(ground: Ground, sight: Sight, change: SetAttributes) -> str:
    if sight.target is None:
        raise AssertionError("a target that is gone has nothing to set")
    ground.log.info(
        "set_attr.intent",
        snapshot=change.snapshot.key,
        lock=change.lock,
        description=change.description,
    )
    try:
        ground.writer.set_attributes(
            sight.target.name,
            change.snapshot.name,
            lock=change.lock,
            description=change.description,
        )
    except TargetError as error:
        return str(error)
    return ""


def _verify(
    ground: Ground, sight: Sight, action: Action, *, change: SetAttributes, refusal: str
) -> ActionOutcome:
    present = sight.snapshots.get(change.snapshot.key)
    if present is not None and _matches(present, change):
        outcome = ActionOutcome(action, Result.DONE, name=present.name)
    else:
        text = refusal or "DSM reported success, but the list shows it unchanged"
        outcome = ActionOutcome(action, Result.FAILED, text, change.snapshot.name)
    ground.log.info(
        "set_attr.outcome",
        result=outcome.result,
        snapshot=change.snapshot.key,
        detail=outcome.detail,
    )
    return outcome


def _matches(present: Snapshot, change: SetAttributes) -> bool:
    locked = change.lock is None or present.locked == change.lock
    return locked and change.description in (None, present.description)
