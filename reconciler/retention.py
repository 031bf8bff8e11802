"""The `keep` rules: which snapshots of a time-ordered history stay, and by which rule.

Pure: times in, chosen positions and reasons out. The rules are DSM's own ("the earliest of each
period", DSM's help on advanced retention) and, with `pick: latest`, those of restic's `forget`.
What is protected whatever the rules say (locks, holds, the newest …) is the planner's business.
The cost follows what is kept: a period's border is searched for, not walked to.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from reconciler.calendar import Period, period_start
from reconciler.duration import HOUR
from reconciler.zones import local, turns_back_a_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from reconciler.model import Instant, Seconds

ALL = sys.maxsize
"""The count written as `all`."""


class Pick(StrEnum):
    """Which snapshot stands for a period."""

    EARLIEST = "earliest"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Keep:
    """The effective `keep`: counts (`ALL` for `all`) and `within` in seconds; 0 is no rule."""

    last: int = 0
    within: Seconds = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    quarterly: int = 0
    yearly: int = 0

    @property
    def periods(self) -> tuple[tuple[Period, int], ...]:
        """The period rules that are not 0, the shortest period first."""
        counts = ((period, int(getattr(self, period.value))) for period in Period)
        return tuple((period, count) for period, count in counts if count)

    @property
    def empty(self) -> bool:
        """Whether no rule is left: such a `keep` is an error, for it would keep nothing."""
        return not (self.last or self.within or self.periods)

    @property
    def weight(self) -> int:
        """How many snapshots one creation can displace: one a rule, `within` counted three times.

        The policy language's section on brakes measures a target's victims by it.
        """
        return bool(self.last) + 3 * bool(self.within) + len(self.periods)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a snapshot stays: the `ordinal`-th of `rule` (1 is the newest), of `count`.

    `period` is the first instant of the period it stands for, None where the rule has none.
    `oldest` is set where restic's clause keeps the very oldest snapshot.
    """

    rule: str
    ordinal: int
    count: int
    period: Instant | None = None
    oldest: bool = False


@dataclass(frozen=True, slots=True)
class Displaced:
    """Why a rule does not keep a snapshot.

    `kept_by` is the position of the snapshot that stands for its period, whose first instant is
    `period`; None where the snapshot lies beyond the rule's reach.
    """

    rule: str
    count: int
    kept_by: int | None = None
    period: Instant | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What the rules keep of `times`: reasons by position, and who stands for which period."""

    times: Sequence[Instant]
    keep: Keep
    zone: ZoneInfo
    reasons: Mapping[int, tuple[Reason, ...]]
    standing: Mapping[Period, Mapping[Instant, int]]

    def displaced(self, position: int) -> tuple[Displaced, ...]:
        """Say for each rule why it does not keep the snapshot at `position`, a victim."""
        found: list[Displaced] = []
        if self.keep.last:
            found.append(Displaced("last", self.keep.last))
        if self.keep.within:
            found.append(Displaced("within", self.keep.within))
        for period, count in self.keep.periods:
            start = period_start(period, self.times[position], self.zone)
            found.append(
                Displaced(period.value, count, self.standing[period].get(start), period=start)
            )
        return tuple(found)


def select(
    times: Sequence[Instant],
    keep: Keep,
    *,
    pick: Pick,
    zone: ZoneInfo,
    within_at_least: int = 0,
) -> Kept:
    """Apply the rules to `times`, which must ascend; equal times keep their order.

    `within_at_least` is how many of the newest `within` keeps at the least: the most due times
    that any span of its duration holds, so that neither an outage nor a weekend without due times
    expires anything when it ends.
    """
    reasons: dict[int, list[Reason]] = {}
    newest = len(times) - 1
    for ordinal in range(1, min(keep.last, len(times)) + 1):
        reasons.setdefault(newest - ordinal + 1, []).append(Reason("last", ordinal, keep.last))
    for ordinal in range(1, _within(times, keep.within, within_at_least) + 1):
        reason = Reason("within", ordinal, keep.within)
        reasons.setdefault(newest - ordinal + 1, []).append(reason)
    standing: dict[Period, dict[Instant, int]] = {}
    for period, count in keep.periods:
        chosen = standing.setdefault(period, {})
        for position, reason in _by_period(times, period, count=count, pick=pick, zone=zone):
            if reason.period is not None:
                chosen[reason.period] = position
            reasons.setdefault(position, []).append(reason)
    settled = {position: tuple(found) for position, found in reasons.items()}
    return Kept(times, keep, zone, settled, standing)


def newest_hour(times: Sequence[Instant]) -> int:
    """Return the first position that the hour of the newest usable snapshot protects.

    `times` ascend and include the coming creation. DSM's own retention keeps everything at most
    3600 s older than the newest.
    """
    return bisect_left(times, times[-1] - HOUR) if times else 0


def _within(times: Sequence[Instant], span: Seconds, at_least: int) -> int:
    """Return how many of the newest are strictly younger than `span` before the newest."""
    if not span or not times:
        return 0
    younger = len(times) - bisect_right(times, times[-1] - span)
    return min(len(times), max(younger, at_least))


def _by_period(
    times: Sequence[Instant], period: Period, *, count: int, pick: Pick, zone: ZoneInfo
) -> Iterator[tuple[int, Reason]]:
    """Yield one position for each of the `count` most recent non-empty periods."""
    if not times:
        return
    search = _scattered if _dates_return(times, period, zone) else _contiguous
    ordinal, position = 0, -1
    for start, oldest, newest in islice(search(times, period, zone), count):
        ordinal += 1
        position = oldest if pick is Pick.EARLIEST else newest
        yield position, Reason(period.value, ordinal, count, period=start)
    if pick is Pick.LATEST and position > 0 and ordinal < count:
        yield 0, Reason(period.value, ordinal + 1, count, oldest=True)


def _contiguous(
    times: Sequence[Instant], period: Period, zone: ZoneInfo
) -> Iterator[tuple[Instant, int, int]]:
    """Yield each non-empty period, the most recent first: its start, oldest and newest position."""
    newest = len(times) - 1
    while newest >= 0:
        start = period_start(period, times[newest], zone)
        oldest = bisect_left(times, start, 0, newest + 1)
        yield start, oldest, newest
        newest = oldest - 1


def _scattered(
    times: Sequence[Instant], period: Period, zone: ZoneInfo
) -> Iterator[tuple[Instant, int, int]]:
    """Yield the same where a period is more than one stretch of time: each instant is looked at."""
    members: dict[Instant, list[int]] = {}
    for position in reversed(range(len(times))):
        members.setdefault(period_start(period, times[position], zone), []).append(position)
    for start, positions in members.items():
        yield start, positions[-1], positions[0]


def _dates_return(times: Sequence[Instant], period: Period, zone: ZoneInfo) -> bool:
    """Say whether a date comes twice in the history; an hour never does, being cut by offset."""
    if period is Period.HOURLY:
        return False
    years = range(local(times[0], zone).year - 1, local(times[-1], zone).year + 2)
    return any(turns_back_a_date(year, zone) for year in years)
