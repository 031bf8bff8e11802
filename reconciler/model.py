"""What exists on a NAS and what is said about it: frozen values, no behaviour beyond reading.

Every instant is whole seconds since 1970-01-01T00:00Z (`Instant`), every length of time whole
seconds (`Seconds`); nothing here knows a time zone or a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from reconciler.mark import Mark

Instant: TypeAlias = int
Seconds: TypeAlias = int


class Kind(StrEnum):
    """What can be snapshotted."""

    SHARE = "share"
    LUN = "lun"


class Severity(StrEnum):
    """How much a finding matters: an error stops something, a warning asks for a look."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; `line` and `column` count from 1, `width` is the key's length."""

    path: str
    line: int = 0
    column: int = 0
    width: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know: `text` is the fact, `next_step` the cure.

    `code` is a stable word in kebab-case. `hint` stands under the caret of a source line
    ("did you mean `daily`?"); `place` is None for what was found on a NAS.
    """

    code: str
    severity: Severity
    text: str
    next_step: str = ""
    place: Place | None = None
    hint: str = ""


class NameForm(StrEnum):
    """How DSM wrote a share snapshot's name: with the zone's offset, or bare (read as UTC)."""

    OFFSET = "offset"
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot as the NAS lists it.

    `time` is None where the name cannot be read. `form` is None for LUNs. `uuid` is a LUN
    snapshot's uuid, or a share snapshot's `ruuid` ("" where DSM gave none). `locked` is DSM's own
    lock, which exempts from DSM's retention and does not stop an explicit deletion. `immutable`
    is DSM's flag; `immutable_until` is None where no end could be read, and `immutability_known`
    False where DSM refused to tell the flag at all. `holders` are the application keys that
    preserve a LUN snapshot. `mark` is None without an ownership mark.
    """

    name: str
    time: Instant | None
    description: str = ""
    uuid: str = ""
    form: NameForm | None = None
    locked: bool = False
    immutable: bool = False
    immutable_until: Instant | None = None
    immutability_known: bool = True
    scheduled: bool = False
    holders: tuple[str, ...] = ()
    healthy: bool = True
    mark: Mark | None = None

    @property
    def key(self) -> str:
        """What identifies the snapshot within its target: a LUN's uuid, a share's name."""
        return self.name if self.form is not None or not self.uuid else self.uuid


class RetentionKind(StrEnum):
    """Which retention DSM itself runs on a target (`policyType`)."""

    NONE = "none"
    KEEP_ALL = "all"
    LATEST = "latest"
    DAYS = "days"
    ADVANCED = "advanced"
    UNKNOWN = "unknown"

    @property
    def prunes(self) -> bool:
        """Whether DSM deletes snapshots by itself; an unknown kind counts as pruning."""
        return self not in (RetentionKind.NONE, RetentionKind.KEEP_ALL)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """DSM's own schedule and retention on one target, as `get_schedule` and `Retention get` say."""

    schedule: bool = False
    schedule_text: str = ""
    retention: RetentionKind = RetentionKind.NONE
    retention_text: str = ""


@dataclass(frozen=True, slots=True)
class SyncRecord:
    """One attempt of a replication plan; `snapshot` is its name at the source."""

    snapshot: str
    began: Instant
    finished: Instant | None
    success: bool


@dataclass(frozen=True, slots=True)
class ReplicationPlan:
    """One plan of Snapshot Replication as this NAS lists it.

    `role` 1 is the main site, 2 the destination. `kind` is None for a target type that is neither
    a share nor a LUN. `busy` is everything but known-idle. `records` are in order of `began`.
    `destination_ids` are the target's names and ids on the destination node.
    """

    plan_id: str
    role: int
    kind: Kind | None
    target_ids: frozenset[str]
    to_local: bool
    main_node: str
    destination_node: str
    destination_host: str
    destination_ids: frozenset[str]
    busy: bool
    progress: int | None
    can_sync: bool
    send_encrypted: bool
    records: tuple[SyncRecord, ...]
    syncing_since: Instant | None
    successes: int
    last_snapshot: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Which unit answered; `serial` is "" where it reported none."""

    serial: str
    model: str
    version: str
    hostname: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How many snapshots the NAS allows; None where it did not say."""

    share: int | None = None
    lun: int | None = None
    unit: int | None = None


@dataclass(frozen=True, slots=True)
class ObservedTarget:
    """One share or LUN as read in one pass.

    `snapshots` is None where the listing failed or was incomplete; `problem` then says why.
    `unsupported` says why DSM cannot snapshot it, "" where it can. `volume_free` is in bytes.
    """

    kind: Kind
    uuid: str
    name: str
    snapshots: tuple[Snapshot, ...] | None
    problem: str = ""
    unsupported: str = ""
    built_in: BuiltIn | None = None
    volume_free: int | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One reading of one NAS.

    `now` is the NAS's own clock (HTTP `Date`) at the end of the reading, `skew` that clock minus
    the reconciler's in seconds, `utc_offset` the NAS's offset in seconds (None where unknown).
    `plans` is None where the list of replication plans failed; `plans_problem` then says why.
    `plans_offered` says that the NAS has a replication API at all.
    `name_shift` is how far names of each form run ahead of the NAS's clock, where measured.
    """

    nas: str
    identity: Identity
    now: Instant
    skew: float
    utc_offset: Seconds | None
    limits: Limits
    targets: tuple[ObservedTarget, ...]
    plans: tuple[ReplicationPlan, ...] | None
    plans_problem: str = ""
    name_shift: tuple[tuple[NameForm, Seconds], ...] = ()
    plans_offered: bool = True
