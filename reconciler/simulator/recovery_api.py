"""`SYNO.DisasterRecovery.*`: the built-in retention, the WORM setting, and the log feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.simulator.api import Api, Method, versions
from reconciler.simulator.codes import ReplicationCode
from reconciler.simulator.naming import log_time
from reconciler.simulator.retention import Retention
from reconciler.simulator.sync import share_of
from reconciler.simulator.wire import Call, Reply

if TYPE_CHECKING:
    from reconciler.simulator.nas import Nas
    from reconciler.simulator.share import Share

# Only this spelling reads the shares; any other one reads an empty namespace of its own.
_SHARES: Final = "Share"
_DEFAULT_DAYS: Final = 7


def _target(nas: Nas, call: Call) -> tuple[str, str, Share | None]:
    missing = ReplicationCode.NO_PARAMETERS
    kind = call.text("type", missing=missing, wrong=missing)
    name = call.text("name", missing=missing, wrong=missing)
    return kind, name, share_of(nas, name) if kind == _SHARES else None


def _retention(nas: Nas, call: Call) -> Reply:
    kind, name, share = _target(nas, call)
    retention = share.retention if share else Retention()
    return Reply(retention.wire(name=name, prefix=f"{kind}#"))


def _worm_lock(nas: Nas, call: Call) -> Reply:
    _, _, share = _target(nas, call)
    days = share.scheduled_immutable_days if share else 0
    return Reply({"worm_lock_day": days or _DEFAULT_DAYS, "worm_lock_enable": days > 0})


def _log(nas: Nas, call: Call) -> Reply:
    rows = [
        {
            "event": entry.text,
            "level": entry.level,
            "log_type": "drlog",
            "time": log_time(entry.at, nas.zone),
            "user": entry.user,
        }
        for entry in reversed(nas.log)
    ]
    counts = {f"{level}_count": 0 for level in ("error", "warn")}
    counts["info_count"] = len(rows)
    return Reply({"log_list": call.page(rows), "total": len(rows), **counts})


_V1: Final = versions(1)

APIS: Final = (
    Api(
        "SYNO.DisasterRecovery.Retention",
        1,
        1,
        {"get": Method(_V1, _retention), "get_worm_lock": Method(_V1, _worm_lock)},
    ),
    Api("SYNO.DisasterRecovery.Log", 1, 1, {"list": Method(_V1, _log)}),
)
