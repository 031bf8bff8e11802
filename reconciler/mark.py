"""The ownership mark: how the reconciler knows its own snapshots again.

A mark stands at the end of a snapshot's description: `[reconciler/<policy> <id>]`, with an
installation's name `[reconciler:<name>/<policy> <id>]`, and with ` lock` before the bracket closes
while the reconciler holds the lock. `<id>` is the due time in UTC (`20260301T1100Z`), `asked` and
a time for a snapshot taken on demand, or `adopted` on a snapshot somebody else made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model import Instant

_NAME = r"[a-z0-9][a-z0-9-]{0,62}"
_MARK = re.compile(
    rf"\[reconciler(?::(?P<installation>{_NAME}))?/(?P<policy>(?:hold:)?{_NAME})"
    r" (?:(?P<due>[0-9]{8}T[0-9]{4}Z)|asked (?P<asked>[0-9]{8}T[0-9]{4}Z)|(?P<adopted>adopted))"
    r"(?P<lock> lock)?\](?P<blank>\s*)\Z"
)
_TIME = "%Y%m%dT%H%MZ"


@dataclass(frozen=True, slots=True)
class Mark:
    """One ownership mark; `installation` is "" where it names none.

    Exactly one of `due`, `asked` and `adopted` is set.
    """

    policy: str
    installation: str = ""
    due: Instant | None = None
    asked: Instant | None = None
    adopted: bool = False
    lock: bool = False

    @property
    def identifier(self) -> str:
        """The part between the policy and the bracket, without the lock."""
        if self.due is not None:
            return due_identifier(self.due)
        if self.asked is not None:
            return f"asked {due_identifier(self.asked)}"
        return "adopted"

    def __str__(self) -> str:
        owner = f"reconciler:{self.installation}" if self.installation else "reconciler"
        return f"[{owner}/{self.policy} {self.identifier}{' lock' if self.lock else ''}]"


def due_identifier(due: Instant) -> str:
    """Write a due time as a mark's id, in UTC to the minute: `20260301T1100Z`."""
    moment = datetime.fromtimestamp(due, UTC)
    return f"{moment.year:04}{moment:%m%dT%H%MZ}"


def parse(description: str) -> Mark | None:
    """Read the mark at the end of a description; None where there is none that can be read."""
    if not description.rstrip().endswith("]"):
        return None
    found = _MARK.search(description)
    if found is None:
        return None
    try:
        due = _time(found["due"])
        asked = _time(found["asked"])
    except ValueError:
        return None
    return Mark(
        policy=found["policy"],
        installation=found["installation"] or "",
        due=due,
        asked=asked,
        adopted=found["adopted"] is not None,
        lock=found["lock"] is not None,
    )


def with_lock(description: str, *, lock: bool, adopter: Mark) -> str:
    """Return the description with its mark saying whether the reconciler holds the lock.

    Only the mark changes. Where there is none, `adopter` is appended for a lock; an adopted mark
    is taken off again with its lock, so that the description reads as its author left it.
    """
    found = _MARK.search(description)
    mark = parse(description)
    if found is None or mark is None:
        appended = f"{description} {adopter}" if description else str(adopter)
        return appended if lock else description
    before, after = description[: found.start()], found["blank"]
    if mark.adopted and not lock:
        return before.removesuffix(" ") + after
    return f"{before}{replace(mark, lock=lock)}{after}"


def _time(text: str | None) -> Instant | None:
    if text is None:
        return None
    return int(datetime.strptime(text, _TIME).replace(tzinfo=UTC).timestamp())
