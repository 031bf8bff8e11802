"""DSM's answers as values: strict about types, silent about fields that are not known.

Whatever cannot be read raises Incomplete, so that a target that was not fully understood is
`unknown` and nothing is decided on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler import snapshot_name
from reconciler.dsm import fields
from reconciler.dsm.errors import Incomplete
from reconciler.model import BuiltIn, Kind, RetentionKind, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SHARE_ADDITIONAL = (
    "support_snapshot",
    "is_usb_share",
    "is_share_moving",
    "is_offline_share",
    "is_missing_share",
    "is_cold_storage_share",
    "is_c2_share",
)
_KEEP_ALL = 1 << 31
_LATEST, _DAYS, _ADVANCED = 20, 64, 128
_ADVANCED_RULES = ("Hourly", "Daily", "Weekly", "Monthly", "Yearly")


@dataclass(frozen=True, slots=True)
class Share:
    """A shared folder. `problem` says why its list of snapshots cannot be trusted now."""

    name: str
    uuid: str
    volume: str
    unsupported: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Lun:
    """A LUN with DSM's own schedule and retention for it."""

    name: str
    uuid: str
    volume: str
    unsupported: str = ""
    built_in: BuiltIn | None = None


def shares(data: Any) -> tuple[Share, ...]:
    """Read `SYNO.Core.Share list`."""
    found = tuple(share(row) for row in fields.rows(data, "shares", "the list of shares"))
    total = fields.number(fields.mapping(data, "the list of shares"), "total", len(found))
    if total != len(found):
        raise Incomplete(f"the list of shares holds {len(found)} of {total}")
    _unique([one.uuid for one in found], "share")
    return found


def share(row: Mapping[str, Any]) -> Share:
    """Read one share; its additional fields lie flat beside the others."""
    away = (
        ("is_offline_share", "it is not mounted"),
        ("is_missing_share", "its volume is not there"),
        ("is_share_moving", "it is being moved"),
    )
    cannot = (
        ("is_usb_share", "an external disk"),
        ("is_c2_share", "a cloud share"),
        ("is_cold_storage_share", "cold storage"),
    )
    reasons = [text for key, text in cannot if fields.flag(row, key, default=False)]
    if not fields.flag(row, "support_snapshot", default=True):
        reasons.append("its volume has no snapshots")
    return Share(
        name=fields.text(row, "name"),
        uuid=fields.text(row, "uuid"),
        volume=fields.text(row, "vol_path", ""),
        unsupported=reasons[0] if reasons else "",
        problem=next((t for key, t in away if fields.flag(row, key, default=False)), ""),
    )


def share_snapshots(data: Any, *, immutability_asked: bool = True) -> tuple[Snapshot, ...]:
    """Read `SYNO.Core.Share.Snapshot list`; raises Incomplete unless `total` is what came.

    `immutability_asked` is False where `worm_lock` had to be left out of the question. A row
    without it in an answer to the whole question is not immutable.
    """
    what = "the list of snapshots"
    found = tuple(
        _share_snapshot(row, immutability_asked=immutability_asked)
        for row in fields.rows(data, "snapshots", what)
    )
    total = fields.number(fields.mapping(data, what), "total")
    if total != len(found):
        raise Incomplete(f"{what} holds {len(found)} of {total}")
    _unique([snapshot.name for snapshot in found], "snapshot")
    return found


def _share_snapshot(row: Mapping[str, Any], *, immutability_asked: bool) -> Snapshot:
    name = fields.text(row, "time")
    named = snapshot_name.parse(name)
    immutable = fields.flag(row, "worm_lock", default=False)
    return Snapshot(
        name=name,
        time=named.time if named is not None else None,
        description=fields.text(row, "desc", ""),
        uuid=fields.text(row, "ruuid", ""),
        form=named.form if named is not None else None,
        locked=fields.flag(row, "lock"),
        immutable=immutable,
        immutable_until=_end(row) if immutable else None,
        immutability_known=immutability_asked or immutable,
        scheduled=fields.flag(row, "schedule_snapshot", default=False),
    )


def _end(row: Mapping[str, Any]) -> int | None:
    try:
        return _moment(fields.number(row, "worm_lock_end"))
    except Incomplete:
        return None


def _moment(epoch: int) -> int | None:
    """Return an instant, None for one that no clock shows: what is not a time is unreadable."""
    return epoch if snapshot_name.EARLIEST <= epoch <= snapshot_name.LATEST else None


def luns(data: Any) -> tuple[Lun, ...]:
    """Read `SYNO.Core.ISCSI.LUN list`, which states no total."""
    found = tuple(_lun(row) for row in fields.rows(data, "luns", "the list of LUNs"))
    _unique([lun.uuid for lun in found], "LUN")
    return found


