"""Time-based one-time codes (RFC 6238: HMAC-SHA-1, 30 seconds, 6 digits), as DSM asks for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from reconciler.errors import PermanentError

STEP_SECONDS = 30
_DIGITS = 6


def one_time_code(seed: str, instant: int) -> str:
    """Return the code of a base32 seed at an instant of the NAS's clock."""
    try:
        padded = seed.replace(" ", "").upper()
        key = base64.b32decode(padded + "=" * (-len(padded) % 8))
    except (binascii.Error, ValueError):
        raise PermanentError(
            "`otp_secret` is no base32 seed",
            next_step="write the key that DSM shows beside the QR code, letters and digits 2 to 7",
        ) from None
    digest = hmac.new(key, (instant // STEP_SECONDS).to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"
