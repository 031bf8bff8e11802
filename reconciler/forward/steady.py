"""How many snapshots a target holds once its policy has run for long: exactly, over one year.

Passes run at the due times alone, so both counts change only there. At the n-th due time a target
holds the newest ones, an unbroken stretch (`last`, `within`, the newest hour, plain `immutable`),
and of what is older those that still stand for a period. A snapshot that stands for the k-th
period of a rule with count N leaves it when period k + N begins, so when each one leaves the
stretch, and when the last rule lets it go, is looked up instead of run to. What is left is to add
up: the stretch's length at each due time, and the snapshots between those two moments. So there is
nothing to fill up first, whatever `yearly: 10` says, and a year costs little more than its periods.

A period rule that never finds two due times in one period is `last` by another name. Where due
times are evenly spaced (every cadence that divides the hour, whatever the clock does) the stretch
never changes its length. Due times and the first ones of each period are shared by all rules.

Days, weeks and months meet differently each year, which moves the bounds by one or two. The year
counted is 2029: it begins on a Monday and has no leap day.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import accumulate, islice, takewhile
from operator import add, sub
from typing import TYPE_CHECKING

from reconciler.calendar import Period, period_span
from reconciler.duration import DAY, HOUR
from reconciler.forward.run import run
from reconciler.retention import ALL, Keep, Pick
from reconciler.zones import day_start, same_offset_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from reconciler.calendar import Cadence
    from reconciler.forward.rules import Rules
    from reconciler.model import Instant, Seconds

FIRST_DAY = date(2029, 1, 1)
_YEAR: Seconds = 365 * DAY
_SHIFT = DAY  # more than any change of the clock


@dataclass(frozen=True, slots=True)
class Span:
    """A count's lowest and highest value."""

    low: int
    high: int

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Steady:
    """How many snapshots there are right after a pass, and how many of them are immutable."""

    held: Span
    immutable: Span


@lru_cache(maxsize=1024)
def steady(rules: Rules) -> Steady | None:
    """Return the counts of a year; None where nothing is taken or nothing bounds their number.

    `limit` and `room` are left aside: what the rules ask for, not what fits.
    """
    if rules.cadence is None or unbounded(rules):
        return None
    ground = _ground(rules)
    held = _counted(ground)
    low, high = (max(number, rules.min_keep) for number in (held.low, held.high))
    return Steady(Span(low, high), _immutable(ground))


def unbounded(rules: Rules) -> bool:
    """Whether a rule keeps without end: no `keep` at all, or a count of `all`."""
    keep = rules.keep
    if keep is None:
        return True
    return ALL in (keep.last, *(count for _, count in keep.periods))


@dataclass(frozen=True, slots=True, eq=False)
class _Dues:
    """The due times from some days before the year to its end; the year begins at `first`."""

    times: tuple[Instant, ...]
    first: int
    even: bool

    def position(self, instant: Instant) -> int:
        """Return the position of the first due time not before an instant."""
        return bisect_left(self.times, instant)


@lru_cache(maxsize=64)
def _dues(cadence: Cadence, zone: ZoneInfo, days: int) -> _Dues:
    start = day_start(FIRST_DAY, zone)
    end = start + _YEAR
    after = cadence.after(start - days * DAY - 1, zone)
    times = tuple(takewhile(lambda due: due < end, after))
    gaps = set(map(sub, times[1:], times))
    return _Dues(times, bisect_left(times, start), len(gaps) <= 1)


@dataclass(frozen=True, slots=True)
class _Ground:
    """The rules, those that count snapshots made one with `last`, on due times that reach far."""

    rules: Rules
    cadence: Cadence
    keep: Keep
    count: int
    younger: Seconds
    days: int
    dues: _Dues

    def firsts(self, period: Period, count: int) -> Sequence[int]:
        """Return the first of each period, `count` before the year among them, as `_firsts` has."""
        rounded = 1 << count.bit_length()
        return _firsts(self.cadence, self.rules.zone, period, self.days, rounded)


