"""A trail in memory and a lease that is never lost, for tests of what is written and recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.audit import Audit, Who
from reconciler.trail import Head, Record, seal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass
class Memory:
    """What the store is to a trail, without a database."""

    records: list[Record] = field(default_factory=list)

    def append(self, nas: str, fields: Sequence[Mapping[str, Any]], at: int) -> Sequence[Record]:
        """Seal records onto the end."""
        made: list[Record] = []
        for one in fields:
            last = self.records[-1] if self.records else None
            head = Head(nas, len(self.records), last.digest) if last else Head(nas)
            record = seal(head, {**one, "at": f"{at}"})
            self.records.append(record)
            made.append(record)
        return made

    def bodies(self, event: str = "") -> list[dict[str, Any]]:
        """Return the records' fields, of one event."""
        return [b for r in self.records if (b := r.body) and event in ("", b["event"])]


@dataclass
class Held:
    """A lease that is ours until a test takes it away."""

    ours: bool = True

    def held(self) -> bool:
        """Whether it is still ours."""
        return self.ours


def audit_in(memory: Memory, clock: Any, nas: str = "nas-1") -> Audit:
    """Return a trail that is kept in memory."""
    who = Who("command line", "test")
    return Audit(memory, clock, nas=nas, serial="S", run="r", who=who, revision="", plan="")
