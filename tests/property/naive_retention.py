"""A second, deliberately naive implementation of `keep`, written from the policy language alone.

It is slow and obvious on purpose and shares nothing with the product: aware datetimes instead of
instants, explicit calendar keys instead of borders, restic's loop word for word, and lists of due
times that are counted instead of computed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from reconciler.retention import Reason

Key: TypeAlias = tuple[object, ...]
Rules: TypeAlias = dict[int, set[str]]

ALL = -1  # restic's own sign for "no limit"
_MINUTE = timedelta(minutes=1)


def hour_key(moment: datetime) -> Key:
    """Return (date, hour, UTC offset): each pass of a repeated hour is an hour of its own."""
    return (moment.date(), moment.hour, moment.utcoffset())


def day_key(moment: datetime) -> Key:
    """Return the local date."""
    return (moment.date(),)


def week_key(moment: datetime) -> Key:
    """Return the ISO year and week."""
    year, week, _ = moment.isocalendar()
    return (year, week)


def month_key(moment: datetime) -> Key:
    """Return year and month."""
    return (moment.year, moment.month)


def quarter_key(moment: datetime) -> Key:
    """Return year and quarter."""
    quarter = {1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2, 7: 3, 8: 3, 9: 3, 10: 4, 11: 4, 12: 4}
    return (moment.year, quarter[moment.month])


def year_key(moment: datetime) -> Key:
    """Return the year."""
    return (moment.year,)


KEYS: dict[str, Callable[[datetime], Key]] = {
    "hourly": hour_key,
    "daily": day_key,
    "weekly": week_key,
    "monthly": month_key,
    "quarterly": quarter_key,
    "yearly": year_key,
}


def keep_earliest(moments: Sequence[datetime], counts: Mapping[str, int]) -> Rules:
    """Keep the first snapshot of each of the N most recent non-empty periods of each rule."""
    kept: Rules = {}
    for rule, count in counts.items():
        if rule == "last":
            _note_newest(kept, moments, count)
            continue
        groups: dict[Key, list[int]] = {}
        for position, moment in enumerate(moments):
            groups.setdefault(KEYS[rule](moment), []).append(position)
        recent = sorted(groups.values(), key=max, reverse=True)
        for members in recent if count == ALL else recent[:count]:
            kept.setdefault(min(members), set()).add(rule)
    return kept


def keep_latest(moments: Sequence[datetime], counts: Mapping[str, int]) -> Rules:
    """Keep the last snapshot of each of those periods, and the oldest where a count is left.

    restic's loop, but that a period once seen is not counted again when the clock comes back to
    it (restic compares with the period before alone).
    """
    kept: Rules = {}
    left = {rule: count for rule, count in counts.items() if rule != "last"}
    seen: dict[str, set[Key]] = {rule: set() for rule in left}
    for position in reversed(range(len(moments))):
        for rule, count in left.items():
            key = KEYS[rule](moments[position])
            if count != 0 and (key not in seen[rule] or position == 0):
                kept.setdefault(position, set()).add(rule)
                seen[rule].add(key)
                left[rule] = count if count == ALL else count - 1
    _note_newest(kept, moments, counts.get("last", 0))
    return kept


def _note_newest(kept: Rules, moments: Sequence[datetime], count: int) -> None:
    newest_first = list(reversed(range(len(moments))))
    for position in newest_first if count == ALL else newest_first[:count]:
        kept.setdefault(position, set()).add("last")


@dataclass
class _Bucket:
    count: int
    bucker: Callable[[datetime, int], int]
    rule: str
    last: int = field(default=-1)


def _ymd(moment: datetime) -> int:
    return moment.year * 10_000 + moment.month * 100 + moment.day


def _year_week(moment: datetime) -> int:
    year, week, _ = moment.isocalendar()
    return year * 100 + week


def restic_forget(moments: Sequence[datetime], counts: Mapping[str, int]) -> Rules:
    """Keep what restic's ApplyPolicy keeps: its buckets, its loop, newest to oldest."""
    buckets = [
        _Bucket(counts.get("last", 0), lambda _, nr: nr, "last"),
        _Bucket(counts.get("hourly", 0), lambda m, _: _ymd(m) * 100 + m.hour, "hourly"),
        _Bucket(counts.get("daily", 0), lambda m, _: _ymd(m), "daily"),
        _Bucket(counts.get("weekly", 0), lambda m, _: _year_week(m), "weekly"),
        _Bucket(counts.get("monthly", 0), lambda m, _: m.year * 100 + m.month, "monthly"),
        _Bucket(counts.get("yearly", 0), lambda m, _: m.year, "yearly"),
    ]
    kept: Rules = {}
    newest_first = list(reversed(list(enumerate(moments))))
    for nr, (position, moment) in enumerate(newest_first):
        for bucket in buckets:
            if bucket.count > 0 or bucket.count == ALL:
                value = bucket.bucker(moment, nr)
                if value != bucket.last or nr == len(newest_first) - 1:
                    kept.setdefault(position, set()).add(bucket.rule)
                    bucket.last = value
                    if bucket.count > 0:
                        bucket.count -= 1
    return kept


