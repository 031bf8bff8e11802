"""Stepping policies through time: steady ones never trip a brake, a second plan is empty."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import mark
from reconciler.inventory.model import SecretReference, Unit, UnitBrakes
from reconciler.model import (
    Identity,
    Kind,
    Limits,
    NameForm,
    Observation,
    ObservedTarget,
    Place,
    Snapshot,
)
from reconciler.planning.plan import Create, Delete, UnitPlan
from reconciler.planning.unit import Wish, plan_unit
from reconciler.policy.load import load_policies

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400
START = 1_771_200_000  # Mon 16 Feb 2026, so that 40 days hold Europe's change of clocks
UNIT = Unit("box", "https://box", "me", SecretReference(Place("x"), env="P"), Place("x"))
ZONES = ("Europe/Zurich", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC")


def wish(folder: Path, body: str, zone: str) -> Wish:
    """Load one policy from its text."""
    file = folder / "p.yaml"
    file.write_text(
        f"version: 1\npolicies:\n  - {{name: p, shares: [s], timezone: {zone}, {body}}}\n",
        encoding="utf-8",
    )
    return Wish(load_policies(file, units=[UNIT]), UNIT, UnitBrakes(), only_unit=True)


def planned(asked: Wish, snapshots: tuple[Snapshot, ...], now: int) -> UnitPlan:
    """Plan the one share with these snapshots at this moment."""
    share = ObservedTarget(Kind.SHARE, "u", "s", snapshots)
    seen = Observation(
        "box", Identity("1", "m", "v", "h"), now, 0.0, 0, Limits(), (share,), plans=()
    )
    return plan_unit(asked, seen)


def after(plan: UnitPlan, snapshots: tuple[Snapshot, ...], now: int) -> tuple[Snapshot, ...]:
    """Return the share's snapshots once everything that nothing stops was done."""
    left = {s.name: s for s in snapshots}
    for action in plan.actions:
        change = action.change
        if isinstance(change, Delete) and action.stopped_by is None:
            assert not left[change.snapshot.name].immutable
            del left[change.snapshot.name]
        if isinstance(change, Create):
            until = now + 101 + change.immutable_days * DAY if change.immutable_days else None
            left[f"t{now}"] = Snapshot(
                f"t{now}", now, change.description, form=NameForm.OFFSET,
                immutable=until is not None, immutable_until=until,
                mark=mark.parse(change.description),
            )  # fmt: skip
    return tuple(left.values())


def aged(snapshots: tuple[Snapshot, ...], now: int) -> tuple[Snapshot, ...]:
    """Clear what is immutable no longer, as DSM does."""
    return tuple(
        replace(s, immutable=False, immutable_until=None)
        if s.immutable_until is not None and s.immutable_until <= now
        else s
        for s in snapshots
    )


def step(asked: Wish, days: int, lag: int) -> int:
    """Run a pass `lag` seconds after each due time; return how many snapshots are left."""
    policy = asked.policies.policies[0]
    assert policy.cadence is not None
    at = asked.zone_of(policy.timezone)
    snapshots: tuple[Snapshot, ...] = ()
    for due in policy.cadence.after(START, at):
        if due > START + days * DAY:
            break
        now = due + lag
        snapshots = aged(snapshots, now)
        plan = planned(asked, snapshots, now)
        assert [a.stopped_by for a in plan.actions if a.stopped_by] == []
        newest = max((s.time or 0 for s in snapshots), default=0)
        snapshots = after(plan, snapshots, now)
        assert max(s.time or 0 for s in snapshots) == now > newest
        assert planned(asked, snapshots, now).actions == ()
    return len(snapshots)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "body",
    [
        "every: 4h, keep: {last: 1}",
        "every: 6h, keep: {last: 2, daily: 2, weekly: 2, monthly: 2}",
        "every: 4h, keep: {hourly: 24, daily: 7, weekly: 4}, immutable: {for: 3d, of: daily}",
        "every: 8h, keep: {last: 6, daily: 10}, immutable: 2d",
        'cron: "0 8-20/4 * * 1-5", keep: {within: 5d}',
        "every: 6h, keep: {last: 4, daily: 5}, pick: latest",
    ],
)
def test_a_steady_policy_never_trips_its_brake(tmp_path: Path, body: str, zone: str) -> None:
    """Over forty days, a change of clocks among them, every pass is free; a second one is empty."""
    assert step(wish(tmp_path, body, zone), 40, 2) >= 1


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(
    last=st.integers(1, 6),
    daily=st.integers(0, 8),
    weekly=st.integers(0, 3),
    hours=st.sampled_from([6, 8, 12, 24]),
    pick=st.sampled_from(["earliest", "latest"]),
    zone=st.sampled_from(ZONES),
    lag=st.integers(1, 120),
)
def test_random_steady_policies(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    last: int,
    daily: int,
    weekly: int,
    hours: int,
    pick: str,
    zone: str,
    lag: int,
) -> None:
    """Whatever a policy says, as long as it does not change, no pass waits for anybody."""
    every = "1d" if hours == 24 else f"{hours}h"
    keep = f"{{last: {last}, daily: {daily}, weekly: {weekly}}}"
    folder = tmp_path_factory.mktemp("policy")
    step(wish(folder, f"every: {every}, keep: {keep}, pick: {pick}", zone), 25, lag)
