"""`reconcile daemon`: the long-running loop, wired to this machine."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.cli.exits import Exit
from reconciler.cli.halt import Halt
from reconciler.cli.settings import run_identifier
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from reconciler.cli.settings import Settings
    from reconciler.daemon.loop import Loop
    from reconciler.daemon.source import InForce
    from reconciler.daemon.timetable import Scheduler
    from reconciler.daemon.web import Server
    from reconciler.inventory.model import Configuration
    from reconciler.sessions import Sessions

_SIGN_OUT_SECONDS = 4.0


class _Asked(Watch):
    """Passes on whether somebody asked to stop."""

    def __init__(self, halt: Halt) -> None:
        self._halt = halt

    def halted(self) -> bool:
        """Whether nothing new may begin."""
        return self._halt.asked()


class _HangUp:
    """SIGHUP as a request to read the files anew."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def asked(self) -> bool:
        """Whether one came since the last question."""
        found = self._asked.is_set()
        self._asked.clear()
        return found

    @contextmanager
    def heeding(self) -> Iterator[None]:
        """Inside, SIGHUP only sets a flag; outside the main thread nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGHUP, self._heard)
        try:
            yield
        finally:
            signal.signal(signal.SIGHUP, before)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._asked.set()


@click.command(name="daemon")
@click.pass_obj
def command(settings: Settings) -> int:
    """Run for years: a pass over each NAS whenever something is due, until SIGTERM.

    Files are read anew when they change and on SIGHUP; an invalid revision is refused, and the one
    before stays in force. SIGTERM finishes the write under way, signs out and ends within 15 s.
    """
    from reconciler.daemon.serve import Pulse, Signals, serve, settle, status_line
    from reconciler.daemon.systemd import Systemd
    from reconciler.daemon.timetable import Scheduler
    from reconciler.dsm import SystemClock

    halt, hang_up = Halt(), _HangUp()
    timetable, clock = Scheduler(), settings.clock or SystemClock()
    systemd, pulse = Systemd(os.environ), Pulse(clock.monotonic())
    with halt.heeding(), hang_up.heeding():
        loop, sessions = _wired(settings, timetable, halt)
        server = _server(settings, loop, lambda: clock.monotonic() - pulse.last)
        loop.start()
        timetable.start()
        server.start()
        systemd.ready(status_line(loop))
        serve(loop, Signals(halt.wait, hang_up.asked), systemd, clock=clock, pulse=pulse)
        systemd.stopping()
        timetable.stop()
        ended = settle(loop, clock=clock)
        server.stop()
        _leave(sessions, ended=ended)
    return Exit.DONE


def _wired(settings: Settings, timetable: Scheduler, halt: Halt) -> tuple[Loop, Sessions]:
    from reconciler.daemon.loop import Loop, Means
    from reconciler.daemon.serve import Leaving
    from reconciler.daemon.source import Files
    from reconciler.daemon.telling import Teller
    from reconciler.dsm import SystemClock
    from reconciler.sessions import Sessions

    watch = _Asked(halt)
    clock = Leaving(settings.clock or SystemClock(), halt.asked)
    sessions = Sessions(
        clock=clock, environment=os.environ, latches=settings.store, read_only=False,
        watch=watch, lasting=True,
    )  # fmt: skip
    teller = Teller(settings.store, os.environ)

    def soon(name: str, call: Callable[[], None]) -> None:
        """Let it be done beside the pass: a channel that does not answer delays none."""
        timetable.at(name, clock.time(), call)

    def in_force() -> Configuration:
        known = board.now().in_force
        return settings.configuration if known is None else known.configuration

    means = Means(
        source=Files(lambda: _read(settings)),
        timetable=timetable,
        sessions=sessions,
        store=settings.store,
        clock=clock,
        watch=watch,
        environment=os.environ,
        identify=run_identifier,
        began=lambda nas: soon(f"began {nas}", lambda: teller.began(in_force(), nas)),
        ended=lambda nas: soon(f"ended {nas}", lambda: teller.ended(
            in_force(), nas, failed=nas in board.now().units and board.now().units[nas].failed
        )),
        tell=lambda: soon("tell", lambda: teller.tell(board.now(), now=clock.time(), watched=True)),
    )  # fmt: skip
    loop = Loop(means)
    board = loop.board
    return loop, sessions


def _server(settings: Settings, loop: Loop, still: Callable[[], float]) -> Server:
    """Bind what `daemon.listen` says; raises UserError or PermanentError."""
    from reconciler.daemon.web import Server, address, application
    from reconciler.inventory.secrets import read_secret

    wanted = settings.configuration.daemon
    token = "" if wanted.token is None else read_secret(wanted.token, environment=os.environ)
    at = address(wanted.listen, token)
    return Server(application(loop.board, still, at), at)


def _read(settings: Settings) -> InForce:
    from reconciler.daemon.source import InForce
    from reconciler.daemon.telling import check

    settings.reread()
    check(settings.configuration)
    return InForce(settings.configuration, settings.policies())


def _leave(sessions: Sessions, *, ended: bool) -> None:
    """Sign out of every unit; end the process at once where a unit does not answer any more."""
    from reconciler.fleet import sign_out

    leaving = threading.Thread(target=sign_out, args=(sessions,), daemon=True)
    leaving.start()
    leaving.join(_SIGN_OUT_SECONDS)
    if leaving.is_alive() or not ended:
        # The interpreter would wait for the threads; what they were at stands in the trail.
        click.echo("ended without an answer from every NAS; the next start settles it", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(Exit.FAILED)
