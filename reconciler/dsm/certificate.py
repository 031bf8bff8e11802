"""The certificate a NAS presents, before anything is trusted or sent."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.dsm.errors import NotSent
from reconciler.dsm.transport import fingerprint
from reconciler.errors import UserError

if TYPE_CHECKING:
    from datetime import datetime

_SECONDS = 10.0
_PORT = 5001


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate as seen. `distrust` says why this machine does not trust it, "" where it does.

    `fingerprint` is 64 hex digits (SHA-256 of the DER certificate).
    """

    fingerprint: str
    distrust: str
    ends: datetime

    @property
    def colons(self) -> str:
        """The fingerprint as DSM and browsers show it: pairs in capitals, between colons."""
        pairs = (self.fingerprint[n : n + 2] for n in range(0, len(self.fingerprint), 2))
        return ":".join(pairs).upper()


def presented(url: str) -> Presented | None:
    """Return the certificate at an address, None for http://; nothing but TLS is spoken.

    Raises NotSent where nobody answers, with what to check.
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise UserError(f"`{url}` is no address of a NAS", next_step="write https://NAME:5001")
    if parts.scheme == "http":
        return None
    port = parts.port or 443
    distrust = _distrust(parts.hostname, port)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    found = _shake_hands(parts.hostname, port, context)
    from cryptography import x509

    ends = x509.load_der_x509_certificate(found).not_valid_after_utc
    return Presented(fingerprint(found), distrust, ends)


def _distrust(host: str, port: int) -> str:
    try:
        _shake_hands(host, port, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        reason = error.verify_message or "it cannot be verified"
        return "self-signed" if "self-signed" in reason or "self signed" in reason else reason
    return ""


def _shake_hands(host: str, port: int, context: ssl.SSLContext) -> bytes:
    """Return the certificate (DER); raises NotSent, or the error of its verification."""
    place = f"{host}:{port}"
    try:
        with (
            socket.create_connection((host, port), _SECONDS) as raw,
            context.wrap_socket(raw, server_hostname=host) as secured,
        ):
            found = secured.getpeercert(binary_form=True)
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        raise NotSent(f"{place} does not speak TLS", next_step=_REACH) from error
    except socket.gaierror as error:
        raise NotSent(f"the name {host} is not known", next_step="check the address") from error
    except TimeoutError as error:
        raise NotSent(f"{place} does not answer", next_step=_REACH) from error
    except OSError as error:
        raise NotSent(f"{place} refuses the connection", next_step=_REACH) from error
    if found is None:
        raise NotSent(f"{place} presents no certificate", next_step=_REACH)
    return found


_REACH = f"check that the NAS is on, and address and port (DSM's is usually {_PORT})"
