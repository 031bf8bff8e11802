"""One run over many units: each is read, planned and written to beside the others."""

from __future__ import annotations

import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeVar

import structlog

from reconciler.errors import (
    Interrupted,
    PermanentError,
    ReconcilerError,
    Refusal,
    TargetError,
    UserError,
)
from reconciler.execute import UnitOutcome
from reconciler.planning.plan import Plan, UnitPlan
from reconciler.planning.unit import Wish
from reconciler.reconcile import Left, Looked, afterwards, apply, look, unread
from reconciler.sessions import Sessions
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from reconciler.dsm import Clock
    from reconciler.inventory.model import Configuration, Unit
    from reconciler.model import Instant
    from reconciler.policy.model import PolicySet
    from reconciler.store import Store

_AT_ONCE = 8
_Of = TypeVar("_Of")
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Run:
    """What one run is made with; `environment` is where `{env: NAME}` secrets are looked up.

    `store` holds what earlier runs left.
    """

    configuration: Configuration
    policies: PolicySet
    clock: Clock
    environment: Mapping[str, str]
    identifier: str
    store: Store


class Fleet:
    """The units of one run; a context manager that signs out of all of them.

    With `read_only` (the default) no client is made that could write. `now` plans as of another
    moment, which only a dry run may. Up to eight units are read, or written to, at once. `watch`
    hears where the run is; once it asks to stop, no unit and no write is begun any more.
    `sessions` are those of somebody who keeps them for longer than this run; they then decide who
    may write. `serials` are what the other units of the inventory reported last, by name.
    """

    def __init__(
        self,
        run: Run,
        units: Sequence[Unit],
        *,
        read_only: bool = True,
        now: Instant | None = None,
        watch: Watch | None = None,
        sessions: Sessions | None = None,
        serials: Mapping[str, str] | None = None,
    ) -> None:
        self._watch = watch or Watch()
        self._own = sessions is None
        self._sessions = sessions or Sessions(
            clock=run.clock, environment=run.environment, latches=run.store,
            read_only=read_only, watch=self._watch,
        )  # fmt: skip
        if now is not None and not self._sessions.read_only:
            raise Refusal("a plan as of another moment is never applied")
        self._now = now
        self._run = run
        self._units = tuple(units)
        self._serials = dict(serials or {})
        self._hostnames = run.store.hostnames()
        self.left: dict[str, Left] = {}
        self._memories = {unit.name: run.store.unit(unit.name) for unit in units}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._own:
            sign_out(self._sessions)

    def look(self) -> tuple[Looked, ...]:
        """Read and plan every unit, several at once; a unit that cannot be read has its problem."""
        return _one_name_each(_at_once(self._look, self._units), self._serials)

    def apply(self, looked: Sequence[Looked]) -> tuple[UnitOutcome, ...]:
        """Apply what was looked at, several units at once; one's trouble does not stop the others.

        The outcomes come in the order of `looked`. Each unit is signed out when it is done with,
        and what it looks like then is kept in `left`, its memory for the next run too.
        """
        read = [one for one in looked if _was_read(one)]
        for one in looked:
            if not _was_read(one):
                self._keep(one, UnitOutcome(one.plan.nas))
        return _at_once(self._applied, read)

    def _applied(self, looked: Looked) -> UnitOutcome:
        outcome = self._apply(looked)
        self._keep(looked, outcome)
        return outcome

    def _keep(self, looked: Looked, outcome: UnitOutcome) -> None:
        left = afterwards(looked, outcome)
        self._run.store.keep(left.memory)
        self.left[looked.plan.nas] = left

    def _look(self, unit: Unit) -> Looked:
        wish = self._wish(unit)
        well = False
        try:
            self._begin(unit.name, "this unit was read")
            found = look(wish, self._sessions.reader(unit), now=self._now)
            well = not found.plan.problem
        except (TargetError, UserError) as error:
            structlog.get_logger().info("unit.unread", nas=unit.name, error=str(error))
            found = unread(wish, error, int(self._run.clock.time()))
        except Exception as error:  # noqa: BLE001  a mistake met on one unit is that unit's alone
            found = unread(wish, mistaken(unit.name, error), int(self._run.clock.time()))
        finally:
            self._watch.ends(unit.name)
        if self._sessions.read_only or self._sessions.over or not _free(found):
            self._sessions.done(unit.name, well=well)
        return found

    def _apply(self, looked: Looked) -> UnitOutcome:
        name = looked.plan.nas
        well = False
        try:
            if not _free(looked):
                well = True
                return UnitOutcome(name)
            self._begin(name, "anything was written here")
            outcome = apply(
                looked,
                self._sessions.writer(name),
                self._run.clock,
                run=self._run.identifier,
                watch=self._watch,
            )
            well = not outcome.problem
        except ReconcilerError as error:
            return UnitOutcome(name, problem=str(error), next_step=error.next_step)
        except Exception as error:  # noqa: BLE001  what the other units did must still be told
            mistake = mistaken(name, error)
            return UnitOutcome(name, problem=str(mistake), next_step=mistake.next_step)
        else:
            return outcome
        finally:
            self._watch.ends(name)
            self._sessions.done(name, well=well)

    def _begin(self, name: str, what: str) -> None:
        if self._watch.halted():
            raise Interrupted(f"the run was interrupted before {what}")
        self._watch.begins(name)

    def _wish(self, unit: Unit) -> Wish:
        configuration = self._run.configuration
        return Wish(
            policies=self._run.policies,
            unit=unit,
            brakes=configuration.brakes,
            installation=configuration.installation,
            only_unit=len(configuration.units) == 1,
            hostnames=self._hostnames,
            memory=self._memories[unit.name],
        )


