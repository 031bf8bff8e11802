"""Health and metrics over HTTP; the status page's routes belong beside them.

    /healthz   200 while the loop looks around, open to everybody: it says nothing but that
    /readyz    200 once a valid revision is in force and every unit has had a pass
    /metrics   Prometheus's text format

Read-only. On loopback only that machine's own names are answered, so that no web page can reach it
by a name of its own; beyond loopback the token is asked for.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from reconciler.daemon import metrics
from reconciler.errors import PermanentError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reconciler.daemon.board import Board

_STILL_SECONDS = 60.0
_OPEN = frozenset({"/healthz"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; `token` is "" where none is set, which only loopback may be without."""

    host: str
    port: int
    token: str = field(default="", repr=False)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def address(listen: str, token: str) -> Address:
    """Read `listen`; raises UserError where it is beyond loopback and has no token."""
    host, _, port = listen.rpartition(":")
    found = Address(host.removeprefix("[").removesuffix("]"), int(port), token)
    if not found.loopback and not token:
        raise UserError(
            f"`daemon.listen` is {listen}, beyond loopback, and there is no `daemon.token`",
            next_step="write token: {file: secrets/page.token}, or listen: 127.0.0.1:8765",
        )
    return found


def application(board: Board, still: Callable[[], float], at: Address) -> Starlette:
    """Return what answers; `still` is for how long the loop has not looked around, in seconds."""

    def healthz(request: Request) -> Response:
        del request
        if still() > _STILL_SECONDS:
            return PlainTextResponse("the loop stands still\n", 503)
        return PlainTextResponse("ok\n")

    def readyz(request: Request) -> Response:
        del request
        known = board.now()
        waiting = sum(unit.ended is None for unit in known.units.values())
        if known.in_force is None:
            return PlainTextResponse("no valid files yet\n", 503)
        if waiting:
            return PlainTextResponse(f"{waiting} units without a pass yet\n", 503)
        return PlainTextResponse("files refused\n" if known.trouble else "ready\n")

    def shown(request: Request) -> Response:
        del request
        text = metrics.render(board.now())
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", shown),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, at=at)])


class Guard:
    """Lets in who may ask, and puts the strict headers on every answer."""

    def __init__(self, app: ASGIApp, at: Address) -> None:
        self._app = app
        self._at = at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, strict)

    def _refusal(self, scope: Scope) -> Response | None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if self._at.token:
            if scope["path"] in _OPEN or _knows(headers.get(b"authorization", b""), self._at.token):
                return None
            asking = {"WWW-Authenticate": 'Basic realm="reconciler", charset="UTF-8"'}
            return PlainTextResponse("the token is asked for\n", 401, asking)
        if _host(headers.get(b"host", b"")) not in _LOCAL:
            return PlainTextResponse("not a name of this machine\n", 421)
        return None


def _host(header: bytes) -> str:
    text = header.decode("latin-1").casefold()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def _knows(header: bytes, token: str) -> bool:
    """Whether a header carries the token, as Bearer or as the password of Basic."""
    kind, _, given = header.partition(b" ")
    given = given.strip()
    if kind.lower() == b"basic":
        try:
            _, _, given = base64.b64decode(given, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return False
    elif kind.lower() != b"bearer":
        return False
    return hmac.compare_digest(given, token.encode())


class Server:
    """Serves an application in a thread of its own."""

    def __init__(self, app: Starlette, at: Address) -> None:
        import uvicorn

        family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
        try:
            self._socket = socket.create_server((at.host, at.port), family=family)
        except OSError as error:
            raise PermanentError(
                f"`daemon.listen` {at.host}:{at.port} cannot be used: {error.strerror}",
                next_step="name another port, or end what listens there",
            ) from error
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
                server_header=False, proxy_headers=False, limit_concurrency=64,
                timeout_keep_alive=5, timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=16_384,
            )
        )  # fmt: skip
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        structlog.get_logger().info("web.listens", port=self.port)

    def stop(self) -> None:
        """End, also where somebody holds a connection open."""
        self._server.should_exit = True
        self._thread.join(2.0)
        self._socket.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])
