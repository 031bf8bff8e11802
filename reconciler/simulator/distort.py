"""Answers that are well formed and untrue: shortened lists, refused or ignored writes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from reconciler.simulator.codes import LunCode, ShareCode
from reconciler.simulator.sync import share_of
from reconciler.simulator.wire import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.simulator.faults import Fault
    from reconciler.simulator.nas import Nas

_LISTS: Final = ("snapshots", "shares", "luns", "plans", "volumes", "log_list")
_COUNTS: Final = ("total", "count")
_DELETIONS: Final = (
    ("snapshots", ShareCode.IMMUTABLE),
    ("snapshot_uuids", LunCode.LOCKED),
)


def distort(fault: Fault, reply: Reply) -> Reply:
    """Return the answer with its list cut, emptied or doubled, where the fault says so."""
    change = _CHANGES.get(fault.kind)
    if change is None or not isinstance(reply.payload, dict):
        return reply
    payload = dict(reply.payload)
    rows = 0
    for key in _LISTS:
        if key in payload:
            payload[key] = change(payload[key], fault.rows)
            rows = len(payload[key])
    if fault.kind != "short_listing":
        payload |= {key: rows for key in _COUNTS if key in payload}
    return replace(reply, payload=payload)


_CHANGES: Final[dict[str, Callable[[list[Any], int], list[Any]]]] = {
    "short_listing": lambda rows, count: rows[: -count or None],
    "empty_listing": lambda _rows, _count: [],
    "double_listing": lambda rows, count: [*rows, *rows[:count]],
}


def pretend(fault: Fault, nas: Nas, call: Call, work: Callable[[Call], Reply]) -> Reply:
    """Return an answer that claims success for work that is not done, or done in part."""
    if fault.kind == "partial":
        return _partial(fault, call, work)
    if call.method == "create":
        share = share_of(nas, str(call.parameters.get("name")))
        return Reply(share.name_at(nas.clock.now()) if share else "")
    if call.method == "take_snapshot":
        return Reply({"snapshot_id": 1, "snapshot_uuid": str(uuid4())})
    return Reply([]) if "snapshot_uuids" in call.parameters else Reply()


def _partial(fault: Fault, call: Call, work: Callable[[Call], Reply]) -> Reply:
    for key, usual in _DELETIONS:
        names = call.parameters.get(key)
        if isinstance(names, list):
            return _refuse_some(fault, call, work, key=key, usual=int(usual))
    return Reply()


def _refuse_some(
    fault: Fault, call: Call, work: Callable[[Call], Reply], *, key: str, usual: int
) -> Reply:
    names: list[str] = call.parameters[key]
    refused = [name for name in names if not fault.names or name in fault.names]
    rest = [name for name in names if name not in refused]
    code = usual if fault.code is None else fault.code
    codes: list[Any] = [{name: code} for name in refused]
    if rest:
        done = work(replace(call, parameters={**call.parameters, key: rest}))
        codes += done.payload if isinstance(done.payload, list) else []
    return Reply(codes)
