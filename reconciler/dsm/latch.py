"""The credential latch: a refused sign-in is not tried again, so that DSM never blocks us (P18).

An entry for each unit remembers the code and a salted digest of the credential that was refused;
another credential lifts the latch by itself. It also holds the window of the last one-time code
sent, since DSM refuses a code that it has seen.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from reconciler.dsm.errors import credential_error
from reconciler.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.errors import CredentialError
    from reconciler.model import Instant

_ONCE_A_DAY = frozenset({407, 411})
_SECOND_TIME = frozenset({404})
_NUMBERS = ("code", "count", "at", "window")
_DAY = 86_400


class Latches(Protocol):
    """Where latch entries outlive the process; what is set is durable when the call returns."""

    def latch(self, nas: str) -> Mapping[str, Any] | None:
        """Return a unit's entry, None where there is none."""

    def set_latch(self, nas: str, entry: Mapping[str, Any]) -> None:
        """Replace a unit's entry."""


@dataclass(frozen=True, slots=True)
class Latch:
    """The latch of one unit; `secret` is everything a sign-in depends on."""

    kept: Latches
    unit: str
    secret: str

    def closed(self, now: Instant) -> CredentialError | None:
        """Return the error of a latched credential, None where a sign-in may be tried.

        404 latches at the second in a row; 407 and 411 are tried again once a day.
        """
        entry = self._read()
        if "code" not in entry or not self._same(entry):
            return None
        code = int(entry["code"])
        if code in _SECOND_TIME and int(entry["count"]) < 2:  # noqa: PLR2004  the second
            return None
        if code in _ONCE_A_DAY and now - int(entry["at"]) >= _DAY:
            return None
        return credential_error(self.unit, code)

    def refuse(self, code: int, now: Instant) -> None:
        """Remember a refusal, durably, before anything else is tried."""
        before = self._read()
        again = before.get("code") == code and self._same(before)
        salt = secrets.token_hex(16)
        self._write(
            {
                **_window_of(before),
                "code": code,
                "count": int(before.get("count", 0)) + 1 if again else 1,
                "at": now,
                "salt": salt,
                "digest": _digest(self.secret, salt),
            }
        )

    def clear(self) -> None:
        """Forget a refusal, after a sign-in that worked."""
        entry = self._read()
        if "code" in entry:
            self._write(_window_of(entry))

    def code_window(self) -> int:
        """Return the window of the last one-time code sent, -1 where none was."""
        return int(self._read().get("window", -1))

    def code_sent(self, window: int) -> None:
        """Remember that the code of this window is used up, before it is sent."""
        self._write({**self._read(), "window": window})

    def _same(self, entry: dict[str, Any]) -> bool:
        known = str(entry.get("digest", ""))
        return hmac.compare_digest(known, _digest(self.secret, str(entry.get("salt", ""))))

    def _read(self) -> dict[str, Any]:
        found = dict(self.kept.latch(self.unit) or {})
        if not all(type(found.get(number, 0)) is int for number in _NUMBERS):
            raise PermanentError(
                f"the credential latch of {self.unit} cannot be read, so a refused sign-in could "
                "be repeated",
                next_step=f"reconcile login {self.unit}",
            )
        return found

    def _write(self, entry: dict[str, Any]) -> None:
        self.kept.set_latch(self.unit, entry)


def _window_of(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in ("window",) if key in entry}


def _digest(secret: str, salt: str) -> str:
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**12, r=8, p=1).hex()
