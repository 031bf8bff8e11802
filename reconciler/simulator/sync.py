"""Running a replication plan: a sync begins, takes its time, and leaves snapshots behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.simulator.naming import snapshot_name
from reconciler.simulator.plan import (
    MAIN_SITE,
    TARGET_SHARE,
    Plan,
    RunningSync,
    SyncRecord,
)

if TYPE_CHECKING:
    from reconciler.simulator.lun import Lun
    from reconciler.simulator.nas import Nas
    from reconciler.simulator.share import Share

_RECORDS_KEPT: Final = 10
_BEGIN_AFTER: Final = 1.0
_SCHEDULED: Final = "Snapshot taken by [Snapshot Replication]"


def share_of(nas: Nas, name: str) -> Share | None:
    """Return the share of that name, None without one."""
    return next((share for share in nas.shares if share.name == name), None)


def lun_of(nas: Nas, uuid: str) -> Lun | None:
    """Return the LUN of that uuid, None without one."""
    return next((lun for lun in nas.luns if lun.uuid == uuid), None)


def begin(
    nas: Nas, plan: Plan, *, at: float, description: str = _SCHEDULED, locked: bool = False
) -> bool:
    """Begin a sync at `at`: take the plan's own snapshot at the source; False if impossible.

    At a recovery site the snapshot is the other NAS's and arrives when the sync ends.
    """
    reference = _take_source(nas, plan, at=at, description=description, locked=locked)
    if reference is None:
        return False
    name, key = reference
    first = plan.full_resync or not plan.last_snapshot
    plan.running = RunningSync(
        snapshot=name,
        reference=key,
        at=at,
        begin=at + _BEGIN_AFTER,
        finish=at + _BEGIN_AFTER + plan.sync_seconds,
        sent=plan.full_bytes if first else plan.delta_bytes,
        description=description,
        locked=locked,
    )
    return True


def _take_source(
    nas: Nas, plan: Plan, *, at: float, description: str, locked: bool
) -> tuple[str, str] | None:
    """Return the name on the wire and the key of the snapshot that the sync transfers."""
    if plan.target_type != TARGET_SHARE:
        lun = lun_of(nas, plan.target)
        if lun is None:
            return None
        name = snapshot_name(at, zone=nas.zone, fraction=nas.fraction)
        taken = lun.add_snapshot(int(at), description, locked=locked)
        return name, taken.uuid
    share = share_of(nas, plan.target)
    if share is None:
        return None
    if plan.role != MAIN_SITE:
        name = snapshot_name(at, zone=plan.source_zone or nas.zone, fraction=nas.fraction)
        return name, name
    # A snapshot of this very second exists: DSM's own waits for the next.
    while share.snapshot(share.name_at(at)) is not None:
        at += 1
    days = plan.immutable_days or None
    taken_here = share.add_snapshot(at, description, locked=locked, immutable_days=days)
    return taken_here.name, taken_here.name


def finish(nas: Nas, plan: Plan) -> None:
    """End the running sync: record it, move the preserved snapshot, fill the destination."""
    running = plan.running
    if running is None:
        return
    plan.running, error = None, plan.fail_next or 0
    plan.fail_next = None
    record = SyncRecord(
        snapshot=running.snapshot,
        begin=running.begin,
        finish=running.finish,
        sent=0 if error else running.sent,
        succeeded=not error,
        error=error,
    )
    plan.records = [*plan.records, record][-_RECORDS_KEPT:]
    if error:
        return
    _preserve(nas, plan, running)
    _deliver(nas, plan, running)
    plan.first_snapshot = plan.first_snapshot or running.snapshot
    plan.last_snapshot, plan.last_reference = running.snapshot, running.reference
    plan.full_resync = False


def _preserve(nas: Nas, plan: Plan, running: RunningSync) -> None:
    if plan.target_type != TARGET_SHARE:
        lun = lun_of(nas, plan.target)
        for snapshot in lun.snapshots if lun else ():
            keys = [key for key in snapshot.locked_app_keys if key != plan.app_key]
            here = snapshot.uuid == running.reference
            snapshot.locked_app_keys = [*keys, plan.app_key] if here else keys
        return
    share = share_of(nas, plan.target)
    for each in share.snapshots if share and plan.preserve else ():
        if each.name in (plan.last_reference, running.reference):
            each.preserved = each.name == running.reference


def _deliver(nas: Nas, plan: Plan, running: RunningSync) -> None:
    here = plan.target if plan.role != MAIN_SITE else plan.remote_target if plan.to_local else ""
    if not here:
        return
    if plan.target_type != TARGET_SHARE:
        lun = lun_of(nas, here)
        if lun is not None:
            lun.add_snapshot(int(running.at), running.description, locked=running.locked)
        return
    share = share_of(nas, here)
    if share is not None and share.snapshot(running.snapshot) is None:
        share.add_snapshot(
            running.at, running.description, locked=running.locked, name=running.snapshot
        )
