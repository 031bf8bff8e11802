"""Calendar periods and cadences: which hour, day or month an instant falls in, and when it is due.

Periods are cut in a policy's zone. A cadence knows no zone; it is asked with one. Rules and their
edge cases are those of the policy language (policies/README.md, `every`, `at` and `cron`).
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from reconciler import duration
from reconciler.zones import (
    day_start,
    instants,
    local,
    offset,
    same_offset_since,
    same_offset_until,
    shown,
    turns_back_a_date,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

    from cronsim import CronSim

    from reconciler.model import Instant, Seconds

_ONE_DAY = timedelta(days=1)
_EPOCH_DAY = date(1970, 1, 1)
_EPOCH_MONDAY = date(1970, 1, 5)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIVE_FIELDS = 5
_ONE_STEP = re.compile(r"(?<![\w-])([0-9]{1,4})-([0-9]{1,4})/[0-9]{1,4}(?!\w)")
_CYCLE_START = date(2001, 1, 1)
_CYCLE_DAYS = 10_227  # 28 years: weekdays, months and leap days repeat


class Period(StrEnum):
    """A calendar period of a `keep` rule."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


_FIRST_DAY: dict[Period, Callable[[date], date]] = {
    Period.DAILY: lambda day: day,
    Period.WEEKLY: lambda day: day - timedelta(days=day.weekday()),
    Period.MONTHLY: lambda day: day.replace(day=1),
    Period.QUARTERLY: lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
    Period.YEARLY: lambda day: day.replace(month=1, day=1),
}


def period_start(period: Period, instant: Instant, at: ZoneInfo) -> Instant:
    """Return the first instant of the period that holds `instant`.

    An hour is (date, hour, UTC offset), so a repeated hour is two periods; weeks are ISO weeks.
    """
    moment = local(instant, at)
    if period is Period.HOURLY:
        full_hour = instant - moment.minute * 60 - moment.second
        return same_offset_since(full_hour, instant, at)
    return day_start(_FIRST_DAY[period](moment.date()), at)


def period_span(period: Period, instant: Instant, at: ZoneInfo) -> tuple[Instant, Instant]:
    """Return the first instant of the period that holds `instant`, and an end to count on.

    Every instant from `instant` to before that end is of the same period. It is the period's own
    end, but where a clock change cuts an hour, or brings a date twice.
    """
    moment = local(instant, at)
    if period is Period.HOURLY:
        begin = instant - moment.minute * 60 - moment.second
        end = begin + duration.HOUR
        if offset(begin, at) == offset(end - 1, at):
            return begin, end
        return same_offset_since(begin, instant, at), same_offset_until(instant, end, at)
    first = _FIRST_DAY[period]
    day = first(moment.date())
    if turns_back_a_date(moment.year, at):
        return day_start(day, at), instant + 1
    return day_start(day, at), day_start(first(day + _LONGEST[period]), at)


_LONGEST = {
    Period.DAILY: timedelta(days=1),
    Period.WEEKLY: timedelta(days=7),
    Period.MONTHLY: timedelta(days=31),
    Period.QUARTERLY: timedelta(days=92),
    Period.YEARLY: timedelta(days=366),
}
"""So many days after a period's first one lies a day of the next, and of no later one."""


