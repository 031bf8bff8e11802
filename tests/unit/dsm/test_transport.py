"""HTTP and TLS over real sockets on loopback: what is trusted, and what was sent when it broke."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import requests
import urllib3
from fake_nas import HandedClock
from other_dsm import certificate, fingerprint

from reconciler.dsm.clock import SystemClock
from reconciler.dsm.errors import AnswerLost, NotSent
from reconciler.dsm.transport import HttpTransport, Trust
from reconciler.errors import PermanentError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
FORM = {"api": "SYNO.API.Info", "passwd": "hunter2"}


class Answers:
    """A server that reads one request for each answer, sends it, and closes where it says so."""

    def __init__(self, replies: list[bytes], pem: Path | None = None) -> None:
        self.replies = list(replies)
        self.received: list[bytes] = []
        self.connections = 0
        self.context: ssl.SSLContext | None = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        if pem is not None:
            self.trust(pem)

    def trust(self, pem: Path) -> None:
        """Present this certificate from now on."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)

    def serve(self) -> None:
        """Serve one connection after another until the listener is closed."""
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            with raw, suppress(OSError):
                raw.settimeout(5)
                context = self.context
                secured = context.wrap_socket(raw, server_side=True) if context else raw
                with secured:
                    self.connections += 1
                    self._answer(secured, raw)

    def _answer(self, secured: socket.socket, raw: socket.socket) -> None:
        while self.replies and (request := whole(secured)):
            self.received.append(request)
            reply = self.replies.pop(0)
            if reply == b"garbage under TLS":
                with socket.socket(fileno=raw.detach() if raw.fileno() > 0 else
                                   secured.detach()) as bare:  # fmt: skip
                    bare.sendall(b"\x00" * 64)
                return
            secured.sendall(reply)
            if b"Content-Length: 2\r\n" not in reply:
                return


def whole(connection: socket.socket) -> bytes:
    """Read one request, whose head and body come one after the other; empty at the end."""
    request = b""
    while part := connection.recv(65_536):
        request += part
        head, _, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        hello = request.startswith(b"\x16\x03")  # TLS, where none is spoken
        if hello or (length is not None and len(body) >= int(length[1])):
            return request
    return b""


@contextmanager
def answering(*replies: bytes, pem: Path | None = None) -> Iterator[Answers]:
    """Serve these answers while the block runs."""
    server = Answers(list(replies), pem)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


@contextmanager
def connected(
    server: Answers, trust: Trust | None = None, *, host: str = "127.0.0.1"
) -> Iterator[HttpTransport]:
    """Return the real transport to that server; http without a trust."""
    scheme = "http" if trust is None else "https"
    url = f"{scheme}://{host}:{server.port}"
    transport = HttpTransport(url, trust or Trust(), HandedClock())
    try:
        yield transport
    finally:
        transport.close()


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of 127.0.0.1 that is valid now."""
    return certificate(tmp_path_factory.mktemp("tls"))


def pin(path: Path) -> str:
    """Return a fingerprint as the inventory holds it."""
    return fingerprint(path).removeprefix("sha256:")


def test_a_ca_file_that_signed_it_is_trusted(pem: Path) -> None:
    """A certificate of the CA file is trusted for its host name, and the form arrives."""
    with answering(GOOD, pem=pem) as server, connected(server, Trust(pem)) as transport:
        answer = transport.send("entry.cgi", FORM, {"X": "1"})
    assert (answer.status, answer.body) == (200, b"{}")
    head, _, body = server.received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /webapi/entry.cgi HTTP/1.1")
    assert b"hunter2" not in head
    assert b"passwd=hunter2" in body


def test_a_certificate_of_another_ca_is_refused_with_the_line_to_paste(
    pem: Path, tmp_path: Path
) -> None:
    """Nothing is sent, and the message names the certificate seen."""
    other = certificate(tmp_path)
    with (
        answering(GOOD, pem=pem) as server,
        connected(server, Trust(other)) as transport,
        pytest.raises(PermanentError, match="is not trusted") as caught,
    ):
        transport.send("entry.cgi", FORM, {})
    assert fingerprint(pem) in caught.value.next_step
    assert server.received == []


def test_the_systems_own_trust_does_not_hold_for_a_self_signed_one(pem: Path) -> None:
    """Without a pin or a CA file a self-signed certificate is refused as such."""
    with (
        answering(pem=pem) as server,
        connected(server, Trust()) as transport,
        pytest.raises(PermanentError, match="self-signed"),
    ):
        transport.send("entry.cgi", FORM, {})


def test_an_expired_certificate_is_named_with_its_day(tmp_path: Path) -> None:
    """A certificate of the CA file that has run out is refused, with the day."""
    old = certificate(tmp_path, days=-1)
    with (
        answering(pem=old) as server,
        connected(server, Trust(old)) as transport,
        pytest.raises(PermanentError, match=r"it expired on 2\d\d\d-\d\d-\d\d"),
    ):
        transport.send("entry.cgi", FORM, {})


def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    """A certificate that names another host is not this NAS's, whoever signed it."""
    other = certificate(tmp_path, host="hq-1.example.net")
    with (
        answering(pem=other) as server,
        connected(server, Trust(other)) as transport,
        pytest.raises(PermanentError, match="it names another host"),
    ):
        transport.send("entry.cgi", FORM, {})


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_ca_file_that_is_none(text: str | None, pem: Path, tmp_path: Path) -> None:
    """A CA file that is gone or holds no certificate is named; nothing is sent."""
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with (
        answering(pem=pem) as server,
        connected(server, Trust(file)) as transport,
        pytest.raises(PermanentError, match=r"ca\.pem cannot be read as certificates"),
    ):
        transport.send("entry.cgi", FORM, {})
    assert server.connections == 0


