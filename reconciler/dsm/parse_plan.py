"""Replication plans off the wire: optional blocks under `additional`, codes read warily."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.dsm import fields
from reconciler.dsm.parse import KIND_OF_TARGET
from reconciler.model import ReplicationPlan, SyncRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDITIONAL = (
    "sync_policy",
    "sync_report",
    "main_site_info",
    "dr_site_info",
    "can_do",
    "op_info",
    "last_op_info",
    "topology",
    "testfailover_info",
    "retention_lock_report",
)
"""Every block that is documented."""

READ = (
    "sync_policy",
    "sync_report",
    "main_site_info",
    "dr_site_info",
    "can_do",
    "op_info",
    "retention_lock_report",
)
"""The blocks that are read: `topology` repeats the whole plan for each site."""

_IDLE = 1


def plans(data: Any) -> tuple[ReplicationPlan, ...]:
    """Read `SYNO.DR.Plan list`."""
    return tuple(_plan(row) for row in fields.rows(data, "plans", "the list of replication plans"))


def _plan(row: Mapping[str, Any]) -> ReplicationPlan:
    extra = fields.block(row, "additional") or row
    report = fields.block(extra, "sync_report")
    main, destination = fields.block(extra, "main_site_info"), fields.block(extra, "dr_site_info")
    locked = fields.block(extra, "retention_lock_report")
    running = report.get("syncing_record")
    records = _records(report)
    return ReplicationPlan(
        plan_id=fields.text(row, "plan_id"),
        role=fields.number(row, "role"),
        kind=KIND_OF_TARGET.get(fields.number(row, "target_type", 0)),
        target_ids=_ids(row),
        to_local=fields.flag(row, "is_to_local", default=False),
        main_node=fields.text(row, "main_site", "") or fields.text(main, "node_id", ""),
        destination_node=fields.text(row, "dr_site", "") or fields.text(destination, "node_id", ""),
        destination_host=fields.text(destination, "hostname", ""),
        destination_ids=_ids(destination),
        busy=_busy(extra, running),
        progress=_progress(extra),
        can_sync=fields.flag(fields.block(extra, "can_do"), "can_sync", default=False),
        send_encrypted=fields.flag(
            fields.block(extra, "sync_policy"), "is_send_encrypted", default=False
        ),
        records=records,
        syncing_since=_began(running),
        successes=fields.number(report, "success_sync_count", 0),
        last_snapshot=fields.text(locked, "last_snapshot", ""),
    )


def _ids(row: Mapping[str, Any]) -> frozenset[str]:
    found = (fields.text(row, key, "") for key in ("target_id", "target_name"))
    return frozenset(name for name in found if name)


def _busy(extra: Mapping[str, Any], running: Any) -> bool:
    """Whether the plan is anything but known to be idle.

    Status 1 with a percentage of -1 was seen on an idle plan; no other code is established.
    """
    operation = fields.block(extra, "op_info")
    idle = fields.number(operation, "op_status", 0) == _IDLE
    return not idle or _progress(extra) is not None or running is not None


def _progress(extra: Mapping[str, Any]) -> int | None:
    progress = fields.block(fields.block(extra, "op_info"), "op_progress")
    percentage = fields.number(progress, "percentage", -1)
    return percentage if percentage >= 0 else None


def _records(report: Mapping[str, Any]) -> tuple[SyncRecord, ...]:
    listed = report.get("recent_records")
    found = [
        SyncRecord(
            snapshot=fields.text(row, "snapshot_version", ""),
            began=fields.number(row, "begin_time"),
            finished=fields.number(row, "finish_time", 0) or None,
            success=fields.flag(row, "is_success", default=False),
        )
        for row in (listed if isinstance(listed, list) else [])
        if isinstance(row, dict)
    ]
    return tuple(sorted(found, key=lambda record: record.began))


def _began(running: Any) -> int | None:
    if not isinstance(running, dict):
        return None
    return fields.number(running, "begin_time", 0) or None
