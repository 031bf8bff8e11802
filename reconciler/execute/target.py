"""One target's permit, in order: early deletions, creation, attributes, deletions, syncs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Refusal, TargetError
from reconciler.execute.attributes import set_attributes
from reconciler.execute.create import Created, create
from reconciler.execute.delete import delete
from reconciler.execute.outcome import ActionOutcome, Result, TargetOutcome
from reconciler.execute.sync import sync
from reconciler.planning.plan import Action, Create, Delete, SetAttributes, Sync

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.execute.ground import Ground
    from reconciler.model import Finding
    from reconciler.planning.plan import TargetPlan


class TargetRun:
    """Applies one target's permit; what it did so far survives an error in the middle."""

    def __init__(self, ground: Ground, target: TargetPlan) -> None:
        self._ground = ground
        self._target = target
        self._outcomes: list[ActionOutcome] = []
        self._findings: list[Finding] = []
        self.error: TargetError | Refusal | None = None

    def run(self) -> TargetOutcome:
        """Run the actions in order; one that fails does not undo what was done before it."""
        try:
            self._in_order()
        except (TargetError, Refusal) as error:
            self.error = error
            self._fail_rest(str(error))
        target = self._target
        return TargetOutcome(
            target.kind,
            target.uuid,
            target.name,
            target.policy,
            target.zone,
            tuple(self._outcomes),
            tuple(self._findings),
        )

    def _in_order(self) -> None:
        ground, target = self._ground, self._target
        deletes = self._of(Delete)
        early = [a for a in deletes if isinstance(a.change, Delete) and a.change.early]
        if self._made_room(early):
            ground.full[target.uuid] = ""
        made = self._create(deletes)
        ground.settled.add(target.uuid)
        self._add(set_attributes(ground, target, self._left(SetAttributes), unlock=made))
        if made:
            self._add(delete(ground, target, self._left(Delete)))
        else:
            self._keep_all("nothing is deleted, since no snapshot was taken")
        for action in self._left(Sync):
            self._outcomes.append(sync(ground, target, action))

    def _create(self, deletes: list[Action]) -> bool:
        """Take the snapshot, if one is planned; return whether deletions may go on (P5)."""
        for action in self._left(Create):
            created = create(self._ground, self._target, action)
            if created.room:
                created = self._make_room(action, created, deletes)
            self._outcomes.append(created.outcome)
            self._findings.extend(created.findings)
            if created.outcome.result is Result.FAILED or created.owed:
                return False
        return True

    def _make_room(self, action: Action, refused: Created, deletes: list[Action]) -> Created:
        """DSM refused for want of room: the victims without the creation go first, then once more.

        Only what the permit holds and the rules without the new snapshot still let go is deleted.
        """
        ground, target = self._ground, self._target
        ground.full[target.uuid] = refused.room
        ended = {id(o.action) for o in self._outcomes}
        left = [a for a in deletes if id(a) not in ended]
        room = self._made_room(left)
        ground.full[target.uuid] = ""
        return create(ground, target, action) if room else refused

    def _made_room(self, victims: list[Action]) -> bool:
        """Delete before the creation what may go before it; return whether anything is gone.

        What is not let go before it may still go after it, so that is no outcome yet.
        """
        room = False
        for outcome in delete(self._ground, self._target, victims, early=True):
            room = room or _went(outcome)
            if outcome.result is not Result.SKIPPED:
                self._outcomes.append(outcome)
        return room

    def _add(self, outcomes: Iterable[ActionOutcome]) -> None:
        """Keep each outcome as it comes: an error in the middle must not lose those before it."""
        for outcome in outcomes:
            self._outcomes.append(outcome)

    def _of(self, change: type) -> list[Action]:
        return [a for a in self._target.actions if isinstance(a.change, change)]

    def _left(self, change: type) -> list[Action]:
        ended = {id(o.action) for o in self._outcomes}
        return [a for a in self._of(change) if id(a) not in ended]

    def _keep_all(self, text: str) -> None:
        self._outcomes.extend(
            ActionOutcome(a, Result.SKIPPED, text, a.snapshot.name if a.snapshot else "")
            for a in self._left(Delete)
        )

    def _fail_rest(self, text: str) -> None:
        ended = {id(o.action) for o in self._outcomes}
        self._outcomes.extend(
            ActionOutcome(a, Result.FAILED, text)
            for a in self._target.actions
            if id(a) not in ended
        )


def _went(outcome: ActionOutcome) -> bool:
    return outcome.result is Result.DONE
