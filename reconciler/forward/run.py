"""Running a target forward: one pass at each due time, as planning would plan it.

A pass runs `LAG` seconds after each due time, its snapshot is taken then, and what nothing keeps
any more goes in the same pass. Without a cadence a pass runs whenever a protection ends. What
another program takes or deletes, brakes and approvals are left out: what may go, goes.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from reconciler.calendar import period_span
from reconciler.duration import DAY
from reconciler.forward.due import creation
from reconciler.forward.line import Line
from reconciler.forward.rules import LAG, Pass, Present

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.forward.rules import Outage, Rules
    from reconciler.model import Instant, Seconds

_ROOM = 10  # a tenth of the limit stays free for deletable snapshots (`immutable-room`)


def run(
    rules: Rules,
    present: Sequence[Present] = (),
    *,
    now: Instant,
    until: Instant,
    outages: Sequence[Outage] = (),
    lag: Seconds = LAG,
) -> Iterator[Pass]:
    """Yield the pass at `now` and one for each due time until `until`, in order.

    `present` are the target's snapshots, in any order. `lag` is shorter than any cadence.
    """
    course = Course(rules, present)
    yield course.at(now)
    if rules.cadence is None:
        yield from _without_cadence(course, present, now, until)
        return
    ends = sorted(
        {outage.end for outage in outages if now < outage.end and outage.start < outage.end}
    )
    for due in rules.cadence.after(now, rules.zone):
        if due > until:
            break
        while ends and ends[0] <= due:
            end = ends.pop(0)
            if not any(outage.covers(end) for outage in outages):
                yield course.at(end)
        if outages and any(outage.covers(due + lag) for outage in outages):
            continue
        if course.served < due:
            yield course.serve(due, due + lag)


def _without_cadence(
    course: Course, present: Sequence[Present], now: Instant, until: Instant
) -> Iterator[Pass]:
    moments = {member.stays_until for member in present}
    moments |= {member.usable_from for member in present if member.usable_from is not None}
    for moment in sorted(moment for moment in moments if now < moment <= until):
        yield course.at(moment)


class Course:
    """A target on its way: its snapshots, and the latest due time that was served."""

    __slots__ = (
        "_beside", "_coming", "_last_met", "_line", "_met", "_of_end", "_of_start", "_pinned",
        "_rules", "served",
    )  # fmt: skip

    def __init__(self, rules: Rules, present: Sequence[Present]) -> None:
        self._rules = rules
        self._beside = sum(member.usable_from is None for member in present)
        usable = [member for member in present if member.usable_from is not None]
        self._coming = sorted(usable, key=lambda m: (m.usable_from or 0, m.time, m.key))
        self._met = [(m.met, m.met_from) for m in present if m.met is not None]
        self._last_met = max((moment for moment, _ in self._met), default=-1)
        self._pinned = [m.immutable_until for m in present if m.immutable_until]
        heapify(self._pinned)
        self._line = Line(rules)
        self._of_start = self._of_end = -1
        self.served: Instant = -1

    @property
    def present(self) -> list[Present]:
        """The usable snapshots there are now, oldest first."""
        return self._line.present

    def at(self, now: Instant) -> Pass:
        """Run a pass at any moment: what is due then is made up, by the rule for that."""
        rules = self._rules
        if rules.cadence is None:
            return self._pass(now, now, wanted=False)
        met = [moment for moment, known in self._met if known <= now]
        due = creation(rules.cadence, met, now=now, zone=rules.zone)
        self.served = max(self.served, due.due)
        return self._pass(due.due if due.wanted else now, now, wanted=due.wanted)

    def serve(self, due: Instant, now: Instant) -> Pass:
        """Run the pass right after a due time."""
        self.served = due
        wanted = self._last_met < due or not any(
            moment >= due and known <= now for moment, known in self._met
        )
        return self._pass(due, now, wanted=wanted)

    def _pass(self, due: Instant, now: Instant, *, wanted: bool) -> Pass:
        if self._coming:
            self._let_in(now)
        while self._pinned and self._pinned[0] <= now:
            heappop(self._pinned)
        gone: tuple[Present, ...] = ()
        blocked = False
        limit = self._rules.limit
        if wanted and limit is not None and self._total >= limit:
            gone = self._line.settle(now)
            blocked = not gone
        taken = self._take(due, now) if wanted and not blocked else None
        gone += self._line.settle(now)
        held, immutable = self._line.count, len(self._pinned)
        return Pass(due, now, taken, gone, held, immutable, blocked)

    @property
    def _total(self) -> int:
        return self._line.count + self._beside + len(self._coming)

    def _let_in(self, now: Instant) -> None:
        """Let in what has become usable; what lay in the future may be older than others."""
        ready = 0
        while ready < len(self._coming) and (self._coming[ready].usable_from or 0) <= now:
            ready += 1
        if ready:
            members = sorted(
                [*self._line.present, *self._coming[:ready]], key=lambda m: (m.time, m.key)
            )
            self._line = Line(self._rules, members)
            del self._coming[:ready]

    def _take(self, due: Instant, now: Instant) -> Present:
        days = self._immutable_days(now)
        end = now + self._rules.immutable_lag + days * DAY if days else 0
        if end:
            heappush(self._pinned, end)
        taken = Present(now, met=due, immutable_until=end)
        self._last_met = max(self._last_met, due)
        self._met = [pair for pair in self._met if pair[0] > due] or [(due, 0)]
        if self._line.newest <= now:
            self._line.add(taken)
            return taken
        before = self._line.present
        at = sum(member.time <= now for member in before)
        kept = Present(now, met=due, immutable_until=end, kept_until=now + 1)
        self._line = Line(self._rules, [*before[:at], kept, *before[at:]])
        return taken

    def _immutable_days(self, now: Instant) -> int:
        rules = self._rules
        if not rules.immutable_days:
            return 0
        if rules.immutable_of is not None:
            if now >= self._of_end:
                span = period_span(rules.immutable_of, now, rules.zone)
                self._of_start, self._of_end = span
            if self._line.newest >= self._of_start:
                return 0
        if rules.room is not None and _ROOM * (rules.room - len(self._pinned) - 1) < rules.room:
            return 0
        return rules.immutable_days