def test_either_of_two_pins_is_enough_whatever_name_and_dates_say(tmp_path: Path) -> None:
    """While a certificate is renewed both pins are trusted; the pin is the identity."""
    old = certificate(tmp_path, host="elsewhere.example.net", days=-1)
    new = certificate(tmp_path)
    trust = Trust(fingerprints=(pin(new), pin(old)))
    with answering(GOOD, GOOD, pem=old) as server, connected(server, trust) as transport:
        assert transport.send("entry.cgi", FORM, {}).body == b"{}"
        transport.close()
        server.trust(new)
        assert transport.send("entry.cgi", FORM, {}).body == b"{}"


def test_another_certificate_than_the_pinned_one_is_refused(pem: Path) -> None:
    """A wrong pin sends nothing and shows the line that would trust what was seen."""
    trust = Trust(fingerprints=("ab" * 32,))
    with (
        answering(GOOD, pem=pem) as server,
        connected(server, trust) as transport,
        pytest.raises(PermanentError, match="another certificate") as caught,
    ):
        transport.send("entry.cgi", FORM, {})
    assert fingerprint(pem) in caught.value.next_step
    assert server.received == []


def test_a_certificate_exchanged_in_the_middle_is_refused(pem: Path, tmp_path: Path) -> None:
    """Each connection is verified anew, before anything is sent on it."""
    trust = Trust(fingerprints=(pin(pem),))
    reply = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n").replace(b": 2", b":  2")
    with answering(reply, GOOD, pem=pem) as server, connected(server, trust) as transport:
        transport.send("entry.cgi", FORM, {})
        sent = len(server.received)
        server.trust(certificate(tmp_path))
        with pytest.raises(PermanentError, match="it is not the pinned one"):
            transport.send("entry.cgi", FORM, {})
        assert len(server.received) == sent


def test_insecure_is_for_loopback(pem: Path) -> None:
    """`insecure` is accepted for this machine alone, as http is."""
    trust = Trust(insecure=True)
    with (
        answering(GOOD, pem=pem) as server,
        connected(server, trust, host="localhost") as transport,
    ):
        assert transport.send("entry.cgi", FORM, {}).body == b"{}"
    for url in ("http://nas.example.net", "https://nas.example.net"):
        with pytest.raises(UserError, match="loopback alone"):
            HttpTransport(url, Trust(insecure=True), HandedClock())
    for url in ("ftp://127.0.0.1", "nas:5001", "https://"):
        with pytest.raises(UserError, match="no address"):
            HttpTransport(url, Trust(), HandedClock())


@pytest.mark.parametrize("pinned", [True, False])
def test_a_port_that_speaks_no_tls(pinned: bool, pem: Path) -> None:
    """A plain port is told as such, with what to check; nothing was sent."""
    trust = Trust(fingerprints=(pin(pem),)) if pinned else Trust(pem)
    with (
        answering(b"HTTP/1.1 400 Bad\r\n\r\n") as server,
        connected(server, trust) as transport,
        pytest.raises(NotSent, match="TLS") as caught,
    ):
        transport.send("entry.cgi", FORM, {})
    assert caught.value.next_step


@pytest.mark.parametrize("pinned", [True, False])
def test_nothing_listens(pinned: bool, pem: Path) -> None:
    """A refused connection means that nothing was sent."""
    with answering() as server:
        pass
    trust = Trust(fingerprints=(pin(pem),)) if pinned else None
    with connected(server, trust) as transport, pytest.raises(NotSent):
        transport.send("entry.cgi", FORM, {})


