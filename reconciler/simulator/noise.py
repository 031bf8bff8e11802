"""The NAS's half of the handshake that some clients add to a version 7 sign-in.

Noise_IK_25519_ChaChaPoly_BLAKE2b (the Noise Protocol Framework, revision 34): the NAS shows its
static key in the `_SSID` cookie, the client sends `ik_message`, the NAS answers with its own.
Later requests may prove the channel with `X-SYNO-HASH`: eight characters of the handshake's
hash, an encrypted empty message, a dot, and its number.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from reconciler.simulator.codes import Common, DsmError

_PROTOCOL: Final = b"Noise_IK_25519_ChaChaPoly_BLAKE2b"
_KEY: Final = 32
_SEALED_KEY: Final = 48
_HASH_PREFIX: Final = 8


def encode(raw: bytes) -> str:
    """Return URL-safe base64 without padding, as the cookie and `ik_message` use it."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Return the bytes of URL-safe base64 without padding; `ValueError` for anything else."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.blake2b).digest()


def _derive(chain: bytes, secret: bytes) -> tuple[bytes, bytes]:
    temporary = _hmac(chain, secret)
    first = _hmac(temporary, b"\x01")
    return first, _hmac(temporary, first + b"\x02")


def _nonce(number: int) -> bytes:
    return bytes(4) + number.to_bytes(8, "little")


@dataclass(frozen=True, slots=True)
class Channel:
    """What is left of a handshake: its hash, and the key with which the client encrypts."""

    prefix: str
    key: bytes

    def verify(self, header: str) -> bool:
        """Whether an `X-SYNO-HASH` header was made by the client of this handshake."""
        sealed, _, number = header[_HASH_PREFIX:].partition(".")
        try:
            nonce = _nonce(int(decode(number)))
            opened = ChaCha20Poly1305(self.key).decrypt(nonce, decode(sealed), b"")
        except (ValueError, OverflowError, InvalidTag):
            return False
        return header[:_HASH_PREFIX] == self.prefix and not opened


class _Transcript:
    """The running hash and chaining key of one handshake."""

    def __init__(self, static: bytes) -> None:
        self.hash = _PROTOCOL.ljust(64, b"\x00")
        self.chain = self.hash
        self._key = b""
        self.mix_hash(b"")
        self.mix_hash(static)

    def mix_hash(self, part: bytes) -> None:
        self.hash = hashlib.blake2b(self.hash + part).digest()

    def mix_key(self, private: X25519PrivateKey, public: bytes) -> None:
        shared = private.exchange(X25519PublicKey.from_public_bytes(public))
        self.chain, key = _derive(self.chain, shared)
        self._key = key[:_KEY]

    # Each message of this pattern mixes a new key before it encrypts: the number is always 0.
    def open(self, sealed: bytes) -> bytes:
        plain = ChaCha20Poly1305(self._key).decrypt(_nonce(0), sealed, self.hash)
        self.mix_hash(sealed)
        return plain

    def seal(self, plain: bytes) -> bytes:
        sealed = ChaCha20Poly1305(self._key).encrypt(_nonce(0), plain, self.hash)
        self.mix_hash(sealed)
        return sealed


@dataclass(frozen=True, slots=True)
class Responder:
    """The NAS's static key."""

    private: X25519PrivateKey
    public: bytes

    @classmethod
    def create(cls) -> Responder:
        """Make a responder with a new key."""
        private = X25519PrivateKey.generate()
        return cls(private, private.public_key().public_bytes_raw())

    def answer(self, message: str) -> tuple[str, Channel]:
        """Return the answering `ik_message` and the channel; refuse a broken one with 120."""
        try:
            return self._answer(decode(message))
        except (ValueError, InvalidTag) as exc:
            raise DsmError(Common.BAD_PARAMETER) from exc

    def _answer(self, message: bytes) -> tuple[str, Channel]:
        transcript = _Transcript(self.public)
        ephemeral, sealed_static = message[:_KEY], message[_KEY : _KEY + _SEALED_KEY]
        transcript.mix_hash(ephemeral)
        transcript.mix_key(self.private, ephemeral)
        static = transcript.open(sealed_static)
        transcript.mix_key(self.private, static)
        transcript.open(message[_KEY + _SEALED_KEY :])
        own = X25519PrivateKey.generate()
        public = own.public_key().public_bytes_raw()
        transcript.mix_hash(public)
        transcript.mix_key(own, ephemeral)
        transcript.mix_key(own, static)
        sealed = transcript.seal(b"")
        key, _ = _derive(transcript.chain, b"")
        channel = Channel(encode(transcript.hash)[:_HASH_PREFIX], key[:_KEY])
        return encode(public + sealed), channel
