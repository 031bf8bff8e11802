"""The planning part of the promises, *Removal*, and the order of *States*."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import (
    HOUR,
    at,
    changes,
    codes,
    created,
    deleted,
    hold,
    lun,
    lun_snap,
    names,
    observation,
    plan,
    policy,
    record,
    replication,
    share,
    snap,
    synced,
    unit,
    whole,
    wish,
)

from reconciler.calendar import every
from reconciler.model import Identity, Kind, Limits
from reconciler.planning.plan import Delete, State, Stop
from reconciler.planning.unit import plan_unit
from reconciler.policy.model import Manage, Replicate, TargetBrakes
from reconciler.retention import Keep

NOW = "11-23 12:00"
OLD = ("11-20 12:00", "11-21 12:00", "11-23 11:00")
LOOSE = TargetBrakes(50, 100)
PRUNE = policy("", keep={"last": 1}, brakes=LOOSE)


def stops(found: object) -> set[Stop | None]:
    """Return what stops the deletions of a plan."""
    return {a.stopped_by for a in found.actions if a.verb == "delete"}  # type: ignore[attr-defined]


def test_a_synced_one_that_cannot_be_told_lets_nothing_go() -> None:
    """P2: a plan that reports successes without a known snapshot: nothing without approval."""
    done = record("11-22 12:00", success=True, snapshot="GMT+01-2026.01.01-00.00.00")
    found = plan(share(*map(snap, OLD)), PRUNE, NOW, plans=(replication(records=(done,)),))
    assert stops(found) == {Stop.REPLICA_UNIDENTIFIED}
    assert "replica-unidentified" in codes(found)


@pytest.mark.parametrize(
    "extra", [{"successes": 3}, {"last_snapshot": "gone"}], ids=["counted", "named"]
)
def test_a_luns_synced_one_without_its_key_lets_nothing_go(extra: dict[str, object]) -> None:
    """P2: a LUN's is identified by `locked_app_keys` alone."""
    mine = replication(kind=Kind.LUN, target_ids=frozenset({"vm-1"}), **extra)
    found = plan(lun(*map(lun_snap, OLD)), PRUNE, NOW, plans=(mine,))
    assert stops(found) == {Stop.REPLICA_UNIDENTIFIED}


def test_a_plan_of_an_unknown_kind_protects_too() -> None:
    """P2: a plan of an unknown target type that names the target protects it."""
    target = share(*map(snap, OLD))
    odd = replication(kind=None, last_snapshot=target.snapshots[0].name)  # type: ignore[index]
    assert deleted(plan(target, PRUNE, NOW, plans=(odd,))) == ["11-21 12:00"]


def test_an_incomplete_listing_lets_nothing_happen() -> None:
    """P4: where a listing cannot be trusted nothing is created, changed or deleted."""
    found = plan(share(snapshots=None, problem="holds 3 of 4"), policy(), NOW)
    assert (found.state, found.actions) == (State.UNKNOWN, ())


@pytest.mark.parametrize(
    ("version", "stop"),
    [
        ("DSM 7.2-64570", Stop.ATTRIBUTES_UNKNOWN),
        ("DSM 10.0-1", Stop.ATTRIBUTES_UNKNOWN),
        ("", Stop.ATTRIBUTES_UNKNOWN),
        ("DSM 7.1.1-42962", None),
        ("DSM 6.2.4-25556", None),
    ],
)
def test_unknown_immutability_lets_nothing_go(version: str, stop: Stop | None) -> None:
    """P2: where DSM refused to say what is immutable no deletion runs, unless it is too old."""
    middle = ("11-22 12:00", "11-22 18:00")
    blind = [snap(time, immutability_known=False) for time in (*OLD, *middle)]
    who = Identity("2150ABC", "DS923+", version, "attic")
    found = whole(wish(replace(PRUNE, keep=Keep(last=3))), NOW, share(*blind), identity=who)
    assert deleted(found) == ["11-20 12:00", "11-21 12:00"]
    assert stops(found) == {stop}
    locking = wish(policy("", keep={"last": 9}, lock_newest=1))
    assert bool(changes(whole(locking, NOW, share(*blind), identity=who))) is (stop is None)


