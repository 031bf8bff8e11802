"""A second, deliberately naive implementation of `keep`, written from the policy language alone.

It is slow and obvious on purpose and shares nothing with the product: aware datetimes instead of
instants, explicit calendar keys instead of borders, restic's loop word for word, and lists of due
times that are counted instead of computed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

Key: TypeAlias = tuple[object, ...]
Rules: TypeAlias = dict[int, set[str]]

ALL = -1  # restic's own sign for "no limit"


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
        for rule in left:
            if left[rule] == 0:
                continue
            key = KEYS[rule](moments[position])
            if key not in seen[rule] or position == 0:
                kept.setdefault(position, set()).add(rule)
                seen[rule].add(key)
                if left[rule] > 0:
                    left[rule] -= 1
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


def most_due_times(dues: Sequence[datetime], span: timedelta) -> int:
    """Count the due times of every span that begins at one of them, and return the most."""
    best = 0
    for index, start in enumerate(dues):
        count = 0
        for due in dues[index:]:
            if due - start >= span:
                break
            count += 1
        best = max(best, count)
    return best


def longest_gap(dues: Sequence[datetime]) -> timedelta:
    """Return the longest time between one due time and the next."""
    gap = timedelta()
    for before, after in zip(dues, dues[1:], strict=False):
        gap = max(gap, after - before)
    return gap


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


# --- due times, minute by minute -------------------------------------------------------------


def wall_minutes(start: datetime, end: datetime, zone: ZoneInfo) -> Iterable[datetime]:
    """Yield every minute of real time from `start` to before `end` (UTC) as the wall shows it."""
    moment = start
    while moment < end:
        yield moment.astimezone(zone)
        moment += timedelta(minutes=1)


def due_every(start: datetime, end: datetime, zone: ZoneInfo, minutes: int) -> list[datetime]:
    """Return the due times of `every` under a day: by the wall, and once after a skipped one."""
    found = []
    before = (start - timedelta(minutes=1)).astimezone(zone)
    for wall in wall_minutes(start, end, zone):
        due = (wall.hour * 60 + wall.minute) % minutes == 0
        for skipped in _skipped_minutes(before, wall):
            due = due or (skipped.hour * 60 + skipped.minute) % minutes == 0
        if due:
            found.append(wall.astimezone(UTC))
        before = wall
    return found


def _skipped_minutes(before: datetime, wall: datetime) -> list[datetime]:
    """Return the naive minutes that the clock jumped over between two minutes of real time."""
    found = []
    skipped = before.replace(tzinfo=None) + timedelta(minutes=1)
    while skipped < wall.replace(tzinfo=None):
        found.append(skipped)
        skipped += timedelta(minutes=1)
    return found


def due_days(  # noqa: PLR0913  the six figures of one cadence
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    *,
    step: int,
    anchor: date,
    clock: tuple[int, int] = (0, 0),
) -> list[datetime]:
    """Return the due times of `every` in whole days, at a time of day, first pass, after a gap."""
    found: dict[date, datetime] = {}
    before = (start - timedelta(minutes=1)).astimezone(zone)
    for wall in wall_minutes(start, end, zone):
        shown = [*_skipped_minutes(before, wall), wall.replace(tzinfo=None)]
        for naive in shown:
            counted = (naive.date() - anchor).days % step == 0
            if counted and (naive.hour, naive.minute) == clock and naive.date() not in found:
                found[naive.date()] = wall.astimezone(UTC)
        before = wall
    return sorted(found.values())
