"""Each snapshot's verdict with its reasons: the `keep` rules and the protections together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler import wording
from reconciler.calendar import Period
from reconciler.duration import render
from reconciler.planning.plan import SnapshotVerdict, Verdict, Why
from reconciler.planning.protection import Standing, protections
from reconciler.retention import ALL, Kept, Reason, newest_hour, select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model import Instant, ObservedTarget
    from reconciler.planning.protection import Synced
    from reconciler.planning.situation import Desired, Situation

_MOST_NAMED = 2


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts of one target, in the listing's order, and the standings behind them."""

    pairs: tuple[tuple[Standing, SnapshotVerdict], ...]
    reasons: Mapping[int, tuple[Why, ...]]

    @property
    def victims(self) -> tuple[Standing, ...]:
        """What no rule and no protection keeps, oldest first."""
        gone = [s for s, verdict in self.pairs if verdict.verdict is Verdict.DELETE]
        return tuple(sorted(gone, key=_order))

    @property
    def staying(self) -> tuple[Standing, ...]:
        """Everything else, newest first, what has no time last."""
        left = [s for s, verdict in self.pairs if verdict.verdict is Verdict.KEEP]
        return tuple(sorted(left, key=_order, reverse=True))


def judge(
    standings: Sequence[Standing],
    target: ObservedTarget,
    desired: Desired,
    *,
    situation: Situation,
    synced: Sequence[Synced],
    coming: bool,
) -> Judged:
    """Run the rules over the usable snapshots in time order, then add what is always kept.

    `coming` counts the coming creation as existing, taken now. Without `keep` nothing goes.
    """
    usable = sorted((s for s in standings if s.usable), key=_order)
    protected = {
        id(s): protections(s, target, desired, situation=situation, synced=synced)
        for s in standings
    }
    line, place = _line(usable, situation.now if coming else None)
    ruled = _by_rules(line, place, desired)
    kept = {position for position in place.values() if position in ruled.reasons}
    kept |= {place[id(s)] for s in usable if protected[id(s)]}
    if coming:
        kept.add(place[0])
    _fill(kept, line, desired.policy.min_keep, ruled)
    pairs = tuple(
        (
            s,
            _verdict(
                s, place.get(id(s)), ruled=ruled, kept=kept, always=protected[id(s)],
                desired=desired,
            ),
        )
        for s in standings
    )  # fmt: skip
    return Judged(pairs, {id(s): verdict.reasons for s, verdict in pairs})


@dataclass(frozen=True, slots=True)
class _Ruled:
    """What the rules say by position; `reasons` grows by newest, hour and minimum."""

    kept: Kept | None
    reasons: dict[int, list[Why]]


def _order(standing: Standing) -> tuple[Instant, str]:
    snapshot = standing.snapshot
    return (snapshot.time if snapshot.time is not None else -1, snapshot.key)


def _line(
    usable: Sequence[Standing], coming: Instant | None
) -> tuple[list[Instant], dict[int, int]]:
    """Return all times ascending and each standing's position, the coming one's under 0.

    The coming creation follows what was taken in the same second.
    """
    times = [s.snapshot.time or 0 for s in usable]
    place = {id(s): position for position, s in enumerate(usable)}
    if coming is None:
        return times, place
    at = sum(time <= coming for time in times)
    place = {key: position + (position >= at) for key, position in place.items()}
    place[0] = at
    return [*times[:at], coming, *times[at:]], place


def _by_rules(line: list[Instant], place: dict[int, int], desired: Desired) -> _Ruled:
    policy = desired.policy
    ruled = _Ruled(None, {})
    if policy.keep is None:
        for position in place.values():
            ruled.reasons[position] = [Why("no-keep", "the policy has no `keep`: nothing goes")]
        return ruled
    at_least = (
        policy.cadence.most_in(policy.keep.within)
        if policy.cadence is not None and policy.keep.within
        else 0
    )
    kept = select(line, policy.keep, pick=policy.pick, zone=desired.zone, within_at_least=at_least)
    reasons = {
        position: [_rule_why(reason, desired) for reason in found]
        for position, found in kept.reasons.items()
    }
    border = newest_hour(line)
    for position in range(border, len(line)):
        newest = position == len(line) - 1
        why = (
            Why("newest", "the newest")
            if newest
            else Why("newest-hour", "within 1 h of the newest")
        )
        reasons.setdefault(position, []).insert(0, why)
    return _Ruled(kept, reasons)


def _fill(kept: set[int], line: list[Instant], min_keep: int, ruled: _Ruled) -> None:
    """Add the newest of what is left until `min_keep` usable snapshots stay."""
    for position in range(len(line) - 1, -1, -1):
        if len(kept) >= min_keep:
            return
        if position not in kept:
            kept.add(position)
            ruled.reasons.setdefault(position, []).append(
                Why("min-keep", f"never fewer than {min_keep}")
            )


def _verdict(
    standing: Standing,
    position: int | None,
    *,
    ruled: _Ruled,
    kept: set[int],
    always: tuple[Why, ...],
    desired: Desired,
) -> SnapshotVerdict:
    by_rules = tuple(ruled.reasons.get(position, ())) if position is not None else ()
    reasons = by_rules + always
    snapshot = standing.snapshot
    if reasons or position is None or position in kept or ruled.kept is None:
        not_before = snapshot.immutable_until if snapshot.immutable else None
        return SnapshotVerdict(snapshot, standing.managed, Verdict.KEEP, reasons, not_before)
    why = displaced(ruled.kept, position, desired)
    return SnapshotVerdict(snapshot, standing.managed, Verdict.DELETE, why, snapshot.time)


def _rule_why(reason: Reason, desired: Desired) -> Why:
    if reason.oldest:
        return Why(reason.rule, f"{reason.rule}: the oldest", reason.ordinal)
    if reason.rule == "within":
        return Why("within", f"within {render(reason.count)}", reason.ordinal)
    count = "all" if reason.count == ALL else str(reason.count)
    text = f"{reason.rule} {reason.ordinal}/{count}"
    if reason.period is not None:
        name = wording.period(Period(reason.rule), reason.period, desired.zone)
        text = f"{text} ({name})"
    return Why(reason.rule, text, reason.ordinal, reason.period)


def displaced(kept: Kept, position: int, desired: Desired) -> tuple[Why, ...]:
    """Say why no rule keeps a victim: what it lies beyond, and what stands for its periods.

    The first reason is the whole sentence for people; one for each rule follows.
    """
    zone = desired.zone
    beyond: list[str] = []
    stands: list[str] = []
    each: list[Why] = []
    for found in kept.displaced(position):
        count = render(found.count) if found.rule == "within" else str(found.count)
        if found.kept_by is None or found.period is None:
            beyond.append(f"beyond {found.rule} {count}")
            each.append(Why(found.rule, beyond[-1], period=found.period))
            continue
        rule = Period(found.rule)
        period = wording.period(rule, found.period, zone)
        by = wording.stands(rule, kept.times[found.kept_by], zone)
        verb = "is kept by" if not stands else "by"
        stands.append(f"{period} {verb} {by}")
        each.append(Why(found.rule, f"{period} is kept by {by}", period=found.period))
    parts = [*beyond[-1:], ", ".join(stands[:_MOST_NAMED])]
    sentence = Why("displaced", "; ".join(part for part in parts if part))
    return (sentence, *each)