def keep_within(moments: Sequence[datetime], span: timedelta, at_least: int) -> set[int]:
    """Keep what is strictly younger than the span, from the newest, and at least so many."""
    kept = set()
    for position, moment in enumerate(moments):
        age = moments[-1].astimezone(UTC) - moment.astimezone(UTC)
        newer = len(moments) - 1 - position
        if age < span or newer < at_least:
            kept.add(position)
    return kept


def most_due_times(dues: Sequence[int], span: int) -> int:
    """Count the due times of every span that begins at one of them, and return the most."""
    best = end = 0
    for index, start in enumerate(dues):
        while end < len(dues) and dues[end] < start + span:
            end += 1
        best = max(best, end - index)
    return best


def select(
    moments: Sequence[datetime],
    counts: Mapping[str, int],
    *,
    latest: bool = False,
    within: timedelta | None = None,
    at_least: int = 0,
) -> Rules:
    """Return which positions are kept, and by which rules; `moments` ascend and are aware."""
    kept = keep_latest(moments, counts) if latest else keep_earliest(moments, counts)
    if within is not None:
        for position in keep_within(moments, within, at_least):
            kept.setdefault(position, set()).add("within")
    return kept


def kept_rules(found: Mapping[int, Iterable[Reason]]) -> Rules:
    """Return the product's answer in the same form, and fail where a rule is named twice."""
    rules: Rules = {}
    for position, reasons in found.items():
        names = [reason.rule for reason in reasons]
        assert len(names) == len(set(names)), f"one rule twice for {position}: {names}"
        rules[position] = set(names)
    return rules


# Due times, minute by minute of real time.


@lru_cache(maxsize=64)
def changes_of_clock(zone: ZoneInfo) -> tuple[int, ...]:
    """Return the instants from 2005 to 2030 at which the zone's offset changes."""
    found = []
    for hour in range(1_104_537_600, 1_893_456_000, 3_600):
        before, after = (datetime.fromtimestamp(t, zone).utcoffset() for t in (hour, hour + 3_600))
        if before != after:
            inside = (hour + s for s in range(60, 3_601, 60))
            found.append(
                next(t for t in inside if datetime.fromtimestamp(t, zone).utcoffset() == after)
            )
    return tuple(found)


def naive_wall(instant: int, zone: ZoneInfo) -> datetime:
    """Return what the clock on the wall shows."""
    return datetime.fromtimestamp(instant, zone).replace(tzinfo=None)


def skipped_walls(instant: int, zone: ZoneInfo) -> list[datetime]:
    """Return the minutes that the clock jumped over right before this minute."""
    wall = naive_wall(instant, zone)
    skipped = naive_wall(instant - 60, zone) + _MINUTE
    found = []
    while skipped < wall:
        found.append(skipped)
        skipped += _MINUTE
    return found


