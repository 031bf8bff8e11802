"""`reconcile daemon`: the loop in simulated time, and the command as a process with signals."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.cli.settings import Settings
from reconciler.daemon.loop import Loop, Means
from reconciler.daemon.source import Files, InForce
from reconciler.fleet import sign_out
from reconciler.sessions import Sessions
from reconciler.simulator.clock import Clock
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Place

ROOT = Path(__file__).parents[2]
LONGEST = 30


@dataclass
class Hand:
    """A clock and a timetable that a test turns by hand."""

    now: float = field(default_factory=time.time)
    entries: dict[str, tuple[float, Callable[[], None]]] = field(default_factory=dict)
    stopped: bool = False

    def time(self) -> float:
        """Return the time it was turned to."""
        return self.now

    monotonic = time

    def sleep(self, seconds: float) -> None:
        """Turn on."""
        self.now += seconds

    def at(self, name: str, when: float, call: Callable[[], None]) -> None:
        """Keep an entry."""
        self.entries[name] = (when, call)

    def drop(self, name: str) -> None:
        """Take an entry out."""
        self.entries.pop(name, None)

    def turn(self) -> str:
        """Turn to the next entry and call it; return its name."""
        name = min(self.entries, key=lambda one: self.entries[one][0])
        when, call = self.entries.pop(name)
        self.now = max(self.now, when)
        call()
        return name


class Turned(Clock):
    """A NAS's clock that follows the hand."""

    def __init__(self, hand: Hand) -> None:
        super().__init__(hand.now)
        self.hand = hand

    def now(self) -> float:
        """Return the hand's time."""
        return self.hand.now


class Asked(Watch):
    """Asks to stop when the hand's owner does."""

    def __init__(self, hand: Hand) -> None:
        self.hand = hand

    def halted(self) -> bool:
        """Whether the test asked."""
        return self.hand.stopped


@pytest.fixture
def hand() -> Hand:
    """Return a clock to turn."""
    return Hand()


@pytest.fixture
def loop(place: Place, hand: Hand) -> Iterator[Loop]:
    """Return a loop over the place's NAS, in time that a test turns."""
    settings = Settings("reconciler.yaml")
    place.sim.nas.clock = Turned(hand)
    watch = Asked(hand)
    sessions = Sessions(
        clock=hand, environment={}, latches=settings.store, read_only=False, watch=watch,
        lasting=True,
    )  # fmt: skip

    def read() -> InForce:
        settings.reread()
        return InForce(settings.configuration, settings.policies())

    means = Means(
        source=Files(read), timetable=hand, sessions=sessions, store=settings.store, clock=hand,
        watch=watch, environment={}, identify=lambda: f"run-{hand.now}",
    )  # fmt: skip
    yield Loop(means, spread=lambda: 0.0)
    sign_out(sessions)
    settings.close()


def _taken(place: Place) -> int:
    return sum(len(share.snapshots) for share in place.sim.nas.shares)


