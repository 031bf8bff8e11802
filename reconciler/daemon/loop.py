"""The loop: a pass over each unit when it is due, files read anew when they change.

It only wires. When a pass is due is `schedule`'s to say, what it does is `fleet`'s.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from reconciler.daemon import schedule
from reconciler.daemon.board import Board, UnitKnown, ended_pass
from reconciler.errors import InvalidDocuments, ReconcilerError, UserError
from reconciler.execute import UnitOutcome
from reconciler.fleet import Fleet, Run, mistaken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.daemon.source import InForce, Source
    from reconciler.daemon.timetable import Timetable
    from reconciler.dsm import Clock
    from reconciler.inventory.model import Unit
    from reconciler.sessions import Sessions
    from reconciler.store import Store
    from reconciler.watch import Watch

_OVERDUE = 120.0
"""Seconds after which a pass that should have begun is put into the timetable once more."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the loop works with; `identify` names a run.

    `began` and `ended` hear of each pass, `tell` is asked to tell people what stands.
    """

    source: Source
    timetable: Timetable
    sessions: Sessions
    store: Store
    clock: Clock
    watch: Watch
    environment: Mapping[str, str]
    identify: Callable[[], str]
    began: Callable[[str], None] = lambda _nas: None
    ended: Callable[[str], None] = lambda _nas: None
    tell: Callable[[], None] = lambda: None


class Loop:
    """Passes over every unit of the inventory until `watch` asks to stop."""

    def __init__(self, means: Means, spread: Callable[[], float] = random.random) -> None:
        self.board = Board()
        self._means = means
        self._spread = spread
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._serials: dict[str, str] = {}
        self._fingerprint = ""
        self._seen = ""

    def start(self) -> None:
        """Load the files and begin with a pass over each unit; raises what `load` raises."""
        self._take(self._means.source.load())
        self._fingerprint = self._seen = self._means.source.fingerprint()

    def check(self, *, asked: bool = False) -> bool:
        """Read the files anew where they changed and have settled, or at once where `asked`.

        Return whether another revision came into force. An invalid one is told and kept out, and
        the one before stays.
        """
        found = self._means.source.fingerprint()
        settled, self._seen = found == self._seen, found
        if not asked and (found == self._fingerprint or not settled):
            self._mend()
            return False
        self._fingerprint = found
        try:
            fresh = self._means.source.load()
        except UserError as error:
            self.board.refused(_trouble(error))
            structlog.get_logger().error("files.refused", error=_trouble(error))
            self._means.tell()
            return False
        self._take(fresh)
        # What was loaded may name other folders than those watched until now.
        self._fingerprint = self._seen = self._means.source.fingerprint()
        return True

    def idle(self) -> bool:
        """Whether no pass is under way."""
        with self._lock:
            return not self._running

    def _take(self, fresh: InForce) -> None:
        known = self.board.now()
        before = set(known.units)
        self.board.loaded(fresh, self._means.clock.time())
        names = {unit.name for unit in fresh.configuration.units}
        for gone in before - names:
            self._means.timetable.drop(gone)
            with self._lock:
                self._serials.pop(gone, None)
                at_rest = gone not in self._running
            if at_rest:
                self._means.sessions.sign_out(gone)
        structlog.get_logger().info(
            "files.loaded", revision=fresh.policies.revision, units=len(names)
        )
        for unit in fresh.configuration.units:
            self._at_once(unit.name)

    def _at_once(self, nas: str) -> None:
        with self._lock:
            if nas in self._running:
                self._again.add(nas)
                return
        self._put(nas, self._means.clock.time())

    def _put(self, nas: str, when: float) -> None:
        known = self.board.now().units.get(nas)
        if known is not None and not self._means.watch.halted():
            self.board.put(replace(known, next_pass=when))
            self._means.timetable.at(nas, when, lambda: self.run(nas))

    def _mend(self) -> None:
        """Put a unit back whose pass never began; nothing should bring this about."""
        now = self._means.clock.time()
        for nas, unit in self.board.now().units.items():
            with self._lock:
                at_rest = nas not in self._running
            if at_rest and unit.next_pass is not None and unit.next_pass < now - _OVERDUE:
                structlog.get_logger().warning("pass.overdue", nas=nas)
                self._put(nas, now)

    def run(self, nas: str) -> None:
        """Make one pass over a unit, and say when the next one is; never two at once."""
        known = self.board.now()
        if known.in_force is None or nas not in known.units or self._means.watch.halted():
            return
        with self._lock:
            if nas in self._running:
                return
            self._running.add(nas)
            self._again.discard(nas)
        ended = schedule.Ended()
        try:
            ended = self._passed(nas, known.in_force)
        except Exception as error:  # noqa: BLE001  a mistake met on one unit is that unit's alone
            mistaken(nas, error)
            self._failed(nas)
        finally:
            self._finish(nas, known.in_force, ended)

    def _finish(self, nas: str, in_force: InForce, ended: schedule.Ended) -> None:
        with self._lock:
            self._running.discard(nas)
            again = nas in self._again
        if nas not in self.board.now().units:
            self._means.sessions.sign_out(nas)
            return
        now = self._means.clock.time()
        daemon = in_force.configuration.daemon
        rhythm = schedule.Rhythm(daemon.interval, daemon.jitter)
        spread = self._spread()
        when = schedule.next_pass(nas, rhythm, ended, now=now, spread=spread)
        self._put(nas, now if again else when)
        self._means.ended(nas)
        self._means.tell()

    def _passed(self, nas: str, in_force: InForce) -> schedule.Ended:
        unit = next(u for u in in_force.configuration.units if u.name == nas)
        self._means.began(nas)
        try:
            known = self._applied(unit, in_force)
        except ReconcilerError as error:
            structlog.get_logger().error("pass.failed", nas=nas, error=str(error))
            self._failed(nas)
            return schedule.Ended()
        self.board.put(known, self._means.store.heads())
        plan = known.plan
        problem = plan.problem if plan is not None else ""
        structlog.get_logger().info("pass.ended", nas=nas, failed=known.failed, problem=problem)
        if plan is None or problem:
            return schedule.Ended(known.failures)
        behind = self._means.clock.time() - plan.now
        policies = {policy.name: policy for policy in in_force.policies.policies}
        due = schedule.wake(plan, policies)
        return schedule.Ended(known.failures, None if due is None else due + behind)

    def _applied(self, unit: Unit, in_force: InForce) -> UnitKnown:
        means = self._means
        run = Run(
            configuration=in_force.configuration,
            policies=in_force.policies,
            clock=means.clock,
            environment=means.environment,
            identifier=means.identify(),
            store=means.store,
        )
        fleet = Fleet(
            run, (unit,), watch=means.watch, sessions=means.sessions, serials=self._others(unit)
        )
        with fleet:
            (looked,) = fleet.look()
            # Also of one that is refused for it: its twin is to stand still as well (P12).
            if looked.plan.identity is not None:
                with self._lock:
                    self._serials[unit.name] = looked.plan.identity.serial
            (outcome,) = fleet.apply((looked,)) or (UnitOutcome(unit.name),)
        before = self.board.now().units.get(unit.name, UnitKnown(unit.name))
        return ended_pass(
            before, looked, outcome, left=fleet.left[unit.name], now=means.clock.time()
        )

    def _others(self, unit: Unit) -> Mapping[str, str]:
        """Return the serials of the other entries: those read, else the last one remembered."""
        known = self.board.now().units
        with self._lock:
            read = dict(self._serials)
        found: dict[str, str] = {}
        for other in known:
            serials = self._means.store.unit(other).serials if other not in read else ()
            serial = read.get(other) or (serials[-1] if serials else "")
            if other != unit.name and serial:
                found[other] = serial
        return found

    def _failed(self, nas: str) -> None:
        before = self.board.now().units.get(nas)
        if before is not None:
            self.board.put(replace(before, ended=self._means.clock.time(), failures=0))


def _trouble(error: UserError) -> str:
    if isinstance(error, InvalidDocuments) and error.findings:
        first = next((f for f in error.findings if f.severity == "error"), error.findings[0])
        place = f"{first.place}: " if first.place is not None else ""
        return f"{place}{first.text} ({error})"
    return str(error)
