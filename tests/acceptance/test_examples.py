"""The shipped examples, planned and applied against simulated units."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.fleet import Fleet, Run, plan_of
from reconciler.inventory.load import load_configuration
from reconciler.model import Kind, Severity
from reconciler.planning.plan import Create, SetAttributes, State, Sync
from reconciler.policy.load import load_policies, read_texts
from reconciler.policy.select import unmatched
from reconciler.simulator import Nas, Simulator
from reconciler.simulator.clock import Clock
from reconciler.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.execute import UnitOutcome
    from reconciler.inventory.model import Configuration
    from reconciler.planning.plan import Plan, TargetPlan, UnitPlan

_ROOT = Path(__file__).parents[2]
_POLICIES = _ROOT / "policies"
_ABSENT_UNITS = ["loft", "shed", "branch-*"]
_NOON = "2026-11-23T12:00:04+01:00"
_TAGS = {"attic": "home", "hq-1": "zurich", "hq-2": "zurich", "vm-1": "zurich", "files-1": "bern"}


class _SimulatedClock:
    """The shared clock of all simulated units; waiting moves it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def time(self) -> float:
        """Return the simulated time."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Return the machine's monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Move the simulated clock on."""
        self._clock.advance(seconds)


def _attic(nas: Nas) -> None:
    for name in ("homes", "documents", "photos", "media", "media-music", "media-cache"):
        nas.add_share(name)


def _headquarters(nas: Nas) -> None:
    for name in ("erp-ledger", "erp-stock", "erp-scratch", "payroll", "departments", "team-a"):
        nas.add_share(name)
    for name in ("erp-ledger", "erp-stock", "payroll"):
        nas.add_plan(name, remote_host="DR-1")
    nas.share("erp-ledger").add_snapshot("2026-09-15T08:00:00+02:00", "before the closing")
    nas.share("erp-ledger").add_snapshot("2026-10-01T00:00:00+02:00", "after September")


def _second(nas: Nas) -> None:
    for name in ("design", "departments"):
        nas.add_share(name)


def _hypervisors(nas: Nas) -> None:
    for name in ("vmware-ds1", "vmware-ds2", "vmware-test1", "backup-repository"):
        nas.add_lun(name)


def _file_server(nas: Nas) -> None:
    for name in ("projects", "archive"):
        nas.add_share(name)
        nas.add_plan(name, remote_host="dr-1")


_FURNISH: dict[str, Callable[[Nas], None]] = {
    "attic": _attic,
    "hq-1": _headquarters,
    "hq-2": _second,
    "vm-1": _hypervisors,
    "files-1": _file_server,
}


@contextmanager
def _fleet(folder: Path) -> Iterator[tuple[dict[str, Nas], Clock, Configuration]]:
    """Serve the units the examples speak of, and load a configuration that names them."""
    clock = Clock.frozen(_NOON)
    units: dict[str, Nas] = {}
    lines = ["version: 1", f"policies: {_POLICIES}", "nas:"]
    with ExitStack() as served:
        for number, (name, furnish) in enumerate(_FURNISH.items()):
            nas = Nas(name=name, serial=f"2150EXAMPLE{number}", clock=clock)
            furnish(nas)
            sim = served.enter_context(Simulator(nas))
            lines += [
                f"  {name}:", f"    url: {sim.url}", f"    account: {nas.account}",
                f"    password: {{env: {number}_PASSWORD}}",
                f'    tls: {{fingerprint: "{sim.fingerprint}"}}',
                f"    tags: {{site: {_TAGS[name]}}}",
            ]  # fmt: skip
            units[name] = nas
        path = folder / "reconciler.yaml"
        path.write_text("\n".join(lines), encoding="utf-8")
        yield units, clock, load_configuration(path)


def _pass(configuration: Configuration, clock: Clock) -> tuple[Plan, Sequence[UnitOutcome]]:
    """Plan and apply one pass over every unit; return what was planned and what came of it."""
    policies = load_policies(_POLICIES, units=configuration.units, brakes=configuration.brakes)
    passwords = {f"{n}_PASSWORD": Nas().password for n in range(len(_FURNISH))}
    with (
        open_store(configuration.state, configuration.path.parent) as store,
        Fleet(
            Run(configuration, policies, _SimulatedClock(clock), passwords, "example", store),
            configuration.units,
            read_only=False,
        ) as fleet,
    ):
        looked = fleet.look()
        plan = plan_of(looked, created_at=int(clock.now()), revision=policies.revision)
        return plan, fleet.apply(looked)


def _target(plan: Plan, unit: str, name: str) -> TargetPlan:
    found: UnitPlan = next(one for one in plan.units if one.nas == unit)
    return next(target for target in found.targets if target.name == name)


