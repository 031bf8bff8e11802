"""What a person should know about a target, apart from its actions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.model import Finding, Kind, Severity
from reconciler.planning import belongs, locks
from reconciler.planning.reading import mixed_names
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.model import ObservedTarget
    from reconciler.planning.reading import Reading
    from reconciler.policy.model import Hold

_RETENTION_PATH = "Snapshot Replication > Snapshots > {name} > Settings > Retention"
_SCHEDULE_PATH = "Snapshot Replication > Snapshots > {name} > Settings > Schedule"


def of_target(reading: Reading, *, blocked: str) -> tuple[Finding, ...]:
    """Collect the findings of one target that was read; `blocked` is why none can be taken."""
    return (
        *_blocked(blocked),
        *_pruners(reading),
        *_odd_snapshots(reading),
        *_duplicates(reading),
        *_unlocked_luns(reading),
        *_replica(reading),
    )


def immutable_room(pinned: int, limit: int) -> Finding:
    """Say that the coming snapshot is made without immutability, for want of room (P19)."""
    return Finding(
        "immutable-room",
        Severity.ERROR,
        f"{pinned} of {limit} snapshots are immutable; one more would leave less than a tenth of "
        "the limit for deletable ones, so the next is made without immutability",
        next_step="shorten `immutable`, or pin only the first of each day: "
        "immutable: {for: …, of: daily}",
    )


def _blocked(blocked: str) -> Iterator[Finding]:
    if blocked:
        yield Finding(
            "blocked",
            Severity.ERROR,
            f"no snapshot can be taken: {blocked}, and no victim may go first",
            next_step="delete snapshots in DSM, or lower what `keep` asks for",
        )


def _pruners(reading: Reading) -> Iterator[Finding]:
    target, policy = reading.target, reading.desired.policy
    built_in = target.built_in
    if built_in is None:
        yield from _pruner_unknown(reading)
        return
    if built_in.retention.prunes:
        ours = locks.never_unlocked(
            [s for s in reading.standings if s.managed], reading.situation.installation
        )
        yield Finding(
            "two-pruners",
            Severity.WARNING,
            f"DSM's own retention is on ({built_in.retention_text})"
            + (f"; {ours}" if ours else ""),
            next_step=f"switch it off in DSM: {_RETENTION_PATH.format(name=target.name)}",
        )
        yield from unbound_holds(target, reading.desired.holds)
    if built_in.schedule and policy.cadence is not None:
        yield Finding(
            "two-schedules",
            Severity.WARNING,
            "DSM's own snapshot schedule is on beside this policy's"
            + (f" ({built_in.schedule_text})" if built_in.schedule_text else ""),
            next_step=f"switch it off in DSM: {_SCHEDULE_PATH.format(name=target.name)}",
        )


def unbound_holds(target: ObservedTarget, holds: Iterable[Hold]) -> Iterator[Finding]:
    """Say of each hold that DSM's own retention, where it is on, is not bound by it."""
    if target.built_in is None or not target.built_in.retention.prunes:
        return
    for hold in holds:
        yield Finding(
            "hold-and-retention",
            Severity.ERROR,
            f"hold {hold.name} does not bind DSM, whose own retention is on here",
            next_step=f"switch it off in DSM: {_RETENTION_PATH.format(name=target.name)}",
        )


def _pruner_unknown(reading: Reading) -> Iterator[Finding]:
    """Say why locks of ours stay where nobody knows whether DSM prunes beside us."""
    left = locks.left_locked(reading)
    if left:
        yield Finding(
            "retention-unknown",
            Severity.WARNING,
            f"DSM did not say whether its own retention is on; {counted(left, 'lock')} of ours "
            "left as they are until it does",
            next_step="the next pass asks again; see whether the account is an administrator's",
        )


def _odd_snapshots(reading: Reading) -> Iterator[Finding]:
    standings, installation = reading.standings, reading.situation.installation
    undated = [s.snapshot.name for s in standings if s.snapshot.time is None]
    future = [s.snapshot.name for s in standings if s.snapshot.time is not None and not s.dated]
    strange = sum(belongs.foreign(s.snapshot, installation) for s in standings)
    if undated:
        yield Finding(
            "undated",
            Severity.WARNING,
            f"{counted(len(undated), 'snapshot')} with a name that is no time, kept: {undated[0]}",
        )
    if future:
        yield Finding(
            "future",
            Severity.WARNING,
            f"{counted(len(future), 'snapshot')} dated in the future, kept: {future[0]}",
            next_step="check the clock of the NAS and of whoever replicates to it",
        )
    if strange:
        yield Finding(
            "foreign-mark",
            Severity.WARNING,
            f"{counted(strange, 'snapshot')} marked by another installation, kept",
            next_step="check `installation` in reconciler.yaml",
        )
    if mixed_names(reading.target, reading.situation):
        yield Finding(
            "mixed-names",
            Severity.WARNING,
            "names with and without an offset stand side by side, so nothing is deleted",
            next_step="delete those of one form in DSM when they are no longer needed",
        )


def _duplicates(reading: Reading) -> Iterator[Finding]:
    dues = Counter(
        s.snapshot.mark.due
        for s in reading.standings
        if s.managed and s.snapshot.mark is not None and s.snapshot.mark.due is not None
    )
    twice = sum(1 for number in dues.values() if number > 1)
    if twice:
        yield Finding(
            "duplicate-due",
            Severity.WARNING,
            f"{counted(twice, 'due time')} with more than one snapshot",
            next_step="make sure that one reconciler alone, with one state, runs this NAS",
        )


def _unlocked_luns(reading: Reading) -> Iterator[Finding]:
    policy = reading.desired.policy
    if reading.target.kind is not Kind.LUN or not policy.locks_all:
        return
    older = sum(s.usable and not s.snapshot.locked for s in reading.standings)
    if older:
        yield Finding(
            "lun-unlocked",
            Severity.NOTE,
            f"{counted(older, 'snapshot')} made before `lock: all` stay unlocked: DSM has no known "
            "call that locks a LUN snapshot",
        )


def _replica(reading: Reading) -> Iterator[Finding]:
    for synced in reading.synced:
        if not synced.identified:
            yield Finding(
                "replica-unidentified",
                Severity.WARNING,
                f"the snapshot that {synced.plan.destination_host or 'the destination'} has "
                "cannot be told among those here, so no deletion runs without approval",
            )
