"""DSM's snapshot names against the calendar of the standard library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import NameForm
from reconciler.snapshot_name import Named, parse

INSTANTS = st.datetimes(datetime(1970, 1, 3), datetime(9998, 12, 30))  # noqa: DTZ001  a wall clock
OFFSETS = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))


def written(local: datetime, offset: str) -> str:
    """Write a wall-clock time as DSM does, with a given spelling of the offset."""
    return f"GMT{offset}-{local:%Y.%m.%d-%H.%M.%S}".replace(f"-{local.year}.", f"-{local:%Y}.")


def spelt(offset: timedelta, between: str) -> str:
    """Spell an offset with its minutes."""
    minutes = int(abs(offset).total_seconds()) // 60
    sign = "-" if offset < timedelta(0) else "+"
    return f"{sign}{minutes // 60:02}{between}{minutes % 60:02}"


@given(INSTANTS, OFFSETS, st.sampled_from(["", ".", ":"]))
def test_an_offset_is_taken_off_as_iso_8601_means_it(
    local: datetime, offset: timedelta, between: str
) -> None:
    """The instant is the wall clock minus the offset, in every spelling of the minutes."""
    expected = int(local.replace(microsecond=0, tzinfo=timezone(offset)).timestamp())
    named = parse(written(local, spelt(offset, between)))
    assert named == Named(expected, NameForm.OFFSET, int(offset.total_seconds()))


@given(INSTANTS, st.integers(-14, 14))
def test_whole_hours_have_two_digits(local: datetime, hours: int) -> None:
    """The usual form states the offset as a sign and two digits."""
    zone = timezone(timedelta(hours=hours))
    named = parse(written(local, f"{'-' if hours < 0 else '+'}{abs(hours):02}"))
    assert named is not None
    assert named.time == int(local.replace(microsecond=0, tzinfo=zone).timestamp())


@given(INSTANTS)
def test_a_bare_name_is_utc(local: datetime) -> None:
    """A name without offset is read as UTC and says so; its year is never an offset."""
    expected = int(local.replace(microsecond=0, tzinfo=UTC).timestamp())
    assert parse(written(local, "")) == Named(expected, NameForm.BARE, None)


@pytest.mark.parametrize(
    ("name", "instant"),
    [
        ("GMT+09-2023.09.11-23.23.40", "2023-09-11T14:23:40"),
        ("GMT+01-2025.03.23-15.17.39", "2025-03-23T14:17:39"),
        ("GMT-05-2025.12.31-20.00.01", "2026-01-01T01:00:01"),
        ("GMT-04-2026.04.27-12.00.02", "2026-04-27T16:00:02"),
        ("GMT+00-2026.01.01-00.00.00", "2026-01-01T00:00:00"),
        ("GMT-2026.05.24-02.00.01", "2026-05-24T02:00:01"),
        ("GMT+0530-2026.05.24-02.00.01", "2026-05-23T20:30:01"),
        ("GMT+05.45-2026.05.24-02.00.01", "2026-05-23T20:15:01"),
        ("GMT-03:30-2026.05.24-02.00.01", "2026-05-24T05:30:01"),
        ("GMT+01-2024.02.29-12.00.00", "2024-02-29T11:00:00"),
    ],
)
def test_names_that_were_seen(name: str, instant: str) -> None:
    """Names observed on NAS, and every spelling of half hours that is plausible, are read."""
    named = parse(name)
    assert named is not None
    assert named.time == int(datetime.fromisoformat(instant).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "desktop.ini",
        "GMT+01-9999.99.99-00.00.00",
        "GMT+01-9999.01.01-00.00.00",
        "GMT+01-1969.12.31-00.00.00",
        "GMT+01-2026.00.10-00.00.00",
        "GMT+01-2026.13.10-00.00.00",
        "GMT+01-2026.02.29-00.00.00",
        "GMT+01-1900.02.29-00.00.00",
        "GMT+01-2100.02.29-00.00.00",
        "GMT+01-2026.04.31-00.00.00",
        "GMT+01-2026.04.00-00.00.00",
        "GMT+01-2026.04.01-24.00.00",
        "GMT+01-2026.04.01-00.60.00",
        "GMT+01-2026.04.01-23.59.60",
        "GMT+19-2026.04.01-00.00.00",
        "GMT+0560-2026.04.01-00.00.00",
        "GMT+1-2026.04.01-00.00.00",
        "GMT+01-2026.04.01-00.00.00\n",
        " GMT+01-2026.04.01-00.00.00",
        "GMT+01-2026.04.01-00.00.00 (1)",
        "gmt+01-2026.04.01-00.00.00",
        "GMT+01-２０２６.04.01-00.00.00",
        "@GMT-2026.04.01-00.00.00",
    ],
)
def test_what_is_no_time_of_dsm_is_not_read(name: str) -> None:
    """A name that is not exactly one of DSM's, or no real time, is None and so never deleted."""
    assert parse(name) is None


@given(st.text(alphabet="GMT+-.:0123456789 \n", max_size=32))
def test_nothing_is_raised(name: str) -> None:
    """Whatever the text, reading it returns a value or None."""
    named = parse(name)
    assert named is None or isinstance(named, Named)
