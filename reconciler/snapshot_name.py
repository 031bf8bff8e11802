"""DSM's names of share snapshots, which are their times: `GMT+01-2026.11.23-12.00.01`.

The wall clock at the NAS plus that moment's offset from UTC; the sign is ISO's (instant = local -
offset). A second form without offset exists (`GMT-2026.05.24-02.00.01`) and is read as UTC. The
spelling of half-hour offsets was never observed, so every plausible one is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from reconciler.model import NameForm

if TYPE_CHECKING:
    from reconciler.model import Instant, Seconds

_NAME = re.compile(
    r"GMT(?:([+-])(\d{2})(?:[.:]?(\d{2}))?)?-(\d{4})\.(\d{2})\.(\d{2})-(\d{2})\.(\d{2})\.(\d{2})",
    re.ASCII,
)
_EPOCH = date(1970, 1, 1).toordinal()
_LAST_YEAR = 9998
_MINUTES = 60
_WIDEST_OFFSET: Seconds = 18 * 3600


@dataclass(frozen=True, slots=True)
class Named:
    """A name that was read: its instant, its form, and the offset it states (0 when bare)."""

    time: Instant
    form: NameForm
    offset: Seconds


def parse(name: str) -> Named | None:
    """Read a name as an instant; None for anything that is no name of DSM's or no real time."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    sign, offset_hours, offset_minutes = found.group(1, 2, 3)
    year, month, day, hour, minute, second = map(int, found.groups()[3:])
    if not (1970 <= year <= _LAST_YEAR and hour < 24 and minute < _MINUTES and second < _MINUTES):  # noqa: PLR2004
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None
    local = days * 86_400 + hour * 3600 + minute * 60 + second
    if sign is None:
        return Named(local, NameForm.BARE, 0)
    minutes = int(offset_minutes or 0)
    offset = int(offset_hours) * 3600 + minutes * 60
    if minutes >= _MINUTES or offset > _WIDEST_OFFSET:
        return None
    signed = offset if sign == "+" else -offset
    return Named(local - signed, NameForm.OFFSET, signed)
