"""Which snapshots are to be locked and unlocked: `lock` of the policy, and holds with `lock`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler import mark as marks
from reconciler.mark import Mark
from reconciler.model import BuiltIn, Kind
from reconciler.planning import belongs
from reconciler.planning.plan import Action, SetAttributes, Why
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model import ObservedTarget, Snapshot
    from reconciler.planning.protection import Standing
    from reconciler.planning.reading import Reading
    from reconciler.planning.situation import Desired, Situation
    from reconciler.policy.model import Hold


def changes(
    target: ObservedTarget,
    staying: Sequence[Standing],
    desired: Desired,
    *,
    situation: Situation,
    coming: bool,
) -> tuple[Action, ...]:
    """Return the changes of attributes that the policy's `lock` and its holds ask for.

    `staying` are the snapshots that are no victims, newest first. `coming` says that a snapshot is
    about to be taken, which is then the first of the newest. A LUN snapshot has no such change: no
    known call locks or unlocks one. An immutable snapshot is left alone until its end, a held one
    unless its hold asks for the lock; nothing is unlocked while DSM's own retention is on, or may
    be.
    """
    if target.kind is Kind.LUN:
        return ()
    return tuple(_planned(target, staying, desired, situation=situation, coming=coming))


def _planned(
    target: ObservedTarget,
    staying: Sequence[Standing],
    desired: Desired,
    *,
    situation: Situation,
    coming: bool,
) -> Iterator[Action]:
    left = desired.policy.lock_newest - (1 if coming else 0)
    pruned = target.built_in is None or target.built_in.retention.prunes
    for standing in staying:
        wanted = standing.usable and left > 0
        left -= standing.usable
        snapshot = standing.snapshot
        if not standing.dated or situation.maybe_immutable(snapshot):
            continue
        holds = [h for h in desired.holds if belongs.covered(h, snapshot.time, standing.off)]
        if holds:
            yield from held(snapshot, holds, owner=desired.policy.name, situation=situation)
        elif wanted:
            yield from _lock(snapshot, desired, situation)
        elif not belongs.foreign(snapshot, situation.installation):
            yield from _unlock(snapshot, desired, situation=situation, pruned=pruned)


def held(
    snapshot: Snapshot, holds: Sequence[Hold], *, owner: str, situation: Situation
) -> Iterator[Action]:
    """Lock what a hold with `lock: true` covers; `owner` is "" where no policy owns the target.

    The mark of another installation is left as it is: to that one the lock is somebody else's.
    """
    locking = [hold for hold in holds if hold.lock]
    if not locking or snapshot.locked:
        return
    adopter = owner or f"hold:{locking[0].name}"
    yield _set(
        snapshot, lock=True, adopter=adopter, situation=situation,
        why=Why("hold", f"on hold with a lock: {locking[0].name}"),
    )  # fmt: skip


def _lock(snapshot: Snapshot, desired: Desired, situation: Situation) -> Iterator[Action]:
    if snapshot.locked:
        return
    newest = desired.policy.lock_newest
    text = "all are locked" if desired.policy.locks_all else f"1 of the newest {newest}"
    yield _set(
        snapshot, lock=True, adopter=desired.policy.name, situation=situation,
        why=Why("lock", text),
    )  # fmt: skip


def _unlock(
    snapshot: Snapshot, desired: Desired, *, situation: Situation, pruned: bool
) -> Iterator[Action]:
    mark = snapshot.mark
    if mark is None or not mark.lock:
        return
    if snapshot.locked and pruned:
        return
    newest = desired.policy.lock_newest
    text = f"no longer one of the newest {newest}" if newest else "the policy locks none"
    if not snapshot.locked:
        text = "its mark names a lock that is gone"
    yield _set(
        snapshot, lock=False, adopter=desired.policy.name, situation=situation,
        why=Why("unlock", text),
    )  # fmt: skip


def _set(snapshot: Snapshot, *, lock: bool, adopter: str, situation: Situation, why: Why) -> Action:
    mark = Mark(adopter, situation.installation, adopted=True, lock=True)
    description = snapshot.description
    if not belongs.foreign(snapshot, situation.installation):
        description = marks.with_lock(description, lock=lock, adopter=mark)
    change = SetAttributes(
        snapshot,
        lock=lock if lock != snapshot.locked else None,
        description=description if description != snapshot.description else None,
    )
    return Action(change, (why,))


def left_locked(reading: Reading) -> int:
    """Count the locks of ours that the policy would take off if DSM's retention were known off."""
    open_target = replace(reading.target, built_in=BuiltIn())
    wanted = changes(
        open_target, reading.judged(coming=False).staying, reading.desired,
        situation=reading.situation, coming=False,
    )  # fmt: skip
    return sum(isinstance(a.change, SetAttributes) and a.change.lock is False for a in wanted)


def never_unlocked(staying: Sequence[Standing], installation: str) -> str:
    """Say how many of our locks stay because DSM's own retention is on, "" where none does."""
    count = sum(belongs.locked_by_reconciler(s.snapshot, installation) for s in staying)
    return f"{counted(count, 'lock')} of ours left as they are until it is off" if count else ""
