"""The simulated clock, and the forms in which a moment may be written."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Annotated

Moment = float | datetime | str
"""Epoch seconds, a `datetime` with a zone, or an ISO 8601 text with an offset."""

Instant = Annotated[float, "instant"]
"""Epoch seconds in the state; a state file may write it as ISO 8601 with an offset."""


def instant(moment: Moment) -> float:
    """Return `moment` in epoch seconds; refuse one without a zone with `ValueError`."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError(f"{moment.isoformat()} has no offset; write one, for example +00:00")
        return moment.timestamp()
    return float(moment)


def iso(at: float) -> str:
    """Return the moment as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat()


class Clock:
    """A clock that stands still, runs with the machine's, or runs faster; it can be moved.

    `speed` is simulated seconds per real second: 0 stands still. Safe to use from threads.
    """

    def __init__(self, at: Moment, *, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._base = instant(at)
        self._origin = time.time()
        self.speed = speed

    @classmethod
    def real(cls, offset: float = 0.0) -> Clock:
        """Run with the machine's clock, `offset` seconds ahead of it."""
        return cls(time.time() + offset)

    @classmethod
    def frozen(cls, at: Moment) -> Clock:
        """Stand still at `at` until moved."""
        return cls(at, speed=0.0)

    def now(self) -> float:
        """Return the simulated time in epoch seconds."""
        with self._lock:
            return self._reading()

    def advance(self, seconds: float) -> None:
        """Move by `seconds`; a negative figure turns the clock back."""
        with self._lock:
            self._base += seconds

    def set(self, at: Moment) -> None:
        """Move to `at`."""
        with self._lock:
            self._base, self._origin = instant(at), time.time()

    def _reading(self) -> float:
        if not self.speed:
            return self._base
        return self._base + (time.time() - self._origin) * self.speed
