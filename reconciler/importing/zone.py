"""The IANA zone of a NAS, from Synology's own name for it and the offset of its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from reconciler.zones import offset, zone

if TYPE_CHECKING:
    from reconciler.model import Instant, Seconds

_NAMES = {
    "Alaska": "America/Anchorage",
    "Arizona": "America/Phoenix",
    "Beijing": "Asia/Shanghai",
    "Central": "America/Chicago",
    "Eastern": "America/New_York",
    "Hawaii": "Pacific/Honolulu",
    "Mountain": "America/Denver",
    "Pacific": "America/Los_Angeles",
}
"""Synology's names that are no city; every other one is looked for among IANA's cities."""


def of_name(name: str, shift: Seconds | None, now: Instant) -> str:
    """Return the zone that Synology's name means, "" unless exactly one fits its clock's offset.

    Without a known offset nothing is certain: the name alone does not tell two cities apart.
    """
    if shift is None or not name:
        return ""
    city = name.replace(" ", "_")
    ends = {known for known in available_timezones() if known.rpartition("/")[2] == city}
    candidates = {_NAMES[name]} if name in _NAMES else {known for known in ends if "/" in known}
    fitting = sorted(known for known in candidates if offset(now, zone(known)) == shift)
    return fitting[0] if len(fitting) == 1 else ""


def of_host(name: str, shift: Seconds | None, now: Instant) -> str:
    """Return this machine's own zone where its clock agrees with the NAS's; never plain UTC.

    A machine on UTC beside a NAS on UTC says nothing of where the NAS stands.
    """
    if not name or shift is None:
        return ""
    try:
        host = zone(name)
    except ValueError:
        return ""
    utc = name.rpartition("/")[2].upper() in ("UTC", "UCT", "GMT", "ZULU", "UNIVERSAL")
    return name if not utc and offset(now, host) == shift else ""
