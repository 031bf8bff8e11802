"""Sentences of the policy language, section *Replication*."""

from __future__ import annotations

import pytest
from builders import (
    at,
    codes,
    lun,
    plan,
    policy,
    record,
    replication,
    share,
    snap,
    synced,
    whole,
    wish,
)

from reconciler.calendar import every
from reconciler.model import Kind, ReplicationPlan
from reconciler.planning.plan import State, TargetPlan
from reconciler.policy.model import Replicate, Window
from reconciler.zones import zone

NOW = "11-23 12:05"


def planned(*plans: ReplicationPlan, now: str = NOW, **extra: object) -> TargetPlan:
    """Plan the share docs, in order but for its replication every 6 h."""
    known = {"hostnames": extra.pop("hostnames", {})}
    wanted = Replicate(every("6h"), **extra)  # type: ignore[arg-type]  # a test's own
    target = share(snap("11-23 12:00"))
    return plan(target, policy("1d", rpo=None, replicate=wanted), now, plans=plans, **known)


@pytest.mark.parametrize(
    ("extra", "number"),
    [
        ({}, 1),
        ({"target_ids": frozenset({"u-docs"})}, 1),
        ({"target_ids": frozenset({"DOCS"})}, 1),
        ({"target_ids": frozenset({"docs-2"})}, 0),
        ({"kind": Kind.LUN}, 0),
        ({"kind": None}, 0),
        ({"role": 3}, 0),
    ],
)
def test_the_plans_of_a_target(extra: dict[str, object], number: int) -> None:
    """The plans of a target: role 1, the type fits, the id or name is its uuid or name."""
    found = planned(replication(**extra))
    assert len(synced(found)) == number
    assert ("no-replication-plan" in codes(found)) == (number == 0)


@pytest.mark.parametrize(
    ("asked", "hostnames", "number"),
    [
        ({"to": "DR-1"}, {}, 1),
        ({"to": "dr-2"}, {}, 0),
        ({"to": "Vault"}, {"vault": "dr-1"}, 1),
        ({"to": "dr-1"}, {"dr-1": "elsewhere"}, 0),
        ({"plan": "p1"}, {}, 1),
        ({"plan": "P1"}, {}, 0),
    ],
)
def test_plans_are_narrowed_by_to_and_plan(
    asked: dict[str, str], hostnames: dict[str, str], number: int
) -> None:
    """`to`: of a unit of the inventory the hostname reported last, else the word; `plan` an id."""
    found = planned(replication(), hostnames=hostnames, **asked)
    assert len(synced(found)) == number
    assert (found.state is State.MISSING) == (number == 0)


def test_none_says_where_to_make_one() -> None:
    """None: a finding that says where in DSM to make one, and no sync."""
    found = planned(to="dr-9")
    (finding,) = [f for f in found.findings if f.code == "no-replication-plan"]
    assert "Snapshot Replication > Replication > Create" in finding.next_step
    assert "dr-9" in finding.text
    assert not synced(found)


def test_one_that_fits_two_targets_is_never_run() -> None:
    """A plan that fits two targets: a finding, drift, and no sync of either."""
    wanted = wish(policy("1d", rpo=None, replicate=Replicate(every("6h"))))
    twin = share(uuid="docs", name="other")
    found = whole(wanted, NOW, share(snap("11-23 12:00")), twin, plans=(replication(),))
    assert not synced(found)
    assert "ambiguous-plan" in codes(found.targets[0])
    assert found.targets[0].state is State.DRIFTED


@pytest.mark.parametrize(
    ("extra", "number"),
    [
        ({"records": (record("11-23 11:59:59", success=True),)}, 1),
        ({"records": (record("11-23 12:00", success=True),)}, 0),
        ({"syncing_since": at("11-23 12:00")}, 0),
        ({"syncing_since": at("11-23 11:59")}, 1),
        ({"busy": True}, 0),
        (
            {
                "records": (
                    record("11-23 12:00", success=True),
                    record("11-23 12:01", success=False),
                )
            },
            0,
        ),
    ],
)
def test_synced_when_no_attempt_began_since_the_due_time(
    extra: dict[str, object], number: int
) -> None:
    """Synced when no attempt, recorded or running, began since the latest due time."""
    assert len(synced(planned(replication(**extra)))) == number


def test_a_busy_plan_is_no_drift() -> None:
    """A busy plan is never called and is no drift."""
    found = planned(replication(busy=True))
    assert found.state is State.COMPLIANT
    assert found.actions == ()


