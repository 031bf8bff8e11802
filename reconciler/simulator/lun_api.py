"""`SYNO.Core.ISCSI.LUN`: LUNs and their snapshots.

`list` ignores paging and has no total; its `types` filter hides the virtual machines' LUNs.
The status of a snapshot is an object there and a text in `list_snapshot`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.simulator.api import Api, Method, versions
from reconciler.simulator.lun_write import change, delete, find_lun, take
from reconciler.simulator.share_list import check_additional
from reconciler.simulator.wire import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.simulator.lun import Lun, LunSnapshot
    from reconciler.simulator.nas import Nas

_ATTRIBUTES: Final = (
    ("emulate_3pc", 1),
    ("emulate_tpws", 1),
    ("emulate_caw", 1),
    ("emulate_tpu", 1),
    ("emulate_fua_write", 0),
    ("emulate_sync_cache", 0),
)
_QOS: Final = {"dev_limit": 0, "dev_reservation": 0, "dev_weight": 0, "iops_enable": 0}
_FAMILY: Final = {
    "parent_lun_name": "",
    "parent_lun_uuid": "",
    "parent_snapshot_time": 0,
    "parent_snapshot_uuid": "",
}


def _action_locked(lun: Lun, now: float) -> bool:
    return lun.action_locked_until is not None and now < lun.action_locked_until


_EXTRA: Final[dict[str, Callable[[Lun, float], dict[str, Any]]]] = {
    "allocated_size": lambda lun, _now: {"allocated_size": lun.size // 2},
    "status": lambda lun, _now: {"status": lun.status},
    "is_action_locked": lambda lun, now: {"is_action_locked": _action_locked(lun, now)},
    "is_mapped": lambda _lun, _now: {"is_mapped": True},
    "extent_size": lambda _lun, _now: {"extent_size": 0},
    "allow_bkpobj": lambda _lun, _now: {},
    "flashcache_status": lambda _lun, _now: {"flashcache_status": "no_cache"},
    "family_config": lambda _lun, _now: {"family_config": dict(_FAMILY)},
    "snapshot_info": lambda lun, _now: {
        "snapshots": [_snapshot(lun, each) | _status_object(each) for each in lun.snapshots]
    },
}


def _status_object(snapshot: LunSnapshot) -> dict[str, Any]:
    progress = {"percent": -1, "step": "waiting"}
    return {"status": {"progress": progress, "type": snapshot.status}}


def _snapshot(lun: Lun, snapshot: LunSnapshot) -> dict[str, Any]:
    return {
        "create_time": int(snapshot.at),
        "description": snapshot.description,
        "is_app_consistent": snapshot.app_consistent,
        "is_user_locked": snapshot.locked,
        "mapped_size": 0,
        "name": snapshot.name,
        "parent_lun_id": lun.lun_id,
        "parent_uuid": lun.uuid,
        "root_path": lun.volume,
        "snapshot_id": snapshot.snapshot_id,
        "snapshot_time": int(snapshot.at),
        "status": snapshot.status,
        "taken_by": snapshot.taken_by,
        "total_size": lun.size,
        "type": 2,
        "uuid": snapshot.uuid,
        "version": snapshot.version,
    }


def _task(nas: Nas, lun: Lun) -> dict[str, Any]:
    general = {
        "snap_rotate": lun.retention.prunes,
        "snap_type": "app",
        "task_enabled": lun.schedule.enabled,
        "task_name": f"Task {lun.name}",
        "tid": lun.schedule.task_id,
        "uuid": lun.uuid,
    }
    schedule = lun.schedule.wire(after=nas.clock.now(), zone=nas.zone)
    return {"general": general, "schedule": schedule}


def _row(nas: Nas, lun: Lun, asked: tuple[str, ...]) -> dict[str, Any]:
    attributes = (*_ATTRIBUTES, ("can_snapshot", int(lun.can_snapshot)))
    retention = lun.retention.wire(name=lun.uuid, prefix="LUN#") if lun.retention.prunes else None
    row = {
        "block_size": 512,
        "create_from": "",
        "description": lun.description,
        "dev_attribs": [{"dev_attrib": key, "enable": on} for key, on in attributes],
        "dev_attribs_bitmap": 31,
        "dev_config": "",
        "dev_qos": dict(_QOS),
        "direct_io_pattern": 0,
        "flashcache_id": -1,
        "location": lun.volume,
        "lun_id": lun.lun_id,
        "name": lun.name,
        "restored_time": 0,
        "retention": retention,
        "scheduled_task": [_task(nas, lun)],
        "size": lun.size,
        "type": lun.type_code,
        "type_str": lun.type_str,
        "uuid": lun.uuid,
        "vpd_unit_sn": lun.uuid,
    }
    for key in asked:
        if key in _EXTRA:
            row |= _EXTRA[key](lun, nas.clock.now())
    return dict(sorted(row.items()))


def _list(nas: Nas, call: Call) -> Reply:
    asked, types = call.additional(), call.parameters.get("types")
    check_additional(nas, asked, set(_EXTRA))
    shown = [lun for lun in nas.luns if not isinstance(types, list) or lun.type_str in types]
    return Reply({"luns": [_row(nas, lun, asked) for lun in shown]})


def _get(nas: Nas, call: Call) -> Reply:
    return Reply({"lun": _row(nas, find_lun(nas, call, "uuid"), call.additional())})


def _list_snapshots(nas: Nas, call: Call) -> Reply:
    lun, asked, now = find_lun(nas, call, "src_lun_uuid"), call.additional(), nas.clock.now()
    check_additional(nas, asked, {"locked_app_keys", "is_worm_locked"})
    rows = []
    for snapshot in lun.snapshots:
        row = _snapshot(lun, snapshot)
        if "locked_app_keys" in asked:
            row["locked_app_keys"] = list(snapshot.locked_app_keys)
        if "is_worm_locked" in asked:
            locked = snapshot.immutable(now)
            days = str(snapshot.immutable_days if locked else 0)
            row |= {"is_worm_locked": locked, "worm_lock_day": days}
        rows.append(row)
    return Reply({"count": len(rows), "snapshots": rows})


_V1: Final = versions(1)

APIS: Final = (
    Api(
        "SYNO.Core.ISCSI.LUN",
        1,
        1,
        {
            "list": Method(_V1, _list),
            "get": Method(_V1, _get),
            "list_snapshot": Method(_V1, _list_snapshots),
            "take_snapshot": Method(_V1, take, writes=True),
            "set_snapshot": Method(_V1, change, writes=True),
            "delete_snapshot": Method(_V1, delete, writes=True),
        },
    ),
)
