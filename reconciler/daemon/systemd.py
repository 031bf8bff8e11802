"""What systemd is told over its socket: ready, reloading, stopping, and that the loop is alive.

The protocol is that of sd_notify(3): one datagram of `NAME=VALUE` lines to `$NOTIFY_SOCKET`.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

_MICROSECONDS = 1_000_000


class Systemd:
    """Speaks to the socket that the environment names; without one it says nothing."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{path[1:]}" if path.startswith("@") else path
        self.watchdog = _watchdog(environment)

    def ready(self, status: str) -> None:
        """Say that the daemon runs, at the start and after each reload."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self, monotonic: float) -> None:
        """Say that files are read anew; `ready` says that this is over."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={int(monotonic * _MICROSECONDS)}")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """Say that the loop is alive."""
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        message = "\n".join(line.replace("\n", " ") for line in lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.connect(self._address)
                line.sendall(message.encode())
        except OSError as error:
            structlog.get_logger().warning("systemd.unheard", error=str(error))


def _watchdog(environment: Mapping[str, str]) -> float | None:
    """Return how often systemd wants a sign of life, in seconds: half of its patience."""
    text = environment.get("WATCHDOG_USEC", "")
    meant = environment.get("WATCHDOG_PID", str(os.getpid()))
    if not text.isdecimal() or int(text) == 0 or meant != str(os.getpid()):
        return None
    return int(text) / _MICROSECONDS / 2
