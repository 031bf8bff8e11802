"""`SYNO.DR.Plan`: replication plans and their syncs.

The API is advertised up to version 3, yet `list` and `sync` know version 1 alone. It is absent
without the package, and may linger in the list of APIs while the package is stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.simulator.api import Api, Method, versions
from reconciler.simulator.codes import Common, DsmError, ReplicationCode
from reconciler.simulator.plan import MAIN_SITE, Plan
from reconciler.simulator.plan_wire import BLOCKS, plan_row
from reconciler.simulator.share_list import check_additional
from reconciler.simulator.sync import begin
from reconciler.simulator.wire import Call, Reply

if TYPE_CHECKING:
    from reconciler.simulator.nas import Nas


def _require_service(nas: Nas) -> None:
    if nas.replication == "stopped":
        raise DsmError(Common.NO_SUCH_API)


def _list(nas: Nas, call: Call) -> Reply:
    _require_service(nas)
    asked = call.additional()
    check_additional(nas, asked, set(BLOCKS))
    return Reply({"plans": [plan_row(nas, plan, asked) for plan in nas.plans]})


def _find(nas: Nas, call: Call) -> Plan:
    wanted = call.text("plan_id", missing=Common.BAD_PARAMETER, wrong=Common.BAD_PARAMETER)
    plan = next((plan for plan in nas.plans if plan.plan_id == wanted), None)
    if plan is None:
        raise DsmError(ReplicationCode.NO_SUCH_PLAN)
    return plan


def _sync(nas: Nas, call: Call) -> Reply:
    _require_service(nas)
    plan = _find(nas, call)
    if plan.role != MAIN_SITE:
        raise DsmError(ReplicationCode.NOT_MAIN_SITE)
    if not plan.can_sync:
        raise DsmError(ReplicationCode.BUSY)
    description = call.parameters.get("sync_description", "")
    started = begin(
        nas,
        plan,
        at=nas.clock.now(),
        description=description if isinstance(description, str) else str(description),
        locked=call.flag("is_snapshot_locked"),
    )
    if not started:
        raise DsmError(ReplicationCode.NO_SUCH_PLAN)
    return Reply()


APIS: Final = (
    Api(
        "SYNO.DR.Plan",
        1,
        3,
        {
            "list": Method(versions(1), _list),
            "sync": Method(versions(1), _sync, writes=True),
        },
        present=lambda nas: nas.replication != "absent",
    ),
)
