"""One pass over one NAS: read it, plan, and, with leave, make it so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from reconciler.authorize import Intent, authorize
from reconciler.errors import TargetError, TemporaryError
from reconciler.execute import UnitOutcome, execute
from reconciler.execute.ground import Ground
from reconciler.model import NameForm
from reconciler.observe import Observer, with_shift
from reconciler.planning.plan import UnitPlan
from reconciler.planning.remember import remember, without
from reconciler.planning.remember import unread as unread_memory
from reconciler.planning.unit import FRACTIONAL_OFFSETS, holds_on, plan_unit, situate
from reconciler.policy.select import holds_of, owner
from reconciler.watch import Watch

if TYPE_CHECKING:
    from reconciler.dsm import Clock, Reader, Writer
    from reconciler.errors import ReconcilerError
    from reconciler.memory import UnitMemory
    from reconciler.model import Instant, Kind, Observation
    from reconciler.planning.unit import Wish


@dataclass(frozen=True, slots=True)
class Looked:
    """A unit as read, and its plan; `observation` is None where it could not be read.

    `passing` says of such a one that the cause may pass by itself.
    """

    wish: Wish
    observation: Observation | None
    plan: UnitPlan
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A unit as a pass left it: what its last reading would have planned, and what to remember."""

    plan: UnitPlan
    memory: UnitMemory


def look(wish: Wish, reader: Reader, *, now: Instant | None = None) -> Looked:
    """Read one NAS and plan it; raises TargetError where it cannot be read.

    `now` plans as of another moment than the NAS's clock says.
    """

    def owned(kind: Kind, name: str, uuid: str) -> bool:
        found = owner(wish.policies, wish.unit, kind, name, uuid, only_unit=wish.only_unit)
        held = holds_of(wish.policies, wish.unit, kind, name, uuid)
        bound = any(bond.key == (kind, uuid) for bond in wish.memory.holds)
        return found.policy is not None or bool(held) or bound

    observation = _measured(Observer(wish.unit.name, reader).whole(owned), wish)
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


def afterwards(looked: Looked, outcome: UnitOutcome) -> Left:
    """Return how a pass left the unit, and what the next one is to know of it."""
    wish = looked.wish
    if looked.observation is None or looked.plan.problem:
        memory = unread_memory(wish.memory, looked.plan.problem, looked.plan.now)
        return Left(looked.plan, memory)
    last = outcome.observation or looked.observation
    before = without(wish.memory, outcome.deleted)
    again = replace(wish, memory=before)
    holds = {(t.kind, t.uuid): holds_on(again, t) for t in last.targets}
    plan = plan_unit(again, last)
    memory = remember(
        before, plan, last, situate(again, last), holds=holds, standing=wish.policies.holds
    )
    return Left(plan, memory)


def _measured(observation: Observation, wish: Wish) -> Observation:
    """Take off what an earlier creation measured, as long as the NAS's zone still explains it."""
    for form, shift in wish.memory.shifts:
        if form is NameForm.BARE or observation.utc_offset in FRACTIONAL_OFFSETS:
            observation = with_shift(observation, form, shift)
    return observation


_SERIAL_STEP = (
    "check `url` in the inventory; if the unit was replaced, write its new `serial` there"
)


def _stranger(wish: Wish, observation: Observation) -> str:
    """Say why this is not the unit the inventory means (P20), "" where it is."""
    serial = observation.identity.serial
    if not serial:
        return "it reported no serial number, so it cannot be told from another unit"
    known = wish.unit.serials or wish.memory.serials
    if known and serial not in known:
        source = "the inventory says" if wish.unit.serials else "until now it was"
        return f"it is another unit: serial {serial}, {source} {' or '.join(known)}"
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
    return Looked(wish, None, plan, passing=isinstance(error, TemporaryError))
