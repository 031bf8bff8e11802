"""When a target whose deletions wait reaches its limit, at the rate at which it grows now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.duration import DAY
from reconciler.model import Finding, Severity
from reconciler.planning.situation import DEFAULT_LIMITS
from reconciler.wording import day

if TYPE_CHECKING:
    from reconciler.model import Instant, ObservedTarget, Seconds
    from reconciler.planning.plan import TargetPlan
    from reconciler.planning.situation import Desired, Situation

_FORESEEN: Seconds = 3650 * DAY
_LOOKED_BACK: Seconds = 7 * DAY


def outlook(
    planned: TargetPlan, target: ObservedTarget, desired: Desired, situation: Situation
) -> Finding | None:
    """Say when a braked target is full; None where nothing waits or ten years do not fill it."""
    if not any(action.stopped_by is not None for action in planned.victims):
        return None
    limit = situation.limit(target.kind) or DEFAULT_LIMITS[target.kind]
    full_at = _full_at(limit - len(target.snapshots or ()), target, desired, situation)
    if full_at is None or full_at > situation.now + _FORESEEN:
        return None
    when = f"on {day(full_at, desired.zone, today=situation.now)}"
    if full_at <= situation.now:
        when = "now"
    return Finding(
        "limit-ahead",
        Severity.WARNING,
        f"{len(planned.victims)} of {len(target.snapshots or ())} snapshots wait to be deleted; at "
        f"the present rate the limit of {limit} is reached {when}",
    )


def _full_at(
    left: int, target: ObservedTarget, desired: Desired, situation: Situation
) -> Instant | None:
    """Return when `left` more snapshots are there: by due times, else by the last seven days."""
    now, cadence = situation.now, desired.policy.cadence
    if left <= 0:
        return now
    if cadence is not None:
        for number, due in enumerate(cadence.after(now, desired.zone), start=1):
            if number == left or due > now + _FORESEEN:
                return due
    recent = sum((s.time or 0) > now - _LOOKED_BACK for s in target.snapshots or ())
    return now + left * _LOOKED_BACK // recent if recent else None
