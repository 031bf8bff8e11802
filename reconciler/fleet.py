"""One run over many units: each is read, planned and written to beside the others."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, TypeVar

import structlog

from reconciler import dsm
from reconciler.audit import Who
from reconciler.errors import (
    Busy,
    Interrupted,
    PermanentError,
    ReconcilerError,
    Refusal,
    TargetError,
    UserError,
)
from reconciler.execute import UnitOutcome
from reconciler.inventory.secrets import read_secret
from reconciler.planning.plan import Plan, UnitPlan
from reconciler.planning.unit import Wish
from reconciler.policy.digest import of_policies
from reconciler.reconcile import Looked, afterwards, apply, look, unread
from reconciler.runner import Runner, runner
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from reconciler.dsm import Clock, Reader, Writer
    from reconciler.inventory.model import Configuration, SecretReference, Unit
    from reconciler.model import Instant
    from reconciler.orders import Asked, Orders
    from reconciler.policy.model import PolicySet
    from reconciler.store import Store

_AT_ONCE = 8
_Of = TypeVar("_Of")
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Run:
    """What one run is made with; `environment` is where `{env: NAME}` secrets are looked up.

    `store` holds what earlier runs left, `who` is on whose behalf it runs. `steady` returns the
    machine's boot and the seconds of its clock that never jumps, None where it has no such clock.
    """

    configuration: Configuration
    policies: PolicySet
    clock: Clock
    environment: Mapping[str, str]
    identifier: str
    store: Store
    who: Who = field(default_factory=lambda: Who("command line", ""))
    steady: Callable[[], tuple[str, float] | None] = lambda: None


class Fleet:
    """The units of one run with their open sessions; a context manager that signs all of them out.

    With `read_only` (the default) no client is made that could write. `now` plans as of another
    moment, which only a dry run may. Up to eight units are read, or written to, at once. `watch`
    hears where the run is; once it asks to stop, no unit and no write is begun any more. With
    `asked`, what a person asked for is planned instead of a pass.
    """

    def __init__(
        self,
        run: Run,
        units: Sequence[Unit],
        *,
        read_only: bool = True,
        now: Instant | None = None,
        watch: Watch | None = None,
        asked: Asked | None = None,
    ) -> None:
        if now is not None and not read_only:
            raise Refusal("a plan as of another moment is never applied")
        self._now = now
        self._asked = asked
        self._run = run
        self._units = tuple(units)
        self._read_only = read_only
        self._watch = watch or Watch()
        self._over = False
        self._sessions: dict[str, ExitStack] = {}
        self._writers: dict[str, Writer] = {}
        self._runners: dict[str, Runner] = {}
        self._serials: dict[str, str] = {}
        self._hostnames = run.store.hostnames()
        self._memories = {unit.name: run.store.unit(unit.name) for unit in units}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A unit may still be read where a signal broke off the run: it signs out by itself.
        self._over = True
        _at_once(self._sign_out, tuple(self._sessions))
        for held in self._runners.values():
            held.lease.give_back()

    def look(self) -> tuple[Looked, ...]:
        """Read and plan every unit, several at once; a unit that cannot be read has its problem."""
        return _one_name_each(_at_once(self._look, self._units), self._other_names)

    def _other_names(self, nas: str, serial: str) -> tuple[str, ...]:
        """Return the other entries of the inventory under which this serial was seen before."""
        entries = {unit.name for unit in self._run.configuration.units} - {nas}
        return tuple(sorted(entries & self._run.store.names_of(serial)))

    def apply(self, looked: Sequence[Looked]) -> tuple[UnitOutcome, ...]:
        """Apply what was looked at, several units at once; one's trouble does not stop the others.

        The outcomes come in the order of `looked`. Each unit is signed out when it is done with,
        and what it looks like then is kept for the next run.
        """
        read = [one for one in looked if _was_read(one)]
        for one in looked:
            if not _was_read(one) and not one.plan.busy:
                self._run.store.keep(afterwards(one, UnitOutcome(one.plan.nas)))
        return _at_once(self._applied, read)

    def _applied(self, looked: Looked) -> UnitOutcome:
        runner = self._runners[looked.plan.nas]
        try:
            if self._asked is None:
                runner.stopped(looked.plan)
            outcome = self._apply(looked, runner)
            runner.finish(looked, outcome)
        finally:
            runner.lease.give_back()
        return outcome

    def _look(self, unit: Unit) -> Looked:
        wish = self._wish(unit)
        try:
            self._begin(unit.name, "this unit was read")
            reader = self._open(unit)
            found = look(wish, reader, now=self._now, steady=self._run.steady())
            if not self._read_only and _was_read(found):
                found = self._prepared(unit, found, reader)
        except Busy as error:
            found = unread(wish, error, int(self._run.clock.time()))
            found = replace(found, plan=replace(found.plan, busy=True))
        except (TargetError, UserError) as error:
            structlog.get_logger().info("unit.unread", nas=unit.name, error=str(error))
            found = unread(wish, error, int(self._run.clock.time()))
        except Exception as error:  # noqa: BLE001  a mistake met on one unit is that unit's alone
            found = unread(wish, _mistake(unit.name, error), int(self._run.clock.time()))
        finally:
            self._watch.ends(unit.name)
        if self._read_only or self._over or not _free(found):
            self._sign_out(unit.name)
        return found

    def _prepared(self, unit: Unit, found: Looked, reader: Reader) -> Looked:
        """Take the lease, settle what was left open, and read again what another run changed."""
        run = self._run
        if found.observation is not None:
            serial = found.observation.identity.serial
            if self._serials.setdefault(serial, unit.name) != unit.name:
                return found
        held = runner(
            found, run.store, run.clock, folder=run.configuration.state_folder,
            run=run.identifier, who=run.who, revision=run.policies.revision,
        )  # fmt: skip
        self._runners[unit.name] = held
        memory = held.settle(found)
        wish = replace(self._wish(unit), memory=memory)
        if (wish.memory, wish.orders) == (found.wish.memory, found.wish.orders):
            return found
        return look(wish, reader, steady=run.steady())

    def _apply(self, looked: Looked, runner: Runner) -> UnitOutcome:
        name = looked.plan.nas
        try:
            if not _free(looked):
                return UnitOutcome(name)
            self._begin(name, "anything was written here")
            return apply(
                looked,
                self._writers[name],
                self._run.clock,
                audit=runner.audit,
                lease=runner.lease,
                watch=self._watch,
                orders=lambda: self._said(name),
            )
        except ReconcilerError as error:
            return UnitOutcome(name, problem=str(error), next_step=error.next_step)
        except Exception as error:  # noqa: BLE001  what the other units did must still be told
            mistake = _mistake(name, error)
            return UnitOutcome(name, problem=str(mistake), next_step=mistake.next_step)
        finally:
            self._watch.ends(name)
            self._sign_out(name)

    def _begin(self, name: str, what: str) -> None:
        if self._watch.halted():
            raise Interrupted(f"the run was interrupted before {what}")
        self._watch.begins(name)

    def _sign_out(self, name: str) -> None:
        session = self._sessions.pop(name, None)
        if session is not None:
            session.close()

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
            orders=self._said(unit.name),
            asked=self._asked,
        )

    def _said(self, name: str) -> Orders:
        """Return what people have said of a unit by now."""
        return self._run.store.orders(name, int(self._run.clock.time()))

    def _open(self, unit: Unit) -> Reader:
        """Return a signed-in client that is signed out at the end of the run."""
        connection = connection_to(unit, self._run)
        clock, session = self._run.clock, ExitStack()
        reader: Reader
        if self._read_only:
            reader = session.enter_context(dsm.open_reader(connection, clock, self._watch))
        else:
            reader = session.enter_context(dsm.open_writer(connection, clock, self._watch))
            self._writers[unit.name] = reader
        self._sessions[unit.name] = session
        return reader


def _at_once(work: Callable[[_Of], _Found], many: Sequence[_Of]) -> tuple[_Found, ...]:
    """Return what `work` makes of each, in order, a few at once."""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return tuple(pool.map(work, many))


def _was_read(looked: Looked) -> bool:
    return looked.observation is not None and not looked.plan.problem


def _free(looked: Looked) -> bool:
    """Whether anything is planned that nothing stops."""
    return any(action.stopped_by is None for action in looked.plan.actions)


def _mistake(nas: str, error: Exception) -> PermanentError:
    """Log where the reconciler itself went wrong, without the values at hand; return the fact."""
    places = "".join(traceback.format_tb(error.__traceback__))
    kind = type(error).__name__
    structlog.get_logger().error("unit.mistake", nas=nas, kind=kind, places=places)
    return PermanentError(
        f"the reconciler itself went wrong here ({kind}); the other units are not concerned",
        next_step="please report it with the log line `unit.mistake` on stderr",
    )


def connection_to(unit: Unit, run: Run) -> dsm.Connection:
    """Return how to reach and sign in to a unit; raises SecretError where a secret is not there."""

    def secret(reference: SecretReference | None) -> str:
        if reference is None:
            return ""
        return read_secret(reference, environment=run.environment)

    return dsm.Connection(
        name=unit.name,
        url=unit.url,
        account=unit.account,
        password=secret(unit.password),
        otp_seed=secret(unit.otp_secret),
        device_token=secret(unit.device_token),
        ca_file=unit.tls.ca_file,
        fingerprints=unit.tls.fingerprints,
        insecure=unit.tls.insecure,
        latches=run.store,
    )


def plan_of(looked: Sequence[Looked], *, created_at: Instant, policies: PolicySet) -> Plan:
    """Gather what was looked at into one plan, in the inventory's order."""
    plan = Plan(created_at, policies.revision, tuple(one.plan for one in looked))
    return replace(plan, policies=policies_of(policies, plan))


