"""A target's state, by the order of the policy language's table *States*."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.duration import spoken
from reconciler.model import Finding, Severity
from reconciler.planning import locks
from reconciler.planning.plan import Action, Create, Delete, SetAttributes, State, TargetPlan

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
        (State.DRIFTED, review.differs or _drifted(reading)),
    )
    state = next((state for state, holds in conditions if holds), State.COMPLIANT)
    return replace(planned, state=state, findings=found)


def braked(target: TargetPlan) -> TargetPlan:
    """Show waiting deletions as the state, where nothing worse is shown.

    A creation that needs the room of deletions which wait is not tried (P5).
    """
    waits = [action for action in target.victims if action.stopped_by is not None]
    if any(isinstance(action.change, Delete) and action.change.early for action in waits):
        return _without_creation(target)
    if waits and target.state in (State.DRIFTED, State.COMPLIANT):
        return replace(target, state=State.BRAKED)
    return target


def _without_creation(target: TargetPlan) -> TargetPlan:
    """Block a target whose early deletions wait; nothing is unlocked for what does not come."""
    coming = [a.change for a in target.actions if isinstance(a.change, Create)]
    finding = Finding(
        "blocked",
        Severity.ERROR,
        f"no snapshot can be taken: {target.no_room}, and the deletions that would make room wait",
        next_step="delete snapshots in DSM, or raise the brake that stops them",
    )
    return replace(
        target,
        state=target.state if target.state is State.MISSING else State.BLOCKED,
        actions=tuple(a for a in target.actions if not _needs_creation(a)),
        findings=(finding, *target.findings),
        kept=target.kept - len(coming),
        immutable=target.immutable - sum(bool(change.immutable_days) for change in coming),
    )


def _needs_creation(action: Action) -> bool:
    change = action.change
    return isinstance(change, Create) or (isinstance(change, SetAttributes) and not change.lock)


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
    """Whether locks differ from the policy as things stand, or DSM prunes too.

    Where DSM did not say whether it prunes, a lock of ours that would go is a difference too.
    """
    target = reading.target
    if target.built_in is not None and target.built_in.retention.prunes:
        return True
    if target.built_in is None and locks.left_locked(reading):
        return True
    staying = reading.judged(coming=False).staying
    wanted = locks.changes(
        target, staying, reading.desired, situation=reading.situation, coming=False
    )
    return any(
        isinstance(action.change, SetAttributes) and action.change.lock is not None
        for action in wanted
    )
