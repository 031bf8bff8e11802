"""Sentences of the policy language, section *Ownership mark*, with `lock` and `immutable`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import (
    DAY,
    at,
    changes,
    codes,
    created,
    deleted,
    hold,
    lun,
    lun_snap,
    names,
    plan,
    policy,
    reasons,
    share,
    snap,
    undated,
    whole,
    wish,
)

from reconciler import mark as marks
from reconciler.calendar import Period
from reconciler.mark import Mark
from reconciler.model import BuiltIn, Limits, RetentionKind
from reconciler.planning.plan import State, Stop
from reconciler.policy.model import Immutable, Manage
from reconciler.retention import ALL

NOW = "11-23 12:00"
LOCK = Mark("erp", due=at("11-20 12:00"), lock=True)
ADOPTED = Mark("erp", adopted=True, lock=True)


def settled(**extra: object) -> object:
    """Return a policy without a cadence that keeps all there is."""
    return policy("", keep={"last": 99}, **extra)


def test_the_mark_says_policy_due_time_and_lock() -> None:
    """`[reconciler/<policy> <id>]`, the id the due time in UTC, ` lock` while it is held."""
    (plain,) = created(plan(share(), policy(), "03-01 12:00:30"))
    assert plain.description == "[reconciler/erp 20260301T1100Z]"
    (locked,) = created(plan(share(), policy(lock_newest=1), "03-01 12:00"))
    assert locked.description == "[reconciler/erp 20260301T1100Z lock]"
    assert (plain.lock, locked.lock) == (False, True)


def test_an_installation_is_in_the_mark() -> None:
    """With `installation: NAME` it reads `[reconciler:NAME/…]`."""
    (change,) = created(plan(share(), policy(), "03-01 12:00", installation="hq"))
    assert change.description == "[reconciler:hq/erp 20260301T1100Z]"


@pytest.mark.parametrize(("here", "there"), [("", "hq"), ("hq", ""), ("hq", "branch")])
@pytest.mark.parametrize("manage", list(Manage))
def test_foreign_marks_are_never_managed(here: str, there: str, manage: Manage) -> None:
    """Another installation's marks, or another form's, are never managed, a finding says so."""
    strange = snap("11-20 12:00", mark=Mark("erp", there, due=0), scheduled=True)
    ours = [snap(time, mark=Mark("erp", here, due=0)) for time in ("11-21 12:00", "11-23 11:00")]
    wanted = policy("", keep={"last": 1}, manage=manage)
    found = plan(share(strange, *ours), wanted, NOW, installation=here)
    assert deleted(found) == ["11-21 12:00"]
    assert reasons(found, strange) == ["foreign-mark"]
    assert "foreign-mark" in codes(found)


def test_a_lun_snapshot_is_named_by_due_time_and_lun() -> None:
    """A LUN snapshot is *named* `rec-<id>-<first 8 of the LUN's uuid>`; a share's is DSM's own."""
    (change,) = created(plan(lun(), policy(consistency="application"), "03-01 12:00"))
    assert change.lun_name == "rec-20260301T1100Z-0badcafe"
    assert change.consistent
    (plain,) = created(plan(share(), policy(consistency="application"), "03-01 12:00"))
    assert (plain.lun_name, plain.consistent) == ("", False)


@pytest.mark.parametrize(
    ("name", "formerly", "stop"),
    [("erp", (), None), ("old", (), Stop.OTHER_POLICY), ("old", ("x", "old"), None)],
)
def test_another_policys_mark_waits(name: str, formerly: tuple[str, ...], stop: Stop) -> None:
    """Managed whichever policy owns the target; deleting another's waits, `formerly` apart."""
    target = share(snap("11-20 12:00", policy=name), snap("11-23 11:00"))
    found = plan(target, policy("", keep={"last": 1}, formerly=formerly), NOW)
    assert [a.stopped_by for a in found.victims] == [stop]


