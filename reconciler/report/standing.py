"""Where every promised target stands: the facts of `reconcile status`, apart from their form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.duration import spoken
from reconciler.model import Severity
from reconciler.planning import digest
from reconciler.planning.plan import State
from reconciler.report.stops import next_step as stop_step
from reconciler.wording import counted, moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.memory import UnitMemory
    from reconciler.model import Finding, Instant, Kind
    from reconciler.planning.plan import Replica, TargetPlan, UnitPlan

ORDER = (
    State.UNKNOWN, State.CONTENDED, State.LATE, State.MISSING, State.BLOCKED, State.ORPHANED,
    State.BRAKED, State.DRIFTED, State.SUSPENDED, State.COMPLIANT,
)  # fmt: skip
"""The states of promised targets, what needs a person most first."""

TOLD = frozenset(ORDER) - {State.SUSPENDED, State.COMPLIANT}
"""The states that are not as promised."""

WITHOUT_POLICY = (State.ORPHANED, State.UNMANAGED, State.DESTINATION, State.UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class Need:
    """What needs a person: the fact, with its number and limit, and the next step.

    `since` is None where it is not remembered.
    """

    state: State
    fact: str
    next_step: str
    since: Instant | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One target. `need` is None where it is as promised; `age` and `lag` are in seconds.

    `due_now` says that a snapshot is due which the next pass takes.
    """

    nas: str
    kind: Kind
    name: str
    policy: str
    state: State
    zone: str
    now: Instant
    need: Need | None = None
    newest: Instant | None = None
    due_now: bool = False
    next_due: Instant | None = None
    immutable: int = 0
    replicas: tuple[Replica, ...] = ()

    @property
    def label(self) -> str:
        """Its whole name: `attic/share/documents`."""
        return f"{self.nas}/{self.kind}/{self.name}"

    @property
    def age(self) -> int | None:
        """How old the newest usable snapshot is, None without one."""
        return None if self.newest is None else max(0, self.now - self.newest)

    @property
    def lag(self) -> int | None:
        """How old the oldest of its replicas is, None where one has nothing or there is none."""
        ages = [None if r.newest is None else self.now - r.newest for r in self.replicas]
        known = [age for age in ages if age is not None]
        return max(known) if known and len(known) == len(ages) else None


@dataclass(frozen=True, slots=True)
class UnitStanding:
    """One unit: its targets, or why it cannot be read; `read` is its last good reading."""

    nas: str
    zone: str
    targets: tuple[Standing, ...]
    need: Need | None = None
    read: Instant | None = None
    remembered: int = 0

    @property
    def promised(self) -> tuple[Standing, ...]:
        """The targets that a policy owns and that could be read as such."""
        return tuple(t for t in self.targets if t.state not in WITHOUT_POLICY)


@dataclass(frozen=True, slots=True)
class Overview:
    """All of them; `missing` are the entries that name a target outright which is nowhere."""

    units: tuple[UnitStanding, ...]
    revision: str
    read_at: Instant
    missing: tuple[Need, ...] = ()
    counts: Mapping[State, int] = field(default_factory=dict)

    @property
    def as_promised(self) -> bool:
        """Whether nothing needs a person."""
        return not any(self.counts.get(state) for state in TOLD)


def overview(
    plans: Sequence[UnitPlan],
    memories: Mapping[str, UnitMemory],
    *,
    missing: Sequence[Finding],
    revision: str,
    read_at: Instant,
) -> Overview:
    """Gather where everything stands; `memories` tell since when, by unit."""
    units = tuple(_unit(plan, memories[plan.nas]) for plan in plans)
    nowhere = tuple(_missing(finding) for finding in missing if finding.code == "missing")
    counts = dict.fromkeys((*ORDER, *WITHOUT_POLICY), 0)
    for unit in units:
        for target in unit.targets:
            counts[target.state] += 1
        counts[State.UNKNOWN] += max(1, unit.remembered) if unit.need is not None else 0
    counts[State.MISSING] += len(nowhere)
    return Overview(units, revision, read_at, nowhere, counts)


