"""Every error this package raises on purpose.

    ReconcilerError
    ├── UserError                 exit 4   what was written is invalid; nothing was contacted
    │   ├── InvalidDocuments               every finding of all files at once
    │   └── UsageError            exit 64  the command was called wrongly
    ├── Refusal                            the reconciler declines to act
    │   ├── StalePlan             exit 5
    │   └── Busy                  exit 75  another reconciler has the unit
    └── TargetError               exit 1   a NAS, or one thing on it, could not be read or written
        ├── TemporaryError                 may pass by itself; `retry_after` seconds where known
        │   └── AmbiguousWrite             a write was sent and its answer was lost
        ├── Interrupted                    the run was asked to stop before this was sent
        └── PermanentError                 somebody has to do something
            └── CredentialError            the NAS refused the sign-in: latched, never retried

A message states the fact, the number, the limit and, in `next_step`, what to do.
An error of this tree is shown without a traceback; any other one is a bug and is shown with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model import Finding


class ReconcilerError(Exception):
    """An error whose message is written for the person who runs the reconciler."""

    exit_code = 1

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


class UserError(ReconcilerError):
    """The configuration, a policy or a secret reference is not usable as written."""

    exit_code = 4


class InvalidDocuments(UserError):
    """One or more files are invalid; `findings` holds all of them, in file order."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = tuple(findings)


class UsageError(UserError):
    """The command line names something that does not exist or does not go together."""

    exit_code = 64


class Refusal(ReconcilerError):
    """The reconciler could act and declines to."""

    exit_code = 3


class StalePlan(Refusal):
    """A saved plan no longer describes the NAS or the policies; nothing was done."""

    exit_code = 5


class Busy(Refusal):
    """Another reconciler is at work on the unit."""

    exit_code = 75


class TargetError(ReconcilerError):
    """A NAS, or one share or LUN of it, could not be read or written."""


class TemporaryError(TargetError):
    """The cause may pass by itself; `retry_after` is in seconds, None where unknown."""

    def __init__(
        self, message: str, *, next_step: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, next_step=next_step)
        self.retry_after = retry_after


class AmbiguousWrite(TemporaryError):
    """A write left this machine and no answer came back: it may have been done."""


class Interrupted(TargetError):
    """The run was asked to stop before this was begun; the next pass does it."""


class PermanentError(TargetError):
    """The same call will fail again until somebody changes something."""


class CredentialError(PermanentError):
    """The NAS refused the sign-in with `code` (400 to 411); trying again could lock the account."""

    def __init__(self, message: str, *, code: int, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.code = code
