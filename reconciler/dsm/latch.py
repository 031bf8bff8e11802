"""The credential latch: a refused sign-in is not tried again, so that DSM never blocks us (P18).

A small file for each unit (several are read at once) remembers the code and a salted digest of the
credential that was refused; another credential lifts the latch by itself. The file also holds the
window of the last one-time code sent, since DSM refuses a code that it has seen.
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

_FILE = "credential-latch.{}.json"
_ONCE_A_DAY = frozenset({407, 411})
_SECOND_TIME = frozenset({404})
_DAY = 86_400


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

    @property
    def _path(self) -> Path:
        return self.folder / _FILE.format(self.unit)

    def _read(self) -> dict[str, Any]:
        path = self._path
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise _unusable(path) from error
        numbers = ("code", "count", "at", "window")
        if not isinstance(found, dict) or not all(type(found.get(n, 0)) is int for n in numbers):
            raise _unusable(path)
        return found

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=self._path.name)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(entry, file, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except OSError as error:
            raise _unusable(self._path) from error


def _window_of(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in ("window",) if key in entry}


def _digest(secret: str, salt: str) -> str:
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**12, r=8, p=1).hex()


def _unusable(path: Path) -> PermanentError:
    return PermanentError(
        f"{path} cannot be read or written, so a refused sign-in could be repeated",
        next_step="give the reconciler write access to the folder of `state`, or delete the file "
        "if it is damaged",
    )
