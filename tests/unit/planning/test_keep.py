"""Sentences of the policy language, section *keep*: its seven rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import (
    DAY,
    HOUR,
    at,
    bare,
    created,
    deleted,
    hold,
    lun,
    lun_snap,
    plan,
    policy,
    reasons,
    record,
    replication,
    share,
    snap,
    undated,
)

from reconciler import calendar
from reconciler.errors import InvalidDocuments
from reconciler.mark import Mark
from reconciler.planning.plan import Verdict
from reconciler.policy.load import load_policies
from reconciler.policy.model import Manage
from reconciler.retention import ALL, Pick

if TYPE_CHECKING:
    from pathlib import Path

NOW = "11-23 12:00"
TODAY = tuple(f"11-23 {hour:02d}:00" for hour in range(12))


def hours(*numbers: int) -> tuple[str, ...]:
    """Return the hours of the day as local times."""
    return tuple(f"11-23 {number:02d}:00" for number in numbers)


def days(first: int, last: int) -> tuple[str, ...]:
    """Return noon of days of November."""
    return tuple(f"11-{number:02d} 12:00" for number in range(first, last + 1))


def test_the_coming_creation_counts_as_existing() -> None:
    """Rule 1: the rules run with the coming creation, so `last: 2` leaves one of the old."""
    target = share(*map(snap, hours(6, 8, 10)))
    assert deleted(plan(target, policy(), NOW)) == ["11-23 06:00", "11-23 08:00"]
    assert deleted(plan(target, policy(""), NOW)) == ["11-23 06:00"]


def test_listing_order_is_not_time_order() -> None:
    """Rule 1: in time order, whatever the order of the list and of the names."""
    target = share(*map(snap, hours(10, 6, 8)))
    assert deleted(plan(target, policy(""), NOW)) == ["11-23 06:00"]


def test_within_is_strictly_younger_than_the_newest_not_the_clock() -> None:
    """Rule 2: strictly younger, from the newest usable one: nothing expires while none is made."""
    target = share(snap("11-20 12:00"), snap("11-20 12:00:01"), snap("11-21 12:00"))
    wanted = policy("", keep={"within": DAY})
    assert deleted(plan(target, wanted, "11-30 12:00")) == ["11-20 12:00"]


def test_within_is_measured_from_the_newest_usable_one() -> None:
    """Rule 2: an unmanaged newer one does not move what `within` is measured from."""
    target = share(snap("11-20 12:00"), snap("11-21 11:00"), snap("11-23 11:00", mark=None))
    assert deleted(plan(target, policy("", keep={"within": DAY}), NOW)) == []


def test_an_outage_expires_nothing_when_it_ends() -> None:
    """Rule 2: with `every`, at least as many of the newest as due times fit into the duration."""
    target = share(*map(snap, days(10, 13)))
    wanted = policy("1d", keep={"within": 3 * DAY})
    assert deleted(plan(target, wanted, "11-23 12:00")) == ["11-10 12:00", "11-11 12:00"]


def test_a_weekend_without_due_times_expires_nothing_when_it_ends() -> None:
    """Rule 2: with `cron`, the most due times that *any* span of that duration holds."""
    weekdays = replace(policy(keep={"within": 2 * DAY}), cadence=calendar.cron("0 12 * * 1-5"))
    target = share(snap("11-18 12:00"), snap("11-19 12:00"), snap("11-20 12:00"))  # Wed to Fri
    found = plan(target, weekdays, "11-23 12:00")  # Monday: two due times a span at most
    assert created(found)
    assert deleted(found) == ["11-18 12:00", "11-19 12:00"]


def test_periods_without_snapshots_are_not_counted() -> None:
    """Rule 3: the N most recent *non-empty* periods; a gap of a year costs nothing."""
    target = share(snap("2025-03-01 12:00"), snap("11-22 12:00"), snap("11-23 09:00"))
    assert deleted(plan(target, policy("", keep={"daily": 3}), NOW)) == []
    assert deleted(plan(target, policy("", keep={"daily": 2}), NOW)) == ["03-01 12:00"]


@pytest.mark.parametrize(
    ("pick", "gone"), [(Pick.EARLIEST, ["11-22 15:00"]), (Pick.LATEST, ["11-22 09:00"])]
)
def test_one_snapshot_stands_for_a_period_by_pick(pick: Pick, gone: list[str]) -> None:
    """Rule 3: one snapshot a period, the first by `earliest`, the last by `latest`."""
    times = ("11-21 08:00", "11-22 09:00", "11-22 15:00", "11-23 11:00")
    found = plan(share(*map(snap, times)), policy("", keep={"daily": 3}, pick=pick), NOW)
    assert deleted(found) == gone


def test_a_repeated_hour_is_two_periods() -> None:
    """Rule 3: an hour is (date, hour, UTC offset), so both passes of 02:00 have one each."""
    both = share(snap(at("10-25T00:10+00:00")), snap(at("10-25T01:10+00:00")), snap("10-25 12:00"))
    assert deleted(plan(both, policy("", keep={"hourly": 3}), "10-25 12:00")) == []
    one = share(snap(at("10-25T00:10+00:00")), snap(at("10-25T00:50+00:00")), snap("10-25 12:00"))
    assert deleted(plan(one, policy("", keep={"hourly": 3}), "10-25 12:00")) == ["10-25 02:50"]


def test_weeks_are_iso_weeks() -> None:
    """Rule 3: a week begins on Monday, also over the end of a year."""
    target = share(snap("2026-12-28 12:00"), snap("2027-01-03 12:00"), snap("2027-01-04 12:00"))
    found = plan(target, policy("", keep={"weekly": 9}), "2027-01-05 12:00")
    assert deleted(found) == ["01-03 12:00"]


def test_quarters_begin_in_january_april_july_and_october() -> None:
    """Rule 3: a quarter is a calendar quarter."""
    target = share(
        snap("03-31 12:00"), snap("04-01 12:00"), snap("06-30 12:00"), snap("07-01 12:00")
    )
    found = plan(target, policy("", keep={"quarterly": 9}), "07-02 12:00")
    assert deleted(found) == ["06-30 12:00"]


def test_periods_are_cut_in_the_policys_zone() -> None:
    """Rule 3: 23:30 UTC of one day is the next day in Zurich."""
    target = share(
        snap(at("11-21T22:30+00:00")), snap(at("11-21T23:30+00:00")), snap("11-23 11:00")
    )
    assert deleted(plan(target, policy("", keep={"daily": 9}), NOW)) == []


def test_one_snapshot_satisfies_several_rules_with_all_its_reasons() -> None:
    """Rule 4: rules overlap and all reasons are recorded; what no rule keeps is a victim."""
    old, new = snap("11-22 00:00"), snap("11-23 11:00")
    found = plan(share(old, new), policy("", keep={"last": 2, "daily": 2, "monthly": 1}), NOW)
    assert reasons(found, old) == ["last", "daily", "monthly"]
    assert deleted(found) == []


def test_with_pick_latest_the_very_oldest_stays_while_count_is_left() -> None:
    """Rule 5: a period rule with count left also keeps the very oldest snapshot."""
    times = ("11-22 01:00", "11-22 02:00", "11-22 23:00", "11-23 11:00")
    latest = policy("", keep={"daily": 3}, pick=Pick.LATEST)
    assert deleted(plan(share(*map(snap, times)), latest, NOW)) == ["11-22 02:00"]
    spent = policy("", keep={"daily": 2}, pick=Pick.LATEST)
    assert deleted(plan(share(*map(snap, times)), spent, NOW)) == ["11-22 01:00", "11-22 02:00"]


def test_a_locked_one_can_stand_for_its_day() -> None:
    """Rule 6: the rules see every usable snapshot, protected or not."""
    locked = snap("11-22 01:00", locked=True)
    target = share(locked, snap("11-22 09:00"), snap("11-23 11:00"))
    assert deleted(plan(target, policy("", keep={"daily": 2}), NOW)) == ["11-22 09:00"]


def test_a_broken_one_stands_for_nothing() -> None:
    """Rule 6: a broken, undated or future one stands for nothing, and is kept."""
    broken = lun_snap("11-22 01:00", healthy=False)
    target = lun(broken, lun_snap("11-22 09:00"), lun_snap("11-23 11:00"))
    found = plan(target, policy("", keep={"daily": 2}), NOW)
    assert deleted(found) == []
    assert "unhealthy" in reasons(found, broken)
    ahead = share(snap("11-21 12:00"), snap("11-22 12:00"), undated(mark=Mark("erp", due=at(NOW))),
                  snap("11-25 12:00"))  # fmt: skip
    assert deleted(plan(ahead, policy("", keep={"last": 1}), NOW)) == ["11-21 12:00"]


def test_the_hour_before_the_newest_is_kept_whole() -> None:
    """Rule 6: the newest usable and everything at most 3600 s older than it."""
    times = ("11-23 09:59:59", "11-23 10:00", "11-23 10:30", "11-23 11:00")
    found = plan(share(*map(snap, times)), policy("", keep={"last": 1}), NOW)
    assert deleted(found) == ["11-23 09:59"]


def test_a_newer_one_that_is_not_usable_is_not_the_newest() -> None:
    """Rule 6: the newest *usable* one is kept, though an unmanaged one is newer."""
    target = share(snap("11-20 12:00"), snap("11-23 11:00", mark=None))
    assert deleted(plan(target, policy("", keep={"last": 1}), NOW)) == []


@pytest.mark.parametrize(
    ("extra", "rule"),
    [
        ({"locked": True}, "locked"),
        ({"locked": True, "mark": Mark("erp", "other", due=0, lock=True)}, "locked"),
        ({"immutable": True}, "immutable"),
        ({"immutable": True, "immutable_until": at("11-24 12:00")}, "immutable"),
        ({"holders": ("com.vmware",)}, "held-by-application"),
        ({"healthy": False}, "unhealthy"),
        ({"mark": None}, "not-managed"),
        ({"mark": Mark("erp", "other", due=0)}, "foreign-mark"),
    ],
)
def test_what_is_always_kept(extra: dict[str, object], rule: str) -> None:
    """Rule 6: locked by others, immutable, held by an application, broken, not managed."""
    kept = lun_snap("11-20 12:00", **extra)
    others = (lun_snap("11-22 12:00"), lun_snap("11-23 11:00"))
    found = plan(lun(kept, *others), policy("", keep={"last": 1}), NOW)
    assert deleted(found) == ["11-22 12:00"]
    assert rule in reasons(found, kept)


def test_our_own_lock_is_no_protection() -> None:
    """Rule 6: locked by anyone *but the reconciler*; its own lock, of any policy, goes with it."""
    ours = snap("11-20 12:00", locked=True, mark=Mark("erp", due=0, lock=True))
    adopted = snap("11-20 13:00", locked=True, mark=Mark("erp", adopted=True, lock=True))
    target = share(ours, adopted, snap("11-23 11:00"))
    wanted = policy("", keep={"last": 1}, manage=Manage.ALL)
    assert deleted(plan(target, wanted, NOW)) == ["11-20 12:00", "11-20 13:00"]


def test_an_immutable_scheduled_one_is_kept_and_stands_for_its_day() -> None:
    """Rule 6: with `manage: scheduled` DSM's own immutable snapshots are seen and never deleted."""
    pinned = snap("11-22 01:00", mark=None, scheduled=True, immutable=True)
    target = share(pinned, snap("11-22 09:00"), snap("11-23 11:00"))
    wanted = policy("", keep={"daily": 2}, manage=Manage.SCHEDULED)
    assert deleted(plan(target, wanted, NOW)) == ["11-22 09:00"]


