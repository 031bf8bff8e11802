"""The plan of one NAS: which policy owns which target, what stops its deletions, its brakes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.memory import UnitMemory
from reconciler.model import Finding, Kind, ObservedTarget, Severity
from reconciler.orders import Orders
from reconciler.planning import belongs, brakes, growth, guards, locks, recall
from reconciler.planning.findings import unbound_holds
from reconciler.planning.future import outlook
from reconciler.planning.plan import Action, State, TargetPlan, UnitPlan
from reconciler.planning.reading import read
from reconciler.planning.situation import (
    Desired,
    Situation,
    ambiguous_plans,
    is_destination,
    local_destinations,
)
from reconciler.planning.state import braked
from reconciler.planning.target import plan_target, unread
from reconciler.policy.select import holds_of, owner
from reconciler.zones import zone

_VERSION = re.compile(r"DSM ([0-9]+)\.([0-9]+)")
_FIRST_TO_PIN = (7, 2)
FRACTIONAL_OFFSETS = frozenset(
    round(hours * 3600)
    for hours in (
        -9.5, -3.5, -2.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 12.75, 13.75,
    )
)  # fmt: skip
"""The offsets that are no whole hours of zones in use (IANA, 2026), in seconds.

The offset of a NAS is its wall clock minus its `Date`; a `Date` that is off by a quarter of an hour
must not read as such a zone, or its names would be corrected by an error.
"""

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from reconciler.inventory.model import Unit, UnitBrakes
    from reconciler.model import Instant, Limits, Observation
    from reconciler.orders import Asked
    from reconciler.planning.future import Outlook
    from reconciler.policy.model import Hold, Policy, PolicySet
    from reconciler.policy.select import Ownership


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of one unit: the policies, and the configuration's limits over them.

    With `asked` that one creation is planned and nothing else: `planning` leaves all others out.
    """

    policies: PolicySet
    unit: Unit
    brakes: UnitBrakes
    installation: str = ""
    only_unit: bool = False
    hostnames: Mapping[str, str] = field(default_factory=dict)
    memory: UnitMemory = field(default_factory=lambda: UnitMemory(""))
    orders: Orders = field(default_factory=Orders)
    asked: Asked | None = None

    @property
    def suspended(self) -> str:
        """Why nothing is written to the unit: the inventory's reason, a pause, or ""."""
        pause = self.orders.paused
        if self.unit.suspended or pause is None or pause.deletes_only:
            return self.unit.suspended
        return guards.told(pause, self.zone_of(""))

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Every hold that stands: those of the repository, then those said at run time."""
        return (*self.policies.holds, *map(recall.run_time, self.orders.holds))

    def zone_of(self, timezone: str) -> ZoneInfo:
        """Return the zone of a policy's `timezone`, else of the unit, else UTC."""
        return zone(timezone or self.unit.timezone or "UTC")


def plan_unit(wish: Wish, observed: Observation) -> UnitPlan:
    """Plan every target of one reading of one NAS, brakes applied."""
    situation = situate(wish, observed)
    chosen = tuple(target for target in observed.targets if _concerned(wish, target))
    targets = tuple(plan_one(wish, target, situation) for target in chosen)
    targets = brakes.apply(
        targets,
        max_deletes=wish.brakes.max_deletes,
        max_per_day=wish.brakes.max_deletes_per_day,
        today=wish.orders.braked,
    )
    return UnitPlan(
        nas=wish.unit.name,
        now=observed.now,
        zone=wish.zone_of("").key,
        identity=observed.identity,
        targets=tuple(
            _foreseen(wish, braked(planned), target, situation)
            for planned, target in zip(targets, chosen, strict=True)
        ),
        findings=(*_guarding(wish, observed), *_absent(wish, observed)),
        suspended=wish.suspended,
        share_count=sum(target.kind is Kind.SHARE for target in observed.targets),
        lun_count=sum(target.kind is Kind.LUN for target in observed.targets),
    )


def _concerned(wish: Wish, target: ObservedTarget) -> bool:
    asked = wish.asked
    return asked is None or (target.kind, target.uuid) == (asked.kind, asked.uuid)


