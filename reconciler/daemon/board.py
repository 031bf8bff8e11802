"""What the daemon knows at any moment: values that passes write and pages, metrics, messages read.

Everything on it is frozen; a reader takes one copy and works on that.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.execute import UnitOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.daemon.source import InForce
    from reconciler.memory import UnitMemory
    from reconciler.planning.plan import UnitPlan
    from reconciler.reconcile import Left, Looked
    from reconciler.trail import Head

    Counts = Mapping[tuple[str, str], int]
    """Ended actions by verb and result."""


@dataclass(frozen=True, slots=True)
class UnitKnown:
    """One unit as its last pass left it; times by the reconciler's clock, None for never.

    `plan` is of the last reading after everything was applied. `succeeded` is the end of the last
    pass in which nothing failed, `read` that of the last one that could read the unit. `counts`
    are since the daemon began.
    """

    nas: str
    plan: UnitPlan | None = None
    outcome: UnitOutcome | None = None
    memory: UnitMemory | None = None
    ended: float | None = None
    read: float | None = None
    succeeded: float | None = None
    failures: int = 0
    next_pass: float | None = None
    counts: Counts = field(default_factory=dict)
    volume_free: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the last pass failed."""
        return self.ended is not None and self.succeeded != self.ended


def ended_pass(
    before: UnitKnown, looked: Looked, outcome: UnitOutcome, *, left: Left, now: float
) -> UnitKnown:
    """Return what is known of a unit after a pass that ended `now`."""
    well = not left.plan.problem and not outcome.failed
    seen = outcome.observation or looked.observation
    counts = Counter(dict(before.counts))
    counts.update((o.action.verb, o.result.value) for o in outcome.outcomes)
    return replace(
        before,
        plan=left.plan,
        outcome=outcome,
        memory=left.memory,
        ended=now,
        read=before.read if left.plan.problem else now,
        succeeded=now if well else before.succeeded,
        failures=before.failures + 1 if looked.passing else 0,
        counts=dict(counts),
        volume_free={
            (str(target.kind), target.name): target.volume_free
            for target in (seen.targets if seen is not None else ())
            if target.volume_free is not None
        },
    )


@dataclass(frozen=True, slots=True)
class Known:
    """All of it at one moment. `trouble` says why the files as they stand are not in force."""

    units: Mapping[str, UnitKnown]
    in_force: InForce | None = None
    loaded: float | None = None
    trouble: str = ""
    heads: tuple[Head, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every unit has had a pass since the start."""
        return self.in_force is not None and all(u.ended is not None for u in self.units.values())


def known_of_pass(
    in_force: InForce,
    looked: Sequence[Looked],
    outcomes: Sequence[UnitOutcome],
    *,
    left: Mapping[str, Left],
    now: float,
    heads: tuple[Head, ...],
) -> Known:
    """Return what is known after one pass over some units."""
    ended = {one.nas: one for one in outcomes}
    units = {
        one.plan.nas: ended_pass(
            UnitKnown(one.plan.nas), one, ended.get(one.plan.nas, UnitOutcome(one.plan.nas)),
            left=left[one.plan.nas], now=now,
        )
        for one in looked
    }  # fmt: skip
    return Known(units, in_force, now, heads=heads)


class Board:
    """The one place that holds it; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known = Known({})

    def now(self) -> Known:
        """Return what is known at this moment."""
        with self._lock:
            return self._known

    def loaded(self, in_force: InForce, at: float) -> None:
        """Put a revision in force; units that it does not name are forgotten."""
        with self._lock:
            old = self._known.units
            names = [unit.name for unit in in_force.configuration.units]
            units = {name: old.get(name, UnitKnown(name)) for name in names}
            self._known = replace(
                self._known, units=units, in_force=in_force, loaded=at, trouble=""
            )

    def refused(self, trouble: str) -> None:
        """Keep why what stands in the files was not taken, "" where it was or is the old again."""
        with self._lock:
            self._known = replace(self._known, trouble=trouble)

    def put(self, unit: UnitKnown, heads: tuple[Head, ...] | None = None) -> None:
        """Keep what a pass left; of a unit that is no longer in the inventory nothing."""
        with self._lock:
            if unit.nas in self._known.units:
                units = {**self._known.units, unit.nas: unit}
                known = replace(self._known, units=units)
                self._known = known if heads is None else replace(known, heads=heads)
