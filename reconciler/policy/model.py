"""Effective policies and holds: what a policy repository says once its layers are merged."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reconciler.retention import ALL, Keep, Pick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.calendar import Cadence, Period
    from reconciler.model import Finding, Instant, Kind, Place, Seconds

GLOB_CHARACTERS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One entry of a selector.

    `text` is the name or glob without a leading `!`. With `tag` set the entry is `tag=text` and
    speaks of the inventory's tags; with `by_uuid` it is `{uuid: text}`.
    """

    text: str
    place: Place
    negative: bool = False
    tag: str = ""
    by_uuid: bool = False

    @property
    def outright(self) -> bool:
        """Whether the entry names one thing outright: positive, no wildcard, not a tag."""
        return not self.negative and not self.tag and not GLOB_CHARACTERS.intersection(self.text)

    @property
    def written(self) -> str:
        """The entry as a person wrote it."""
        body = f"{self.tag}={self.text}" if self.tag else self.text
        return f"{{uuid: {body}}}" if self.by_uuid else f"{'!' if self.negative else ''}{body}"

    def covers(self, other: Pattern) -> bool:
        """Whether everything that `other` speaks of is spoken of here too, by the words alone."""
        if self.text == "*" and not self.tag:
            return True
        same_kind = self.tag == other.tag and self.by_uuid == other.by_uuid
        return same_kind and fnmatchcase(other.text.casefold(), self.text.casefold())

    def fits(
        self,
        name: str,
        *,
        uuid: str = "",
        tags: Mapping[str, str] | None = None,
        fold_case: bool = True,
    ) -> bool:
        """Whether the entry, its `!` left aside, speaks of this name, uuid or tags."""
        if self.by_uuid:
            return self.text.casefold() == uuid.casefold()
        if self.tag:
            value = (tags or {}).get(self.tag)
            return value is not None and fnmatchcase(value, self.text)
        if fold_case:
            return fnmatchcase(name.casefold(), self.text.casefold())
        return fnmatchcase(name, self.text)


@dataclass(frozen=True, slots=True)
class Selector:
    """A list of entries read in order: the last one that fits decides."""

    patterns: tuple[Pattern, ...]

    def decides(
        self,
        name: str,
        *,
        uuid: str = "",
        tags: Mapping[str, str] | None = None,
        fold_case: bool = True,
    ) -> Pattern | None:
        """Return the entry that selects this name, None where it is not selected."""
        for pattern in reversed(self.patterns):
            if pattern.fits(name, uuid=uuid, tags=tags, fold_case=fold_case):
                return None if pattern.negative else pattern
        return None


class Manage(StrEnum):
    """Which snapshots a policy may touch: its own kind, DSM's scheduled ones too, or every one."""

    OWN = "own"
    SCHEDULED = "scheduled"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Immutable:
    """Made immutable at creation for `days`; with `of` only the first of each such period."""

    days: int
    of: Period | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A daily span in minutes after midnight; `end` before `start` crosses midnight."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Replicate:
    """The cadence of a target's replication plan; at most one of `to` and `plan` is not empty."""

    cadence: Cadence
    to: str = ""
    plan: str = ""
    lock_synced: bool = False
    window: Window | None = None
    rpo: Seconds | None = None


@dataclass(frozen=True, slots=True)
class TargetBrakes:
    """How many deletions of one target may go in one pass: a count, and per cent of the managed."""

    max_deletes: int = 20
    max_delete_percent: int = 30


@dataclass(frozen=True, slots=True)
class Policy:
    """One effective policy.

    `timezone` is "" where the unit's own decides. `keep` None deletes nothing. `lock_newest` is
    `ALL` for `all`, 0 where absent. `rpo` and `replicate.rpo` are already defaulted; None is
    `none`. `suspended` is "" where it runs, else the reason ("by policy" for a bare `true`).
    `places` maps key paths as written (`keep.daily`, `nas`) to where the effective value stands.
    """

    name: str
    place: Place
    nas: Selector | None = None
    shares: Selector | None = None
    luns: Selector | None = None
    formerly: tuple[str, ...] = ()
    priority: int = 0
    cadence: Cadence | None = None
    consistency: str = "crash"
    keep: Keep | None = None
    pick: Pick = Pick.EARLIEST
    min_keep: int = 1
    lock_newest: int = 0
    immutable: Immutable | None = None
    replicate: Replicate | None = None
    rpo: Seconds | None = None
    manage: Manage = Manage.OWN
    brakes: TargetBrakes = field(default_factory=TargetBrakes)
    suspended: str = ""
    owner: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    timezone: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)

    def selector(self, kind: Kind) -> Selector | None:
        """Return the entries for this kind of target."""
        return self.shares if kind == "share" else self.luns

    @property
    def locks_all(self) -> bool:
        """Whether every usable snapshot that stays is to be locked."""
        return self.lock_newest == ALL


@dataclass(frozen=True, slots=True)
class Hold:
    """Snapshots that nobody's retention may take: all taken in [`taken_after`, `taken_before`).

    Either bound may be None (open). `lock` also sets DSM's own lock on what it covers.
    """

    name: str
    reason: str
    place: Place
    nas: Selector | None = None
    shares: Selector | None = None
    luns: Selector | None = None
    taken_after: Instant | None = None
    taken_before: Instant | None = None
    lock: bool = False
    review_on: Instant | None = None

    def selector(self, kind: Kind) -> Selector | None:
        """Return the entries for this kind of target."""
        return self.shares if kind == "share" else self.luns

    def covers(self, time: Instant) -> bool:
        """Whether a snapshot of this instant falls under the hold."""
        after = self.taken_after is None or time >= self.taken_after
        return after and (self.taken_before is None or time < self.taken_before)


@dataclass(frozen=True, slots=True)
class PolicySet:
    """A whole policy repository: `digest` is of the merged policies and holds, not of the bytes."""

    policies: tuple[Policy, ...]
    holds: tuple[Hold, ...] = ()
    findings: tuple[Finding, ...] = ()
    revision: str = ""
    digest: str = ""
