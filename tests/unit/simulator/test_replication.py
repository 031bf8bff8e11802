"""Replication plans: what they show, and what a sync leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.simulator import Plan, Schedule

if TYPE_CHECKING:
    from conftest import Door

    from reconciler.simulator import Nas

BLOCKS = ["op_info", "last_op_info", "can_do", "sync_report", "retention_lock_report"]


@pytest.fixture
def plan(nas: Nas) -> Plan:
    """Return a plan of the share to another NAS."""
    return nas.add_plan("projects", remote_target="projects")


def show(door: Door, additional: list[str] | None = None) -> dict[str, Any]:
    """Return the first plan as listed."""
    return door.data("DR.Plan", "list", additional=additional or [])["plans"][0]


def sync(door: Door, plan: Plan, **more: Any) -> int:
    """Ask for a sync and return its code."""
    return door.code("DR.Plan", "sync", plan_id=plan.plan_id, nowait=True, **more)


def test_blocks_come_only_when_asked_for(door: Door, plan: Plan, nas: Nas) -> None:
    """Optional blocks sit under `additional`, and without a request there is none."""
    bare = show(door)
    assert bare == {
        "dr_site": plan.remote_node,
        "is_to_local": False,
        "main_site": nas.node_id,
        "plan_id": plan.plan_id,
        "role": 1,
        "role_str": "mainsite",
        "solution_type": 1,
        "sync_mode": 1,
        "target_id": "projects",
        "target_type": 2,
    }
    assert set(show(door, ["op_info"])["additional"]) == {"op_info"}


def test_a_sync_takes_time(door: Door, plan: Plan, nas: Nas) -> None:
    """While it runs the plan is busy and shows a syncing record; afterwards a finished one."""
    assert sync(door, plan, is_snapshot_locked=False, sync_description="d") == 0
    nas.clock.advance(16)
    blocks = show(door, BLOCKS)["additional"]
    assert blocks["op_info"] == {"op_progress": {"percentage": 50}, "op_status": 16}
    assert blocks["can_do"]["can_sync"] is False
    assert blocks["sync_report"]["syncing_record"]["is_done"] is False
    assert blocks["sync_report"]["recent_records"] == []
    assert sync(door, plan) == 512
    nas.clock.advance(20)
    blocks = show(door, BLOCKS)["additional"]
    assert blocks["op_info"] == {"op_progress": {"percentage": -1}, "op_status": 1}
    assert blocks["sync_report"]["syncing_record"] is None
    (record,) = blocks["sync_report"]["recent_records"]
    assert record["snapshot_version"] == "GMT+01-2026.11.24-12.00.00"
    assert record["begin_time"] == nas.clock.now() - 35
    assert blocks["retention_lock_report"]["last_snapshot"] == record["snapshot_version"]
    assert blocks["last_op_info"]["is_success"] is True


def test_a_sync_leaves_its_own_snapshot(door: Door, plan: Plan, nas: Nas) -> None:
    """The source keeps a snapshot of each sync, locked as asked."""
    assert sync(door, plan, is_snapshot_locked=True, sync_description="mine") == 0
    (made,) = nas.share("projects").snapshots
    assert (made.name, made.locked, made.description) == (
        "GMT+01-2026.11.24-12.00.00",
        True,
        "mine",
    )


def test_a_sync_waits_for_a_free_second(door: Door, plan: Plan, nas: Nas) -> None:
    """A creation and a sync in one second get two names."""
    door.data("Core.Share.Snapshot", "create", name="projects")
    assert sync(door, plan) == 0
    assert [s.name[-8:] for s in nas.share("projects").snapshots] == ["12.00.00", "12.00.01"]


def test_a_failed_sync_moves_nothing(door: Door, plan: Plan, nas: Nas) -> None:
    """A failed sync leaves a failed record and the last synced snapshot where it was."""
    plan.fail_next = 9
    sync(door, plan)
    nas.clock.advance(60)
    blocks = show(door, BLOCKS)["additional"]
    assert blocks["last_op_info"]["err_code"] == 9
    assert blocks["last_op_info"]["is_success"] is False
    assert blocks["sync_report"]["fail_sync_count"] == 1
    assert blocks["retention_lock_report"]["last_snapshot"] == ""
    assert sync(door, plan) == 0


def test_a_local_destination_gets_the_same_name(door: Door, nas: Nas) -> None:
    """A plan to a share on the same NAS fills it under the source's name."""
    copy = nas.add_share("copy", local_time_format=False)
    plan = nas.add_plan("projects", to_local=True, remote_target="copy")
    sync(door, plan)
    assert copy.snapshots == []
    nas.clock.advance(60)
    site = show(door, ["dr_site_info"])["additional"]["dr_site_info"]
    assert (site["target_id"], site["node_id"]) == ("copy", nas.node_id)
    assert door.names("copy") == ["GMT+01-2026.11.24-12.00.00"]


def test_a_recovery_site_keeps_the_other_nas_names(door: Door, nas: Nas) -> None:
    """At role 2 snapshots arrive by the plan's schedule under the source's zone, not by request."""
    plan = nas.add_plan(
        "projects",
        role=2,
        source_zone="Asia/Tokyo",
        schedule=Schedule(enabled=True, hour=13, task_id=1),
    )
    assert show(door)["role"] == 2
    assert sync(door, plan) == 513
    nas.clock.advance(2 * 3600)
    nas.tick()
    assert [s.name for s in nas.share("projects").snapshots] == ["GMT+09-2026.11.24-21.00.01"]


def test_a_luns_last_synced_snapshot_is_held(door: Door, nas: Nas) -> None:
    """The package's key moves to the newest synced snapshot and refuses its deletion."""
    lun = nas.lun("LUN-1")
    plan = nas.add_plan(lun.uuid, target_type=1)
    for _ in range(2):
        assert sync(door, plan) == 0
        nas.clock.advance(60)
        nas.tick()
    first, second = lun.snapshots
    assert first.locked_app_keys == []
    assert second.locked_app_keys == [f"SnapshotReplication-synodr-{plan.plan_id}"]
    assert door.code("Core.ISCSI.LUN", "delete_snapshot", snapshot_uuid=second.uuid) == 18990540


def test_losing_the_last_synced_snapshot_costs_a_full_sync(
    door: Door, plan: Plan, nas: Nas
) -> None:
    """Without the last synced snapshot the next sync transfers everything."""
    for delete in (False, True):
        sync(door, plan)
        nas.clock.advance(60)
        nas.tick()
        if delete:
            door.data("Core.Share.Snapshot", "delete", name="projects", snapshots=door.names())
    sync(door, plan)
    nas.clock.advance(60)
    nas.tick()
    assert [r.sent for r in plan.records] == [plan.full_bytes, plan.delta_bytes, plan.full_bytes]


def test_a_preserved_snapshot_of_a_share(door: Door, plan: Plan, nas: Nas) -> None:
    """Where DSM preserves a share's last synced snapshot, no list shows it and 3337 tells."""
    plan.preserve = True
    sync(door, plan)
    nas.clock.advance(60)
    (name,) = door.names()
    answer = door.ask("Core.Share.Snapshot", "delete", name="projects", snapshots=[name])
    assert answer["data"] == [{name: 3337}]
