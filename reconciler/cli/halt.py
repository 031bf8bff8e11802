"""Ctrl-C and SIGTERM as a request to stop, so that nothing is left half done or signed in."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Halt:
    """Whether this run was asked to stop. Signals after the first change nothing."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._answering = False

    def asked(self) -> bool:
        """Whether somebody asked to stop."""
        return self._asked.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait as long, or until somebody asks to stop; return whether somebody did."""
        return self._asked.wait(seconds)

    @contextmanager
    def heeding(self) -> Iterator[Halt]:
        """Inside, a signal asks to stop instead of breaking off; outside the main thread nothing.

        Sessions are to be signed out inside too: that is what a broken-off run would leave behind.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._heard) for number in _SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Inside, a signal raises KeyboardInterrupt: while a question is open, or only reading."""
        self._answering = True
        try:
            yield
        finally:
            self._answering = False

    def _heard(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        again = self._asked.is_set()
        self._asked.set()
        if self._answering:
            raise KeyboardInterrupt
        if not again:
            output.say("stopping: what is under way is brought to its end, nothing new begins")
