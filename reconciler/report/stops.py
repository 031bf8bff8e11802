"""What stops an action, in words: the fact with its number and limit, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.planning import brakes
from reconciler.planning.plan import Delete, Stop
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.planning.plan import Action, SnapshotVerdict, TargetPlan, UnitPlan

_BY_HAND = "delete by hand in DSM (cannot be undone)"
_FACTS: dict[Stop, str] = {
    Stop.CLOCK: "the clocks of the NAS and of this machine differ too much",
    Stop.NAME_CLOCK: "a new snapshot's name and the clock of the NAS differ too much",
    Stop.PLANS_UNKNOWN: "the replication plans of the NAS could not be listed",
    Stop.PLANS_GONE: "the NAS listed replication plans before and offers none now",
    Stop.REPLICA_UNIDENTIFIED: "which of them the replica needs cannot be told",
    Stop.MIXED_NAMES: "names with and without an offset stand side by side",
    Stop.ATTRIBUTES_UNKNOWN: "their attributes could not be read",
    Stop.UNMARKED: "somebody else made them; each such deletion waits for a person",
    Stop.SCHEDULED: "DSM's schedule made them; the first such deletion waits for a person",
}
_NEXT: dict[Stop, str] = {
    Stop.NAME_CLOCK: "set NTP on the NAS: Control Panel > Regional Options in DSM",
    Stop.REPLICA_UNIDENTIFIED: "look at the plan's log in Snapshot Replication > Replication, or "
    + _BY_HAND,
    Stop.ATTRIBUTES_UNKNOWN: "the next pass reads them again",
    Stop.UNMARKED: _BY_HAND,
    Stop.SCHEDULED: _BY_HAND,
    Stop.BRAKE_UNIT: f"raise `brakes.max_deletes` in reconciler.yaml, or {_BY_HAND}",
}
"""What a person can do; a stop that is absent here has a finding that says it."""


def fact(stop: Stop, waits: Sequence[Action], target: TargetPlan, unit: UnitPlan) -> str:
    """Say what stops `waits`, with the number and the limit where a brake does."""
    counting: dict[Stop, Callable[[], str]] = {
        Stop.BRAKE_TARGET: lambda: _braked(target),
        Stop.BRAKE_UNIT: lambda: _unit_braked(unit),
        Stop.OTHER_POLICY: lambda: _other_policy(waits),
    }
    return counting[stop]() if stop in counting else _FACTS[stop]


def next_step(stop: Stop, waits: Sequence[Action], target: TargetPlan) -> str:
    """Say what a person can do about the stop, "" where a finding beside it says so."""
    if stop is Stop.BRAKE_TARGET:
        keys = " and ".join(f"`{key}`" for key in _tripped(target))
        return f"raise {keys} of `brakes` in policy {target.policy}, or {_BY_HAND}"
    if stop is Stop.OTHER_POLICY:
        names = ", ".join(_owners(waits))
        return f"write `formerly: [{names}]` in policy {target.policy} if it was renamed"
    return _NEXT.get(stop, "")


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


def _owners(waits: Sequence[Action]) -> tuple[str, ...]:
    marks = (a.snapshot.mark for a in waits if a.snapshot is not None)
    return tuple(sorted({mark.policy for mark in marks if mark is not None}))


def _other_policy(waits: Sequence[Action]) -> str:
    names = _owners(waits)
    return f"their mark names policy {' and '.join(names)}"
