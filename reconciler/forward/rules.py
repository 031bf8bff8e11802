"""What a target's future depends on: the rules of its policy, and the snapshots it has."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from reconciler.retention import Keep, Pick

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from reconciler.calendar import Cadence, Period
    from reconciler.model import Instant, Seconds

FOREVER: Instant = sys.maxsize
"""The end of what has none: a lock of somebody else, a hold, an end that cannot be read."""

LAG: Seconds = 1
"""How long after its due time a snapshot is taken, as names on a NAS show it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What of a policy decides its future, and the limits of the target.

    `keep` None deletes nothing. `immutable_days` 0 makes none immutable; with `immutable_of` only
    the first of each such period is. `immutable_lag` is how long after a snapshot's time DSM's
    protection begins. At `limit` snapshots none can be taken; where fewer than a tenth of `room`
    would stay free none is made immutable. None knows no such bound.
    """

    zone: ZoneInfo
    cadence: Cadence | None = None
    keep: Keep | None = None
    pick: Pick = Pick.EARLIEST
    min_keep: int = 1
    immutable_days: int = 0
    immutable_of: Period | None = None
    immutable_lag: Seconds = 0
    limit: int | None = None
    room: int | None = None

    @property
    def within_at_least(self) -> int:
        """How many of the newest `within` keeps at the least (rule 2 of `keep`)."""
        if self.cadence is None or self.keep is None or not self.keep.within:
            return 0
        return self.cadence.most_in(self.keep.within)


class Present(NamedTuple):
    """One snapshot of the target, there already or taken on the way.

    It is usable from `usable_from` on; with None it never stands for anything and never goes. `met`
    is the due time it satisfies, known from `met_from` on. It is immutable until `immutable_until`
    and never deleted before `kept_until` (other protections); 0 is not at all. `key` is "" for one
    taken on the way.
    """

    time: Instant
    key: str = ""
    met: Instant | None = None
    met_from: Instant = 0
    usable_from: Instant | None = 0
    immutable_until: Instant = 0
    kept_until: Instant = 0

    @property
    def stays_until(self) -> Instant:
        """When the last protection ends; the rules are another matter."""
        return max(self.immutable_until, self.kept_until)


class Pass(NamedTuple):
    """One pass: what it took, what it deleted, and how many there are afterwards.

    `due` is the due time it served, the pass's own moment where it is not one of the cadence's.
    `blocked` says that a snapshot was due and there was no room for it.
    """

    due: Instant
    now: Instant
    taken: Present | None
    gone: tuple[Present, ...]
    held: int
    immutable: int
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Outage:
    """A span without passes: the first one after it is at its end."""

    start: Instant
    end: Instant

    def covers(self, instant: Instant) -> bool:
        """Whether no pass runs at this moment."""
        return self.start <= instant < self.end