def _ground(rules: Rules) -> _Ground:
    cadence, keep = rules.cadence, rules.keep
    if cadence is None or keep is None:
        raise AssertionError("a steady state needs a cadence and a `keep`")
    alone = [(p, n) for p, n in keep.periods if _alone(cadence, rules.zone, p)]
    count = max(keep.last, rules.within_at_least, 1, *(n for _, n in alone), 0)
    younger = max(keep.within, rules.immutable_days * DAY if rules.immutable_of is None else 0)
    back = max(younger, rules.immutable_days * DAY, HOUR, (count + 2) * cadence.longest_gap)
    days = -(-(back + 2 * _SHIFT) // (32 * DAY)) * 32  # in steps, so that policies share them
    merged = replace(keep, last=count, **{period.value: 0 for period, _ in alone})
    dues = _dues(cadence, rules.zone, days)
    return _Ground(rules, cadence, merged, count, younger, days, dues)


@lru_cache(maxsize=256)
def _alone(cadence: Cadence, zone: ZoneInfo, period: Period) -> bool:
    """Whether no period of the year holds two due times, so that the rule counts snapshots."""
    end = -1
    for due in _dues(cadence, zone, 32).times:
        if due < end:
            return False
        end = period_span(period, due, zone)[1]
    return True


@lru_cache(maxsize=256)
def _firsts(
    cadence: Cadence, zone: ZoneInfo, period: Period, days: int, count: int
) -> tuple[int, ...]:
    """Return the first due time of each non-empty period, ascending, by its position.

    One from before the due times is known by its instant below zero; at least `count` of those are
    before the year.
    """
    dues = _dues(cadence, zone, days)
    times = dues.times
    found: list[int] = []
    due = cadence.latest(times[0], zone)
    for _ in range(count + 1):
        begin, _ = period_span(period, due, zone)
        first = cadence.following(begin - 1, zone)
        found.append(-first if first < times[0] else 0)
        due = cadence.latest(begin - 1, zone)
    found.reverse()
    position = dues.position(period_span(period, times[0], zone)[1])
    calm = end = -1
    while position < len(times):
        found.append(position)
        due = times[position]
        if period is Period.HOURLY and due < calm:
            end += (due - end) // HOUR * HOUR + HOUR
        else:
            _, end = period_span(period, due, zone)
            calm = same_offset_until(due, due + DAY, zone) - HOUR
        position = bisect_left(times, end, position + 1)
    return tuple(found)


def _counted(ground: _Ground) -> Span:
    """Add up the stretch and what stands beside it, at each due time of the year."""
    dues = ground.dues
    size, first = len(dues.times), dues.first
    lengths = _lengths(dues, ground.count, ground.younger)
    changes = [0] * (size + 1)
    for key, dropped in _standing(ground).items():
        leaves = max(0, key + lengths[-1]) if dues.even or key < 0 else _leaves(ground, key)
        if leaves < dropped:
            changes[leaves] += 1
            changes[dropped] -= 1
    beside = list(accumulate(changes))[first:size]
    held = list(map(add, beside, lengths[first:]))
    return Span(min(held), max(held))


@lru_cache(maxsize=256)
def _lengths(dues: _Dues, count: int, younger: Seconds) -> Sequence[int]:
    """Return how many of the newest stay together at each due time."""
    times = dues.times
    if dues.even:
        border = bisect_left(times, times[-1] - HOUR)
        if younger:
            border = min(border, bisect_right(times, times[-1] - younger))
        return [max(count, len(times) - border)] * len(times)
    found: list[int] = []
    hour = old = 0
    for n, due in enumerate(times):
        while times[hour] < due - HOUR:
            hour += 1
        if younger:
            while times[old] <= due - younger:
                old += 1
        oldest = min(hour, old) if younger else hour
        found.append(max(count, n - oldest + 1))
    return found


def _leaves(ground: _Ground, position: int) -> int:
    """Return at which position a snapshot is no longer among the newest."""
    dues = ground.dues
    due = dues.times[position]
    gone = max(position + ground.count, bisect_right(dues.times, due + HOUR))
    return max(gone, dues.position(due + ground.younger)) if ground.younger else gone


def _standing(ground: _Ground) -> dict[int, int]:
    """Return for each snapshot that stands for a period at which position the last rule drops it.

    With it those made immutable as the first of a period, to the pass at which that has ended.
    """
    found: dict[int, int] = {}
    size = len(ground.dues.times)
    for period, count in ground.keep.periods:
        firsts = ground.firsts(period, count)
        begun = [*firsts[count:], *[size] * min(count, len(firsts))]
        for key, dropped in zip(_stand(ground, firsts), begun, strict=False):
            if dropped > found.get(key, 0):
                found[key] = dropped
    for key, ended in _pinned_firsts(ground):
        if ended > found.get(key, 0):
            found[key] = ended
    return found


def _stand(ground: _Ground, firsts: Sequence[int]) -> Sequence[int]:
    """Return who stands for each period: its first, or its last but for the period now running."""
    if ground.rules.pick is Pick.EARLIEST:
        return firsts
    times, zone = ground.dues.times, ground.rules.zone
    lasts = []
    for key in firsts[1:]:
        if key > 0:
            lasts.append(key - 1)
        else:
            lasts.append(-ground.cadence.latest((-key if key else times[0]) - 1, zone))
    return lasts


def _pinned_firsts(ground: _Ground) -> Iterator[tuple[int, int]]:
    """Yield what `immutable: {of}` pins in reach of the year: position, position of the end."""
    rules, dues = ground.rules, ground.dues
    if rules.immutable_of is None or not rules.immutable_days:
        return
    for position in ground.firsts(rules.immutable_of, 1):
        if position >= 0:
            yield position, dues.position(dues.times[position] + rules.immutable_days * DAY)


def _immutable(ground: _Ground) -> Span:
    """Count the immutable ones at each due time of the year."""
    rules, dues = ground.rules, ground.dues
    if not rules.immutable_days:
        return Span(0, 0)
    if rules.immutable_of is None:
        days = rules.immutable_days * DAY
        young = [
            n - bisect_right(dues.times, dues.times[n] - days, 0, n + 1) + 1
            for n in range(dues.first, dues.first + 1 if dues.even else len(dues.times))
        ]
        return Span(min(young), max(young))
    changes = [0] * (len(dues.times) + 1)
    for position, ended in _pinned_firsts(ground):
        changes[position] += 1
        changes[ended] -= 1
    pinned = list(accumulate(changes))[dues.first : len(dues.times)]
    return Span(min(pinned), max(pinned))


def immutable_at_once(rules: Rules) -> Span:
    """Return how many are immutable right after a pass of the year, whatever `keep` says."""
    found = steady(replace(rules, keep=Keep(last=1), min_keep=1))
    return found.immutable if found is not None else Span(0, 0)


@lru_cache(maxsize=256)
def reached(rules: Rules, number: int, begun: Instant) -> Instant | None:
    """Return when a target begun empty holds so many, None where a year is not enough."""
    for one in run(rules, now=begun, until=begun + _YEAR):
        if one.held >= number:
            return one.now
    return None


def counted_off(cadence: Cadence, zone: ZoneInfo, number: int, begun: Instant) -> Instant:
    """Return the due time by which so many have come since `begun`, itself not counted."""
    return next(islice(cadence.after(begun, zone), max(0, number - 1), None))