@pytest.mark.parametrize(
    ("limits", "free"),
    [
        (Limits(3, 3, None), None),
        (Limits(None, None, 3), None),
        (Limits(9, 9, 9), 99_999_999),
    ],
)
def test_at_the_limit_the_victims_without_the_new_one_go_first(
    limits: Limits, free: int | None
) -> None:
    """P5: the victims of the rules run without the new snapshot go first, the rest after it."""
    target = share(*map(snap, ("11-20 12:00", "11-21 12:00", "11-22 12:00")), volume_free=free)
    found = whole(wish(policy(keep={"last": 2}, brakes=LOOSE)), NOW, target, limits=limits)
    order = [(a.verb, isinstance(a.change, Delete) and a.change.early) for a in found.actions]
    assert order == [("delete", True), ("create", False), ("delete", False)]
    assert deleted(found) == ["11-20 12:00", "11-21 12:00"]


def test_with_no_victim_the_target_is_blocked() -> None:
    """P5: with no victim the target is `blocked`, with the reason, and creation is not tried."""
    target = share(*map(snap, OLD))
    found = whole(wish(policy(keep={"last": 9})), NOW, target, limits=Limits(3))
    assert (found.targets[0].state, found.actions) == (State.BLOCKED, ())
    assert any("3 snapshots, the limit is 3" in f.text for f in found.targets[0].findings)


@pytest.mark.parametrize(
    ("kind", "free", "wanted"),
    [
        (share, 100_000_000, True),
        (share, 99_999_999, False),
        (lun, 1_000_000_000, True),
        (lun, 999_999_999, False),
    ],
)
def test_the_least_free_space(kind: object, free: int, *, wanted: bool) -> None:
    """P5: less than 100 MB free stops a share's snapshot, less than 1 GB a LUN's."""
    found = plan(kind(volume_free=free), policy(), NOW)  # type: ignore[operator]
    assert bool(created(found)) is wanted


def test_early_deletions_that_wait_block_the_creation() -> None:
    """P5: brakes as always: where the early deletions wait, the creation is not tried."""
    target = share(*(snap(at("11-23 11:00") - n * HOUR) for n in range(40)))
    found = whole(wish(policy(keep={"last": 2}, lock_newest=1)), NOW, target, limits=Limits(40))
    assert stops(found) == {Stop.BRAKE_TARGET}
    assert not created(found)
    assert found.targets[0].state is State.BLOCKED


@pytest.mark.parametrize(
    ("skew", "stop"), [(300.0, None), (-301.0, Stop.CLOCK), (301.0, Stop.CLOCK)]
)
def test_clocks_that_differ_let_nothing_go(skew: float, stop: Stop | None) -> None:
    """P6: nothing when the two clocks differ by more than `max_clock_skew`; the rest runs."""
    found = whole(wish(policy(brakes=LOOSE)), NOW, share(*map(snap, OLD)), skew=skew)
    assert stops(found) == {stop}
    assert created(found)
    assert ("clock-skew" in codes(found)) == (stop is not None)


@pytest.mark.parametrize(
    ("extra", "destination"),
    [
        ({"role": 2}, True),
        ({"role": 2, "kind": None}, True),
        ({"role": 2, "kind": Kind.LUN}, False),
        ({"target_ids": frozenset({"x"}), "destination_ids": frozenset({"DOCS"})}, False),
        ({"target_ids": frozenset({"x"}), "destination_ids": frozenset({"DOCS"}),
          "to_local": True}, True),
        ({"target_ids": frozenset({"x"}), "destination_ids": frozenset({"u-docs"}),
          "destination_node": "here"}, True),
    ],
)  # fmt: skip
def test_nothing_is_done_on_a_destination(extra: dict[str, object], *, destination: bool) -> None:
    """P8: role 2, or the target of a plan that stays on this NAS: nothing made, set or deleted."""
    target = share(*map(snap, OLD))
    wanted = wish(policy(lock_newest=2), holds=(hold(lock=True),))
    found = whole(wanted, NOW, target, plans=(replication(**extra),))
    assert (found.targets[0].state is State.DESTINATION) is destination
    assert (found.actions == ()) is destination
    nobody = replace(wanted, policies=replace(wanted.policies, policies=()))
    unowned = whole(nobody, NOW, target, plans=(replication(**extra),))
    assert (unowned.targets[0].state is State.DESTINATION) is destination
    assert (unowned.actions == ()) is destination


def test_an_unlisted_plan_lets_nothing_go() -> None:
    """P8: nothing on any target of a NAS whose plan list failed; creations run, syncs do not."""
    wanted = policy(replicate=Replicate(every("6h")))
    found = whole(wish(wanted), NOW, share(*map(snap, OLD)), plans=None, plans_problem="no")
    assert stops(found) == {Stop.PLANS_UNKNOWN}
    assert created(found)
    assert not synced(found)
    assert "plans-unknown" in codes(found)


