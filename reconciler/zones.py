"""Time zones: names to zones, and wall clocks to instants across changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from reconciler.duration import DAY

if TYPE_CHECKING:
    from reconciler.model import Instant, Seconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_ZONES = ("localtime", "posixrules", "posix/", "right/")  # `right/` counts leap seconds


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name; raise ValueError with a sentence for the user."""
    try:
        if not name or name.startswith(_NO_ZONES):
            raise ValueError(name)  # noqa: TRY301  one sentence for every unusable name
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        names = available_timezones()
        folded = {known.casefold(): known for known in names}
        near = folded.get(name.casefold()) or next(
            iter(get_close_matches(name, sorted(names), n=1, cutoff=0.6)), None
        )
        hint = f"; did you mean `{near}`?" if near else ", such as Europe/Zurich"
        raise ValueError(f"`{name[:80]}` is no IANA time zone{hint}") from None


def local(instant: Instant, at: ZoneInfo) -> datetime:
    """Return the wall clock of an instant in a zone, aware, `fold` set in a repeated hour."""
    return datetime.fromtimestamp(instant, at)


def offset(instant: Instant, at: ZoneInfo) -> Seconds:
    """Return the zone's offset from UTC at an instant."""
    shift = local(instant, at).utcoffset()
    return int(shift.total_seconds()) if shift is not None else 0


def shown(wall: datetime, at: ZoneInfo) -> tuple[Instant, ...]:
    """Return every instant at which a zone's clock shows the naive time `wall`, ascending.

    Two in a repeated hour, none in a skipped one.
    """
    first, second = _both(wall, at)
    if first == second:
        return (first,)
    return (first, second) if first < second else ()


def instants(wall: datetime, at: ZoneInfo) -> tuple[Instant, ...]:
    """Return what `shown` does, and in a skipped hour the one instant right after the gap.

    So the policy language reads a due time.
    """
    first, second = _both(wall, at)
    return shown(wall, at) if first <= second else (_change_between(second, first, at),)


def first_instant(wall: datetime, at: ZoneInfo) -> Instant:
    """Return the first instant of a naive wall time: first pass, or right after a gap."""
    return instants(wall, at)[0]


@lru_cache(maxsize=65_536)
def day_start(day: date, at: ZoneInfo) -> Instant:
    """Return the first instant of a calendar day, also where midnight is skipped."""
    return first_instant(datetime(day.year, day.month, day.day), at)  # noqa: DTZ001  a wall clock


@lru_cache(maxsize=4096)
def turns_back_a_date(year: int, at: ZoneInfo) -> bool:
    """Return whether the zone's clock goes back over midnight in a UTC year.

    A date then comes twice, with minutes of the next one in between, as in America/St_Johns until
    2010: the day is no longer one stretch of time.
    """
    start = _instant(datetime(year, 1, 1, tzinfo=UTC))
    for before in range(start, start + 367 * DAY, DAY):
        after = before + DAY
        if offset(after, at) < offset(before, at):
            change = _change_between(before, after, at)
            if local(change, at).date() < local(change - 1, at).date():
                return True
    return False


def _both(wall: datetime, at: ZoneInfo) -> tuple[Instant, Instant]:
    """Return the wall time by the offset before a change of the clock and by that after it."""
    return _instant(wall.replace(tzinfo=at, fold=0)), _instant(wall.replace(tzinfo=at, fold=1))


def _instant(moment: datetime) -> Instant:
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(seconds=1)


def _change_between(before: Instant, after: Instant, at: ZoneInfo) -> Instant:
    """Return the first instant in (before, after] with the offset of `after`."""
    shift = offset(after, at)
    low, high = before, after
    while high - low > 1:
        middle = (low + high) // 2
        if offset(middle, at) == shift:
            high = middle
        else:
            low = middle
    return high


def same_offset_since(start: Instant, end: Instant, at: ZoneInfo) -> Instant:
    """Return the first instant from `start` on from which the offset is that of `end`."""
    if offset(start, at) == offset(end, at):
        return start
    return _change_between(start, end, at)


def same_offset_until(start: Instant, end: Instant, at: ZoneInfo) -> Instant:
    """Return `end`, or the first instant after `start` and before it where the offset changes."""
    if offset(start, at) == offset(end - 1, at):
        return end
    return _change_between(start, end - 1, at)