def policies_of(policies: PolicySet, plan: Plan) -> str:
    """Return the digest of the policies that own a plan's targets, and of all holds."""
    names = {target.policy for unit in plan.units for target in unit.targets}
    return of_policies([p for p in policies.policies if p.name in names], policies.holds)


def _one_name_each(
    looked: tuple[Looked, ...], seen_as: Callable[[str, str], tuple[str, ...]]
) -> tuple[Looked, ...]:
    """Leave alone every unit whose serial another entry of the inventory has too (P12).

    Whether in this run, or seen under that name before: a run may be of one of the two alone.
    """
    names: dict[str, set[str]] = {}
    for one in looked:
        if one.observation is not None:
            serial = one.observation.identity.serial
            names.setdefault(serial, set(seen_as(one.plan.nas, serial))).add(one.plan.nas)
    return tuple(
        one
        if one.observation is None or len(names[one.observation.identity.serial]) == 1
        else replace(
            one,
            plan=_twice(one.plan, names[one.observation.identity.serial]),
            observation=None,
        )
        for one in looked
    )


def _twice(plan: UnitPlan, names: set[str]) -> UnitPlan:
    serial = plan.identity.serial if plan.identity is not None else ""
    return replace(
        plan,
        targets=(),
        problem=f"{' and '.join(sorted(names))} are one unit: both have serial {serial}",
        next_step="take one of the two out of the inventory; where a name was given to another "
        "machine: reconcile init URL --name NAME --replaced",
    )