def test_examples_converge(tmp_path: Path) -> None:
    """A first pass of the shipped examples does all that is due; a second one plans nothing."""
    with _fleet(tmp_path) as (_, clock, configuration):
        first, outcomes = _pass(configuration, clock)
        assert [unit.problem for unit in first.units] == [""] * len(_FURNISH)
        assert not any(one.failed for one in outcomes)
        made = sorted(
            (unit.nas, target.name)
            for unit in first.units
            for target in unit.targets
            for action in target.actions
            if isinstance(action.change, Create)
        )
        assert made == [
            ("attic", "documents"), ("attic", "homes"), ("attic", "media"),
            ("attic", "media-music"), ("attic", "photos"),
            ("files-1", "archive"), ("files-1", "projects"),
            ("hq-1", "departments"), ("hq-1", "erp-ledger"), ("hq-1", "erp-stock"),
            ("hq-1", "payroll"), ("hq-1", "team-a"),
            ("hq-2", "departments"), ("hq-2", "design"),
            ("vm-1", "backup-repository"), ("vm-1", "vmware-ds1"), ("vm-1", "vmware-ds2"),
        ]  # fmt: skip
        synced = {
            (unit.nas, target.name)
            for unit in first.units
            for target in unit.targets
            for action in target.actions
            if isinstance(action.change, Sync)
        }
        assert synced == {
            ("hq-1", "erp-ledger"), ("hq-1", "erp-stock"), ("hq-1", "payroll"),
            ("files-1", "projects"),
        }  # fmt: skip
        second, _ = _pass(configuration, clock)
        assert [str(action) for action in second.actions] == []
        clock.advance(60)
        third, _ = _pass(configuration, clock)
        assert [str(action) for action in third.actions] == []


def test_examples_states(tmp_path: Path) -> None:
    """After the syncs every selected target is compliant, but one that awaits its window."""
    with _fleet(tmp_path) as (_, clock, configuration):
        _pass(configuration, clock)
        clock.advance(60)
        plan, _ = _pass(configuration, clock)
        states = {
            (unit.nas, target.name): target.state for unit in plan.units for target in unit.targets
        }
        assert states.pop(("files-1", "archive")) is State.LATE
        for unmanaged in (("attic", "media-cache"), ("hq-1", "erp-scratch"),
                          ("vm-1", "vmware-test1")):  # fmt: skip
            assert states.pop(unmanaged) is State.UNMANAGED
        assert set(states.values()) == {State.COMPLIANT}, states


def test_example_promises(tmp_path: Path) -> None:
    """What the examples promise stands on the units: WORM, locks, owners, holds."""
    with _fleet(tmp_path) as (units, clock, configuration):
        plan, _ = _pass(configuration, clock)
        assert _target(plan, "hq-1", "erp-ledger").policy == "erp-ledger"
        assert _target(plan, "hq-1", "erp-stock").policy == "erp"
        ledger = units["hq-1"].share("erp-ledger")
        assert [(s.description, s.locked) for s in ledger.snapshots[:2]] == [
            ("before the closing [reconciler/erp-ledger adopted lock]", True),
            ("after September", False),
        ]
        assert [
            s.immutable_days for s in ledger.snapshots if "erp-ledger 2026" in s.description
        ] == [30]
        assert units["attic"].share("photos").snapshots[-1].immutable_days == 7
        assert units["attic"].share("homes").snapshots[-1].locked
        assert units["vm-1"].lun("backup-repository").snapshots[-1].locked
        assert any(isinstance(a.change, SetAttributes) for a in plan.actions)


def test_examples_are_quiet(tmp_path: Path) -> None:
    """The examples load as one set without an error or a warning, and each entry matches."""
    with _fleet(tmp_path) as (units, _, configuration):
        policies = load_policies(_POLICIES, units=configuration.units)
        loud = [f.text for f in policies.findings if f.severity is not Severity.NOTE]
        assert set(loud) == {f"`{name}` fits no unit of the inventory" for name in _ABSENT_UNITS}
        known = {
            name: [
                *((Kind.SHARE, share.name, share.uuid) for share in nas.shares),
                *((Kind.LUN, lun.name, lun.uuid) for lun in nas.luns),
            ]
            for name, nas in units.items()
        }
        assert unmatched(policies, known, configuration.units) == ()


@pytest.mark.parametrize("path", sorted(read_texts(_POLICIES)))
def test_example_names_its_schema(path: str) -> None:
    """The first line of each example names the published schema by a path that exists."""
    first = Path(path).read_text(encoding="utf-8").splitlines()[0]
    prefix = "# yaml-language-server: $schema="
    assert first.startswith(prefix)
    schema = (Path(path).parent / first.removeprefix(prefix)).resolve()
    assert schema == (_ROOT / "schemas" / "policy.schema.json").resolve()
