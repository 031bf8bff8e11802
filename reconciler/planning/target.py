"""The plan of one target: creation, attributes, deletions, syncs, in that order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconciler.calendar import period_start
from reconciler.duration import DAY
from reconciler.mark import Mark, due_identifier
from reconciler.model import Finding, Kind, Severity
from reconciler.planning import belongs, brakes, findings, locks, replication
from reconciler.planning.plan import (
    Action,
    Create,
    Delete,
    State,
    Stop,
    TargetPlan,
    Why,
)
from reconciler.planning.reading import mixed_names, read
from reconciler.planning.situation import DEFAULT_LIMITS, is_destination
from reconciler.planning.state import settle
from reconciler.wording import NOUNS, clock, moment
from reconciler.zones import local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model import Instant, ObservedTarget
    from reconciler.orders import Asked
    from reconciler.planning.protection import Standing
    from reconciler.planning.reading import Reading
    from reconciler.planning.situation import Desired, Situation
    from reconciler.planning.verdicts import Judged

_LEAST_FREE = {Kind.SHARE: 100_000_000, Kind.LUN: 1_000_000_000}  # bytes, DSM's help text
_ROOM = 10  # a tenth of the limit stays free for deletable snapshots (P19)


def plan_target(target: ObservedTarget, desired: Desired, situation: Situation) -> TargetPlan:
    """Plan one target that a policy owns; the brakes are applied afterwards, unit by unit."""
    base = TargetPlan(
        target.kind,
        target.uuid,
        target.name,
        State.COMPLIANT,
        policy=desired.policy.name,
        zone=desired.zone.key,
    )
    still = _stands_still(target, desired, situation)
    if still is not None:
        state, found = still
        return replace(base, state=state, findings=found)
    reading = read(target, desired, situation)
    asked = situation.asked
    if asked is not None and (asked.kind, asked.uuid) == (target.kind, target.uuid):
        return _asked(base, reading, asked)
    return _planned(base, reading)


def _stands_still(
    target: ObservedTarget, desired: Desired, situation: Situation
) -> tuple[State, tuple[Finding, ...]] | None:
    if target.snapshots is None and not target.unsupported:
        return State.UNKNOWN, (unread(target),)
    if is_destination(target, situation):
        text = "a replication writes here: nothing is created, set or deleted"
        return State.DESTINATION, (Finding("destination", Severity.NOTE, text),)
    if target.unsupported:
        text = f"{target.kind}/{target.name} cannot be snapshotted: {target.unsupported}"
        return State.UNSUPPORTED, (Finding("unsupported", Severity.NOTE, text),)
    if desired.policy.suspended:
        text = f"suspended: {desired.policy.suspended}"
        return State.SUSPENDED, (Finding("suspended", Severity.NOTE, text),)
    return None


def unread(target: ObservedTarget) -> Finding:
    """Say that a target's list of snapshots cannot be trusted, so nothing is written there."""
    text = target.problem or "its snapshots could not be read"
    return Finding("unread", Severity.ERROR, text)


def _asked(base: TargetPlan, reading: Reading, asked: Asked) -> TargetPlan:
    """Plan the one snapshot that a person asked for, and nothing beside it.

    Never immutable. One of that minute that is there already is not taken twice (P12); where there
    is no room, nothing is deleted for it.
    """
    if any(s.mark is not None and s.mark.asked == asked.at for s in reading.target.snapshots or ()):
        text = "one was taken for the same minute already"
        return replace(base, findings=(Finding("asked", Severity.NOTE, text),))
    full = _full(reading)
    if full:
        text = f"no snapshot can be taken: {full}"
        found = Finding("blocked", Severity.ERROR, text, next_step="delete snapshots in DSM")
        return replace(base, state=State.BLOCKED, findings=(found,))
    change = _creation(reading, asked.at, asked=True)
    text = f"asked for by {asked.by}: {asked.reason}"
    return replace(base, actions=(Action(change, (Why("asked", text),)),))


