"""Taking, changing and deleting snapshots of shared folders.

The lock of a user exempts a snapshot from automatic retention only: an explicit deletion
removes it. The WORM lock and the system's own hold refuse, snapshot by snapshot, inside an
answer that says `success: true`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.simulator.codes import DsmError, ShareCode
from reconciler.simulator.share import DAY
from reconciler.simulator.share_list import find_share
from reconciler.simulator.wire import Call, Reply

if TYPE_CHECKING:
    from reconciler.simulator.nas import Nas
    from reconciler.simulator.share import Share, ShareSnapshot

RECLAIM_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class _Attributes:
    """The attributes inside `snapinfo`; None where they are not given."""

    description: str | None
    locked: bool | None
    immutable_days: int | None


def _read_attributes(nas: Nas, call: Call) -> _Attributes:
    given = call.parameters.get("snapinfo", {})
    if not isinstance(given, dict):
        raise DsmError(ShareCode.BAD_VALUE)
    description, locked = given.get("desc"), given.get("lock")
    if not isinstance(description, str | None) or not isinstance(locked, bool | None):
        raise DsmError(ShareCode.BAD_VALUE)
    days = _immutable_days(given) if nas.immutable else None
    return _Attributes(description, locked, days)


def _immutable_days(given: dict[str, Any]) -> int | None:
    if "worm_lock" not in given:
        return None
    days = str(given.get("worm_lock_day", ""))
    # An immutable snapshot cannot be made mutable again: `worm_lock: false` is a bad value.
    if given["worm_lock"] is not True or not days.isdecimal() or not int(days):
        raise DsmError(ShareCode.BAD_VALUE)
    return int(days)


def create(nas: Nas, call: Call) -> Reply:
    """Take a snapshot and answer its bare name; without `lock` in `snapinfo` it is locked."""
    share, wanted, now = find_share(nas, call), _read_attributes(nas, call), nas.clock.now()
    refusal = creation_refusal(nas, share)
    if refusal is not None:
        raise DsmError(refusal)
    name = share.name_at(now)
    if share.snapshot(name) is not None:
        if nas.collide:
            return Reply(name)
        raise DsmError(ShareCode.EXISTS)
    share.add_snapshot(
        now,
        wanted.description or "",
        locked=wanted.locked is not False,
        immutable_days=wanted.immutable_days,
        taken_by=nas.account,
    )
    nas.write_log(
        f"Took a shared folder snapshot [{name}] from share [{share.name}] by [{nas.account}].",
        user=nas.account,
    )
    return Reply(name)


def creation_refusal(nas: Nas, share: Share) -> ShareCode | None:
    """Return the code with which DSM refuses a new snapshot now, None where it takes it."""
    volume, limits = nas.volume(share.volume), nas.limits
    total = sum(len(each.snapshots) for each in nas.shares)
    checks = (
        (ShareCode.ENCRYPTED, share.offline),
        (ShareCode.GENERIC, not share.support_snapshot),
        (ShareCode.BUSY, share.busy),
        (ShareCode.NO_SUCH_VOLUME, volume is None),
        (ShareCode.VOLUME_READ_ONLY, volume is not None and not volume.writable),
        (ShareCode.NO_SPACE, volume is not None and volume.free < limits.share_reserve),
        (ShareCode.LIMIT, len(share.snapshots) >= limits.per_share or total >= limits.system),
    )
    return next((code for code, refused in checks if refused), None)


def set_attributes(nas: Nas, call: Call) -> Reply:
    """Change what `snapinfo` names and leave the rest; immutability only ever grows longer."""
    share, wanted = find_share(nas, call), _read_attributes(nas, call)
    name = call.text("snapshot", missing=ShareCode.BAD_VALUE, wrong=ShareCode.BAD_VALUE)
    if share.offline:
        raise DsmError(ShareCode.ENCRYPTED)
    snapshot = share.snapshot(name)
    if snapshot is None:
        raise DsmError(ShareCode.GENERIC)
    if wanted.immutable_days is not None:
        _lengthen(snapshot, wanted.immutable_days, nas.clock.now())
    if wanted.description is not None:
        snapshot.description = wanted.description
    if wanted.locked is not None:
        snapshot.locked = wanted.locked
    return Reply()


def _lengthen(snapshot: ShareSnapshot, days: int, now: float) -> None:
    begin = snapshot.immutable_from
    if begin is None or not snapshot.immutable(now):
        snapshot.immutable_from, snapshot.immutable_days = now, days
        return
    if begin + days * DAY < (snapshot.immutable_until or 0.0):
        raise DsmError(ShareCode.BAD_VALUE)
    snapshot.immutable_days = days


def delete(nas: Nas, call: Call) -> Reply:
    """Delete what may be deleted; the refusals stand in `data`, one object per snapshot."""
    share = find_share(nas, call)
    names = call.texts("snapshots", wrong=ShareCode.BAD_VALUE)
    for code, refused in ((ShareCode.ENCRYPTED, share.offline), (ShareCode.BUSY, share.busy)):
        if refused:
            raise DsmError(code)
    refusals: list[dict[str, int]] = []
    for name in names:
        refusal = _delete_one(nas, share, name)
        if refusal is not None:
            refusals.append({name: int(refusal)})
    if refusals and nas.delete_refusals == "error":
        raise DsmError(next(iter(refusals[0].values())), errors=refusals)
    return Reply(refusals) if refusals else Reply()


def _delete_one(nas: Nas, share: Share, name: str) -> ShareCode | None:
    snapshot = share.snapshot(name)
    if snapshot is None:
        return ShareCode.GENERIC
    if snapshot.immutable(nas.clock.now()):
        return ShareCode.IMMUTABLE
    if snapshot.preserved:
        return ShareCode.PRESERVED
    remove(nas, share, snapshot)
    nas.write_log(
        f"Deleted a shared folder snapshot [{name}] from share [{share.name}].", user=nas.account
    )
    return None


def remove(nas: Nas, share: Share, snapshot: ShareSnapshot) -> None:
    """Take a snapshot away; its space comes back minutes later.

    A plan that has lost its last synced snapshot transfers everything anew.
    """
    share.snapshots.remove(snapshot)
    volume = nas.volume(share.volume)
    if volume is not None:
        volume.reclaim.append((nas.clock.now() + RECLAIM_SECONDS, snapshot.exclusive))
    for plan in nas.plans_of(share):
        plan.full_resync |= plan.last_reference == snapshot.name