def test_an_edited_description_makes_it_unmanaged() -> None:
    """A description edited so that the mark is gone makes the snapshot unmanaged: kept."""
    for text in ("mine now", "[reconciler/erp 20261120T1100Z] and more", "[reconciler/erp x]"):
        assert marks.parse(text) is None
    kept = snap("11-20 12:00", mark=None, description="mine now")
    assert deleted(plan(share(kept, snap("11-23 11:00")), policy("", keep={"last": 1}), NOW)) == []


def test_adopted_never_makes_it_managed() -> None:
    """`adopted` never makes it managed; under `manage: all` it still counts as unmarked."""
    adopted = snap("11-20 12:00", mark=ADOPTED, locked=True)
    target = share(adopted, snap("11-23 11:00"))
    assert deleted(plan(target, policy("", keep={"last": 1}), NOW)) == []
    everything = policy("", keep={"last": 1}, manage=Manage.ALL)
    assert [a.stopped_by for a in plan(target, everything, NOW).victims] == [Stop.UNMARKED]


@pytest.mark.parametrize(
    ("scheduled", "manage", "stop"),
    [
        (True, Manage.SCHEDULED, Stop.SCHEDULED),
        (True, Manage.ALL, Stop.SCHEDULED),
        (False, Manage.ALL, Stop.UNMARKED),
    ],
)
def test_unmarked_ones_wait(*, scheduled: bool, manage: Manage, stop: Stop) -> None:
    """`manage`: deletions of scheduled and of other unmarked ones wait for approval."""
    target = share(snap("11-20 12:00", mark=None, scheduled=scheduled), snap("11-23 11:00"))
    found = plan(target, policy("", keep={"last": 1}, manage=manage), NOW)
    assert [a.stopped_by for a in found.victims] == [stop]


@pytest.mark.parametrize("text", ["", "before the migration", "two  spaces ", "[odd]"])
def test_a_description_is_changed_only_in_its_mark(text: str) -> None:
    """A lock on an unmarked one appends `[reconciler/<policy> adopted lock]`, taken off again."""
    plain = snap("11-22 12:00", mark=None, description=text)
    found = plan(share(plain), settled(manage=Manage.ALL, lock_newest=1), NOW)
    lock, description = changes(found)["11-22 12:00"]
    assert lock is True
    assert description == f"{text} {ADOPTED}".removeprefix(" ")
    held = replace(plain, description=description, mark=ADOPTED, locked=True)
    gone = plan(share(held), settled(manage=Manage.ALL), NOW)
    assert changes(gone) == {"11-22 12:00": (False, text)}


def test_the_coming_one_is_among_the_newest() -> None:
    """`lock`: the coming one included, the newest N are locked, older ones of ours unlocked."""
    old = snap("11-21 12:00", mark=replace(LOCK, due=at("11-21 12:00")), locked=True)
    target = share(old, snap("11-22 12:00"))
    found = plan(target, policy("1d", keep={"last": 9}, lock_newest=2), NOW)
    assert created(found)[0].lock
    assert changes(found) == {
        "11-21 12:00": (False, "[reconciler/erp 20261121T1100Z]"),
        "11-22 12:00": (True, "[reconciler/erp 20261122T1100Z lock]"),
    }


def test_only_usable_ones_count_among_the_newest() -> None:
    """`lock`: of the *usable* snapshots that stay; another's lock is left as it is."""
    target = share(snap("11-20 12:00"), snap("11-21 12:00", mark=None, locked=True), undated())
    assert list(changes(plan(target, settled(lock_newest=1), NOW))) == ["11-20 12:00"]
    assert changes(plan(target, settled(), NOW)) == {}


def test_a_lock_in_the_mark_of_an_unlocked_one_is_removed() -> None:
    """A ` lock` in the mark of an unlocked snapshot that is not to be locked is removed."""
    target = share(snap("11-20 12:00", mark=LOCK))
    found = plan(target, settled(), NOW)
    assert changes(found) == {"11-20 12:00": (None, "[reconciler/erp 20261120T1100Z]")}
    assert found.state is State.COMPLIANT
    again = plan(target, settled(lock_newest=1), NOW)
    assert changes(again) == {"11-20 12:00": (True, None)}


