"""A simulated NAS with a history, and passes over it through the real client over HTTP."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import structlog

from reconciler.cli.exits import worst
from reconciler.cli.run import codes_of
from reconciler.cli.settings import Settings
from reconciler.fleet import Fleet, plan_of
from reconciler.memory import UnitMemory
from reconciler.simulator import Fault, Nas, Simulator
from reconciler.simulator.clock import Clock
from reconciler.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from reconciler.execute import ActionOutcome, Result, UnitOutcome
    from reconciler.planning.plan import Plan, TargetPlan
    from reconciler.simulator import Lun, Share

NOON = "2026-11-23T12:00:04+01:00"
FIRST = datetime(2026, 11, 22, 23, tzinfo=UTC)
POLICY = """\
version: 1
defaults: {timezone: Europe/Zurich}
policies:
  - {name: hourly, shares: [alpha, beta], luns: [disk], every: 1h, keep: {last: 10}}
"""


class HandedClock:
    """The NAS's clock as the reconciler's own, `behind` seconds late; waiting moves it."""

    def __init__(self, nas: Nas) -> None:
        self._nas = nas
        self.behind = 0.0
        self.waited = 0.0

    def time(self) -> float:
        """Return the simulated time."""
        return self._nas.clock.now() - self.behind

    def monotonic(self) -> float:
        """Return how long was waited so far."""
        return self.waited

    def sleep(self, seconds: float) -> None:
        """Move the simulated clock on."""
        self.waited += seconds
        self._nas.clock.advance(seconds)


@dataclass(frozen=True)
class Pass:
    """What one pass planned, what came of it, and its exit code."""

    plan: Plan
    outcomes: Sequence[UnitOutcome]
    code: int

    @property
    def planned(self) -> list[str]:
        """The planned actions, stopped ones included."""
        return [
            f"{action.verb} {target.label}"
            for unit in self.plan.units
            for target in unit.targets
            for action in target.actions
        ]

    def target(self, label: str) -> TargetPlan:
        """Return the plan of one target."""
        return next(t for u in self.plan.units for t in u.targets if t.label == label)

    def ended(self, label: str, verb: str) -> list[ActionOutcome]:
        """Return the outcomes of one verb on one target."""
        return [
            outcome
            for unit in self.outcomes
            for target in unit.targets
            if target.label == label
            for outcome in target.outcomes
            if outcome.action.verb == verb
        ]

    def results(self, label: str, verb: str) -> list[Result]:
        """Return how the actions of one verb ended on one target."""
        return [outcome.result for outcome in self.ended(label, verb)]

    def codes(self, label: str) -> set[str]:
        """Return the codes of the findings that the pass made on one target."""
        return {
            finding.code
            for unit in self.outcomes
            for target in unit.targets
            if target.label == label
            for finding in target.findings
        }


@dataclass
class World:
    """One NAS, its simulator, and a folder with configuration and policies."""

    nas: Nas
    sim: Simulator
    folder: Path
    clock: HandedClock

    def policies(self, text: str) -> None:
        """Write the policy repository anew."""
        (self.folder / "policies" / "p.yaml").write_text(text, encoding="utf-8")

    def edit(self, old: str, new: str) -> None:
        """Write the usual policy with one change."""
        assert old in POLICY
        self.policies(POLICY.replace(old, new))

    @staticmethod
    def mark(hours: int) -> str:
        """Return the mark of the due time that many hours after the first one."""
        return mark(hours)

    def configure(self, more: str = "") -> None:
        """Write the configuration anew; `more` stands under the unit."""
        (self.folder / "reconciler.yaml").write_text(
            f"version: 1\nnas:\n  {self.nas.name}:\n    url: {self.sim.url}\n"
            f"    account: {self.nas.account}\n    password: {{file: password}}\n"
            f"    timezone: Europe/Zurich\n{more}",
            encoding="utf-8",
        )

        if not (self.folder / "state.db").exists():
            with open_store("sqlite:///state.db", self.folder) as store:
                store.keep(UnitMemory(self.nas.name, founded=True))

    def fault(self, kind: str, **settings: object) -> None:
        """Let something go wrong."""
        self.sim.inject(Fault(kind=kind, **settings))  # type: ignore[arg-type]

    def settings(self) -> Settings:
        """Return the command line's settings with the handed-in clock."""
        return Settings(str(self.folder / "reconciler.yaml"), self.clock)

    def run(self, meanwhile: Callable[[], None] | None = None) -> Pass:
        """Look, let something happen meanwhile, apply; as `reconcile --yes` does."""
        settings = self.settings()
        policies = settings.policies()
        run = settings.run(policies)
        with Fleet(run, settings.configuration.units, read_only=False) as fleet:
            looked = fleet.look()
            plan = plan_of(looked, created_at=int(self.clock.time()), policies=policies)
            if meanwhile is not None:
                meanwhile()
            outcomes = fleet.apply(looked)
        return Pass(plan, outcomes, worst(codes_of(plan, outcomes, detailed=False, dry=False)))

    def look(self) -> Plan:
        """Make a dry run, with a client that cannot write."""
        settings = self.settings()
        policies = settings.policies()
        with Fleet(settings.run(policies), settings.configuration.units) as fleet:
            return plan_of(fleet.look(), created_at=0, policies=policies)

    def calls(self, method: str, api: str = "") -> int:
        """Count the calls of a method so far, whatever came of them."""
        return sum(r.method == method and api in r.api for r in self.sim.requests)

    @contextmanager
    def writing(self) -> Iterator[list[str]]:
        """Yield a list that holds, at the end, the methods that asked for a change."""
        start = len(self.sim.requests)
        found: list[str] = []
        yield found
        found += [r.method for r in self.sim.requests[start:] if r.writes]

    def alone(self, share: str) -> None:
        """Leave one share and nothing else on the NAS that a policy speaks of."""
        self.nas.shares = [self.nas.share(share)]
        self.nas.luns = []
        self.edit("[alpha, beta], luns: [disk]", f"[{share}]")

    def assert_once(self) -> None:
        """Check that no due time has two snapshots."""
        for target in (*self.nas.shares, *self.nas.luns):
            counted = Counter(snapshot.description for snapshot in target.snapshots)
            assert {text: n for text, n in counted.items() if text and n > 1} == {}, target.name


