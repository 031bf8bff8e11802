"""The one scene that the sweeps run over: everything a pass can do, on a NAS at noon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bench import Bench
from oracle import Rules

from reconciler.simulator import Nas, SyncRecord
from reconciler.simulator.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.simulator import Share

NOON = "2026-11-23T12:00:04+01:00"
FIRST = datetime(2026, 11, 22, 23, tzinfo=UTC)
POLICY = """\
version: 1
defaults: {timezone: Europe/Zurich, every: 1h, keep: {last: 10}, brakes: {max_delete_percent: 100}}
policies:
  - {name: hourly, shares: [alpha], lock: {newest: 3}, replicate: {every: 6h}}
  - {name: plain, luns: [disk]}
"""


def mark(hours: int, policy: str = "hourly", *, lock: bool = False) -> str:
    """Return the mark of the due time that many hours after local midnight."""
    due = FIRST + timedelta(hours=hours)
    return f"[reconciler/{policy} {due:%Y%m%dT%H%MZ}{' lock' if lock else ''}]"


def bench(folder: Path, *, lun: bool = True) -> Bench:
    """Set up a pass that creates, locks, unlocks, deletes and syncs, on a share and on a LUN.

    Without `lun` the share alone. `beta` is nobody's, and holds snapshots of the same names and
    marks as `alpha`: what reaches the wrong share is seen. On `alpha` stand one by hand, one locked
    by hand, and one immutable.
    """
    nas = Nas(name="nas-1", clock=Clock.frozen(NOON))
    alpha, beta = nas.add_share("alpha"), nas.add_share("beta")
    if lun:
        nas.add_lun("disk")
    for hours in range(12):
        at = FIRST + timedelta(hours=hours, seconds=1)
        locked = hours in (9, 11)
        for share in (alpha, beta):
            share.add_snapshot(at, mark(hours, lock=locked), locked=locked)
        name = f"rec-{FIRST + timedelta(hours=hours):%Y%m%dT%H%MZ}"
        for disk in nas.luns:
            disk.add_snapshot(at, mark(hours, "plain"), name=name)
    _others(alpha)
    last = alpha.snapshots[3].name
    record = SyncRecord(
        snapshot=last, begin=alpha.snapshots[3].at, finish=alpha.snapshots[3].at + 9
    )
    nas.add_plan(
        "alpha", first_snapshot=last, last_snapshot=last, last_reference=last, records=[record],
        sync_seconds=0.5,
    )  # fmt: skip
    rules = {"alpha": Rules(10, locks=3), "disk": Rules(10)}
    return Bench(nas, folder, POLICY, rules)


def _others(share: Share) -> None:
    """Add what no pass may touch: before the oldest, between, and one of ours that is locked."""
    share.add_snapshot(FIRST - timedelta(hours=5), "before the migration")
    share.add_snapshot(FIRST - timedelta(hours=4), mark(-4), locked=True)
    share.add_snapshot(FIRST - timedelta(hours=3), mark(-3), immutable_days=7)
