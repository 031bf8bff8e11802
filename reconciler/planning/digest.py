"""Digests: of a plan document, and of the deletions that wait for a person's approval."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.planning.plan import Delete, Stop

if TYPE_CHECKING:
    from reconciler.planning.plan import Action, UnitPlan

_SHOWN = 8

CAUSES: dict[Stop, str] = {
    Stop.PLANS_GONE: "guard",
    Stop.CLOCK_JUMP: "guard",
    Stop.NEW_STATE: "guard",
    Stop.REPLICA_UNIDENTIFIED: "guard",
    Stop.UNMARKED: "unmarked",
    Stop.SCHEDULED: "first time",
    Stop.OTHER_POLICY: "other policy's mark",
    Stop.BRAKE_TARGET: "brake",
    Stop.BRAKE_UNIT: "brake",
    Stop.BRAKE_DAY: "brake",
}
"""Why deletions wait for approval, in the plan document's words: one for each approvable stop."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The deletions of one unit that an approval can release; `causes` are sorted and unique."""

    digest: str
    count: int
    causes: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The digest as it is printed: its first eight characters."""
        return self.digest[:_SHOWN]


def of(value: Any) -> str:
    """Return the SHA-256 of a JSON value in its canonical form: sorted keys, no spaces, ASCII."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def waiting(unit: UnitPlan) -> Waiting | None:
    """Return what waits on a unit for approval, None where nothing does.

    The digest is of the sorted list (serial, target uuid, snapshot name or uuid) and nothing else.
    A deletion whose stop is mended, not approved, is no part of it.
    """
    serial = unit.identity.serial if unit.identity is not None else ""
    found = [
        ([serial, target.uuid, action.change.snapshot.key], CAUSES[action.stopped_by])
        for target in unit.targets
        for action in target.actions
        if isinstance(action.change, Delete)
        and action.stopped_by is not None
        and action.stopped_by.approvable
    ]
    if not found:
        return None
    causes = tuple(sorted({cause for _, cause in found}))
    return Waiting(of(sorted(entry for entry, _ in found)), len(found), causes)


def of_actions(unit: UnitPlan) -> str:
    """Return the digest of a unit's planned actions: which verb on what, in their order."""
    return of(
        [
            [str(target.kind), target.uuid, action.verb, _object(action)]
            for target in unit.targets
            for action in target.actions
        ]
    )


def stopped(unit: UnitPlan) -> str:
    """Return the digest of everything that waits on a unit and of what stops it, "" for nothing."""
    found = sorted(
        [target.uuid, _object(action), str(action.stopped_by)]
        for target in unit.targets
        for action in target.actions
        if action.stopped_by is not None
    )
    return of(found) if found else ""


def _object(action: Action) -> str:
    return action.snapshot.key if action.snapshot is not None else ""
