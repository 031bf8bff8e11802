"""One pass over one NAS: read it, plan, and, with leave, make it so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from reconciler.authorize import Intent, authorize
from reconciler.errors import TargetError
from reconciler.execute import UnitOutcome, execute
from reconciler.execute.ground import Ground
from reconciler.observe import Observer
from reconciler.planning.plan import UnitPlan
from reconciler.planning.unit import plan_unit
from reconciler.policy.select import owner
from reconciler.watch import Watch

if TYPE_CHECKING:
    from reconciler.dsm import Clock, Reader, Writer
    from reconciler.errors import ReconcilerError
    from reconciler.model import Instant, Kind, Observation
    from reconciler.planning.unit import Wish


@dataclass(frozen=True, slots=True)
class Looked:
    """A unit as read, and its plan; `observation` is None where it could not be read."""

    wish: Wish
    observation: Observation | None
    plan: UnitPlan


def look(wish: Wish, reader: Reader, *, now: Instant | None = None) -> Looked:
    """Read one NAS and plan it; raises TargetError where it cannot be read.

    `now` plans as of another moment than the NAS's clock says.
    """

    def owned(kind: Kind, name: str, uuid: str) -> bool:
        found = owner(wish.policies, wish.unit, kind, name, uuid, only_unit=wish.only_unit)
        return found.policy is not None

    observation = Observer(wish.unit.name, reader).whole(owned)
    if now is not None:
        observation = replace(observation, now=now)
    stranger = _stranger(wish, observation)
    plan = plan_unit(wish, observation)
    if stranger:
        plan = replace(plan, problem=stranger, targets=(), next_step=_SERIAL_STEP)
    return Looked(wish, observation, plan)


def apply(
    looked: Looked, writer: Writer, clock: Clock, *, run: str, watch: Watch | None = None
) -> UnitOutcome:
    """Run what nothing stops of a plan that was looked at; each write is verified."""
    if looked.observation is None:
        raise TargetError(looked.plan.problem, next_step=looked.plan.next_step)
    permit = authorize(looked.plan, Intent.APPLY)
    log = structlog.get_logger().bind(nas=permit.nas, run=run)
    ground = Ground(looked.wish, writer, clock, looked.observation, log, watch=watch or Watch())
    return execute(permit, ground)


_SERIAL_STEP = (
    "check `url` in the inventory; if the unit was replaced, write its new `serial` there"
)


def _stranger(wish: Wish, observation: Observation) -> str:
    """Say why this is not the unit the inventory means (P20), "" where it is."""
    serial = observation.identity.serial
    if not serial:
        return "it reported no serial number, so it cannot be told from another unit"
    if wish.unit.serials and serial not in wish.unit.serials:
        known = " or ".join(wish.unit.serials)
        return f"it is another unit: serial {serial}, the inventory says {known}"
    return ""


def unread(wish: Wish, error: ReconcilerError, now: Instant) -> Looked:
    """Return the empty plan of a unit that could not be read: unknown, never compliant (P16)."""
    plan = UnitPlan(
        nas=wish.unit.name,
        now=now,
        zone=wish.zone_of("").key,
        problem=str(error),
        next_step=error.next_step,
    )
    return Looked(wish, None, plan)
