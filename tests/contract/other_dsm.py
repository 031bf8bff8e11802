"""A DSM that is not this project's own, over HTTPS and HTTP, with its variations as options.

Written from the notes on DSM's wire format alone: discovery, sign-in, the four carriers of a
session, values as JSON with the raw text as a fall-back, compound calls, errors with HTTP 200.
It counts what is asked of it, so that a test can say what a client wrote and left behind.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
import json
import secrets
import socket
import ssl
import struct
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from hashlib import sha256
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from other_apis import NOTHING, Refused, method_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from other_state import State, Ways

OPEN: Final = ("SYNO.API.Info", "SYNO.API.Auth", "SYNO.Entry.Request")


def certificate(
    folder: Path, *, host: str = "127.0.0.1", days: int = 365, starts_in: int = -2
) -> Path:
    """Write a self-signed certificate with its key; negative days make one that has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "synology")])
    now = datetime.now(UTC)
    start, end = now + timedelta(days=starts_in), now + timedelta(days=days)
    try:
        address: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        address = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}{days}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def fingerprint(path: Path) -> str:
    """Return the SHA-256 fingerprint of a certificate file."""
    found = x509.load_pem_x509_certificate(path.read_bytes())
    return f"sha256:{sha256(found.public_bytes(serialization.Encoding.DER)).hexdigest()}"


@dataclass
class Session:
    """One session: its id, its token if one was asked for, and the calls it has seen."""

    sid: str
    token: str
    name: str
    weak: bool
    calls: int = 0


@dataclass
class Call:
    """One call as it came, members of a compound included."""

    api: str
    method: str
    writes: bool
    code: int
    member: bool


