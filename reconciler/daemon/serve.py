"""The daemon's own thread: watches files, keeps systemd informed, and ends in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from reconciler.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.daemon.loop import Loop
    from reconciler.daemon.systemd import Systemd
    from reconciler.dsm import Clock
    from reconciler.model import Seconds

TICK = 1.0
"""How often the loop looks around, in seconds."""

CHECK_EVERY = 5
"""After how many ticks the files are looked at."""

GRACE: Seconds = 9
"""How long a write under way may still take once somebody asked to stop, of the 15 s in all."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What the outside asks for: `wait` returns whether to stop, `hung_up` whether to read anew."""

    wait: Callable[[float], bool]
    hung_up: Callable[[], bool]


@dataclass(slots=True)
class Pulse:
    """When the loop last looked around, by the monotonic clock; for the health page."""

    last: float = 0.0


def serve(loop: Loop, signals: Signals, systemd: Systemd, *, clock: Clock, pulse: Pulse) -> None:
    """Run until somebody asks to stop."""
    fed = clock.monotonic()
    tick = 0
    while not signals.wait(TICK):
        tick += 1
        pulse.last = clock.monotonic()
        asked = signals.hung_up()
        if asked:
            systemd.reloading(clock.monotonic())
        if asked or tick % CHECK_EVERY == 0:
            _check(loop, systemd, asked=asked)
        if systemd.watchdog is not None and clock.monotonic() - fed >= systemd.watchdog - TICK:
            systemd.alive()
            fed = clock.monotonic()


def _check(loop: Loop, systemd: Systemd, *, asked: bool) -> None:
    try:
        fresh = loop.check(asked=asked)
    except Exception as error:  # noqa: BLE001  a file that vanishes meanwhile ends no daemon
        structlog.get_logger().error("files.unread", kind=type(error).__name__, error=str(error))
        fresh = False
    if asked or fresh:
        systemd.ready(status_line(loop))


def status_line(loop: Loop) -> str:
    """Say in one line what is in force, for systemd's status."""
    known = loop.board.now()
    revision = known.in_force.policies.revision if known.in_force is not None else "none"
    line = f"{len(known.units)} NAS, policies {revision}"
    return f"{line}; files refused: {known.trouble}" if known.trouble else line


def settle(loop: Loop, *, clock: Clock) -> bool:
    """Wait until the passes under way have ended; return whether they did within the grace."""
    end = clock.monotonic() + GRACE
    while not loop.idle():
        if clock.monotonic() >= end:
            return False
        clock.sleep(0.05)
    return True


class Leaving:
    """A clock whose waits end soon after somebody asked to stop.

    Then a search for a lost answer, or a wait for a sync, is broken off: the trail and the mark say
    at the next start what became of it.
    """

    def __init__(self, clock: Clock, halted: Callable[[], bool]) -> None:
        self._clock = clock
        self._halted = halted
        self._asked: float | None = None

    def time(self) -> float:
        """Return seconds since the epoch."""
        return self._clock.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in small steps; raises Interrupted where less than all is left of the grace."""
        end = self.monotonic() + seconds
        while (left := end - self.monotonic()) > 0:
            if self._halted():
                if self._asked is None:
                    self._asked = self.monotonic()
                if self._asked + GRACE - 1 < end:
                    raise Interrupted("the run was interrupted while it waited")
            self._clock.sleep(min(left, 0.25))