def due_every(minutes: int, start: int, end: int, zone: ZoneInfo) -> list[int]:
    """Return the due times of `every` under a day: by the wall, and once after a skipped one."""
    found = []
    for instant in range(start, end, 60):
        walls = [*skipped_walls(instant, zone), naive_wall(instant, zone)]
        if any((wall.hour * 60 + wall.minute) % minutes == 0 for wall in walls):
            found.append(instant)
    return found


def due_days(
    days: int, anchor: date, clock: tuple[int, int], span: tuple[int, int], zone: ZoneInfo
) -> list[int]:
    """Return the due times of `every` in whole days: first pass of the clock, or after a gap."""
    found: dict[date, int] = {}
    for instant in range(*span, 60):
        for wall in [*skipped_walls(instant, zone), naive_wall(instant, zone)]:
            counted = (wall.date() - anchor).days % days == 0
            if counted and (wall.hour, wall.minute) == clock:
                found.setdefault(wall.date(), instant)
    return sorted(set(found.values()))


def day_begins(days: int, anchor: date, span: tuple[int, int], zone: ZoneInfo) -> list[int]:
    """Return the first minute that shows each counted date, or that follows a skipped one."""
    found: dict[date, int] = {}
    for instant in range(*span, 60):
        for wall in [*skipped_walls(instant, zone), naive_wall(instant, zone)]:
            if (wall.date() - anchor).days % days == 0:
                found.setdefault(wall.date(), instant)
    return sorted(set(found.values()))


def field_values(text: str, lowest: int, highest: int) -> set[int]:
    """Return the values of one cron field: a list of `*`, `n` and `n-m`, with or without `/s`."""
    found: set[int] = set()
    for term in text.split(","):
        base, _, step = term.partition("/")
        first, _, last = base.partition("-")
        low = lowest if base == "*" else int(first)
        high = highest if base == "*" or (step and not last) else int(last or first)
        found.update(range(low, high + 1, int(step or 1)))
    return found


def cron_day(text: str, day: date) -> bool:
    """Say whether cron's day, month and weekday fields name a date (Debian: AND with a star)."""
    _, _, in_month, months, in_week = text.split()
    by_month = day.day in field_values(in_month, 1, 31)
    by_week = day.isoweekday() % 7 in {n % 7 for n in field_values(in_week, 0, 7)}
    both = in_month.startswith("*") or in_week.startswith("*")
    named = (by_month and by_week) if both else (by_month or by_week)
    return named and day.month in field_values(months, 1, 12)


def cron_minutes(text: str) -> list[int]:
    """Return the minutes of the day that cron's minute and hour fields name."""
    minutes, hours = text.split()[:2]
    return sorted(
        hour * 60 + minute
        for hour in field_values(hours, 0, 23)
        for minute in field_values(minutes, 0, 59)
    )


def due_cron(text: str, start: int, end: int, zone: ZoneInfo) -> list[int]:
    """Return the due times as Debian's cron runs them, with its virtual clock.

    Wildcard entries follow the clock. The others run for each minute that the clock reaches for
    the first time; those of skipped minutes run right after the gap.
    """
    wildcard = any(part.startswith("*") for part in text.split()[:2])
    named = set(cron_minutes(text))
    days: dict[date, bool] = {}

    def matches(wall: datetime) -> bool:
        if wall.hour * 60 + wall.minute not in named:
            return False
        if wall.date() not in days:
            days[wall.date()] = cron_day(text, wall.date())
        return days[wall.date()]

    found = []
    reached = max(naive_wall(instant, zone) for instant in range(start - 10_800, start, 60))
    for instant in range(start, end, 60):
        wall = naive_wall(instant, zone)
        fresh = [w for w in [*skipped_walls(instant, zone), wall] if w > reached]
        if any(matches(w) for w in ([wall] if wildcard else fresh)):
            found.append(instant)
        reached = max(reached, wall)
    return found
