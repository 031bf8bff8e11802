"""What earlier passes knew: each comparison keeps more, never less."""

from __future__ import annotations

from dataclasses import replace

from builders import (
    DAY,
    HERE,
    HOUR,
    at,
    codes,
    deleted,
    hold,
    names,
    observation,
    policy,
    replication,
    share,
    snap,
    whole,
    wish,
)

from reconciler.execute.outcome import UnitOutcome
from reconciler.mark import Mark
from reconciler.memory import BoundHold, Seen, TargetMemory, UnitMemory, Vanished
from reconciler.model import BuiltIn, Finding, Kind, ObservedTarget, RetentionKind
from reconciler.planning.plan import State, Stop, UnitPlan
from reconciler.planning.recall import hold_losses
from reconciler.planning.unit import Wish, plan_unit
from reconciler.reconcile import Looked, afterwards

NOON = "11-23 12:00"
KEY = (Kind.SHARE, "u-docs")
OTHER = names("elsewhere")


def remembering(wanted: Wish, **target: object) -> Wish:
    """Return the wish with a memory of the share docs."""
    known = TargetMemory(Kind.SHARE, "u-docs", "docs", "compliant", since=at("11-01 00:00"))
    known = replace(known, **target)  # type: ignore[arg-type]
    return replace(wanted, memory=UnitMemory("attic", targets={KEY: known}))


def seen(*snapshots: object) -> tuple[Seen, ...]:
    """Return snapshots as a memory holds them."""
    return tuple(Seen(s.key, s.name, s.time) for s in snapshots)  # type: ignore[attr-defined]


def pass_over(wanted: Wish, now: str, *targets: ObservedTarget, **extra: object) -> UnitMemory:
    """Look at a NAS, change nothing, and return what the pass leaves."""
    observed = observation(now, *targets, **extra)
    looked = Looked(wanted, observed, plan_unit(wanted, observed))
    return afterwards(looked, UnitOutcome("attic")).memory


def only(plan: UnitPlan, code: str) -> Finding:
    """Return the one finding of this code, of the unit or of its targets."""
    found = [*plan.findings, *(f for target in plan.targets for f in target.findings)]
    (one,) = [finding for finding in found if finding.code == code]
    return one


def test_a_list_that_is_empty_where_it_was_not_is_distrusted_for_that_pass() -> None:
    """P4: nothing is made on a target whose list is empty and was not at the last pass.

    The next pass takes the empty list as it is, and says what vanished.
    """
    lost = snap("11-22 12:00")
    wanted = remembering(wish(policy()), listed=3, ours=seen(lost))
    plan = whole(wanted, NOON, share())
    (target,) = plan.targets
    assert (target.state, target.actions) == (State.UNKNOWN, ())
    assert "held 3 snapshots at the last pass" in target.findings[0].text
    again = whole(replace(wanted, memory=pass_over(wanted, NOON, share())), NOON, share())
    assert [action.verb for action in again.actions] == ["create"]
    assert "1 snapshot of ours is gone" in only(again, "vanished").text


def test_a_list_that_was_empty_before_is_believed() -> None:
    """A new share has no snapshots, and gets its first one."""
    plan = whole(remembering(wish(policy()), listed=0), NOON, share())
    assert [action.verb for action in plan.actions] == ["create"]


def test_a_replication_api_that_is_gone_stops_every_deletion() -> None:
    """P8: on a NAS whose replication API was there before and is gone nothing is deleted."""
    old = [snap("11-21 10:00"), snap("11-23 11:00"), snap("11-23 12:00")]
    wanted = wish(policy(keep={"last": 1}))
    assert deleted(whole(wanted, NOON, share(*old), plans_offered=False), free=True)
    offered = replace(wanted, memory=UnitMemory("attic", plans_offered=True))
    plan = whole(offered, NOON, share(*old), plans_offered=False)
    assert {a.stopped_by for a in plan.actions if a.verb == "delete"} == {Stop.PLANS_GONE}
    assert "Package Center" in only(plan, "plans-gone").next_step
    assert pass_over(offered, NOON, share(*old), plans_offered=False).plans_offered


