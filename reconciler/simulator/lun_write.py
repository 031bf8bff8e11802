"""Taking, changing and deleting snapshots of LUNs.

A single deletion that fails is an error; a bulk one says `success: true` and names the refusals
in `data`, one object per uuid. What a package has locked, or is immutable, refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.simulator.codes import DsmError, LunCode
from reconciler.simulator.share_write import RECLAIM_SECONDS
from reconciler.simulator.wire import Call, Reply

if TYPE_CHECKING:
    from reconciler.simulator.lun import Lun, LunSnapshot
    from reconciler.simulator.nas import Nas

_ACTION_SECONDS: Final = 0.2


def find_lun(nas: Nas, call: Call, key: str) -> Lun:
    """Return the LUN that the parameter `key` names by uuid.

    18990508 for a missing value, 18990710 for no text, 18990531 for no such LUN.
    """
    uuid = call.text(key, missing=LunCode.MISSING, wrong=LunCode.MALFORMED)
    lun = next((lun for lun in nas.luns if lun.uuid == uuid), None)
    if lun is None:
        raise DsmError(LunCode.NO_SUCH_LUN)
    return lun


def creation_refusal(nas: Nas, lun: Lun, name: str | None = None) -> LunCode | None:
    """Return the code with which DSM refuses a new snapshot now, None where it takes it."""
    volume = nas.volume(lun.volume)
    checks = (
        (LunCode.BAD_TYPE, not lun.can_snapshot),
        (LunCode.NO_SPACE, volume is None or volume.free < nas.limits.lun_reserve),
        (LunCode.LIMIT, len(lun.snapshots) >= nas.limits.per_lun),
        (LunCode.DUPLICATE_NAME, bool(name) and any(s.name == name for s in lun.snapshots)),
    )
    return next((code for code, refused in checks if refused), None)


def take(nas: Nas, call: Call) -> Reply:
    """Take a snapshot and answer its number and uuid."""
    lun, now = find_lun(nas, call, "src_lun_uuid"), nas.clock.now()
    name, description, taken_by = (
        _optional_text(call, key) for key in ("snapshot_name", "description", "taken_by")
    )
    refusal = creation_refusal(nas, lun, name or None)
    if refusal is not None:
        raise DsmError(refusal)
    snapshot = lun.add_snapshot(
        int(now),
        description,
        locked=call.flag("is_locked"),
        app_consistent=call.flag("is_app_consistent"),
        taken_by=taken_by or "webapi",
        name=name or None,
    )
    lun.action_locked_until = now + _ACTION_SECONDS
    return Reply({"snapshot_id": snapshot.snapshot_id, "snapshot_uuid": snapshot.uuid})


def _optional_text(call: Call, key: str) -> str:
    value = call.parameters.get(key, "")
    if not isinstance(value, str):
        raise DsmError(LunCode.MALFORMED)
    return value


def _find_snapshot(nas: Nas, uuid: str) -> tuple[Lun, LunSnapshot] | None:
    for lun in nas.luns:
        snapshot = lun.snapshot(uuid)
        if snapshot is not None:
            return lun, snapshot
    return None


def delete(nas: Nas, call: Call) -> Reply:
    """Delete one snapshot (`snapshot_uuid`) or several (`snapshot_uuids`)."""
    if "snapshot_uuids" in call.parameters:
        uuids = call.texts("snapshot_uuids", wrong=LunCode.MALFORMED)
        codes = [(uuid, _delete_one(nas, uuid)) for uuid in uuids]
        return Reply([{uuid: int(code)} for uuid, code in codes if code is not None])
    uuid = call.text("snapshot_uuid", missing=LunCode.MISSING, wrong=LunCode.MALFORMED)
    refusal = _delete_one(nas, uuid)
    if refusal is not None:
        raise DsmError(refusal)
    return Reply()


def _delete_one(nas: Nas, uuid: str) -> LunCode | None:
    found = _find_snapshot(nas, uuid)
    if found is None:
        return LunCode.NO_SUCH_SNAPSHOT
    lun, snapshot = found
    if snapshot.locked_app_keys or snapshot.immutable(nas.clock.now()):
        return LunCode.LOCKED
    remove(nas, lun, snapshot)
    return None


def remove(nas: Nas, lun: Lun, snapshot: LunSnapshot) -> None:
    """Take a snapshot away; its space comes back minutes later."""
    lun.snapshots.remove(snapshot)
    volume = nas.volume(lun.volume)
    if volume is not None:
        volume.reclaim.append((nas.clock.now() + RECLAIM_SECONDS, snapshot.exclusive))


def change(nas: Nas, call: Call) -> Reply:
    """Change description and lock; these parameters are inferred, not observed."""
    uuid = call.text("snapshot_uuid", missing=LunCode.MISSING, wrong=LunCode.MALFORMED)
    found = _find_snapshot(nas, uuid)
    if found is None:
        raise DsmError(LunCode.NO_SUCH_SNAPSHOT)
    snapshot = found[1]
    if "description" in call.parameters:
        snapshot.description = _optional_text(call, "description")
    snapshot.locked = call.flag("is_locked", default=snapshot.locked)
    return Reply()