def mark(hours: int, policy: str = "hourly") -> str:
    """Return the mark of the due time that many hours after the first one."""
    return f"[reconciler/{policy} {FIRST + timedelta(hours=hours):%Y%m%dT%H%MZ}]"


def furnish_share(share: Share, count: int = 12) -> None:
    """Give a share hourly snapshots from midnight on."""
    for hours in range(count):
        share.add_snapshot(FIRST + timedelta(hours=hours, seconds=1), mark(hours))


def furnish_lun(lun: Lun, count: int = 12) -> None:
    """Give a LUN hourly snapshots from midnight on."""
    for hours in range(count):
        moment = FIRST + timedelta(hours=hours)
        name = f"rec-{moment:%Y%m%dT%H%MZ}-{lun.uuid[:8]}"
        lun.add_snapshot(moment + timedelta(seconds=1), mark(hours), name=name,
                         taken_by="reconciler")  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet(_logging_as_shipped: None) -> None:
    """Write no logs: thousands of requests would, and the outcomes say what counts."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Set up a NAS at noon: two shares and a LUN, on each a creation and three deletions due."""
    nas = Nas(name="nas-1", clock=Clock.frozen(NOON))
    for name in ("alpha", "beta"):
        furnish_share(nas.add_share(name))
    furnish_lun(nas.add_lun("disk"))
    (tmp_path / "policies").mkdir()
    secret = tmp_path / "password"
    secret.touch(mode=0o600)
    secret.write_text(nas.password, encoding="utf-8")
    with Simulator(nas, tls=False) as sim:
        found = World(nas, sim, tmp_path, HandedClock(nas))
        found.configure()
        found.policies(POLICY)
        yield found
        alive = [session for session in nas.sessions.values() if session.ended is None]
        assert alive == [], "every session is signed out, also after an error"