def _lun(row: Mapping[str, Any]) -> Lun:
    attributes = row.get("dev_attribs")
    can = [
        fields.flag(attribute, "enable", default=True)
        for attribute in (attributes if isinstance(attributes, list) else [])
        if isinstance(attribute, dict) and attribute.get("dev_attrib") == "can_snapshot"
    ]
    return Lun(
        name=fields.text(row, "name"),
        uuid=fields.text(row, "uuid"),
        volume=fields.text(row, "location", ""),
        unsupported="" if all(can) else "a thick LUN has no snapshots",
        built_in=_lun_built_in(row),
    )


def _lun_built_in(row: Mapping[str, Any]) -> BuiltIn:
    tasks = row.get("scheduled_task")
    on = any(
        fields.flag(fields.block(task, "general"), "task_enabled", default=False)
        for task in (tasks if isinstance(tasks, list) else [])
        if isinstance(task, dict)
    )
    kind, text = retention(fields.block(row, "retention"))
    return BuiltIn(schedule=on, retention=kind, retention_text=text)


def lun_snapshots(data: Any) -> tuple[Snapshot, ...]:
    """Read `list_snapshot`; raises Incomplete unless `count` is what came."""
    what = "the list of LUN snapshots"
    found = tuple(_lun_snapshot(row) for row in fields.rows(data, "snapshots", what))
    count = fields.number(fields.mapping(data, what), "count")
    if count != len(found):
        raise Incomplete(f"{what} holds {len(found)} of {count}")
    _unique([snapshot.uuid for snapshot in found], "snapshot")
    return found


def _lun_snapshot(row: Mapping[str, Any]) -> Snapshot:
    status = row.get("status")
    word = status.get("type") if isinstance(status, dict) else status
    keys = row.get("locked_app_keys")
    if not isinstance(keys, list):
        raise Incomplete("a LUN snapshot does not say what holds it (`locked_app_keys`)")
    return Snapshot(
        name=fields.text(row, "name", ""),
        time=_moment(fields.number(row, "create_time")),
        description=fields.text(row, "description", ""),
        uuid=fields.text(row, "uuid"),
        locked=fields.flag(row, "is_user_locked"),
        immutable=fields.flag(row, "is_worm_locked", default=False),
        scheduled=row.get("taken_by") == "scheduler",
        holders=tuple(str(key) for key in keys),
        healthy=isinstance(word, str) and word.casefold() == "healthy",
    )


def built_in(schedule: Mapping[str, Any], policy: Mapping[str, Any]) -> BuiltIn:
    """Read DSM's own schedule and retention of a share, as `snapshot_info` gives them.

    A schedule without `next_trigger_time` is off.
    """
    kind, text = retention(policy)
    trigger = schedule.get("next_trigger_time")
    return BuiltIn(schedule=bool(trigger), retention=kind, retention_text=text)


def retention(policy: Mapping[str, Any]) -> tuple[RetentionKind, str]:
    """Read `policyType`, a set of bits; DSM prunes whenever it is neither 0 nor "keep all"."""
    bits = fields.number(policy, "policyType", 0) & 0xFFFFFFFF
    if bits == 0:
        return RetentionKind.NONE, ""
    for bit, kind, text in _POLICY_BITS:
        if bits & bit:
            return kind, text(policy)
    return RetentionKind.UNKNOWN, f"policyType {bits}"


def _advanced(policy: Mapping[str, Any]) -> str:
    """Write the rules as DSM applies them: the `adv*` fields, not their stale copies."""
    counts = [(fields.number(policy, f"adv{rule}", 0), rule.casefold()) for rule in _ADVANCED_RULES]
    return "Smart: " + ", ".join(f"{count} {rule}" for count, rule in counts if count)


_POLICY_BITS: tuple[tuple[int, RetentionKind, Callable[[Mapping[str, Any]], str]], ...] = (
    (_KEEP_ALL, RetentionKind.KEEP_ALL, lambda _: "keeps all"),
    (_ADVANCED, RetentionKind.ADVANCED, _advanced),
    (_DAYS, RetentionKind.DAYS, lambda p: f"{fields.number(p, 'retainDay', 0)} days"),
    (_LATEST, RetentionKind.LATEST, lambda p: f"latest {fields.number(p, 'recently', 0)}"),
)
"""DSM's bits, the first that is set decides: 1 << 31, 128, 64, and 20 (16 and 4)."""


def _unique(names: Sequence[str], what: str) -> None:
    if len(set(names)) != len(names):
        raise Incomplete(f"one {what} is listed twice")


KIND_OF_TARGET = {1: Kind.LUN, 2: Kind.SHARE}
"""`target_type` of a replication plan."""
