"""The HTTP side: a simulated DSM on a loopback port, with or without TLS.

Beside DSM's paths there is `/simulator/faults`, for callers on this machine alone: GET lists the
faults and how often each has happened, POST adds those of the body (as in `script`), DELETE drops
all of them.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from reconciler.simulator.certificate import Certificate
from reconciler.simulator.codes import DsmError
from reconciler.simulator.dispatch import ConnectionCutError, Dispatcher, Exchange, Request
from reconciler.simulator.naming import http_date
from reconciler.simulator.script import ScriptError, parse_script
from reconciler.simulator.wire import Carried, envelope, read_call, read_cookie, read_form

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType

    from reconciler.simulator.faults import Fault
    from reconciler.simulator.nas import Nas
    from reconciler.simulator.script import Script

_JSON: Final = "application/json; charset=utf-8"
_HTML: Final = "text/html; charset=utf-8"
_PAGE: Final = b"<!DOCTYPE html><html><head><title>Synology</title></head><body></body></html>"
_FORM: Final = "application/x-www-form-urlencoded"
_FAULTS: Final = "/simulator/faults"
_DRIPS: Final = 10
_OK: Final = 200
_FOUND: Final = 302
_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_BAD_GATEWAY: Final = 502
# Which APIs each of DSM's programs answers; None is all of them.
_PROGRAMS: Final[dict[str, str | None]] = {
    "entry.cgi": None,
    "query.cgi": "SYNO.API.Info",
    "auth.cgi": "SYNO.API.Auth",
    "encryption.cgi": "SYNO.API.Encryption",
}


class _Server(ThreadingHTTPServer):
    # Joined at the end, so that no thread outlives the test that started it.
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sim: Simulator) -> None:
        self.sim = sim
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        context = self.sim.tls_context
        if context is not None:
            # The handshake happens in the connection's own thread, at its first read.
            connection = context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._open_lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent about clients that hang up or refuse the certificate."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def end_connections(self) -> None:
        """Wake every thread that waits for a next request."""
        self.stopping.set()
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    # DSM's web server says Keep-Alive: timeout=20.
    timeout = 20
    server: _Server

    def do_GET(self) -> None:
        """Answer a request whose form is in the query string."""
        self._answer("GET")

    def do_POST(self) -> None:
        """Answer a request whose form is in the body."""
        self._answer("POST")

    def do_DELETE(self) -> None:
        """Drop the faults."""
        self._answer("DELETE")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base's name
        """Say nothing: the simulator keeps its own record of requests."""

    def _answer(self, http_method: str) -> None:
        sim = self.server.sim
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if url.path == _FAULTS and ip_address(self.client_address[0]).is_loopback:
            self._script(http_method, body.decode("utf-8", "replace"))
            return
        sim.count_request()
        parts = url.path.removeprefix("/webapi/").split("/")
        if not url.path.startswith("/webapi/") or parts[0] not in _PROGRAMS:
            page = url.path in ("/", "/webman/index.cgi")
            self._send(_OK if page else _NOT_FOUND, _PAGE, kind=_HTML)
            return
        is_form = self.headers.get("Content-Type", _FORM).startswith(_FORM)
        form = read_form(url.query, body.decode("utf-8", "replace") if is_form else "")
        form.setdefault("api", parts[1] if len(parts) > 1 else "")
        self._dispatch(form, http_method, only=_PROGRAMS[parts[0]])

    def _script(self, http_method: str, body: str) -> None:
        sim, status = self.server.sim, _OK
        answer: dict[str, Any] = {}
        try:
            if http_method == "POST":
                sim.follow(parse_script(body, "faults"))
            elif http_method == "DELETE":
                sim.clear_faults()
        except ScriptError as error:
            status, answer = _BAD_REQUEST, {"error": str(error)}
        answer["faults"] = [asdict(fault) for fault in sim.faults]
        self._send(status, json.dumps(answer, ensure_ascii=False, indent=2).encode())

    def _dispatch(self, form: dict[str, str], http_method: str, *, only: str | None) -> None:
        exchange = Exchange()
        try:
            call = read_call(form, self._carried(form, http_method))
            answer = self.server.sim.dispatcher.answer(call, exchange, only=only)
        except DsmError as refusal:
            answer = envelope(refusal)
        except ConnectionCutError:
            self._cut()
            return
        if exchange.delay:
            self.server.stopping.wait(exchange.delay)
        if exchange.cut:
            self._cut()
            return
        self._reply(answer, exchange)

    def _carried(self, form: dict[str, str], http_method: str) -> Carried:
        header = self.headers
        return Carried(
            sid_parameter=_unquote(form.get("_sid")),
            sid_cookie=read_cookie(header.get("Cookie")),
            token=_unquote(form.get("SynoToken")) or header.get("X-SYNO-TOKEN"),
            hash=header.get("X-SYNO-HASH"),
            address=str(self.client_address[0]),
            http_method=http_method,
        )

    def _reply(self, answer: dict[str, Any], exchange: Exchange) -> None:
        body = json.dumps(answer, ensure_ascii=False).encode()
        fault = exchange.damage
        if fault is None:
            offset, drip = exchange.date_offset, exchange.drip
            self._send(_OK, body, headers=exchange.headers, date_offset=offset, drip=drip)
            return
        damaged: dict[str, Callable[[], None]] = {
            "html": lambda: self._send(_OK, _PAGE, kind=_HTML),
            "garbage": lambda: self._send(_OK, b"\xff\xfe{not json"),
            "status": lambda: self._send(fault.code or _BAD_GATEWAY, _PAGE, kind=_HTML),
            "redirect": lambda: self._send(
                _FOUND, b"", kind=_HTML, headers=[("Location", fault.location)]
            ),
            "truncated": lambda: self._send(_OK, body, length=len(body) // 2),
        }
        damaged[fault.kind]()

    def _send(
        self,
        status: int,
        body: bytes,
        *,
        kind: str = _JSON,
        headers: list[tuple[str, str]] | None = None,
        length: int | None = None,
        date_offset: float = 0.0,
        drip: float = 0.0,
    ) -> None:
        self.send_response_only(status)
        self.send_header("Server", "nginx")
        self.send_header("Date", http_date(self.server.sim.nas.clock.now() + date_offset))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers or ():
            self.send_header(name, value)
        self.end_headers()
        for piece in _pieces(body[:length], drip):
            self.server.stopping.wait(drip / _DRIPS)
            self.wfile.write(piece)
            self.wfile.flush()
        self.close_connection |= length is not None

    def _cut(self) -> None:
        # Lingering for no time makes the kernel send a reset instead of an orderly end.
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True


def _pieces(body: bytes, drip: float) -> list[bytes]:
    if not drip:
        return [body]
    length = -(-len(body) // _DRIPS)
    return [body[start : start + length] for start in range(0, len(body), length)]


def _unquote(value: str | None) -> str | None:
    """Return a carrier's value; some clients send it JSON-quoted."""
    if value and value.startswith('"') and value.endswith('"'):
        return value[1:-1]
    return value


