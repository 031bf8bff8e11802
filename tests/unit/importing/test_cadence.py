"""DSM's schedules in a policy's words mean the same due times."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import calendar
from reconciler.builtin import EVERY_DAY, OwnSchedule
from reconciler.importing import cadence
from reconciler.simulator import Schedule

_ZONE = "Europe/Zurich"
_WINTER = int(datetime(2026, 11, 10, 13, 7, tzinfo=ZoneInfo(_ZONE)).timestamp())


def _own(**given: object) -> OwnSchedule:
    return replace(OwnSchedule(enabled=True), **given)


@pytest.mark.parametrize(
    ("schedule", "lines"),
    [
        (_own(hour=2, minute=30), ("every: 1d", 'at: "02:30"')),
        (_own(repeat=60), ("every: 1h",)),
        (_own(repeat=240), ("every: 4h",)),
        (_own(hour=8, last_hour=20, repeat=120), ('cron: "0 8-20/2 * * *"',)),
        (_own(minute=15, repeat=15, last_hour=23), ()),
        (_own(minute=15, repeat=60), ('cron: "15 * * * *"',)),
        (_own(hour=4, weekdays=(0,)), ("every: 1w", 'at: "sun 04:00"')),
        (_own(hour=18, weekdays=(1, 2, 3, 4, 5)), ('cron: "0 18 * * 1-5"',)),
        (_own(hour=18, weekdays=(1, 4)), ('cron: "0 18 * * 1,4"',)),
        (_own(weekdays=()), ()),
        (_own(by_date=True), ()),
    ],
)
def test_a_schedule_is_written_as_a_person_would(
    schedule: OwnSchedule, lines: tuple[str, ...]
) -> None:
    """The shortest words that mean the schedule, none where no words mean exactly it."""
    assert cadence.lines(schedule) == lines


@given(
    hour=st.integers(0, 23),
    minute=st.sampled_from([0, 5, 20, 30, 45]),
    repeat=st.sampled_from([0, 5, 15, 30, 60, 90, 120, 240, 720]),
    last=st.integers(0, 23),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
)
def test_due_times_are_those_of_the_schedule(
    hour: int, minute: int, repeat: int, last: int, weekdays: set[int]
) -> None:
    """Whatever is written is due at the very moments at which DSM fires, a week through."""
    days = tuple(sorted(weekdays))
    written = cadence.lines(
        _own(hour=hour, minute=minute, repeat=repeat, last_hour=max(last, hour), weekdays=days)
    )
    if not written:
        return
    fires = Schedule(
        enabled=True, hour=hour, minute=minute, repeat_minutes=repeat,
        last_hour=max(last, hour), weekdays=list(days),
    )  # fmt: skip
    values = {key: value.strip('"') for key, value in (line.split(": ", 1) for line in written)}
    due = (
        calendar.cron(values["cron"])
        if "cron" in values
        else calendar.every(values["every"], values.get("at"))
    )
    moment = _WINTER
    for _ in range(9):
        following = fires.following(moment, _ZONE)
        assert following == due.following(moment, ZoneInfo(_ZONE))
        moment = int(following or 0)


def test_a_schedule_that_never_fires_says_why() -> None:
    """Without weekdays, or with its first time after its last hour, nothing is ever taken."""
    assert "weekday" in cadence.never(_own(weekdays=()))
    assert "last hour" in cadence.never(_own(hour=9, repeat=60, last_hour=8))
    assert cadence.never(_own(weekdays=EVERY_DAY)) == ""
