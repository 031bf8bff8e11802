"""A month beside DSM: the imported policies never let go what DSM's own retention keeps."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from reconciler.cli import main
from reconciler.cli.demo import SimulatedClock
from reconciler.cli.settings import Settings
from reconciler.fleet import Fleet
from reconciler.simulator import Clock, Nas, Retention, Schedule, Simulator
from reconciler.simulator.actors import prune_lun, prune_share

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.simulator import Lun, Share

_ZONE = ZoneInfo("Europe/Zurich")
# Both the end of summer time and the turn of a month lie inside.
_START = datetime(2026, 10, 6, 0, 30, tzinfo=_ZONE)
_HOURLY = {"enabled": True, "task_id": 3, "repeat_hours": 1}
_FOUR_HOURS = {"enabled": True, "task_id": 4, "hour": 1, "minute": 20, "repeat_hours": 4}
_NIGHTLY = {"enabled": True, "task_id": 5, "hour": 2, "minute": 30}

_KINDS = {
    "latest": ({"policy": 20, "recently": 9}, _FOUR_HOURS),
    "latest-by-time": ({"policy": 52, "recently": 9, "run_hour": 3}, _FOUR_HOURS),
    "days": ({"policy": 64, "days": 5}, _FOUR_HOURS),
    "smart": ({"policy": 128}, _HOURLY),
    "smart-all-rules": (
        {"policy": 128, "advanced": 127, "weekly": 3, "monthly": 2, "yearly": 2, "retain_days": 3},
        _FOUR_HOURS,
    ),
    "smart-only-weeks": ({"policy": 128, "advanced": 9, "weekly": 2, "minimum": 4}, _NIGHTLY),
    "smart-only-months": ({"policy": 128, "advanced": 16, "monthly": 1}, _NIGHTLY),
    "smart-minimum": ({"policy": 128, "advanced": 5, "daily": 2, "minimum": 9}, _FOUR_HOURS),
    "latest-locked": ({"policy": 20, "recently": 9}, _FOUR_HOURS),
    "smart-locked": ({"policy": 128}, _FOUR_HOURS),
    "none": ({"policy": 0}, _FOUR_HOURS),
    "keep-all": ({"policy": 1 << 31}, _FOUR_HOURS),
    "unknown-code": ({"policy": 84, "days": 2, "recently": 2}, _FOUR_HOURS),
}
_ALL_OPEN = [(True, False, 0), (False, True, 0), (True, True, 3), (False, False, 3)]


def _fill(nas: Nas, *, pruned: bool, counts_held: bool, sunday: bool, immutable: int) -> None:
    """Give the NAS one share for each kind, with two months behind it and some made by hand."""
    for name, (retention, schedule) in _KINDS.items():
        own = Retention(**retention, counts_held=counts_held, sunday_weeks=sunday)
        share = nas.add_share(
            name,
            schedule=Schedule(**schedule),
            retention=own if pruned else Retention(),
            scheduled_immutable_days=immutable,
        )
        for days in range(60, 0, -1):
            at = _START - timedelta(days=days, minutes=17)
            locked = name.endswith("-locked") and days % 10 == 1
            share.add_snapshot(at, scheduled=True, locked=locked)
            share.add_snapshot(at + timedelta(hours=9), scheduled=days % 3 > 0)
            if days % 9 == 0:
                share.add_snapshot(at + timedelta(hours=5), "by hand")
    own = Retention(policy=20, recently=7, counts_held=counts_held)
    lun = nas.add_lun("disk", schedule=Schedule(**_FOUR_HOURS), retention=own if pruned else
                      Retention())  # fmt: skip
    for days in range(20, 0, -1):
        lun.add_snapshot(_START - timedelta(days=days), scheduled=True, locked=days in (3, 12))


def _target(nas: Nas, name: str) -> Share | Lun:
    return next(found for found in (*nas.shares, *nas.luns) if found.name == name)


def _names(target: Share | Lun) -> set[str]:
    return {snapshot.name for snapshot in target.snapshots}


@pytest.mark.parametrize(("counts_held", "sunday", "immutable"), _ALL_OPEN)
def test_nothing_goes_that_dsm_would_not_delete(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    counts_held: bool,
    sunday: bool,
    immutable: int,
) -> None:
    """Through a month, each victim of an imported policy is one that DSM's own clean-up deletes.

    Run at the same moment or before it: what stops being immutable goes at DSM's next run.
    """
    monkeypatch.chdir(tmp_path)
    clocks = [Clock.frozen(_START) for _ in range(2)]
    own, ours = (Nas(name=n, clock=c) for n, c in zip(("own", "ours"), clocks, strict=True))
    reading = {"counts_held": counts_held, "sunday": sunday, "immutable": immutable}
    _fill(own, pruned=True, **reading)
    _fill(ours, pruned=False, **reading)
    with Simulator(own, tls=False) as dsm, Simulator(ours, tls=False) as twin:
        _configure(tmp_path, dsm.url)
        assert main(["import", "--nas", "box", "--save", "policies"]) == 0
        assert main(["lint", "--strict"]) == 0
        shutil.copy(tmp_path / "reconciler.yaml", tmp_path / "dsm.yaml")
        _configure(tmp_path, twin.url)
        went: set[str] = set()
        for _ in range(31 * 24 // _STEP_HOURS):
            for clock in clocks:
                clock.advance(_STEP_HOURS * 3600)
            own.tick()
            ours.tick()
            for share in own.shares:
                prune_share(own, share, own.clock.now())
            prune_lun(own, own.lun("disk"), own.clock.now())
            for name, victims in _planned(tmp_path / "reconciler.yaml", ours).items():
                wrong = victims & _names(_target(own, name))
                assert not wrong, (name, min(wrong), ours.clock.now())
                target = _target(ours, name)
                target.snapshots[:] = [s for s in target.snapshots if s.name not in victims]
                went |= {name} if victims else set()
            beside = _planned(tmp_path / "dsm.yaml", own)
            assert not any(beside.values()), beside
        pruned = {name for name, (retention, _) in _KINDS.items() if retention["policy"] in _PRUNE}
        assert went == (pruned | {"disk"}) - {"smart-locked"}


_STEP_HOURS = 19  # by and by every hour of the day
_PRUNE = {20, 52, 64, 128}


def _configure(folder: Path, url: str) -> None:
    (folder / "password").touch(mode=0o600)
    (folder / "password").write_text(Nas().password, encoding="utf-8")
    (folder / "reconciler.yaml").write_text(
        f"version: 1\nnas:\n  box:\n    url: {url}\n    account: {Nas().account}\n"
        "    password: {file: password}\n    timezone: Europe/Zurich\n",
        encoding="utf-8",
    )


def _planned(path: Path, nas: Nas) -> dict[str, set[str]]:
    """Return the victims of a pass by share, those that wait included; nothing else is planned."""
    settings = Settings(str(path), SimulatedClock(nas))
    with Fleet(settings.run(settings.policies()), settings.configuration.units) as fleet:
        (looked,) = fleet.look()
    assert not looked.plan.problem
    found: dict[str, set[str]] = {}
    for target in looked.plan.targets:
        assert {action.verb for action in target.actions} <= {"delete"}
        found[target.name] = {action.change.snapshot.name for action in target.actions}
    return found
