"""A simulated replication plan: its settings, its records, and the sync that runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.simulator.schedule import Schedule
from reconciler.simulator.share import new_uuid

if TYPE_CHECKING:
    from reconciler.simulator.clock import Instant

MAIN_SITE = 1
RECOVERY_SITE = 2
TARGET_LUN = 1
TARGET_SHARE = 2


@dataclass(slots=True, kw_only=True, eq=False)
class SyncRecord:
    """One sync that has ended."""

    snapshot: str
    begin: Instant
    finish: Instant
    sent: int = 0
    succeeded: bool = True
    error: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class RunningSync:
    """A sync under way; `snapshot` is the name on the wire, `reference` the key at the source."""

    snapshot: str
    reference: str
    at: Instant
    begin: Instant
    finish: Instant
    sent: int
    description: str = ""
    locked: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Plan:
    """A replication plan as this NAS sees it.

    `role` 1 is the main site, 2 the recovery site; `target_type` 1 a LUN, 2 a share. `target`
    is this NAS's share name, or its LUN's uuid; `remote_target` the one at the other end, which
    is on this NAS too when `to_local`. `source_zone` names incoming snapshots at a recovery
    site, by the other NAS's clock setting. `sync_seconds` is how long a sync takes; `fail_next`
    is the error code with which the next one ends, used up by it. `preserve` makes the last
    synced snapshot of a share refuse its deletion with 3337.
    """

    target: str
    remote_target: str = ""
    plan_id: str = field(default_factory=new_uuid)
    role: int = MAIN_SITE
    target_type: int = TARGET_SHARE
    to_local: bool = False
    remote_host: str = "dr-site"
    remote_node: str = field(default_factory=new_uuid)
    source_zone: str | None = None
    enabled: bool = True
    status: int = 1
    paused: bool = False
    schedule: Schedule = field(default_factory=Schedule)
    sync_local_snapshots: bool = False
    send_encrypted: bool = False
    immutable_days: int = 0
    retain_first: bool = False
    preserve: bool = False
    full_resync: bool = False
    sync_seconds: float = 30.0
    full_bytes: int = 750_513_392
    delta_bytes: int = 8_990
    fail_next: int | None = None
    first_snapshot: str = ""
    last_snapshot: str = ""
    last_reference: str = ""
    records: list[SyncRecord] = field(default_factory=list)
    running: RunningSync | None = None

    @property
    def app_key(self) -> str:
        """The key with which a LUN's last synced snapshot is preserved."""
        return f"SnapshotReplication-synodr-{self.plan_id}"

    @property
    def can_sync(self) -> bool:
        """Whether a sync may be asked for now."""
        return self.role == MAIN_SITE and self.enabled and not self.paused and self.running is None
