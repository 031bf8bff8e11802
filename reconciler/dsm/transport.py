"""HTTP to a NAS: POST forms only, TLS always verified, no redirect, no proxy from the environment.

Foreign exceptions are mapped here and nowhere else. Whether anything was sent is part of the
error: `NotSent` or `AnswerLost`.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from reconciler.dsm.errors import AnswerLost, NotSent
from reconciler.errors import PermanentError, TargetError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.dsm.clock import Clock

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_LARGEST = 64 * 1024 * 1024
_CHUNK = 65_536
_IDLE_SECONDS = 15.0
"""nginx on a NAS closes sockets that were idle for 20 s."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """One way to send a form and wait for the answer."""

    def send(self, path: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """POST a form to a path under /webapi/; raises NotSent, AnswerLost or PermanentError."""

    def close(self) -> None:
        """Close every connection."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How a certificate is verified: by fingerprint, by CA file, else by the system's trust.

    A pinned certificate is trusted whatever its name and dates say: the pin is the identity.
    """

    ca_file: Path | None = None
    fingerprints: tuple[str, ...] = ()
    insecure: bool = False


class HttpTransport:
    """The real transport, over one keep-alive session."""

    def __init__(self, url: str, trust: Trust, clock: Clock) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"`{url}` is no address of a NAS; write https://NAME:5001")
        local = is_loopback(parts.hostname)
        if not local and (parts.scheme == "http" or trust.insecure):
            raise UserError(
                f"{parts.hostname} would be reached without a verified certificate, which is for "
                "loopback alone",
                next_step="use https:// and `tls: {fingerprint: [...]}`",
            )
        self._base = url.rstrip("/")
        self._host, self._port = parts.hostname, parts.port or _PORTS[parts.scheme]
        self._secure = parts.scheme == "https"
        self._trust = trust
        self._clock = clock
        self._session: requests.Session | None = None
        self._used = clock.monotonic()
        self._answered = False

    def send(self, path: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """POST a form; see `Transport.send`."""
        session = self._ready()
        url = f"{self._base}/webapi/{path}"
        try:
            with session.post(
                url,
                data=dict(form),
                headers=dict(headers),
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = _body(response)
                self._answered = True
                return Answer(response.status_code, response.headers, body)
        except requests.exceptions.SSLError as error:
            raise self._broken_tls(error) from error
        except requests.exceptions.RequestException as error:
            raise self._lost(error) from error
        except urllib3.exceptions.HTTPError as error:
            raise AnswerLost(f"{self._host}:{self._port} broke off its answer") from error
        finally:
            self._used = self._clock.monotonic()

    def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _ready(self) -> requests.Session:
        if self._clock.monotonic() - self._used > _IDLE_SECONDS:
            self.close()
        if self._session is None:
            self._session = self._open()
        return self._session

    def _open(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers["User-Agent"] = "snapshot-reconciler"
        if not self._secure:
            return session
        if self._trust.fingerprints:
            session.verify = False
            session.mount("https://", _Pinned(self._pin()))
        elif self._trust.insecure:
            session.verify = False
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        elif self._trust.ca_file is not None:
            session.verify = str(_readable(self._trust.ca_file))
        else:
            paths = ssl.get_default_verify_paths()
            session.verify = paths.cafile or paths.capath or True
        return session

    def _pin(self) -> str:
        """Return the trusted fingerprint that the NAS presents; raise where it is another one."""
        seen = self._presented()
        if seen is None:
            raise NotSent(f"{self._host}:{self._port} does not answer over TLS", next_step=_REACH)
        if fingerprint(seen) not in self._trust.fingerprints:
            raise PermanentError(
                f"{self._host}:{self._port} presents another certificate than the inventory "
                f"trusts: sha256:{fingerprint(seen)}",
                next_step="if it was renewed, write: " + _line(seen),
            )
        return fingerprint(seen)

    def _presented(self) -> bytes | None:
        """Return the certificate that the NAS presents now (DER), unverified; for messages."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        import socket

        try:
            with (
                socket.create_connection((self._host, self._port), _CONNECT_SECONDS) as raw,
                context.wrap_socket(raw, server_hostname=self._host) as secured,
            ):
                return secured.getpeercert(binary_form=True)
        except OSError:
            return None

    def _broken_tls(self, error: Exception) -> TargetError:
        """Tell a certificate that is refused, before anything is sent, from TLS that breaks off.

        The latter may come after a request was sent, whose answer is then lost.
        """
        if any(word in str(error) for word in _REFUSALS):
            return self._untrusted(error)
        place = f"{self._host}:{self._port}"
        if self._answered:
            return AnswerLost(f"the connection to {place} broke")
        return NotSent(f"{place} does not speak TLS", next_step=_REACH)

    def _untrusted(self, error: Exception) -> TargetError:
        seen = self._presented()
        place = f"{self._host}:{self._port}"
        if seen is None:
            return NotSent(f"{place} does not answer over TLS", next_step=_REACH)
        return PermanentError(
            f"the certificate of {place} is not trusted: {_why(str(error), seen)}; it is "
            f"sha256:{fingerprint(seen)}",
            next_step="if this is your NAS, write in the inventory: " + _line(seen),
        )

    def _lost(self, error: requests.exceptions.RequestException) -> TargetError:
        place = f"{self._host}:{self._port}"
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return NotSent(f"{place} does not answer", next_step=_REACH)
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(reason, urllib3.exceptions.NameResolutionError):
            return NotSent(f"the name {self._host} is not known", next_step="check `url`")
        if isinstance(reason, urllib3.exceptions.NewConnectionError):
            return NotSent(f"{place} refuses the connection", next_step=_REACH)
        if isinstance(error, requests.exceptions.ReadTimeout):
            return AnswerLost(f"{place} did not answer within {_READ_SECONDS:.0f} s")
        return AnswerLost(f"the connection to {place} broke")


