"""What became of a permit: one outcome for each action, verified by reading back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.planning.plan import Delete

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model import Finding, Kind, Observation
    from reconciler.planning.plan import Action


class Result(StrEnum):
    """How an action ended.

    DONE was seen on the NAS afterwards; SKIPPED was no longer wanted right before it; FAILED was
    not done, or cannot be told from not done.
    """

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """One action's end; `name` is the snapshot it made or touched, `detail` the fact for people."""

    action: Action
    result: Result
    detail: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class TargetOutcome:
    """The outcomes of one target, in the order in which its actions ran."""

    kind: Kind
    uuid: str
    name: str
    policy: str
    zone: str
    outcomes: tuple[ActionOutcome, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def label(self) -> str:
        """How a target is named on one NAS: `share/documents`."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class UnitOutcome:
    """What a pass did on one NAS; `problem` is set where it had to stop early.

    `observation` is the pass's last reading, None where nothing was applied.
    """

    nas: str
    targets: tuple[TargetOutcome, ...] = ()
    problem: str = ""
    next_step: str = ""
    observation: Observation | None = None

    @property
    def outcomes(self) -> tuple[ActionOutcome, ...]:
        """Every outcome of every target."""
        return tuple(outcome for target in self.targets for outcome in target.outcomes)

    @property
    def deleted(self) -> Mapping[tuple[Kind, str], frozenset[str]]:
        """The keys of the snapshots that this pass saw gone, by target."""
        return {
            (target.kind, target.uuid): frozenset(
                o.action.snapshot.key
                for o in target.outcomes
                if o.result is Result.DONE
                and isinstance(o.action.change, Delete)
                and o.action.snapshot is not None
            )
            for target in self.targets
        }

    @property
    def failed(self) -> bool:
        """Whether anything on this NAS failed."""
        return bool(self.problem) or any(o.result is Result.FAILED for o in self.outcomes)
