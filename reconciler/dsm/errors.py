"""DSM's error codes, one table for each family of APIs, and the errors they become.

    TemporaryError
    ├── NotSent            no connection was made: nothing was sent
    ├── AnswerLost         sent, and no usable answer came (reset, time-out, HTML, 5xx, garbage)
    ├── Incomplete         a listing that does not hold what it says it holds
    ├── SessionExpired     105, 106, 107, 119, 150 (signs in again once)
    └── Unavailable        busy, locked by another, unstable
    PermanentError
    ├── FeatureAbsent      no such API, method or version
    ├── NoRoom             a snapshot limit or the free space
    ├── Preserved          immutable, or preserved by the system
    ├── Gone               there is no such snapshot, share or LUN
    └── Denied, Rejected   rights; anything else (BadParameter: a key that this DSM has not)
    CredentialError        400 to 411 at a sign-in

From 400 up a code means something else in each family: a share's 403 is a bad value, a sign-in's
403 a missing one-time code.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.errors import CredentialError, PermanentError, TargetError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Family(StrEnum):
    """Which table a code from 400 up is read in."""

    COMMON = "common"
    AUTH = "auth"
    SHARE = "share"
    LUN = "lun"
    REPLICATION = "replication"


class NotSent(TemporaryError):
    """No connection could be made, so nothing was sent."""


class AnswerLost(TemporaryError):
    """The request was sent; no answer that DSM would give came back."""


class Incomplete(TemporaryError):
    """A listing is cut short, contradicts itself or cannot be read."""


class SessionExpired(TemporaryError):
    """The session is not valid (any more)."""


class Unavailable(TemporaryError):
    """The NAS or the share is busy."""


class FeatureAbsent(PermanentError):
    """The NAS does not offer the API, the method or the version."""


class NoRoom(PermanentError):
    """A snapshot limit or the free space stops a creation."""


class Preserved(PermanentError):
    """DSM refuses to delete: immutable, or preserved by the system."""


class Gone(PermanentError):
    """What the call names is not there."""


class Denied(PermanentError):
    """The account may not."""


class Rejected(PermanentError):
    """DSM refused for any other reason."""


class BadParameter(Rejected):
    """DSM does not know a parameter, mostly a key of `additional` (120, and its reserved 149)."""


_Row = tuple[type[TargetError], str, str]

_ADMIN = "make the account a member of DSM's administrators group; no smaller role may do this"
_BAD = "report this: the reconciler sent what this DSM does not understand"

_COMMON: Mapping[int, _Row] = {
    100: (Rejected, "unknown error", "see DSM's Log Center"),
    101: (Rejected, "a parameter, API or method is missing", _BAD),
    102: (FeatureAbsent, "no such API", "install the package that offers it, or update DSM"),
    103: (FeatureAbsent, "no such method", "update DSM"),
    104: (FeatureAbsent, "no such version", "update DSM"),
    105: (SessionExpired, "no permission", _ADMIN),
    106: (SessionExpired, "session timed out", "try again"),
    107: (
        SessionExpired,
        "session ended by another sign-in",
        "give the reconciler its own account",
    ),
    109: (Unavailable, "the system is busy", "try again"),
    110: (Unavailable, "the system is busy", "try again"),
    111: (Unavailable, "the system is busy", "try again"),
    114: (Rejected, "a required parameter is missing", _BAD),
    116: (Denied, "this is a demo site", ""),
    117: (Unavailable, "the system is busy", "try again"),
    118: (Unavailable, "the system is busy", "try again"),
    119: (SessionExpired, "session not found", "try again"),
    **dict.fromkeys(range(120, 150), (BadParameter, "a parameter is not accepted", _BAD)),
    150: (
        SessionExpired,
        "the session was opened from another address",
        "let the reconciler reach the NAS over one address: no second network card or changing NAT",
    ),
    160: (Denied, "the account may not use this application", _ADMIN),
}
_SHARE: Mapping[int, _Row] = {
    402: (Gone, "no such share", ""),
    403: (Rejected, "a value is not accepted", _BAD),
    404: (Denied, "the account has no rights on the share", _ADMIN),
    1500: (SessionExpired, "please sign in again", "try again"),
    3299: (SessionExpired, "please sign in again", "try again"),
    3300: (Rejected, "the share refused", "see DSM's Log Center"),
    3301: (Rejected, "it exists already", ""),
    3304: (Rejected, "its volume is not there", "see Storage Manager"),
    3313: (Rejected, "its volume is not there", "see Storage Manager"),
    3314: (Rejected, "its volume is read-only", "see Storage Manager"),
    3320: (NoRoom, "no space is left on the volume", "free space, or lower what `keep` asks for"),
    3328: (Unavailable, "the share is busy", "a backup or a move holds it; see DSM's Log Center"),
    3329: (NoRoom, "the most snapshots of a share or of the NAS are reached", "lower `keep`"),
    3330: (Unavailable, "the share is in use", "try again"),
    3332: (Unavailable, "a backup or restore of the share is running", "try again"),
    3335: (Rejected, "replication is not supported here", ""),
    3336: (Unavailable, "a replication of the share is running", "try again"),
    3337: (Preserved, "preserved by the system", ""),
    3338: (Rejected, "the share's encryption forbids it", "mount the share in DSM"),
    3341: (Rejected, "the share's quota is reached", "raise the quota"),
    3350: (Preserved, "immutable", ""),
}
_LUN: Mapping[int, _Row] = {
    18990002: (NoRoom, "no space is left for the LUN", "free space, or lower what `keep` asks for"),
    18990004: (Rejected, "no such object, or a bad parameter", ""),
    18990068: (Rejected, "the name is too long", _BAD),
    18990505: (Gone, "no such LUN", ""),
    18990508: (Rejected, "a parameter is missing", _BAD),
    18990513: (Rejected, "a snapshot of that name exists", ""),
    18990531: (Gone, "no such LUN", ""),
    18990532: (Gone, "no such snapshot", ""),
    18990540: (Preserved, "locked or preserved by the system", ""),
    18990543: (NoRoom, "the most snapshots of a LUN are reached", "lower what `keep` asks for"),
    18990710: (Rejected, "an id is malformed", _BAD),
}
_AUTH: Mapping[int, tuple[str, str]] = {
    400: (
        "no such account, or a wrong password",
        "check `account` and `password` in the inventory",
    ),
    401: ("the account is disabled", "enable it in DSM: Control Panel > User & Group"),
    402: (
        "the account may not sign in",
        "allow the account to use DSM: Control Panel > Privileges",
    ),
    403: ("a one-time code is asked for", "set `otp_secret` or `device_token` in the inventory"),
    404: (
        "the one-time code was wrong",
        "check `otp_secret`, and that the clock of the NAS is right",
    ),
    405: ("the application portal refused", "use the port of DSM itself, usually 5001"),
    406: ("DSM enforces two-factor sign-in", "set it up for the account, then set `otp_secret`"),
    407: (
        "this address is blocked",
        "take it off DSM's list: Control Panel > Security > Protection",
    ),
    408: ("the password has expired and cannot be changed", "give the account a new one in DSM"),
    409: ("the password has expired", "give the account a new one in DSM"),
    410: ("the password must be changed", "sign in once in a browser, or give it a new one"),
    411: ("the account is locked", "unlock it in DSM: Control Panel > User & Group"),
}
_FAMILIES: Mapping[Family, Mapping[int, _Row]] = {Family.SHARE: _SHARE, Family.LUN: _LUN}

NO_PERMISSION = 105
"""Rights, but also a stale session, a missing token or too old a sign-in."""

SESSION_CODES = frozenset(
    code for table in (_COMMON, _SHARE) for code, row in table.items() if row[0] is SessionExpired
)
CREDENTIAL_CODES = frozenset(_AUTH)


def api_error(family: Family, code: int, *, where: str) -> TargetError:
    """Return the error that a code of DSM's means; `where` names API and method."""
    row = _FAMILIES.get(family, {}).get(code) or _COMMON.get(code)
    if row is None:
        return Rejected(f"DSM refused with code {code}, which is not documented ({where})")
    kind, meaning, step = row
    return kind(f"{meaning} (DSM {code}, {where})", next_step=step)


def lasting_error(family: Family, code: int, *, where: str) -> TargetError:
    """Return the error of a code that a fresh sign-in did not cure: no session error any more.

    105 then means what it says, that the account may not.
    """
    error = api_error(family, code, where=where)
    if not isinstance(error, SessionExpired):
        return error
    kind = Denied if code == NO_PERMISSION else PermanentError
    return kind(str(error), next_step=error.next_step)


def meaning(family: Family, code: int) -> str:
    """Return a code in words, for a refusal that concerns one snapshot of several."""
    row = _FAMILIES.get(family, {}).get(code) or _COMMON.get(code)
    return f"{row[1] if row is not None else 'refused'} (DSM {code})"


def credential_error(name: str, code: int) -> CredentialError:
    """Return the error of a refused sign-in."""
    text, step = _AUTH[code]
    return CredentialError(f"{name} refused the sign-in: {text} (DSM {code})", code=code,
                           next_step=step)  # fmt: skip
