"""A test case as values: one target at one moment, and what its plan is to look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from reconciler.inventory.model import Unit
    from reconciler.model import Finding, Instant, Observation, Place, Snapshot
    from reconciler.planning.plan import TargetPlan


@dataclass(frozen=True, slots=True)
class Creation:
    """What is expected of the creation; `due`, `immutable` and `locked` None are not asked.

    `immutable` is in days, 0 for none. `made` False expects that none is taken.
    """

    made: bool
    due: Instant | None = None
    immutable: int | None = None
    locked: bool | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """One key of `expect` with what stands there.

    A word (`state`, `policy`), a truth (`synced`), codes (`findings`), a `Creation`; where it
    speaks of snapshots their number, or the instants they were taken at.
    """

    key: str
    place: Place
    want: str | bool | int | tuple[str, ...] | frozenset[Instant] | Creation


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `observed` is a NAS that holds its one target; `zone` is that of its times."""

    name: str
    place: Place
    unit: Unit
    observed: Observation
    zone: ZoneInfo
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One snapshot of a difference: `which` names its fate (`kept`), `why` the reasons for it."""

    snapshot: Snapshot
    which: str
    why: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One expectation that is not met: the finding at its line, and the snapshots it is about."""

    finding: Finding
    snapshots: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case came to; without differences it passed."""

    case: Case
    planned: TargetPlan
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether the plan is as expected."""
        return not self.differences
