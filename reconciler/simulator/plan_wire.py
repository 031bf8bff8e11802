"""How a replication plan looks on the wire; every optional block sits under `additional`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.simulator.naming import ctime
from reconciler.simulator.plan import MAIN_SITE, RECOVERY_SITE, TARGET_SHARE, Plan, SyncRecord
from reconciler.simulator.sync import lun_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.simulator.nas import Nas

_IDLE: Final = 1
_SYNC: Final = 16
_SCHEDULED_MODE: Final = 2
_MANUAL_MODE: Final = 1
_WINDOW: Final = [0xFFFFFF] * 7
_SCHEDULE_KEYS: Final = (
    "date_type", "hour", "last_work_hour", "min", "repeat_hour", "repeat_min", "week_name",
)  # fmt: skip


def _target_name(nas: Nas, plan: Plan) -> str:
    if plan.target_type == TARGET_SHARE:
        return plan.target
    lun = lun_of(nas, plan.target)
    return lun.name if lun else ""


def _sites(nas: Nas, plan: Plan) -> tuple[str, str]:
    """Return the node ids of the main and the recovery site."""
    remote = nas.node_id if plan.to_local else plan.remote_node
    here_is_main = plan.role == MAIN_SITE
    return (nas.node_id, remote) if here_is_main else (remote, nas.node_id)


def _operation(nas: Nas, plan: Plan) -> dict[str, Any]:
    running = plan.running
    if running is None:
        return {"op_progress": {"percentage": -1}, "op_status": _IDLE}
    return {"op_progress": {"percentage": _percentage(nas, plan)}, "op_status": _SYNC}


def _percentage(nas: Nas, plan: Plan) -> int:
    running = plan.running
    if running is None:
        return -1
    done = (nas.clock.now() - running.begin) / max(running.finish - running.begin, 1e-9)
    return max(0, min(99, int(done * 100)))


def _site(nas: Nas, plan: Plan, role: int) -> dict[str, Any]:
    local = role == plan.role
    main, recovery = _sites(nas, plan)
    here, there = _target_name(nas, plan), plan.remote_target
    return {
        "hostname": nas.name if local or plan.to_local else plan.remote_host,
        "node_id": main if role == MAIN_SITE else recovery,
        "op_info": _operation(nas, plan),
        "plan_id": plan.plan_id,
        "role": role,
        "status": plan.status,
        "target_id": plan.target if local else there,
        "target_name": here if local else there,
    }


def _policy(nas: Nas, plan: Plan) -> dict[str, Any]:
    now = nas.clock.now()
    schedule = plan.schedule.wire(after=now, zone=nas.zone)
    trigger = plan.schedule.following(now, nas.zone)
    return {
        "enabled": plan.schedule.enabled,
        "is_app_aware": False,
        "is_send_encrypted": plan.send_encrypted,
        "is_sync_local_snapshots": plan.sync_local_snapshots,
        "mode": _mode(plan),
        "next_trigger_time": int(trigger or 0),
        "notify_time_in_min": 720,
        "readable_next_trigger_time": ctime(trigger, nas.zone) + "\n" if trigger else "",
        "schedule": {key: schedule[key] for key in _SCHEDULE_KEYS},
        "sync_window": {"enabled": False, "window": list(_WINDOW)},
        "worm_lock_day": plan.immutable_days or 7,
        "worm_lock_enable": plan.immutable_days > 0,
        "worm_lock_notify_time": 0,
    }


def _mode(plan: Plan) -> int:
    return _SCHEDULED_MODE if plan.schedule.enabled else _MANUAL_MODE


def _record(nas: Nas, plan: Plan, record: SyncRecord) -> dict[str, Any]:
    main, recovery = _sites(nas, plan)
    return {
        "begin_time": int(record.begin),
        "current_speed": 0,
        "data_size_byte": record.sent,
        "dr_site": recovery,
        "elapsed_time": int(record.finish - record.begin),
        "extra": {"site_task": {"site_id": recovery, "task_op": 2}},
        "finish_time": int(record.finish),
        "is_done": True,
        "is_stopped": False,
        "is_success": record.succeeded,
        "main_site": main,
        "readable_begin_time": ctime(record.begin, nas.zone) + "\n",
        "readable_finish_time": ctime(record.finish, nas.zone) + "\n",
        "snapshot_version": record.snapshot,
        "sync_size_byte": record.sent,
        "total_size_byte": record.sent,
        "update_time": int(record.finish),
        "version": 3,
    }


def _running_record(nas: Nas, plan: Plan) -> dict[str, Any] | None:
    running = plan.running
    if running is None:
        return None
    shown = SyncRecord(
        snapshot=running.snapshot,
        begin=running.begin,
        finish=running.begin,
        sent=running.sent * _percentage(nas, plan) // 100,
        succeeded=False,
    )
    row = _record(nas, plan, shown)
    return row | {"is_done": False, "finish_time": 0, "readable_finish_time": ""}


def _report(nas: Nas, plan: Plan) -> dict[str, Any]:
    good = [record for record in plan.records if record.succeeded]
    return {
        "fail_sync_count": len(plan.records) - len(good),
        "recent_records": [_record(nas, plan, record) for record in plan.records],
        "success_sync_count": len(good),
        "syncing_record": _running_record(nas, plan),
        "total_success_sync_size_byte": sum(record.sent for record in good),
        "total_success_sync_time_sec": sum(int(r.finish - r.begin) for r in good),
    }


def _last_operation(_nas: Nas, plan: Plan) -> dict[str, Any]:
    if not plan.records:
        return {"err_code": 0, "is_success": True, "op_status": _IDLE, "update_time": 0}
    last = plan.records[-1]
    return {
        "err_code": last.error,
        "is_success": last.succeeded,
        "op_status": _SYNC,
        "update_time": int(last.finish),
    }


def _can(_nas: Nas, plan: Plan) -> dict[str, Any]:
    idle = plan.running is None
    return {
        "can_cleanup_testfailover": False,
        "can_delete": idle,
        "can_edit": idle,
        "can_export": False,
        "can_failover": False,
        "can_import": False,
        "can_switchover": plan.can_sync,
        "can_sync": plan.can_sync,
        "can_testfailover": plan.can_sync,
        "candidate_reprotect_new_mainsite": None,
    }


def _topology_site(nas: Nas, plan: Plan, role: int) -> dict[str, Any]:
    site = _site(nas, plan, role)
    other = _site(nas, plan, RECOVERY_SITE if role == MAIN_SITE else MAIN_SITE)
    summary = {
        "additional": {"sync_policy": _policy(nas, plan)},
        # Seen from the recovery site the same plan does not count as local.
        "is_to_local": plan.to_local and role == MAIN_SITE,
        "plan_id": plan.plan_id,
        "remote_target_name": other["target_name"],
        "role": role,
        "status": plan.status,
        "target_id": plan.target,
        "target_name": _target_name(nas, plan),
    }
    return {
        "addr": "",
        "hostname": site["hostname"],
        "node_id": site["node_id"],
        "plans": [summary],
        "status": 1,
    }


def _topology(nas: Nas, plan: Plan) -> dict[str, Any]:
    main, recovery = _sites(nas, plan)
    return {
        "links": [{"dr_site": recovery, "main_site": main, "plan_id": plan.plan_id}],
        "sites": [_topology_site(nas, plan, role) for role in (MAIN_SITE, RECOVERY_SITE)],
        "target": {"target_id": plan.target, "target_type": plan.target_type},
    }


def _lock_report(_nas: Nas, plan: Plan) -> dict[str, Any]:
    return {
        "first_snapshot": plan.first_snapshot,
        "last_snapshot": plan.last_snapshot,
        "retain_first": plan.retain_first,
    }


BLOCKS: Final[dict[str, Callable[[Nas, Plan], Any]]] = {
    "can_do": _can,
    "dr_site_info": lambda nas, plan: _site(nas, plan, RECOVERY_SITE),
    "last_op_info": _last_operation,
    "main_site_info": lambda nas, plan: _site(nas, plan, MAIN_SITE),
    "op_info": _operation,
    "retention_lock_report": _lock_report,
    "sync_policy": _policy,
    "sync_report": _report,
    "testfailover_info": lambda _nas, _plan: None,
    "topology": _topology,
}


def plan_row(nas: Nas, plan: Plan, asked: tuple[str, ...]) -> dict[str, Any]:
    """Return a plan as `list` shows it, with the blocks that were asked for."""
    main, recovery = _sites(nas, plan)
    row: dict[str, Any] = {
        "dr_site": recovery,
        "is_to_local": plan.to_local,
        "main_site": main,
        "plan_id": plan.plan_id,
        "role": plan.role,
        "role_str": "mainsite" if plan.role == MAIN_SITE else "drsite",
        "solution_type": 1,
        "sync_mode": _mode(plan),
        "target_id": plan.target,
        "target_type": plan.target_type,
    }
    known = [key for key in asked if key in BLOCKS]
    if known:
        row["additional"] = {key: BLOCKS[key](nas, plan) for key in known}
    return row
