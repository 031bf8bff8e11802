"""Deleting what is a victim both in the permit and in a reading taken right before (P10)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.errors import TargetError
from reconciler.execute.outcome import ActionOutcome, Result
from reconciler.model import Kind
from reconciler.planning.plan import Action, Delete

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.execute.ground import Ground, Sight
    from reconciler.model import ObservedTarget, Snapshot
    from reconciler.planning.plan import TargetPlan

_BATCH = {Kind.SHARE: 50, Kind.LUN: 1}
"""How many go in one call: DSM takes a list for shares; for LUNs single calls answer clearer."""


def delete(
    ground: Ground, target: TargetPlan, actions: Sequence[Action], *, early: bool = False
) -> Iterator[ActionOutcome]:
    """Delete the permitted victims batch by batch, each batch between two readings.

    `early` are those that go before a creation for which there is no room. The reading that
    verifies one batch is the one the next is decided on. Each batch's outcomes are out before the
    next is sent, so that an error in the middle leaves them told.
    """
    if not actions:
        return
    sight = ground.look(target.kind, target.uuid)
    size = _BATCH[target.kind]
    for start in range(0, len(actions), size):
        batch = actions[start : start + size]
        going, skipped = _sort(sight, batch, early=early)
        yield from skipped
        if not going or sight.target is None:
            continue
        refused = _send(ground, sight.target, going)
        sight = ground.look(target.kind, target.uuid)
        yield from _verify(ground, sight, going, refused)


def _sort(
    sight: Sight, batch: Sequence[Action], *, early: bool
) -> tuple[list[Action], list[ActionOutcome]]:
    """Split a batch into what may still go and what may not, each with its reason."""
    going: list[Action] = []
    skipped: list[ActionOutcome] = []
    fresh = _victims(sight, early=early)
    for action in batch:
        reason = _changed(action, sight, fresh)
        if reason is None:
            going.append(action)
        else:
            result, text = reason
            skipped.append(ActionOutcome(action, result, text, _name(action)))
    return going, skipped


def _victims(sight: Sight, *, early: bool) -> Mapping[str, Action]:
    if not sight.trusted or sight.plan is None:
        return {}
    return {
        action.snapshot.key: action
        for action in sight.plan.victims
        if action.snapshot is not None
        and isinstance(action.change, Delete)
        and (action.change.early or not early)
    }


def _changed(
    action: Action, sight: Sight, fresh: Mapping[str, Action]
) -> tuple[Result, str] | None:
    """Say why a permitted deletion may not run on this reading; None where it may."""
    planned = action.snapshot
    if planned is None or sight.trouble:
        return Result.FAILED, sight.trouble
    present = sight.snapshots.get(planned.key)
    if present is None:
        return Result.DONE, "already gone"
    if _attributes(present) != _attributes(planned):
        return Result.SKIPPED, "it was changed meanwhile"
    again = fresh.get(planned.key)
    if again is None:
        return Result.SKIPPED, "no longer a victim"
    if again.stopped_by is not None:
        return Result.SKIPPED, f"stopped meanwhile: {again.stopped_by}"
    return None


def _attributes(snapshot: Snapshot) -> Snapshot:
    """Return what must be unchanged: of a share's snapshot all but the time.

    Its name says the same, and a shift of names that was measured meanwhile has moved the time. A
    LUN's snapshot states its time by itself, so there the time counts too.
    """
    return snapshot if snapshot.form is None else replace(snapshot, time=None)


def _send(ground: Ground, target: ObservedTarget, going: Sequence[Action]) -> Mapping[str, str]:
    """Send one deletion; return by key why DSM refused, as far as it said."""
    keys = [action.snapshot.key for action in going if action.snapshot is not None]
    ground.log.info("delete.intent", snapshots=keys)
    try:
        if target.kind is Kind.SHARE:
            answer = ground.writer.delete_from_share(ground.address(target), keys)
        else:
            answer = ground.writer.delete_from_lun(keys)
    except TargetError as error:
        return dict.fromkeys(keys, str(error))
    return {key: refusal for key, refusal in answer.items() if refusal}


def _verify(
    ground: Ground, sight: Sight, going: Sequence[Action], refused: Mapping[str, str]
) -> Iterator[ActionOutcome]:
    """Judge each deletion by the list read afterwards, not by DSM's answer."""
    for action in going:
        key = action.snapshot.key if action.snapshot is not None else ""
        if not sight.trusted:
            text = refused.get(key) or "sent, but the list could not be read afterwards"
            outcome = ActionOutcome(action, Result.FAILED, text, _name(action))
        elif key not in sight.snapshots:
            outcome = ActionOutcome(action, Result.DONE, name=_name(action))
        else:
            text = refused.get(key) or "DSM reported success, but it is still listed"
            outcome = ActionOutcome(action, Result.FAILED, text, _name(action))
        ground.log.info(
            "delete.outcome", result=outcome.result, snapshot=key, detail=outcome.detail
        )
        yield outcome


def _name(action: Action) -> str:
    return action.snapshot.name if action.snapshot is not None else ""
