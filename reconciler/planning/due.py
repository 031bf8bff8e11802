"""When a creation is due. Marks decide the cadence, names only retention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.duration import MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from reconciler.calendar import Cadence
    from reconciler.model import Instant, Seconds, Snapshot

_LONGEST_WAIT: Seconds = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class Due:
    """The latest due time, and whether a snapshot is to be taken for it now.

    `next_due` is the one after it. `missed` is set where an earlier pass should have taken it.
    """

    due: Instant
    next_due: Instant
    wanted: bool


def creation(
    cadence: Cadence,
    managed: Iterable[Snapshot],
    *,
    now: Instant,
    skew: Seconds,
    zone: ZoneInfo,
) -> Due:
    """Say whether the latest due time still wants its snapshot.

    A managed snapshot's mark satisfies the due times up to the one it carries, whichever policy
    made it; a managed snapshot without a mark, taken since the due time, satisfies it too. A
    missed due time is made up at once, unless the next is at most a quarter of the interval and
    15 minutes away and the one before it was met.
    """
    latest = cadence.latest(now, zone)
    following = cadence.following(latest, zone)
    moments = _met(managed, now=now, skew=skew)
    if any(moment >= latest for moment in moments):
        return Due(latest, following, wanted=False)
    soon = following - now <= min((following - latest) // 4, _LONGEST_WAIT)
    if soon:
        before = cadence.latest(latest - 1, zone)
        if any(before <= moment < latest for moment in moments):
            return Due(latest, following, wanted=False)
    return Due(latest, following, wanted=True)


def _met(managed: Iterable[Snapshot], *, now: Instant, skew: Seconds) -> tuple[Instant, ...]:
    """Return the due times that marks carry, and the times of managed snapshots without one."""
    moments: list[Instant] = []
    for snapshot in managed:
        mark = snapshot.mark
        if mark is not None and mark.due is not None:
            if mark.due <= now + skew:
                moments.append(mark.due)
        elif (mark is None or mark.adopted) and snapshot.time is not None and snapshot.time <= now:
            moments.append(snapshot.time)
    return tuple(moments)
