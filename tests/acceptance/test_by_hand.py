"""A table of 42 retention rows over two units, and the twenty lines of YAML that say the same."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.duration import DAY
from reconciler.fleet import Fleet, Run, plan_of
from reconciler.inventory.load import load_configuration
from reconciler.model import Kind, Severity
from reconciler.planning.plan import Create
from reconciler.policy.load import load_policies
from reconciler.policy.select import owner
from reconciler.retention import ALL, Keep
from reconciler.simulator import Nas, Simulator
from reconciler.simulator.clock import Clock
from reconciler.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.inventory.model import Configuration
    from reconciler.policy.model import PolicySet

_POLICY = Path(__file__).parents[2] / "policies" / "by-hand.yaml"
_TABLE = Path(__file__).parent / "by_hand.csv"
_ROWS = list(csv.DictReader(_TABLE.read_text(encoding="utf-8").splitlines()))
_UNITS = ("loft", "shed")
_NOON = "2026-11-23T12:00:04+01:00"


def _keep(row: dict[str, str]) -> Keep:
    """Return what a row of the table keeps: counts, and `all-days` as a length."""
    counts = {
        rule: ALL if row[rule] == "all" else int(row[rule])
        for rule in ("hourly", "daily", "weekly", "monthly", "yearly")
    }
    return Keep(within=int(row["all-days"]) * DAY, **counts)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Configuration, Clock]]:
    """Serve the two units with the shares of the table, and load a configuration of them."""
    clock = Clock.frozen(_NOON)
    lines = ["version: 1", "nas:"]
    with ExitStack() as stack:
        for name in _UNITS:
            nas = Nas(name=name, serial=f"2150BYHAND{name}", clock=clock)
            for row in _ROWS:
                if row["unit"] == name:
                    nas.add_share(row["share"])
            sim = stack.enter_context(Simulator(nas))
            lines += [f"  {name}:", f"    url: {sim.url}", f"    account: {nas.account}",
                      "    password: {env: SECRET}",
                      f'    tls: {{fingerprint: "{sim.fingerprint}"}}']  # fmt: skip
        path = tmp_path / "reconciler.yaml"
        path.write_text("\n".join(lines), encoding="utf-8")
        yield load_configuration(path), clock


def _load(configuration: Configuration) -> PolicySet:
    return load_policies(_POLICY, units=configuration.units, brakes=configuration.brakes)


def test_it_takes_at_most_thirty_lines_and_is_clean(
    served: tuple[Configuration, Clock],
) -> None:
    """Forty-two rows are said in at most 30 lines, without an error or a warning."""
    assert len(_ROWS) == 42
    assert len(_POLICY.read_text(encoding="utf-8").splitlines()) <= 30
    findings = _load(served[0]).findings
    assert [f.text for f in findings if f.severity is not Severity.NOTE] == []


def test_each_row_is_kept_as_the_table_says(served: tuple[Configuration, Clock]) -> None:
    """For each share of each unit the effective rules and minimum are those of its row."""
    configuration, _ = served
    policies = _load(configuration)
    units = {unit.name: unit for unit in configuration.units}
    for row in _ROWS:
        unit = units[row["unit"]]
        owned = owner(policies, unit, Kind.SHARE, row["share"], "", only_unit=False)
        assert owned.contenders == (), row
        assert owned.policy is not None, row
        assert owned.policy.keep == _keep(row), row
        assert owned.policy.min_keep == int(row["minimum"]), row


def test_a_pass_over_both_units_takes_one_of_each(
    served: tuple[Configuration, Clock], tmp_path: Path
) -> None:
    """Planned against units that hold those shares: each gets its first snapshot, none is lost."""
    configuration, clock = served
    policies = _load(configuration)
    secrets = {"SECRET": Nas().password}
    with (
        open_store("sqlite:///state.db", tmp_path) as store,
        Fleet(
            Run(configuration, policies, _Still(clock), secrets, "by-hand", store),
            configuration.units,
        ) as fleet,
    ):
        plan = plan_of(fleet.look(), created_at=int(clock.now()), revision="")
    assert [unit.problem for unit in plan.units] == ["", ""]
    made = [
        (unit.nas, target.name)
        for unit in plan.units
        for target in unit.targets
        for action in target.actions
        if isinstance(action.change, Create)
    ]
    assert sorted(made) == sorted((row["unit"], row["share"]) for row in _ROWS)
    assert len(plan.actions) == len(_ROWS)


class _Still:
    """The units' clock as the reconciler's own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def time(self) -> float:
        """Return the simulated time."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Return the simulated time too: nothing here waits."""
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Move the simulated clock on."""
        self._clock.advance(seconds)
