"""`reconcile demo`: the main job end to end, against a simulated NAS over HTTPS."""

from __future__ import annotations

import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.exits import Exit
from reconciler.cli.settings import Settings
from reconciler.fleet import Fleet, plan_of
from reconciler.memory import UnitMemory
from reconciler.planning.plan import Create

if TYPE_CHECKING:
    from reconciler.planning.plan import Plan
    from reconciler.simulator import Nas, Simulator

_POLICIES = "demo.yaml"


class SimulatedClock:
    """The simulated NAS's clock as the reconciler's own; waiting moves it instead of the demo."""

    def __init__(self, nas: Nas) -> None:
        self._nas = nas

    def time(self) -> float:
        """Return the simulated time."""
        return self._nas.clock.now()

    def monotonic(self) -> float:
        """Return the machine's monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Move the simulated clock on."""
        self._nas.clock.advance(seconds)


@click.command(name="demo")
@click.option("-v", "verbose", is_flag=True, help="List what is folded.")
def command(*, verbose: bool) -> int:
    """Plan, apply and plan again on a simulated NAS; nothing of yours is touched."""
    from reconciler.simulator import Simulator
    from reconciler.simulator.attic import attic

    nas = attic()
    with tempfile.TemporaryDirectory(prefix="reconcile-demo-") as name, Simulator(nas) as sim:
        folder = Path(name)
        _write(folder, sim)
        settings = Settings(str(folder / "reconciler.yaml"), SimulatedClock(nas))
        settings.store.keep(UnitMemory(nas.name, founded=True))
        output.show("$ reconcile --dry-run")
        first = _plan(settings)
        output.show(_shown(first, verbose=verbose, command="reconcile"))
        output.show("\n$ reconcile --yes")
        failed = _apply(settings, verbose=verbose)
        output.show("\n$ reconcile --dry-run")
        second = _plan(settings)
        output.show(_shown(second, verbose=verbose, command=""))
        settings.close()
    output.show(_CLOSING)
    left = any(isinstance(a.change, Create) or a.stopped_by is None for a in second.actions)
    return Exit.FAILED if failed or left else Exit.DONE


_CLOSING = """
The NAS was simulated, its clock at noon of Mon 23 Nov 2026. For your own:
  reconcile init https://NAS:5001"""


def policy_text() -> str:
    """Return the demo's policies, which the README shows."""
    return (files("reconciler.cli") / _POLICIES).read_text(encoding="utf-8")


def _write(folder: Path, sim: Simulator) -> None:
    nas = sim.nas
    (folder / "policies").mkdir()
    (folder / "policies" / "home.yaml").write_text(policy_text(), encoding="utf-8")
    secret = folder / "attic.password"
    secret.touch(mode=0o600)
    secret.write_text(nas.password, encoding="utf-8")
    (folder / "reconciler.yaml").write_text(
        f"version: 1\nnas:\n  {nas.name}:\n    url: {sim.url}\n    account: {nas.account}\n"
        f"    password: {{file: attic.password}}\n    timezone: {nas.zone}\n"
        f'    tls: {{fingerprint: ["{sim.fingerprint}"]}}\n',
        encoding="utf-8",
    )


def _plan(settings: Settings) -> Plan:
    policies = settings.policies()
    run = settings.run(policies)
    with Fleet(run, settings.configuration.units) as fleet:
        return plan_of(fleet.look(), created_at=int(run.clock.time()), policies=policies)


def _apply(settings: Settings, *, verbose: bool) -> bool:
    from reconciler.report.outcome import render_text

    policies = settings.policies()
    run = settings.run(policies)
    with Fleet(run, settings.configuration.units, read_only=False) as fleet:
        looked = fleet.look()
        plan = plan_of(looked, created_at=int(run.clock.time()), policies=policies)
        outcomes = fleet.apply(looked)
    output.show(render_text(plan, outcomes, style=output.style(verbose=verbose)))
    return any(outcome.failed for outcome in outcomes)


def _shown(plan: Plan, *, verbose: bool, command: str) -> str:
    from reconciler.report.text import render_plan

    style = output.style(verbose=verbose)
    return render_plan(plan, style=style, wrote=None, command=command)
