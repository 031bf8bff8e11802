"""What one pass leaves for the next to know about a unit: values, made and compared elsewhere.

A memory is never an authority for a deletion: without one, more is kept and more waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model import Instant, Kind, NameForm, Seconds

    TargetKey = tuple[Kind, str]
    """A target's kind and uuid: what names it across renames."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One snapshot as a pass left it; `key` is `Snapshot.key`, `time` None where unreadable."""

    key: str
    name: str
    time: Instant | None = None


@dataclass(frozen=True, slots=True)
class Vanished:
    """A snapshot of ours that was gone at `noticed` although no pass of ours deleted it."""

    seen: Seen
    noticed: Instant


@dataclass(frozen=True, slots=True)
class TargetMemory:
    """One target as the last pass left it.

    `policy` is the last one that owned it, `place` where the entry stands that selected it
    (`policies/erp.yaml:14`), `owned_name` what it was called then. `since` is when `state` began.
    `listed` counts every snapshot, `ours` are those with our mark. `orphaned_since` is set from
    when it had snapshots of ours and no policy; `released` when a person gave it back to DSM.
    """

    kind: Kind
    uuid: str
    name: str
    state: str
    since: Instant
    policy: str = ""
    place: str = ""
    owned_name: str = ""
    listed: int = 0
    ours: tuple[Seen, ...] = ()
    vanished: tuple[Vanished, ...] = ()
    orphaned_since: Instant | None = None
    released: Instant | None = None

    @property
    def key(self) -> TargetKey:
        """Kind and uuid."""
        return self.kind, self.uuid


@dataclass(frozen=True, slots=True)
class BoundHold:
    """A hold and one target it has matched: bound by uuid until the hold leaves the repository.

    `covered` are the held snapshots the last pass saw, `gone` those that have disappeared since.
    """

    hold: str
    kind: Kind
    uuid: str
    name: str
    since: Instant
    covered: tuple[Seen, ...] = ()
    gone: tuple[Seen, ...] = ()

    @property
    def key(self) -> TargetKey:
        """Kind and uuid of the target."""
        return self.kind, self.uuid


@dataclass(frozen=True, slots=True)
class UnitMemory:
    """One unit as the last pass left it.

    `serials` are those seen under this name, the first one first. `hostname` is what it reported
    last. `clock` is its own clock at the end of the last pass that read it, None before the first.
    `plans_offered` says that it had a replication API. `shifts` are the measured differences
    between names and clock. `unread_since` and `unread` are set while it cannot be read.
    """

    nas: str
    serials: tuple[str, ...] = ()
    hostname: str = ""
    clock: Instant | None = None
    plans_offered: bool = False
    shifts: tuple[tuple[NameForm, Seconds], ...] = ()
    unread_since: Instant | None = None
    unread: str = ""
    targets: Mapping[TargetKey, TargetMemory] = field(default_factory=dict)
    holds: tuple[BoundHold, ...] = ()
