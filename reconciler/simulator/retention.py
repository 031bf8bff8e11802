"""DSM's built-in retention: its settings, and what it removes.

From DSM's help text: the maxima of the advanced policy count periods, the EARLIEST snapshot of
each period is kept, periods without a snapshot are skipped, one snapshot may serve several
rules, and everything within one hour of the newest stays. Locked and immutable snapshots are
never removed. Whether they count is not documented, nor on which day a week begins; both are
settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NONE: Final = 0
KEEP_LATEST: Final = 20
KEEP_DAYS: Final = 64
ADVANCED: Final = 128
KEEP_ALL: Final = 1 << 31
_BY_TIME: Final = 32
_MINIMUM: Final = 1
_ALL_DAYS: Final = 64
_DAY: Final = 86400
_HOUR: Final = 3600


def _week(local: datetime) -> tuple[int, int]:
    return local.isocalendar()[:2]


def _week_from_sunday(local: datetime) -> tuple[int, int]:
    return _week(local + timedelta(days=1))


_PERIODS: Final[tuple[tuple[int, str, Callable[[datetime], object]], ...]] = (
    (2, "hourly", lambda t: (t.date(), t.hour, t.utcoffset())),
    (4, "daily", datetime.date),
    (8, "weekly", _week),
    (16, "monthly", lambda t: (t.year, t.month)),
    (32, "yearly", lambda t: t.year),
)


@dataclass(slots=True, kw_only=True)
class Retention:
    """The settings as DSM stores them; `policy` is its `policyType`.

    0 no policy, 20 the latest `recently`, 64 the last `days` days, 128 advanced, 1<<31 keep all;
    32 may be added to run at `run_hour` of the day. `advanced` is the bit mask `advPolicyType`.
    `task_id` stays -1 also where a policy prunes. `counts_held` False leaves locked and immutable
    ones out of every count; `sunday_weeks` lets weeks begin on Sunday.
    """

    policy: int = NONE
    recently: int = 0
    days: int = 7
    advanced: int = 95
    minimum: int = 5
    retain_days: int = 1
    hourly: int = 24
    daily: int = 7
    weekly: int = 2
    monthly: int = 1
    yearly: int = 0
    run_hour: int | None = None
    task_id: int = -1
    counts_held: bool = True
    sunday_weeks: bool = False

    @property
    def prunes(self) -> bool:
        """Whether it ever removes anything."""
        return self.policy & ~_BY_TIME not in (NONE, KEEP_ALL)

    def wire(self, *, name: str, prefix: str) -> dict[str, Any]:
        """Return the object of `SYNO.DisasterRecovery.Retention get`."""
        return {
            "advDaily": self.daily, "advHourly": self.hourly, "advMinimum": self.minimum,
            "advMonthly": self.monthly, "advPolicyType": self.advanced,
            "advRetainDay": self.retain_days, "advWeekly": self.weekly, "advYearly": self.yearly,
            "daily": 7, "hourly": 24, "weekly": 2, "monthly": 1, "yearly": 0,
            "name": name, "policyType": self.policy, "prefix": prefix,
            "recently": self.recently, "retainDay": self.days,
            "schedule": None if self.run_hour is None else {"hour": self.run_hour},
            "tid": self.task_id,
        }  # fmt: skip

    def removable(self, times: Iterable[float], *, now: float, zone: str) -> frozenset[float]:
        """Return those of `times` that the policy no longer wants, locks not yet considered."""
        ordered = sorted(times, reverse=True)
        if not ordered or not self.prunes:
            return frozenset()
        rules: dict[int, Callable[[], set[float]]] = {
            KEEP_LATEST: lambda: set(ordered[: self.recently]),
            KEEP_DAYS: lambda: {t for t in ordered if t > now - self.days * _DAY},
            ADVANCED: lambda: self._advanced(ordered, now=now, zone=zone),
        }
        keep = rules.get(self.policy & ~_BY_TIME, lambda: set(ordered))()
        return frozenset(ordered) - keep

    def _advanced(self, ordered: list[float], *, now: float, zone: str) -> set[float]:
        keep = {t for t in ordered if t >= ordered[0] - _HOUR}
        if self.advanced & _MINIMUM:
            keep.update(ordered[: self.minimum])
        if self.advanced & _ALL_DAYS:
            keep.update(t for t in ordered if t > now - self.retain_days * _DAY)
        for bit, field, period in _PERIODS:
            if self.advanced & bit:
                if field == "weekly" and self.sunday_weeks:
                    period = _week_from_sunday  # noqa: PLW2901 -- the table has ISO's weeks
                earliest = _earliest(ordered, period=period, zone=zone)
                keep.update(earliest[: getattr(self, field)])
        return keep


def _earliest(
    ordered: list[float], *, period: Callable[[datetime], object], zone: str
) -> list[float]:
    tz = ZoneInfo(zone)
    found: dict[object, float] = {}
    for at in ordered:
        found[period(datetime.fromtimestamp(at, tz))] = at
    return sorted(found.values(), reverse=True)
