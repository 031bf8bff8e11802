"""What DSM does by itself: schedules, built-in retention, and how they are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.simulator import Retention, Schedule

if TYPE_CHECKING:
    from conftest import Door

    from reconciler.simulator import Nas

HOUR = 3600
DAY = 86400
ZONE = "Europe/Zurich"
API = "Core.Share.Snapshot"


def test_scheduled_snapshots(nas: Nas) -> None:
    """A scheduled snapshot is marked, described by DSM, and named a second after its minute."""
    share = nas.share("projects")
    share.schedule = Schedule(enabled=True, task_id=5, hour=0, repeat_hours=6, last_hour=18)
    nas.clock.advance(DAY)
    nas.tick()
    assert [s.name for s in share.snapshots] == [
        "GMT+01-2026.11.24-18.00.01",
        "GMT+01-2026.11.25-00.00.01",
        "GMT+01-2026.11.25-06.00.01",
        "GMT+01-2026.11.25-12.00.01",
    ]
    assert {(s.scheduled, s.locked, s.description) for s in share.snapshots} == {
        (True, False, "Scheduled snapshot taken by [nas-1]")
    }


def test_a_destination_is_not_scheduled(nas: Nas) -> None:
    """DSM skips the scheduled snapshot of a share that is a replication destination."""
    share = nas.share("projects")
    share.schedule = Schedule(enabled=True, task_id=5, hour=13)
    nas.add_plan("projects", role=2)
    nas.clock.advance(2 * HOUR)
    nas.tick()
    assert share.snapshots == []


def test_scheduled_snapshots_can_be_immutable(door: Door, nas: Nas) -> None:
    """With the WORM setting every scheduled snapshot is immutable, and `get_worm_lock` says so."""
    share = nas.share("projects")
    share.schedule = Schedule(enabled=True, task_id=5, hour=13)
    share.scheduled_immutable_days = 7
    asked = {"type": "Share", "name": "projects"}
    answer = door.data("DisasterRecovery.Retention", "get_worm_lock", **asked)
    assert answer == {"worm_lock_day": 7, "worm_lock_enable": True}
    nas.clock.advance(2 * HOUR)
    nas.tick()
    assert share.snapshots[0].immutable_days == 7


def test_a_schedule_keeps_its_trigger_after_disabling(door: Door, nas: Nas) -> None:
    """`next_trigger_time` outlives the schedule: only the flag tells whether it runs."""
    share = nas.share("projects")
    share.schedule = Schedule(enabled=False, task_id=5, hour=4, minute=30)
    answer = door.data(API, "get_schedule", name="projects")
    assert answer["enable_snapshot_schedule"] is False
    assert answer["schedule"]["next_trigger_time"] == "2026-11-25 04:30"
    share.schedule = Schedule()
    answer = door.data(API, "get_schedule", name="projects")
    assert (answer["task_id"], answer["schedule"]["next_trigger_time"]) == (-1, "")


def test_retention_reads_another_namespace_in_lower_case(door: Door, nas: Nas) -> None:
    """Only type "Share" reads a share's policy; "share" answers defaults that look like none."""
    nas.share("projects").retention = Retention(policy=128, advanced=95)
    exact = door.data("DisasterRecovery.Retention", "get", type="Share", name="projects")
    assert (exact["policyType"], exact["prefix"], exact["tid"]) == (128, "Share#", -1)
    other = door.data("DisasterRecovery.Retention", "get", type="share", name="projects")
    assert (other["policyType"], other["prefix"]) == (0, "share#")
    assert door.code("DisasterRecovery.Retention", "get") == 1001


def test_snapshot_info_of_a_share(door: Door, nas: Nas) -> None:
    """`Core.Share get` tells schedule and retention at once; no trigger means no schedule."""
    share = nas.share("projects")
    share.retention = Retention(policy=64, days=14)
    asked = {"name": "projects", "additional": ["snapshot_info"]}
    settings = door.data("Core.Share", "get", **asked)["snapshot_info"]
    assert settings["retention"]["retainDay"] == 14
    assert "next_trigger_time" not in settings["schedule"]
    share.schedule = Schedule(enabled=True, task_id=1, hour=4)
    settings = door.data("Core.Share", "get", **asked)["snapshot_info"]
    assert settings["schedule"]["next_trigger_time"] == "2026-11-25 04:00"


@pytest.mark.parametrize("protection", ["locked", "immutable", "preserved", "synced"])
def test_retention_spares_what_is_protected(nas: Nas, protection: str) -> None:
    """Automatic retention never removes what is locked, immutable, held or last synced."""
    share, old = nas.share("projects"), nas.clock.now() - 30 * DAY
    kept = share.add_snapshot(
        old,
        locked=protection == "locked",
        preserved=protection == "preserved",
        immutable_days=60 if protection == "immutable" else None,
    )
    if protection == "synced":
        nas.add_plan("projects", last_reference=kept.name)
    share.add_snapshot(old + 1)
    share.retention = Retention(policy=64, days=7)
    nas.clock.advance(DAY)
    nas.tick()
    assert share.snapshots == [kept]


