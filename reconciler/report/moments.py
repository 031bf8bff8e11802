"""Moments as `explain` writes them: as short as the reader's own day and year allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.wording import clock, day, moment
from reconciler.zones import local

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from reconciler.model import Instant

_ONE_DIGIT = 10


@dataclass(frozen=True, slots=True)
class Moments:
    """Writes instants in a zone, as seen from `now`."""

    at: ZoneInfo
    now: Instant

    def short(self, instant: Instant) -> str:
        """Write `12:00` for today, else `Sun 15 Nov 12:00`, with the year where it is another."""
        return clock(instant, self.at) if self._today(instant) else self.full(instant)

    def full(self, instant: Instant) -> str:
        """Write `Sun 15 Nov 12:00`, with the year where it is not this one."""
        return moment(instant, self.at, year=not self._this_year(instant))

    def column(self, instant: Instant) -> str:
        """Write as `full` does, the day of the month in two columns."""
        name, rest = self.full(instant).split(" ", 1)
        one_digit = self._local(instant).day < _ONE_DIGIT
        return f"{name} {' ' if one_digit else ''}{rest}"

    def coming(self, instant: Instant) -> str:
        """Write `today 16:00`, `Tue  1 Dec 12:00`, or the date alone in another year."""
        if self._today(instant):
            return f"today {clock(instant, self.at)}"
        if not self._this_year(instant):
            return day(instant, self.at, today=self.now)
        return self.column(instant)

    def span(self, newest: Instant, oldest: Instant) -> str:
        """Write two dates, the newer first: `22 to 16 Nov`, `15 Nov to 2 Oct`, or one."""
        last, first = self._local(newest), self._local(oldest)
        end = day(oldest, self.at, today=self.now)
        if last.date() == first.date():
            return end
        if (last.year, last.month) == (first.year, first.month):
            return f"{last.day} to {end}"
        return f"{day(newest, self.at, today=self.now)} to {end}"

    def _local(self, instant: Instant) -> datetime:
        return local(instant, self.at)

    def _today(self, instant: Instant) -> bool:
        return self._local(instant).date() == self._local(self.now).date()

    def _this_year(self, instant: Instant) -> bool:
        return self._local(instant).year == self._local(self.now).year
