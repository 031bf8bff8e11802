"""The progress line: when it is shown, what it says, and that it disturbs nothing."""

from __future__ import annotations

import io
import threading

import pytest
import structlog

from reconciler.cli.progress import Progress


class Terminal(io.StringIO):
    """A terminal that remembers what it was sent, and lets a test wait for a drawn line."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = threading.Event()

    def write(self, text: str) -> int:
        """Remember the text."""
        if len(text) > len("\r\x1b[2K"):
            self.drawn.set()
        return super().write(text)


class Handed:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the moment."""
        return self.now


def shown(
    clock: Handed, *, width: int = 80, halted: bool = False, stream: io.StringIO | None = None
) -> Progress:
    """Return a progress without or with a terminal."""
    return Progress(lambda: halted, stream, width=width, clock=clock)


def test_a_short_pass_shows_nothing() -> None:
    """In its first second a pass shows no progress."""
    clock = Handed()
    progress = shown(clock)
    with progress.phase("reading", 3, "NAS"):
        progress.begins("attic")
        clock.now += 0.9
        assert progress.line() == ""
        clock.now += 0.2
        assert progress.line() == "reading  1 of 3 NAS  attic"


def test_the_line_says_how_far_it_is() -> None:
    """It names what is at work, how many of how many, and after a while the time left."""
    clock = Handed()
    progress = shown(clock)
    with progress.phase("reading", 150, "NAS"):
        for number in range(1, 51):
            progress.begins(f"nas-{number}")
            if number < 50:
                progress.ends(f"nas-{number}")
        clock.now += 49
        assert progress.line() == "reading  50 of 150 NAS  about 1:41 left  nas-50"
        progress.ends("nas-50")
        assert progress.line() == "reading  50 of 150 NAS  about 1:38 left"


def test_targets_are_counted_while_they_are_written_to() -> None:
    """Applying counts targets, not units: one large unit is the longest of passes."""
    clock = Handed()
    progress = shown(clock)
    with progress.phase("applying", 4, "target"):
        progress.begins("attic")
        progress.begins("attic", "share/a")
        progress.begins("attic", "share/b")
        clock.now += 2
        assert progress.line() == "applying  2 of 4 targets  attic/share/b"
        clock.now += 8
        assert progress.line() == "applying  2 of 4 targets  about 30 s left  attic/share/b"
    with progress.phase("applying", 1, "target"):
        progress.begins("attic", "share/a")
        clock.now += 2
        assert progress.line() == "applying  1 of 1 target  attic/share/a"


def test_a_name_steers_no_terminal_and_fits() -> None:
    """A name from a NAS is written out, and the line stays shorter than the terminal is wide."""
    clock = Handed()
    progress = shown(clock, width=50)
    with progress.phase("applying", 1, "target"):
        progress.begins("attic", "share/\x1b[2J" + "写" * 30)
        clock.now += 2
        line = progress.line()
    assert "\x1b" not in line
    assert "\\x1b[2J" in line
    assert len(line) < 50


def test_a_run_that_stops_says_so() -> None:
    """Once it was asked to stop, the line says that it is stopping."""
    clock = Handed()
    progress = shown(clock, halted=True)
    assert progress.halted()
    with progress.phase("reading", 3, "NAS"):
        progress.begins("attic")
        clock.now += 2
        assert progress.line() == "stopping  1 of 3 NAS  attic"


def test_nothing_is_left_behind() -> None:
    """The line is taken off at the end, and a log line meanwhile stands on a line of its own."""
    clock = Handed()
    terminal = Terminal()
    progress = shown(clock, stream=terminal)
    before = structlog.get_config()["logger_factory"]
    with progress.phase("reading", 3, "NAS"):
        progress.begins("attic")
        clock.now += 2
        assert terminal.drawn.wait(10)
        structlog.get_logger().warning("unit.unread", nas="attic")
    assert structlog.get_config()["logger_factory"] is before
    screen = screen_of(terminal.getvalue())
    assert [line for line in screen if "unit.unread" in line]
    assert not [line for line in screen if "reading" in line]


def test_without_a_terminal_nothing_is_drawn_and_no_error_hidden(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a terminal a phase neither draws nor touches the logs, and lets errors through."""
    progress = shown(Handed())
    before = structlog.get_config()["logger_factory"]
    with progress.phase("reading", 1, "NAS"):
        assert structlog.get_config()["logger_factory"] is before
    with pytest.raises(ValueError, match="x"), progress.phase("reading", 1, "NAS"):
        raise ValueError("x")
    assert capsys.readouterr().err == ""


def screen_of(sent: str) -> list[str]:
    """Return the lines that a terminal shows after such a text: each clearing empties the last."""
    shown_lines = [""]
    for part in sent.replace("\r\x1b[2K", "\0").splitlines(keepends=True):
        cleared = part.rpartition("\0")
        shown_lines[-1] = cleared[2] if cleared[1] else shown_lines[-1] + part
        if part.endswith("\n"):
            shown_lines.append("")
    return shown_lines