@pytest.mark.parametrize(
    ("built_in", "unlocked"),
    [
        (BuiltIn(), True),
        (BuiltIn(retention=RetentionKind.KEEP_ALL), True),
        (BuiltIn(retention=RetentionKind.LATEST), False),
        (BuiltIn(retention=RetentionKind.UNKNOWN), False),
        (None, False),
    ],
)
def test_nothing_is_unlocked_beside_dsms_retention(
    built_in: BuiltIn | None, *, unlocked: bool
) -> None:
    """Nothing is unlocked while DSM's own retention is on, or may be; it is drift with a cause."""
    target = share(snap("11-20 12:00", mark=LOCK, locked=True), built_in=built_in)
    found = plan(target, settled(), NOW)
    assert bool(changes(found)) is unlocked
    assert found.state is State.DRIFTED
    assert bool({"two-pruners", "retention-unknown"} & set(codes(found))) is not unlocked


def test_unknown_retention_alone_is_no_drift() -> None:
    """Where nothing would be unlocked, a retention that DSM did not tell changes nothing."""
    found = plan(share(snap("11-20 12:00"), built_in=None), settled(), NOW)
    assert (found.state, codes(found)) == (State.COMPLIANT, [])


def test_no_attribute_of_an_immutable_one_is_changed() -> None:
    """No attribute of an immutable snapshot is changed before its end, then it is unlocked."""
    pinned = snap("11-20 12:00", mark=LOCK, locked=True, immutable=True)
    for target in (share(pinned), share(replace(pinned, locked=False))):
        assert changes(plan(target, settled(), NOW)) == {}
        assert changes(plan(target, settled(lock_newest=1), NOW, hold(lock=True))) == {}
    ended = replace(pinned, immutable=False)
    assert changes(plan(share(ended), settled(), NOW))["11-20 12:00"][0] is False


def test_a_victim_is_not_unlocked_first() -> None:
    """A victim is not unlocked first."""
    target = share(snap("11-20 12:00", mark=LOCK, locked=True), snap("11-23 11:00"))
    found = plan(target, policy("", keep={"last": 1}), NOW)
    assert deleted(found) == ["11-20 12:00"]
    assert changes(found) == {}


def test_nothing_held_is_unlocked() -> None:
    """Nothing held is unlocked, and its description changes only for the lock of a hold itself."""
    locked = snap("11-20 12:00", mark=LOCK, locked=True)
    stale = snap("11-21 12:00", mark=LOCK)
    target = share(locked, stale, snap("11-22 12:00"))
    assert changes(plan(target, settled(lock_newest=3), NOW, hold())) == {}
    found = plan(target, settled(), NOW, hold(lock=True))
    assert set(changes(found)) == {"11-21 12:00", "11-22 12:00"}
    assert all(lock for lock, _ in changes(found).values())


def test_a_hold_locks_where_no_policy_owns_the_target() -> None:
    """`[reconciler/hold:NAME adopted lock]` where no policy owns the target; shares only."""
    asked = replace(hold(lock=True), shares=names("*"), luns=names("*"))
    nobody = wish(replace(policy(), shares=names("other")), holds=(asked,))
    plain = snap("11-20 12:00", mark=None)
    pinned = snap("11-21 12:00", mark=None, immutable=True)
    found = whole(nobody, NOW, share(plain, pinned), lun(lun_snap("11-20 12:00")))
    assert changes(found) == {"11-20 12:00": (True, "[reconciler/hold:case adopted lock]")}
    assert found.targets[0].state is State.UNMANAGED


def test_a_hold_locks_anothers_snapshot_without_its_mark() -> None:
    """A hold's lock reaches what it covers; the mark of another installation stays as it is."""
    strange = snap("11-20 12:00", mark=Mark("erp", "hq", due=0))
    found = plan(share(strange), settled(), NOW, hold(lock=True))
    assert changes(found) == {"11-20 12:00": (True, None)}
    again = plan(share(replace(strange, locked=True)), settled(), NOW, hold(lock=True))
    assert changes(again) == {}


