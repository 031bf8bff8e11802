"""Taking a snapshot exactly once (promise P12), and measuring how its name keeps the clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler import mark
from reconciler.dsm import NoRoom
from reconciler.duration import HOUR, spoken
from reconciler.errors import AmbiguousWrite, CredentialError, TargetError
from reconciler.execute.outcome import ActionOutcome, Result
from reconciler.model import Finding, Kind, NameForm, Severity
from reconciler.planning.plan import Action, Create, State, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.execute.ground import Ground, Sight
    from reconciler.model import Instant, ObservedTarget, Seconds, Snapshot
    from reconciler.planning.plan import TargetPlan

_SEARCH: Seconds = 180
_BLOCKED = State.BLOCKED.value
_PAUSES = (1, 2, 3, 5, 10, 15, 20)
_COLLISION_PAUSE: Seconds = 2
_QUARTER: Seconds = 900
_FARTHEST = {NameForm.OFFSET: HOUR, NameForm.BARE: 14 * HOUR}


@dataclass(frozen=True, slots=True)
class Created:
    """How a creation ended. `room` is DSM's reason where limit or space refused it.

    `owed` says that a newer due time has come since the plan, so that none was taken and one is
    still due.
    """

    outcome: ActionOutcome
    findings: tuple[Finding, ...] = ()
    room: str = ""
    owed: bool = False


def create(ground: Ground, target: TargetPlan, action: Action) -> Created:
    """Take the snapshot that `action` asks for, unless its due time was served meanwhile."""
    sight = ground.look(target.kind, target.uuid)
    change = _still_wanted(sight, action)
    if change is None:
        newer = _newer(sight)
        if newer is None:
            return Created(_not_made(sight, action))
        due = mark.due_identifier(newer.due)
        text = f"another one is due by now ({due}): the next pass takes it"
        return Created(ActionOutcome(action, Result.SKIPPED, text), owed=True)
    known = frozenset(sight.snapshots)
    for last in (False, True):
        attempt = _attempt(ground, sight, action, change, known=known)
        if attempt.snapshot is not None:
            return _verified(ground, action, change, attempt)
        outcome = ActionOutcome(action, Result.FAILED, attempt.detail, doubt=attempt.doubt)
        ground.ended(outcome)
        if attempt.room:
            return Created(outcome, room=attempt.room)
        if not attempt.collided or last:
            break
        ground.clock.sleep(_COLLISION_PAUSE)
    return Created(outcome)


def _newer(sight: Sight) -> Create | None:
    """Return the creation that this reading wants instead of the planned one, None without one."""
    if not sight.trusted or sight.plan is None:
        return None
    changes = (action.change for action in sight.plan.actions)
    return next((change for change in changes if isinstance(change, Create)), None)


def _not_made(sight: Sight, action: Action) -> ActionOutcome:
    """Say why a planned creation is not tried: no longer due, or no longer possible."""
    if sight.trouble:
        return ActionOutcome(action, Result.FAILED, sight.trouble)
    if sight.plan is not None and any(f.code == _BLOCKED for f in sight.plan.findings):
        return ActionOutcome(action, Result.FAILED, "there is no room for a snapshot any more")
    return ActionOutcome(action, Result.SKIPPED, "no longer due")


def _still_wanted(sight: Sight, action: Action) -> Create | None:
    """Return the creation as the fresh reading wants it, never more binding than permitted."""
    planned = action.change
    if not sight.trusted or sight.plan is None or not isinstance(planned, Create):
        return None
    for fresh in sight.plan.actions:
        change = fresh.change
        if isinstance(change, Create) and _same(change, planned):
            days = min(change.immutable_days, planned.immutable_days)
            return replace(change, immutable_days=days)
    return None


def _same(fresh: Create, planned: Create) -> bool:
    return (fresh.due, fresh.asked) == (planned.due, planned.asked)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One request and what was found of it; `asked` is the NAS's clock right before it.

    `doubt` says that nothing shows whether it was done.
    """

    asked: Instant
    snapshot: Snapshot | None = None
    detail: str = ""
    collided: bool = False
    room: str = ""
    doubt: bool = False


def _attempt(
    ground: Ground, sight: Sight, action: Action, change: Create, *, known: frozenset[str]
) -> _Attempt:
    asked = ground.now
    if sight.target is None:
        return _Attempt(asked, detail="the target is gone")
    target = sight.target
    ground.intend([(action, change)])
    try:
        name = _take(ground, target, change)
    except AmbiguousWrite as error:
        found = _search(ground, sight, change, known=known)
        text = f"no answer, and not found within {spoken(_SEARCH)}: {error}"
        return _Attempt(asked, found, detail=text, doubt=True)
    except NoRoom as error:
        return _Attempt(asked, detail=str(error), room=str(error))
    except TargetError as error:
        found = _find(ground.look(target.kind, target.uuid), change, known=known)
        return _Attempt(asked, found, detail=str(error))
    return _listed(ground, sight, change, asked=asked, name=name, known=known)


