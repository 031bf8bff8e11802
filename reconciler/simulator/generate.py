"""A plausible NAS: shares, LUNs and plans with a history, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from reconciler.simulator.clock import Clock
from reconciler.simulator.nas import Nas, Volume
from reconciler.simulator.plan import RECOVERY_SITE, TARGET_LUN, Plan, SyncRecord
from reconciler.simulator.retention import ADVANCED, KEEP_DAYS, KEEP_LATEST, Retention
from reconciler.simulator.schedule import Schedule

if TYPE_CHECKING:
    from reconciler.simulator.lun import Lun
    from reconciler.simulator.share import Share

_HOUR: Final = 3600
_DAY: Final = 86400
_TOPICS: Final = (
    "projects", "finance", "hr", "legal", "design", "video", "photo", "backups", "vm", "git",
    "sales", "support", "archive", "scans", "homes", "media", "lab", "erp", "mail", "web",
)  # fmt: skip
_SUFFIXES: Final = ("", "-2026", "-intern", "-shared", "-old", "-zrh", "-gva")
_BY_HAND: Final = (
    "before the migration", "vor Update", "before ERP 14.2", "clean state", "audit 2026",
    "keep!", "monthly close", "",
)  # fmt: skip
# Spacing of a share's history: newest first, each part until its share of the count is used.
_SPACINGS: Final = ((0.3, _HOUR), (0.5, _DAY), (1.0, 7 * _DAY))
_HIDDEN_EVERY: Final = 97


@dataclass(frozen=True, slots=True)
class _Odds:
    """How often a snapshot is taken by hand, locked, or immutable."""

    by_hand: float = 0.06
    scheduled: float = 0.9
    locked: float = 0.03


def generate(
    shares: int = 50,
    snapshots: int = 200,
    luns: int = 5,
    *,
    plans: int = 3,
    seed: int = 1,
    zone: str = "Europe/Zurich",
    name: str = "nas-1",
    clock: Clock | None = None,
) -> Nas:
    """Return a NAS with `snapshots` per share (a tenth of that per LUN, at least 3).

    Histories end shortly before the clock's present; some snapshots were taken by hand, most by
    DSM's own schedule, some are locked, a few immutable. Of the plans the first is to a remote
    site, the second to a share on this NAS, the third of a LUN, the fourth makes a share here
    the destination of another NAS; then they repeat. The same seed and clock give the same NAS.
    """
    rng = random.Random(seed)
    nas = Nas(
        name=name,
        serial=f"21{rng.randrange(10, 60)}ABC{rng.randrange(10**6):06d}",
        node_id=_uuid(rng),
        zone=zone,
        clock=clock or Clock.real(),
        volumes=[Volume(path="/volume1"), Volume(path="/volume2")],
    )
    for index in range(shares):
        _add_share(nas, rng, index, snapshots)
    for index in range(luns):
        _add_lun(nas, rng, index, max(3, snapshots // 10))
    for index in range(min(plans, shares)):
        _add_plan(nas, rng, index)
    return nas


def _uuid(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def _share_name(index: int) -> str:
    round_, place = divmod(index, len(_TOPICS))
    suffix = _SUFFIXES[round_] if round_ < len(_SUFFIXES) else f"-{round_}"
    return f"{_TOPICS[place]}{suffix}"


def _moments(rng: random.Random, now: float, count: int) -> list[float]:
    """Return the instants of a history, oldest first: hourly, then daily, then weekly."""
    at = float(int(now) - rng.randrange(60, 50 * 60))
    moments: list[float] = []
    for index in range(count):
        moments.append(at)
        at -= next(step for part, step in _SPACINGS if (index + 1) / count <= part)
    return moments[::-1]


def _add_share(nas: Nas, rng: random.Random, index: int, count: int) -> None:
    share = nas.add_share(
        _share_name(index),
        uuid=_uuid(rng),
        volume=nas.volumes[index % len(nas.volumes)].path,
        retention=_retention(rng),
        schedule=_schedule(rng, task_id=index + 1),
    )
    for number, at in enumerate(_moments(rng, nas.clock.now(), count)):
        _add_share_snapshot(nas, rng, share, at=at, hidden=number % _HIDDEN_EVERY == 1)


def _retention(rng: random.Random) -> Retention:
    kinds = (
        Retention(),
        Retention(),
        Retention(policy=KEEP_LATEST, recently=512),
        Retention(policy=KEEP_DAYS, days=3650),
        Retention(policy=ADVANCED, hourly=72, daily=120, weekly=260, monthly=60, yearly=10),
    )
    return rng.choice(kinds)


def _schedule(rng: random.Random, *, task_id: int) -> Schedule:
    # Half of the shares were once scheduled; the flag tells which still are.
    return Schedule(
        enabled=False,
        task_id=task_id if rng.random() < 0.5 else -1,  # noqa: PLR2004 -- every second one
        hour=rng.randrange(24),
        minute=rng.choice((0, 15, 30)),
    )


def _add_share_snapshot(
    nas: Nas, rng: random.Random, share: Share, *, at: float, hidden: bool
) -> None:
    odds = _Odds()
    by_hand = rng.random() < odds.by_hand
    recent = nas.clock.now() - at < _DAY
    snapshot = share.add_snapshot(
        at,
        rng.choice(_BY_HAND) if by_hand else f"Scheduled snapshot taken by [{nas.name}]",
        locked=rng.random() < odds.locked,
        immutable_days=7 if recent and by_hand else None,
        scheduled=not by_hand,
        hidden=hidden,
        taken_by="admin" if by_hand else "SYSTEM",
    )
    snapshot.ruuid = _uuid(rng)


def _add_lun(nas: Nas, rng: random.Random, index: int, count: int) -> None:
    # The last kind is a virtual machine's, which the usual filter of types hides.
    kind = "VDISK_BLUN" if index % 5 == 4 else "BLUN"  # noqa: PLR2004 -- every fifth one
    lun = nas.add_lun(f"LUN-{index + 1}", uuid=_uuid(rng), volume="/volume2", type_str=kind)
    for at in _moments(rng, nas.clock.now(), count):
        _add_lun_snapshot(nas, rng, lun, at=at)


def _add_lun_snapshot(nas: Nas, rng: random.Random, lun: Lun, *, at: float) -> None:
    odds = _Odds()
    scheduled = rng.random() < odds.scheduled
    snapshot = lun.add_snapshot(
        at,
        f"Scheduled snapshot taken by [{nas.name}]" if scheduled else rng.choice(_BY_HAND),
        locked=rng.random() < odds.locked,
        scheduled=scheduled,
    )
    snapshot.uuid, snapshot.version = _uuid(rng), _uuid(rng)


def _add_plan(nas: Nas, rng: random.Random, index: int) -> None:
    settings = {"plan_id": _uuid(rng), "remote_node": _uuid(rng)}
    share = nas.shares[index]
    kind = index % 4
    if kind == 1:
        copy = nas.add_share(f"{share.name}-copy", uuid=_uuid(rng))
        plan = nas.add_plan(share.name, to_local=True, remote_target=copy.name, **settings)
    elif kind == 2 and nas.luns:  # noqa: PLR2004 -- the third kind
        lun = nas.luns[index // 4 % len(nas.luns)]
        plan = nas.add_plan(lun.uuid, target_type=TARGET_LUN, remote_target="lun-dr", **settings)
    else:
        role = RECOVERY_SITE if kind == 3 else 1  # noqa: PLR2004 -- the fourth kind
        plan = nas.add_plan(share.name, role=role, remote_target=share.name, **settings)
    _add_records(nas, plan)


def _add_records(nas: Nas, plan: Plan) -> None:
    """Give the plan a first and a last sync out of its target's own history."""
    synced = _history(nas, plan)
    for name, at, key in synced:
        record = SyncRecord(
            snapshot=name, begin=at + 1, finish=at + 1 + plan.sync_seconds, sent=plan.delta_bytes
        )
        plan.records.append(record)
        plan.first_snapshot = plan.first_snapshot or name
        plan.last_snapshot, plan.last_reference = name, key


def _history(nas: Nas, plan: Plan) -> list[tuple[str, float, str]]:
    from reconciler.simulator.naming import snapshot_name

    if plan.target_type == TARGET_LUN:
        lun = next(lun for lun in nas.luns if lun.uuid == plan.target)
        ends = lun.snapshots[::3][-2:]
        if ends:
            ends[-1].locked_app_keys = [plan.app_key]
        return [(snapshot_name(s.at, zone=nas.zone), s.at, s.uuid) for s in ends]
    share = nas.share(plan.target)
    return [(s.name, s.at, s.name) for s in share.snapshots[::20][-2:]]
