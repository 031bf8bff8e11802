"""The demo's NAS: a home unit whose history is what three policies left on Mon 23 Nov 2026, noon.

The same unit stands in the README. Histories are what the policies' own rules keep at 08:00 (06:00
for the six-hourly ones), except `vmware-ds1`, whose policy kept 30 dailies until its last edit.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reconciler.simulator.clock import Clock
from reconciler.simulator.nas import Nas
from reconciler.simulator.plan import Plan, SyncRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.simulator.lun import Lun
    from reconciler.simulator.share import Share

_ZONE = ZoneInfo("Europe/Zurich")
_NOON = datetime(2026, 11, 23, 12, 0, 4, tzinfo=_ZONE)
_IMMUTABLE_DAYS = 7


def attic() -> Nas:
    """Return the unit at noon; its clock runs on from there."""
    nas = Nas(
        name="attic",
        model="DS923+",
        serial="2150ATTIC0001",
        version="DSM 7.2.2-72806",
        zone="Europe/Zurich",
        clock=Clock(_NOON),
    )
    _documents(nas)
    _photos(nas)
    nas.add_share("surveillance", uuid=_uuid(3))
    nas.add_share("usbshare1", uuid=_uuid(4), support_snapshot=False, usb=True)
    _vmware(nas)
    return nas


def _documents(nas: Nas) -> None:
    share = nas.add_share("documents", uuid=_uuid(1))
    due = set(_last(48, hours=4, newest=_local(2026, 11, 23, 8)))
    due |= set(_dailies(30)) | set(_monthlies(12))
    for moment in sorted(due):
        young = _NOON - moment < timedelta(days=_IMMUTABLE_DAYS, hours=1)
        _taken(share, moment, "documents", immutable_days=_IMMUTABLE_DAYS if young else None)
    share.add_snapshot(_local(2026, 8, 2, 17, 40), "before the new scanner")
    share.add_snapshot(_local(2026, 8, 31, 9, 12), "tax return", locked=True)
    began = _local(2026, 11, 23, 0, 2)
    synced = share.name_at((_local(2026, 11, 23) + timedelta(seconds=1)).timestamp())
    record = SyncRecord(
        snapshot=synced,
        begin=began.timestamp(),
        finish=(began + timedelta(minutes=2)).timestamp(),
        sent=8_990,
    )
    nas.plans.append(
        Plan(
            target="documents",
            remote_target="documents",
            plan_id=_uuid(9),
            remote_host="cellar",
            sync_seconds=90.0,
            last_snapshot=synced,
            first_snapshot=synced,
            last_reference=synced,
            records=[record],
        )
    )


def _photos(nas: Nas) -> None:
    share = nas.add_share("photos", uuid=_uuid(2))
    due = set(_last(28, hours=6, newest=_local(2026, 11, 23, 6)))
    due |= set(_dailies(30)) | set(_monthlies(12))
    newest = sorted(due)[-3:]
    for moment in sorted(due):
        _taken(share, moment, "photos", locked=moment in newest)


def _vmware(nas: Nas) -> None:
    lun: Lun = nas.add_lun("vmware-ds1", uuid=_uuid(5))
    due = set(_last(12, hours=6, newest=_local(2026, 11, 23, 6))) | set(_dailies(30))
    for number, moment in enumerate(sorted(due), start=0x100):
        identifier = _identifier(moment)
        snapshot = lun.add_snapshot(
            moment + timedelta(seconds=1),
            f"[reconciler/vms {identifier}]",
            name=f"rec-{identifier}-{lun.uuid[:8]}",
            taken_by="reconciler",
        )
        snapshot.uuid = _uuid(number)


def _taken(
    share: Share,
    moment: datetime,
    policy: str,
    *,
    locked: bool = False,
    immutable_days: int | None = None,
) -> None:
    mark = f"[reconciler/{policy} {_identifier(moment)}{' lock' if locked else ''}]"
    share.add_snapshot(
        moment + timedelta(seconds=1), mark, locked=locked, immutable_days=immutable_days
    )


def _last(count: int, *, hours: int, newest: datetime) -> Iterator[datetime]:
    """Yield the newest `count` due times: multiples of `hours` on the zone's clock."""
    for number in range(count):
        yield newest - timedelta(hours=hours * number)


def _dailies(count: int) -> Iterator[datetime]:
    for number in range(count):
        yield datetime.combine(date(2026, 11, 23) - timedelta(days=number), time(), tzinfo=_ZONE)


def _monthlies(count: int) -> Iterator[datetime]:
    for number in range(count):
        months = 2026 * 12 + 10 - number
        yield _local(months // 12, months % 12 + 1, 1)


def _local(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0
) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=_ZONE)


def _identifier(moment: datetime) -> str:
    return moment.astimezone(ZoneInfo("UTC")).strftime("%Y%m%dT%H%MZ")


def _uuid(number: int) -> str:
    return f"{number:08x}-0a77-4c1c-8000-000000000000"