def test_a_held_share_stays_held_under_another_name() -> None:
    """A hold that has matched a target stays bound to its uuid until it leaves the repository."""
    case = hold(shares=names("docs"))
    old = [snap("11-20 10:00"), snap("11-20 12:00"), snap("11-23 11:00"), snap("11-23 12:00")]
    wanted = wish(policy(keep={"last": 1}, shares=names("*")), holds=(case,))
    memory = pass_over(wanted, NOON, share(*old))
    assert [(bond.hold, bond.key) for bond in memory.holds] == [("case", KEY)]
    renamed = share(*old, name="papers")
    assert deleted(whole(wanted, NOON, renamed)) == ["11-20 10:00", "11-20 12:00"]
    bound = replace(wanted, memory=memory)
    assert deleted(whole(bound, NOON, renamed)) == []
    unread = pass_over(bound, NOON, replace(renamed, snapshots=None))
    assert unread.holds == memory.holds, "an unread list changes no bond"
    gone = replace(bound, policies=replace(bound.policies, holds=()))
    assert deleted(whole(gone, NOON, renamed)) == ["11-20 10:00", "11-20 12:00"]
    assert pass_over(gone, NOON, renamed).holds == (), "the bond ends with its hold"


def test_a_held_snapshot_that_is_gone_is_an_error_until_the_hold_ends() -> None:
    """A held snapshot that is gone is an error finding, also at every later pass."""
    first, second = snap("11-20 10:00"), snap("11-23 12:00")
    wanted = wish(policy(), holds=(hold(before="11-21 00:00"),))
    memory = pass_over(wanted, NOON, share(first, second))
    assert memory.holds[0].covered == seen(first), "what it does not cover is not held"
    later = replace(wanted, memory=memory)
    finding = only(whole(later, NOON, share(second)), "hold-broken")
    assert finding.text.startswith("1 snapshot under hold case is gone: GMT+01-2026.11.20-10")
    broken = share(snapshots=None, problem="truncated")
    memory = pass_over(replace(wanted, memory=pass_over(later, NOON, share(second))), NOON, broken)
    again = replace(wanted, memory=memory)
    assert only(whole(again, "11-24 12:00", share(second)), "hold-broken").text == finding.text


def test_a_hold_that_covers_less_now_misses_less() -> None:
    """A snapshot that a hold was edited to leave out may go without a finding."""
    first, second = snap("11-20 10:00"), snap("11-23 12:00")
    memory = pass_over(wish(policy(), holds=(hold(),)), NOON, share(first, second))
    edited = wish(policy(), holds=(hold(after="11-22 00:00"),), memory=memory)
    assert "hold-broken" not in codes(whole(edited, NOON, share(second)).targets[0])


def test_a_held_target_that_is_gone_is_an_error() -> None:
    """A hold bound to a share that was removed says so, and stays bound to it."""
    bond = BoundHold("case", Kind.SHARE, "u-old", "old", at("11-01 00:00"))
    wanted = wish(policy(), holds=(hold(),), memory=UnitMemory("attic", holds=(bond,)))
    assert (
        "share/old, which is no longer there"
        in only(whole(wanted, NOON, share()), "hold-broken").text
    )
    assert bond in pass_over(wanted, NOON, share()).holds


