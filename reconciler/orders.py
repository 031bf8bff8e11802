"""What people said at run time, without a commit: approvals, holds, pauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model import Instant, Kind, Seconds

    Victim = tuple[str, str]
    """A waiting deletion: the target's uuid and the snapshot's name or uuid."""

APPROVED_FOR: Seconds = 86_400
"""How long an approval lets its deletions go."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Leave for the deletions of one unit that waited under `digest`, each while still a victim.

    `stops` are the stops and guards that were named where they waited.
    """

    nas: str
    digest: str
    victims: frozenset[Victim]
    stops: tuple[str, ...]
    given: Instant
    expires: Instant
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunTimeHold:
    """A hold said at run time, of a whole target or of one snapshot (`snapshot` its key, else "").

    `until` is None where a person has to end it.
    """

    identifier: str
    nas: str
    kind: Kind
    uuid: str
    name: str
    snapshot: str
    reason: str
    by: str
    since: Instant
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A stop of all writes on a unit, or of its deletions alone, until `until` or `resume`."""

    nas: str
    deletes_only: bool
    reason: str
    by: str
    since: Instant
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One snapshot that a person asked for outside the cadence; `at` is to the minute.

    A run that was given one plans that creation and nothing else.
    """

    kind: Kind
    uuid: str
    at: Instant
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Orders:
    """Everything said about one unit that stands at one moment.

    `granted` holds what one approval settled for good: a target's uuid, the kind of stop, and the
    other policy ("" where the stop names none). `braked` is what the passes of the last 24 hours
    have added to the unit's brake.
    """

    approvals: tuple[Approval, ...] = ()
    granted: frozenset[tuple[str, str, str]] = frozenset()
    holds: tuple[RunTimeHold, ...] = ()
    pauses: tuple[Pause, ...] = ()
    braked: int = 0

    @property
    def approved(self) -> frozenset[Victim]:
        """Every deletion that an approval lets go."""
        return frozenset(victim for approval in self.approvals for victim in approval.victims)

    @property
    def paused(self) -> Pause | None:
        """The pause in force, the wider one of two; None where there is none."""
        return next(iter(sorted(self.pauses, key=lambda pause: pause.deletes_only)), None)
