"""When each snapshot of a target goes, at the earliest: its policy run forward from a reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from reconciler.duration import DAY
from reconciler.forward.rules import FOREVER, Present, Rules
from reconciler.forward.run import run
from reconciler.planning import belongs
from reconciler.planning.due import met_by
from reconciler.planning.plan import Verdict
from reconciler.planning.situation import DEFAULT_LIMITS
from reconciler.policy.future import rules_of
from reconciler.retention import ALL, Pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model import Instant, Seconds
    from reconciler.planning.plan import SnapshotVerdict
    from reconciler.planning.protection import Standing, Synced
    from reconciler.planning.reading import Reading


def rules(reading: Reading) -> Rules:
    """Return what decides the future of a target that was read."""
    desired, situation, kind = reading.desired, reading.situation, reading.target.kind
    limit = situation.limit(kind)
    found = rules_of(
        desired.policy, desired.zone, kind=kind, limit=limit, room=limit or DEFAULT_LIMITS[kind]
    )
    days = min(found.immutable_days, situation.max_immutable // DAY)
    return replace(found, immutable_days=days)


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
    held = any(belongs.covered(hold, snapshot, standing.off) for hold in desired.holds)
    if locked or held or snapshot.holders:
        return FOREVER
    if any(plan.protects(snapshot, reading.target) is not None for plan in reading.synced):
        return next_pass
    return 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to come of a target that was read, as far as its policy alone decides it.

    `goes` names, by snapshot key, the due time of the pass that deletes it; what stays for ever is
    in `never`. What is in neither stays at least until `until`, where the run ended. Deletions that
    a brake or an approval keeps back now are taken to go. `limit` is the target's, None unknown.
    """

    goes: Mapping[str, Instant]
    never: frozenset[str]
    until: Instant
    limit: int | None = None
    synced: tuple[Synced, ...] = ()


def outlook(reading: Reading, verdicts: Sequence[SnapshotVerdict]) -> Outlook:
    """Run the target forward until everything that can go is gone, `_MOST_PASSES` at the most."""
    now = reading.situation.now
    never = frozenset(v.snapshot.key for v in verdicts if _for_ever(v, reading))
    open_keys = {v.snapshot.key for v in verdicts} - never
    goes: dict[str, Instant] = {}
    reached = now
    passes = run(rules(reading), present(reading), now=now, until=now + _FARTHEST)
    for one in islice(passes, _MOST_PASSES):
        reached = one.due
        for member in one.gone:
            goes[member.key] = one.due
        open_keys.difference_update(member.key for member in one.gone)
        if not open_keys:
            break
    limit = reading.situation.limit(reading.target.kind)
    return Outlook(goes, never, reached, limit, reading.synced)


_FARTHEST: Seconds = 36_525 * DAY
_MOST_PASSES = 100_000
"""About a second's work: eleven years of hourly passes."""

_NO_END = frozenset(
    {"not-managed", "foreign-mark", "undated", "unhealthy", "locked", "held-by-application", "hold",
     "no-keep"}
)  # fmt: skip


def _for_ever(verdict: SnapshotVerdict, reading: Reading) -> bool:
    """Whether no pass of this policy deletes it while things stay as they are."""
    if verdict.verdict is Verdict.DELETE:
        return False
    snapshot, policy = verdict.snapshot, reading.desired.policy
    if snapshot.immutable and snapshot.immutable_until is None:
        return True
    words = {why.rule for why in verdict.reasons}
    if words & _NO_END:
        return True
    keep = policy.keep
    endless = {"last"} if keep is not None and keep.last == ALL else set()
    if keep is not None and policy.pick is Pick.EARLIEST:
        endless |= {period.value for period, count in keep.periods if count == ALL}
    return bool(words & endless)
