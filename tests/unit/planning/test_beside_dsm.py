"""A policy beside DSM's own schedule and retention: what is lost, and that nothing is unlocked."""

from __future__ import annotations

import pytest
from builders import at, changes, codes, plan, policy, share, snap

from reconciler.mark import Mark
from reconciler.model import BuiltIn, RetentionKind
from reconciler.planning.plan import State
from reconciler.policy.model import Manage

_NOW = at("11-23 12:00")
_SCHEDULED = BuiltIn(schedule=True)


def _said(target: object, wanted: object) -> str:
    planned = plan(target, wanted, _NOW)  # type: ignore[arg-type]  # a test's own
    return next(f.text for f in planned.findings if f.code == "two-schedules")


def test_two_schedules_name_the_depth_lost() -> None:
    """Where DSM's snapshots count in `last`, the finding says how far it reaches now."""
    ours = [snap(f"11-23 {hour:02d}:00") for hour in (9, 10, 11)]
    theirs = [
        snap(f"11-23 {hour:02d}:30", mark=None, scheduled=True, description="") for hour in (9, 10)
    ]
    target = share(*ours, *theirs, built_in=_SCHEDULED)
    wanted = policy(manage=Manage.SCHEDULED, keep={"last": 4})
    assert "2 of the newest 4 are DSM's" in _said(target, wanted)
    assert "2 h 30 min instead of 4 h" in _said(target, wanted)
    more = policy(manage=Manage.SCHEDULED, keep={"last": 40})
    assert "reach back less than 1 d 16 h" in _said(target, more)
    assert "fill the limit" in _said(target, policy(keep={"last": 4}))


@pytest.mark.parametrize(
    "kind",
    [RetentionKind.LATEST, RetentionKind.DAYS, RetentionKind.ADVANCED, RetentionKind.UNKNOWN],
)
def test_two_pruners_are_never_compliant_and_nothing_is_unlocked(kind: RetentionKind) -> None:
    """While DSM prunes too the target is drifted, with the menu path, and locks stay."""
    locked = [
        snap(f"11-23 {hour:02d}:00", locked=True, mark=Mark("erp", due=0, lock=True))
        for hour in (8, 9)
    ]
    target = share(*locked, snap("11-23 12:00"), built_in=BuiltIn(retention=kind))
    planned = plan(target, policy(keep={"last": 9}), _NOW)
    assert planned.state is State.DRIFTED
    assert "two-pruners" in codes(planned)
    assert any("Snapshot Replication >" in f.next_step for f in planned.findings)
    assert changes(planned) == {}
