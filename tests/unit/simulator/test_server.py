"""The HTTP side: programs, carriers, keep-alive, and the certificate."""

from __future__ import annotations

import _thread
import hashlib
import http.client
import json
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

import reconciler.simulator
from reconciler.simulator import Certificate, Simulator, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.simulator import Nas

QUERY = {"api": "SYNO.API.Info", "version": "1", "method": "query", "query": "SYNO.API.Auth"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def sim(nas: Nas) -> Iterator[Simulator]:
    """Yield the NAS over plain HTTP."""
    with Simulator(nas, tls=False) as sim:
        yield sim


@pytest.fixture
def wire(sim: Simulator) -> Iterator[http.client.HTTPConnection]:
    """One connection, kept alive."""
    connection = http.client.HTTPConnection(sim.host, sim.port, timeout=5)
    yield connection
    connection.close()


def send(
    wire: http.client.HTTPConnection, path: str, form: dict[str, str], **headers: str
) -> dict[str, Any]:
    """POST a form and return the decoded answer."""
    wire.request("POST", f"/webapi/{path}", urlencode(form), {**FORM, **headers})
    return json.loads(wire.getresponse().read())


def sign_in(wire: http.client.HTTPConnection, nas: Nas) -> tuple[str, str]:
    """Sign in and return the session id and the token."""
    form = {
        "api": "SYNO.API.Auth", "version": "7", "method": "login", "account": nas.account,
        "passwd": nas.password, "enable_syno_token": "yes", "format": "sid",
    }  # fmt: skip
    answer = send(wire, "entry.cgi", form)["data"]
    return answer["sid"], answer["synotoken"]


def test_the_list_is_answered_by_two_programs_and_two_methods(
    wire: http.client.HTTPConnection,
) -> None:
    """query.cgi and entry.cgi both answer the list of APIs, by GET and by POST."""
    for program in ("query.cgi", "entry.cgi"):
        assert "SYNO.API.Auth" in send(wire, program, QUERY)["data"]
        wire.request("GET", f"/webapi/{program}?{urlencode(QUERY)}")
        assert "SYNO.API.Auth" in json.loads(wire.getresponse().read())["data"]


def test_a_missing_name_is_101(wire: http.client.HTTPConnection) -> None:
    """A request without api, method or version answers 101, and so does a JSON body."""
    for key in ("api", "version", "method"):
        form = {name: value for name, value in QUERY.items() if name != key}
        assert send(wire, "entry.cgi", form)["error"]["code"] == 101
    wire.request(
        "POST", "/webapi/entry.cgi", json.dumps(QUERY), {"Content-Type": "application/json"}
    )
    assert json.loads(wire.getresponse().read())["error"]["code"] == 101


def test_errors_travel_with_status_200(wire: http.client.HTTPConnection) -> None:
    """A refusal is HTTP 200 with an error envelope."""
    form = {"api": "SYNO.Core.Share", "version": "1", "method": "list"}
    wire.request("POST", "/webapi/entry.cgi", urlencode(form), FORM)
    response = wire.getresponse()
    assert response.status == 200
    assert json.loads(response.read()) == {"error": {"code": 119}, "success": False}


def test_a_session_travels_in_the_cookie_and_the_token_in_a_header(
    wire: http.client.HTTPConnection, nas: Nas
) -> None:
    """`Cookie: id=` and `X-SYNO-TOKEN` carry as well as `_sid` and `SynoToken`."""
    sid, token = sign_in(wire, nas)
    nas.require_token = True
    form = {"api": "SYNO.Core.Share", "version": "1", "method": "list"}
    nas.carriers = "cookie"
    by_header = send(wire, "entry.cgi", form, Cookie=f"id={sid}", **{"X-SYNO-TOKEN": token})
    assert by_header["success"]
    nas.carriers = "param"
    by_form = send(wire, "entry.cgi", {**form, "_sid": sid, "SynoToken": token})
    assert by_form["success"]


def test_one_connection_serves_many_requests(
    wire: http.client.HTTPConnection, sim: Simulator
) -> None:
    """The connection stays open: answers have an exact length."""
    send(wire, "entry.cgi", QUERY)
    socket = wire.sock
    for _ in range(3):
        send(wire, "entry.cgi", QUERY)
    assert wire.sock is socket
    assert sim.http_requests == 4


def test_other_paths_are_pages(wire: http.client.HTTPConnection) -> None:
    """The root is the sign-in page, an unknown program is 404, neither is JSON."""
    for path, status in (("/", 200), ("/webapi/nonsense.cgi", 404)):
        wire.request("GET", path)
        response = wire.getresponse()
        assert response.status == status
        assert response.read().startswith(b"<!DOCTYPE html>")


def test_sign_in_sets_a_cookie_unless_told_not_to(
    wire: http.client.HTTPConnection, nas: Nas
) -> None:
    """With `format=sid` no cookie is set: the client must build its own."""
    form = {
        "api": "SYNO.API.Auth", "version": "7", "method": "login", "account": nas.account,
        "passwd": nas.password,
    }  # fmt: skip
    cookies = []
    for more in ({"format": "sid"}, {"format": "cookie"}):
        wire.request("POST", "/webapi/entry.cgi", urlencode({**form, **more}), FORM)
        response = wire.getresponse()
        sid = json.loads(response.read())["data"]["sid"]
        cookies.append(response.headers["Set-Cookie"])
    assert cookies == [None, f"id={sid};path=/;HttpOnly"]


def test_the_fingerprint_is_the_certificates(nas: Nas) -> None:
    """The announced fingerprint is the SHA-256 of the certificate on the wire."""
    with Simulator(nas) as sim:
        shown = ssl.get_server_certificate((sim.host, sim.port), timeout=5)
        der = ssl.PEM_cert_to_DER_cert(shown)
        assert sim.fingerprint == f"sha256:{hashlib.sha256(der).hexdigest()}"


def test_a_restart_keeps_port_and_state(nas: Nas) -> None:
    """A stopped simulator refuses connections and comes back on the same port."""
    sim = Simulator(nas, tls=False)
    sim.start()
    port = sim.port
    sim.stop()
    refused = http.client.HTTPConnection(sim.host, port, timeout=1)
    with pytest.raises(ConnectionRefusedError):
        refused.connect()
    with sim:
        assert sim.port == port


def test_serving_until_interrupted(nas: Nas) -> None:
    """`serve` announces the running simulator and ends with an interruption."""
    seen = []

    def announce(sim: Simulator) -> None:
        seen.append((sim.url, sim.fingerprint))
        _thread.interrupt_main()

    serve(nas, port=0, tls=False, host="127.0.0.1", announce=announce)
    ((url, fingerprint),) = seen
    assert url.startswith("http://127.0.0.1:")
    assert fingerprint == ""


def test_a_certificate_from_files(nas: Nas, tmp_path: Path) -> None:
    """A certificate that is already there is shown as it is."""
    made = Certificate.generate("nas.example.net")
    paths = tmp_path / "cert.pem", tmp_path / "key.pem"
    for path, content in zip(paths, (made.pem, made.key_pem), strict=True):
        path.write_bytes(content)
    sim = Simulator(nas, certificate=Certificate.load(*paths))
    assert sim.fingerprint == made.fingerprint


def test_the_room_stands_apart() -> None:
    """The simulator imports nothing from the rest of the package: a mistake cannot hide itself."""
    room = Path(reconciler.simulator.__file__).parent
    imports = [
        f"{path.name}: {line}"
        for path in sorted(room.glob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(from|import) reconciler", line)
        and not re.match(r"\s*from reconciler\.simulator", line)
    ]
    assert imports == []
