"""DSM's schedules in the words of a policy: `every`, `at`, `cron`, or why not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.builtin import EVERY_DAY
from reconciler.duration import MINUTE, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.builtin import OwnSchedule

_DAY_MINUTES = 24 * 60
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SHORTEST_RUN = 3


def lines(schedule: OwnSchedule) -> tuple[str, ...]:
    """Return the lines of a policy whose due times are the schedule's; none where none says it.

    A day's times, the weekdays and the NAS's zone make both the same; what happens in the hour of
    a change of clocks is not established for DSM.
    """
    minutes = schedule.minutes()
    if schedule.by_date or not schedule.weekdays or not minutes:
        return ()
    if schedule.weekdays == EVERY_DAY:
        if len(minutes) == 1:
            return ("every: 1d", f'at: "{_clock(minutes[0])}"')
        step = minutes[1] - minutes[0]
        if len(minutes) * step == _DAY_MINUTES and minutes[0] == 0:
            return (f"every: {render(step * MINUTE)}",)
    elif len(schedule.weekdays) == 1 and len(minutes) == 1:
        day = _WEEKDAYS[schedule.weekdays[0]]
        return ("every: 1w", f'at: "{day} {_clock(minutes[0])}"')
    return _cron(minutes, schedule.weekdays)


def spoken(schedule: OwnSchedule) -> str:
    """Say a schedule in words, for a comment: `daily at 02:30`, `hourly …`."""
    minutes = schedule.minutes()
    if schedule.by_date:
        return "by date (a monthly task, whose days are not read)"
    days = (
        "daily"
        if schedule.weekdays == EVERY_DAY
        else ", ".join(_WEEKDAYS[day] for day in schedule.weekdays)
    )
    if len(minutes) == 1:
        return f"{days} at {_clock(minutes[0])}"
    step = render(schedule.repeat * MINUTE)
    return f"{days} every {step} from {_clock(minutes[0])} to {_clock(minutes[-1])}"


def never(schedule: OwnSchedule) -> str:
    """Say why a schedule that is switched on never fires, "" where it does."""
    if schedule.by_date:
        return ""
    if not schedule.weekdays:
        return "it is on without any weekday"
    if not schedule.minutes():
        return "its first time lies after its last hour"
    return ""


def most_in_a_day(schedule: OwnSchedule | None) -> int:
    """Return how often it fires on one day at the most, whatever its last hour is read as."""
    if schedule is None or not schedule.enabled:
        return 0
    return len(replace(schedule, last_hour=None).minutes())


def _cron(minutes: Sequence[int], weekdays: Sequence[int]) -> tuple[str, ...]:
    """Return a `cron` line where the times are every minute of a set in every hour of a set."""
    of_hours = sorted({minute // 60 for minute in minutes})
    of_minutes = sorted({minute % 60 for minute in minutes})
    if len(of_hours) * len(of_minutes) != len(minutes):
        return ()
    days = "*" if tuple(weekdays) == EVERY_DAY else _listed(weekdays, 7)
    return (f'cron: "{_listed(of_minutes, 60)} {_listed(of_hours, 24)} * * {days}"',)


def _listed(values: Sequence[int], size: int) -> str:
    """Write numbers as cron does: `*/15`, `8-20/2`, `1-5`, or one by one."""
    if len(values) < _SHORTEST_RUN:
        return ",".join(str(value) for value in values)
    step = values[1] - values[0]
    if list(values) != list(range(values[0], values[-1] + 1, step)):
        return ",".join(str(value) for value in values)
    whole = values[0] == 0 and values[-1] + step >= size and size % step == 0
    head = "*" if whole else f"{values[0]}-{values[-1]}"
    return head if step == 1 else f"{head}/{step}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