def _foreseen(
    wish: Wish, planned: TargetPlan, target: ObservedTarget, situation: Situation
) -> TargetPlan:
    """Add to a target whose deletions wait when it will reach its limit."""
    policy = next((p for p in wish.policies.policies if p.name == planned.policy), None)
    if policy is None or planned.state is State.BLOCKED:
        return planned
    desired = Desired(policy, wish.zone_of(policy.timezone))
    found = growth.outlook(planned, target, desired, situation)
    return planned if found is None else replace(planned, findings=(*planned.findings, found))


def situate(wish: Wish, observed: Observation) -> Situation:
    """Gather what planning any target of this reading needs to know about the NAS."""
    plans = observed.plans
    return Situation(
        nas=wish.unit.name,
        now=observed.now,
        installation=wish.installation,
        skew=wish.brakes.max_clock_skew,
        limits=_limits(wish.unit, observed.limits),
        plans=plans,
        stops=tuple(guard.stop for guard in guards.standing(wish, observed)),
        approved=wish.orders.approved,
        granted=wish.orders.granted,
        destinations=local_destinations(plans) if plans is not None else {},
        ambiguous_plans=ambiguous_plans(plans or (), observed.targets),
        fractional_zone=observed.utc_offset in FRACTIONAL_OFFSETS,
        shifts=dict(observed.name_shift),
        snapshots=sum(len(target.snapshots or ()) for target in observed.targets),
        target_ceiling=(wish.brakes.target_max_deletes, wish.brakes.target_max_delete_percent),
        hostnames=wish.hostnames,
        can_pin=_can_pin(observed.identity.version),
        max_immutable=wish.brakes.max_immutable,
        asked=wish.asked,
    )


def _can_pin(version: str) -> bool:
    """Whether this DSM knows immutable snapshots (7.2 and later); what cannot be read may."""
    found = _VERSION.match(version)
    return found is None or (int(found[1]), int(found[2])) >= _FIRST_TO_PIN


def plan_one(wish: Wish, target: ObservedTarget, situation: Situation) -> TargetPlan:
    """Plan one target: its owner's policy, or why no policy acts on it."""
    target = recall.trusted(target, wish.memory)
    owned = owner(
        wish.policies, wish.unit, target.kind, target.name, target.uuid, only_unit=wish.only_unit
    )
    holds = holds_on(wish, target)
    if owned.policy is None:
        return _without_policy(wish, target, owned, holds=holds, situation=situation)
    planned = plan_target(target, _desired(wish, owned.policy, holds), situation)
    planned = _recalled(wish, target, planned, holds=holds, now=situation.now)
    if owned.pattern is not None:
        planned = replace(planned, selected_by=owned.pattern.place)
    named = owned.pattern is not None and owned.pattern.outright
    if planned.state is State.UNSUPPORTED and named:
        louder = tuple(replace(f, severity=Severity.WARNING) for f in planned.findings)
        return replace(planned, findings=louder)
    return planned


def _desired(wish: Wish, policy: Policy, holds: tuple[Hold, ...]) -> Desired:
    if wish.suspended:
        policy = replace(policy, suspended=wish.suspended)
    return Desired(policy, wish.zone_of(policy.timezone), holds)


def foresee(wish: Wish, observed: Observation, planned: TargetPlan) -> Outlook | None:
    """Run one planned target of this reading forward; None where no policy judged it."""
    target = next(
        (t for t in observed.targets if (t.kind, t.uuid) == (planned.kind, planned.uuid)), None
    )
    if target is None or not planned.snapshots:
        return None
    found = owner(
        wish.policies, wish.unit, target.kind, target.name, target.uuid, only_unit=wish.only_unit
    )
    if found.policy is None:
        return None
    desired = _desired(wish, found.policy, holds_on(wish, target))
    reading = read(target, desired, situate(wish, observed))
    return outlook(reading, planned.snapshots)


