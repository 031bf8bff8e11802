"""A small NAS, and a door to it that speaks forms without a network in between."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.simulator import Clock, Fault, Nas
from reconciler.simulator.dispatch import Dispatcher, Exchange
from reconciler.simulator.wire import Carried, read_call

NOON = "2026-11-24T12:00:00+01:00"


class Door:
    """A client's end: forms in, DSM's JSON out. `sid` and `token` are those of the sign-in."""

    def __init__(self, nas: Nas) -> None:
        self.nas = nas
        self.dispatcher = Dispatcher(nas)
        self.sid: str | None = None
        self.token: str | None = None

    def form(self, carried: Carried, **values: Any) -> dict[str, Any]:
        """Send a form as it is, with the given carriers."""
        call = read_call({key: str(value) for key, value in values.items()}, carried)
        self.exchange = Exchange()
        return self.dispatcher.answer(call, self.exchange)

    def sign_in(self, version: int = 7, **more: Any) -> dict[str, Any]:
        """Sign in; keep what the answer gives."""
        values = {
            "account": self.nas.account,
            "passwd": self.nas.password,
            "format": "sid",
            "enable_syno_token": "yes",
            **more,
        }
        answer = self.form(
            Carried(), api="SYNO.API.Auth", method="login", version=version, **values
        )
        if answer["success"]:
            self.sid = answer["data"]["sid"]
            self.token = answer["data"].get("synotoken")
        return answer

    def ask(
        self, api: str, method: str, version: int = 1, *, get: bool = False, **values: Any
    ) -> dict[str, Any]:
        """Call `SYNO.<api>` with JSON-quoted values and every carrier."""
        carried = Carried(
            sid_parameter=self.sid,
            sid_cookie=self.sid,
            token=self.token,
            http_method="GET" if get else "POST",
        )
        quoted = {key: json.dumps(value) for key, value in values.items()}
        return self.form(carried, api=f"SYNO.{api}", method=method, version=version, **quoted)

    def data(self, api: str, method: str, version: int = 1, **values: Any) -> Any:
        """Return the `data` of a successful call."""
        answer = self.ask(api, method, version, **values)
        assert answer["success"], answer
        return answer.get("data")

    def code(self, api: str, method: str, version: int = 1, **values: Any) -> int:
        """Return the error code of a call, 0 for success."""
        answer = self.ask(api, method, version, **values)
        return 0 if answer["success"] else answer["error"]["code"]

    def compound(self, *members: dict[str, Any], stop: bool = False) -> dict[str, Any]:
        """Send a sequential compound and return its `data`."""
        return self.data(
            "Entry.Request",
            "request",
            mode="sequential",
            stop_when_error=stop,
            compound=list(members),
        )

    def names(self, share: str = "projects") -> list[str]:
        """Return the names that a share's list shows."""
        rows = self.data("Core.Share.Snapshot", "list", 2, name=share)["snapshots"]
        return [row["time"] for row in rows]

    def inject(self, **fault: Any) -> None:
        """Inject one fault."""
        self.dispatcher.faults.add(Fault(**fault))


@pytest.fixture
def nas() -> Nas:
    """Return a NAS at noon in Zurich with one empty share and one LUN."""
    nas = Nas(clock=Clock.frozen(NOON))
    nas.add_share("projects")
    nas.add_lun("LUN-1")
    return nas


@pytest.fixture
def door(nas: Nas) -> Door:
    """Return a signed-in client of that NAS."""
    door = Door(nas)
    assert door.sign_in()["success"]
    return door
