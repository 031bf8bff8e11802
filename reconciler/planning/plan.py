"""A plan as values: each target's state, its actions in order, its snapshots' verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from reconciler.model import Finding, Identity, Instant, Kind, Place, Snapshot


class State(StrEnum):
    """A target's state; of several the first in this order is shown."""

    UNKNOWN = "unknown"
    CONTENDED = "contended"
    DESTINATION = "destination"
    UNSUPPORTED = "unsupported"
    UNMANAGED = "unmanaged"
    ORPHANED = "orphaned"
    SUSPENDED = "suspended"
    MISSING = "missing"
    BLOCKED = "blocked"
    LATE = "late"
    BRAKED = "braked"
    DRIFTED = "drifted"
    COMPLIANT = "compliant"


class Stop(StrEnum):
    """Why an action does not run: a guard, a brake, or an approval that is not there."""

    CLOCK = "clock-skew"
    NAME_CLOCK = "name-clock"
    PLANS_UNKNOWN = "plans-unknown"
    PLANS_GONE = "plans-gone"
    CLOCK_JUMP = "clock-jump"
    NEW_STATE = "new-state"
    PAUSED = "paused"
    REPLICA_UNIDENTIFIED = "replica-unidentified"
    MIXED_NAMES = "mixed-names"
    ATTRIBUTES_UNKNOWN = "attributes-unknown"
    UNMARKED = "unmarked"
    SCHEDULED = "scheduled"
    OTHER_POLICY = "other-policy"
    BRAKE_TARGET = "brake-target"
    BRAKE_UNIT = "brake-unit"
    BRAKE_DAY = "brake-day"

    @property
    def approvable(self) -> bool:
        """Whether a person's approval can release it; everything else is mended, not approved."""
        return self in _APPROVABLE


_APPROVABLE = frozenset(
    {
        Stop.PLANS_GONE,
        Stop.CLOCK_JUMP,
        Stop.NEW_STATE,
        Stop.REPLICA_UNIDENTIFIED,
        Stop.UNMARKED,
        Stop.SCHEDULED,
        Stop.OTHER_POLICY,
        Stop.BRAKE_TARGET,
        Stop.BRAKE_UNIT,
        Stop.BRAKE_DAY,
    }
)


class Verdict(StrEnum):
    """What is to become of a snapshot."""

    KEEP = "keep"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: `rule` is a stable word, `text` the sentence for people.

    `ordinal` and `period` (its first instant) are those of a `keep` rule, None elsewhere.
    """

    rule: str
    text: str
    ordinal: int | None = None
    period: Instant | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """Take a snapshot for the due time `due`; `immutable_days` 0 is not immutable.

    With `asked` a person asked for it, `due` is when, and it serves no due time.
    """

    due: Instant
    description: str
    lock: bool = False
    immutable_days: int = 0
    lun_name: str = ""
    consistent: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class SetAttributes:
    """Change a share snapshot's lock, its description's mark, or both; None leaves as it is."""

    snapshot: Snapshot
    lock: bool | None
    description: str | None


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete one snapshot. `early` goes before the creation, where the limit or space stops it."""

    snapshot: Snapshot
    early: bool = False


@dataclass(frozen=True, slots=True)
class Sync:
    """Run a replication plan once; `due` is the due time it serves."""

    plan_id: str
    destination: str
    due: Instant
    lock_synced: bool
    send_encrypted: bool


Change: TypeAlias = Create | SetAttributes | Delete | Sync

VERBS: dict[type, str] = {
    Create: "create",
    SetAttributes: "set_attr",
    Delete: "delete",
    Sync: "sync",
}


@dataclass(frozen=True, slots=True)
class Action:
    """One change with its reasons; `stopped_by` None is free to run.

    `approved` says that a person let this deletion go: it counts in no brake.
    """

    change: Change
    reasons: tuple[Why, ...]
    stopped_by: Stop | None = None
    approved: bool = False

    @property
    def verb(self) -> str:
        """The plan document's verb: `create`, `set_attr`, `delete` or `sync`."""
        return VERBS[type(self.change)]

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot it is about; None for a creation and a sync."""
        return getattr(self.change, "snapshot", None)


@dataclass(frozen=True, slots=True)
class SnapshotVerdict:
    """One snapshot's fate. `expires_not_before` is the earliest instant it can go, None unknown."""

    snapshot: Snapshot
    managed: bool
    verdict: Verdict
    reasons: tuple[Why, ...]
    expires_not_before: Instant | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """What one replication plan's destination has: `newest` is when that state was taken.

    `progress` is the running sync's per cent where DSM tells it, None elsewhere.
    """

    destination: str
    newest: Instant | None
    busy: bool = False
    progress: int | None = None


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """What is to be done with one target, and why; `policy` is "" where none owns it.

    `selected_by` is where the selector's entry stands that gave it to its policy.
    `kept`, `immutable` and `held` count after this pass, the coming creation included. `no_room`
    says why early deletions must make room for the creation, "" where none must.
    """

    kind: Kind
    uuid: str
    name: str
    state: State
    policy: str = ""
    zone: str = "UTC"
    findings: tuple[Finding, ...] = ()
    actions: tuple[Action, ...] = ()
    snapshots: tuple[SnapshotVerdict, ...] = ()
    newest: Instant | None = None
    next_due: Instant | None = None
    kept: int = 0
    immutable: int = 0
    held: int = 0
    newest_managed: Instant | None = None
    brake_weight: int = 0
    brake_limits: tuple[int, int] = (0, 0)
    no_room: str = ""
    selected_by: Place | None = None
    replicas: tuple[Replica, ...] = ()

    @property
    def label(self) -> str:
        """How a target is named on one NAS: `share/documents`."""
        return f"{self.kind}/{self.name}"

    @property
    def victims(self) -> tuple[Action, ...]:
        """The deletions, stopped ones included."""
        return tuple(action for action in self.actions if isinstance(action.change, Delete))

    @property
    def waiting(self) -> tuple[Action, ...]:
        """The actions that something stops."""
        return tuple(action for action in self.actions if action.stopped_by is not None)


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """The plan of one NAS. `problem` is set, and nothing planned, where it could not be read.

    `busy` says that another reconciler has it, which is no trouble of the unit.
    """

    nas: str
    now: Instant
    zone: str
    identity: Identity | None = None
    targets: tuple[TargetPlan, ...] = ()
    findings: tuple[Finding, ...] = ()
    problem: str = ""
    next_step: str = ""
    suspended: str = ""
    share_count: int = 0
    lun_count: int = 0
    busy: bool = False

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action of every target."""
        return tuple(action for target in self.targets for action in target.actions)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of all units of one run, of one revision of the policies.

    `policies` is the digest of the policies of its targets and of all holds, "" where not worked
    out.
    """

    created_at: Instant
    revision: str
    units: tuple[UnitPlan, ...] = field(default=())
    policies: str = ""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action of every unit."""
        return tuple(action for unit in self.units for action in unit.actions)
