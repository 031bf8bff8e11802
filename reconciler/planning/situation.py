"""What a target's plan depends on besides the target itself: one reading of one NAS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.duration import DAY
from reconciler.model import Kind, NameForm

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from reconciler.model import (
        Instant,
        Limits,
        ObservedTarget,
        ReplicationPlan,
        Seconds,
        Snapshot,
    )
    from reconciler.orders import Asked, Victim
    from reconciler.planning.plan import Stop
    from reconciler.policy.model import Hold, Policy

DEFAULT_LIMITS = {Kind.SHARE: 1024, Kind.LUN: 256}
"""DSM's own defaults, used only to leave room beside immutable snapshots (`immutable-room`)."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One NAS at one moment, as far as planning any of its targets needs it.

    `plans` is None where the list of replication plans failed. `stops` are what keeps every
    deletion of this NAS back, `approved` what a person let go all the same (target uuid, snapshot
    key), `granted` what one approval settled for good (target uuid, stop, other policy).
    `destinations` are the casefolded names and ids of replication destinations on this NAS, by
    kind. `ambiguous_plans` fit two targets. `snapshots` counts all snapshots read on the NAS.
    `full` says, by uuid, why DSM just refused a creation for want of room; "" once room was made.
    `settled` are the uuids of targets whose creation of this pass is behind them: what falls due
    from then on is the next pass's, and no rule may count on it. `can_pin` is False where this DSM
    is older than immutable snapshots. `asked` is the one creation that a person asked for.
    """

    nas: str
    now: Instant
    installation: str
    skew: Seconds
    limits: Limits
    plans: tuple[ReplicationPlan, ...] | None = ()
    stops: tuple[Stop, ...] = ()
    approved: frozenset[Victim] = frozenset()
    granted: frozenset[tuple[str, str, str]] = frozenset()
    destinations: Mapping[Kind, frozenset[str]] = field(default_factory=dict)
    ambiguous_plans: frozenset[str] = frozenset()
    fractional_zone: bool = False
    shifts: Mapping[NameForm, Seconds] = field(default_factory=dict)
    snapshots: int = 0
    target_ceiling: tuple[int, int] = (50, 50)
    hostnames: Mapping[str, str] = field(default_factory=dict)
    full: Mapping[str, str] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    can_pin: bool = True
    max_immutable: Seconds = 30 * DAY
    asked: Asked | None = None

    def maybe_immutable(self, snapshot: Snapshot) -> bool:
        """Whether the snapshot is immutable, or may be since DSM refused to say."""
        return snapshot.immutable or (self.can_pin and not snapshot.immutability_known)

    def limit(self, kind: Kind) -> int | None:
        """How many snapshots one target of this kind may hold; None where the NAS did not say."""
        return self.limits.share if kind is Kind.SHARE else self.limits.lun


@dataclass(frozen=True, slots=True)
class Desired:
    """What the policies say about one target: its policy, its holds, the zone of both."""

    policy: Policy
    zone: ZoneInfo
    holds: tuple[Hold, ...] = ()


def plans_of(
    target: ObservedTarget, situation: Situation, *, unknown_kind: bool = False
) -> tuple[ReplicationPlan, ...]:
    """Return the plans that replicate this target from here (role 1).

    With `unknown_kind` also those of a target type that is neither a share nor a LUN.
    """
    kinds = (target.kind, None) if unknown_kind else (target.kind,)
    return tuple(
        plan
        for plan in situation.plans or ()
        if plan.role == 1 and plan.kind in kinds and names_target(plan.target_ids, target)
    )


def names_target(ids: frozenset[str], target: ObservedTarget) -> bool:
    """Whether one of DSM's ids for a plan's target is this target's uuid or name."""
    own = {target.uuid.casefold(), target.name.casefold()} - {""}
    return any(known.casefold() in own for known in ids)


def is_destination(target: ObservedTarget, situation: Situation) -> bool:
    """Whether the target is written by a replication: role 2, or a plan's destination here."""
    ids = situation.destinations.get(target.kind, frozenset())
    return bool(ids & ({target.uuid.casefold(), target.name.casefold()} - {""}))


def local_destinations(
    plans: tuple[ReplicationPlan, ...],
) -> dict[Kind, frozenset[str]]:
    """Return the casefolded ids of every target on this NAS that a replication writes to.

    Role 2, or the destination of a plan that stays on this NAS: `is_to_local`, or its destination
    node is one that this NAS has in another plan. A plan of an unknown target type counts for
    both kinds.
    """
    own_nodes = {plan.main_node for plan in plans if plan.role == 1 and plan.main_node}
    own_nodes |= {plan.destination_node for plan in plans if plan.role != 1} - {""}
    found: dict[Kind, set[str]] = {kind: set() for kind in Kind}
    for plan in plans:
        ids: frozenset[str] = frozenset()
        if plan.role != 1:
            ids = plan.target_ids | plan.destination_ids
        elif plan.to_local or plan.destination_node in own_nodes:
            ids = plan.destination_ids
        for kind in (plan.kind,) if plan.kind is not None else tuple(Kind):
            found[kind].update(known.casefold() for known in ids if known)
    return {kind: frozenset(ids) for kind, ids in found.items()}


def ambiguous_plans(
    plans: tuple[ReplicationPlan, ...], targets: tuple[ObservedTarget, ...]
) -> frozenset[str]:
    """Return the ids of plans whose target fits two shares or two LUNs of this NAS."""
    return frozenset(
        plan.plan_id
        for plan in plans
        if plan.role == 1
        and sum(
            target.kind is plan.kind and names_target(plan.target_ids, target) for target in targets
        )
        > 1
    )