def test_anything_under_a_hold_is_kept_by_its_bounds() -> None:
    """Rule 6, Holds: `taken_after` is inclusive, `taken_before` exclusive."""
    case = hold(after="11-20 12:00", before="11-21 12:00")
    times = ("11-20 11:59", "11-20 12:00", "11-21 11:59", "11-21 12:00", "11-23 11:00")
    found = plan(share(*map(snap, times)), policy("", keep={"last": 1}), NOW, case)
    assert deleted(found) == ["11-20 11:59", "11-21 12:00"]


def test_a_held_name_without_offset_may_be_off_by_fourteen_hours() -> None:
    """Holds cover a name whose difference to the clock nobody measured as far as it may be off."""
    case = hold(after="11-20 12:00", before="11-21 12:00")
    times = ("11-19 21:00", "11-19 23:00", "11-22 01:00", "11-22 03:00", "11-23 11:00")
    wanted = policy("", keep={"last": 1})
    found = plan(share(*map(bare, times)), wanted, NOW, case)
    assert deleted(found) == ["11-19 21:00", "11-22 03:00"]


@pytest.mark.parametrize(
    ("busy", "gone"),
    [(False, ["11-20 12:00", "11-22 12:00"]), (True, ["11-20 12:00"])],
)
def test_the_last_synced_stays_and_all_after_it_while_a_plan_is_busy(
    *, busy: bool, gone: list[str]
) -> None:
    """Rule 6: the newest one each plan has synced; while it is busy everything from that one on."""
    snaps = [snap(time) for time in (*days(20, 22), "11-23 11:00")]
    done = record("11-21 12:00", success=True, snapshot=snaps[1].name)
    plans = (replication(records=(done,), busy=busy),)
    found = plan(share(*snaps), policy("", keep={"last": 1}), NOW, plans=plans)
    assert deleted(found) == gone


