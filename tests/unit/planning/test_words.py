"""Managed, usable and in the future; when a creation is due."""

from __future__ import annotations

import pytest
from builders import (
    DAY,
    HOUR,
    at,
    bare,
    codes,
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


def test_undated_and_future_ones_are_kept_and_told() -> None:
    """Anything undated or in the future is kept, and a finding says so."""
    odd, ahead = undated(mark=Mark("erp", due=NOW - DAY)), snap(NOW + HOUR)
    found = plan(share(odd, ahead), policy(), NOW)
    assert reasons(found, odd) == ["undated"]
    assert reasons(found, ahead) == ["future"]
    assert {"undated", "future"} <= set(codes(found))
