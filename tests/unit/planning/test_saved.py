"""A saved plan comes back as it was, and is executed exactly or refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from builders import lun, lun_snap, observation, policy, replication, share, snap, whole, wish

from reconciler.calendar import every
from reconciler.errors import UserError
from reconciler.model import Kind, Snapshot
from reconciler.planning import digest, saved
from reconciler.planning.document import to_document
from reconciler.planning.plan import Plan, UnitPlan
from reconciler.planning.saved import Agreed, agree, from_document
from reconciler.policy.model import Replicate

sys.path.insert(0, str(Path(__file__).parents[2] / "golden"))

import plans

NOON = "11-23 12:00"
UNITS = (plans.attic, plans.company, plans.unread, plans.suspended, plans.settled, plans.hostile)


def document(plan: Plan) -> dict[str, object]:
    """Return a plan's document."""
    return to_document(plan, tool_version="0.1.0")


@pytest.mark.parametrize("made", UNITS)
def test_a_plan_comes_back_from_its_document(made: object) -> None:
    """What is read back writes the very same document."""
    found = document(plans.plan(made(), revision="rev"))  # type: ignore[operator]
    assert document(from_document(found)) == found


def test_every_kind_of_action_comes_back() -> None:
    """A plan with a creation, lock, deletion and sync of a share, and a LUN's, is read back."""
    wanted = wish(
        policy(keep={"last": 1}, lock_newest=2, immutable=None,
               replicate=Replicate(every("1h"), to="dr-1")),
    )  # fmt: skip
    olds = [snap("11-21 10:00"), snap("11-23 10:30"), snap("11-23 11:00")]
    plan = whole(wanted, NOON, share(*olds), plans=(replication(),))
    assert {a.verb for a in plan.actions} == {"create", "set_attr", "delete", "sync"}
    found = document(Plan(0, "rev", (plan,)))
    (back,) = from_document(found).units
    assert [replace(a, reasons=()) for a in back.actions] == [
        replace(a, reasons=()) for a in plan.actions
    ]


def test_an_edited_plan_is_refused() -> None:
    """A plan that was changed after it was saved is not a plan that anyone agreed to."""
    found = document(plans.plan(plans.attic()))
    found["targets"][0]["kept"] = 5  # type: ignore[index]
    with pytest.raises(UserError, match="changed after it was saved"):
        from_document(found)


def test_a_change_of_a_snapshot_that_is_not_named_is_refused() -> None:
    """A deletion without its snapshot is refused, also with a digest made for it."""
    found = document(plans.plan(plans.attic()))
    action = next(a for t in found["targets"] for a in t["actions"] if a["verb"] == "delete")  # type: ignore[attr-defined]
    action["snapshot"] = None
    found["digest"] = digest.of(
        {k: v for k, v in found.items() if k not in ("created_at", "digest")}
    )
    with pytest.raises(UserError, match="does not name"):
        from_document(found)


def test_a_plan_that_says_what_this_release_cannot_read_back_is_refused() -> None:
    """What would be lost in reading is no part of an agreement."""
    found = document(plans.plan(plans.attic()))
    found["units"][0]["waiting"] = None  # type: ignore[index]
    found["digest"] = digest.of(
        {k: v for k, v in found.items() if k not in ("created_at", "digest")}
    )
    with pytest.raises(UserError, match="cannot read back"):
        from_document(found)


OLD = snap("11-21 10:00")
FRESH = (snap("11-23 11:00"), snap("11-23 12:00"))
WANTED = wish(policy(keep={"last": 2}))


def looked(*snapshots: Snapshot, now: str = NOON, **extra: object) -> UnitPlan:
    """Plan the share docs with these snapshots."""
    return whole(WANTED, now, share(*snapshots, **extra))


def through(plan: UnitPlan) -> UnitPlan:
    """Return a plan as its document holds it."""
    return from_document(document(Plan(0, "", (plan,)))).units[0]


def verbs(agreed: Agreed) -> list[str]:
    """Return the verbs of what both plans want."""
    return [action.verb for action in agreed.plan.actions]