def test_a_day_of_passes_meets_every_due_time(place: Place, loop: Loop, hand: Hand) -> None:
    """Over six hours each hourly due time gets its one snapshot, within seconds of it."""
    loop.start()
    began = hand.now
    while hand.now < began + 6 * 3600:
        hand.turn()
        known = loop.board.now().units["box"]
        assert not known.failed
        assert known.next_pass is not None
        assert known.next_pass - hand.now <= 330
    hours = int(hand.now // 3600 - began // 3600) + 1
    assert _taken(place) == 3 * hours
    assert sum(s.ended is None for s in place.sim.nas.sessions.values()) == 1


def test_an_unreachable_unit_is_tried_again_after_growing_waits(
    place: Place, loop: Loop, hand: Hand
) -> None:
    """1, 1, 2, 3, 5 s after each failure; its last good reading stays known."""
    loop.start()
    hand.turn()
    read = loop.board.now().units["box"].read
    assert read is not None
    place.sim.stop()
    waits = []
    for _ in range(6):
        hand.turn()
        known = loop.board.now().units["box"]
        waits.append(round((known.next_pass or 0) - (known.ended or 0)))
    assert waits == [1, 1, 2, 3, 5, 8]
    assert known.read == read
    assert known.memory is not None
    assert known.memory.clock is not None
    assert known.plan is not None
    assert known.plan.problem


def test_a_new_revision_comes_into_force_and_an_invalid_one_does_not(
    place: Place, loop: Loop, hand: Hand
) -> None:
    """Files that changed and settled are read anew at once; an invalid one is told and kept out."""
    loop.start()
    hand.turn()
    first = loop.board.now().in_force
    assert not loop.check()
    place.policy((place.folder / "policies/all.yaml").read_text().replace("1h", "2h"))
    assert not loop.check()
    assert loop.check()
    second = loop.board.now()
    assert second.in_force is not first
    assert hand.entries["box"][0] <= hand.now
    place.policy("version: 1\npolicies:\n  - name: all\n    shares: [")
    loop.check()
    assert not loop.check()
    third = loop.board.now()
    assert third.in_force is second.in_force
    assert "policies/all.yaml:4" in third.trouble
    hand.turn()
    assert not loop.board.now().units["box"].failed
    place.policy((place.folder / "policies/all.yaml").read_text().replace("[", '["*"]'))
    assert loop.check(asked=True)
    assert loop.board.now().trouble == ""


def test_a_unit_taken_out_of_the_inventory_is_signed_out_and_left_alone(
    place: Place, loop: Loop, hand: Hand
) -> None:
    """After a reload without it, a unit has no session, no entry and no place on the board."""
    loop.start()
    hand.turn()
    text = (place.folder / "reconciler.yaml").read_text()
    (place.folder / "reconciler.yaml").write_text(text.replace("  box:", "  other:"))
    assert loop.check(asked=True)
    assert set(loop.board.now().units) == {"other"}
    assert set(hand.entries) == {"other"}
    assert not any(s.ended is None for s in place.sim.nas.sessions.values())


def test_two_entries_of_one_unit_are_both_left_alone(place: Place, loop: Loop, hand: Hand) -> None:
    """P12: once both have been read neither is written to, though each has passes of its own."""
    text = (place.folder / "reconciler.yaml").read_text()
    entry = text.partition("nas:\n")[2]
    twin = entry.replace("box:", "twin:").replace(place.sim.url, place.sim.url + "/")
    (place.folder / "reconciler.yaml").write_text(text + twin)
    policy = (place.folder / "policies/all.yaml").read_text()
    place.policy(policy.replace("shares:", 'nas: "*"\n    shares:'))
    loop.start()
    assert {hand.turn(), hand.turn()} == {"box", "twin"}
    writes = len(place.sim.writes)
    for _ in range(30):
        hand.turn()
    assert len(place.sim.writes) == writes
    known = loop.board.now().units
    assert all("are one unit" in u.plan.problem for u in known.values() if u.plan is not None)


def test_after_a_request_to_stop_no_pass_is_begun(place: Place, loop: Loop, hand: Hand) -> None:
    """An entry that comes due after the request asks nothing of the NAS."""
    loop.start()
    hand.stopped = True
    before = place.sim.http_requests
    hand.turn()
    assert place.sim.http_requests == before
    assert hand.entries == {}


def _start(place: Place, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "--log-format", "json", "daemon"],
        cwd=place.folder, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def _wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < end, "it never came to this"
        select.select([], [], [], 0.02)


def test_signals_of_a_running_daemon(place: Place) -> None:
    """It tells systemd, reads anew on SIGHUP, and SIGTERM in a write finishes it and signs out."""
    place.configure(extra="daemon: {listen: '127.0.0.1:0'}\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(place.folder / "notify"))
        heard.settimeout(LONGEST)
        running = _start(place, {"NOTIFY_SOCKET": str(place.folder / "notify"),
                                 "WATCHDOG_USEC": "3000000"})  # fmt: skip
        try:
            assert heard.recv(4096).startswith(b"READY=1\nSTATUS=1 NAS, policies ")
            _wait_for(lambda: _taken(place) == 3)
            assert heard.recv(4096) == b"WATCHDOG=1"
            place.sim.nas.add_share("later")
            place.sim.nas.write_seconds = 1.0
            running.send_signal(signal.SIGHUP)
            said = b""
            while not said.startswith(b"READY=1"):
                said = heard.recv(4096)
                assert said.startswith((b"WATCHDOG=1", b"RELOADING=1", b"READY=1"))
            _wait_for(lambda: len(place.sim.writes) == 4)
            began = time.monotonic()
            running.send_signal(signal.SIGTERM)
            assert running.wait(LONGEST) == 0
            assert time.monotonic() - began < 15
        finally:
            running.kill()
            running.communicate()
    assert _taken(place) == 4
    assert not any(s.ended is None for s in place.sim.nas.sessions.values())