def test_a_policy_that_goes_or_stops_matching_deletes_nothing() -> None:
    """P9, Removal: nothing goes, and where another policy takes over its deletions wait."""
    target = share(*(snap(time, policy="past") for time in OLD))
    for wanted in (wish(), wish(replace(PRUNE, shares=names("*", "!docs")))):
        found = whole(wanted, NOW, target)
        assert (found.targets[0].state, found.actions) == (State.ORPHANED, ())
    assert stops(whole(wish(PRUNE), NOW, target)) == {Stop.OTHER_POLICY}


def test_the_inventorys_limits_win() -> None:
    """The inventory's limits, else what the NAS said."""
    small = wish(policy(keep={"last": 9}), unit=unit(snapshots_per_share=3))
    assert whole(small, NOW, share(*map(snap, OLD))).targets[0].state is State.BLOCKED


def contended(**extra: object) -> object:
    """Return two policies of one priority, and what else is wished."""
    return wish(policy(), replace(policy(), name="two"), **extra)


def late(**extra: object) -> object:
    """Return a policy that promises an hour."""
    return policy(rpo=HOUR, **extra)


LOADED = share(*(snap(at("11-21 12:00") - n * HOUR) for n in range(60)))
TO_NOWHERE = Replicate(every("6h"), to="nowhere")


@pytest.mark.parametrize(
    ("wanted", "target", "extra", "state"),
    [
        (contended(), share(snapshots=None), {}, State.UNKNOWN),
        (contended(), share(), {"plans": (replication(role=2),)}, State.CONTENDED),
        (contended(), share(unsupported="external"), {}, State.CONTENDED),
        (wish(policy(suspended="me")), share(unsupported="x"),
         {"plans": (replication(role=2),)}, State.DESTINATION),
        (wish(policy(suspended="me")), share(snapshots=None, unsupported="x"), {},
         State.UNSUPPORTED),
        (wish(), share(unsupported="x"), {}, State.UNSUPPORTED),
        (wish(late(suspended="me", replicate=TO_NOWHERE)), LOADED, {}, State.SUSPENDED),
        (wish(late(replicate=TO_NOWHERE, keep=None)), LOADED, {"limits": Limits(60)},
         State.MISSING),
        (wish(late(keep=None)), LOADED, {"limits": Limits(60)}, State.BLOCKED),
        (wish(late()), LOADED, {}, State.LATE),
        (wish(policy(lock_newest=2)), LOADED, {}, State.BRAKED),
        (wish(policy(keep=None, lock_newest=2)), LOADED, {}, State.DRIFTED),
        (wish(policy(keep=None)), LOADED, {}, State.COMPLIANT),
    ],
)  # fmt: skip
def test_a_target_shows_the_first_state_that_applies(
    wanted: object, target: object, extra: dict[str, object], state: State
) -> None:
    """A target shows the first that applies, in the order of the table."""
    found = plan_unit(wanted, observation(NOW, target, **extra))  # type: ignore[arg-type]
    assert found.targets[0].state is state


def test_a_suspended_unit_does_nothing() -> None:
    """`suspend` of a unit: nothing is done there, not even the lock of a hold."""
    wanted = wish(policy(), holds=(hold(lock=True),), unit=unit(suspended="rebuild"))
    found = whole(wanted, NOW, share(*map(snap, OLD)))
    assert (found.targets[0].state, found.actions) == (State.SUSPENDED, ())
    nobody = replace(wanted, policies=replace(wanted.policies, policies=()))
    assert whole(nobody, NOW, share(*map(snap, OLD))).actions == ()


def test_late_by_the_newest_usable() -> None:
    """`late`: the newest usable older than its `rpo`, or none though one was due."""
    assert plan(share(), policy(rpo=HOUR), NOW).state is State.LATE
    assert plan(share(snap("11-23 11:00")), policy(rpo=HOUR), NOW).state is State.COMPLIANT
    assert plan(share(snap("11-23 10:59:59")), policy(rpo=HOUR), NOW).state is State.LATE
    by_hand = share(snap("11-23 10:00"), snap("11-23 11:30", mark=None))
    assert plan(by_hand, policy(rpo=HOUR), NOW).state is State.LATE
    assert plan(by_hand, policy(rpo=HOUR, manage=Manage.ALL), NOW).state is State.COMPLIANT


def test_unsupported_is_loud_only_where_it_was_named() -> None:
    """What DSM cannot snapshot is silent for a glob, a warning when named outright."""
    odd = share(unsupported="external")
    for names_, severity in ((names("d*"), "note"), (names("docs"), "warning")):
        found = whole(wish(replace(policy(), shares=names_)), NOW, odd)
        assert [f.severity for f in found.targets[0].findings] == [severity]
