"""One run over many units: each is read and planned beside the others, then applied in turn."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import structlog

from reconciler import dsm
from reconciler.errors import ReconcilerError, Refusal, TargetError
from reconciler.execute import UnitOutcome
from reconciler.inventory.secrets import read_secret
from reconciler.planning.plan import Plan, UnitPlan
from reconciler.planning.unit import Wish
from reconciler.reconcile import Looked, afterwards, apply, look, unread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from reconciler.dsm import Clock, Reader, Writer
    from reconciler.inventory.model import Configuration, SecretReference, Unit
    from reconciler.model import Instant
    from reconciler.policy.model import PolicySet
    from reconciler.store import Store

_AT_ONCE = 8


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
    """The units of one run with their open sessions; a context manager that signs all of them out.

    With `read_only` (the default) no client is made that could write. `now` plans as of another
    moment, which only a dry run may.
    """

    def __init__(
        self,
        run: Run,
        units: Sequence[Unit],
        *,
        read_only: bool = True,
        now: Instant | None = None,
    ) -> None:
        if now is not None and not read_only:
            raise Refusal("a plan as of another moment is never applied")
        self._now = now
        self._run = run
        self._units = tuple(units)
        self._read_only = read_only
        self._sessions = ExitStack()
        self._writers: dict[str, Writer] = {}
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
        self._sessions.close()

    def look(self) -> tuple[Looked, ...]:
        """Read and plan every unit, several at once; a unit that cannot be read has its problem."""
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            found = tuple(pool.map(self._look, self._units))
        return _one_name_each(found)

    def apply(self, looked: Sequence[Looked]) -> tuple[UnitOutcome, ...]:
        """Apply what was looked at, unit by unit; one unit's trouble does not stop the others.

        What each unit looks like afterwards is kept for the next run.
        """
        return tuple(self._applied(one) for one in looked)

    def _applied(self, looked: Looked) -> UnitOutcome:
        outcome = self._apply(looked)
        self._run.store.keep(afterwards(looked, outcome))
        return outcome

    def _look(self, unit: Unit) -> Looked:
        wish = self._wish(unit)
        try:
            return look(wish, self._open(unit), now=self._now)
        except TargetError as error:
            structlog.get_logger().warning("unit.unread", nas=unit.name, error=str(error))
            return unread(wish, error, int(self._run.clock.time()))

    def _apply(self, looked: Looked) -> UnitOutcome:
        name = looked.plan.nas
        if not any(action.stopped_by is None for action in looked.plan.actions):
            return UnitOutcome(name)
        try:
            return apply(looked, self._writers[name], self._run.clock, run=self._run.identifier)
        except Refusal as error:
            return UnitOutcome(name, problem=str(error), next_step=error.next_step)
        except ReconcilerError as error:
            return UnitOutcome(name, problem=str(error), next_step=error.next_step)

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

    def _open(self, unit: Unit) -> Reader:
        """Return a signed-in client that is signed out at the end of the run."""
        connection = connection_to(unit, self._run)
        if self._read_only:
            return self._sessions.enter_context(dsm.open_reader(connection, self._run.clock))
        writer = self._sessions.enter_context(dsm.open_writer(connection, self._run.clock))
        self._writers[unit.name] = writer
        return writer


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


def plan_of(looked: Sequence[Looked], *, created_at: Instant, revision: str) -> Plan:
    """Gather what was looked at into one plan, in the inventory's order."""
    return Plan(created_at, revision, tuple(one.plan for one in looked))


def _one_name_each(looked: tuple[Looked, ...]) -> tuple[Looked, ...]:
    """Leave alone every unit whose serial another entry of the inventory reported too (P12)."""
    serials = Counter(one.observation.identity.serial for one in looked if one.observation)
    return tuple(
        one
        if one.observation is None or serials[one.observation.identity.serial] == 1
        else replace(one, plan=_twice(one.plan, looked), observation=None)
        for one in looked
    )


def _twice(plan: UnitPlan, looked: tuple[Looked, ...]) -> UnitPlan:
    serial = plan.identity.serial if plan.identity is not None else ""
    names = [
        one.plan.nas
        for one in looked
        if one.observation is not None and one.observation.identity.serial == serial
    ]
    return replace(
        plan,
        targets=(),
        problem=f"{' and '.join(names)} are one unit: both report serial {serial}",
        next_step="take one of the two out of the inventory",
    )
