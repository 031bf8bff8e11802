"""One unit's permit, target by target: one target's failure does not stop the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import CredentialError, Interrupted, Refusal, TemporaryError
from reconciler.execute.outcome import TargetOutcome, UnitOutcome
from reconciler.execute.target import TargetRun
from reconciler.wording import counted

if TYPE_CHECKING:
    from reconciler.authorize import Permit
    from reconciler.errors import TargetError
    from reconciler.execute.ground import Ground
    from reconciler.model import Observation

_LOST = 2


def execute(permit: Permit, ground: Ground) -> UnitOutcome:
    """Apply a permit and return what became of each action.

    Raises Refusal where the unit on this ground is not the permit's. After a refused sign-in, a
    refusal of our own in the middle, when two targets in a row could not be read, or when the run
    is asked to stop, the rest of the unit is left for the next pass; what was done until then is
    told.
    """
    if ground.observation.identity.serial != permit.serial:
        raise Refusal(f"{permit.nas}: the permit is for serial {permit.serial}, another unit")
    done: list[TargetOutcome] = []
    lost = 0
    log = ground.log
    for target in permit.targets:
        if ground.watch.halted():
            return _stopped(
                permit, done, Interrupted("the run was interrupted"), last=ground.observation
            )
        ground.watch.begins(permit.nas, target.label)
        ground.log = log.bind(target=target.label, policy=target.policy)
        run = TargetRun(ground, target)
        done.append(run.run())
        lost = lost + 1 if isinstance(run.error, TemporaryError) else 0
        if isinstance(run.error, CredentialError | Refusal) or lost >= _LOST:
            return _stopped(permit, done, run.error, last=ground.observation)
    return UnitOutcome(permit.nas, tuple(done), observation=ground.observation)


def _stopped(
    permit: Permit,
    done: list[TargetOutcome],
    error: TargetError | Refusal | None,
    *,
    last: Observation,
) -> UnitOutcome:
    left = len(permit.targets) - len(done)
    return UnitOutcome(
        permit.nas,
        tuple(done),
        problem=f"{error}; {counted(left, 'target')} {'was' if left == 1 else 'were'} left for the "
        "next pass",
        next_step=error.next_step if error is not None else "",
        observation=last,
    )
