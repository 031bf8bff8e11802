"""Ctrl-C and SIGTERM during a pass over several units: the real command, real signals."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.simulator import Fault, Nas, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
SHARES = ("a", "b", "c", "d")
LONGEST = 20


@dataclass
class Fleet:
    """Three simulated units and a folder that speaks of them."""

    folder: Path
    sims: list[Simulator]

    def start(self, *arguments: str, terminal: int | None = None) -> subprocess.Popen[str]:
        """Start `reconcile` as a process of its own, on a terminal where one is given."""
        stream = subprocess.PIPE if terminal is None else terminal
        return subprocess.Popen(  # noqa: S603  this interpreter and words of this test
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"},
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=stream,
            stderr=stream,
            text=True,
            start_new_session=True,
        )

    def wait_for(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of the units; fail after a minute."""
        end = time.monotonic() + LONGEST
        while not holds():
            assert time.monotonic() < end, "it never came to this"
            select.select([], [], [], 0.01)

    @property
    def creations(self) -> int:
        """How many creations the units were asked for."""
        return sum(r.method == "create" for sim in self.sims for r in sim.writes)

    @property
    def taken(self) -> int:
        """How many snapshots there are."""
        return sum(len(share.snapshots) for sim in self.sims for share in sim.nas.shares)

    @property
    def signed_in(self) -> int:
        """How many sessions are open."""
        return sum(s.ended is None for sim in self.sims for s in sim.nas.sessions.values())


def asleep(process: int) -> bool:
    """Whether the main thread of a process waits, as it does at a question."""
    return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "S"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Set up three units on which each creation takes a while."""
    (tmp_path / "policies").mkdir()
    lines = ["version: 1", "nas:"]
    with ExitStack() as running:
        sims = []
        for number in range(3):
            nas = Nas(name=f"nas-{number}", serial=f"21A0UNIT{number}")
            for share in SHARES:
                nas.add_share(share)
            sim = running.enter_context(Simulator(nas, tls=False))
            sim.inject(Fault(kind="delay", method="create", seconds=1.0, times=None))
            lines += [f"  {nas.name}:", f"    url: {sim.url}", f"    account: {nas.account}",
                      "    password: {file: password}"]  # fmt: skip
            sims.append(sim)
        (tmp_path / "reconciler.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (tmp_path / "policies" / "all.yaml").write_text(
            "version: 1\npolicies:\n"
            '  - {name: all, nas: ["*"], shares: ["*"], every: 1h, keep: {last: 9}}\n',
            encoding="utf-8",
        )
        secret = tmp_path / "password"
        secret.touch(mode=0o600)
        secret.write_text(nas.password, encoding="utf-8")
        yield Fleet(tmp_path, sims)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_write_under_way_end(fleet: Fleet, number: signal.Signals) -> None:
    """After a signal no write begins, each begun one is verified and told, all are signed out."""
    running = fleet.start("--yes")
    fleet.wait_for(lambda: fleet.creations >= 3)
    running.send_signal(number)
    asked = fleet.creations
    out, err = running.communicate(timeout=LONGEST)
    assert running.returncode == 1
    assert fleet.creations <= asked + len(fleet.sims), "at most what was just being sent"
    assert fleet.creations < len(fleet.sims) * len(SHARES)
    assert fleet.taken == fleet.creations
    assert f"{fleet.taken} created" in out
    assert "interrupted" in out
    assert "stopping: what is under way is brought to its end" in err
    assert fleet.signed_in == 0


def test_a_signal_while_units_are_read_writes_nothing(fleet: Fleet) -> None:
    """A run that is interrupted while it reads ends with 1, without a write, signed out."""
    for sim in fleet.sims:
        sim.inject(Fault(kind="delay", method="query", seconds=1.0, times=None))
    running = fleet.start("--yes")
    fleet.wait_for(lambda: any(r.method == "query" for s in fleet.sims for r in list(s.requests)))
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=LONGEST)
    assert running.returncode == 1
    assert "error: stopped" in err
    assert fleet.creations == 0
    assert fleet.signed_in == 0


def test_a_signal_breaks_off_a_list(fleet: Fleet) -> None:
    """A verb that only reads is broken off by SIGTERM too, and leaves no session behind."""
    for sim in fleet.sims:
        sim.inject(Fault(kind="delay", method="query", seconds=1.0, times=None))
    running = fleet.start("list", "shares")
    fleet.wait_for(lambda: any(r.method == "query" for s in fleet.sims for r in list(s.requests)))
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=LONGEST)
    assert (running.returncode, out) == (1, "")
    assert "error: stopped" in err
    assert fleet.signed_in == 0


def test_a_signal_at_the_question_ends_the_wait(fleet: Fleet) -> None:
    """On a terminal the question is asked once; a signal there applies nothing and signs out."""
    ours, theirs = pty.openpty()
    running = fleet.start(terminal=theirs)
    os.close(theirs)
    seen = b""
    while b"Apply 12 actions? [y/N]: " not in seen:
        ready, _, _ = select.select([ours], [], [], LONGEST)
        assert ready, seen
        seen += os.read(ours, 65536)
    assert fleet.signed_in == 3
    fleet.wait_for(lambda: asleep(running.pid))
    running.send_signal(signal.SIGTERM)
    assert running.wait(LONGEST) == 1
    os.close(ours)
    assert fleet.creations == 0
    assert fleet.signed_in == 0
