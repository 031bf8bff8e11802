"""When each unit's next pass runs: pure functions of what is known, and of now.

Times are seconds since the epoch by the reconciler's own clock, as fractions; instants of a plan
are the NAS's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.calendar import every
from reconciler.planning.plan import Verdict
from reconciler.planning.replication import within
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from zoneinfo import ZoneInfo

    from reconciler.model import Instant, Seconds
    from reconciler.planning.plan import SnapshotVerdict, TargetPlan, UnitPlan
    from reconciler.policy.model import Policy, Replicate

LONGEST_BACK_OFF: Seconds = 600
_NUDGE = 5.0
_STEPS = 20
_MARGIN = 1.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often passes run and by how much they are spread, in seconds (`daemon:`)."""

    interval: Seconds
    jitter: Seconds


@dataclass(frozen=True, slots=True)
class Ended:
    """How a unit's last pass ended: `failures` in a row to reach it, `wake` when something is due.

    `wake` is already by the reconciler's clock, None where nothing is known to fall due.
    """

    failures: int = 0
    wake: float | None = None


def offset(nas: str, interval: Seconds) -> int:
    """Return at which second of each interval a unit's passes run: the same after every restart."""
    digest = hashlib.sha256(nas.encode()).digest()
    return int.from_bytes(digest[:8], "big") % max(1, interval)


def back_off(failures: int) -> Seconds:
    """Return how long to wait after so many failures in a row: 1, 1, 2, 3, 5 … 600 s."""
    now, following = 1, 1
    for _ in range(min(failures, _STEPS) - 1):
        now, following = following, now + following
    return min(now, LONGEST_BACK_OFF)


def next_pass(nas: str, rhythm: Rhythm, ended: Ended, *, now: float, spread: float) -> float:
    """Return when a unit's next pass begins, always after `now`.

    `spread` in [0, 1) places it within the jitter. A unit that could not be reached is tried again
    after the back-off; else the next pass is at the unit's own second of the interval, or earlier
    where something falls due.
    """
    if ended.failures:
        wait = back_off(ended.failures)
        return now + wait + spread * wait / 10
    phase = offset(nas, rhythm.interval)
    beats = (now - phase) // rhythm.interval + 1
    regular = phase + beats * rhythm.interval + spread * rhythm.jitter
    if ended.wake is None or ended.wake <= now:
        return regular
    due = ended.wake + _MARGIN + spread * min(_NUDGE, rhythm.jitter)
    return min(regular, due)


def wake(plan: UnitPlan, policies: Mapping[str, Policy]) -> Instant | None:
    """Return when something on a unit falls due next, by the NAS's clock; None where nothing does.

    That is a due time of a creation or a sync, the start of a sync's window, or the end of an
    immutability where it is all that keeps a snapshot.
    """
    found = (instant for target in plan.targets for instant in _wakes(target, plan.now, policies))
    return min((instant for instant in found if instant > plan.now), default=None)


def _wakes(target: TargetPlan, now: Instant, policies: Mapping[str, Policy]) -> Iterator[Instant]:
    if target.next_due is not None:
        yield target.next_due
    yield from (v.expires_not_before for v in target.snapshots
                if v.expires_not_before is not None and _only_immutable(v))  # fmt: skip
    policy = policies.get(target.policy)
    if policy is not None and policy.replicate is not None and target.replicas:
        yield from _syncs(policy.replicate, now, zone(target.zone))


def _only_immutable(verdict: SnapshotVerdict) -> bool:
    rules = {why.rule for why in verdict.reasons}
    return verdict.verdict is Verdict.KEEP and rules == {"immutable"}


def _syncs(replicate: Replicate, now: Instant, at: ZoneInfo) -> Iterator[Instant]:
    yield replicate.cadence.following(now, at)
    window = replicate.window
    if window is not None and not within(window, now, at):
        start = f"{window.start // 60:02d}:{window.start % 60:02d}"
        yield every("1d", start).following(now, at)
