"""What the import is told of a NAS, and what it makes of each target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.builtin import OwnSchedule, OwnSettings
    from reconciler.model import Kind


@dataclass(frozen=True, slots=True)
class OwnReplication:
    """A replication plan of a target here; `schedule` is None where DSM did not show it."""

    plan_id: str
    to: str
    schedule: OwnSchedule | None


@dataclass(frozen=True, slots=True)
class FoundTarget:
    """One share or LUN as found. `scheduled` counts the snapshots that DSM's schedule made.

    Of those, `held` are locked by hand or held by an application, `immutable` immutable now, and
    `immutable_days` is the longest that one of them is immutable for. `left_alone` says why no
    policy is written (a destination, no snapshots possible, not readable), "" where one may be.
    """

    kind: Kind
    name: str
    uuid: str
    settings: OwnSettings | None
    scheduled: int = 0
    others: int = 0
    held: int = 0
    immutable: int = 0
    immutable_days: int = 0
    replications: tuple[OwnReplication, ...] = ()
    left_alone: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything the import needs of one NAS; `timezone` is IANA's name of the NAS's own zone."""

    nas: str
    timezone: str
    targets: tuple[FoundTarget, ...]


@dataclass(frozen=True, slots=True)
class KeepRules:
    """A `keep` that keeps at least what DSM's retention does.

    `rules` is None where nothing may be pruned: `instead` then is what could be written once a
    person has read `notes`. `word` names the retention in a few letters (`smart`, `latest-10`).
    """

    word: str
    rules: Mapping[str, str] | None
    notes: tuple[str, ...] = ()
    instead: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """One policy to be written: the targets that agree, and the lines that say it."""

    kind: Kind
    targets: tuple[FoundTarget, ...]
    keep: KeepRules
    notes: tuple[str, ...]
    later: tuple[str, ...]
