"""Sentences of the policy language, section *When a creation is due*."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import (
    AT,
    HOUR,
    at,
    created,
    deleted,
    lun,
    lun_snap,
    plan,
    policy,
    share,
    snap,
)

from reconciler import calendar, mark
from reconciler.mark import Mark
from reconciler.policy.model import Manage

NOW = at("11-23 12:00")


@pytest.mark.parametrize(
    ("due", "wanted"),
    [(NOW, False), (NOW + 300, False), (NOW + 301, True), (NOW - 60, True)],
)
def test_a_mark_in_the_span_satisfies_the_due_time(due: int, wanted: bool) -> None:
    """Due when no managed mark carries a due time in [D, now + `max_clock_skew`]."""
    target = share(snap("11-20 09:00", mark=Mark("other", due=due)))
    assert bool(created(plan(target, policy(), NOW))) is wanted


def test_marks_decide_the_cadence_names_only_retention() -> None:
    """Marks decide the cadence: a name of the right hour with an older mark satisfies nothing."""
    target = share(snap("11-23 12:00", mark=Mark("erp", due=NOW - HOUR)))
    assert created(plan(target, policy(), "11-23 12:10"))


@pytest.mark.parametrize(
    ("manage", "scheduled", "wanted"),
    [
        (Manage.OWN, True, True),
        (Manage.SCHEDULED, True, False),
        (Manage.SCHEDULED, False, True),
        (Manage.ALL, False, False),
    ],
)
def test_an_unmarked_managed_one_satisfies_too(
    manage: Manage,
    scheduled: bool,
    wanted: bool,
) -> None:
    """With `manage: scheduled` or `all` an unmarked managed one in [D, now] satisfies D too."""
    target = share(snap("11-23 12:05", mark=None, scheduled=scheduled))
    assert bool(created(plan(target, policy(manage=manage), "11-23 12:10"))) is wanted


def test_an_unmarked_one_ahead_of_now_satisfies_nothing() -> None:
    """An unmarked one satisfies D when it was taken in [D, now], so not when after now."""
    target = share(snap(NOW + 60, mark=None), snap("11-23 11:59", mark=None))
    assert created(plan(target, policy(manage=Manage.ALL), NOW))


def test_an_asked_one_satisfies_no_due_time() -> None:
    """A snapshot taken on demand is managed and satisfies no due time."""
    asked = snap("11-23 12:05", mark=Mark("erp", asked=at("11-23 12:05")))
    found = plan(share(asked), policy(), "11-23 12:10")
    assert created(found)
    assert found.snapshots[0].managed


def test_a_foreign_mark_satisfies_no_due_time() -> None:
    """A mark of another installation is never managed, so it satisfies no due time."""
    foreign = snap("11-23 12:00", mark=Mark("erp", "other", due=NOW))
    assert created(plan(share(foreign), policy(), NOW))


def test_a_new_target_is_due_at_once() -> None:
    """A new target is due at once, also right before the next due time."""
    found = plan(share(), policy(), "11-23 12:59")
    assert [c.due for c in created(found)] == [NOW]
    assert found.next_due == at("11-23 13:00")


def test_missed_due_times_are_made_up_by_one() -> None:
    """A missed due time is made up by one snapshot at once, the latest missed D in its mark."""
    found = plan(share(snap("11-23 03:00")), policy(), "11-23 12:30")
    assert [c.description for c in created(found)] == ["[reconciler/erp 20261123T1100Z]"]


@pytest.mark.parametrize(
    ("cadence", "last", "now", "wanted"),
    [
        ("1h", "11-23 11:00", "11-23 12:44:59", True),
        ("1h", "11-23 11:00", "11-23 12:45", False),
        ("1h", "11-23 10:00", "11-23 12:45", True),
        ("20m", "11-23 11:40", "11-23 12:14", True),
        ("20m", "11-23 11:40", "11-23 12:15", False),
        ("1d", "11-22 00:00", "11-23 23:44", True),
        ("1d", "11-22 00:00", "11-23 23:45", False),
    ],
)
def test_a_late_run_waits_only_when_the_one_before_was_met(
    cadence: str,
    last: str,
    now: str,
    wanted: bool,
) -> None:
    """Not made up when the next is due within a quarter (at most 15 min) and the last was met."""
    found = plan(share(snap(last)), policy(cadence), now)
    assert bool(created(found)) is wanted


def test_without_a_cadence_nothing_is_due() -> None:
    """`keep` without `every` or `cron` creates nothing and still prunes."""
    found = plan(share(*(snap(f"11-2{n} 12:00") for n in range(4))), policy(""), NOW)
    assert not created(found)
    assert found.next_due is None
    assert deleted(found) == ["11-20 12:00", "11-21 12:00"]


def test_a_broken_lun_snapshot_still_satisfies_its_due_time() -> None:
    """Managed is enough for the cadence: a mark satisfies D on a snapshot that is not usable."""
    found = plan(lun(lun_snap("11-23 12:00", healthy=False)), policy(), "11-23 12:10")
    assert not created(found)


def test_the_made_up_due_time_is_in_the_mark_and_not_the_moment() -> None:
    """The latest missed D is in the mark, and the next pass of the same hour makes none."""
    first = plan(share(snap("11-23 09:00")), policy(), "11-23 12:20:30")
    (change,) = created(first)
    made = snap("11-23 12:20:31", mark=mark.parse(change.description))
    assert change.due == NOW
    assert not created(plan(share(snap("11-23 09:00"), made), policy(), "11-23 12:21"))


def test_a_run_that_always_comes_late_does_not_skip_them_all() -> None:
    """A run that always comes just before the next due time makes every second one."""
    target, made = share(snap("11-23 06:00")), []
    for hour in range(7, 13):
        now = at(f"11-23 {hour:02d}:50")
        for change in created(plan(target, policy(), now)):
            made.append(hour)
            taken = snap(now, mark=Mark("erp", due=change.due))
            target = replace(target, snapshots=(*(target.snapshots or ()), taken))
    assert made == [8, 10, 12]


@pytest.mark.parametrize(
    ("cadence", "now", "latest", "following"),
    [
        # 25 Oct 2026: 03:00 becomes 02:00 again; 29 Mar 2026: 02:00 becomes 03:00
        (calendar.every("1h"), "10-25T00:59:59+00:00", "10-25T00:00+00:00", "10-25T01:00+00:00"),
        (calendar.every("1h"), "10-25T01:00:00+00:00", "10-25T01:00+00:00", "10-25T02:00+00:00"),
        (calendar.every("2h"), "03-29T01:00:00+00:00", "03-29T01:00+00:00", "03-29T02:00+00:00"),
        (calendar.every("30m"), "03-29T01:05:00+00:00", "03-29T01:00+00:00", "03-29T01:30+00:00"),
        (calendar.every("1d", "02:30"), "10-25T01:40:00+00:00", "10-25T00:30+00:00",
         "10-26T01:30+00:00"),
        (calendar.every("1d", "02:30"), "03-29T01:00:00+00:00", "03-29T01:00+00:00",
         "03-30T00:30+00:00"),
        (calendar.every("1w", "sun 02:30"), "03-29T01:10:00+00:00", "03-29T01:00+00:00",
         "04-05T00:30+00:00"),
        (calendar.every("1w", "sun 02:30"), "10-25T01:40:00+00:00", "10-25T00:30+00:00",
         "11-01T01:30+00:00"),
        (calendar.every("1w"), "11-23T11:00:00+00:00", "11-22T23:00+00:00", "11-29T23:00+00:00"),
        (calendar.cron("30 2 * * *"), "10-25T01:40:00+00:00", "10-25T00:30+00:00",
         "10-26T01:30+00:00"),
        (calendar.cron("30 2 * * *"), "03-29T01:00:00+00:00", "03-29T01:00+00:00",
         "03-30T00:30+00:00"),
        (calendar.cron("*/30 * * * *"), "10-25T01:40:00+00:00", "10-25T01:30+00:00",
         "10-25T02:00+00:00"),
    ],
)  # fmt: skip
def test_due_times_when_the_clock_changes(
    cadence: calendar.Cadence, now: str, latest: str, following: str
) -> None:
    """In both passes of a repeated hour; `at` in the first; skipped ones right after the gap."""
    found = plan(share(), replace(policy(), cadence=cadence), at(now))
    assert [c.due for c in created(found)] == [at(latest)]
    assert found.next_due == at(following)


def test_both_passes_of_a_repeated_hour_have_marks_of_their_own() -> None:
    """`<id>` is the due time in UTC, so the second pass of an hour is not taken for the first."""
    first = snap(at("10-25T00:00:05+00:00"), mark=Mark("erp", due=at("10-25T00:00+00:00")))
    found = plan(share(first), policy(), at("10-25T01:00:05+00:00"))
    assert [c.description for c in created(found)] == ["[reconciler/erp 20261025T0100Z]"]
    assert calendar.every("1h").latest(NOW, AT) == NOW
