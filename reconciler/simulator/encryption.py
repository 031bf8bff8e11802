"""The sign-in over plain HTTP: parameters encrypted with RSA and AES.

`SYNO.API.Encryption getinfo` gives a public key; the client sends its form AES-encrypted (CBC,
key and vector derived from a passphrase with MD5 as OpenSSL does, `Salted__` in front) and the
passphrase RSA-encrypted, both inside one JSON value under `cipherkey`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from reconciler.simulator.codes import Common, DsmError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CIPHER_KEY: Final = "__cIpHeRtExT"
_CIPHER_TOKEN: Final = "__cIpHeRtOkEn"  # noqa: S105 -- a parameter's name
# Clients encrypt a passphrase of 501 bytes, the most that fits into 4096 bits with padding.
_BITS: Final = 4096
_SALT_MARK: Final = b"Salted__"
_SALT: Final = 8
_AES_KEY: Final = 32
_BLOCK: Final = 16


class EncryptionKey:
    """The NAS's key pair, made when it is first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._private: rsa.RSAPrivateKey | None = None

    def _key(self) -> rsa.RSAPrivateKey:
        with self._lock:
            if self._private is None:
                self._private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
            return self._private

    def describe(self, now: float) -> dict[str, Any]:
        """Return the answer of `getinfo`."""
        modulus = self._key().public_key().public_numbers().n
        return {
            "cipherkey": _CIPHER_KEY,
            "ciphertoken": _CIPHER_TOKEN,
            "public_key": f"{modulus:x}",
            "server_time": int(now),
        }

    def open(self, form: Mapping[str, str]) -> dict[str, str]:
        """Return the encrypted part of a form, decrypted; empty where nothing is encrypted."""
        sealed = form.get(_CIPHER_KEY)
        if not sealed:
            return {}
        try:
            parts = json.loads(sealed)
            passphrase = self._key().decrypt(
                base64.b64decode(parts["rsa"]),
                padding.PKCS1v15(),
            )
            plain = _decrypt(passphrase, base64.b64decode(parts["aes"]))
            return dict(parse_qsl(plain.decode(), keep_blank_values=True))
        except (ValueError, KeyError, TypeError) as exc:
            raise DsmError(Common.BAD_PARAMETER) from exc


def _decrypt(passphrase: bytes, sealed: bytes) -> bytes:
    if not sealed.startswith(_SALT_MARK):
        raise ValueError("the AES part does not start with Salted__")
    head = len(_SALT_MARK) + _SALT
    salt, ciphertext = sealed[len(_SALT_MARK) : head], sealed[head:]
    derived, block = b"", b""
    while len(derived) < _AES_KEY + _BLOCK:
        # OpenSSL's own derivation, which the browser's login page uses.
        block = hashlib.md5(block + passphrase + salt, usedforsecurity=False).digest()
        derived += block
    vector = derived[_AES_KEY : _AES_KEY + _BLOCK]
    decryptor = Cipher(algorithms.AES(derived[:_AES_KEY]), modes.CBC(vector)).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    return padded[: -padded[-1]] if padded else padded