def _planned(base: TargetPlan, reading: Reading) -> TargetPlan:
    comes = base.uuid not in reading.situation.settled
    wanted = comes and reading.due is not None and reading.due.wanted
    full = _full(reading) if wanted else ""
    judged = reading.judged(coming=wanted)
    early: frozenset[int] = frozenset()
    blocked = ""
    if full:
        without = reading.judged(coming=False)
        early = _early(judged, without, reading)
        if not early:
            blocked, wanted, judged = full, False, without
    room = _immutable_days(reading) if wanted else (0, ())
    creates = (_create(reading, immutable_days=room[0], crowded=bool(room[1])),) if wanted else ()
    changes = locks.changes(
        reading.target, judged.staying, reading.desired,
        situation=reading.situation, coming=wanted,
    )  # fmt: skip
    deletes = _deletes(judged, reading, early)
    review = replication.review(reading.target, reading.desired, reading.situation, reading.synced)
    first = tuple(a for a in deletes if isinstance(a.change, Delete) and a.change.early)
    rest = tuple(a for a in deletes if a not in first)
    planned = replace(
        base,
        actions=(*first, *creates, *changes, *rest, *review.syncs),
        findings=(*findings.of_target(reading, blocked=blocked), *room[1], *review.findings),
        snapshots=tuple(verdict for _, verdict in judged.pairs),
        no_room=full if early else "",
        replicas=review.replicas,
        **_figures(reading, judged, created=creates),
    )
    return settle(planned, reading, review=review, blocked=blocked)


def _figures(reading: Reading, judged: Judged, *, created: tuple[Action, ...]) -> dict[str, Any]:
    """Return the counts of a target plan, the coming creation included."""
    staying = [s for s in judged.staying if s.managed]
    usable = [s.snapshot.time or 0 for s in reading.standings if s.usable]
    ours = [s.snapshot.time or 0 for s in reading.standings if s.managed and s.dated]
    pinned = sum(s.snapshot.immutable for s in staying)
    coming = [a.change for a in created if isinstance(a.change, Create)]
    policy = reading.desired.policy
    ceiling = reading.situation.target_ceiling
    return {
        "newest": max(usable, default=None),
        "newest_managed": max(ours, default=None),
        "next_due": reading.due.next_due if reading.due is not None else None,
        "kept": len(staying) + len(coming),
        "immutable": pinned + sum(bool(c.immutable_days) for c in coming),
        "held": sum(_held(s, reading) for s in staying),
        "brake_weight": brakes.weight(
            policy.keep.weight if policy.keep is not None else 0,
            immutable=policy.immutable is not None,
        ),
        "brake_limits": (
            min(policy.brakes.max_deletes, ceiling[0]),
            min(policy.brakes.max_delete_percent, ceiling[1]),
        ),
    }


def _held(standing: Standing, reading: Reading) -> bool:
    return any(
        belongs.covered(hold, standing.snapshot, standing.off) for hold in reading.desired.holds
    )


def _full(reading: Reading) -> str:
    """Say what makes a creation impossible as things stand, "" where nothing does."""
    target, situation = reading.target, reading.situation
    if target.uuid in situation.full:
        return situation.full[target.uuid]
    here = len(target.snapshots or ())
    limit = situation.limit(target.kind)
    if limit is not None and here >= limit:
        return f"{here} snapshots, the limit is {limit}"
    unit = situation.limits.unit
    if unit is not None and situation.snapshots >= unit:
        return f"{situation.snapshots} snapshots on the NAS, its limit is {unit}"
    least = _LEAST_FREE[target.kind]
    if target.volume_free is not None and target.volume_free < least:
        return f"less than {least // 1_000_000} MB free on the volume"
    return ""


def _early(judged: Judged, without: Judged, reading: Reading) -> frozenset[int]:
    """Return the victims that go before a creation that the limit stops (P5): those of both."""
    gone = {id(s) for s in without.victims}
    return frozenset(id(s) for s in judged.victims if id(s) in gone and _stop(s, reading) is None)


def _deletes(judged: Judged, reading: Reading, early: frozenset[int]) -> tuple[Action, ...]:
    return tuple(
        Action(
            Delete(standing.snapshot, early=id(standing) in early),
            judged.reasons[id(standing)],
            _stop(standing, reading),
            approved=_approved(standing, reading),
        )
        for standing in judged.victims
    )


def _approved(standing: Standing, reading: Reading) -> bool:
    return (reading.target.uuid, standing.snapshot.key) in reading.situation.approved


def _stop(standing: Standing, reading: Reading) -> Stop | None:
    """Return what keeps a victim back, brakes aside: a guard, or an approval it needs.

    What a person approved passes everything that an approval can release, and nothing else.
    """
    approved = _approved(standing, reading)
    stops = _stops(standing, reading)
    return next((stop for stop in stops if not (approved and stop.approvable)), None)