def test_each_plan_keeps_its_own() -> None:
    """Rule 6: the newest one that *each* replication plan has synced."""
    snaps = [snap(time) for time in (*days(20, 22), "11-23 11:00")]
    plans = tuple(
        replication(plan_id=f"p{n}", records=(record("11-22 12:00", success=True,
                                                     snapshot=snaps[n].name),))
        for n in (0, 1)
    )  # fmt: skip
    found = plan(share(*snaps), policy("", keep={"last": 1}), NOW, plans=plans)
    assert deleted(found) == ["11-22 12:00"]


def test_a_busy_plan_that_never_synced_keeps_everything() -> None:
    """Rule 6, P2: while a plan is busy, everything from that one on; all, if it has none."""
    target = share(*map(snap, TODAY))
    wanted = policy("", keep={"last": 1})
    assert deleted(plan(target, wanted, NOW, plans=(replication(busy=True),))) == []


def test_a_luns_last_synced_is_told_by_its_application_key() -> None:
    """Rule 6, P2: a LUN's by `locked_app_keys`, of this plan and of no other."""
    key = ("SnapshotReplication-synodr-p1",)
    held = lun_snap("11-21 12:00", holders=key)
    target = lun(lun_snap("11-20 12:00"), held, lun_snap("11-22 12:00"), lun_snap("11-23 11:00"))
    mine = replication(kind=held and target.kind, target_ids=frozenset({"vm-1"}), busy=True)
    found = plan(target, policy("", keep={"last": 1}), NOW, plans=(mine,))
    assert deleted(found) == ["11-20 12:00"]
    assert "synced" in reasons(found, held)


