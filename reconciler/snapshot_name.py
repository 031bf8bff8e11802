"""DSM's names of share snapshots, which are their times: `GMT+01-2026.11.23-12.00.01`.

The wall clock at the NAS plus that moment's offset from UTC; the sign is ISO's (instant = local -
offset). A second form without offset exists (`GMT-2026.05.24-02.00.01`) and is read as UTC. The
spelling of half-hour offsets was never observed, so every plausible one is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model import NameForm

if TYPE_CHECKING:
    from reconciler.model import Instant, Seconds

_NAME = re.compile(
    r"GMT(?:([+-])([0-9]{2})(?:[.:]?([0-9]{2}))?)?"
    r"-([0-9]{4})\.([0-9]{2})\.([0-9]{2})-([0-9]{2})\.([0-9]{2})\.([0-9]{2})"
)
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
EARLIEST, LATEST = 0, 253_339_228_799
"""The first and last instant that anything on a NAS can state: 1970 to 9997, UTC."""

_MONTHS, _HOURS, _MINUTES, _SECONDS = 12, 24, 60, 60
_WIDEST_OFFSET: Seconds = 18 * 3600
"""No zone is farther than 14 h; ISO-8601 libraries read up to 18."""

_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_FEBRUARY = 2
_EPOCH = 719_162
"""Days from 0001-01-01 to 1970-01-01."""


class Named(NamedTuple):
    """A name that was read: its instant, its form, and the offset it states (None when bare).

    A tuple, as a million of them are made in one run and a frozen class takes twice as long.
    """

    time: Instant
    form: NameForm
    offset: Seconds | None


def parse(name: str) -> Named | None:
    """Read a name as an instant; None for anything that is no name of DSM's or no real time.

    Years from 1970 to 9998; a leap second is no time that DSM writes.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    sign, offset_hours, offset_minutes, *rest = found.groups()
    local = _local(*map(int, rest))
    if local is None:
        return None
    if sign is None:
        return Named(local, NameForm.BARE, None)
    minutes = int(offset_minutes or 0)
    offset = int(offset_hours) * 3600 + minutes * 60
    if minutes >= _MINUTES or offset > _WIDEST_OFFSET:
        return None
    signed = offset if sign == "+" else -offset
    return Named(local - signed, NameForm.OFFSET, signed)


def _local(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    """Return a wall-clock time as seconds since 1970-01-01T00:00, None for one that is none.

    Plain arithmetic of the Gregorian calendar, several times as fast as the standard library's.
    """
    if not (_FIRST_YEAR <= year <= _LAST_YEAR and 1 <= month <= _MONTHS):
        return None
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = _MONTH_DAYS[month - 1] + (leap and month == _FEBRUARY)
    if not (1 <= day <= longest and hour < _HOURS and minute < _MINUTES and second < _SECONDS):
        return None
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - _EPOCH
    days += _BEFORE_MONTH[month - 1] + (leap and month > _FEBRUARY) + day - 1
    return ((days * _HOURS + hour) * _MINUTES + minute) * _SECONDS + second