@dataclass
class OtherDsm:
    """One NAS that answers on a loopback port."""

    state: State
    calls: list[Call] = field(default_factory=list)
    requests: int = 0  # HTTP requests after a login
    sessions: dict[str, Session] = field(default_factory=dict)
    logins: int = 0
    asked: bool = False  # API.Info was asked for: DSM 7.0.1 refuses a sign-in before
    used_codes: set[str] = field(default_factory=set)
    devices: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.table = method_table(self.state)

    @property
    def ways(self) -> Ways:
        """How this DSM differs."""
        return self.state.ways

    @property
    def writes(self) -> list[Call]:
        """The calls that asked for a change, whatever came of them."""
        return [call for call in self.calls if call.writes]

    def apis(self) -> dict[str, tuple[int, int, str]]:
        """Return what SYNO.API.Info offers: lowest and highest version, and the path."""
        found = {api: (1, highest, "entry.cgi") for api, (highest, _) in self.table.items()}
        found["SYNO.API.Info"] = (1, 1, "query.cgi")
        found["SYNO.API.Auth"] = (1, self.ways.auth_version, self.ways.auth_path)
        if self.ways.compound:
            found["SYNO.Entry.Request"] = (1, 2, "entry.cgi")
        return found

    def answer(self, path: str, form: dict[str, str], headers: Mapping[str, str]) -> Any:
        """Answer one HTTP request; None where the path is none of the web API's."""
        folder, _, script = path.rpartition("/")
        if folder != "/webapi" or script not in ("query.cgi", "entry.cgi", "auth.cgi"):
            return None
        with self.lock:
            self.state.settle()
            if self.logins and form.get("method") != "logout":
                self.requests += form.get("api") != "SYNO.API.Auth"
            try:
                return enveloped(self._called(script, form, headers))
            except Refused as refused:
                return error(refused)

    def _called(self, script: str, form: dict[str, str], headers: Mapping[str, str]) -> Any:
        if not {"api", "version", "method"} <= set(form):
            raise Refused(101)
        api, method = form["api"], form["method"]
        self._offered(api, form["version"])
        path = self.apis()[api][2]
        if script != path and api != "SYNO.API.Info" and script != "auth.cgi":
            raise Refused(102)
        if api == "SYNO.API.Info":
            return self._info(form)
        if api == "SYNO.API.Auth":
            return self._auth(method, form, headers)
        values = {key: decoded(text) for key, text in form.items()}
        if api == "SYNO.Entry.Request":
            return self._compound(values, form, headers)
        return self._method(api, values, form, headers, member=False)

    def _offered(self, api: str, version: object) -> None:
        if api not in self.apis():
            raise Refused(102)
        lowest, highest, _ = self.apis()[api]
        if not str(version).isdecimal() or not lowest <= int(str(version)) <= highest:
            raise Refused(104)

    def _info(self, form: dict[str, str]) -> Any:
        if form["method"] != "query":
            raise Refused(103)
        self.asked = True
        wanted = form.get("query", "all").split(",")
        pad = "_" * 12 if self.ways.padded_paths else ""
        return {
            api: {"minVersion": low, "maxVersion": high, "path": f"{pad}{path}",
                  **({} if api.startswith("SYNO.API") else {"requestFormat": "JSON"})}
            for api, (low, high, path) in self.apis().items()
            if wanted == ["all"] or api in wanted
        }  # fmt: skip

    def _auth(self, method: str, form: dict[str, str], headers: Mapping[str, str]) -> Any:
        if method == "logout":
            self._logout(form, headers)
            return NOTHING
        if method != "login" or not self.asked:
            raise Refused(103)
        if form.get("account") != self.state.account or form.get("passwd") != self.state.password:
            raise Refused(400)
        trusted = self._second_factor(form)
        self.logins += 1
        asks = form.get("enable_syno_token") == "yes"
        made = Session(secrets.token_hex(20), secrets.token_hex(8) if asks else "",
                       form.get("session", ""), weak=self.logins % 2 == 1)  # fmt: skip
        self.sessions[made.sid] = made
        newer = int(form["version"]) >= 7
        found = {"sid": made.sid, "is_portal_port": False}
        found |= {"account": self.state.account, "ik_message": ""} if newer else {}
        found |= {"synotoken": made.token} if asks else {}
        if trusted or newer:
            found["device_id" if newer else "did"] = trusted or secrets.token_hex(20)
        return found

    def _second_factor(self, form: dict[str, str]) -> str:
        """Check code or trusted device; return the token of a device that is trusted now."""
        if not self.ways.seed:
            return ""
        device = form.get("device_name", "")
        if device and self.devices.get(device) == form.get("device_id"):
            return self.devices[device]
        if "otp_code" not in form:
            raise Refused(403, {"token": "eyJ", "types": [{"type": "otp"}]})
        right = code_of(self.ways.seed, int(self.state.clock.now))
        if form["otp_code"] != right or right in self.used_codes:
            raise Refused(404)
        self.used_codes.add(form["otp_code"])
        if form.get("enable_device_token") == "yes" and device:
            self.devices[device] = secrets.token_hex(20)
        return self.devices.get(device, "")

    def _sid(self, form: Mapping[str, str], headers: Mapping[str, str]) -> str:
        cookie = SimpleCookie(headers.get("Cookie", "")).get("id")
        given = {"cookie": cookie.value if cookie else "", "param": form.get("_sid", "")}
        if self.ways.carrier == "any":
            return given["cookie"] or given["param"]
        return given[self.ways.carrier]

    def _logout(self, form: dict[str, str], headers: Mapping[str, str]) -> None:
        found = self.sessions.get(self._sid(form, headers))
        if found is not None and found.name == form.get("session", ""):
            del self.sessions[found.sid]

    def _session(self, form: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Check the session and its token, and let it expire when its calls are used up."""
        found = self.sessions.get(self._sid(form, headers))
        if found is None:
            gone = self.ways.expires_code if self.logins and self.ways.expires_after else 119
            raise Refused(gone)
        found.calls += 1
        if found.weak and 0 < self.ways.expires_after < found.calls:
            del self.sessions[found.sid]
            raise Refused(self.ways.expires_code)
        token = form.get("SynoToken") or headers.get("X-SYNO-TOKEN", "")
        if (found.token or self.ways.token_required) and token != found.token:
            raise Refused(self.ways.token_code)

    def _method(
        self, api: str, values: Mapping[str, Any], form: Mapping[str, str],
        headers: Mapping[str, str], *, member: bool,
    ) -> Any:  # fmt: skip
        call = Call(api, str(values.get("method")), writes=False, code=0, member=member)
        self.calls.append(call)
        try:
            return self._answered(call, values, form, headers)
        except Refused as refused:
            call.code = refused.code
            raise

    def _answered(
        self, call: Call, values: Mapping[str, Any], form: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Any:  # fmt: skip
        self._offered(call.api, values.get("version"))
        _, methods = self.table.get(call.api, (0, {}))
        method = methods.get(call.method)
        if method is None or int(values["version"]) not in method.versions:
            raise Refused(103)
        call.writes = method.writes
        self._session(form, headers)
        if call.api in self.ways.denied:
            raise Refused(105)
        found = method.answer(values)
        self.state.clock.now += 1.0 if method.writes else 0.0  # what a write takes on a real NAS
        return strange(found) if self.ways.strange_keys and not method.writes else found

    def _compound(
        self, values: Mapping[str, Any], form: Mapping[str, str], headers: Mapping[str, str]
    ) -> Any:
        """Answer SYNO.Entry.Request, which needs no session itself: its members do."""
        members, limit = values.get("compound"), self.ways.compound_limit
        if values["method"] != "request" or not isinstance(members, list):
            raise Refused(103 if values["method"] != "request" else 101)
        if limit and len(members) > limit and not self.ways.compound_cut:
            raise Refused(101)
        results = []
        for member in members[: limit or None]:
            head = {key: member.get(key) for key in ("api", "method", "version")}
            try:
                found = self._method(str(member.get("api")), member, form, headers, member=True)
                results.append(head | enveloped(found))
            except Refused as refused:
                results.append(head | error(refused))
                if values.get("stop_when_error") in (True, "true"):
                    break
        return {"has_fail": any(not r["success"] for r in results), "result": results}


def code_of(seed: str, now: int) -> str:
    """Return the one-time code of this half minute (RFC 6238)."""
    mac = hmac.digest(base64.b32decode(seed), struct.pack(">Q", now // 30), "sha1")
    part = struct.unpack_from(">I", mac, mac[19] & 15)[0] & 0x7FFFFFFF
    return f"{part % 1000000:06d}"


def decoded(text: str) -> Any:
    """Return a value as DSM reads it: JSON, and the raw text where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def enveloped(found: Any) -> dict[str, Any]:
    """Return the envelope of a success."""
    return {"success": True} if found is NOTHING else {"data": found, "success": True}


def error(refused: Refused) -> dict[str, Any]:
    """Return the envelope of an error."""
    about = {"code": refused.code}
    return {
        "error": about if refused.errors is None else about | {"errors": refused.errors},
        "success": False,
    }


def strange(found: Any) -> Any:
    """Return an answer with keys that no client knows, on every level."""
    if isinstance(found, list):
        return [strange(one) for one in found]
    if isinstance(found, dict):
        added = {"x_next_release": {"id": 1}, "readable_note": None}
        return {key: strange(value) for key, value in found.items()} | added
    return found


class Server(ThreadingHTTPServer):
    """The listener, which wraps each connection in TLS inside its own thread."""

    daemon_threads = True

    def __init__(self, dsm: OtherDsm, pem: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.dsm = dsm
        self.context: ssl.SSLContext | None = None
        self.alive: set[socket.socket] = set()
        if pem is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(pem)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection; a client that turns away in the handshake is no news."""
        with suppress(OSError):
            if self.context is not None:
                request = self.context.wrap_socket(request, server_side=True)
            self.alive.add(request)
            try:
                super().finish_request(request, client_address)
            finally:
                self.alive.discard(request)
                request.close()

    def close_connections(self) -> None:
        """Cut what is still open."""
        for one in list(self.alive):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """One connection: a form in, JSON out, with nginx's headers."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two wait for each other, 40 ms a request
    server: Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer a GET; DSM takes the query as the form."""
        self._respond(urlsplit(self.path).query)

    def do_POST(self) -> None:
        """Answer a POST; a body that is no form has no parameters, and no JSON is read."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        formed = "x-www-form-urlencoded" in self.headers.get("Content-Type", "")
        self._respond(body if formed else "")

    def _respond(self, text: str) -> None:
        dsm = self.server.dsm
        form = dict(parse_qsl(text, keep_blank_values=True))
        found = dsm.answer(urlsplit(self.path).path, form, self.headers)
        kind = 'application/json; charset="UTF-8"' if found is not None else "text/html"
        body = json.dumps(found).encode() if found is not None else b"<html>404</html>"
        self.send_response_only(200 if found is not None else 404)
        self.send_header("Server", "nginx")
        self.send_header("Date", formatdate(dsm.state.clock.now, usegmt=True))
        self.send_header("Content-Type", kind)
        framing = dsm.ways.framing
        if framing == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif framing == "length":
            self.send_header("Content-Length", str(len(body)))
        if framing == "close":
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(in_chunks(body) if framing == "chunked" else body)


def in_chunks(body: bytes, size: int = 700) -> bytes:
    """Return a body in HTTP's chunked transfer coding."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])


@contextmanager
def served(dsm: OtherDsm, pem: Path | None) -> Iterator[str]:
    """Serve it, over TLS where there is a certificate, and yield its URL."""
    server = Server(dsm, pem)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http{'s' if pem else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.close_connections()
        server.server_close()
        thread.join()