def sign_out(sessions: Sessions) -> None:
    """Sign out of every unit, several at once; what is still being read signs out by itself."""
    with sessions:
        pass
    _at_once(sessions.sign_out, sessions.names())


def _at_once(work: Callable[[_Of], _Found], many: Sequence[_Of]) -> tuple[_Found, ...]:
    """Return what `work` makes of each, in order, a few at once."""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return tuple(pool.map(work, many))


def _was_read(looked: Looked) -> bool:
    return looked.observation is not None and not looked.plan.problem


def _free(looked: Looked) -> bool:
    """Whether anything is planned that nothing stops."""
    return any(action.stopped_by is None for action in looked.plan.actions)


def mistaken(nas: str, error: Exception) -> PermanentError:
    """Log where the reconciler itself went wrong, without the values at hand; return the fact."""
    places = "".join(traceback.format_tb(error.__traceback__))
    kind = type(error).__name__
    structlog.get_logger().error("unit.mistake", nas=nas, kind=kind, places=places)
    return PermanentError(
        f"the reconciler itself went wrong here ({kind}); the other units are not concerned",
        next_step="please report it with the log line `unit.mistake` on stderr",
    )


def plan_of(looked: Sequence[Looked], *, created_at: Instant, revision: str) -> Plan:
    """Gather what was looked at into one plan, in the inventory's order."""
    return Plan(created_at, revision, tuple(one.plan for one in looked))


def _one_name_each(looked: tuple[Looked, ...], others: Mapping[str, str]) -> tuple[Looked, ...]:
    """Leave alone every unit whose serial another entry of the inventory reported too (P12)."""
    read = {one.plan.nas: one.observation.identity.serial for one in looked if one.observation}
    known = {**others, **read}
    serials = Counter(known.values())
    return tuple(
        one
        if one.observation is None or serials[one.observation.identity.serial] == 1
        else replace(one, plan=_twice(one.plan, known), observation=None)
        for one in looked
    )


def _twice(plan: UnitPlan, known: Mapping[str, str]) -> UnitPlan:
    serial = plan.identity.serial if plan.identity is not None else ""
    names = [name for name, reported in known.items() if reported == serial]
    return replace(
        plan,
        targets=(),
        problem=f"{' and '.join(names)} are one unit: both report serial {serial}",
        next_step="take one of the two out of the inventory",
    )
