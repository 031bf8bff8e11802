"""The only way to the executor: its default is refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.authorize import Intent, Permit, authorize
from reconciler.errors import Refusal
from reconciler.model import Identity, Kind, Snapshot
from reconciler.planning.plan import Action, Delete, State, Stop, TargetPlan, UnitPlan

FREE = Action(Delete(Snapshot("a", 1)), ())
HELD = Action(Delete(Snapshot("b", 2)), (), Stop.BRAKE_TARGET)
TARGET = TargetPlan(Kind.SHARE, "u-1", "documents", State.COMPLIANT, actions=(FREE, HELD))
PLAN = UnitPlan("hq-1", 0, "UTC", Identity("S1", "DS", "7", "hq-1"), (TARGET,))


def test_only_what_nothing_stops_is_permitted() -> None:
    """A permit holds the actions that nothing stops, for the unit's serial, and no others."""
    permit = authorize(PLAN, Intent.APPLY)
    assert permit.serial == "S1"
    assert [target.actions for target in permit.targets] == [(FREE,)]


def test_a_target_with_nothing_left_is_not_in_a_permit() -> None:
    """Where everything waits nothing is permitted."""
    waiting = replace(TARGET, actions=(HELD,))
    assert authorize(replace(PLAN, targets=(waiting,)), Intent.APPLY).targets == ()


@pytest.mark.parametrize(
    "state",
    [State.UNKNOWN, State.CONTENDED, State.DESTINATION, State.UNSUPPORTED, State.SUSPENDED],
)
def test_a_target_that_stands_still(state: State) -> None:
    """Whatever a plan holds for a target that stands still is refused (P4, P8)."""
    assert (
        authorize(replace(PLAN, targets=(replace(TARGET, state=state),)), Intent.APPLY).targets
        == ()
    )


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (replace(PLAN, problem="no answer"), "could not be read"),
        (replace(PLAN, identity=None), "could not be read"),
        (replace(PLAN, suspended="volume rebuild"), r"suspended \(volume rebuild\)"),
        (replace(PLAN, identity=Identity("", "DS", "7", "hq-1")), "no serial number"),
    ],
)
def test_a_unit_that_is_refused(plan: UnitPlan, reason: str) -> None:
    """A unit unread, suspended or without a serial is refused, with the reason (P16, P20)."""
    with pytest.raises(Refusal, match=reason):
        authorize(plan, Intent.APPLY)


def test_looking_is_the_default() -> None:
    """Without the intent to apply there is no permit."""
    with pytest.raises(Refusal, match="nobody asked"):
        authorize(PLAN)


def test_a_permit_cannot_be_made_elsewhere() -> None:
    """No other code can make a permit, not even from a good one."""
    with pytest.raises(Refusal, match=r"authorize\(\) alone"):
        Permit("hq-1", "S1", (TARGET,))
