"""The reconciler's own clock, handed in so that nothing below the command line reads one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reconciler.model import Instant


class Clock(Protocol):
    """A wall clock, a monotonic one, and a way to wait."""

    def time(self) -> float:
        """Return seconds since 1970-01-01T00:00Z."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def time(self) -> float:
        """Return seconds since 1970-01-01T00:00Z."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The NAS's clock at one answer (HTTP `Date`); `skew` is it minus the reconciler's, seconds."""

    date: Instant
    skew: float
