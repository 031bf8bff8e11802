"""DSM's error codes, by the family of calls that answers with them.

From 400 up a code means something else in each family: 403 is a missing one-time code to a
sign-in and a bad value to a share. Codes marked *assumed* were never seen on a NAS; a client
must not depend on them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Common(IntEnum):
    """Codes below 400: the same in every family."""

    UNKNOWN = 100
    BAD_REQUEST = 101
    NO_SUCH_API = 102
    NO_SUCH_METHOD = 103
    NO_SUCH_VERSION = 104
    NO_PERMISSION = 105
    SESSION_TIMEOUT = 106
    DUPLICATE_LOGIN = 107
    SYSTEM_BUSY = 117
    NO_SUCH_SESSION = 119
    BAD_PARAMETER = 120
    ADDRESS_CHANGED = 150


class Auth(IntEnum):
    """Answers to a sign-in."""

    WRONG_PASSWORD = 400
    DISABLED = 401
    DENIED = 402
    CODE_NEEDED = 403
    CODE_WRONG = 404
    BLOCKED = 407


class ShareCode(IntEnum):
    """Answers of shares and their snapshots."""

    NO_SUCH_SHARE = 402
    BAD_VALUE = 403
    GENERIC = 3300
    EXISTS = 3301
    NO_SUCH_VOLUME = 3304
    VOLUME_READ_ONLY = 3314
    NO_SPACE = 3320
    BUSY = 3328
    LIMIT = 3329
    PRESERVED = 3337
    ENCRYPTED = 3338
    IMMUTABLE = 3350


class LunCode(IntEnum):
    """Answers of LUNs and their snapshots."""

    NO_SPACE = 18990002
    BAD_TYPE = 18990500
    MISSING = 18990508
    DUPLICATE_NAME = 18990513
    NO_SUCH_LUN = 18990531
    NO_SUCH_SNAPSHOT = 18990532
    LOCKED = 18990540
    LIMIT = 18990543
    MALFORMED = 18990710


class ReplicationCode(IntEnum):
    """Answers of replication plans; all but `NO_PARAMETERS` are assumed."""

    NO_PARAMETERS = 1001
    NO_SUCH_PLAN = 510
    BUSY = 512
    NOT_MAIN_SITE = 513


class DsmError(Exception):
    """A refusal as DSM words it: a code, sometimes `errors`, sometimes extra headers.

    `errors` is an object, a list or a string on the wire, depending on the call.
    """

    def __init__(
        self,
        code: int,
        *,
        errors: Any = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(f"DSM error {int(code)}")
        self.code = int(code)
        self.errors = errors
        self.headers = headers
