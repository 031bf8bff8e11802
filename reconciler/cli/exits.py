"""Exit codes, and which of several counts."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Exit(IntEnum):
    """The exit codes that scripts see."""

    DONE = 0
    FAILED = 1
    NOT_EMPTY = 2
    WAITING = 3
    INVALID = 4
    STALE = 5
    NOT_AS_PROMISED = 6
    USAGE = 64
    BUSY = 75


_ORDER = (
    Exit.USAGE,
    Exit.INVALID,
    Exit.STALE,
    Exit.FAILED,
    Exit.BUSY,
    Exit.WAITING,
    Exit.NOT_AS_PROMISED,
    Exit.NOT_EMPTY,
)


def worst(codes: Iterable[Exit]) -> Exit:
    """Return the code that counts of several; DONE where there is none."""
    found = set(codes)
    return next((code for code in _ORDER if code in found), Exit.DONE)
