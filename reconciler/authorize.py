"""The only way to the executor: `authorize(plan, intent)` makes a permit or refuses.

Refusal is the default: an empty intent, a dry run, a unit that could not be read or is suspended,
and every action that a brake, a guard or a missing approval stops are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from reconciler.errors import Refusal
from reconciler.planning.plan import State

if TYPE_CHECKING:
    from reconciler.planning.plan import Action, TargetPlan, UnitPlan


class Intent(Enum):
    """What the caller means to do with a plan; LOOK is the default everywhere."""

    LOOK = auto()
    APPLY = auto()


_STANDING_STILL = frozenset(
    {State.UNKNOWN, State.CONTENDED, State.DESTINATION, State.UNSUPPORTED, State.SUSPENDED}
)
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to run the actions of `targets`, and nothing else, on the unit of serial `serial`."""

    nas: str
    serial: str
    targets: tuple[TargetPlan, ...]
    seal: object = None

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise Refusal("a permit is made by authorize() alone")


def authorize(plan: UnitPlan, intent: Intent = Intent.LOOK) -> Permit:
    """Return leave to run what nothing stops, target by target; raise Refusal otherwise."""
    if intent is not Intent.APPLY:
        raise Refusal(f"{plan.nas}: nobody asked to apply this plan")
    if plan.problem or plan.identity is None:
        raise Refusal(f"{plan.nas}: it could not be read, so nothing is written there")
    if plan.suspended:
        raise Refusal(f"{plan.nas}: suspended ({plan.suspended})")
    if not plan.identity.serial:
        raise Refusal(f"{plan.nas}: it reported no serial number, so it cannot be told apart")
    targets = tuple(_permitted(t) for t in plan.targets if t.state not in _STANDING_STILL)
    return Permit(plan.nas, plan.identity.serial, tuple(t for t in targets if t.actions), _SEAL)


def _permitted(target: TargetPlan) -> TargetPlan:
    return replace(target, actions=tuple(a for a in target.actions if _free(a)))


def _free(action: Action) -> bool:
    return action.stopped_by is None
