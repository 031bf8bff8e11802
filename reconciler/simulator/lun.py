"""A simulated LUN and its snapshots, as they lie on the NAS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.simulator.clock import Instant, Moment, instant
from reconciler.simulator.retention import Retention
from reconciler.simulator.schedule import Schedule
from reconciler.simulator.share import DAY, GIB, new_uuid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.simulator.nas import Nas


@dataclass(slots=True, kw_only=True, eq=False)
class LunSnapshot:
    """One snapshot of a LUN; addressed by `uuid`, dated in epoch seconds.

    `locked_app_keys` names the packages that preserve it; with one, DSM refuses to delete it.
    """

    at: Instant
    snapshot_id: int
    name: str
    uuid: str = field(default_factory=new_uuid)
    version: str = field(default_factory=new_uuid)
    description: str = ""
    locked: bool = False
    app_consistent: bool = False
    taken_by: str = "user"
    status: str = "Healthy"
    locked_app_keys: list[str] = field(default_factory=list)
    immutable_from: Instant | None = None
    immutable_days: int = 0
    exclusive: int = 64 << 20

    def immutable(self, now: float) -> bool:
        """Whether the WORM lock still holds at `now`."""
        if self.immutable_from is None:
            return False
        return now < self.immutable_from + self.immutable_days * DAY


@dataclass(slots=True, kw_only=True, eq=False)
class Lun:
    """A LUN. `type_str` is DSM's kind (`BLUN`, `VDISK_BLUN` …); a thick one cannot snapshot.

    `action_locked_until` is the end of the moment in which a creation still locks the LUN.
    """

    name: str
    uuid: str = field(default_factory=new_uuid)
    lun_id: int = 1
    volume: str = "/volume1"
    size: int = 100 * GIB
    description: str = ""
    type_code: int = 263
    type_str: str = "BLUN"
    can_snapshot: bool = True
    status: str = "normal"
    schedule: Schedule = field(default_factory=Schedule)
    retention: Retention = field(default_factory=Retention)
    snapshot_counter: int = 0
    action_locked_until: float | None = field(default=None, metadata={"saved": False})
    snapshots: list[LunSnapshot] = field(default_factory=list)
    nas: Nas | None = field(default=None, repr=False, metadata={"saved": False})

    def bind(self, nas: Nas) -> None:
        """Join `nas`; new snapshots are numbered after those that exist."""
        self.nas = nas
        highest = max((s.snapshot_id for s in self.snapshots), default=0)
        self.snapshot_counter = max(self.snapshot_counter, highest)

    def snapshot(self, uuid: str) -> LunSnapshot | None:
        """Return the snapshot of that uuid, or None."""
        return next((s for s in self.snapshots if s.uuid == uuid), None)

    def add_snapshot(  # noqa: PLR0913 -- a history is written in one line per snapshot
        self,
        at: Moment,
        description: str = "",
        *,
        locked: bool = False,
        immutable_days: int | None = None,
        scheduled: bool = False,
        taken_by: str = "user",
        name: str | None = None,
        app_consistent: bool = False,
        locked_app_keys: Iterable[str] = (),
    ) -> LunSnapshot:
        """Add a snapshot to the history without any of DSM's checks, and return it.

        Without a `name` it is called `SnapShot-N`, N being its number on the LUN.
        """
        self.snapshot_counter += 1
        moment = instant(at)
        snapshot = LunSnapshot(
            at=moment,
            snapshot_id=self.snapshot_counter,
            name=name or f"SnapShot-{self.snapshot_counter}",
            description=description,
            locked=locked,
            app_consistent=app_consistent,
            taken_by="scheduler" if scheduled else taken_by,
            locked_app_keys=list(locked_app_keys),
            immutable_from=None if immutable_days is None else moment,
            immutable_days=immutable_days or 0,
        )
        self.snapshots.append(snapshot)
        return snapshot
