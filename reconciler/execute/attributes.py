"""Locking and unlocking: from the reading after the creation, one snapshot at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import TargetError
from reconciler.execute.outcome import ActionOutcome, Result
from reconciler.planning.plan import Action, SetAttributes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.execute.ground import Ground, Sight
    from reconciler.model import ObservedTarget, Snapshot
    from reconciler.planning.plan import TargetPlan


def set_attributes(
    ground: Ground, target: TargetPlan, actions: Sequence[Action], *, unlock: bool
) -> Iterator[ActionOutcome]:
    """Apply the permitted changes that a fresh reading still asks for, one outcome after another.

    With `unlock` False, after a creation that failed, nothing is unlocked.
    """
    if not actions:
        return
    sight = ground.look(target.kind, target.uuid)
    for action in actions:
        change = _still_wanted(sight, action)
        if change is None or sight.target is None:
            yield _not_set(sight, action)
            continue
        if not unlock and not change.lock:
            text = "not unlocked, since the creation failed"
            yield ActionOutcome(action, Result.SKIPPED, text, change.snapshot.name)
            continue
        refusal = _send(ground, sight.target, change)
        sight = ground.look(target.kind, target.uuid)
        yield _verify(ground, sight, action, change=change, refusal=refusal)


def _not_set(sight: Sight, action: Action) -> ActionOutcome:
    """Say why a permitted change is not sent: nothing can be told, or nothing is to change."""
    name = action.snapshot.name if action.snapshot is not None else ""
    if sight.trouble:
        return ActionOutcome(action, Result.FAILED, sight.trouble, name)
    return ActionOutcome(action, Result.SKIPPED, "no longer asked for", name)


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


def _send(ground: Ground, target: ObservedTarget, change: SetAttributes) -> str:
    ground.log.info(
        "set_attr.intent",
        snapshot=change.snapshot.key,
        lock=change.lock,
        description=change.description,
    )
    try:
        ground.writer.set_attributes(
            ground.address(target),
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
        unseen = f"sent, but the list could not be read afterwards: {sight.trouble}"
        unchanged = "DSM reported success, but the list shows it unchanged"
        text = refusal or (unseen if sight.trouble else unchanged)
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
