"""When a creation is due, from a cadence and the due times that were met. Marks decide, not names.

The policy language's section "When a creation is due".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.duration import MINUTE

if TYPE_CHECKING:
    from collections.abc import Collection
    from zoneinfo import ZoneInfo

    from reconciler.calendar import Cadence
    from reconciler.model import Instant, Seconds

_LONGEST_WAIT: Seconds = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class Due:
    """The latest due time, and whether a snapshot is to be taken for it now.

    `next_due` is the one after it.
    """

    due: Instant
    next_due: Instant
    wanted: bool


def creation(cadence: Cadence, met: Collection[Instant], *, now: Instant, zone: ZoneInfo) -> Due:
    """Say whether the latest due time still wants its snapshot.

    `met` are the due times that snapshots were taken for, none of them in the future. A missed due
    time is made up at once, unless the next is at most a quarter of the interval and 15 minutes
    away and the one before it was met.
    """
    latest = cadence.latest(now, zone)
    following = cadence.following(latest, zone)
    if any(moment >= latest for moment in met):
        return Due(latest, following, wanted=False)
    soon = following - now <= min((following - latest) // 4, _LONGEST_WAIT)
    if soon:
        before = cadence.latest(latest - 1, zone)
        if any(before <= moment < latest for moment in met):
            return Due(latest, following, wanted=False)
    return Due(latest, following, wanted=True)
