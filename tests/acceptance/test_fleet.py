"""A provider with 150 customers' units: one run over all of them, four of them in trouble."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.cli.root import reconcile
from reconciler.cli.settings import Settings
from reconciler.memory import UnitMemory
from reconciler.report.layout import columns
from reconciler.simulator import Nas, Simulator
from reconciler.simulator.clock import Clock
from reconciler.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

UNITS = 150
NOON = datetime(2026, 11, 23, 11, 0, 4, tzinfo=UTC)
NO_SECRET, REPLACED, UNREACHABLE, WRONG_CLOCK = "acme-017", "acme-058", "acme-101", "acme-140"
TROUBLED = (NO_SECRET, REPLACED, UNREACHABLE, WRONG_CLOCK)
PASSWORD = "of-one-simulated-unit"
GOLDEN = Path(__file__).parents[1] / "golden"
CONFIGURATION = """\
version: 1
nas_defaults:
  account: svc-snapshots
  password: {file: "secrets/{name}.password"}
  timezone: Europe/Zurich
nas: inventory/
"""
POLICY = """\
version: 1
policies:
  - name: customers
    nas: [customer=acme]
    shares: [data, homes]
    every: 1h
    keep: {last: 5}
"""


class StandingClock:
    """The reconciler's own clock at noon; waiting takes no time."""

    def time(self) -> float:
        """Return noon."""
        return NOON.timestamp()

    def monotonic(self) -> float:
        """Return a clock that stands still."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Wait for nothing."""


@dataclass
class Ran:
    """One run of the command: exit code, what it printed, what it remarked."""

    code: int
    out: str
    err: str


@dataclass
class Customers:
    """The folder of a provider, and the simulated units that it speaks of."""

    folder: Path
    units: dict[str, Simulator]
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Ran:
        """Run `reconcile` over them at noon."""
        settings = Settings("reconciler.yaml", StandingClock())
        code = reconcile.main(list(arguments), obj=settings, standalone_mode=False)
        printed = self.capture.readouterr()
        return Ran(code or 0, printed.out, printed.err)

    def taken(self) -> dict[str, list[int]]:
        """Return how many snapshots each unit's shares hold."""
        return {
            name: [len(share.snapshots) for share in sim.nas.shares]
            for name, sim in self.units.items()
        }

    def signed_in(self) -> list[str]:
        """Name the units on which a session was left open."""
        return [
            name
            for name, sim in self.units.items()
            if any(session.ended is None for session in sim.nas.sessions.values())
        ]


def unit(name: str, number: int) -> Nas:
    """Return a small unit: two shares with five hourly snapshots, the sixth is due."""
    nas = Nas(name=name, serial=f"21A0CME{number:03d}", clock=Clock.frozen(NOON), password=PASSWORD)
    for share in ("data", "homes"):
        made = nas.add_share(share)
        for hours in range(5, 0, -1):
            due = NOON.replace(second=0) - timedelta(hours=hours)
            made.add_snapshot(
                due + timedelta(seconds=2), f"[reconciler/customers {due:%Y%m%dT%H%MZ}]"
            )
    nas.add_share("scratch")
    return nas


def inventory(units: dict[str, Simulator]) -> str:
    """Write the units as a file of the inventory's folder."""
    lines = []
    for number, (name, sim) in enumerate(units.items()):
        serial = "2190REMOVED" if name == REPLACED else sim.nas.serial
        lines += [
            f"{name}:", f"  url: {sim.url}", f"  serial: {serial}",
            f"  tags: {{customer: acme, site: {'zurich' if number % 2 else 'basel'}}}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


@pytest.fixture
def customers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Customers]:
    """Set up 150 units in one process, over plain HTTP on loopback, in four files."""
    monkeypatch.chdir(tmp_path)
    names = [f"acme-{number:03d}" for number in range(1, UNITS + 1)]
    units = {n: Simulator(unit(n, i), tls=False) for i, n in enumerate(names)}
    units[WRONG_CLOCK].nas.clock.advance(7 * 60)
    for folder in ("policies", "inventory", "secrets"):
        (tmp_path / folder).mkdir()
    with ExitStack() as running:
        for sim in units.values():
            running.enter_context(sim)
        (tmp_path / "reconciler.yaml").write_text(CONFIGURATION, encoding="utf-8")
        (tmp_path / "policies" / "customers.yaml").write_text(POLICY, encoding="utf-8")
        for part in range(4):
            some = {n: units[n] for n in names[part * 40 : (part + 1) * 40]}
            path = tmp_path / "inventory" / f"{part}.yaml"
            path.write_text(inventory(some), encoding="utf-8")
        (tmp_path / "inventory" / "other.yaml").write_text(
            "elsewhere:\n  url: http://127.0.0.1:9\n  tags: {customer: other}\n", encoding="utf-8"
        )
        for name in names:
            if name != NO_SECRET:
                secret = tmp_path / "secrets" / f"{name}.password"
                secret.touch(mode=0o600)
                secret.write_text(PASSWORD, encoding="utf-8")
        units[UNREACHABLE].stop()
        with open_store("sqlite:///state.db", tmp_path) as store:
            for name in names:
                store.keep(UnitMemory(name, founded=True))
        yield Customers(tmp_path, units, capsys)


def settled(text: str, customers: Customers) -> str:
    """Return a screen with the one port that differs from run to run written alike."""
    return text.replace(str(customers.units[UNREACHABLE].port), "5000")


def golden(name: str, text: str) -> None:
    """Compare a screen with its golden file, or write it where UPDATE_GOLDEN=1 asks for it."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text("utf-8")


def test_150_units_are_one_run(customers: Customers) -> None:
    """146 units are reconciled, four are named with their cures on one page, and the exit is 1."""
    plan = customers.run("--dry-run", "--nas", "customer=acme")
    golden("fleet-plan", settled(plan.out, customers))
    assert plan.code == 1
    assert set(map(tuple, customers.taken().values())) == {(5, 5, 0)}

    ran = customers.run("--yes", "--nas", "customer=acme")
    golden("fleet-outcome", settled(ran.out, customers))
    assert ran.code == 1
    taken = customers.taken()
    done = [name for name in taken if name not in TROUBLED]
    assert len(done) == 146
    assert {tuple(taken[name]) for name in done} == {(5, 5, 0)}
    newest = {customers.units[n].nas.shares[0].snapshots[-1].description for n in done}
    assert newest == {"[reconciler/customers 20261123T1100Z]"}
    assert taken[WRONG_CLOCK] == [6, 6, 0], "it is reconciled but for deletions"
    assert {tuple(taken[n]) for n in (NO_SECRET, REPLACED, UNREACHABLE)} == {(5, 5, 0)}
    for screen in (plan.out, ran.out):
        lines = screen.splitlines()
        assert len(lines) < 50
        assert max(columns(line) for line in lines) <= 100
        assert all(name in screen for name in TROUBLED)
    assert customers.signed_in() == []

    again = customers.run("--dry-run", "--detailed-exitcode", "-o", "json")
    document = json.loads(again.out)
    free = [a for t in document["targets"] for a in t["actions"] if not a["stopped_by"]]
    assert free == []