@pytest.mark.parametrize(
    ("failures", "now", "number"),
    [
        (("12:00",), "12:15:59", 0),
        (("12:00",), "12:16", 1),
        (("12:00", "12:16"), "12:46", 0),
        (("12:00", "12:16"), "12:47", 1),
        (("12:00", "12:16", "12:47"), "13:47", 0),
        (("12:00", "12:16", "12:47"), "13:48", 1),
        (("11:00", "11:20", "11:55"), "12:00", 1),
    ],
)
def test_after_a_failure_again_after_15_30_60_minutes(
    failures: tuple[str, ...], now: str, number: int
) -> None:
    """After a failure again after 15, 30, 60 … min while the same due time lasts."""
    records = tuple(record(f"11-23 {began}", success=False) for began in failures)
    found = planned(replication(records=records), now=f"11-23 {now}")
    assert len(synced(found)) == number


@pytest.mark.parametrize(
    ("window", "open_at", "shut_at"),
    [
        (Window(12 * 60, 13 * 60), ("12:00", "12:59"), ("11:59", "13:00")),
        (Window(22 * 60, 5 * 60), ("22:00", "00:00", "04:59"), ("21:59", "05:00", "12:00")),
        (Window(60, 60), ("00:59", "01:00", "12:00"), ()),
    ],
)
def test_a_window_may_cross_midnight(
    window: Window, open_at: tuple[str, ...], shut_at: tuple[str, ...]
) -> None:
    """`window` may cross midnight, its end exclusive; a sync due outside it waits."""
    for moments, number in ((open_at, 1), (shut_at, 0)):
        for moment in moments:
            found = planned(replication(), now=f"11-23 {moment}", window=window)
            assert len(synced(found)) == number, moment


def test_the_window_is_in_the_policys_zone() -> None:
    """`window` is in `timezone`: 11:05 UTC is 12:05 in Zurich, in summer 13:05."""
    noon = Window(12 * 60, 13 * 60)
    assert synced(planned(replication(), now="11-23T11:05+00:00", window=noon))
    assert not synced(planned(replication(), now="07-23T11:05+00:00", window=noon))
    assert zone("Europe/Zurich").key == planned().zone


@pytest.mark.parametrize("lock", [False, True])
def test_lock_synced_is_handed_on(*, lock: bool) -> None:
    """`lock_synced` is DSM's "lock the synced snapshot"; default false."""
    (change,) = synced(planned(replication(send_encrypted=True), lock_synced=lock))
    assert change.lock_synced is lock
    assert change.send_encrypted
    assert change.due == at("11-23 12:00")


def test_a_plan_that_cannot_sync_is_told_and_not_called() -> None:
    """Where DSM says that a plan cannot sync now it is a finding and drift, no call."""
    found = planned(replication(can_sync=False))
    assert not synced(found)
    assert "cannot-sync" in codes(found)
    assert found.state is State.DRIFTED


@pytest.mark.parametrize(
    ("records", "late"),
    [
        ((), True),
        ((record("11-23 00:04:59", success=True),), True),
        ((record("11-23 00:05", success=True),), False),
        ((record("11-23 12:00", success=False),), True),
    ],
)
def test_replicate_rpo_is_the_age_of_the_snapshot_last_synced(
    records: tuple[object, ...], *, late: bool
) -> None:
    """`replicate.rpo`: beyond it, or with none though one was due, the target is `late`."""
    found = planned(replication(records=records), rpo=12 * 3600)
    assert (found.state is State.LATE) is late
    assert ("replica-late" in codes(found)) is late


def test_the_synced_snapshots_own_time_decides_not_the_attempts() -> None:
    """What was synced is as old as its snapshot, however late the attempt that brought it."""
    old = snap("11-22 12:00")
    done = record("11-23 11:59", success=True, snapshot=old.name)
    wanted = policy("1d", rpo=None, replicate=Replicate(every("6h"), rpo=12 * 3600))
    plans = (replication(records=(done,)),)
    found = plan(share(old, snap("11-23 12:00")), wanted, NOW, plans=plans)
    assert found.state is State.LATE


def test_a_luns_plan_is_run_too() -> None:
    """LUNs have plans of their own type, named by the LUN's uuid."""
    wanted = policy("1d", rpo=None, replicate=Replicate(every("6h")))
    mine = replication(kind=Kind.LUN, target_ids=frozenset({"0badcafe-77"}))
    assert synced(plan(lun(), wanted, NOW, plans=(mine,)))
    assert not synced(plan(lun(), wanted, NOW, plans=(replication(),)))
