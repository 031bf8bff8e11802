"""DSM's own schedules and retention off the wire: an unknown code is said, not guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.builtin import EVERY_DAY, OwnRetention, OwnSchedule, OwnSettings
from reconciler.dsm import fields
from reconciler.dsm.errors import Incomplete
from reconciler.errors import TargetError
from reconciler.model import RetentionKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS: Mapping[int, RetentionKind] = {
    0: RetentionKind.NONE,
    1 << 31: RetentionKind.KEEP_ALL,
    20: RetentionKind.LATEST,
    64: RetentionKind.DAYS,
    128: RetentionKind.ADVANCED,
}
_BY_TIME = 32
_MINIMUM, _ALL_DAYS = 1, 64
_RULES = (
    (2, "hourly", "advHourly"),
    (4, "daily", "advDaily"),
    (8, "weekly", "advWeekly"),
    (16, "monthly", "advMonthly"),
    (32, "yearly", "advYearly"),
)
_KNOWN_BITS = 127
_LATEST_HOUR, _LATEST_MINUTE = 23, 59


def settings(schedule: Any, retention: Any, immutable: Any) -> OwnSettings:
    """Read the answers to `get_schedule`, `Retention get` and `get_worm_lock` of one share.

    Where schedule or retention was refused or cannot be read, that half is None and `problem`
    says why. No answer about immutability is a DSM before 7.2, which has none.
    """
    problems: list[str] = []
    own_schedule = _or_problem(schedule, share_schedule, problems)
    own_retention = _or_problem(retention, own_policy, problems)
    return OwnSettings(
        own_schedule, own_retention, _immutable_days(immutable), problem="; ".join(problems)
    )


def share_schedule(data: Mapping[str, Any]) -> OwnSchedule:
    """Read `get_schedule`: the flag decides, not the next trigger, which outlives switching off."""
    return trigger(
        fields.block(data, "schedule"),
        enabled=fields.flag(data, "enable_snapshot_schedule"),
        exists=fields.number(data, "task_id", -1) >= 0,
    )


def lun_settings(row: Mapping[str, Any]) -> OwnSettings:
    """Read a row of the list of LUNs: its scheduled tasks and its retention.

    Of several tasks the first that is switched on counts. `snap_rotate` without a retention is a
    rotation whose number is not known.
    """
    listed = row.get("scheduled_task")
    tasks = [t for t in listed if isinstance(t, dict)] if isinstance(listed, list) else []
    read = [(fields.block(task, "general"), fields.block(task, "schedule")) for task in tasks]
    on = [fields.flag(general, "task_enabled", default=False) for general, _ in read]
    place = on.index(True) if True in on else 0
    schedule = OwnSchedule(enabled=False, exists=False)
    if read:
        general, when = read[place]
        exists = on[place] or fields.number(general, "tid", -1) >= 0
        schedule = trigger(when, enabled=on[place], exists=exists)
    policy = fields.block(row, "retention")
    retention = own_policy(policy) if policy else OwnRetention(RetentionKind.NONE)
    rotates = any(fields.flag(general, "snap_rotate", default=False) for general, _ in read)
    if rotates and not retention.kind.prunes:
        retention = OwnRetention(RetentionKind.UNKNOWN, text="a rotation whose number it hides")
    return OwnSettings(schedule, retention)


def plan_schedules(data: Any) -> dict[str, OwnSchedule]:
    """Read the schedule of each replication plan of `SYNO.DR.Plan list`, by plan id."""
    found: dict[str, OwnSchedule] = {}
    for row in fields.rows(data, "plans", "the list of replication plans"):
        policy = fields.block(fields.block(row, "additional"), "sync_policy")
        when = fields.block(policy, "schedule")
        if when:
            on = fields.flag(policy, "enabled", default=False)
            found[fields.text(row, "plan_id")] = trigger(when, enabled=on, exists=True)
    return found


def trigger(row: Mapping[str, Any], *, enabled: bool, exists: bool) -> OwnSchedule:
    """Read a `schedule` object; raises Incomplete for a time that no clock shows."""
    if not row:
        return OwnSchedule(enabled=enabled, exists=exists or enabled, by_date=enabled)
    hour, minute = fields.number(row, "hour", 0), fields.number(row, "min", 0)
    repeat = 60 * fields.number(row, "repeat_hour", 0) + fields.number(row, "repeat_min", 0)
    last = fields.number(row, "last_work_hour", _LATEST_HOUR) if repeat else None
    shown = 0 <= hour <= _LATEST_HOUR and 0 <= minute <= _LATEST_MINUTE and repeat >= 0
    if not shown:
        raise Incomplete(f"a schedule at {hour}:{minute:02d}, every {repeat} min, is no time")
    days = fields.text(row, "week_name", ",".join(str(day) for day in EVERY_DAY))
    weekdays = tuple(sorted({int(d) for d in days.replace(" ", "").split(",") if d in _DAYS}))
    by_date = fields.number(row, "date_type", 0) != 0 or bool(row.get("monthly_week"))
    return OwnSchedule(
        enabled=enabled, exists=exists or enabled, hour=hour, minute=minute, last_hour=last,
        repeat=repeat, weekdays=weekdays, by_date=by_date,
        next_at=fields.text(row, "next_trigger_time", ""),
    )  # fmt: skip


_DAYS = frozenset(str(day) for day in EVERY_DAY)


def own_policy(row: Mapping[str, Any]) -> OwnRetention:
    """Read `Retention get`; whatever is not exactly a known code is UNKNOWN, with the code.

    The `adv*` fields are what DSM applies; the plain ones beside them are stale copies.
    """
    code = fields.number(row, "policyType") & 0xFFFFFFFF
    kind = _KINDS.get(code & ~_BY_TIME)
    if kind is None:
        return OwnRetention(RetentionKind.UNKNOWN, text=f"policyType {code}")
    if kind is RetentionKind.LATEST:
        return OwnRetention(kind, latest=fields.number(row, "recently"))
    if kind is RetentionKind.DAYS:
        return OwnRetention(kind, days=fields.number(row, "retainDay"))
    if kind is RetentionKind.ADVANCED:
        return _advanced(row)
    return OwnRetention(kind)


def _advanced(row: Mapping[str, Any]) -> OwnRetention:
    bits = fields.number(row, "advPolicyType")
    if bits & ~_KNOWN_BITS or bits < 0:
        return OwnRetention(RetentionKind.UNKNOWN, text=f"advPolicyType {bits}")
    counts = {word: fields.number(row, key) for bit, word, key in _RULES if bits & bit}
    return OwnRetention(
        RetentionKind.ADVANCED,
        counts={word: count for word, count in counts.items() if count > 0},
        minimum=fields.number(row, "advMinimum") if bits & _MINIMUM else 0,
        all_days=fields.number(row, "advRetainDay") if bits & _ALL_DAYS else 0,
    )


def _immutable_days(answer: Any) -> int:
    if not isinstance(answer, dict):
        return 0
    on = fields.flag(answer, "worm_lock_enable", default=False)
    return fields.number(answer, "worm_lock_day", 0) if on else 0


def _or_problem(answer: Any, read: Any, problems: list[str]) -> Any:
    if isinstance(answer, TargetError):
        problems.append(str(answer))
        return None
    try:
        return read(fields.mapping(answer, "DSM's own settings"))
    except Incomplete as error:
        problems.append(str(error))
        return None
