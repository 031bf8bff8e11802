"""When each snapshot of a target goes, at the earliest: its policy run forward from a reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.forward.rules import FOREVER, Present, Rules
from reconciler.planning import belongs
from reconciler.planning.due import met_by
from reconciler.planning.situation import DEFAULT_LIMITS
from reconciler.policy.future import rules_of

if TYPE_CHECKING:
    from reconciler.model import Instant
    from reconciler.planning.protection import Standing
    from reconciler.planning.reading import Reading


def rules(reading: Reading) -> Rules:
    """Return what decides the future of a target that was read."""
    desired, situation, kind = reading.desired, reading.situation, reading.target.kind
    limit = situation.limit(kind)
    return rules_of(
        desired.policy,
        desired.zone,
        kind=kind,
        limit=limit,
        room=limit or DEFAULT_LIMITS[kind],
    )


def present(reading: Reading) -> tuple[Present, ...]:
    """Return the target's snapshots as the run forward sees them, in the listing's order.

    What is locked by others, held, or immutable to an end that cannot be read stays for ever. What
    a replication needs is let go from the next due time on: it may have synced a newer one by then.
    """
    next_pass = reading.due.next_due if reading.due is not None else reading.situation.now + 1
    return tuple(_present(standing, reading, next_pass) for standing in reading.standings)


def _present(standing: Standing, reading: Reading, next_pass: Instant) -> Present:
    snapshot, situation = standing.snapshot, reading.situation
    time = snapshot.time
    never = not standing.managed or time is None or not snapshot.healthy
    pinned = (snapshot.immutable_until or FOREVER) if snapshot.immutable else 0
    met = met_by(snapshot) if standing.managed else None
    marked = snapshot.mark is not None and snapshot.mark.due is not None
    return Present(
        time if time is not None else 0,
        snapshot.key,
        met=met,
        met_from=met - (situation.skew if marked else 0) if met is not None else 0,
        usable_from=None if never else (time or 0) - max(situation.skew, standing.off),
        immutable_until=pinned,
        kept_until=_kept_until(standing, reading, next_pass),
    )


def _kept_until(standing: Standing, reading: Reading, next_pass: Instant) -> Instant:
    snapshot, desired = standing.snapshot, reading.desired
    locked = snapshot.locked and not belongs.locked_by_reconciler(
        snapshot, reading.situation.installation
    )
    held = any(belongs.covered(hold, snapshot.time, standing.off) for hold in desired.holds)
    if locked or held or snapshot.holders:
        return FOREVER
    if any(plan.protects(snapshot, reading.target) is not None for plan in reading.synced):
        return next_pass
    return 0