class Cadence(ABC):
    """When something is due. `written` is the policy's own text."""

    written: str

    @property
    @abstractmethod
    def longest_gap(self) -> Seconds:
        """The longest time between two due times, changes of the clock left out."""

    @abstractmethod
    def most_in(self, span: Seconds) -> int:
        """Return the most due times that any half-open span holds, clock changes left out."""

    @abstractmethod
    def times_on(self, day: date, at: ZoneInfo) -> tuple[Instant, ...]:
        """Every due time that belongs to a local date, ascending and without repeats."""

    @abstractmethod
    def matching_day(self, day: date, step: int) -> date:
        """Return the nearest date with due times, `day` itself included; `step` is 1 or -1."""

    def latest(self, now: Instant, at: ZoneInfo) -> Instant:
        """Return the latest due time not after `now`."""
        day = local(now, at).date() + _ONE_DAY
        while True:
            day = self.matching_day(day, -1)
            past = [due for due in self.times_on(day, at) if due <= now]
            if past:
                return max(past[-1], self._second_pass(day - _ONE_DAY, now, at))
            day -= _ONE_DAY

    def following(self, instant: Instant, at: ZoneInfo) -> Instant:
        """Return the first due time after `instant`."""
        return next(self.after(instant, at))

    def after(self, instant: Instant, at: ZoneInfo) -> Iterator[Instant]:
        """Yield the due times after `instant`, ascending, without end."""
        day = local(instant, at).date() - _ONE_DAY
        later: list[Instant] = []
        while True:
            day = self.matching_day(day, 1)
            found = sorted({*later, *(due for due in self.times_on(day, at) if due > instant)})
            day += _ONE_DAY
            border = day_start(day, at)
            later = [due for due in found if due >= border]
            yield from found[: len(found) - len(later)]

    def _second_pass(self, day: date, now: Instant, at: ZoneInfo) -> Instant:
        """Return the day's last due time not after `now`; one of a clock gone back over midnight.

        Only then can it lie behind the next date's first due times; without one, the epoch.
        """
        if self.matching_day(day, -1) != day:
            return 0
        return max((due for due in self.times_on(day, at) if due <= now), default=0)


@dataclass(frozen=True, slots=True)
class Every(Cadence):
    """A regular cadence: `seconds` under a day, or every `days` days counted from `anchor`.

    `minute` is the minute of the day it is due; `shift` the days from the counted day (weekdays).
    """

    written: str
    seconds: Seconds = 0
    days: int = 0
    anchor: date = _EPOCH_DAY
    shift: int = 0
    minute: int | None = None

    @property
    def interval(self) -> Seconds:
        """The regular distance between two due times."""
        return self.seconds or self.days * duration.DAY

    @property
    def longest_gap(self) -> Seconds:
        """The interval itself."""
        return self.interval

    def most_in(self, span: Seconds) -> int:
        """Return the number of intervals that begin in the span, the last one counted whole."""
        return math.ceil(span / self.interval)

    def matching_day(self, day: date, step: int) -> date:
        """Step to the next counted day; under a day every date counts."""
        if self.seconds:
            return day
        beyond = (day - self.anchor).days - self.shift
        off = beyond % self.days
        if off == 0:
            return day
        return day - timedelta(days=off) if step < 0 else day + timedelta(days=self.days - off)

    def times_on(self, day: date, at: ZoneInfo) -> tuple[Instant, ...]:
        """Return the multiples from midnight, or the one time of a counted day."""
        if self.seconds:
            return _multiples(day, self.seconds, at)
        if self.minute is None:
            return (day_start(day, at),)
        return (instants(_wall(day, self.minute), at)[0],)


@dataclass(frozen=True, slots=True)
class Cron(Cadence):
    """Five fields of cron, Sunday 0; in a change of clocks as Debian's cron does."""

    written: str

    @property
    def longest_gap(self) -> Seconds:
        """The longest gap over the 28 years after which weekdays and dates repeat."""
        days, minutes = _pattern(self.written)
        inner = max((b - a for a, b in pairwise(minutes)), default=0)
        wrapped = [*days, days[0] + _CYCLE_DAYS]
        widest = max(b - a for a, b in pairwise(wrapped))
        between = widest * 1440 - (minutes[-1] - minutes[0])
        return max(inner, between) * 60

    def most_in(self, span: Seconds) -> int:
        """Return the fullest span that begins at a due time (no other can hold more)."""
        return _most_in(self.written, span)

    def matching_day(self, day: date, step: int) -> date:
        """Step to the next date that the day, month and weekday fields name."""
        while not _matches(self.written, day):
            day += timedelta(days=step)
        return day

    def times_on(self, day: date, at: ZoneInfo) -> tuple[Instant, ...]:
        """Return the due times of a matching day.

        A fixed time comes once: in the first pass of a repeated hour, right after a gap. With a
        minute or hour that begins with `*` it comes whenever the clock shows it.
        """
        return _cron_times(self.written, day, at) if _matches(self.written, day) else ()


