"""DSM's own schedule, retention and protection of one target, as values: what `import` translates.

What planning needs of them is `model.BuiltIn`; here is all of it. Times are the NAS's wall clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model import RetentionKind

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class OwnSchedule:
    """When DSM takes snapshots (or syncs) by itself.

    `weekdays` count from Sunday = 0. Without `repeat` (minutes) it fires once a day at
    `hour:minute`, else again and again until the end of `last_hour`. `by_date` is a task of dates
    instead of weekdays, whose codes are not established. `exists` is False where DSM never had
    one; one that was switched off keeps its figures.
    """

    enabled: bool
    exists: bool = True
    hour: int = 0
    minute: int = 0
    last_hour: int | None = None
    repeat: int = 0
    weekdays: tuple[int, ...] = EVERY_DAY
    by_date: bool = False
    next_at: str = ""

    def minutes(self) -> tuple[int, ...]:
        """Return the minutes of the day at which it fires."""
        start = self.hour * 60 + self.minute
        if not self.repeat:
            return (start,)
        last = 23 if self.last_hour is None else self.last_hour
        return tuple(range(start, min(last * 60 + 60, 24 * 60), self.repeat))


@dataclass(frozen=True, slots=True)
class OwnRetention:
    """What DSM removes by itself.

    `latest` and `days` go with their kinds. `counts` are the advanced rules that are switched on,
    by the words of `keep`; `minimum` and `all_days` are its "at least N" and "all of N days", 0
    where switched off. `text` names codes that are not known.
    """

    kind: RetentionKind
    latest: int = 0
    days: int = 0
    counts: Mapping[str, int] | None = None
    minimum: int = 0
    all_days: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """Everything DSM does by itself on one target; None and the reason where it did not say.

    `immutable_days` is for how long each scheduled snapshot is made immutable, 0 where it is not.
    """

    schedule: OwnSchedule | None
    retention: OwnRetention | None
    immutable_days: int = 0
    problem: str = ""
