"""What calls a function at a time: APScheduler in the daemon, a list of times in its tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_AT_ONCE = 8


class Timetable(Protocol):
    """Entries by name, each called once when its time has come."""

    def at(self, name: str, when: float, call: Callable[[], None]) -> None:
        """Call at `when` (seconds since the epoch); an entry of that name is replaced."""

    def drop(self, name: str) -> None:
        """Take an entry out; one that is not there is no mistake."""


class Scheduler:
    """A timetable on APScheduler, in memory: the schedule is derived from the policies anyway."""

    def __init__(self) -> None:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(_AT_ONCE)},
            # That passes of one unit never overlap is the loop's own care: an entry made anew at
            # the end of a pass would here count as a second instance, and be dropped.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 4},
        )

    def start(self) -> None:
        """Begin to call what is due."""
        self._scheduler.start()

    def stop(self) -> None:
        """Call nothing more; what runs goes on."""
        self._scheduler.shutdown(wait=False)

    def at(self, name: str, when: float, call: Callable[[], None]) -> None:
        """Call at `when`, in a thread of its own."""
        moment = datetime.fromtimestamp(when, UTC)
        self._scheduler.add_job(
            call, "date", run_date=moment, id=name, name=name, replace_existing=True
        )

    def drop(self, name: str) -> None:
        """Take an entry out."""
        from apscheduler.jobstores.base import JobLookupError

        try:
            self._scheduler.remove_job(name)
        except JobLookupError:
            return