def every(text: str, at: str | None = None) -> Every:
    """Read `every` with an optional `at`.

    Accepts a divisor of 24 h, or whole days or weeks; `at` is `HH:MM`, with weeks also
    `sun HH:MM`, and goes with days and weeks alone. Raises ValueError with a sentence that names
    the nearest cadence.
    """
    seconds = duration.parse(text)
    if seconds < duration.DAY:
        return _under_a_day(text, seconds, at)
    if seconds % duration.DAY:
        down = seconds // duration.DAY
        raise ValueError(
            f"`every: {text}` is neither a divisor of 24 h nor whole days; the nearest are "
            f"{down}d and {down + 1}d"
        )
    days = seconds // duration.DAY
    weeks = text.endswith("w")
    weekday, minute = _read_at(at, weeks=weeks) if at is not None else (0, None)
    return Every(
        written=text if at is None else f"{text} at {at}",
        days=days,
        anchor=_EPOCH_MONDAY if weeks else _EPOCH_DAY,
        shift=weekday,
        minute=minute,
    )


def cron(text: str) -> Cron:
    """Read five cron fields; raise ValueError with a sentence for the user."""
    from cronsim import CronSimError

    parts = text.split()
    if len(parts) != _FIVE_FIELDS:
        raise ValueError(
            f"`{text[:80]}` has {len(parts)} fields; cron has five: minute hour day month weekday"
        )
    written = " ".join(_ONE_STEP.sub(_single, part) for part in parts)
    try:
        days, _ = _pattern(written)
    except (CronSimError, ValueError) as error:
        raise ValueError(
            f"`{text[:80]}` is no cron expression ({str(error).lower() or 'unreadable'}); "
            'write minute hour day month weekday, such as "30 2 * * 1-5"'
        ) from None
    if not days:
        raise ValueError(f"`{text[:80]}` never comes: no month has such a day")
    return Cron(written)


def _single(found: re.Match[str]) -> str:
    """Return `7` for `7-7/2`: cron means 7 alone, where cronsim reads `7/2`, from 7 to the end."""
    return found[1] if int(found[1]) == int(found[2]) else found[0]


def _under_a_day(text: str, seconds: Seconds, at: str | None) -> Every:
    if at is not None:
        raise ValueError(f"`at` goes with whole days or weeks; `every: {text}` is shorter")
    if duration.DAY % seconds:
        minutes = seconds // 60
        divisors = [n for n in range(1, 1441) if 1440 % n == 0]
        below = max(n for n in divisors if n < minutes)
        above = min(n for n in divisors if n > minutes)
        near = " and ".join(_clock_length(n) for n in (below, above))
        raise ValueError(f"`every: {text}` does not divide 24 h; the nearest that do are {near}")
    return Every(written=text, seconds=seconds)


def _clock_length(minutes: int) -> str:
    return duration.render(minutes * 60)


def _read_at(text: str, *, weeks: bool) -> tuple[int, int]:
    """Return (weekday from Monday 0, minute of the day)."""
    day, _, clock = text.rpartition(" ")
    hours, colon, minutes = clock.partition(":")
    readable = colon and len(minutes) == 2 and 1 <= len(hours) <= 2  # noqa: PLR2004  HH:MM
    if not (readable and clock.replace(":", "").isascii() and (hours + minutes).isdigit()):
        raise ValueError(f"`at: {text[:40]}` is no time of day; write HH:MM" + _week_hint(weeks))
    if int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004  the clock's own limits
        raise ValueError(f"`at: {text[:40]}` is past 23:59")
    if day and not weeks:
        raise ValueError(f"`at: {text[:40]}` names a weekday, which goes with weeks (every: 1w)")
    if day and day.casefold() not in _WEEKDAYS:
        raise ValueError(f"`{day[:20]}` is no weekday; write one of {', '.join(_WEEKDAYS)}")
    weekday = _WEEKDAYS.index(day.casefold()) if day else 0
    return weekday, int(hours) * 60 + int(minutes)


def _week_hint(weeks: bool) -> str:  # noqa: FBT001  a private clause of one message
    return ' or "sun HH:MM"' if weeks else ""


def _wall(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60))


