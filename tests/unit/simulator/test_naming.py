"""Names of snapshots, and the ways in which DSM tells the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.simulator import Clock
from reconciler.simulator.clock import instant
from reconciler.simulator.naming import http_date, snapshot_name, zone_description, zone_name

if TYPE_CHECKING:
    from conftest import Door

    from reconciler.simulator import Nas


@pytest.mark.parametrize(
    ("zone", "at", "name"),
    [
        ("Europe/Zurich", "2025-03-23T14:17:39+00:00", "GMT+01-2025.03.23-15.17.39"),
        ("Europe/Zurich", "2026-08-14T00:05:01+00:00", "GMT+02-2026.08.14-02.05.01"),
        ("Asia/Tokyo", "2023-09-11T14:23:40+00:00", "GMT+09-2023.09.11-23.23.40"),
        ("America/New_York", "2026-01-01T01:00:01+00:00", "GMT-05-2025.12.31-20.00.01"),
        ("America/New_York", "2026-04-27T16:00:02+00:00", "GMT-04-2026.04.27-12.00.02"),
        ("Europe/London", "2026-01-15T06:00:00+00:00", "GMT+00-2026.01.15-06.00.00"),
        ("America/St_Johns", "2026-01-15T06:00:00+00:00", "GMT-03-2026.01.15-02.30.00"),
    ],
)
def test_names_carry_the_offset_of_their_moment(zone: str, at: str, name: str) -> None:
    """A name is the wall clock plus that moment's offset, as observed on real units."""
    assert snapshot_name(instant(at), zone=zone) == name


@pytest.mark.parametrize(
    ("fraction", "name"),
    [
        ("truncated", "GMT+05-2026.11.24-16.30.00"),
        ("hhmm", "GMT+0530-2026.11.24-16.30.00"),
        ("dotted", "GMT+05.30-2026.11.24-16.30.00"),
    ],
)
def test_half_hours_have_a_setting(fraction: str, name: str) -> None:
    """How a half-hour offset is written is not known, so it can be any of three ways."""
    at = instant("2026-11-24T11:00:00+00:00")
    assert snapshot_name(at, zone="Asia/Kolkata", fraction=fraction) == name


def test_names_without_an_offset_are_utc(nas: Nas, door: Door) -> None:
    """A share set to GMT names new snapshots in UTC; those it has keep their form."""
    share = nas.share("projects")
    share.add_snapshot("2026-11-24T10:00:00+01:00")
    share.local_time_format = False
    made = door.data("Core.Share.Snapshot", "create", name="projects")
    assert made == "GMT-2026.11.24-11.00.00"
    assert door.names() == ["GMT+01-2026.11.24-10.00.00", made]


def test_a_history_refuses_the_same_name_twice(nas: Nas) -> None:
    """Two snapshots of one second cannot both be in a share's history."""
    nas.share("projects").add_snapshot("2026-11-24T10:00:00+01:00")
    with pytest.raises(ValueError, match="already has a snapshot named"):
        nas.share("projects").add_snapshot("2026-11-24T09:00:00+00:00")


def test_the_zone_is_told_in_synologys_words(nas: Nas, door: Door) -> None:
    """`time_zone` is no IANA name, the description shows standard time in summer as well."""
    nas.clock.set("2026-07-01T12:00:00+02:00")
    door.sign_in()
    system = door.data("Core.System", "info")
    assert system["time"] == "2026-07-01 12:00:00"
    assert system["time_zone"] == "Amsterdam"
    assert system["time_zone_desc"].startswith("(GMT+01:00) ")


def test_zones_of_the_south_and_unknown_ones() -> None:
    """South of the equator standard time is in July; a zone without an entry keeps its city."""
    assert zone_description("Australia/Adelaide", 1795518000).startswith("(GMT+09:30)")
    assert zone_description("America/St_Johns", 1795518000).startswith("(GMT-03:30)")
    assert zone_name("America/Argentina/Buenos_Aires") == "Buenos Aires"


def test_the_http_date_is_gmt() -> None:
    """The `Date` header does not depend on the NAS's zone."""
    assert http_date(instant("2026-11-24T12:00:00+01:00")) == "Tue, 24 Nov 2026 11:00:00 GMT"


def test_moments_need_an_offset() -> None:
    """A moment without an offset is refused."""
    with pytest.raises(ValueError, match="has no offset"):
        instant("2026-11-24T12:00:00")


def test_a_clock_can_run_faster() -> None:
    """A clock with a speed gains on the machine's; a real one keeps its distance."""
    fast = Clock(0.0, speed=1e6)
    first = fast.now()
    assert fast.now() >= first > 0
    assert Clock.real(3600).now() - Clock.real().now() == pytest.approx(3600, abs=5)
