"""Sentences of the policy language, section *Brakes*, and promise P7."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import (
    DAY,
    HOUR,
    at,
    codes,
    created,
    deleted,
    lun,
    lun_snap,
    names,
    plan,
    policy,
    share,
    snap,
    whole,
    wish,
)

from reconciler.inventory.model import UnitBrakes
from reconciler.mark import Mark
from reconciler.model import Limits, Snapshot
from reconciler.planning.brakes import Count, count, trips, weight
from reconciler.planning.plan import State, Stop
from reconciler.policy.model import Immutable, TargetBrakes
from reconciler.retention import Keep

NOW = at("11-23 12:00")
LOOSE = TargetBrakes(1000, 100)


def old(number: int) -> tuple[Snapshot, ...]:
    """Return one snapshot an hour, so many, the newest at eleven."""
    return tuple(snap(NOW - n * HOUR) for n in range(1, number + 1))


def stops(found: object) -> set[Stop | None]:
    """Return what stops the deletions of a plan."""
    return {a.stopped_by for a in found.actions if a.verb == "delete"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("keep", "immutable", "expected"),
    [
        ({"last": 5}, None, 1),
        ({"within": DAY}, None, 3),
        ({"last": 5, "hourly": 0, "daily": 3, "within": DAY}, None, 5),
        ({"daily": 1, "weekly": 1, "monthly": 1, "quarterly": 1, "yearly": 1}, Immutable(1), 7),
    ],
)
def test_r_counts_rules_within_thrice_and_immutable_twice(
    keep: dict[str, int], immutable: Immutable | None, expected: int
) -> None:
    """r: the rules that are not 0, `within` counted three times, two more for `immutable`."""
    assert weight(Keep(**keep).weight, immutable=immutable is not None) == expected
    found = plan(share(*old(3)), policy("", keep=keep, immutable=immutable), NOW)
    assert found.brake_weight == expected


def test_n_leaves_out_the_hour_before_the_newest_it_had() -> None:
    """N counts victims taken *more than* an hour before the newest one it had before this pass."""
    target = share(*map(snap, ("11-23 08:59:59", "11-23 09:00", "11-23 09:30", "11-23 10:00")))
    found = plan(target, policy(keep={"last": 1}), NOW)
    assert len(found.victims) == 4
    assert count(found).victims == 1


def test_m_counts_the_managed_after_the_creation() -> None:
    """m: its managed snapshots after this pass's creation, victims and protected ones included."""
    target = share(*old(4), snap("11-20 12:00", locked=True), snap("11-20 13:00", mark=None))
    assert count(plan(target, policy(keep={"last": 1}), NOW)).managed == 6
    assert count(plan(target, policy("", keep={"last": 1}), NOW)).managed == 5


@pytest.mark.parametrize(
    ("figures", "most", "percent", "waits"),
    [
        (Count(20, 100, 1), 20, 30, False),
        (Count(21, 100, 1), 20, 30, True),
        (Count(30, 100, 1), 50, 30, False),
        (Count(31, 100, 1), 50, 30, True),
        (Count(3, 3, 3), 20, 30, False),
        (Count(4, 4, 3), 20, 30, True),
        (Count(21, 1000, 30), 20, 30, True),
        (Count(0, 10, 1), 0, 30, True),
        (Count(0, 10, 1), 20, 0, True),
        (Count(0, 10, 1), 1, 1, False),
        (Count(1, 0, 0), 1, 1, True),
    ],
)
def test_the_arithmetic_of_a_target(
    figures: Count, most: int, percent: int, *, waits: bool
) -> None:
    """They go when n ≤ `max_deletes` and, unless n ≤ r, 100·n ≤ `max_delete_percent`·m."""
    assert trips(figures, max_deletes=most, max_percent=percent) is waits


def test_victims_go_together_or_wait_together() -> None:
    """A target's victims go together or wait together, those of the newest hour too."""
    target = share(*old(40), snap("11-23 10:30"))
    found = whole(wish(policy(keep={"last": 1})), NOW, target)
    assert stops(found) == {Stop.BRAKE_TARGET}
    assert found.targets[0].state is State.BRAKED
    assert created(found)


def test_a_guard_keeps_its_own_name_beside_a_brake() -> None:
    """What a guard stops stays stopped by the guard, so mending the brake does not release it."""
    other = [snap(NOW - n * DAY, policy="past") for n in range(1, 31)]
    found = whole(wish(policy(keep={"last": 1})), NOW, share(*old(2), *other))
    assert stops(found) == {Stop.OTHER_POLICY, Stop.BRAKE_TARGET}


@pytest.mark.parametrize("limits", [TargetBrakes(0, 100), TargetBrakes(1000, 0)])
def test_nought_in_either_means_none_at_all(limits: TargetBrakes) -> None:
    """0 in either means none at all, not even what counts for nothing."""
    found = whole(wish(policy(keep={"last": 1}, brakes=limits)), NOW, share(*old(2)))
    assert deleted(found) == ["11-23 10:00"]
    assert deleted(found, free=True) == []


