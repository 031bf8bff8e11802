"""The self-signed certificate that a NAS shows out of the box."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_LIFETIME = timedelta(days=365)
_USAGES = ("digital_signature", "key_cert_sign", "crl_sign")
_OTHER_USAGES = (
    "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, both PEM; usable as its own CA file."""

    pem: bytes
    key_pem: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """`sha256:` and 64 hexadecimal digits of the DER certificate."""
        der = ssl.PEM_cert_to_DER_cert(self.pem.decode())
        return f"sha256:{hashlib.sha256(der).hexdigest()}"

    @classmethod
    def load(cls, certificate: str | Path, key: str | Path) -> Certificate:
        """Read both from PEM files."""
        return cls(Path(certificate).read_bytes(), Path(key).read_bytes())

    @classmethod
    def generate(cls, host: str = "127.0.0.1") -> Certificate:
        """Make a certificate for `host`, `localhost` and the loopback address."""
        key = ec.generate_private_key(ec.SECP256R1())
        encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return cls(_sign(key, host).public_bytes(Encoding.PEM), encoded)

    def context(self) -> ssl.SSLContext:
        """Return a server context with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # The standard library loads a key from a file only.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "nas.pem"
            path.touch(mode=0o600)
            path.write_bytes(self.pem + self.key_pem)
            context.load_cert_chain(path)
        return context


def _names(host: str) -> x509.SubjectAlternativeName:
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(IPv4Address("127.0.0.1")),
    ]
    try:
        address = IPv4Address(host)
    except ValueError:
        names.append(x509.DNSName(host))
    else:
        names.append(x509.IPAddress(address))
    return x509.SubjectAlternativeName(names)


def _sign(key: ec.EllipticCurvePrivateKey, host: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "synology")])
    # A client checks the validity with its own clock, not with the simulated one.
    now = datetime.now(UTC)
    usage = x509.KeyUsage(**dict.fromkeys(_USAGES, True), **dict.fromkeys(_OTHER_USAGES, False))
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(_names(host), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    return builder.sign(key, hashes.SHA256())
