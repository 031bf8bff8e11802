"""What earlier passes knew of a unit, held against this reading (promises P4, P8, P20; holds).

Every use of a memory keeps more, never less: an empty memory only loses the comparison.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.duration import DAY
from reconciler.memory import Seen, Vanished
from reconciler.model import Finding, Kind, Place, Severity
from reconciler.planning import belongs
from reconciler.planning.plan import State, TargetPlan
from reconciler.policy.model import Hold
from reconciler.wording import counted, moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from reconciler.memory import BoundHold, TargetKey, TargetMemory, UnitMemory
    from reconciler.model import Instant, ObservedTarget, Seconds, Snapshot
    from reconciler.orders import RunTimeHold
    from reconciler.planning.situation import Situation

ORPHANED_FOR: Seconds = 30 * DAY
"""How long a target with snapshots of ours and no policy is shown as orphaned."""

VANISHED_FOR: Seconds = 7 * DAY
"""How long a snapshot of ours that went without a record makes its target drifted."""

_MOST_NAMED = 3


def trusted(target: ObservedTarget, memory: UnitMemory) -> ObservedTarget:
    """Distrust a list that is empty where the last pass saw snapshots (P4), for this one pass."""
    known = memory.targets.get((target.kind, target.uuid))
    if target.snapshots != () or known is None or not known.listed:
        return target
    text = f"its list is empty, and held {counted(known.listed, 'snapshot')} at the last pass"
    return replace(target, snapshots=None, problem=text)


def bound(holds: Sequence[Hold], memory: UnitMemory, key: TargetKey) -> tuple[Hold, ...]:
    """Return the holds that once matched this target: bound to its uuid, whatever its name is."""
    names = {one.hold for one in memory.holds if one.key == key}
    return tuple(hold for hold in holds if hold.name in names)


def run_time(said: RunTimeHold) -> Hold:
    """Return a hold said at run time as one that covers its snapshot, or all of its target."""
    return Hold(
        f"run-time-{said.identifier}",
        said.reason,
        Place("not in the repository"),
        only=said.snapshot,
    )


def ours(snapshots: Sequence[Snapshot] | None, installation: str) -> tuple[Snapshot, ...]:
    """Return the snapshots that the reconciler made, whichever policy it was for."""
    return tuple(
        snapshot
        for snapshot in snapshots or ()
        if snapshot.mark is not None
        and not snapshot.mark.adopted
        and not belongs.foreign(snapshot, installation)
    )


def orphaned_since(
    target: ObservedTarget, known: TargetMemory | None, situation: Situation
) -> Instant | None:
    """Return since when a target without a policy is orphaned, None where it is not.

    It is while it has snapshots of ours, for 30 days or until a person released it.
    """
    if not ours(target.snapshots, situation.installation):
        return None
    if known is None:
        return situation.now
    since = known.orphaned_since if known.orphaned_since is not None else situation.now
    ended = known.released is not None or situation.now - since > ORPHANED_FOR
    return None if ended else since


def orphan(
    planned: TargetPlan, known: TargetMemory | None, count: int, *, place: str
) -> TargetPlan:
    """Show a target without a policy as orphaned, with its old name and the line to edit.

    `place` is where the entries of the policy that owned it stand now, "" where it is gone.
    """
    kinds = "shares" if planned.kind is Kind.SHARE else "luns"
    text = f"no policy selects it; {counted(count, 'snapshot')} of ours"
    next_step = "select it in a policy, or it gets no more snapshots"
    if known is not None and known.policy:
        renamed = known.owned_name not in ("", planned.name)
        was = (
            f"it was {known.owned_name} (same uuid)"
            if renamed
            else f"policy {known.policy} no longer selects it"
        )
        text = f"{was}; {counted(count, 'snapshot')} of ours"
        next_step = (
            f"add {planned.name} to {place} ({kinds}), or it gets no more snapshots"
            if place
            else next_step
        )
    finding = Finding("orphaned", Severity.WARNING, text, next_step=next_step)
    return replace(planned, state=State.ORPHANED, findings=(*planned.findings, finding))


def vanished(
    target: ObservedTarget, known: TargetMemory | None, now: Instant
) -> tuple[Vanished, ...]:
    """Return the snapshots of ours that went although no pass of ours deleted them.

    Those of the last seven days, noticed by this reading or by an earlier one. A list that cannot
    be trusted shows nothing new.
    """
    if known is None:
        return ()
    recent = [gone for gone in known.vanished if now - gone.noticed <= VANISHED_FOR]
    if target.snapshots is None:
        return tuple(recent)
    present = {snapshot.key for snapshot in target.snapshots}
    missing = [Vanished(seen, now) for seen in known.ours if seen.key not in present]
    return (*recent, *missing)


def with_vanished(
    planned: TargetPlan, gone: Sequence[Vanished], *, zone: ZoneInfo, cause: str
) -> TargetPlan:
    """Show what vanished as drift, where nothing worse is shown; `cause` is "" where unknown."""
    if not gone:
        return planned
    seen = sorted((one.seen for one in gone), key=lambda one: (one.time or 0, one.name))
    named = ", ".join(_named(one, zone) for one in seen[:_MOST_NAMED])
    rest = f" and {len(seen) - _MOST_NAMED} more" if len(seen) > _MOST_NAMED else ""
    verb = "is" if len(seen) == 1 else "are"
    finding = Finding(
        "vanished",
        Severity.ERROR,
        f"{counted(len(seen), 'snapshot')} of ours {verb} gone without a record: {named}{rest}"
        + (f"; {cause}" if cause else ""),
        next_step="see DSM's Log Center for who deleted them; nothing here did",
    )
    state = State.DRIFTED if planned.state is State.COMPLIANT else planned.state
    return replace(planned, state=state, findings=(*planned.findings, finding))


def hold_losses(
    target: ObservedTarget, memory: UnitMemory, holds: Sequence[Hold]
) -> tuple[Finding, ...]:
    """Return an error for each hold under which a snapshot of this target has disappeared."""
    standing = {hold.name: hold for hold in holds}
    found: list[Finding] = []
    for bond in memory.holds:
        if bond.key != (target.kind, target.uuid) or bond.hold not in standing:
            continue
        lost = lost_under(bond, standing[bond.hold], target)
        if lost:
            found.append(_lost(bond, lost))
    return tuple(found)


def lost_under(bond: BoundHold, hold: Hold, target: ObservedTarget) -> tuple[Seen, ...]:
    """Return the held snapshots that are gone: those known to be, and those missing now.

    What the hold as it stands no longer covers is not missed.
    """
    if target.snapshots is None:
        return bond.gone
    present = {snapshot.key for snapshot in target.snapshots} | {one.key for one in bond.gone}
    missing = (
        seen for seen in bond.covered if seen.key not in present and belongs.covered(hold, seen, 0)
    )
    return (*bond.gone, *missing)


def _lost(bond: BoundHold, lost: Sequence[Seen]) -> Finding:
    verb = "is" if len(lost) == 1 else "are"
    return Finding(
        "hold-broken",
        Severity.ERROR,
        f"{counted(len(lost), 'snapshot')} under hold {bond.hold} {verb} gone: {lost[0].name}"
        + (f" and {len(lost) - 1} more" if len(lost) > 1 else ""),
        next_step="see DSM's Log Center for who deleted them; a hold binds the reconciler, not DSM",
    )


def _named(seen: Seen, zone: ZoneInfo) -> str:
    return moment(seen.time, zone) if seen.time is not None else seen.name


def absent_bonds(
    targets: Sequence[ObservedTarget], memory: UnitMemory, holds: Sequence[Hold]
) -> Iterator[Finding]:
    """Yield an error for each target that a hold is bound to and that is no longer on the unit."""
    present = {(target.kind, target.uuid) for target in targets}
    standing = {hold.name for hold in holds}
    for bond in memory.holds:
        if bond.hold in standing and bond.key not in present:
            yield Finding(
                "hold-broken",
                Severity.ERROR,
                f"hold {bond.hold} is bound to {bond.kind}/{bond.name}, which is no longer there",
                next_step="find out who removed it; take the hold out of the repository to end it",
            )
