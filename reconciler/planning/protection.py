"""What is always kept, whatever the rules say (rule 6 of `keep`, promises P1 to P4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.model import Kind
from reconciler.planning import belongs
from reconciler.planning.plan import Why
from reconciler.planning.situation import plans_of
from reconciler.wording import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model import Instant, ObservedTarget, ReplicationPlan, Seconds, Snapshot
    from reconciler.planning.situation import Desired, Situation

REPLICATION_KEY = "SnapshotReplication-synodr-"
"""What begins the application key by which a replication plan holds a LUN snapshot."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One snapshot as its policy sees it; usable is managed, dated, not in the future, healthy.

    `off` is how far from a hold's border it may still lie within it.
    """

    snapshot: Snapshot
    managed: bool
    usable: bool
    dated: bool
    off: Seconds = 0


def standings(
    target: ObservedTarget, desired: Desired, situation: Situation
) -> tuple[Standing, ...]:
    """Say of each snapshot whether it is managed and usable, in the listing's order."""
    found: list[Standing] = []
    for snapshot in target.snapshots or ():
        fractional, shifts = situation.fractional_zone, situation.shifts
        wrong = belongs.tolerance(snapshot.form, fractional=fractional, shifts=shifts)
        ahead = max(situation.skew, wrong)
        off = belongs.margin(snapshot.form, fractional=fractional, shifts=shifts)
        managed = belongs.managed(snapshot, desired.policy.manage, situation.installation)
        dated = not belongs.undated_or_future(snapshot, situation.now, ahead)
        usable = managed and dated and snapshot.healthy
        found.append(Standing(snapshot, managed, usable, dated, off))
    return tuple(found)


def protections(
    standing: Standing,
    target: ObservedTarget,
    desired: Desired,
    *,
    situation: Situation,
    synced: Sequence[Synced],
) -> tuple[Why, ...]:
    """Return every reason, rules aside, for which the snapshot is never deleted."""
    snapshot, at = standing.snapshot, desired.zone
    found: list[Why] = []
    if not standing.managed:
        found.append(_not_ours(snapshot, situation.installation))
    if snapshot.time is None:
        found.append(Why("undated", "its name cannot be read as a time"))
    elif not standing.dated:
        found.append(Why("future", f"its time lies in the future: {moment(snapshot.time, at)}"))
    if not snapshot.healthy:
        found.append(Why("unhealthy", "DSM does not report it as healthy"))
    if snapshot.immutable:
        found.append(Why("immutable", _immutable_text(snapshot, desired)))
    if snapshot.locked and not belongs.locked_by_reconciler(snapshot, situation.installation):
        found.append(Why("locked", "locked by somebody else"))
    if snapshot.holders:
        found.append(Why("held-by-application", f"held by {snapshot.holders[0]}"))
    found.extend(
        Why("hold", f"on hold: {hold.name}")
        for hold in desired.holds
        if belongs.covered(hold, snapshot, standing.off)
    )
    found.extend(why for plan in synced if (why := plan.protects(snapshot, target)) is not None)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Synced:
    """What one replication plan needs of its source.

    `newest` is the name of the snapshot it synced last, "" where none is known; `since` that
    snapshot's time where it was found on the target.
    """

    plan: ReplicationPlan
    newest: str
    since: Instant | None
    identified: bool

    def protects(self, snapshot: Snapshot, target: ObservedTarget) -> Why | None:
        """Return why this plan keeps the snapshot, None where it does not."""
        goes_to = self.plan.destination_host or "its destination"
        if target.kind is Kind.SHARE and snapshot.name in (self.newest, self.plan.last_snapshot):
            return Why("synced", f"the newest that {goes_to} has")
        if target.kind is Kind.LUN and _held_by(snapshot, self.plan):
            return Why("synced", f"the newest that {goes_to} has")
        if not self.plan.busy:
            return None
        if self.since is None or snapshot.time is None or snapshot.time >= self.since:
            return Why("replication-busy", f"the replication to {goes_to} is at work")
        return None


def synced_by(target: ObservedTarget, situation: Situation) -> tuple[Synced, ...]:
    """Find for each plan of the target the snapshot it synced last.

    A share's is named by the newest successful record (else by `retention_lock_report`); a LUN's
    carries the plan's application key. A plan of an unknown target type that names the target
    protects it too.
    """
    plans = plans_of(target, situation, unknown_kind=True)
    return tuple(_synced(plan, target) for plan in plans)


def _synced(plan: ReplicationPlan, target: ObservedTarget) -> Synced:
    snapshots = target.snapshots or ()
    if target.kind is Kind.LUN:
        held = [snapshot for snapshot in snapshots if _held_by(snapshot, plan)]
        times = [snapshot.time for snapshot in held if snapshot.time is not None]
        name = held[-1].name if held else ""
        since = max(times, default=None)
        return Synced(plan, name, since, identified=bool(held) or not _succeeded(plan))
    names = [record.snapshot for record in plan.records if record.success]
    newest = names[-1] if names else plan.last_snapshot
    by_name = {snapshot.name: snapshot for snapshot in snapshots}
    present = by_name.get(newest)
    identified = present is not None or not _succeeded(plan)
    since = present.time if present is not None else None
    return Synced(plan, newest, since, identified=identified)


def _succeeded(plan: ReplicationPlan) -> bool:
    reported = any(record.success for record in plan.records)
    return plan.successes > 0 or reported or bool(plan.last_snapshot)


def _held_by(snapshot: Snapshot, plan: ReplicationPlan) -> bool:
    return any(key == f"{REPLICATION_KEY}{plan.plan_id}" for key in snapshot.holders)


def _not_ours(snapshot: Snapshot, installation: str) -> Why:
    if belongs.foreign(snapshot, installation):
        return Why("foreign-mark", f"its mark is another installation's: {snapshot.mark}")
    return Why("not-managed", "not ours")


def _immutable_text(snapshot: Snapshot, desired: Desired) -> str:
    if snapshot.immutable_until is None:
        return "immutable, until when cannot be read"
    return f"immutable until {moment(snapshot.immutable_until, desired.zone)}"
