"""Managed, usable and in the future; when a creation is due."""

from __future__ import annotations

import pytest
from builders import (
    DAY,
    HOUR,
    at,
    bare,
    codes,
    created,
    deleted,
    lun,
    lun_snap,
    plan,
    policy,
    reasons,
    share,
    situation,
    snap,
    undated,
)

from reconciler.mark import Mark
from reconciler.model import NameForm
from reconciler.planning.plan import Stop
from reconciler.planning.protection import standings
from reconciler.planning.situation import Desired
from reconciler.policy.model import Manage
from reconciler.zones import zone

NOW = at("11-23 12:00")


def usable(target: object, wanted: object, **extra: object) -> list[bool]:
    """Return for each snapshot of a target whether it is usable at NOW."""
    desired = Desired(wanted, zone("Europe/Zurich"))  # type: ignore[arg-type]  # a test's own
    return [s.usable for s in standings(target, desired, situation(NOW, **extra))]  # type: ignore[arg-type]  # likewise


@pytest.mark.parametrize(
    ("manage", "expected"),
    [
        (Manage.OWN, [True, False, False]),
        (Manage.SCHEDULED, [True, True, False]),
        (Manage.ALL, [True, True, True]),
    ],
)
def test_managed_is_what_manage_lets_the_policy_touch(manage: Manage, expected: list[bool]) -> None:
    """*Managed*: `manage` lets the policy touch it."""
    target = share(
        snap("11-23 09:00"),
        snap("11-23 10:00", mark=None, scheduled=True),
        snap("11-23 11:00", mark=None),
    )
    assert usable(target, policy(manage=manage)) == expected


def test_usable_is_dated_not_future_and_healthy() -> None:
    """*Usable*: managed, its time readable and not in the future, a LUN's `status` healthy."""
    wanted = policy(manage=Manage.ALL)
    target = share(undated(), snap(NOW + 301), snap(NOW + 300))
    assert usable(target, wanted) == [False, False, True]
    assert usable(lun(lun_snap("11-23 09:00", healthy=False)), wanted) == [False]


@pytest.mark.parametrize(
    ("form", "fractional", "shifts", "ahead"),
    [
        (NameForm.OFFSET, False, {}, 300),
        (NameForm.OFFSET, True, {}, HOUR),
        (NameForm.OFFSET, True, {NameForm.OFFSET: 1800}, 300),
        (NameForm.BARE, False, {}, 14 * HOUR),
        (NameForm.BARE, False, {NameForm.BARE: HOUR}, 300),
        (None, True, {}, 300),
    ],
)
def test_names_are_tolerated_until_they_were_measured(
    form: NameForm | None,
    fractional: bool,
    shifts: dict[NameForm, int],
    ahead: int,
) -> None:
    """Until a difference was measured, the tolerance is 1 h, 14 h for names without offset."""
    target = share(snap(NOW + ahead, form=form), snap(NOW + ahead + 1, form=form))
    known = {"fractional_zone": fractional, "shifts": shifts}
    assert usable(target, policy(), **known) == [True, False]


def test_a_larger_skew_is_no_smaller_tolerance() -> None:
    """*In the future* means more than `max_clock_skew` ahead of now, also beyond a tolerance."""
    target = share(snap(NOW + 2 * HOUR))
    assert usable(target, policy(), skew=2 * HOUR, fractional_zone=True) == [True]


@pytest.mark.parametrize(
    ("known", "stop"),
    [
        ({}, Stop.MIXED_NAMES),
        ({"shifts": {NameForm.BARE: HOUR}}, None),
        ({"shifts": {NameForm.BARE: HOUR}, "fractional_zone": True}, Stop.MIXED_NAMES),
    ],
)
def test_a_share_with_both_forms_of_name_loses_nothing(
    known: dict[str, object], stop: Stop | None
) -> None:
    """A share that holds both forms of name loses nothing until the difference was measured."""
    target = share(*(snap(f"11-23 0{n}:00") for n in range(1, 9)), bare("11-23 11:30"))
    found = plan(target, policy(), NOW, **known)
    assert {a.stopped_by for a in found.victims} == {stop}
    assert ("mixed-names" in codes(found)) == (stop is not None)


# --- when a creation is due -------------------------------------------------------------------


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


def test_undated_and_future_ones_are_kept_and_told() -> None:
    """Anything undated or in the future is kept, and a finding says so."""
    odd, ahead = undated(mark=Mark("erp", due=NOW - DAY)), snap(NOW + HOUR)
    found = plan(share(odd, ahead), policy(), NOW)
    assert reasons(found, odd) == ["undated"]
    assert reasons(found, ahead) == ["future"]
    assert {"undated", "future"} <= set(codes(found))