def test_an_unchanged_nas_gets_exactly_the_saved_plan() -> None:
    """Nothing refused, nothing passed over."""
    plan = looked(OLD, *FRESH)
    agreed = agree(through(plan), plan)
    assert (verbs(agreed), agreed.refused, agreed.done) == (["delete"], (), 0)


def test_what_has_appeared_since_adds_no_deletion() -> None:
    """A snapshot that has appeared since does not make a plan stale: it adds no deletion."""
    saved_plan = through(looked(OLD, *FRESH))
    second = snap("11-21 11:00")
    fresh = looked(OLD, second, *FRESH)
    agreed = agree(saved_plan, fresh)
    assert [a.snapshot for a in agreed.plan.actions] == [OLD]
    assert agreed.refused == ()


def test_a_victim_that_changed_refuses_its_target() -> None:
    """A victim that is no longer what the plan saw refuses its target, by the snapshot's name."""
    saved_plan = through(looked(OLD, *FRESH))
    edited = replace(OLD, description="kept by hand " + OLD.description)
    agreed = agree(saved_plan, looked(edited, *FRESH))
    assert agreed.refused == (("share/docs", f"{OLD.name} was changed since the plan was saved"),)
    assert agreed.plan.actions == ()


def test_a_victim_that_is_kept_now_refuses_its_target() -> None:
    """Where the reasons for deleting no longer hold the target is refused, with the reason."""
    saved_plan = through(looked(OLD, *FRESH))
    agreed = agree(saved_plan, looked(OLD, FRESH[1]))
    assert agreed.refused == (("share/docs", f"{OLD.name} is kept now: last 2/2"),)


def test_a_victim_that_is_gone_is_done() -> None:
    """What somebody deleted meanwhile is skipped as done."""
    agreed = agree(through(looked(OLD, *FRESH)), looked(*FRESH))
    assert (verbs(agreed), agreed.refused, agreed.done) == ([], (), 1)


def test_a_creation_that_was_made_or_is_no_longer_the_latest_is_passed_over() -> None:
    """A creation whose due time is satisfied, or no longer the latest, is skipped."""
    saved_plan = through(looked(FRESH[0]))
    assert [a.verb for a in saved_plan.actions] == ["create"]
    for later in (looked(*FRESH), looked(FRESH[0], now="11-23 13:00")):
        agreed = agree(saved_plan, later)
        assert (verbs(agreed), agreed.refused, agreed.done) == ([], (), 1)


def test_a_target_that_is_gone_is_refused_where_it_had_actions() -> None:
    """A share that is no longer there refuses its part of the plan, where it had one."""
    gone = UnitPlan("attic", 0, "UTC")
    assert agree(through(looked(OLD, *FRESH)), gone).refused == (
        ("share/docs", "it is no longer on the NAS"),
    )
    assert agree(through(looked(*FRESH)), gone).refused == ()


def test_a_target_that_cannot_be_read_refuses_its_deletions() -> None:
    """An incomplete listing is no proof that the victims are gone."""
    unread = looked(now=NOON)
    broken = whole(WANTED, NOON, share(snapshots=None, problem="truncated"))
    agreed = agree(through(looked(OLD, *FRESH)), broken)
    assert agreed.refused == (("share/docs", "truncated"),)
    assert unread.actions


def test_a_luns_snapshots_are_known_again_by_uuid() -> None:
    """A LUN's victims are compared by their uuid and attributes."""
    old, new = lun_snap("11-21 10:00"), lun_snap("11-23 12:00")
    wanted = wish(replace(policy(keep={"last": 1}), luns=policy_names()))
    plan = whole(wanted, NOON, lun(old, lun_snap("11-23 11:00"), new))
    assert [t.kind for t in plan.targets] == [Kind.LUN]
    assert verbs(agree(through(plan), plan)) == ["delete"]


def policy_names() -> object:
    """Return a selector of every LUN."""
    from builders import names

    return names("*")


def test_a_saved_plan_expires_after_a_day() -> None:
    """The limit that `apply` holds a plan's age against."""
    assert saved.EXPIRES_AFTER == 86_400
    assert observation(NOON).now > 0
