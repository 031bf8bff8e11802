"""Lengths of time as a policy writes them (`90m`, `4h`, `14d`, `2w`) and as a person reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model import Seconds

MINUTE: Seconds = 60
HOUR: Seconds = 3_600
DAY: Seconds = 86_400
WEEK: Seconds = 604_800

_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_WRITTEN = re.compile(r"([1-9][0-9]{0,5})([mhdw])")
_LONGEST: Seconds = 36_525 * DAY


def parse(text: str) -> Seconds:
    """Read `<n>(m|h|d|w)`, n at least 1, as seconds.

    Months and years are refused, having no fixed length; so is more than a hundred years.
    Raises ValueError with a sentence for the person who wrote it.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(
            f"`{text}` is not a duration; write a whole number from 1 and one of m (minutes), "
            "h, d, w, such as 90m, 4h or 14d"
        )
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > _LONGEST:
        raise ValueError(f"`{text}` is longer than a hundred years")
    return seconds


def render(seconds: Seconds) -> str:
    """Write a length the way a policy does, in the largest unit up to days that fits exactly."""
    for unit, letter in ((DAY, "d"), (HOUR, "h")):
        if seconds % unit == 0:
            return f"{seconds // unit}{letter}"
    return f"{seconds // MINUTE}m"


def spoken(seconds: float) -> str:
    """Write a length for reading, rounded down to the two largest units: `2 h 5 min`, `3 d`."""
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    large, small = ((DAY, "d"), (HOUR, "h")) if whole >= DAY else ((HOUR, "h"), (MINUTE, "min"))
    rest = whole % large[0] // small[0]
    head = f"{whole // large[0]} {large[1]}"
    return f"{head} {rest} {small[1]}" if rest else head
