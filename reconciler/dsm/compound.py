"""Many reads in one request: `SYNO.Entry.Request`, with single calls where the NAS has it not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.dsm.api import COMPOUND, METHODS
from reconciler.dsm.errors import (
    AnswerLost,
    FeatureAbsent,
    Rejected,
    Unavailable,
    lasting_error,
)
from reconciler.errors import CredentialError, Refusal, TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.dsm.session import Session

_PAUSES = (0.5, 2.0)
"""How long a busy member is waited for, each time."""


@dataclass(frozen=True, slots=True)
class Call:
    """One read of a batch."""

    api: str
    method: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def many(session: Session, calls: Sequence[Call]) -> list[Any | TargetError]:
    """Make every call; return for each its `data`, or the error it met, in the same order.

    One member's error never loses the others. Raises only what concerns the whole unit. Where the
    NAS does not take as many at once, fewer travel together from then on: no limit is documented.
    """
    found: list[Any | TargetError] = []
    while len(found) < len(calls):
        batch = calls[len(found) : len(found) + session.batch]
        try:
            found.extend(_batch(session, batch))
        except FeatureAbsent:
            session.batch = 1
        except Rejected:
            session.batch = max(1, len(batch) // 2)
    return found


def _batch(session: Session, calls: Sequence[Call]) -> list[Any | TargetError]:
    """Make some calls at once; raises FeatureAbsent or Rejected where that is refused as such."""
    if len(calls) == 1:
        return [_single(session, call) for call in calls]
    for call in calls:
        if session.method(call.api, call.method).writes:
            raise Refusal(f"{call.api} {call.method} writes and never travels in a batch")
    answers: list[Any | TargetError] = [_unoffered(session, call) for call in calls]
    _fill(session, calls, answers, [at for at, error in enumerate(answers) if error is None])
    for pause in _PAUSES:
        busy = [at for at, answer in enumerate(answers) if isinstance(answer, Unavailable)]
        if not busy:
            break
        session.pause(pause)
        _fill(session, calls, answers, busy)
    return answers


def _fill(
    session: Session, calls: Sequence[Call], answers: list[Any | TargetError], wanted: Sequence[int]
) -> None:
    """Ask for the wanted calls; sign in once where the session is gone, also inside a member."""
    asked = [calls[at] for at in wanted]
    if not asked:
        return
    rows = _rows(session, asked)
    codes = [
        code
        for call, row in zip(asked, rows, strict=True)
        if session.expired(call.api, call.method, code := _code(row))
    ]
    if codes:
        session.sign_in_again(codes[0])
        rows = _rows(session, asked)
    for at, call, row in zip(wanted, asked, rows, strict=True):
        if codes:
            session.still_denied(call.api, call.method, _code(row))
        answers[at] = _member(call, row)


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
    return lasting_error(
        METHODS[call.api, call.method].family, code, where=f"{call.api} {call.method}"
    )


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