def test_min_keep_counts_protected_ones_and_fills_with_the_newest() -> None:
    """Rule 6: `min_keep` counts kept usable snapshots and adds the newest of what is left."""
    locked = snap("11-18 12:00", locked=True)
    target = share(locked, *map(snap, days(19, 22)), snap("11-23 11:00"))
    found = plan(target, policy("", keep={"last": 1}, min_keep=4), NOW)
    assert deleted(found) == ["11-19 12:00", "11-20 12:00"]


def test_min_keep_does_not_count_what_is_not_usable() -> None:
    """Rule 6: a broken or unmanaged snapshot is no restore point that `min_keep` may count."""
    target = lun(
        lun_snap("11-20 12:00"), lun_snap("11-21 12:00"), lun_snap("11-22 12:00", healthy=False),
        lun_snap("11-22 13:00", mark=None), lun_snap("11-23 11:00"),
    )  # fmt: skip
    found = plan(target, policy("", keep={"last": 1}, min_keep=2), NOW)
    assert deleted(found) == ["11-20 12:00"]


def test_without_keep_nothing_is_ever_deleted() -> None:
    """`keep` absent: nothing is ever deleted, whatever `manage` says, and the verdict says why."""
    old = snap("2020-11-20 12:00")
    found = plan(share(old, *map(snap, TODAY)), policy(keep=None, manage=Manage.ALL), NOW)
    assert deleted(found) == []
    assert reasons(found, old) == ["no-keep"]
    assert {v.verdict for v in found.snapshots} == {Verdict.KEEP}


def test_all_keeps_every_period() -> None:
    """`all` is allowed for N."""
    found = plan(share(*map(snap, days(1, 22))), policy("", keep={"daily": ALL}), NOW)
    assert deleted(found) == []


@pytest.mark.parametrize("body", ["{}", "{daily: 0}", "{last: 0, weekly: 0}"])
def test_keep_without_a_rule_is_an_error(tmp_path: Path, body: str) -> None:
    """Rule 7: `keep` with no rule in it, or only zeros, is an error."""
    file = tmp_path / "p.yaml"
    file.write_text(f"version: 1\npolicies: [{{name: p, shares: [s], every: 1h, keep: {body}}}]\n")
    with pytest.raises(InvalidDocuments):
        load_policies(file, units=[])


def test_equal_times_are_two_snapshots() -> None:
    """Two LUN snapshots of one second are two for `last`, and one of them stands for the hour."""
    twins = [lun_snap("11-22 12:00", uuid=f"u{n}") for n in (1, 2)]
    found = plan(lun(*twins, lun_snap("11-23 11:00")), policy("", keep={"last": 2}), NOW)
    assert [a.snapshot for a in found.victims] == twins[:1]
    assert at("11-23 11:00") - HOUR > at("11-22 12:00")
