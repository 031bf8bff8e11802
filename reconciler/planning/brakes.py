"""Limits to what may be deleted (P7): per target, per NAS and run, per NAS and 24 hours.

The arithmetic is that of the policy language, section "Brakes": a policy that does not change
never trips a brake while passes run as planned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.duration import HOUR
from reconciler.planning.plan import Action, Delete, Stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.planning.plan import TargetPlan

_IMMUTABLE_WEIGHT = 2


@dataclass(frozen=True, slots=True)
class Count:
    """A target's figures: `victims` counts n, `managed` m and `weight` r of the policy language."""

    victims: int
    managed: int
    weight: int

    @property
    def over(self) -> int:
        """What the target adds to the unit's brake: n - r, not below 0."""
        return max(0, self.victims - self.weight)

    @property
    def percent(self) -> int:
        """The victims' share of the target, in whole per cent, rounded up."""
        return -(-100 * self.victims // self.managed) if self.managed else 0


def weight(rules: int, *, immutable: bool) -> int:
    """Return r: the rules' weight, and two more where `immutable` is set."""
    return rules + (_IMMUTABLE_WEIGHT if immutable else 0)


def count(target: TargetPlan) -> Count:
    """Count a target's victims, leaving out those of the hour before its newest.

    A deletion that a person approved counts in no brake, what is new beside it does.
    """
    old = sum(counts(action, target) for action in target.victims if not action.approved)
    return Count(old, target.kept + len(target.victims), target.brake_weight)


def counts(action: Action, target: TargetPlan) -> bool:
    """Whether a victim was taken more than an hour before the newest one the target had."""
    newest, snapshot = target.newest_managed, action.snapshot
    if newest is None or snapshot is None or snapshot.time is None:
        return False
    return snapshot.time < newest - HOUR


def trips(figures: Count, *, max_deletes: int, max_percent: int) -> bool:
    """Whether a target's victims wait; 0 in either limit lets none go at all."""
    if max_deletes == 0 or max_percent == 0:
        return True
    if figures.victims > max_deletes:
        return True
    if figures.victims <= figures.weight:
        return False
    return 100 * figures.victims > max_percent * figures.managed


def apply(
    targets: Sequence[TargetPlan], *, max_deletes: int, max_per_day: int, today: int
) -> tuple[TargetPlan, ...]:
    """Return the targets of one unit with what the brakes stop marked so.

    A target's victims go together or wait together; when a brake of the unit trips, every target
    that counts waits. `today` is what the passes of the last 24 hours have added.
    """
    braked = [_brake_target(target) for target in targets]
    counted = [(target, count(target)) for target in braked]
    total = sum(figures.over for _, figures in counted)
    limits = (
        (Stop.BRAKE_UNIT, max_deletes, total > max_deletes),
        (Stop.BRAKE_DAY, max_per_day, total + today > max_per_day),
    )
    for stop, limit, above in limits:
        if above or not limit:
            return tuple(
                _stop(target, stop) if figures.over or not limit else target
                for target, figures in counted
            )
    return tuple(braked)


def _brake_target(target: TargetPlan) -> TargetPlan:
    most, percent = target.brake_limits
    if not target.victims:
        return target
    if not trips(count(target), max_deletes=most, max_percent=percent):
        return target
    return _stop(target, Stop.BRAKE_TARGET)


def _stop(target: TargetPlan, stop: Stop) -> TargetPlan:
    def stopped(action: Action) -> Action:
        free = action.stopped_by is None and not action.approved
        if not isinstance(action.change, Delete) or not free:
            return action
        return replace(action, stopped_by=stop)

    return replace(target, actions=tuple(stopped(action) for action in target.actions))