def _missing(finding: Finding) -> Need:
    fact = f"{finding.place}: {finding.text}" if finding.place is not None else finding.text
    return Need(State.MISSING, fact, finding.next_step)


def _unit(plan: UnitPlan, memory: UnitMemory) -> UnitStanding:
    if not plan.problem:
        targets = tuple(_target(target, plan, memory) for target in plan.targets)
        return UnitStanding(plan.nas, plan.zone, targets, read=plan.now)
    owned = sum(bool(t.policy) for t in memory.targets.values())
    need = Need(State.UNKNOWN, plan.problem, plan.next_step, memory.unread_since)
    return UnitStanding(plan.nas, plan.zone, (), need, memory.clock, owned)


def _target(target: TargetPlan, unit: UnitPlan, memory: UnitMemory) -> Standing:
    known = memory.targets.get((target.kind, target.uuid))
    since = known.since if known is not None and known.state == target.state else None
    return Standing(
        unit.nas,
        target.kind,
        target.name,
        target.policy,
        target.state,
        target.zone,
        unit.now,
        need=_need(target, unit, since),
        newest=target.newest,
        due_now=any(action.verb == "create" for action in target.actions),
        next_due=target.next_due,
        immutable=target.immutable,
        replicas=target.replicas,
    )


_SAID_BY: Mapping[State, tuple[str, ...]] = {
    State.UNKNOWN: ("unread",),
    State.CONTENDED: ("contended",),
    State.MISSING: ("no-replication-plan",),
    State.BLOCKED: ("blocked",),
    State.LATE: ("late", "replica-late"),
    State.ORPHANED: ("orphaned",),
    State.SUSPENDED: ("suspended",),
    State.DRIFTED: (
        "two-pruners", "vanished", "not-immutable", "ambiguous-plan", "cannot-sync",
    ),
}  # fmt: skip


def _need(target: TargetPlan, unit: UnitPlan, since: Instant | None) -> Need | None:
    """Say what needs a person about a target, by the finding that made its state."""
    if target.state not in TOLD and target.state is not State.SUSPENDED:
        return None
    if target.state is State.BRAKED:
        return _braked(target, unit, since)
    codes = _SAID_BY[target.state]
    said = [finding for finding in target.findings if finding.code in codes]
    if said:
        fact = "; ".join(f.text.removeprefix(f"{target.state}: ") for f in said)
        step = next((f.next_step for f in said if f.next_step), _step(target, unit))
        return Need(target.state, fact, step, since)
    changes = sum(action.verb == "set_attr" for action in target.actions)
    fact = f"{counted(changes, 'lock')} not as the policy says"
    return Need(target.state, fact, "the next pass sets them", since)


def _step(target: TargetPlan, unit: UnitPlan) -> str:
    """Name the next step of a state whose finding names none."""
    if target.state is State.LATE:
        other = [f for f in target.findings if f.severity is Severity.ERROR and f.next_step]
        if other:
            return other[0].next_step
        name = f"{unit.nas}/{target.kind}/{target.name}"
        return f"reconcile --target {name}"
    return ""


def _braked(target: TargetPlan, unit: UnitPlan, since: Instant | None) -> Need:
    waits = [a for a in target.victims if a.stopped_by is not None]
    stop = waits[0].stopped_by
    waiting = digest.waiting(unit)
    causes = f": {', '.join(waiting.causes)}" if waiting is not None else ""
    step = stop_step(stop, waits, target) if stop is not None else ""
    verb = "waits" if len(waits) == 1 else "wait"
    return Need(State.BRAKED, f"{counted(len(waits), 'deletion')} {verb}{causes}", step, since)


def spoken_since(since: Instant | None, now: Instant, at: str) -> str:
    """Write since when: the weekday and time within six days, else how long; "" where unknown."""
    if since is None:
        return ""
    if now - since <= _WEEK:
        return moment(since, zone(at))
    return spoken(now - since)


_WEEK = 6 * 86_400