def test_a_target_without_its_policy_is_orphaned_with_the_line_to_edit() -> None:
    """A policy that stops matching deletes nothing: its target is orphaned, by its old name too."""
    ours = [snap("11-20 10:00"), snap("11-21 10:00")]
    wanted = wish(policy(shares=names("docs")))
    memory = pass_over(wanted, NOON, share(*ours))
    assert memory.targets[KEY].place == str(HERE)
    plan = whole(replace(wanted, memory=memory), NOON, share(*ours, name="papers"))
    (target,) = plan.targets
    assert (target.state, target.actions) == (State.ORPHANED, ())
    finding = only(plan, "orphaned")
    assert finding.text == "it was docs (same uuid); 2 snapshots of ours"
    assert finding.next_step.startswith(f"add papers to {HERE} (shares)")
    other = whole(replace(wish(policy(shares=OTHER)), memory=memory), NOON, share(*ours))
    assert only(other, "orphaned").text == "policy erp no longer selects it; 2 snapshots of ours"


def test_orphaned_needs_no_memory_and_ends_after_thirty_days() -> None:
    """With a lost store the marks tell; it is orphaned for 30 days, then unmanaged."""
    ours = share(snap("11-20 10:00"))
    wanted = wish(policy(shares=OTHER))
    assert whole(wanted, NOON, ours).targets[0].state is State.ORPHANED
    memory = pass_over(wanted, NOON, ours)
    for days, state in ((30, State.ORPHANED), (31, State.UNMANAGED)):
        later = at(NOON) + days * DAY
        shown = replace(wanted, memory=memory)
        assert plan_unit(shown, observation(later, ours)).targets[0].state is state
    expired = replace(wanted, memory=pass_over(replace(wanted, memory=memory), "12-25 12:00", ours))
    assert whole(expired, "12-26 12:00", ours).targets[0].state is State.UNMANAGED


def test_released_targets_and_those_without_snapshots_of_ours_are_no_orphans() -> None:
    """Orphaned is what has snapshots of ours and was not given back."""
    wanted = wish(policy(shares=OTHER))
    freed = remembering(wanted, released=at("11-22 00:00"))
    assert whole(freed, NOON, share(snap("11-20 10:00"))).targets[0].state is State.UNMANAGED
    adopted = snap("11-20 10:00", mark=Mark("erp", adopted=True))
    foreign = snap("11-21 10:00", mark=Mark("erp", "other", due=0))
    for one in (adopted, foreign, snap("11-20 10:00", mark=None)):
        assert whole(wanted, NOON, share(one)).targets[0].state is State.UNMANAGED


def test_a_snapshot_of_ours_gone_without_a_record_is_drift_for_a_week() -> None:
    """One of ours gone without a record: drifted, always with its cause."""
    left, lost = snap("11-23 12:00"), snap("11-22 12:00")
    wanted = remembering(wish(policy()), listed=2, ours=seen(lost, left))
    plan = whole(wanted, NOON, share(left))
    assert plan.targets[0].state is State.DRIFTED
    assert only(plan, "vanished").text.startswith(
        "1 snapshot of ours is gone without a record: Sun 22 Nov 12:00"
    )
    memory = pass_over(wanted, NOON, share(left))
    assert memory.targets[KEY].vanished == (Vanished(seen(lost)[0], at(NOON)),)
    assert memory.targets[KEY].ours == seen(left)
    fresh = snap("11-30 12:00")
    for now, state in (("11-30 12:00", State.DRIFTED), ("11-30 12:01", State.COMPLIANT)):
        later = replace(wanted, memory=memory)
        assert whole(later, now, share(left, fresh)).targets[0].state is state


def test_what_vanished_names_dsms_own_retention_as_its_cause() -> None:
    """Where DSM prunes too, the finding says so."""
    left = snap("11-23 12:00")
    gone = tuple(snap(f"11-2{day} 12:00") for day in (0, 1, 2))
    many = (*gone, snap("11-19 12:00"))
    wanted = remembering(wish(policy()), listed=5, ours=seen(*many, left))
    pruned = share(left, built_in=BuiltIn(retention=RetentionKind.LATEST))
    text = only(whole(wanted, NOON, pruned), "vanished").text
    assert text.startswith("4 snapshots of ours are gone without a record: Thu 19 Nov 12:00, ")
    assert text.endswith(" and 1 more; DSM's own retention is on there")


