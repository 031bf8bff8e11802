"""Units that are not the one that is meant, or that answer under two names (P12, P20)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import scenes

from reconciler.dsm import SystemClock
from reconciler.errors import Refusal, TargetError
from reconciler.execute import execute
from reconciler.execute.ground import Ground
from reconciler.fleet import _one_name_each
from reconciler.reconcile import apply, unread

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from bench import Bench


def first_pass(folder: Path) -> tuple[Bench, Any]:
    """Return a bench and what its first look found, after everything was done."""
    bench = scenes.bench(folder)
    looked, _ = bench.run()
    return bench, looked


def test_a_unit_of_another_serial(tmp_path: Path) -> None:
    """A unit that reports another serial than the inventory says has a problem and no targets."""
    bench = scenes.bench(tmp_path)
    bench.limits = {"serials": ("2150OTHER",)}  # type: ignore[dict-item]
    looked, outcome = bench.run()
    assert "serial 2150ABC123456, the inventory says 2150OTHER" in looked.plan.problem
    assert looked.plan.targets == ()
    assert outcome is None


def test_a_unit_without_a_serial(tmp_path: Path) -> None:
    """A unit that reports no serial cannot be told from another one: nothing is planned."""
    bench = scenes.bench(tmp_path)
    bench.nas.serial = ""
    looked, outcome = bench.run()
    assert "no serial number" in looked.plan.problem
    assert outcome is None


def test_one_unit_under_two_names(tmp_path: Path) -> None:
    """Two entries that report one serial are an error, and neither is written to (P12)."""
    _, looked = first_pass(tmp_path)
    other = replace(looked, plan=replace(looked.plan, nas="nas-2"))
    found = _one_name_each((looked, other), lambda _nas, _serial: ())
    assert [one.observation for one in found] == [None, None]
    assert {one.plan.problem for one in found} == {
        "nas-1 and nas-2 are one unit: both have serial 2150ABC123456"
    }


def test_what_was_not_read_is_not_applied(tmp_path: Path) -> None:
    """A unit that could not be read has nothing to apply, and says why."""
    bench = scenes.bench(tmp_path)
    looked = unread(bench.wish(), TargetError("no answer"), 0)
    with pytest.raises(TargetError, match="no answer"):
        apply(looked, None, SystemClock(), audit=None, lease=None)  # type: ignore[arg-type]


def test_a_permit_for_another_unit(tmp_path: Path) -> None:
    """A permit is for one serial: on another unit's ground nothing of it is done (P20)."""
    from reconciler.authorize import Intent, authorize

    bench, looked = first_pass(tmp_path)
    permit = authorize(looked.plan, Intent.APPLY)
    identity = replace(looked.observation.identity, serial="another")
    observation = replace(looked.observation, identity=identity)
    ground = Ground(bench.wish(), None, bench, observation, None, None, None)  # type: ignore[arg-type]
    with pytest.raises(Refusal, match="the permit is for serial 2150ABC123456"):
        execute(permit, ground)


def test_a_password_that_changes_while_a_creation_is_searched(tmp_path: Path) -> None:
    """A sign-in that is refused ends the search for a lost creation: it is not asked again."""
    bench = scenes.bench(tmp_path, lun=False)
    bench.fault("reset_before", method="create")

    def before(method: str) -> None:
        if method == "create":
            bench.nas.end_sessions(119)
            bench.nas.password = "another"

    bench.line.before = before
    _, outcome = bench.run()
    assert outcome is not None
    assert "refused the sign-in" in outcome.problem
    assert bench.waited < 5