@pytest.mark.parametrize(
    ("ceiling", "free"),
    [((39, 100), 39), ((38, 100), 0), ((50, 50), 0), ((1000, 100), 39)],
)
def test_the_configurations_brakes_per_target_are_the_ceiling_for_both(
    ceiling: tuple[int, int], free: int
) -> None:
    """The configuration's `brakes.per_target` is the ceiling for both keys of a policy."""
    config = UnitBrakes(target_max_deletes=ceiling[0], target_max_delete_percent=ceiling[1])
    wanted = wish(policy(keep={"last": 1}, brakes=LOOSE), brakes=config)
    target = share(*old(40), snap("11-23 11:30"))
    assert len(deleted(whole(wanted, NOW, target), free=True)) == free


def fleet(*numbers: int, most: int) -> object:
    """Plan shares with so many old snapshots each, under a unit brake."""
    wanted = replace(policy(keep={"last": 1}, brakes=LOOSE), shares=names("*"))
    config = UnitBrakes(max_deletes=most, target_max_deletes=999, target_max_delete_percent=100)
    targets = [replace(share(*old(n)), uuid=f"u{k}", name=f"s{k}") for k, n in enumerate(numbers)]
    return whole(wish(wanted, brakes=config), NOW, *targets)


@pytest.mark.parametrize(("most", "trips_"), [(17, False), (16, True), (0, True)])
def test_each_target_counts_with_n_less_r_for_the_unit(most: int, *, trips_: bool) -> None:
    """Per NAS and run each target counts with n - r: of 12 victims each 10 are old, r is 1."""
    found = fleet(12, 11, most=most)  # n 10 and 9, counting 9 and 8
    assert stops(found) == ({Stop.BRAKE_UNIT} if trips_ else {None})


def test_a_target_below_r_does_not_make_up_for_another() -> None:
    """Each target counts with n - r, *not below 0*, and one that does not count goes on."""
    found = fleet(12, 2, 2, 2, most=8)
    waiting = [{a.stopped_by for a in t.victims} for t in found.targets]  # type: ignore[attr-defined]
    assert waiting == [{Stop.BRAKE_UNIT}, {None}, {None}, {None}]


def test_nought_for_the_unit_lets_none_go() -> None:
    """A unit brake of 0 stops targets that count for nothing, too."""
    assert stops(fleet(2, most=0)) == {Stop.BRAKE_UNIT}


def test_what_waits_does_not_keep_anything_else_from_running() -> None:
    """P7: everything else in the plan still runs, the deletions wait for approval."""
    found = whole(wish(policy(keep={"last": 1}, lock_newest=2)), NOW, share(*old(40)))
    assert {a.verb for a in found.actions if a.stopped_by is None} == {"create", "set_attr"}
    assert {a.verb for a in found.actions if a.stopped_by is not None} == {"delete"}


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(60, 256, None), "limit of 60 is reached on 24 Nov"),
        (Limits(40, 256, None), "limit of 40 is reached now"),
        (Limits(None, None, None), "limit of 1024 is reached on 3 Jan 2027"),
    ],
)
def test_a_braked_target_says_when_it_will_reach_its_limit(limits: Limits, text: str) -> None:
    """A braked target says at its present rate when it will reach its limit."""
    target = share(*old(40), snap(NOW, mark=Mark("erp", due=NOW)))
    found = whole(wish(policy(keep={"last": 1})), NOW, target, limits=limits)
    told = [f.text for f in found.targets[0].findings if f.code == "limit-ahead"]
    assert len(told) == 1
    assert text in told[0]


def test_the_rate_of_the_last_week_stands_in_for_a_cadence() -> None:
    """Without `every` the present rate is what was taken in the last seven days."""
    hourly = [lun_snap(NOW - n * HOUR) for n in range(1, 29)]
    target = lun(*hourly, *(lun_snap(NOW - n * DAY) for n in range(30, 58)))
    wanted = replace(policy("", keep={"last": 1}), luns=names("*"))
    found = whole(wish(wanted), NOW, target)
    (told,) = [f.text for f in found.targets[0].findings if f.code == "limit-ahead"]
    assert "56 snapshots" in told
    assert "limit of 256 is reached on 12 Jan 2027" in told  # 200 more at 4 a day


def test_a_target_that_never_fills_or_has_nothing_waiting_says_nothing() -> None:
    """No outlook where nothing waits, nothing comes, or the limit is more than ten years away."""
    months = [snap(NOW - n * 30 * DAY) for n in range(1, 40)]
    quiet = policy("", keep={"last": 1})
    assert "limit-ahead" not in codes(whole(wish(quiet), NOW, share(*months[1:])).targets[0])
    slow = policy("30d", keep={"last": 1})
    assert "limit-ahead" not in codes(whole(wish(slow), NOW, share(*months)).targets[0])
    free = policy(keep={"last": 50})
    assert "limit-ahead" not in codes(whole(wish(free), NOW, share(*old(40))).targets[0])