def _stops(standing: Standing, reading: Reading) -> Iterator[Stop]:
    situation, policy = reading.situation, reading.desired.policy
    mark, uuid = standing.snapshot.mark, reading.target.uuid
    unmarked = mark is None or mark.adopted
    others = mark is not None and mark.policy not in (policy.name, *policy.formerly)
    scheduled = unmarked and standing.snapshot.scheduled
    owner = mark.policy if mark is not None else ""
    conditions = (
        (Stop.MIXED_NAMES, mixed_names(reading.target, situation)),
        (Stop.ATTRIBUTES_UNKNOWN, situation.maybe_immutable(standing.snapshot)),
        (Stop.REPLICA_UNIDENTIFIED, any(not synced.identified for synced in reading.synced)),
        (Stop.SCHEDULED, scheduled and (uuid, "scheduled", "") not in situation.granted),
        (Stop.UNMARKED, unmarked and not scheduled),
        (Stop.OTHER_POLICY, others and (uuid, "other-policy", owner) not in situation.granted),
    )
    yield from situation.stops
    yield from (stop for stop, holds in conditions if holds)


def _immutable_days(reading: Reading) -> tuple[int, tuple[Finding, ...]]:
    """Return for how many days the coming snapshot is made immutable, 0 for not at all."""
    immutable, target = reading.desired.policy.immutable, reading.target
    if immutable is None or target.kind is not Kind.SHARE:
        return 0, ()
    now, zone = reading.situation.now, reading.desired.zone
    if immutable.of is not None:
        start = period_start(immutable.of, now, zone)
        if any(s.usable and (s.snapshot.time or 0) >= start for s in reading.standings):
            return 0, ()
    limit = reading.situation.limit(target.kind) or DEFAULT_LIMITS[target.kind]
    pinned = sum(reading.situation.maybe_immutable(s) for s in target.snapshots or ())
    if _ROOM * (limit - pinned - 1) < limit:
        return 0, (findings.immutable_room(pinned, limit),)
    return min(immutable.days, reading.situation.max_immutable // DAY), ()


def _create(reading: Reading, *, immutable_days: int, crowded: bool) -> Action:
    if reading.due is None:
        raise AssertionError("a creation is planned where nothing is due")
    change = _creation(reading, reading.due.due)
    change = replace(change, immutable_days=immutable_days)
    return Action(change, _create_reasons(reading, change, crowded=crowded))


def _creation(reading: Reading, at: Instant, *, asked: bool = False) -> Create:
    """Return the creation for a due time, or the one asked for at a minute; not immutable."""
    target, policy, installation = (
        reading.target, reading.desired.policy, reading.situation.installation,
    )  # fmt: skip
    locked = policy.lock_newest > 0
    mark = Mark(policy.name, installation, due=None if asked else at, lock=locked)
    mark = replace(mark, asked=at if asked else None)
    is_lun = target.kind is Kind.LUN
    identifier = f"{'asked-' if asked else ''}{due_identifier(at)}"
    return Create(
        due=at,
        description=str(mark),
        lock=locked,
        lun_name=f"rec-{identifier}-{target.uuid[:8]}" if is_lun else "",
        consistent=is_lun and policy.consistency == "application",
        asked=asked,
    )


def _create_reasons(reading: Reading, change: Create, *, crowded: bool) -> tuple[Why, ...]:
    policy, zone, now = reading.desired.policy, reading.desired.zone, reading.situation.now
    found: list[Why] = []
    if now - change.due >= 60:  # noqa: PLR2004  a minute: the precision of due times
        same_day = local(now, zone).date() == local(change.due, zone).date()
        when = clock(change.due, zone) if same_day else moment(change.due, zone)
        found.append(Why("due", f"due since {when}"))
    if change.immutable_days:
        until = moment(now + change.immutable_days * 86_400, zone)
        found.append(Why("immutable", f"immutable until {until} (cannot be undone)"))
    elif crowded:
        found.append(Why("not-immutable", "not immutable, for want of room"))
    elif policy.immutable is not None and policy.immutable.of is not None:
        of = NOUNS[policy.immutable.of]
        found.append(Why("not-immutable", f"not the first of its {of}, so not immutable"))
    if change.lock:
        count = "all are" if policy.locks_all else f"1 of the newest {policy.lock_newest}"
        found.append(Why("lock", f"locked, {count}" if not policy.locks_all else "locked"))
    if change.consistent:
        found.append(Why("consistency", "application-consistent"))
    return tuple(found) or (Why("due", f"due at {clock(change.due, zone)}"),)
