"""Signals as a request to stop."""

from __future__ import annotations

import signal
import threading

import pytest

from reconciler.cli.halt import Halt


def test_the_first_signal_asks_and_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal asks to stop, further ones change nothing, and the handlers are put back."""
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    halt = Halt()
    with halt.heeding():
        assert not halt.asked()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert halt.asked()
    assert capsys.readouterr().err.count("stopping: ") == 1
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_signal_always_ends_an_open_question() -> None:
    """While a question is open every signal breaks off the wait, the second one too."""
    halt = Halt()
    with halt.heeding():
        for number in (signal.SIGTERM, signal.SIGINT):
            with halt.answering(), pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
        assert halt.asked()


def test_another_thread_leaves_signals_alone() -> None:
    """Outside the main thread, where no handler can be set, a run goes on without."""
    seen = []

    def run() -> None:
        with Halt().heeding() as halt:
            seen.append(halt.asked())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [False]