def test_keep_latest() -> None:
    """`policyType` 20 keeps the latest N."""
    retention = Retention(policy=20, recently=2)
    assert retention.removable([1.0, 2.0, 3.0], now=9.0, zone=ZONE) == {1.0}


def test_the_earliest_of_each_period_is_kept() -> None:
    """The advanced policy keeps the earliest snapshot of a day, and skips empty days."""
    noon = 1795518000.0
    times = [noon - DAY * day - HOUR * hour for day in (0, 1, 5) for hour in (0, 3)]
    retention = Retention(policy=128, advanced=4, daily=2)
    kept = set(times) - retention.removable(times, now=noon, zone=ZONE)
    assert kept == {noon, noon - 3 * HOUR, noon - DAY - 3 * HOUR}


def test_everything_near_the_newest_stays() -> None:
    """All snapshots within one hour of the newest are kept."""
    times = [1000.0, 5000.0, 8600.0, 8599.0]
    retention = Retention(policy=128, advanced=1, minimum=1)
    assert retention.removable(times, now=9000.0, zone=ZONE) == {1000.0}


def test_no_policy_removes_nothing() -> None:
    """Policy 0 and "keep all" prune nothing, whatever the other figures say."""
    for policy in (0, 1 << 31):
        assert not Retention(policy=policy, days=0).removable([1.0], now=9e9, zone=ZONE)


def test_a_clock_turned_back_does_not_replay(nas: Nas) -> None:
    """After the clock went back nothing happens until the next due time."""
    share = nas.share("projects")
    share.schedule = Schedule(enabled=True, task_id=5, hour=13)
    nas.clock.advance(2 * HOUR)
    nas.tick()
    nas.clock.advance(-HOUR / 2)
    nas.tick()
    assert len(share.snapshots) == 1


def test_a_schedule_skips_days_outside_its_week() -> None:
    """Weekdays count from Sunday as 0."""
    monday = Schedule(enabled=True, hour=4, weekdays=[1])
    tuesday_noon = 1795518000.0
    assert monday.following(tuesday_noon, ZONE) == tuesday_noon + 6 * DAY - 8 * HOUR


def test_the_log_names_what_was_taken(door: Door) -> None:
    """The log feed speaks the NAS's local time and names share, snapshot and account."""
    name = door.data(API, "create", name="projects")
    (line,) = door.data("DisasterRecovery.Log", "list", offset=0, limit=10)["log_list"]
    assert line["time"] == "2026/11/24 12:00:00"
    assert line["event"] == (
        f"Took a shared folder snapshot [{name}] from share [projects] by [svc-snapshots]."
    )


def test_a_luns_schedule_and_retention(door: Door, nas: Nas) -> None:
    """A LUN's scheduled snapshots say so in `taken_by`; its retention spares locked ones."""
    lun = nas.lun("LUN-1")
    kept = lun.add_snapshot(nas.clock.now() - 30 * DAY, locked=True)
    lun.add_snapshot(nas.clock.now() - 29 * DAY)
    lun.schedule = Schedule(enabled=True, task_id=3, hour=13)
    lun.retention = Retention(policy=64, days=7)
    nas.clock.advance(2 * HOUR)
    nas.tick()
    first, scheduled = lun.snapshots
    assert first is kept
    assert (scheduled.taken_by, scheduled.name) == ("scheduler", "SnapShot-3")
    door.sign_in()
    (row,) = door.data("Core.ISCSI.LUN", "list")["luns"]
    assert row["scheduled_task"][0]["general"]["task_enabled"] is True
    assert row["retention"]["policyType"] == 64


def test_retention_may_run_at_an_hour_of_its_own(nas: Nas) -> None:
    """Without a schedule retention runs once a day, at the hour that is set."""
    share = nas.share("projects")
    share.add_snapshot(nas.clock.now() - 30 * DAY)
    share.retention = Retention(policy=64 | 32, days=7, run_hour=13)
    nas.clock.advance(HOUR - 1)
    nas.tick()
    assert len(share.snapshots) == 1
    nas.clock.advance(1)
    nas.tick()
    assert share.snapshots == []


def test_a_scheduled_plan_syncs_by_itself(nas: Nas) -> None:
    """A plan with a schedule syncs at its times, one sync after the other."""
    plan = nas.add_plan("projects", schedule=Schedule(enabled=True, task_id=1, repeat_hours=1))
    nas.clock.advance(3 * HOUR)
    nas.tick()
    assert [record.snapshot[-8:] for record in plan.records] == ["13.00.01", "14.00.01"]
    assert plan.running is not None
