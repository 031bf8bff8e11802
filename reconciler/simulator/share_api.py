"""`SYNO.Core.Share.Snapshot`: what DSM answers about snapshots of shared folders.

Version 2 knows `list` and nothing else. The attributes of a snapshot are only in the list when
`additional` asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.simulator.api import Api, Method, versions
from reconciler.simulator.codes import DsmError, ShareCode
from reconciler.simulator.share_list import check_additional, find_share
from reconciler.simulator.share_write import create, delete, set_attributes
from reconciler.simulator.wire import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.simulator.nas import Nas
    from reconciler.simulator.share import Share, ShareSnapshot


def _worm(snapshot: ShareSnapshot, now: float) -> dict[str, Any]:
    if not snapshot.immutable(now):
        return {"worm_lock": False}
    begin, until = snapshot.immutable_from or 0.0, snapshot.immutable_until or 0.0
    return {
        "worm_lock": True,
        "worm_lock_begin": str(int(begin)),
        "worm_lock_day": str(snapshot.immutable_days),
        "worm_lock_end": str(int(until)),
    }


_ATTRIBUTES: Final[dict[str, Callable[[ShareSnapshot, float], dict[str, Any]]]] = {
    "desc": lambda s, _now: {"desc": s.description},
    "lock": lambda s, _now: {"lock": s.locked},
    "schedule_snapshot": lambda s, _now: {"schedule_snapshot": s.scheduled},
    "worm_lock": _worm,
    "ruuid": lambda s, _now: {"ruuid": s.ruuid},
    "snap_size": lambda s, _now: {"snap_size": str(s.size)},
    "hide": lambda s, _now: {"hide": s.hidden},
    "take_by": lambda s, _now: {"take_by": s.taken_by},
}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _matches(snapshot: ShareSnapshot, condition: str, now: float) -> bool:
    negated, condition = condition.startswith("!"), condition.removeprefix("!")
    key, operator, wanted = condition.partition("==")
    if not operator:
        key, _, wanted = condition.partition("=")
    known = _ATTRIBUTES.get(key)
    value = _text(known(snapshot, now)[key]) if known else ""
    found = value == wanted if operator else wanted in value
    return found is not negated


def _conditions(call: Call) -> list[str]:
    given = call.parameters.get("filter")
    attributes = given.get("attr", []) if isinstance(given, dict) else []
    return [text for text in attributes if isinstance(text, str)]


def _row(snapshot: ShareSnapshot, asked: tuple[str, ...], now: float) -> dict[str, Any]:
    row: dict[str, Any] = {"time": snapshot.name}
    for key in asked:
        if key in _ATTRIBUTES:
            row |= _ATTRIBUTES[key](snapshot, now)
    return dict(sorted(row.items()))


def _listed(share: Share) -> list[ShareSnapshot]:
    # By name, as the folder is read: across a change of offset that is not the order of time.
    return [] if share.offline else sorted(share.snapshots, key=lambda s: s.name)


def _list(nas: Nas, call: Call) -> Reply:
    share, asked, now = find_share(nas, call), call.additional(), nas.clock.now()
    check_additional(nas, asked, set(_ATTRIBUTES))
    conditions = _conditions(call)
    rows = [
        _row(snapshot, asked, now)
        for snapshot in _listed(share)
        if all(_matches(snapshot, condition, now) for condition in conditions)
    ]
    return Reply({"snapshots": call.page(rows), "total": len(rows)})


def _schedule(nas: Nas, call: Call) -> Reply:
    share = find_share(nas, call)
    return Reply(
        {
            "enable_snapshot_schedule": share.schedule.enabled,
            "schedule": share.schedule.wire(after=nas.clock.now(), zone=nas.zone),
            "task_id": share.schedule.task_id,
        }
    )


def _share_settings(nas: Nas, call: Call) -> Reply:
    share = find_share(nas, call)
    asked = call.texts("sharesnapinfo", wrong=ShareCode.BAD_VALUE)
    if not asked:
        raise DsmError(ShareCode.BAD_VALUE)
    settings = {
        "enable_snapshot_browsing": share.browsing,
        "snapshot_local_time_format": share.local_time_format,
    }
    return Reply({key: value for key, value in settings.items() if key in asked})


_V1: Final = versions(1)

APIS: Final = (
    Api(
        "SYNO.Core.Share.Snapshot",
        1,
        2,
        {
            "list": Method(versions(1, 2), _list),
            "get_schedule": Method(_V1, _schedule),
            "get_share_conf": Method(_V1, _share_settings),
            "create": Method(_V1, create, writes=True),
            "set": Method(_V1, set_attributes, writes=True),
            "delete": Method(_V1, delete, writes=True),
        },
    ),
)
