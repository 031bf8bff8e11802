"""A simulated shared folder and its snapshots, as they lie on the NAS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from reconciler.simulator.clock import Instant, Moment, instant
from reconciler.simulator.naming import snapshot_name
from reconciler.simulator.retention import Retention
from reconciler.simulator.schedule import Schedule

if TYPE_CHECKING:
    from reconciler.simulator.nas import Nas

DAY = 86400
GIB = 1 << 30


def new_uuid() -> str:
    """Return a random uuid as text."""
    return str(uuid4())


@dataclass(slots=True, kw_only=True, eq=False)
class ShareSnapshot:
    """One snapshot of a share; `name` is what the wire calls `time`.

    `immutable_from` and `immutable_days` bound DSM's WORM lock; the flag is over at the end of
    the period, `locked` is not. `preserved` is the system's own hold, which no list shows.
    `size` is the complete size that DSM reports, `exclusive` what a deletion gives back.
    """

    at: Instant
    name: str = ""
    description: str = ""
    locked: bool = False
    scheduled: bool = False
    hidden: bool = False
    preserved: bool = False
    immutable_from: Instant | None = None
    immutable_days: int = 0
    taken_by: str = "admin"
    size: int = 10 * GIB
    exclusive: int = 64 << 20
    ruuid: str = field(default_factory=new_uuid)

    @property
    def immutable_until(self) -> float | None:
        """The end of the WORM lock, None without one: its begin plus whole days."""
        if self.immutable_from is None:
            return None
        return self.immutable_from + self.immutable_days * DAY

    def immutable(self, now: float) -> bool:
        """Whether the WORM lock still holds at `now`."""
        until = self.immutable_until
        return until is not None and now < until


@dataclass(slots=True, kw_only=True, eq=False)
class Share:
    """A shared folder, its snapshots, and DSM's own schedule and retention for it.

    `local_time_format` True names snapshots with the zone's offset, False in UTC without one;
    names that exist keep their form. `busy` makes creations and deletions answer 3328.
    `scheduled_immutable_days` above 0 makes every scheduled snapshot immutable for that long.
    `offline` is an encrypted share that is not mounted: its list is empty, its writes answer 3338.
    """

    name: str
    uuid: str = field(default_factory=new_uuid)
    volume: str = "/volume1"
    description: str = ""
    support_snapshot: bool = True
    encryption: int = 0
    offline: bool = False
    missing: bool = False
    hidden: bool = False
    usb: bool = False
    readonly: bool = False
    moving: bool = False
    cold_storage: bool = False
    c2: bool = False
    local_time_format: bool = True
    browsing: bool = False
    busy: bool = False
    schedule: Schedule = field(default_factory=Schedule)
    retention: Retention = field(default_factory=Retention)
    scheduled_immutable_days: int = 0
    snapshots: list[ShareSnapshot] = field(default_factory=list)
    nas: Nas | None = field(default=None, repr=False, metadata={"saved": False})

    def bind(self, nas: Nas) -> None:
        """Join `nas`, and name the snapshots that have no name yet."""
        self.nas = nas
        for snapshot in self.snapshots:
            snapshot.name = snapshot.name or self.name_at(snapshot.at)

    def name_at(self, at: float) -> str:
        """Return the name of a snapshot of this share taken at `at`."""
        if self.nas is None:
            raise ValueError(f"share {self.name} is on no NAS yet; add it to one first")
        return snapshot_name(
            at,
            zone=self.nas.zone,
            with_offset=self.local_time_format,
            fraction=self.nas.fraction,
        )

    def snapshot(self, name: str) -> ShareSnapshot | None:
        """Return the snapshot of that name, or None."""
        return next((s for s in self.snapshots if s.name == name), None)

    def add_snapshot(  # noqa: PLR0913 -- a history is written in one line per snapshot
        self,
        at: Moment,
        description: str = "",
        *,
        locked: bool = False,
        immutable_days: int | None = None,
        immutable_from: Moment | None = None,
        scheduled: bool = False,
        hidden: bool = False,
        preserved: bool = False,
        taken_by: str = "admin",
        name: str | None = None,
    ) -> ShareSnapshot:
        """Add a snapshot to the history without any of DSM's checks, and return it.

        The name is derived from the instant by the NAS's zone and the share's name form; a
        given `name` (a replica's, an unreadable one) stands as it is. `ValueError` when the
        share already has a snapshot of that name.
        """
        moment = instant(at)
        wanted = name if name is not None else self.name_at(moment)
        if self.snapshot(wanted) is not None:
            raise ValueError(f"share {self.name} already has a snapshot named {wanted}")
        begin = moment if immutable_from is None else instant(immutable_from)
        snapshot = ShareSnapshot(
            at=moment,
            name=wanted,
            description=description,
            locked=locked,
            scheduled=scheduled,
            hidden=hidden,
            preserved=preserved,
            immutable_from=None if immutable_days is None else begin,
            immutable_days=immutable_days or 0,
            taken_by=taken_by,
        )
        self.snapshots.append(snapshot)
        return snapshot
