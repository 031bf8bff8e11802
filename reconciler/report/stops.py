"""What stops an action, in words: the fact with its number and limit, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.planning import brakes, digest
from reconciler.planning.plan import Delete, Stop
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.planning.plan import Action, SnapshotVerdict, TargetPlan, UnitPlan

_FACTS: dict[Stop, str] = {
    Stop.CLOCK: "the clocks of the NAS and of this machine differ too much",
    Stop.CLOCK_JUMP: "the clock of the NAS jumped",
    Stop.NAME_CLOCK: "a new snapshot's name and the clock of the NAS differ too much",
    Stop.PLANS_UNKNOWN: "the replication plans of the NAS could not be listed",
    Stop.PLANS_GONE: "the NAS listed replication plans before and offers none now",
    Stop.NEW_STATE: "this state is new to a NAS that has snapshots of ours",
    Stop.PAUSED: "deletions on this NAS are paused",
    Stop.REPLICA_UNIDENTIFIED: "which of them the replica needs cannot be told",
    Stop.MIXED_NAMES: "names with and without an offset stand side by side",
    Stop.ATTRIBUTES_UNKNOWN: "DSM does not say which of them are immutable",
    Stop.UNMARKED: "somebody else made them; each such deletion waits for a person",
    Stop.SCHEDULED: "DSM's schedule made them; the first such deletion waits for a person",
}
_NEXT: dict[Stop, str] = {
    Stop.NAME_CLOCK: "set NTP on the NAS: Control Panel > Regional Options in DSM",
    Stop.ATTRIBUTES_UNKNOWN: "update DSM; until then delete in DSM what you are sure of",
}
"""What a person can do; a stop that is absent here has a finding that says it, or an approval."""


def fact(stop: Stop, waits: Sequence[Action], target: TargetPlan, unit: UnitPlan) -> str:
    """Say what stops `waits`, with the number and the limit where a brake does."""
    counting: dict[Stop, Callable[[], str]] = {
        Stop.BRAKE_TARGET: lambda: _braked(target),
        Stop.BRAKE_UNIT: lambda: _unit_braked(unit),
        Stop.BRAKE_DAY: lambda: _day_braked(unit),
        Stop.OTHER_POLICY: lambda: _other_policy(waits),
    }
    return counting[stop]() if stop in counting else _FACTS[stop]


def next_step(stop: Stop, unit: UnitPlan) -> str:
    """Say what a person can do about the stop, "" where a finding beside it says so.

    What an approval can release is named with the command.
    """
    waits = digest.waiting(unit) if stop.approvable else None
    return approval(waits.shown) if waits is not None else _NEXT.get(stop, "")


def approval(shown: str) -> str:
    """Return the command that lets a unit's waiting deletions go."""
    return f"reconcile approve {shown}"


def stop_of(target: TargetPlan, verdict: SnapshotVerdict) -> Stop | None:
    """Return what stops a victim's deletion, None where it runs."""
    for action in target.actions:
        change = action.change
        if isinstance(change, Delete) and change.snapshot.key == verdict.snapshot.key:
            return action.stopped_by
    return None


def _tripped(target: TargetPlan) -> tuple[str, ...]:
    """Return the keys of the limits that the target's deletions are above."""
    most, percent = target.brake_limits
    figures = brakes.count(target)
    by_percent = figures.victims > figures.weight
    by_percent = by_percent and 100 * figures.victims > percent * figures.managed
    found = (
        ("max_delete_percent", percent == 0 or by_percent),
        ("max_deletes", most == 0 or figures.victims > most),
    )
    return tuple(key for key, holds in found if holds) or ("max_deletes",)


def _braked(target: TargetPlan) -> str:
    most, percent = target.brake_limits
    figures = brakes.count(target)
    if not most or not percent:
        return "the brake is 0: it lets none go"
    if "max_delete_percent" in _tripped(target):
        return f"{figures.percent} % of this target; the brake stops above {percent} %"
    return f"{figures.victims} of this target; the brake stops above {most}"


def _unit_braked(unit: UnitPlan) -> str:
    over = sum(brakes.count(target).over for target in unit.targets)
    if not over:
        return "the brake of this NAS is 0: it lets none go"
    return f"{counted(over, 'deletion')} on this NAS count; above its brake, `max_deletes`"


def _day_braked(unit: UnitPlan) -> str:
    over = sum(brakes.count(target).over for target in unit.targets)
    if not over:
        return "the brake per 24 hours is 0: it lets none go"
    return f"{counted(over, 'deletion')} more count; above the brake per 24 hours"


def _owners(waits: Sequence[Action]) -> tuple[str, ...]:
    marks = (a.snapshot.mark for a in waits if a.snapshot is not None)
    return tuple(sorted({mark.policy for mark in marks if mark is not None}))


def _other_policy(waits: Sequence[Action]) -> str:
    names = _owners(waits)
    return f"their mark names policy {' and '.join(names)}"