def test_an_unread_list_shows_nothing_vanished() -> None:
    """Nothing is missed on a target whose list cannot be trusted, nor forgotten of it."""
    ours = seen(snap("11-22 12:00"))
    wanted = remembering(wish(policy()), listed=1, ours=ours, state="late")
    broken = share(snapshots=None, problem="truncated")
    assert codes(whole(wanted, NOON, broken).targets[0]) == ["unread"]
    memory = pass_over(wanted, NOON, broken)
    assert (memory.targets[KEY].ours, memory.targets[KEY].state) == (ours, "unknown")


def test_since_is_when_a_state_began() -> None:
    """`since` stays while the state stays, and begins anew with another one."""
    ours = share(snap("11-23 12:00"))
    wanted = remembering(wish(policy(rpo=2 * HOUR)), listed=1)
    memory = pass_over(wanted, NOON, ours)
    assert (memory.targets[KEY].state, memory.targets[KEY].since) == (
        "compliant",
        at("11-01 00:00"),
    )
    late = pass_over(replace(wanted, memory=memory), "11-23 18:00", ours)
    assert (late.targets[KEY].state, late.targets[KEY].since) == ("late", at("11-23 18:00"))


def test_a_pass_remembers_the_unit_it_read() -> None:
    """Serial, host name, clock, replication and measured shifts are what the last reading said."""
    memory = pass_over(wish(policy()), NOON, share(), plans=(replication(),))
    assert memory.serials == ("2150ABC",)
    assert (memory.hostname, memory.clock) == ("attic", at(NOON))
    assert memory.plans_offered
    again = pass_over(wish(policy(), memory=replace(memory, serials=("OLD", "2150ABC"))), NOON)
    assert again.serials == ("OLD", "2150ABC"), "of a high-availability pair both stay known"


def test_a_unit_that_cannot_be_read_keeps_what_was_known_of_it() -> None:
    """Unknown since the first failure, with its reason; its targets and serial stay known."""
    wanted = remembering(wish(policy()), listed=2)
    down = Looked(wanted, None, UnitPlan("attic", at(NOON), "UTC", problem="refused"))
    memory = afterwards(down, UnitOutcome("attic")).memory
    assert (memory.unread_since, memory.unread) == (at(NOON), "refused")
    assert memory.targets == wanted.memory.targets
    later = UnitPlan("attic", at(NOON) + HOUR, "UTC", problem="timed out")
    still = afterwards(
        Looked(replace(wanted, memory=memory), None, later), UnitOutcome("attic")
    ).memory
    assert (still.unread_since, still.unread) == (at(NOON), "timed out")
    back = pass_over(replace(wanted, memory=still), NOON, share(snap("11-23 12:00")))
    assert (back.unread_since, back.unread) == (None, "")


def test_another_unit_teaches_nothing() -> None:
    """A unit that is not the one meant leaves no serial and no target in the memory."""
    wanted = wish(policy(), memory=UnitMemory("attic", serials=("MINE",)))
    observed = observation(NOON, share())
    plan = replace(plan_unit(wanted, observed), problem="it is another unit", targets=())
    memory = afterwards(Looked(wanted, observed, plan), UnitOutcome("attic")).memory
    assert (memory.serials, memory.targets) == (("MINE",), {})


def test_a_list_that_cannot_be_read_breaks_no_hold() -> None:
    """What a hold lost is judged on a trusted list alone."""
    lost = BoundHold("case", *KEY, name="docs", since=0, covered=seen(snap("11-20 10:00")))
    memory = UnitMemory("attic", holds=(lost,))
    unread = share(snapshots=None, problem="truncated")
    assert hold_losses(unread, memory, (hold(),)) == ()
    assert codes_of(hold_losses(share(), memory, (hold(),))) == ["hold-broken"]


def codes_of(findings: tuple[Finding, ...]) -> list[str]:
    """Return the codes of findings."""
    return [finding.code for finding in findings]
