"""From a call to its answer: the method table, admission, compounds, and injected faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from reconciler.simulator import (
    auth,
    bystander,
    lun_api,
    recovery_api,
    replication_api,
    share_api,
    share_list,
    system_api,
)
from reconciler.simulator.api import Api, Method, versions
from reconciler.simulator.codes import Common, DsmError
from reconciler.simulator.distort import distort, pretend
from reconciler.simulator.faults import ON_THE_WIRE, Fault, Faults
from reconciler.simulator.wire import Call, Reply, envelope, read_member

if TYPE_CHECKING:
    from reconciler.simulator.nas import Nas

_COMPOUND: Final = "SYNO.Entry.Request"
_INFO: Final = "SYNO.API.Info"


@dataclass(frozen=True, slots=True)
class Request:
    """One call that arrived: a request's own, or a member of a compound (`member`).

    `parameters` are decoded. `code` is DSM's answer, 0 for success and None where the
    connection was cut or the answer was no JSON. `writes` tells that it asks for a change.
    """

    api: str
    method: str
    version: int
    parameters: MappingProxyType[str, Any]
    member: bool
    code: int | None
    writes: bool
    http_method: str


@dataclass(slots=True)
class Exchange:
    """One HTTP request on its way through: what its answer must suffer, and a cut connection."""

    address: str = ""
    damage: Fault | None = None
    cut: bool = False
    delay: float = 0.0
    drip: float = 0.0
    date_offset: float = 0.0
    headers: list[tuple[str, str]] = field(default_factory=list)


class ConnectionCutError(Exception):
    """The connection ends here, and no answer is sent."""


class Dispatcher:
    """Answers calls for one NAS, under its lock, and keeps the record of them."""

    def __init__(self, nas: Nas) -> None:
        self.nas = nas
        self.faults = Faults()
        self.requests: list[Request] = []
        own = (
            Api(_INFO, 1, 1, {"query": Method(versions(1), self._query, open=True)}, json=False),
            Api(
                _COMPOUND,
                1,
                2,
                {"request": Method(versions(1, 2), self._refuse_nesting, open=True)},
                present=lambda nas: nas.compound,
            ),
        )
        others = (auth, share_list, share_api, lun_api, replication_api, recovery_api, system_api)
        apis = chain(own, *(module.APIS for module in others))
        self._apis: dict[str, Api] = {api.name: api for api in apis}

    def answer(self, call: Call, exchange: Exchange, *, only: str | None = None) -> dict[str, Any]:
        """Return the JSON object that answers a request; raise `ConnectionCutError` for none.

        `only` is the one API that the program behind the request's path answers, if it is one.
        """
        if only not in (None, call.api):
            return envelope(DsmError(Common.NO_SUCH_API))
        with self.nas.lock:
            self.nas.tick()
            reply = self._recorded(call, exchange)
            exchange.headers += reply.headers
            return envelope(reply)

    def _recorded(self, call: Call, exchange: Exchange) -> Reply | DsmError:
        fault = self.faults.take(call)
        code: int | None = None
        position = len(self.requests)
        try:
            reply = self._reply(call, exchange, fault)
            damaged = fault is not None and fault.kind in (*ON_THE_WIRE, "reset_after")
            if not damaged:
                code = reply.code if isinstance(reply, DsmError) else 0
            return reply
        finally:
            self.requests.insert(position, self._record(call, code))

    def _record(self, call: Call, code: int | None) -> Request:
        api = self._apis.get(call.api)
        method = api.methods.get(call.method) if api else None
        return Request(
            api=call.api,
            method=call.method,
            version=call.version,
            parameters=MappingProxyType(dict(call.parameters)),
            member=call.member,
            code=code,
            writes=method is not None and method.writes,
            http_method=call.carried.http_method,
        )

    def _reply(self, call: Call, exchange: Exchange, fault: Fault | None) -> Reply | DsmError:
        if fault is not None:
            _mark(fault, exchange)
        try:
            return self._perform(call, exchange, fault)
        except DsmError as refusal:
            return refusal

    def _perform(self, call: Call, exchange: Exchange, fault: Fault | None) -> Reply:
        if fault is None:
            return self._work(call, exchange)
        if fault.kind == "reset_before":
            raise ConnectionCutError
        if fault.kind == "error":
            code = Common.UNKNOWN if fault.code is None else fault.code
            raise DsmError(code, errors=fault.errors)
        if fault.kind == "clock_jump":
            self.nas.clock.advance(fault.seconds)
            self.nas.tick()
        if fault.kind == "actor":
            bystander.act(self.nas, fault)
        if fault.kind == "expire_session":
            self.nas.end_sessions(Common.NO_SUCH_SESSION if fault.code is None else fault.code)
        if fault.kind in ("ignore", "partial"):
            self._admitted(call)
            return pretend(fault, self.nas, call, lambda kept: self._work(kept, exchange))
        if fault.kind in ON_THE_WIRE and not fault.work_done:
            return Reply()
        return distort(fault, self._work(call, exchange))

    def _admitted(self, call: Call) -> Method:
        method = self._find(call)
        if not method.open:
            auth.admit(self.nas, call, writes=method.writes)
        return method

    def _work(self, call: Call, exchange: Exchange) -> Reply:
        method = self._admitted(call)
        if call.api == _COMPOUND and not call.member:
            return self._compound(call, exchange)
        reply = method.answer(self.nas, call)
        if method.writes and self.nas.write_seconds:
            self.nas.clock.advance(self.nas.write_seconds)
            self.nas.tick()
        return reply

    def _find(self, call: Call) -> Method:
        api = self._apis.get(call.api)
        if api is None or not api.present(self.nas):
            raise DsmError(Common.NO_SUCH_API)
        highest = self._highest(api)
        if not api.lowest <= call.version <= highest:
            raise DsmError(Common.NO_SUCH_VERSION)
        method = api.methods.get(call.method)
        if method is None or call.version not in method.versions:
            raise DsmError(Common.NO_SUCH_METHOD)
        return method

    def _highest(self, api: Api) -> int:
        if api.name == "SYNO.API.Auth":
            return min(api.highest, self.nas.auth_max_version)
        return api.highest

    def _query(self, nas: Nas, call: Call) -> Reply:
        nas.cold = False
        wanted = str(call.parameters.get("query", "all"))
        names = sorted(self._apis) if wanted == "all" else wanted.split(",")
        shown = {name: self._apis[name] for name in names if name in self._apis}
        return Reply({name: self._describe(api) for name, api in shown.items() if api.present(nas)})

    def _describe(self, api: Api) -> dict[str, Any]:
        path = "______________________entry.cgi" if self.nas.padded_paths else "entry.cgi"
        entry: dict[str, Any] = {
            "maxVersion": self._highest(api),
            "minVersion": api.lowest,
            "path": path,
        }
        return entry | ({"requestFormat": "JSON"} if api.json else {})

    @staticmethod
    def _refuse_nesting(_nas: Nas, _call: Call) -> Reply:
        raise DsmError(Common.NO_SUCH_METHOD)

    def _compound(self, call: Call, exchange: Exchange) -> Reply:
        members, limit = call.parameters.get("compound"), self.nas.compound_limit
        if not isinstance(members, list) or (limit is not None and len(members) > limit):
            raise DsmError(Common.BAD_REQUEST)
        stop = call.flag("stop_when_error")
        results: list[dict[str, Any]] = []
        for member in members:
            result = self._member(member, call, exchange)
            results.append(result)
            if stop and not result["success"]:
                break
        failed = not all(result["success"] for result in results)
        return Reply({"has_fail": failed, "result": results})

    def _member(self, member: Any, outer: Call, exchange: Exchange) -> dict[str, Any]:
        try:
            call = read_member(member, outer)
        except DsmError as refusal:
            return envelope(refusal)
        names = {"api": call.api, "method": call.method, "version": call.version}
        return names | envelope(self._recorded(call, exchange))


def _mark(fault: Fault, exchange: Exchange) -> None:
    if fault.kind in ON_THE_WIRE:
        exchange.damage = fault
    exchange.cut |= fault.kind == "reset_after"
    exchange.delay += fault.seconds if fault.kind == "delay" else 0.0
    exchange.drip += fault.seconds if fault.kind == "drip" else 0.0
    exchange.date_offset += fault.seconds if fault.kind == "misreport_date" else 0.0
