"""The audit trail of one pass over one unit: intent before each write, outcome after it (P14).

Each record is on disk before the call that made it returns, and is emitted as a structured log
event of the same content.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from reconciler.planning.document import parameters, seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model import Instant, Kind, Snapshot
    from reconciler.planning.plan import Action, Change, TargetPlan, UnitPlan
    from reconciler.trail import Record


@dataclass(frozen=True, slots=True)
class Who:
    """On whose behalf something is done: `kind` is `command line` or `daemon`, `name` who or where.

    `commit` and `author` are of the policies, "" where they come from no repository.
    """

    kind: str
    name: str
    commit: str = ""
    author: str = ""


class Audit:
    """Writes one pass's records; `store` and `clock` are handed in."""

    def __init__(
        self,
        store: Keeper,
        clock: Ticking,
        *,
        nas: str,
        serial: str,
        run: str,
        who: Who,
        revision: str,
        plan: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._nas = nas
        self._common = {
            "serial": serial,
            "run": run,
            "who": {"kind": who.kind, "name": who.name},
            "policies": {"revision": revision, "commit": who.commit, "author": who.author},
            "plan": plan,
        }

    def intend(
        self, target: TargetPlan, changes: Sequence[tuple[Action, Change]]
    ) -> tuple[int, ...]:
        """Record what is about to be sent; return the numbers of the records, in order.

        Each pair is the permitted action, whose reasons count, and the change as it is sent.
        """
        fields = [
            {
                "event": "intent",
                "policy": target.policy,
                "target": _target(target.kind, target.uuid, target.name),
                "verb": action.verb,
                "snapshot": _key(change),
                "parameters": parameters(change),
                "reasons": [why.text for why in action.reasons],
                "before": _before(change),
            }
            for action, change in changes
        ]
        return tuple(int(record.body["number"]) for record in self._append(fields))

    def ended(
        self,
        target: TargetPlan,
        ends: Sequence[Ended],
    ) -> None:
        """Record how what was intended ended, as the NAS showed it afterwards."""
        self._append(
            [
                {
                    "event": "outcome",
                    "intent": end.intent,
                    "policy": target.policy,
                    "target": _target(target.kind, target.uuid, target.name),
                    "verb": end.verb,
                    "snapshot": end.snapshot,
                    "result": end.result,
                    "answer": end.answer,
                    "after": seen(end.after) if end.after is not None else None,
                }
                for end in ends
            ]
        )

    def note(self, event: str, **fields: Any) -> Record:
        """Record something about the unit as a whole: what stops deletions, an order, a refusal."""
        (record,) = self._append([{"event": event, **fields}])
        return record

    def stopped(self, plan: UnitPlan, digest: str) -> None:
        """Record which deletions wait on a unit and for what, where that changed since last time.

        `digest` is of the list of what waits, whatever stops it.
        """
        waits: dict[str, int] = {}
        for action in plan.actions:
            if action.stopped_by is not None:
                waits[str(action.stopped_by)] = waits.get(str(action.stopped_by), 0) + 1
        self.note("stopped", digest=digest, waiting=waits)

    def _append(self, fields: Sequence[Mapping[str, Any]]) -> Sequence[Record]:
        records = self._store.append(
            self._nas, [{**self._common, **one} for one in fields], int(self._clock.time())
        )
        for record in records:
            body = record.body
            event = body.pop("event")
            name = f"{body['verb']}.{event}" if body.get("verb") else f"audit.{event}"
            structlog.get_logger().info(name, **body)
        return records


@dataclass(frozen=True, slots=True)
class Ended:
    """How one intent ended; `after` is the snapshot as listed afterwards, None where it is gone."""

    intent: int
    verb: str
    snapshot: str
    result: str
    answer: str = ""
    after: Snapshot | None = None


class Keeper(Protocol):
    """Where records are kept, durably."""

    def append(
        self, nas: str, fields: Sequence[Mapping[str, Any]], at: Instant
    ) -> Sequence[Record]:
        """Seal records onto a unit's trail."""


class Ticking(Protocol):
    """The reconciler's own clock."""

    def time(self) -> float:
        """Return seconds since 1970-01-01T00:00Z."""


def _target(kind: Kind, uuid: str, name: str) -> dict[str, str]:
    return {"kind": str(kind), "uuid": uuid, "name": name}


def _key(change: Change) -> str:
    snapshot = getattr(change, "snapshot", None)
    return snapshot.key if snapshot is not None else ""


def _before(change: Change) -> dict[str, Any] | None:
    snapshot = getattr(change, "snapshot", None)
    return seen(snapshot) if snapshot is not None else None