class _Pinned(HTTPAdapter):
    """Verifies each connection by its certificate's fingerprint."""

    def __init__(self, pin: str) -> None:
        self._fingerprint = pin
        super().__init__()

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Open pools that assert the fingerprint."""
        super().init_poolmanager(*args, **settings, assert_fingerprint=self._fingerprint)


_PORTS = {"https": 443, "http": 80}
_REFUSALS = ("CERTIFICATE_VERIFY_FAILED", "ingerprint", "doesn't match")
"""What OpenSSL and urllib3 say when a certificate is not the one that is trusted."""

_REACH = "check that the NAS is on, and address and port in `url` (DSM's is usually 5001)"


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a DER certificate as 64 hex digits."""
    return hashlib.sha256(certificate).hexdigest()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: `localhost`, or an address of 127.0.0.0/8 or ::1."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _body(response: requests.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for chunk in response.iter_content(_CHUNK):
        size += len(chunk)
        if size > _LARGEST:
            raise AnswerLost(f"an answer of more than {_LARGEST // 1024 // 1024} MiB is not read")
        parts.append(chunk)
    return b"".join(parts)


def _readable(ca_file: Path) -> Path:
    """Return the file of trusted certificates; raises PermanentError where it holds none."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=ca_file)
    except OSError as error:
        raise PermanentError(
            f"{ca_file} cannot be read as certificates in PEM form",
            next_step="write the path of a file that begins with -----BEGIN CERTIFICATE-----",
        ) from error
    return ca_file


def _line(certificate: bytes) -> str:
    return f'tls: {{fingerprint: ["sha256:{fingerprint(certificate)}"]}}'


def _why(text: str, certificate: bytes) -> str:
    if "expired" in text:
        from cryptography import x509

        ended = x509.load_der_x509_certificate(certificate).not_valid_after_utc
        return f"it expired on {ended:%Y-%m-%d}"
    return next((why for word, why in _WHY.items() if word in text), "its issuer is not known here")


_WHY = {
    "ingerprint": "it is not the pinned one",
    "not yet valid": "it is not valid yet, by the clock here",
    "self-signed": "it is self-signed",
    "self signed": "it is self-signed",
    "match": "it names another host",
}
"""The first word of OpenSSL's or urllib3's that is found decides."""