def _take(ground: Ground, target: ObservedTarget, change: Create) -> str:
    address = ground.address(target)
    if target.kind is Kind.SHARE:
        return ground.writer.take_share_snapshot(
            address,
            description=change.description,
            lock=change.lock,
            immutable_days=change.immutable_days,
        )
    return ground.writer.take_lun_snapshot(
        address,
        name=change.lun_name,
        description=change.description,
        lock=change.lock,
        consistent=change.consistent,
    )


def _listed(
    ground: Ground,
    sight: Sight,
    change: Create,
    *,
    asked: Instant,
    name: str,
    known: frozenset[str],
) -> _Attempt:
    """Look for the name that DSM answered, with our mark; another mark under it is a collision."""
    if sight.target is None:
        return _Attempt(asked, detail="the target is gone")
    trouble = ""
    for pause in (0, *_PAUSES[:3]):
        ground.clock.sleep(pause)
        fresh = ground.look(sight.target.kind, sight.target.uuid)
        found = _find(fresh, change, known=known)
        if found is not None:
            return _Attempt(asked, found)
        if name in fresh.snapshots:
            text = f"{name} is another snapshot, of the same second"
            return _Attempt(asked, detail=text, collided=True)
        trouble = fresh.trouble
    text = f"DSM answered {name}, but {trouble or 'the list does not show it'}"
    return _Attempt(asked, detail=text, doubt=True)


def _search(
    ground: Ground, sight: Sight, change: Create, *, known: frozenset[str]
) -> Snapshot | None:
    """Look for the mark of a creation whose answer was lost, for three minutes."""
    if sight.target is None:
        return None
    for pause in _until(ground, _SEARCH):
        ground.clock.sleep(pause)
        try:
            found = _find(ground.look(sight.target.kind, sight.target.uuid), change, known=known)
        except CredentialError:
            raise
        except TargetError as error:
            ground.log.info("create.search", error=str(error))
            continue
        if found is not None:
            return found
    return None


def _until(ground: Ground, length: Seconds) -> Iterator[Seconds]:
    end = ground.clock.monotonic() + length
    for pause in (*_PAUSES, *([_PAUSES[-1]] * length)):
        left = end - ground.clock.monotonic()
        if left <= 0:
            return
        yield int(min(pause, left)) or 1


def _find(sight: Sight, change: Create, *, known: frozenset[str]) -> Snapshot | None:
    """Return the new snapshot that carries this creation's mark."""
    wanted = mark.parse(change.description)
    for key, snapshot in sight.snapshots.items():
        if key not in known and snapshot.mark is not None and snapshot.mark == wanted:
            return snapshot
    return None


def _verified(ground: Ground, action: Action, change: Create, attempt: _Attempt) -> Created:
    snapshot = attempt.snapshot
    if snapshot is None:
        raise AssertionError("only a snapshot that was seen is verified")
    findings = (*_not_immutable(change, snapshot), *_measure(ground, attempt, snapshot))
    outcome = ActionOutcome(action, Result.DONE, name=snapshot.name)
    ground.ended(outcome, snapshot)
    return Created(outcome, findings)


def _not_immutable(change: Create, snapshot: Snapshot) -> Iterator[Finding]:
    if change.immutable_days and not snapshot.immutable:
        yield Finding(
            "not-immutable",
            Severity.ERROR,
            f"{snapshot.name} was to be immutable for {change.immutable_days} d and is not",
            next_step="check that DSM is 7.2 or later and that the volume supports it; the "
            "snapshot stays, and is not made immutable later",
        )


def _measure(ground: Ground, attempt: _Attempt, snapshot: Snapshot) -> Iterator[Finding]:
    """Compare a new share snapshot's name with the NAS's clock (P6).

    A difference that a half-hour zone or a name without offset explains, in quarters of an hour,
    is taken off all names from then on; any other one stops the deletions of this NAS.
    """
    if snapshot.form is None or snapshot.time is None:
        return
    skew = ground.wish.brakes.max_clock_skew
    low, high = attempt.asked - skew, ground.now + skew
    if low <= snapshot.time <= high:
        return
    off = snapshot.time - (attempt.asked + ground.now) // 2
    shift = round(off / _QUARTER) * _QUARTER
    explained = snapshot.form is NameForm.BARE or ground.situation.fractional_zone
    constant = explained and 0 < abs(shift) <= _FARTHEST[snapshot.form]
    if constant and low <= snapshot.time - shift <= high:
        ground.measured(snapshot.form, shift)
        yield Finding(
            "name-shift",
            Severity.NOTE,
            f"names on this NAS run {spoken(abs(shift))} {'ahead of' if shift > 0 else 'behind'} "
            "its clock; that is taken into account",
        )
        return
    ground.stop = Stop.NAME_CLOCK
    yield Finding(
        "name-clock",
        Severity.ERROR,
        f"{snapshot.name} differs from the clock of the NAS by {spoken(abs(off))}, more than "
        f"{spoken(skew)}: nothing more is deleted there",
        next_step="check time and time zone in DSM: Control Panel > Regional Options",
    )