def test_a_held_target_that_dsm_prunes_is_an_error_with_or_without_a_policy() -> None:
    """DSM's own retention being active on a held target is an error finding."""
    pruned = share(snap("11-20 12:00"), built_in=BuiltIn(retention=RetentionKind.DAYS))
    nobody = wish(replace(policy(), shares=names("other")), holds=(hold(),))
    for found in (whole(wish(policy(), holds=(hold(),)), NOW, pruned), whole(nobody, NOW, pruned)):
        assert "hold-and-retention" in codes(found.targets[0])
    quiet = replace(pruned, built_in=BuiltIn())
    assert codes(whole(nobody, NOW, quiet).targets[0]) == ["orphaned"]


def test_luns_are_locked_at_their_creation_alone() -> None:
    """With `lock: all` each LUN snapshot is made locked; older ones are a finding, not drift."""
    ours = replace(LOCK, due=at("11-20 12:00"))
    target = lun(
        lun_snap("11-20 12:00", mark=ours, locked=True),
        lun_snap("11-21 12:00"),
        lun_snap("11-22 12:00", mark=None),
    )
    found = plan(target, policy(keep={"last": 3}, rpo=None, lock_newest=ALL), NOW)
    (change,) = created(found)
    assert change.lock
    assert change.description.endswith(" lock]")
    assert changes(found) == {}
    assert deleted(found) == []
    assert "lun-unlocked" in codes(found)
    assert found.state is State.COMPLIANT
    pruned = plan(target, policy(keep={"last": 2}, lock_newest=ALL), NOW)
    assert deleted(pruned) == ["11-20 12:00"]
    assert changes(plan(target, settled(), NOW)) == {}


@pytest.mark.parametrize(
    ("of", "taken", "expected"),
    [
        (None, "11-23 08:00", 14),
        (Period.DAILY, "11-23 00:00", 0),
        (Period.DAILY, "11-22 23:59", 14),
        (Period.WEEKLY, "11-22 23:59", 14),
        (Period.MONTHLY, "11-22 23:59", 0),
    ],
)
def test_with_of_only_the_first_of_a_period_is_immutable(
    of: Period | None, taken: str, expected: int
) -> None:
    """With `of` only the first snapshot of each such period is made immutable."""
    found = plan(share(snap(taken)), policy(immutable=Immutable(14, of)), NOW)
    assert [c.immutable_days for c in created(found)] == [expected]
    assert created(plan(lun(), policy(immutable=Immutable(14, of)), NOW))[0].immutable_days == 0


def test_an_existing_one_is_never_made_immutable() -> None:
    """P11: immutability at creation alone, whatever an edit says."""
    found = plan(share(snap("11-23 12:00")), policy(immutable=Immutable(14)), NOW)
    assert found.actions == ()


@pytest.mark.parametrize(
    ("limit", "pinned", "days"), [(20, 17, 7), (20, 18, 0), (25, 21, 7), (25, 22, 0)]
)
def test_a_tenth_of_the_limit_stays_free(limit: int, pinned: int, days: int) -> None:
    """P19: without immutability where fewer than a tenth of the limit would stay free."""
    held = [snap(at("11-20 12:00") - n * DAY, immutable=True) for n in range(pinned)]
    found = plan(share(*held), policy(immutable=Immutable(7)), NOW, limits=Limits(limit))
    assert [c.immutable_days for c in created(found)] == [days]
    assert ("immutable-room" in codes(found)) == (days == 0)


def test_what_may_be_immutable_takes_room() -> None:
    """P19: where DSM refused to say what is immutable, all of it may be."""
    held = [snap(at("11-20 12:00") - n * DAY, immutability_known=False) for n in range(18)]
    for can, days in ((True, 0), (False, 7)):
        found = plan(share(*held), policy(keep=None, immutable=Immutable(7)), NOW,
                     limits=Limits(20), can_pin=can)  # fmt: skip
        assert [c.immutable_days for c in created(found)] == [days]


def test_never_immutable_for_longer_than_max_immutable() -> None:
    """P19: nor for longer than `max_immutable`, whatever came past lint."""
    found = plan(share(), policy(immutable=Immutable(14)), NOW, max_immutable=10 * DAY)
    assert [c.immutable_days for c in created(found)] == [10]
