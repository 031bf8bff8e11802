"""Time-based one-time codes (RFC 6238: SHA-1, 30 seconds, six digits)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from typing import Final

STEP: Final = 30
_DIGITS: Final = 6


def one_time_code(seed: str, at: float) -> str:
    """Return the code of the base32 `seed` in the 30-second window of `at`."""
    key = base64.b32decode(seed.upper() + "=" * (-len(seed) % 8))
    # RFC 6238 authenticators use SHA-1.
    digest = hmac.new(key, struct.pack(">Q", int(at // STEP)), hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[start : start + 4])
    return str((number & 0x7FFFFFFF) % 10**_DIGITS).zfill(_DIGITS)
