"""Being the one who writes to a unit: its lease, its trail, and what an earlier run left open."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.audit import Audit, Who
from reconciler.execute.outcome import Result, UnitOutcome
from reconciler.lease import FileLease
from reconciler.model import Kind
from reconciler.planning import brakes, digest
from reconciler.planning.plan import Delete
from reconciler.planning.remember import without
from reconciler.reconcile import afterwards
from reconciler.settle import DONE, settled
from reconciler.store import RunRecord, Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.audit import Ended
    from reconciler.dsm import Clock
    from reconciler.memory import TargetKey, UnitMemory
    from reconciler.model import Instant
    from reconciler.planning.plan import UnitPlan
    from reconciler.reconcile import Looked
    from reconciler.store import Store


@dataclass(slots=True)
class Runner:
    """One unit in one run that writes. `began` is when the run turned to it."""

    nas: str
    store: Store
    clock: Clock
    lease: FileLease
    audit: Audit
    run: str
    revision: str
    began: Instant

    def settle(self, looked: Looked) -> UnitMemory:
        """Settle what an earlier run left in doubt; return the unit's memory as it is then."""
        memory = self.store.unit(self.nas)
        intents = self.store.open_intents(self.nas)
        if not intents or looked.observation is None:
            return memory
        ends = settled(intents, looked.observation)
        if ends:
            self.audit.settle(ends)
        return without(memory, _gone(ends))

    def stopped(self, plan: UnitPlan) -> None:
        """Record what waits on the unit, where that is another list than the last one recorded."""
        now = digest.stopped(plan)
        last = self.store.find(Wanted(self.nas, event="stopped", last=1))
        known = last[0].body["digest"] if last else ""
        if now != known and (now or known):
            self.audit.stopped(plan, now)

    def finish(self, looked: Looked, outcome: UnitOutcome) -> None:
        """Keep what the next pass is to know, and that this one was."""
        self.store.keep(afterwards(looked, outcome))
        counts = Counter(f"{o.action.verb} {o.result}" for o in outcome.outcomes)
        self.store.keep_run(
            RunRecord(
                nas=self.nas,
                identifier=self.run,
                began=self.began,
                ended=int(self.clock.time()),
                revision=self.revision,
                result="failed" if outcome.failed else "done",
                counts=dict(counts),
                braked=braked(looked.plan, outcome),
            )
        )


def runner(
    looked: Looked, store: Store, clock: Clock, *, folder: Path, run: str, who: Who, revision: str
) -> Runner:
    """Take the lease on a unit that was read; raises Busy where another reconciler has it."""
    if looked.observation is None:
        raise AssertionError("a unit that was not read is written to by nobody")
    plan, serial = looked.plan, looked.observation.identity.serial
    lease = FileLease(folder, serial, plan.nas)
    lease.take()
    audit = Audit(
        store, clock, nas=plan.nas, serial=serial, run=run, who=who, revision=revision,
        plan=digest.of_actions(plan),
    )  # fmt: skip
    return Runner(plan.nas, store, clock, lease, audit, run, revision, int(clock.time()))


def braked(plan: UnitPlan, outcome: UnitOutcome) -> int:
    """Return what a pass's deletions add to the brake per 24 hours: each target's n - r."""
    total = 0
    planned = {(target.kind, target.uuid): target for target in plan.targets}
    for ended in outcome.targets:
        target = planned[ended.kind, ended.uuid]
        gone = sum(
            brakes.counts(o.action, target)
            for o in ended.outcomes
            if o.result is Result.DONE
            and isinstance(o.action.change, Delete)
            and not o.action.approved
        )
        total += max(0, gone - target.brake_weight)
    return total


def _gone(
    ends: Sequence[tuple[Ended, Mapping[str, object]]],
) -> dict[TargetKey, frozenset[str]]:
    """Return the snapshots whose deletion was in doubt and is done, by target."""
    found: dict[TargetKey, frozenset[str]] = {}
    for end, body in ends:
        target = body["target"]
        if end.verb == "delete" and end.result == DONE and isinstance(target, dict):
            key = (Kind(target["kind"]), str(target["uuid"]))
            found[key] = found.get(key, frozenset()) | {end.snapshot}
    return found