@lru_cache(maxsize=4096)
def _multiples(day: date, seconds: Seconds, at: ZoneInfo) -> tuple[Instant, ...]:
    begin, end = day_start(day, at), day_start(day + _ONE_DAY, at)
    if end - begin == duration.DAY and _unchanged(begin, at):
        return tuple(range(begin, end, seconds))
    found: set[Instant] = set()
    for minute in range(0, 1440, seconds // 60):
        found.update(instants(_wall(day, minute), at))
    return tuple(sorted(found))


def _unchanged(begin: Instant, at: ZoneInfo) -> bool:
    """Whether the clock does not change in the day that begins there, nor by a whole day's turn."""
    hours = range(begin - duration.HOUR, begin + duration.DAY + duration.HOUR, 6 * duration.HOUR)
    return len({offset(instant, at) for instant in hours}) == 1


@lru_cache(maxsize=256)
def _fields(written: str) -> CronSim:
    from cronsim import CronSim

    return CronSim(written, datetime(2001, 1, 1))  # noqa: DTZ001  only the fields are read


def _matches(written: str, day: date) -> bool:
    """Say whether the day, month and weekday fields name a date."""
    fields = _fields(written)
    return day.month in fields.months and fields.match_day(day)


@lru_cache(maxsize=256)
def _pattern(written: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the matching days of the 28-year cycle and the minutes of such a day."""
    fields = _fields(written)
    days = (_CYCLE_START + timedelta(days=n) for n in range(_CYCLE_DAYS))
    matching = tuple(n for n, day in enumerate(days) if _matches(written, day))
    minutes = tuple(sorted(h * 60 + m for h in fields.hours for m in fields.minutes))
    return matching, minutes


@lru_cache(maxsize=256)
def _most_in(written: str, span: Seconds) -> int:
    days, minutes = _pattern(written)
    length = math.ceil(span / 60)
    matching = frozenset(days)
    whole = length // 1440
    best = 0
    seen: set[tuple[int, bool, bool]] = set()
    inside = _prefix_counts(matching)
    for day in days:
        middle = inside(day + 1, day + whole)
        last = (day + whole) % _CYCLE_DAYS in matching
        after = (day + whole + 1) % _CYCLE_DAYS in matching
        if (middle, last, after) not in seen:
            seen.add((middle, last, after))
            shape = (middle, last, after)
            best = max(best, _fullest(minutes, length=length, shape=shape))
    return best


def _prefix_counts(matching: frozenset[int]) -> Callable[[int, int], int]:
    """Return a function that counts the matching days in [from, to) of the endless cycle."""
    sums = [0]
    for n in range(_CYCLE_DAYS):
        sums.append(sums[-1] + (n in matching))

    def before(day: int) -> int:
        return day // _CYCLE_DAYS * sums[-1] + sums[day % _CYCLE_DAYS]

    return lambda start, end: max(0, before(end) - before(start))


def _fullest(minutes: tuple[int, ...], *, length: int, shape: tuple[int, bool, bool]) -> int:
    """Return the most due times in `length` minutes from one of a matching day's due times.

    `shape` is (matching days wholly inside, whether the last touched day matches, and the next).
    """
    from bisect import bisect_left

    middle, last, after = shape
    count = len(minutes)
    best = 0
    for index, start in enumerate(minutes):
        end = start + length % 1440
        if length < 1440:  # noqa: PLR2004  minutes of a day
            first = bisect_left(minutes, end) - index
            rest = bisect_left(minutes, end - 1440) if end > 1440 and after else 0  # noqa: PLR2004
            best = max(best, first + rest)
            continue
        tail = bisect_left(minutes, min(end, 1440)) if last else 0
        beyond = bisect_left(minutes, end - 1440) if end > 1440 and after else 0  # noqa: PLR2004
        best = max(best, count - index + middle * count + tail + beyond)
    return best


@lru_cache(maxsize=4096)
def _cron_times(written: str, day: date, at: ZoneInfo) -> tuple[Instant, ...]:
    _, minutes = _pattern(written)
    by_the_clock = any(field.startswith("*") for field in written.split()[:2])
    found: set[Instant] = set()
    for minute in minutes:
        wall = _wall(day, minute)
        found.update(shown(wall, at) if by_the_clock else instants(wall, at)[:1])
    return tuple(sorted(found))