BROKEN = {
    "closed without a word": b"",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a body that is no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n{}",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_after_it_was_sent_is_lost(name: str) -> None:
    """Whatever is wrong with an answer, the request may have been carried out."""
    with (
        answering(BROKEN[name]) as server,
        connected(server) as transport,
        pytest.raises(AnswerLost),
    ):
        transport.send("entry.cgi", FORM, {})
    assert server.received


def test_tls_that_breaks_after_a_request_is_a_lost_answer(pem: Path) -> None:
    """Garbage instead of an answer is no refused certificate: the request was sent (P12)."""
    trust = Trust(fingerprints=(pin(pem),))
    with (
        answering(GOOD, b"garbage under TLS", pem=pem) as server,
        connected(server, trust) as transport,
    ):
        transport.send("entry.cgi", FORM, {})
        with pytest.raises(AnswerLost):
            transport.send("entry.cgi", FORM, {})


def test_an_answer_beyond_all_measure_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer larger than the limit is given up, not gathered in memory."""
    monkeypatch.setattr("reconciler.dsm.transport._LARGEST", 1024)
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n" + b" " * 4096
    with (
        answering(reply) as server,
        connected(server) as transport,
        pytest.raises(AnswerLost, match="is not read"),
    ):
        transport.send("entry.cgi", FORM, {})


def test_a_nas_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time allowed the answer counts as lost."""
    monkeypatch.setattr("reconciler.dsm.transport._READ_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        transport = HttpTransport(url, Trust(), HandedClock())
        with pytest.raises(AnswerLost, match="did not answer within"):
            transport.send("entry.cgi", FORM, {})
        transport.close()


def test_a_name_that_nobody_knows() -> None:
    """A host name that does not resolve is told as such; `.invalid` never does (RFC 6761)."""
    transport = HttpTransport("https://nas.invalid", Trust(), HandedClock())
    with pytest.raises(NotSent, match=r"the name nas\.invalid is not known"):
        transport.send("entry.cgi", FORM, {})
    transport.close()


def test_a_redirect_comes_back_as_it_is() -> None:
    """A redirect is an answer like another: no second request, and no secret, goes anywhere."""
    reply = b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\n{}"
    with answering(reply, GOOD) as server, connected(server) as transport:
        assert transport.send("entry.cgi", FORM, {}).status == 301
    assert (len(server.replies), server.connections) == (1, 1)


def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment never sees a password."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with answering(GOOD) as server, connected(server) as transport:
        assert transport.send("entry.cgi", FORM, {}).status == 200


def test_a_connection_that_was_idle_is_not_used_again() -> None:
    """A NAS closes idle sockets after 20 s: a write must not be the one to find out."""
    clock = HandedClock()
    with answering(GOOD, GOOD, GOOD) as server:
        transport = HttpTransport(f"http://127.0.0.1:{server.port}", Trust(), clock)
        transport.send("entry.cgi", FORM, {})
        transport.send("entry.cgi", FORM, {})
        assert server.connections == 1
        clock.now += 16
        transport.send("entry.cgi", FORM, {})
        assert server.connections == 2
        transport.close()


RAISED = {
    "no connection in time": (requests.exceptions.ConnectTimeout(), NotSent),
    "an error that says nothing": (requests.exceptions.ConnectionError(), AnswerLost),
    "an error of the pool": (urllib3.exceptions.HTTPError("odd"), AnswerLost),
}


@pytest.mark.parametrize("name", RAISED)
def test_no_foreign_exception_comes_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the library raises becomes an error that says whether anything was sent."""
    raised, error = RAISED[name]

    def post(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(requests.Session, "post", post)
    transport = HttpTransport("http://127.0.0.1:9", Trust(), HandedClock())
    with pytest.raises(error):
        transport.send("entry.cgi", FORM, {})
    transport.close()


def test_a_nas_that_goes_away_after_its_certificate_was_refused(
    pem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the certificate cannot be looked at again, the message does without it."""
    monkeypatch.setattr(HttpTransport, "_presented", lambda _: None)
    trust = Trust(certificate(tmp_path))
    with (
        answering(pem=pem) as server,
        connected(server, trust) as transport,
        pytest.raises(NotSent, match="does not answer over TLS"),
    ):
        transport.send("entry.cgi", FORM, {})


def test_a_certificate_of_tomorrow_is_told_as_such(tmp_path: Path) -> None:
    """A certificate that is not valid yet points to a clock, not to an issuer."""
    later = certificate(tmp_path, days=9, starts_in=3)
    with (
        answering(pem=later) as server,
        connected(server, Trust(later)) as transport,
        pytest.raises(PermanentError, match="not valid yet"),
    ):
        transport.send("entry.cgi", FORM, {})


def test_the_machines_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real clock is the machine's: wall clock, monotonic clock, and waiting."""
    waited: list[float] = []
    monkeypatch.setattr("time.time", lambda: 7.0)
    monkeypatch.setattr("time.monotonic", lambda: 8.0)
    monkeypatch.setattr("time.sleep", waited.append)
    clock = SystemClock()
    clock.sleep(2.5)
    assert (clock.time(), clock.monotonic(), waited) == (7.0, 8.0, [2.5])
