"""`explain` against files, on the demo's NAS as its policies left it: a golden file each."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.cli.demo import SimulatedClock
from reconciler.cli.demo import _write as write_demo
from reconciler.cli.settings import Settings
from reconciler.fleet import Fleet
from reconciler.memory import UnitMemory
from reconciler.model import Place
from reconciler.planning.unit import foresee, plan_one, situate
from reconciler.policy.model import Hold, Pattern, Selector
from reconciler.report.explain import render_target
from reconciler.report.style import Style
from reconciler.simulator import Simulator
from reconciler.simulator.attic import attic

sys.path.insert(0, str(Path(__file__).parent))

import plans

if TYPE_CHECKING:
    from reconciler.planning.plan import TargetPlan
    from reconciler.reconcile import Looked


LATER = plans.NOW + 270


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """Run the demo's first pass, and read its NAS some minutes after noon."""
    nas = attic()
    folder = tmp_path_factory.mktemp("attic")
    with pytest.MonkeyPatch.context() as patch, Simulator(nas) as sim:
        patch.chdir(folder)
        write_demo(folder, sim)
        settings = Settings("reconciler.yaml", SimulatedClock(nas))
        settings.store.keep(UnitMemory("attic", founded=True))
        run, units = settings.run(settings.policies()), settings.configuration.units
        with Fleet(run, units, read_only=False) as fleet:
            fleet.apply(fleet.look())
        with Fleet(run, units, now=LATER) as fleet:
            return fleet.look()[0]


def with_hold(looked: Looked) -> Looked:
    """Return the same reading under a hold over the September of documents."""
    hold = Hold(
        "case-2026-014", "LEGAL-2211", Place("policies/holds.yaml", 3),
        shares=Selector((Pattern("documents", Place("policies/holds.yaml", 6)),)),
        taken_after=plans.at("2026-10-26T00:00"), taken_before=plans.at("2026-11-01T00:00"),
    )  # fmt: skip
    wish = looked.wish
    held = replace(wish, policies=replace(wish.policies, holds=(hold,)))
    return replace(looked, wish=held)


def explained(looked: Looked, name: str) -> tuple[TargetPlan, dict[str, Any]]:
    """Plan one target of the reading and run it forward; return it and what rendering needs."""
    observation = looked.observation
    assert observation is not None
    target = next(t for t in observation.targets if t.name == name)
    plan = next(t for t in looked.plan.targets if t.name == name)
    if looked.wish.policies.holds:
        plan = plan_one(looked.wish, target, situate(looked.wish, observation))
    policy = next(p for p in looked.wish.policies.policies if p.name == plan.policy)
    outlook = foresee(looked.wish, observation, plan)
    return plan, {"policy": policy, "outlook": outlook, "now": LATER, "nas": "attic"}


@pytest.mark.parametrize("width", [100, 80])
@pytest.mark.parametrize("name", ["documents", "photos", "vmware-ds1"])
def test_a_target_is_explained_as_its_golden_file(looked: Looked, name: str, width: int) -> None:
    """What keeps each snapshot and when it goes at the earliest, and where the policy says so."""
    plan, shown = explained(looked, name)
    text = render_target(plan, style=Style(width=width), **shown)
    plans.golden(f"explain-{name}-{width}", text)
    assert max(len(line) for line in text.splitlines()) <= width


def test_what_is_on_hold_goes_when_the_hold_ends(looked: Looked) -> None:
    """Under a hold no date is promised: the hold's end decides, and it is named."""
    plan, shown = explained(with_hold(looked), "documents")
    text = render_target(plan, style=Style(width=100), **shown)
    plans.golden("explain-documents-hold", text)
    assert text.count("when case-2026-014 ends") >= 1


def test_explaining_verbosely_lists_every_snapshot_and_default(looked: Looked) -> None:
    """`-v` gives each snapshot its own row, and shows the values that nobody wrote."""
    plan, shown = explained(looked, "documents")
    text = render_target(plan, style=Style(width=100, verbose=True), **shown)
    plans.golden("explain-documents-verbose", text)
    table = text.partition("taken (")[2].partition("\n\n")[0].splitlines()
    taken = [line for line in table if not line.startswith("   ")]
    assert len(taken) == 1 + len(plan.snapshots) + len(["not ours"])
