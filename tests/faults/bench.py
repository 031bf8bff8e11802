"""Passes in milliseconds: the real client over a line that is a call, without sockets and files.

The line damages answers as a network does, with the simulator's own faults, and raises what
the real transport raises; that the real one does so is shown over HTTP in the other tests here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import oracle
from latches import FolderLatches
from trails import Held, Memory, audit_in

from reconciler.dsm import Connection, Session, Writer
from reconciler.dsm.errors import AnswerLost
from reconciler.dsm.transport import Answer
from reconciler.errors import TargetError
from reconciler.inventory.model import SecretReference, Unit, UnitBrakes
from reconciler.model import Place
from reconciler.planning.unit import Wish
from reconciler.policy.load import load_policies
from reconciler.reconcile import Looked, apply, look, unread
from reconciler.simulator import Fault, Nas
from reconciler.simulator.codes import DsmError
from reconciler.simulator.dispatch import ConnectionCutError, Dispatcher, Exchange
from reconciler.simulator.naming import http_date
from reconciler.simulator.wire import Carried, envelope, read_call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reconciler.execute import UnitOutcome
    from reconciler.orders import Orders
    from reconciler.policy.model import PolicySet

_PAGE = b"<!DOCTYPE html><html></html>"
_DAMAGED = {
    "html": (200, _PAGE),
    "garbage": (200, b"\xff\xfe{not json"),
    "status": (502, _PAGE),
    "redirect": (302, b""),
}


class Line:
    """A transport that hands each form to the simulator; `before` runs ahead of each request."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self.before: Callable[[str], None] = lambda _method: None
        self.sent = 0

    def send(self, path: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Answer one form; path and headers say nothing that the form lacks."""
        del path, headers
        self.sent += 1
        self.before(form["method"])
        sid, token = form.get("_sid"), form.get("SynoToken")
        exchange = Exchange()
        try:
            call = read_call(form, Carried(sid_parameter=sid, sid_cookie=sid, token=token))
            answer = self._dispatcher.answer(call, exchange)
        except DsmError as refusal:
            answer = envelope(refusal)
        except ConnectionCutError:
            raise AnswerLost("the connection broke") from None
        if exchange.cut or (exchange.damage is not None and exchange.damage.kind == "truncated"):
            raise AnswerLost("the connection broke")
        date = {"Date": http_date(self._dispatcher.nas.clock.now() + exchange.date_offset)}
        if exchange.damage is not None:
            return Answer(
                _DAMAGED[exchange.damage.kind][0], date, _DAMAGED[exchange.damage.kind][1]
            )
        return Answer(200, date, json.dumps(answer).encode())

    def close(self) -> None:
        """There is nothing to close."""


@dataclass
class Bench:
    """One NAS, its policies as text and as figures by a target's name, and passes over it."""

    nas: Nas
    folder: Path
    text: str
    rules: dict[str, oracle.Rules]
    touched: set[tuple[str, str]] = field(default_factory=set)
    behind: float = 0.0
    waited: float = 0.0
    limits: dict[str, int] = field(default_factory=dict)
    trail: Memory = field(default_factory=Memory)
    lease: Held = field(default_factory=Held)
    orders: Callable[[], Orders] | None = None

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(self.nas)
        self.line = Line(self.dispatcher)
        self._latches = 0

    def time(self) -> float:
        """Return the reconciler's time: the NAS's, `behind` seconds late."""
        return self.nas.clock.now() - self.behind

    def monotonic(self) -> float:
        """Return how long was waited so far."""
        return self.waited

    def sleep(self, seconds: float) -> None:
        """Move the simulated clock on."""
        self.waited += seconds
        self.nas.clock.advance(seconds)

    def fault(self, kind: str, **settings: object) -> Fault:
        """Let something go wrong."""
        fault = Fault(kind=kind, **settings)  # type: ignore[arg-type]
        self.dispatcher.faults.add(fault)
        return fault

    def wish(self) -> Wish:
        """Return what the policies want of the one unit."""
        place = Place("reconciler.yaml", 1)
        unit = Unit(
            self.nas.name, "http://127.0.0.1", self.nas.account, SecretReference("env", "P", place),
            place, timezone="Europe/Zurich", **self.limits,
        )  # fmt: skip
        return Wish(_policies(self.text, self.folder), unit, UnitBrakes(), only_unit=True)

    def run(self, meanwhile: Callable[[], None] | None = None) -> tuple[Looked, UnitOutcome | None]:
        """Make one pass, `meanwhile` between look and apply, and let the oracle check it."""
        stood = oracle.state(self.nas)
        judge = oracle.Oracle.by_name(self.nas, self.rules, self.touched)
        looked, outcome = self._pass(meanwhile)
        judge.check(stood, looked, outcome)
        return looked, outcome

    def _pass(self, meanwhile: Callable[[], None] | None) -> tuple[Looked, UnitOutcome | None]:
        wish = self.wish()
        session = Session(self._connection(), self.line, self, read_only=False)
        try:
            session.open()
            writer = Writer(session)
            looked = look(wish, writer)
            if meanwhile is not None:
                meanwhile()
            if not any(action.stopped_by is None for action in looked.plan.actions):
                return looked, None
            return looked, apply(
                looked, writer, self, audit=audit_in(self.trail, self), lease=self.lease,
                orders=self.orders,
            )  # fmt: skip
        except TargetError as error:
            return unread(wish, error, int(self.time())), None
        finally:
            session.close()

    def _connection(self) -> Connection:
        return Connection(
            self.nas.name, "http://127.0.0.1", self.nas.account, self.nas.password,
            latches=FolderLatches(self.folder),
        )  # fmt: skip

    def settles(self) -> None:
        """Check that within two passes without faults a state is reached where nothing is planned.

        What waits behind a guard may wait, and a sync may run on.
        """
        self.dispatcher.faults.clear()
        self.touched.clear()
        self.line.before = lambda _method: None
        for _ in range(2):
            self.nas.clock.advance(60)
            _, outcome = self.run()
            if outcome is None:
                break
        self.nas.clock.advance(60)
        looked, _ = self.run()
        free = [a for a in looked.plan.actions if a.stopped_by is None]
        assert looked.plan.problem == "", f"P13: {looked.plan.problem}"
        assert free == [], f"P13: still planned: {[(a.verb, a.snapshot) for a in free]}"


_LOADED: dict[str, PolicySet] = {}


def _policies(text: str, folder: Path) -> PolicySet:
    """Load a policy text once for all the passes of a sweep."""
    if text not in _LOADED:
        path = folder / "policies" / "p.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        _LOADED[text] = load_policies(path.parent, units=None)
    return _LOADED[text]
