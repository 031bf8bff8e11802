"""How DSM writes moments: snapshot names, local times, and the names of its zones.

A share's snapshot is named by the wall clock at the NAS plus the zone's offset of that very
moment, daylight saving included: `GMT+02-2026.08.14-02.05.01`. A share can be set to write UTC
without an offset instead: `GMT-2026.05.24-02.00.01`. No example of a zone with half hours is
known, so the spelling is a setting: cut to whole hours, `+0530`, or `+05.30`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

Fraction = Literal["truncated", "hhmm", "dotted"]
"""The spelling of an offset that is not a whole number of hours."""

_STAMP: Final = "%Y.%m.%d-%H.%M.%S"
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip

_ZONES: Final = (
    ("Europe/Brussels", "Brussels", "Brussels, Copenhagen, Madrid, Paris"),
    ("Europe/Zurich", "Amsterdam", "Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"),
    ("Europe/Berlin", "Amsterdam", "Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"),
    ("Europe/London", "Dublin", "Dublin, Edinburgh, Lisbon, London"),
    ("Asia/Kolkata", "Calcutta", "Chennai, Kolkata, Mumbai, New Delhi"),
    ("Asia/Kathmandu", "Katmandu", "Kathmandu"),
    ("Australia/Adelaide", "Adelaide", "Adelaide"),
    ("Asia/Tokyo", "Tokyo", "Osaka, Sapporo, Tokyo"),
    ("Asia/Taipei", "Taipei", "Taipei"),
    ("America/New_York", "Eastern", "Eastern Time (US & Canada)"),
    ("America/Chicago", "Central", "Central Time (US & Canada)"),
    ("America/Los_Angeles", "Pacific", "Pacific Time (US & Canada)"),
    ("Etc/UTC", "GMT", "Greenwich Mean Time"),
)


def _offset_text(offset: timedelta, fraction: Fraction) -> str:
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    whole = f"{sign}{hours:02d}"
    if not rest or fraction == "truncated":
        return whole
    return f"{whole}{rest:02d}" if fraction == "hhmm" else f"{whole}.{rest:02d}"


def snapshot_name(
    at: float, *, zone: str, with_offset: bool = True, fraction: Fraction = "truncated"
) -> str:
    """Return the name that DSM gives to a share's snapshot that is taken at `at`."""
    if not with_offset:
        return datetime.fromtimestamp(at, UTC).strftime(f"GMT-{_STAMP}")
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    offset = local.utcoffset() or timedelta()
    return f"GMT{_offset_text(offset, fraction)}-{local.strftime(_STAMP)}"


def zone_name(zone: str) -> str:
    """Return Synology's own name of an IANA zone, as `time_zone` shows it."""
    known = {iana: name for iana, name, _ in _ZONES}
    return known.get(zone, zone.rpartition("/")[2].replace("_", " "))


def zone_description(zone: str, at: float) -> str:
    """Return `time_zone_desc`: the STANDARD offset, also while daylight saving is on."""
    year = datetime.fromtimestamp(at, UTC).year
    seasons = [datetime(year, month, 1, tzinfo=ZoneInfo(zone)) for month in (1, 7)]
    standard = next((s for s in seasons if not s.dst()), seasons[0]).utcoffset() or timedelta()
    minutes = int(standard.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    cities = {iana: text for iana, _, text in _ZONES}.get(zone, zone_name(zone))
    return f"(GMT{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}) {cities}"


def local_time(at: float, zone: str) -> str:
    """Return the NAS's wall clock as `Core.System` shows it, without an offset."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def log_time(at: float, zone: str) -> str:
    """Return the NAS's wall clock as the log feed shows it."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%Y/%m/%d %H:%M:%S")


def ctime(at: float, zone: str) -> str:
    """Return the NAS's wall clock as `DSM.Info` shows it: `Thu Apr 30 14:57:35 2020`."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    day, month = _DAYS[local.weekday()], _MONTHS[local.month - 1]
    return f"{day} {month} {local.day:02d} {local.strftime('%H:%M:%S')} {local.year}"


def http_date(at: float) -> str:
    """Return an HTTP `Date` header: always GMT, independent of the NAS's zone."""
    moment = datetime.fromtimestamp(at, UTC)
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02d} {month} {moment.year} {moment.strftime('%H:%M:%S')} GMT"
