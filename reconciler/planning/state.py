"""A target's state, by the order of the policy language's table *States*."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.duration import spoken
from reconciler.model import Finding, Severity
from reconciler.planning import locks
from reconciler.planning.plan import Delete, SetAttributes, State, TargetPlan

if TYPE_CHECKING:
    from reconciler.planning.reading import Reading
    from reconciler.planning.replication import Replication


def settle(
    planned: TargetPlan, reading: Reading, *, review: Replication, blocked: str
) -> TargetPlan:
    """Give a planned target its state as read, with the finding that says why it is late."""
    late = _late(planned, reading)
    found = (*planned.findings, *((late,) if late is not None else ()))
    conditions = (
        (State.MISSING, review.missing),
        (State.BLOCKED, bool(blocked)),
        (State.LATE, late is not None or review.late),
        (State.DRIFTED, _drifted(reading)),
    )
    state = next((state for state, holds in conditions if holds), State.COMPLIANT)
    return replace(planned, state=state, findings=found)


def braked(target: TargetPlan) -> TargetPlan:
    """Show waiting deletions as the state, where nothing worse is shown."""
    waits = any(
        isinstance(action.change, Delete) and action.stopped_by is not None
        for action in target.actions
    )
    if waits and target.state in (State.DRIFTED, State.COMPLIANT):
        return replace(target, state=State.BRAKED)
    return target


def _late(planned: TargetPlan, reading: Reading) -> Finding | None:
    rpo = reading.desired.policy.rpo
    if rpo is None:
        return None
    promised = f"promised {spoken(rpo)}"
    if planned.newest is None:
        return Finding("late", Severity.WARNING, f"no snapshot of ours yet, {promised}")
    age = reading.situation.now - planned.newest
    if age <= rpo:
        return None
    return Finding("late", Severity.WARNING, f"newest is {spoken(age)} old, {promised}")


def _drifted(reading: Reading) -> bool:
    """Whether locks differ from the policy as things stand, or DSM prunes too."""
    target = reading.target
    if target.built_in is not None and target.built_in.retention.prunes:
        return True
    staying = reading.judged(coming=False).staying
    wanted = locks.changes(
        target, staying, reading.desired, situation=reading.situation, coming=False
    )
    return any(
        isinstance(action.change, SetAttributes) and action.change.lock is not None
        for action in wanted
    )
