"""Where a long pass is, on one line of a terminal's stderr that leaves nothing behind."""

from __future__ import annotations

import io
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import structlog

from reconciler.cli import output
from reconciler.report.layout import columns
from reconciler.report.style import printable
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PATIENCE = 1.0
_EVERY = 0.2
_GUESSED_FROM = 3.0
_CLEAR = "\r\x1b[2K"


class Progress(Watch):
    """Tells `halted` to whoever asks, and shows on `stream` which NAS and target is at work.

    Nothing is shown in the first second, nor ever where `stream` is None.
    """

    def __init__(
        self,
        halted: Callable[[], bool],
        stream: TextIO | None,
        *,
        width: int = 80,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._halted = halted
        self._stream = stream
        self._width = width
        self._clock = clock
        self._lock = threading.Lock()
        self._verb, self._noun, self._total = "", "", 0
        self._began = 0.0
        self._begun = 0
        self._active: dict[str, str] = {}
        self._shown = False

    def halted(self) -> bool:
        """Whether the run was asked to stop."""
        return self._halted()

    def begins(self, nas: str, place: str = "") -> None:
        """Count a unit, or in a phase that counts targets, a target."""
        with self._lock:
            if bool(place) == (self._noun == "target"):
                self._begun += 1
                self._active[nas] = f"{nas}/{place}" if place else nas

    def ends(self, nas: str) -> None:
        """Take a unit off what is at work."""
        with self._lock:
            self._active.pop(nas, None)

    @contextmanager
    def phase(self, verb: str, total: int, noun: str) -> Iterator[None]:
        """Show progress while something of `total` is done; `noun` is `NAS` or `target`."""
        with self._lock:
            self._verb, self._noun, self._total = verb, noun, total
            self._began, self._begun, self._active = self._clock(), 0, {}
        if self._stream is None:
            yield
            return
        over = threading.Event()
        drawing = threading.Thread(target=self._keep_drawing, args=(over,), name="progress")
        logger = structlog.get_config()["logger_factory"]
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=_Above(self)))
        drawing.start()
        try:
            yield
        finally:
            over.set()
            drawing.join()
            self.clear()
            structlog.configure(logger_factory=logger)

    def line(self) -> str:
        """Return the line as it is now, "" in the first second."""
        with self._lock:
            took = self._clock() - self._began
            if took < _PATIENCE:
                return ""
            at_work = next(reversed(self._active.values()), "")
            done = self._begun - len(self._active)
            number, noun = min(self._begun, self._total), self._noun
            nouns = noun if noun == "NAS" or self._total == 1 else f"{noun}s"
        parts = [self._verb, f"{number} of {self._total} {nouns}"]
        if took >= _GUESSED_FROM and 0 < done < self._total:
            parts.append(f"about {_minutes(took / done * (self._total - done))} left")
        if self._halted():
            parts = ["stopping", *parts[1:2]]
        return _cut("  ".join(part for part in (*parts, printable(at_work)) if part), self._width)

    def clear(self) -> None:
        """Take the line off the terminal."""
        with self._lock:
            if self._shown and self._stream is not None:
                self._write(_CLEAR)
                self._shown = False

    def above(self, text: str) -> None:
        """Write a log line above the progress line."""
        self.clear()
        with self._lock:
            self._write(text)

    def _keep_drawing(self, over: threading.Event) -> None:
        while not over.wait(_EVERY):
            text = self.line()
            if text:
                with self._lock:
                    self._write(_CLEAR + text)
                    self._shown = True

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()


class _Above(io.StringIO):
    """A stream for log lines that keeps them off the progress line."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def write(self, text: str) -> int:
        """Write text above the progress line."""
        self._progress.above(text)
        return len(text)


def progress(halted: Callable[[], bool], *, wanted: bool) -> Progress:
    """Return the progress of a pass: on stderr where that is a terminal and `wanted` says so."""
    stream = sys.stderr if wanted and output.draws(sys.stderr) else None
    return Progress(halted, stream, width=output.style(error=True).width)


def _minutes(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole} s"  # noqa: PLR2004


def _cut(text: str, width: int) -> str:
    """Shorten the line so that it never reaches the last column, where it would wrap."""
    while columns(text) >= width:
        text = text[:-1]
    return text
