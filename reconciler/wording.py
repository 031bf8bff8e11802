"""How times and counts are written for people: with the weekday, in the policy's zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.calendar import Period
from reconciler.zones import local

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from reconciler.model import Instant

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

NOUNS = {
    Period.HOURLY: "hour",
    Period.DAILY: "day",
    Period.WEEKLY: "week",
    Period.MONTHLY: "month",
    Period.QUARTERLY: "quarter",
    Period.YEARLY: "year",
}
"""What a period is called: `the first of each day`."""


def moment(instant: Instant, at: ZoneInfo, *, year: bool = False) -> str:
    """Write an instant as `Sun 15 Nov 12:00`, with `year` as `Sun 15 Nov 2026 12:00`."""
    when = local(instant, at)
    middle = f" {when.year}" if year else ""
    return f"{_DAYS[when.weekday()]} {day_month(when)}{middle} {when:%H:%M}"


def day_month(when: datetime) -> str:
    """Write a date as `15 Nov`."""
    return f"{when.day} {_MONTHS[when.month - 1]}"


def day(instant: Instant, at: ZoneInfo, *, today: Instant | None = None) -> str:
    """Write an instant's date as `15 Nov`, with the year where it is not that of `today`."""
    when = local(instant, at)
    if today is not None and local(today, at).year != when.year:
        return f"{day_month(when)} {when.year}"
    return day_month(when)


def clock(instant: Instant, at: ZoneInfo) -> str:
    """Write an instant's time of day as `12:00`."""
    return f"{local(instant, at):%H:%M}"


def period(kind: Period, start: Instant, at: ZoneInfo) -> str:
    """Name a period by its first instant: `15 Nov`, `week 47`, `November`, `Q4 2026`, `2026`."""
    when = local(start, at)
    names = {
        Period.HOURLY: lambda: f"the hour from {when:%H:%M}",
        Period.DAILY: lambda: day_month(when),
        Period.WEEKLY: lambda: f"week {when.isocalendar().week}",
        Period.MONTHLY: lambda: _MONTH_NAMES[when.month - 1],
        Period.QUARTERLY: lambda: f"Q{(when.month + 2) // 3} {when.year}",
        Period.YEARLY: lambda: str(when.year),
    }
    return names[kind]()


def stands(kind: Period, instant: Instant, at: ZoneInfo) -> str:
    """Name the snapshot that stands for a period: by its time within a day, else by its date."""
    if kind in (Period.HOURLY, Period.DAILY):
        return clock(instant, at)
    return day_month(local(instant, at))


def counted(number: int, singular: str, plural: str = "") -> str:
    """Write a count with its noun: `1 snapshot`, `3 snapshots`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
