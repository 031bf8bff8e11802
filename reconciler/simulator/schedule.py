"""DSM's own schedules: when they fire, and how they look on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as wall
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

_HORIZON_DAYS = 8
_DAY_MINUTES = 24 * 60


@dataclass(slots=True, kw_only=True)
class Schedule:
    """A schedule in the NAS's wall clock: once a day, or repeated within a window of hours.

    `weekdays` counts from Sunday = 0. Without a repetition it fires at `hour:minute`; with
    `repeat_hours` or `repeat_minutes` again until the end of `last_hour` (default 23).
    """

    enabled: bool = False
    task_id: int = -1
    hour: int = 0
    minute: int = 0
    last_hour: int | None = None
    repeat_hours: int = 0
    repeat_minutes: int = 0
    weekdays: list[int] = field(default_factory=lambda: list(range(7)))
    next_at: float | None = field(default=None, metadata={"saved": False})

    def times(self) -> tuple[wall, ...]:
        """Return the wall-clock times of one day."""
        start = self.hour * 60 + self.minute
        step = self.repeat_hours * 60 + self.repeat_minutes
        if not step:
            return (wall(self.hour, self.minute),)
        stop = min(self._last_hour() * 60 + 60, _DAY_MINUTES)
        return tuple(wall(m // 60, m % 60) for m in range(start, stop, step))

    def _last_hour(self) -> int:
        """Return the hour in which the repetition ends; the only one without a repetition."""
        repeats = self.repeat_hours or self.repeat_minutes
        default = 23 if repeats else self.hour
        return default if self.last_hour is None else self.last_hour

    def following(self, after: float, zone: str) -> float | None:
        """Return the first moment after `after` at which it fires, None when disabled."""
        if not self.enabled:
            return None
        tz = ZoneInfo(zone)
        today = datetime.fromtimestamp(after, tz).date()
        moments = (
            datetime.combine(day, at, tz).timestamp()
            for day in self._days(today)
            for at in self.times()
        )
        return min((moment for moment in moments if moment > after), default=None)

    def _days(self, first: date) -> Iterator[date]:
        for offset in range(_HORIZON_DAYS):
            day = first + timedelta(days=offset)
            if day.isoweekday() % 7 in self.weekdays:
                yield day

    def wire(self, *, after: float, zone: str) -> dict[str, Any]:
        """Return the `schedule` object; `next_trigger_time` outlives a schedule's disabling."""
        shown = Schedule(
            enabled=True, hour=self.hour, minute=self.minute, last_hour=self.last_hour,
            repeat_hours=self.repeat_hours, repeat_minutes=self.repeat_minutes,
            weekdays=self.weekdays,
        )  # fmt: skip
        trigger = shown.following(after, zone) if self.task_id >= 0 else None
        local = datetime.fromtimestamp(trigger, ZoneInfo(zone)) if trigger is not None else None
        return {
            "date": f"{local.year}/{local.month}/{local.day}" if local else "",
            "date_type": 0,
            "hour": self.hour,
            "last_work_hour": self._last_hour(),
            "min": self.minute,
            "monthly_week": [],
            "next_trigger_time": local.strftime("%Y-%m-%d %H:%M") if local else "",
            "repeat": 0,
            "repeat_hour": self.repeat_hours,
            "repeat_hour_store_config": None,
            "repeat_min": self.repeat_minutes,
            "repeat_min_store_config": None,
            "week_name": ",".join(str(day) for day in self.weekdays),
        }
