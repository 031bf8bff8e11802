"""No secret in a log (P17): whatever stands under a secret's name is blanked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_NAMES = frozenset(
    {
        "passwd", "password", "otp_code", "otp_secret", "otp_seed", "_sid", "sid", "id",
        "synotoken", "did", "device_id", "device_token", "cookie", "x-syno-token", "token",
        "authorization",
    }
)  # fmt: skip
_INLINE = re.compile(
    r"(?i)\b(passwd|otp_code|_sid|sid|synotoken|did|device_id|cookie|x-syno-token)"
    r"(\"?\s*[=:]\s*\"?)[^&\s\",;}]+"
)
_BLANK = "[redacted]"


def redact(logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank secrets in one structured event; a structlog processor."""
    del logger, name
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: str, value: Any) -> Any:
    if key.casefold() in _NAMES:
        return _BLANK
    if isinstance(value, str):
        return _INLINE.sub(rf"\1\2{_BLANK}", value)
    if isinstance(value, dict):
        return {inner: _clean(str(inner), held) for inner, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean("", held) for held in value]
    return value
