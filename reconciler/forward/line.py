"""The usable snapshots of a target in time order, and which of them just lost their last reason.

It says what `retention.select`, the newest hour, the protections and `min_keep` say together, but
looks only at what a step can change: one that leaves the newest (`last`, `within`, the hour), one
whose period is no longer among a rule's most recent, one whose protection ends. That is exact
because time only adds: a snapshot that no rule keeps any more is never kept by that rule again.
"""

from __future__ import annotations

from collections import OrderedDict
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from reconciler.calendar import period_span, period_start
from reconciler.duration import HOUR
from reconciler.retention import Keep, Pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.calendar import Period
    from reconciler.forward.rules import Present, Rules
    from reconciler.model import Instant

_NOTHING = Keep()


class Line:
    """A growing line of usable snapshots; each must not be older than the one before."""

    __slots__ = (
        "_at_least", "_ends", "_first", "_keep", "_loose", "_recent", "_ruled", "_rules",
        "_stands", "_there", "_times", "_until", "_young", "count", "members",
    )  # fmt: skip

    def __init__(self, rules: Rules, members: Sequence[Present] = ()) -> None:
        self._rules = rules
        self._keep = rules.keep or _NOTHING
        self._at_least = rules.within_at_least
        self.members: list[Present] = []
        self.count = 0
        self._times: list[Instant] = []
        self._there = bytearray()
        self._until: list[Instant] = []  # when its last protection ends
        self._ruled: list[int] = []  # how many period rules keep it
        self._ends: list[tuple[Instant, int]] = []  # a heap of protections
        self._loose: list[int] = []  # what just lost a reason, and what `min_keep` alone keeps
        self._recent = 0  # from this position on everything is among the newest
        self._young = [0, 0]  # the first position that `within`, and the newest hour, reach
        self._first = 0  # the oldest that is still there
        self._stands = [_Stands(self, period, n) for period, n in self._keep.periods]
        for member in members:
            self.add(member)

    @property
    def newest(self) -> Instant:
        """The time of the newest; -1 where there is none."""
        return self._times[-1] if self._times else -1

    @property
    def present(self) -> list[Present]:
        """Everything that is still there, oldest first."""
        return [m for m, there in zip(self.members, self._there, strict=True) if there]

    def add(self, member: Present) -> None:
        """Append one snapshot and let it stand for its periods."""
        position, time, until = len(self._times), member.time, member.stays_until
        self.members.append(member)
        self._times.append(time)
        self._there.append(1)
        self._until.append(until)
        self._ruled.append(0)
        self.count += 1
        if until:
            heappush(self._ends, (until, position))
        for stands in self._stands:
            if time >= stands.end:
                stands.turn(time, position)
            elif stands.latest:
                stands.replace(position)

    def settle(self, now: Instant) -> tuple[Present, ...]:
        """Take out and return what nothing keeps any more, oldest first."""
        if self._rules.keep is None or not self._times:
            return ()
        self._advance()
        ends, loose = self._ends, self._loose
        while ends and ends[0][0] <= now:
            loose.append(heappop(ends)[1])
        if not loose:
            return ()
        spare = [n for n in loose if self._unkept(n, now)]
        if len(spare) > 1:
            spare = sorted(set(spare))
        missing = self._rules.min_keep - (self.count - len(spare))
        cut = max(0, len(spare) - missing) if missing > 0 else len(spare)
        self._loose = spare[cut:]
        for position in spare[:cut]:
            self._there[position] = 0
        self.count -= cut
        return tuple(self.members[n] for n in spare[:cut])

    def _advance(self) -> None:
        """Move the border of the newest, and note who fell behind it."""
        times, young = self._times, self._young
        size = len(times)
        border = times[-1] - HOUR
        while times[young[1]] < border:
            young[1] += 1
        recent = min(young[1], max(0, size - self._keep.last))
        if self._keep.within:
            border = times[-1] - self._keep.within
            while times[young[0]] <= border:
                young[0] += 1
            recent = min(recent, young[0], max(0, size - self._at_least))
        ruled = self._ruled
        for position in range(self._recent, recent):
            if not ruled[position]:
                self._loose.append(position)
        self._recent = recent

    def _unkept(self, position: int, now: Instant) -> bool:
        if (
            not self._there[position]
            or position >= self._recent
            or self._ruled[position]
            or self._until[position] > now
        ):
            return False
        return not (self._rules.pick is Pick.LATEST and position == self._oldest() and self._open())

    def _open(self) -> bool:
        """Whether a rule with count left keeps the very oldest (restic's clause)."""
        return any(len(stands.chosen) < stands.count for stands in self._stands)

    def _oldest(self) -> int:
        while not self._there[self._first]:
            self._first += 1
        return self._first

    def gain(self, position: int) -> None:
        """Note that one more period rule keeps it."""
        self._ruled[position] += 1

    def lose(self, position: int) -> None:
        """Note that one period rule less keeps it."""
        self._ruled[position] -= 1
        if not self._ruled[position]:
            self._loose.append(position)

    def close(self) -> None:
        """Note that a rule has its count, so that the very oldest may have lost its reason."""
        self._loose.append(self._oldest())

    def oldest_of(self, period: Period, start: Instant, *, since: int) -> int:
        """Return the oldest that is still there of a period, or `since`: where dates come twice."""
        zone = self._rules.zone
        for position in range(since):
            there = self._there[position]
            if there and period_start(period, self._times[position], zone) == start:
                return position
        return since

    @property
    def rules(self) -> Rules:
        """The rules it follows."""
        return self._rules


class _Stands:
    """Which snapshot stands for each of a rule's most recent periods, the latest period last."""

    __slots__ = ("_line", "_period", "chosen", "count", "end", "latest")

    def __init__(self, line: Line, period: Period, count: int) -> None:
        self._line = line
        self._period = period
        self.count = count
        self.latest = line.rules.pick is Pick.LATEST
        self.chosen: OrderedDict[Instant, int] = OrderedDict()
        self.end: Instant = -1  # until then every instant is of the last period

    def turn(self, time: Instant, position: int) -> None:
        """Let a snapshot in that may be of another period than the one before."""
        start, self.end = period_span(self._period, time, self._line.rules.zone)
        if start in self.chosen:
            self.chosen.move_to_end(start)
            if self.latest:
                self.replace(position)
            return
        chosen = position
        if self.end == time + 1 and not self.latest:
            chosen = self._line.oldest_of(self._period, start, since=position)
        self.chosen[start] = chosen
        self._line.gain(chosen)
        if len(self.chosen) > self.count:
            self._line.lose(self.chosen.popitem(last=False)[1])
        if self.latest and len(self.chosen) == self.count:
            self._line.close()

    def replace(self, position: int) -> None:
        """Let a later snapshot stand for the last period (`pick: latest`)."""
        start, before = self.chosen.popitem()
        self._line.gain(position)
        self._line.lose(before)
        self.chosen[start] = position
