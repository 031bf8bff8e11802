"""One runner for each NAS: a lease by its serial, here a lock of the operating system on a file.

The system gives the lock back when the process ends, however it ends, so that another takes over
at once. It holds for the processes of one machine that share one state folder.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
from typing import TYPE_CHECKING, Protocol, Self

from reconciler.errors import Busy, PermanentError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_FOLDER = "leases"
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Lease(Protocol):
    """Leave to be the only one who writes to a unit."""

    def held(self) -> bool:
        """Whether it is still ours; asked before every write."""


class FileLease:
    """A lease on one unit; a context manager that gives it back."""

    def __init__(self, folder: Path, serial: str, nas: str) -> None:
        self._path = folder / _FOLDER / f"{_file_name(serial)}.lock"
        self._nas = nas
        self._descriptor = -1

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give_back()

    def take(self) -> None:
        """Take the lease; raises Busy where another process has it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PermanentError(
                f"the lease {self._path} cannot be made: {error.strerror}",
                next_step="run as the user who owns the folder of `state`",
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._descriptor, 200, 0).decode("utf-8", "replace").strip()
            self.give_back()
            raise Busy(
                f"another reconciler has {self._nas} ({holder or 'starting'})",
                next_step="try again when it has ended",
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"pid {os.getpid()} on {socket.gethostname()}\n".encode(), 0)

    def held(self) -> bool:
        """Whether the lock is on the very file that others would lock."""
        if self._descriptor < 0:
            return False
        try:
            now = self._path.stat()
        except OSError:
            return False
        ours = os.fstat(self._descriptor)
        return (now.st_dev, now.st_ino) == (ours.st_dev, ours.st_ino)

    def give_back(self) -> None:
        """Give the lease back; a second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _file_name(serial: str) -> str:
    """Return the serial, or its bytes in hex where it is no plain word."""
    return serial if _PLAIN.fullmatch(serial) else f"x-{serial.encode().hex()[:120]}"