def _without_policy(
    wish: Wish,
    target: ObservedTarget,
    owned: Ownership,
    *,
    holds: tuple[Hold, ...],
    situation: Situation,
) -> TargetPlan:
    base = TargetPlan(
        target.kind, target.uuid, target.name, State.UNMANAGED, zone=wish.zone_of("").key
    )
    unreadable = target.snapshots is None and not target.unsupported
    if unreadable and (owned.contenders or holds):
        return replace(base, state=State.UNKNOWN, findings=(unread(target),))
    if owned.contenders:
        return replace(base, state=State.CONTENDED, findings=(_contended(owned),))
    if is_destination(target, situation):
        return replace(base, state=State.DESTINATION)
    if target.unsupported:
        return replace(base, state=State.UNSUPPORTED)
    known = wish.memory.targets.get((target.kind, target.uuid))
    planned = replace(base, actions=_hold_locks(wish, target, holds, situation))
    losses = recall.hold_losses(target, wish.memory, holds)
    planned = replace(planned, findings=(*unbound_holds(target, holds), *losses))
    if recall.orphaned_since(target, known, situation) is None:
        return planned
    count = len(recall.ours(target.snapshots, wish.installation))
    place = _selecting(wish, target.kind, known.policy if known is not None else "")
    return recall.orphan(planned, known, count, place=place)


def _selecting(wish: Wish, kind: Kind, name: str) -> str:
    """Return where a policy says which targets it is for, "" where it is gone."""
    found = next((policy for policy in wish.policies.policies if policy.name == name), None)
    selector = found.selector(kind) if found is not None else None
    return str(selector.patterns[0].place) if selector is not None else ""


def holds_on(wish: Wish, target: ObservedTarget) -> tuple[Hold, ...]:
    """Return the holds that cover a target: those that select it, and those once bound to it."""
    selecting = holds_of(wish.policies, wish.unit, target.kind, target.name, target.uuid)
    key = (target.kind, target.uuid)
    bound = recall.bound(wish.policies.holds, wish.memory, key)
    said = (recall.run_time(one) for one in wish.orders.holds if (one.kind, one.uuid) == key)
    return (*selecting, *(hold for hold in bound if hold not in selecting), *said)


def _recalled(
    wish: Wish,
    target: ObservedTarget,
    planned: TargetPlan,
    *,
    holds: tuple[Hold, ...],
    now: Instant,
) -> TargetPlan:
    """Add what only a comparison with earlier passes shows: what vanished, what a hold lost."""
    if planned.state in (State.UNKNOWN, State.DESTINATION, State.UNSUPPORTED):
        return planned
    known = wish.memory.targets.get((target.kind, target.uuid))
    losses = recall.hold_losses(target, wish.memory, holds)
    planned = replace(planned, findings=(*planned.findings, *losses))
    pruned = target.built_in is not None and target.built_in.retention.prunes
    return recall.with_vanished(
        planned,
        recall.vanished(target, known, now),
        zone=zone(planned.zone),
        cause="DSM's own retention is on there" if pruned else "",
    )


def _guarding(wish: Wish, observed: Observation) -> tuple[Finding, ...]:
    return tuple(guard.finding for guard in guards.standing(wish, observed))


def _absent(wish: Wish, observed: Observation) -> tuple[Finding, ...]:
    return tuple(recall.absent_bonds(observed.targets, wish.memory, wish.holds))


def _hold_locks(
    wish: Wish, target: ObservedTarget, holds: tuple[Hold, ...], situation: Situation
) -> tuple[Action, ...]:
    """Lock what a hold with `lock: true` covers where no policy owns the target."""
    if target.kind is not Kind.SHARE or target.snapshots is None or wish.suspended:
        return ()
    found: list[Action] = []
    for snapshot in target.snapshots:
        off = belongs.margin(
            snapshot.form, fractional=situation.fractional_zone, shifts=situation.shifts
        )
        covering = [hold for hold in holds if belongs.covered(hold, snapshot, off)]
        if covering and not situation.maybe_immutable(snapshot):
            found.extend(locks.held(snapshot, covering, owner="", situation=situation))
    return tuple(found)


def _contended(owned: Ownership) -> Finding:
    names = " and ".join(f"{policy.name} ({policy.place})" for policy in owned.contenders)
    return Finding(
        "contended",
        Severity.ERROR,
        f"policies {names} select it with one priority, {owned.contenders[0].priority}",
        next_step="give one of them a higher `priority`, or exclude the target in the other",
        place=owned.contenders[0].place,
    )


def _limits(unit: Unit, asked: Limits) -> Limits:
    """Return the limits in force: the inventory's, else what the NAS said."""
    return replace(
        asked,
        share=unit.snapshots_per_share or asked.share,
        lun=unit.snapshots_per_lun or asked.lun,
        unit=unit.snapshots_per_unit or asked.unit,
    )
