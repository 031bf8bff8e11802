"""Many reads in one request: `SYNO.Entry.Request`, with single calls where the NAS has it not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.dsm.api import COMPOUND, METHODS
from reconciler.dsm.errors import (
    SESSION_CODES,
    AnswerLost,
    FeatureAbsent,
    Rejected,
    SessionExpired,
    api_error,
)
from reconciler.errors import CredentialError, Refusal, TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.dsm.session import Session

BATCH = 50
"""How many members travel together; no limit of DSM's is known, its own pages send a few."""


@dataclass(frozen=True, slots=True)
class Call:
    """One read of a batch."""

    api: str
    method: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def many(session: Session, calls: Sequence[Call]) -> list[Any | TargetError]:
    """Make every call; return for each its `data`, or the error it met, in the same order.

    One member's error never loses the others. Raises only what concerns the whole unit.
    """
    found: list[Any | TargetError] = []
    for start in range(0, len(calls), BATCH):
        found.extend(_batch(session, calls[start : start + BATCH]))
    return found


def _batch(session: Session, calls: Sequence[Call]) -> list[Any | TargetError]:
    if len(calls) == 1 or not session.offers(COMPOUND):
        return [_single(session, call) for call in calls]
    for call in calls:
        if session.method(call.api, call.method).writes:
            raise Refusal(f"{call.api} {call.method} writes and never travels in a batch")
    refused = [_unoffered(session, call) for call in calls]
    asked = [call for call, error in zip(calls, refused, strict=True) if error is None]
    answered = iter(_asked(session, asked))
    return [error if error is not None else next(answered) for error in refused]


def _asked(session: Session, calls: Sequence[Call]) -> list[Any | TargetError]:
    if not calls:
        return []
    try:
        rows = _rows(session, calls)
        if any(_code(row) in SESSION_CODES for row in rows):
            session.sign_in_again()
            rows = _rows(session, calls)
    except (FeatureAbsent, Rejected):
        return _smaller(session, calls)
    return [_member(call, row) for call, row in zip(calls, rows, strict=True)]


def _smaller(session: Session, calls: Sequence[Call]) -> list[Any | TargetError]:
    """Ask again in two halves, or one by one where few are left: a limit is not documented."""
    half = len(calls) // 2
    if half <= 1:
        return [_single(session, call) for call in calls]
    return [*_asked(session, calls[:half]), *_asked(session, calls[half:])]


def _rows(session: Session, calls: Sequence[Call]) -> list[dict[str, Any]]:
    members = [
        {
            "api": call.api,
            "method": call.method,
            "version": session.version(call.api, call.method),
            **call.parameters,
        }
        for call in calls
    ]
    data = session.call(
        COMPOUND,
        "request",
        {"mode": "sequential", "stop_when_error": False, "compound": members},
    )
    rows = data.get("result") if isinstance(data, dict) else None
    if not isinstance(rows, list) or len(rows) != len(calls):
        raise Rejected("a batch of reads was answered in part")
    if not all(isinstance(row, dict) for row in rows):
        raise AnswerLost("a batch of reads was answered with something else")
    return rows


def _member(call: Call, row: Mapping[str, Any]) -> Any | TargetError:
    code = _code(row)
    if code == 0:
        return row.get("data")
    error = api_error(
        METHODS[call.api, call.method].family, code, where=f"{call.api} {call.method}"
    )
    return TargetError(str(error)) if isinstance(error, SessionExpired) else error


def _code(row: Mapping[str, Any]) -> int:
    """Return a member's error code, 0 for success, 100 where it failed without one."""
    if row.get("success") is True:
        return 0
    error = row.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) and code else 100


def _single(session: Session, call: Call) -> Any | TargetError:
    try:
        return session.call(call.api, call.method, call.parameters)
    except CredentialError:
        raise
    except TargetError as error:
        return error


def _unoffered(session: Session, call: Call) -> TargetError | None:
    try:
        session.version(call.api, call.method)
    except FeatureAbsent as error:
        return error
    return None
