"""What a policy comes to over a stretch of time: every snapshot's life, and counts pass by pass."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from reconciler.calendar import period_span
from reconciler.duration import DAY
from reconciler.forward.rules import LAG, Pass, Present
from reconciler.forward.run import run
from reconciler.forward.steady import unbounded
from reconciler.retention import Keep, newest_hour, select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.forward.rules import Outage, Rules
    from reconciler.model import Instant, Seconds

BEFORE: Seconds = 400 * DAY
"""So long a synthetic history has run the same policy when the forecast begins."""


@dataclass(frozen=True, slots=True)
class Life:
    """One snapshot: when it was taken, until when immutable (0 never), when it went (None not)."""

    taken: Instant
    immutable_until: Instant
    gone: Instant | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """A run from `start` to `end`; `lives` are of all that was there at any time, oldest first.

    `missed` are the due times for which nothing was taken. `kept_by` says for each rule which
    snapshots it keeps at the end.
    """

    rules: Rules
    start: Instant
    end: Instant
    outages: tuple[Outage, ...]
    lives: tuple[Life, ...]
    passes: tuple[Pass, ...]
    missed: tuple[Instant, ...]
    kept_by: Mapping[str, tuple[Instant, ...]]

    @property
    def left(self) -> tuple[Life, ...]:
        """What is there at the end."""
        return tuple(life for life in self.lives if life.gone is None)

    @property
    def began_with(self) -> int:
        """How many were there at the start."""
        return sum(life.taken < self.start for life in self.lives)

    @property
    def held(self) -> tuple[int, int]:
        """The lowest and the highest number held after a pass."""
        return _bounds([one.held for one in self.passes])

    @property
    def immutable(self) -> tuple[int, int]:
        """The lowest and the highest number immutable after a pass."""
        return _bounds([one.immutable for one in self.passes])

    def late(self, rpo: Seconds | None) -> tuple[tuple[Instant, Instant], ...]:
        """Return the spans in which the newest was older than `rpo`."""
        if rpo is None:
            return ()
        times = [life.taken for life in self.lives]
        borders = [*times, self.end]
        spans = [(time + rpo, after) for time, after in zip(times, borders[1:], strict=True)]
        return tuple((max(a, self.start), b) for a, b in spans if max(a, self.start) < b)


def _bounds(numbers: Sequence[int]) -> tuple[int, int]:
    return (min(numbers), max(numbers)) if numbers else (0, 0)


def forecast(
    rules: Rules,
    *,
    start: Instant,
    length: Seconds,
    outages: Sequence[Outage] = (),
    present: Sequence[Present] | None = None,
) -> Forecast:
    """Run a policy forward from `start`.

    Without `present` on the history it would have left itself in the `BEFORE` until then; with
    nothing that bounds it, on an empty target.
    """
    end = start + length
    members = history(rules, start) if present is None else present
    passes = tuple(run(rules, members, now=start, until=end, outages=outages))
    lives = _lives(members, passes)
    served = {one.due for one in passes if one.taken is not None}
    dues: Sequence[Instant] = ()
    if rules.cadence is not None:
        after = rules.cadence.after(start, rules.zone)
        dues = tuple(takewhile(lambda due: due + LAG <= end, after))
    missed = tuple(due for due in dues if due not in served)
    left = [life.taken for life in lives if life.gone is None]
    return Forecast(rules, start, end, tuple(outages), lives, passes, missed, _kept_by(rules, left))


def history(rules: Rules, now: Instant) -> tuple[Present, ...]:
    """Return what a target holds at `now` after passes at all due times of the `BEFORE` until then.

    Nothing has to be run for it: what the rules keep of all due times is what they left of them,
    since nothing they let go comes back.
    """
    cadence, keep = rules.cadence, rules.keep
    if cadence is None or keep is None or unbounded(rules):
        return ()
    after = cadence.after(now - BEFORE, rules.zone)
    times = [due + LAG for due in takewhile(lambda due: due + LAG <= now, after)]
    kept = select(
        times, keep, pick=rules.pick, zone=rules.zone, within_at_least=rules.within_at_least
    )
    ends = _immutable_ends(rules, times)
    there = {*kept.reasons, *range(newest_hour(times), len(times))}
    there.update(n for n, end in ends.items() if end > now)
    for position in range(len(times) - 1, -1, -1):
        if len(there) >= rules.min_keep:
            break
        there.add(position)
    return tuple(
        Present(times[n], met=times[n] - LAG, immutable_until=ends.get(n, 0)) for n in sorted(there)
    )


def _immutable_ends(rules: Rules, times: Sequence[Instant]) -> dict[int, Instant]:
    """Return until when each snapshot of the longest immutability's reach is immutable."""
    if not rules.immutable_days or not times:
        return {}
    length = rules.immutable_days * DAY + rules.immutable_lag
    ends: dict[int, Instant] = {}
    border = -1
    for n in range(bisect_left(times, times[-1] - 2 * length), len(times)):
        if rules.immutable_of is None:
            ends[n] = times[n] + length
        elif times[n] >= border:
            begin, border = period_span(rules.immutable_of, times[n], rules.zone)
            if n == 0 or times[n - 1] < begin:
                ends[n] = times[n] + length
    return ends


def _lives(members: Sequence[Present], passes: Sequence[Pass]) -> tuple[Life, ...]:
    ends = {id(member): one.due for one in passes for member in one.gone}
    there = [*members, *(one.taken for one in passes if one.taken is not None)]
    lives = (Life(m.time, m.immutable_until, ends.get(id(m))) for m in there)
    return tuple(sorted(lives, key=lambda life: life.taken))


def _kept_by(rules: Rules, times: Sequence[Instant]) -> dict[str, tuple[Instant, ...]]:
    kept = select(
        times,
        rules.keep or Keep(),
        pick=rules.pick,
        zone=rules.zone,
        within_at_least=rules.within_at_least,
    )
    found: dict[str, list[Instant]] = {}
    for position, reasons in kept.reasons.items():
        for reason in reasons:
            found.setdefault(reason.rule, []).append(times[position])
    return {rule: tuple(sorted(stands)) for rule, stands in found.items()}
