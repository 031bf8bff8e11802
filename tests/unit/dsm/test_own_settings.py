"""DSM's own schedule and retention off the wire: exact codes, the flag, the `adv*` fields."""

from __future__ import annotations

import pytest

from reconciler.dsm import parse_own
from reconciler.dsm.errors import Rejected
from reconciler.model import RetentionKind

_ADVANCED = {
    "policyType": 128, "advPolicyType": 95, "advDaily": 7, "advHourly": 24, "advMinimum": 5,
    "advMonthly": 1, "advWeekly": 2, "advYearly": 0, "advRetainDay": 1, "daily": 99, "tid": -1,
}  # fmt: skip
_OFF = {
    "enable_snapshot_schedule": False, "task_id": 5,
    "schedule": {"hour": 4, "min": 30, "last_work_hour": 4, "repeat_hour": 0, "repeat_min": 0,
                 "date_type": 0, "week_name": "0,1,2,3,4,5,6",
                 "next_trigger_time": "2026-11-24 04:30"},
}  # fmt: skip


def test_the_flag_decides_not_the_next_trigger() -> None:
    """A schedule that was switched off keeps its next trigger and is off."""
    found = parse_own.share_schedule(_OFF)
    assert (found.enabled, found.exists, found.hour, found.minute) == (False, True, 4, 30)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0, RetentionKind.NONE),
        (1 << 31, RetentionKind.KEEP_ALL),
        (-(1 << 31), RetentionKind.KEEP_ALL),
        (20, RetentionKind.LATEST),
        (52, RetentionKind.LATEST),
        (64, RetentionKind.DAYS),
        (128, RetentionKind.ADVANCED),
        (16, RetentionKind.UNKNOWN),
        (84, RetentionKind.UNKNOWN),
        (192, RetentionKind.UNKNOWN),
        (256, RetentionKind.UNKNOWN),
    ],
)
def test_only_exact_codes_are_known(code: int, kind: RetentionKind) -> None:
    """A code that is not exactly a known one is unknown, never the nearest."""
    row = {**_ADVANCED, "policyType": code, "recently": 3, "retainDay": 4}
    assert parse_own.own_policy(row).kind is kind


def test_bits_select_which_advanced_rules_apply() -> None:
    """The `adv*` fields count where their bit is set; an unknown bit makes the whole unknown."""
    found = parse_own.own_policy(_ADVANCED)
    assert found.counts == {"hourly": 24, "daily": 7, "weekly": 2, "monthly": 1}
    assert (found.minimum, found.all_days) == (5, 1)
    few = parse_own.own_policy({**_ADVANCED, "advPolicyType": 4})
    assert (few.counts, few.minimum, few.all_days) == ({"daily": 7}, 0, 0)
    odd = parse_own.own_policy({**_ADVANCED, "advPolicyType": 128 + 4})
    assert odd.kind is RetentionKind.UNKNOWN


def test_a_half_that_cannot_be_read_is_none_with_its_reason() -> None:
    """A refused or unreadable answer leaves its half out and says why; the other half stands."""
    found = parse_own.settings(Rejected("no"), _ADVANCED, None)
    assert (found.schedule, found.problem, found.immutable_days) == (None, "no", 0)
    assert found.retention is not None
    broken = {k: v for k, v in _ADVANCED.items() if k != "advDaily"}
    worm = {"worm_lock_enable": True, "worm_lock_day": 7}
    half = parse_own.settings(_OFF, broken, worm)
    assert (half.retention, half.immutable_days) == (None, 7)
    assert "advDaily" in half.problem


def test_a_lun_that_rotates_by_a_hidden_number_is_unknown() -> None:
    """`snap_rotate` without a retention prunes by a number that the list does not hold."""
    task = {"general": {"task_enabled": True, "tid": 3, "snap_rotate": True}, "schedule": {}}
    row = {"uuid": "u", "retention": None, "scheduled_task": [task]}
    found = parse_own.lun_settings(row)
    assert found.retention is not None
    assert found.retention.kind is RetentionKind.UNKNOWN
