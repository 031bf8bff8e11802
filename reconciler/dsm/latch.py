"""The credential latch: a refused sign-in is not tried again, so that DSM never blocks us (P18).

A small file remembers, for each unit, the code and a salted digest of the credential that was
refused; another credential lifts the latch by itself. The file also holds the window of the last
one-time code sent, since DSM refuses a code that it has seen.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.dsm.errors import credential_error
from reconciler.errors import PermanentError

if TYPE_CHECKING:
    from reconciler.errors import CredentialError
    from reconciler.model import Instant

_FILE = "credential-latch.json"
_ONCE_A_DAY = frozenset({407, 411})
_SECOND_TIME = frozenset({404})
_DAY = 86_400
_WRONG = 400
_PATIENCE = 300
"""DSM's Auto Block was seen to count three refusals within five minutes; its figures vary."""


@dataclass(frozen=True, slots=True)
class Latch:
    """The latch of one unit, kept in a folder; `secret` is everything a sign-in depends on."""

    folder: Path
    unit: str
    secret: str

    def closed(self, now: Instant) -> CredentialError | None:
        """Return the error of a latched credential, None where a sign-in may be tried.

        404 latches at the second in a row; 407 and 411 are tried again once a day.
        """
        entry = self._read().get(self.unit)
        if entry is None or "code" not in entry or not self._same(entry):
            return None
        code = int(entry["code"])
        if code in _SECOND_TIME and int(entry["count"]) < 2:  # noqa: PLR2004  the second
            return None
        if code in _ONCE_A_DAY and now - int(entry["at"]) >= _DAY:
            return None
        return credential_error(self.unit, code)

    def refuse(self, code: int, now: Instant) -> None:
        """Remember a refusal, durably, before anything else is tried."""
        entries = self._read()
        before = entries.get(self.unit, {})
        again = before.get("code") == code and self._same(before)
        salt = secrets.token_hex(16)
        entries[self.unit] = {
            **{key: before[key] for key in ("window",) if key in before},
            "code": code,
            "count": int(before.get("count", 0)) + 1 if again else 1,
            "at": now,
            "salt": salt,
            "digest": _digest(self.secret, salt),
        }
        self._write(entries)

    def clear(self) -> None:
        """Forget a refusal, after a sign-in that worked."""
        entries = self._read()
        entry = entries.get(self.unit)
        if entry is None or "code" not in entry:
            return
        entries[self.unit] = {key: entry[key] for key in ("window",) if key in entry}
        self._write(entries)

    def lift(self, now: Instant) -> CredentialError | None:
        """Let a person try again who has mended something in DSM: forget the refusal.

        A wrong password is not sent again within five minutes, as DSM blocks an address after a
        few; its error is returned instead.
        """
        closed = self.closed(now)
        at = int(self._read().get(self.unit, {}).get("at", 0))
        if closed is not None and closed.code == _WRONG and 0 <= now - at < _PATIENCE:
            return credential_error(self.unit, _WRONG)
        self.clear()
        return None

    def code_window(self) -> int:
        """Return the window of the last one-time code sent, -1 where none was."""
        return int(self._read().get(self.unit, {}).get("window", -1))

    def code_sent(self, window: int) -> None:
        """Remember that the code of this window is used up, before it is sent."""
        entries = self._read()
        entries[self.unit] = {**entries.get(self.unit, {}), "window": window}
        self._write(entries)

    def _same(self, entry: dict[str, Any]) -> bool:
        known = str(entry.get("digest", ""))
        return hmac.compare_digest(known, _digest(self.secret, str(entry.get("salt", ""))))

    def _read(self) -> dict[str, dict[str, Any]]:
        path = self.folder / _FILE
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise _unusable(path) from error
        if not isinstance(found, dict) or not all(isinstance(e, dict) for e in found.values()):
            raise _unusable(path)
        return found

    def _write(self, entries: dict[str, dict[str, Any]]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=_FILE)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(entries, file, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.folder / _FILE)
        except OSError as error:
            raise _unusable(self.folder / _FILE) from error


def _digest(secret: str, salt: str) -> str:
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**12, r=8, p=1).hex()


def _unusable(path: Path) -> PermanentError:
    return PermanentError(
        f"{path} cannot be read or written, so a refused sign-in could be repeated",
        next_step="give the reconciler write access to the folder of `state`, or delete the file "
        "if it is damaged",
    )
