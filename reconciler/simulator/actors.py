"""What DSM does by itself as its clock moves: schedules, retention, syncs, reclaiming space."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as wall
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from reconciler.simulator import lun_write, share_write, sync
from reconciler.simulator.plan import MAIN_SITE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.simulator.lun import Lun, LunSnapshot
    from reconciler.simulator.nas import Nas
    from reconciler.simulator.plan import Plan
    from reconciler.simulator.schedule import Schedule
    from reconciler.simulator.share import Share, ShareSnapshot

# A scheduled snapshot is named one second after its minute.
_LATE: Final = 1.0
_RETENTION_HOUR: Final = 2


@dataclass(frozen=True, slots=True)
class _Event:
    at: float
    happen: Callable[[], None]


def tick(nas: Nas) -> None:
    """Run everything due between the last tick and now, in order of its time.

    A clock that was turned back starts afresh from where it now stands.
    """
    now = nas.clock.now()
    if now < nas.ticked_at:
        _forget_triggers(nas)
        nas.ticked_at = now
    while True:
        due = [event for event in _upcoming(nas) if event.at <= now]
        if not due:
            break
        event = min(due, key=lambda each: each.at)
        nas.ticked_at = max(nas.ticked_at, event.at)
        event.happen()
    nas.ticked_at = now
    _reclaim(nas, now)


def _schedules(nas: Nas) -> Iterator[Schedule]:
    yield from (share.schedule for share in nas.shares)
    yield from (lun.schedule for lun in nas.luns)
    yield from (plan.schedule for plan in nas.plans)


def _forget_triggers(nas: Nas) -> None:
    for schedule in _schedules(nas):
        schedule.next_at = None


def _upcoming(nas: Nas) -> Iterator[_Event]:
    for share in nas.shares:
        yield from _share_events(nas, share)
    for lun in nas.luns:
        yield from _trigger(nas, lun.schedule, _lun_action(nas, lun))
    for plan in nas.plans:
        if plan.running is not None:
            yield _Event(plan.running.finish, _finish(nas, plan))
        if nas.replication == "installed":
            yield from _trigger(nas, plan.schedule, _plan_action(nas, plan))


def _share_events(nas: Nas, share: Share) -> Iterator[_Event]:
    if share.schedule.enabled:
        yield from _trigger(nas, share.schedule, _share_action(nas, share))
    elif share.retention.prunes:
        at = _next_hour(nas, share.retention.run_hour)
        yield _Event(at, lambda: prune_share(nas, share, at))


def _next_hour(nas: Nas, hour: int | None) -> float:
    tz = ZoneInfo(nas.zone)
    start = wall(_RETENTION_HOUR if hour is None else hour)
    day = datetime.fromtimestamp(nas.ticked_at, tz).date()
    moments = (
        datetime.combine(day + timedelta(days=shift), start, tz).timestamp() for shift in range(3)
    )
    return next(moment for moment in moments if moment > nas.ticked_at)


def _trigger(nas: Nas, schedule: Schedule, action: Callable[[float], None]) -> Iterator[_Event]:
    if not schedule.enabled:
        schedule.next_at = None
        return
    if schedule.next_at is None:
        schedule.next_at = schedule.following(nas.ticked_at, nas.zone)
    at = schedule.next_at
    if at is None:
        return

    def fire() -> None:
        schedule.next_at = schedule.following(at, nas.zone)
        action(at + _LATE)

    yield _Event(at, fire)


def _share_action(nas: Nas, share: Share) -> Callable[[float], None]:
    def act(at: float) -> None:
        _scheduled_share_snapshot(nas, share, at)
        prune_share(nas, share, at)

    return act


def _scheduled_share_snapshot(nas: Nas, share: Share, at: float) -> None:
    # DSM skips the share while it is the destination of a replication.
    destination = any(plan.role != MAIN_SITE for plan in nas.plans_of(share))
    taken = share.snapshot(share.name_at(at)) is not None
    if destination or taken or share_write.creation_refusal(nas, share) is not None:
        return
    snapshot = share.add_snapshot(
        at,
        f"Scheduled snapshot taken by [{nas.name}]",
        scheduled=True,
        immutable_days=share.scheduled_immutable_days or None,
        taken_by="SYSTEM",
    )
    text = f"Took a shared folder snapshot [{snapshot.name}] from share [{share.name}]."
    nas.write_log(text, at=at)


def _lun_action(nas: Nas, lun: Lun) -> Callable[[float], None]:
    def act(at: float) -> None:
        if lun_write.creation_refusal(nas, lun) is None:
            lun.add_snapshot(at, f"Scheduled snapshot taken by [{nas.name}]", scheduled=True)
        prune_lun(nas, lun, at)

    return act


def _plan_action(nas: Nas, plan: Plan) -> Callable[[float], None]:
    def act(at: float) -> None:
        if plan.running is None and plan.enabled and not plan.paused:
            sync.begin(nas, plan, at=at)

    return act


def _finish(nas: Nas, plan: Plan) -> Callable[[], None]:
    return lambda: sync.finish(nas, plan)


def prune_share(nas: Nas, share: Share, now: float) -> None:
    """Apply the share's built-in retention; locked, immutable and synced ones stay."""
    synced = {plan.last_reference for plan in nas.plans_of(share)}
    shown = [snapshot for snapshot in share.snapshots if not snapshot.hidden]

    def held(snapshot: ShareSnapshot) -> bool:
        return snapshot.locked or snapshot.preserved or snapshot.immutable(now)

    counted = [s.at for s in shown if share.retention.counts_held or not held(s)]
    goes = share.retention.removable(counted, now=now, zone=nas.zone)
    for snapshot in shown:
        if snapshot.at in goes and not held(snapshot) and snapshot.name not in synced:
            share_write.remove(nas, share, snapshot)


def prune_lun(nas: Nas, lun: Lun, now: float) -> None:
    """Apply the LUN's built-in retention; locked, immutable and preserved ones stay."""

    def held(snapshot: LunSnapshot) -> bool:
        return snapshot.locked or bool(snapshot.locked_app_keys) or snapshot.immutable(now)

    counted = [s.at for s in lun.snapshots if lun.retention.counts_held or not held(s)]
    goes = lun.retention.removable(counted, now=now, zone=nas.zone)
    for snapshot in list(lun.snapshots):
        if snapshot.at in goes and not held(snapshot):
            lun_write.remove(nas, lun, snapshot)


def _reclaim(nas: Nas, now: float) -> None:
    for volume in nas.volumes:
        due = [size for at, size in volume.reclaim if at <= now]
        volume.reclaim = [(at, size) for at, size in volume.reclaim if at > now]
        volume.free = min(volume.size, volume.free + sum(due))
