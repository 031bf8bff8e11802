"""A transport without a network: what each method answers is said by the test."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from latches import FolderLatches

from reconciler.dsm.api import METHODS
from reconciler.dsm.session import Connection, Session
from reconciler.dsm.transport import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Reply = Any
"""`data`; an int is an error code; an Answer or an exception is itself; a callable is asked."""


def offered(*without: str) -> dict[str, Any]:
    """Return what SYNO.API.Info says of every API that is ever called."""
    apis = {api for api, _ in METHODS} - set(without)
    return {api: {"minVersion": 1, "maxVersion": 7, "path": "entry.cgi"} for api in apis}


@dataclass
class HandedClock:
    """A clock that moves only by waiting."""

    now: float = 1_795_604_404.0
    waits: list[float] = field(default_factory=list)

    def time(self) -> float:
        """Return the seconds since 1970."""
        return self.now

    def monotonic(self) -> float:
        """Return the same seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.waits.append(seconds)
        self.now += seconds


@dataclass
class FakeNas:
    """Answers by method name; lists are used up one by one, the last stays."""

    replies: dict[str, Reply] = field(default_factory=dict)
    clock: HandedClock = field(default_factory=HandedClock)
    asked: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        usual = {"query": offered(), "login": {"sid": "sid-1", "synotoken": "token-1"}}
        self.replies = {**usual, "logout": None, **self.replies}

    def send(self, path: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Answer one form; see `Transport.send`."""
        self.asked.append(dict(form))
        self.paths.append(path)
        self.headers.append(headers)
        return self._answered(self._reply(form["method"], form))

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def _reply(self, method: str, form: Mapping[str, str]) -> Reply:
        if method == "request" and method not in self.replies:
            return self._compound(json.loads(form["compound"]))
        reply = self.replies.get(method, 103)
        if isinstance(reply, list) and reply and isinstance(reply[0], Says):
            reply = (reply.pop(0) if len(reply) > 1 else reply[0]).reply
        return reply(form) if callable(reply) else reply

    def _compound(self, members: list[dict[str, Any]]) -> Reply:
        rows = [json.loads(self._answered(self._reply(m["method"], m)).body) for m in members]
        return {"has_fail": False, "result": rows}

    def _answered(self, reply: Reply) -> Answer:
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, Answer):
            return reply
        body: dict[str, Any] = {"success": True, "data": reply}
        if isinstance(reply, int) and not isinstance(reply, bool):
            body = {"success": False, "error": {"code": reply}}
        return Answer(
            200, {"Date": formatdate(self.clock.now, usegmt=True)}, json.dumps(body).encode()
        )

    def count(self, method: str) -> int:
        """Return how often a method was asked for by itself."""
        return sum(form["method"] == method for form in self.asked)


@dataclass(frozen=True)
class Says:
    """One reply of several."""

    reply: Reply


def one_after_another(*replies: Reply) -> list[Says]:
    """Return replies that are used up one by one, the last stays."""
    return [Says(reply) for reply in replies]


def session_on(
    nas: FakeNas, folder: Path, *, read_only: bool = False, opened: bool = True, **more: Any
) -> Session:
    """Return a session with a fake NAS, signed in unless told otherwise."""
    connection = Connection(
        name="nas-1", url="https://nas-1", account="me", password="pässwörd",
        **{"latches": FolderLatches(folder), **more},
    )  # fmt: skip
    session = Session(connection, nas, nas.clock, read_only=read_only)
    if opened:
        session.open()
    return session