class Simulator:
    """A simulated DSM that answers HTTP requests from a background thread.

    Use it as a context manager, or `start` and `stop` it. `requests` records every call, the
    members of compounds included; `nas` is the live state behind it.
    """

    def __init__(
        self,
        nas: Nas,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = True,
        certificate: Certificate | None = None,
    ) -> None:
        self.nas = nas
        self.dispatcher = Dispatcher(nas)
        self.certificate = certificate or (Certificate.generate(host) if tls else None)
        self.tls_context: ssl.SSLContext | None = None
        if tls and self.certificate is not None:
            self.tls_context = self.certificate.context()
        self._address = (host, port)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._http_requests = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to answer; a restart keeps the port."""
        self._server = _Server(self._address, self)
        self._address = (self._address[0], self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name=f"dsm-{self.nas.name}"
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop answering, end the open connections and wait for their threads."""
        server, thread = self._server, self._thread
        if server is None or thread is None:
            return
        self._server = self._thread = None
        server.shutdown()
        server.end_connections()
        server.server_close()
        thread.join()

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return self._address[0]

    @property
    def port(self) -> int:
        """The port that it listens on, once started."""
        return self._address[1]

    @property
    def url(self) -> str:
        """The base URL, `https://127.0.0.1:PORT`."""
        scheme = "https" if self.tls_context is not None else "http"
        return f"{scheme}://{self.host}:{self.port}"

    @property
    def fingerprint(self) -> str:
        """The certificate's `sha256:` fingerprint; empty without TLS."""
        return self.certificate.fingerprint if self.certificate is not None else ""

    @property
    def requests(self) -> list[Request]:
        """Every call so far, in order of arrival; a compound stands before its members."""
        return self.dispatcher.requests

    @property
    def writes(self) -> list[Request]:
        """The calls that asked for a change, whether it was done or not."""
        return [request for request in list(self.requests) if request.writes]

    @property
    def http_requests(self) -> int:
        """How many HTTP requests have arrived."""
        return self._http_requests

    def count_request(self) -> None:
        """Count one HTTP request."""
        with self.nas.lock:
            self._http_requests += 1

    def inject(self, *faults: Fault) -> None:
        """Let things go wrong, in this order, at the calls that match."""
        for fault in faults:
            self.dispatcher.faults.add(fault)

    def follow(self, script: Script) -> None:
        """Let go wrong what a script says, after what was injected before it."""
        if script.seed is not None:
            self.dispatcher.faults.seed(script.seed)
        self.inject(*script.faults)

    @property
    def faults(self) -> list[Fault]:
        """Every fault that was injected and not dropped; `used` says how often it has happened."""
        return self.dispatcher.faults.listed()

    def clear_faults(self) -> None:
        """Let nothing more go wrong."""
        self.dispatcher.faults.clear()


def serve(
    nas: Nas,
    *,
    port: int,
    tls: bool,
    host: str,
    announce: Callable[[Simulator], None],
    script: Script | None = None,
) -> None:
    """Answer for `nas` until interrupted; `announce` is called once it listens."""
    with Simulator(nas, host=host, port=port, tls=tls) as sim:
        if script is not None:
            sim.follow(script)
        try:
            announce(sim)
            threading.Event().wait()
        except KeyboardInterrupt:
            return
