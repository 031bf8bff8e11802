"""`SYNO.Core.Share`: shared folders as DSM lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.simulator.api import Api, Method, versions
from reconciler.simulator.codes import Common, DsmError, ShareCode
from reconciler.simulator.wire import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.simulator.nas import Nas
    from reconciler.simulator.share import Share

_FIELDS: Final[dict[str, Callable[[Share], dict[str, Any]]]] = {
    "support_snapshot": lambda s: {"support_snapshot": s.support_snapshot},
    "encryption": lambda s: {"encryption": s.encryption},
    "enable_share_cow": lambda s: {"enable_share_cow": s.support_snapshot},
    "enable_share_compress": lambda _s: {"enable_share_compress": False},
    "share_quota": lambda _s: {"quota_value": 0, "share_quota_used": 0},
    "hidden": lambda s: {"hidden": s.hidden},
    "is_usb_share": lambda s: {"is_usb_share": s.usb},
    "is_force_readonly": lambda s: {"is_force_readonly": s.readonly},
    "is_share_moving": lambda s: {"is_share_moving": s.moving},
    "is_offline_share": lambda s: {"is_offline_share": s.offline},
    "is_missing_share": lambda s: {"is_missing_share": s.missing},
    "is_cold_storage_share": lambda s: {"is_cold_storage_share": s.cold_storage},
    "is_c2_share": lambda s: {"is_c2_share": s.c2},
    "is_cluster_share": lambda _s: {"is_cluster_share": False},
    "support_action": lambda _s: {"support_action": 511},
    "task_id": lambda s: {"task_id": str(s.schedule.task_id)},
    "is_block_snap_action": lambda s: {"is_block_snap_action": s.busy},
    "recyclebin": lambda _s: {"enable_recycle_bin": False},
}
_ADVANCED: Final = {
    "advDaily", "advHourly", "advMinimum", "advMonthly", "advPolicyType", "advRetainDay",
    "advWeekly", "advYearly", "policyType", "recently", "retainDay",
}  # fmt: skip
_TRIGGER: Final = ("hour", "min", "week_name", "date_type", "repeat_hour", "repeat_min")


def find_share(nas: Nas, call: Call) -> Share:
    """Return the share that `name` names.

    403 for a value that is absent or no text (an unquoted number, say), 402 for no such share.
    """
    wanted = call.text("name", missing=ShareCode.BAD_VALUE, wrong=ShareCode.BAD_VALUE)
    share = next((share for share in nas.shares if share.name == wanted), None)
    if share is None:
        raise DsmError(ShareCode.NO_SUCH_SHARE)
    return share


def check_additional(nas: Nas, asked: tuple[str, ...], known: set[str]) -> None:
    """Refuse with 120 the keys that this build does not know, where it is so strict."""
    unknown = {key for key in asked if key in nas.unknown_additional}
    if nas.strict_additional:
        unknown |= set(asked) - known
    if unknown:
        raise DsmError(Common.BAD_PARAMETER)


def _snapshot_settings(nas: Nas, share: Share) -> dict[str, Any]:
    retention = share.retention.wire(name=share.name, prefix="Share#")
    full = share.schedule.wire(after=nas.clock.now(), zone=nas.zone)
    schedule = {key: full[key] for key in _TRIGGER}
    if share.schedule.enabled:
        schedule["next_trigger_time"] = full["next_trigger_time"]
    return {
        "retention": {key: retention[key] for key in sorted(_ADVANCED)},
        "schedule": schedule,
    }


def _row(nas: Nas, share: Share, asked: tuple[str, ...]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": share.name,
        "uuid": share.uuid,
        "vol_path": share.volume,
        "desc": share.description,
        "is_usb_share": share.usb,
    }
    for key in asked:
        if key in _FIELDS:
            row |= _FIELDS[key](share)
    if "snapshot_info" in asked:
        row["snapshot_info"] = _snapshot_settings(nas, share)
    return row


def _list(nas: Nas, call: Call) -> Reply:
    # Sent by GET, this list ignores `additional`.
    asked = () if call.carried.http_method == "GET" else call.additional()
    check_additional(nas, asked, set(_FIELDS) | {"snapshot_info"})
    rows = [_row(nas, share, asked) for share in nas.shares]
    return Reply({"shares": call.page(rows), "total": len(rows)})


def _get(nas: Nas, call: Call) -> Reply:
    asked = call.additional()
    check_additional(nas, asked, set(_FIELDS) | {"snapshot_info"})
    return Reply(_row(nas, find_share(nas, call), asked))


APIS: Final = (
    Api(
        "SYNO.Core.Share",
        1,
        1,
        {"list": Method(versions(1), _list), "get": Method(versions(1), _get)},
    ),
)
