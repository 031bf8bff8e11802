"""The rows of `explain`: what was taken, what keeps it, when it goes; equal neighbours as one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.planning.plan import Verdict
from reconciler.report.stops import stop_of
from reconciler.report.style import printable
from reconciler.wording import clock, day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model import Instant, Snapshot
    from reconciler.planning.future import Outlook
    from reconciler.planning.plan import SnapshotVerdict, TargetPlan, Why
    from reconciler.policy.model import Policy
    from reconciler.report.moments import Moments

_RUN = 4
"""From so many on, equal neighbours are one row."""

_SHORT = {"newest": "newest", "immutable": "immutable", "replication-busy": "sync at work"}
_OF_A_DAY = frozenset({"daily", "weekly", "monthly", "quarterly", "yearly"})
_HOLD = "on hold: "


@dataclass(frozen=True, slots=True)
class Row:
    """One row: when it was taken, what keeps it, and when it goes at the earliest."""

    taken: str
    why: str
    goes: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Makes rows of verdicts; `outlook` is None where nothing was run forward."""

    target: TargetPlan
    policy: Policy | None
    outlook: Outlook | None
    moments: Moments
    verbose: bool

    def of(self, verdicts: Sequence[SnapshotVerdict]) -> list[Row]:
        """Return rows newest first, what has no time last, runs of one kind folded."""
        found: list[Row] = []
        for _, run in groupby(sorted(verdicts, key=_age), key=self._kind):
            same = list(run)
            if len(same) < _RUN or self.verbose:
                found.extend(self._single(verdict) for verdict in same)
            else:
                found.append(self._run(same))
        return found

    def goes(self, verdict: SnapshotVerdict) -> str:
        """Say when a snapshot goes at the earliest, as a column has it."""
        if verdict.verdict is Verdict.DELETE:
            return "waits" if stop_of(self.target, verdict) is not None else "now"
        end = self._end(verdict)
        return self.moments.coming(end) if isinstance(end, int) else end

    def _end(self, verdict: SnapshotVerdict) -> Instant | str:
        """Return when it goes, or in words where no moment can be named."""
        hold = next((why.text for why in verdict.reasons if why.rule == "hold"), None)
        if hold is not None:
            return f"when {printable(hold.removeprefix(_HOLD))} ends"
        if self.outlook is None:
            return ""
        words = {why.rule for why in verdict.reasons}
        endless = next((text for rule, text in _NO_MOMENT.items() if rule in words), None)
        return endless or self._foreseen(verdict.snapshot, self.outlook)

    def _foreseen(self, snapshot: Snapshot, outlook: Outlook) -> Instant | str:
        if snapshot.key in outlook.goes:
            return outlook.goes[snapshot.key]
        if snapshot.immutable and snapshot.immutable_until is None:
            return "end not known"
        if snapshot.key in outlook.never:
            return "never"
        if self.policy is not None and self.policy.cadence is None:
            return "when newer ones come"
        return f"after {day(outlook.until, self.moments.at, today=self.moments.now)}"

    def _kind(self, verdict: SnapshotVerdict) -> tuple[object, ...]:
        """Return what makes neighbours alike: their fate, their rules, every other reason.

        Of what `last` or `within` keeps anyway, period rules make no difference.
        """
        ruled = [why.rule for why in verdict.reasons if why.ordinal is not None]
        if ruled[:1] in (["last"], ["within"]):
            del ruled[1:]
        others = tuple(_brief(why) for why in verdict.reasons if why.ordinal is None)
        end: object = self._end(verdict)
        if verdict.verdict is Verdict.DELETE:
            others = (str(stop_of(self.target, verdict)), *(w.text for w in verdict.reasons[:1]))
            end = None
        moment = None if isinstance(end, int) else end
        return (verdict.verdict, ruled, others, moment, verdict.snapshot.time is None)

    def _single(self, verdict: SnapshotVerdict) -> Row:
        return Row(self._taken(verdict.snapshot), printable(self.why(verdict)), self.goes(verdict))

    def _taken(self, snapshot: Snapshot) -> str:
        if snapshot.time is None:
            return printable(snapshot.name)
        return self.moments.column(snapshot.time)

    def _run(self, same: Sequence[SnapshotVerdict]) -> Row:
        why = printable(self._common(same))
        last, first = same[0].snapshot.time, same[-1].snapshot.time
        if last is None or first is None:
            return Row(f"{len(same)} without a time", why, self.goes(same[0]))
        taken = f"{len(same)} of {self.moments.span(last, first)}"
        ends = [end for end in map(self._end, same) if isinstance(end, int)]
        if same[0].verdict is Verdict.DELETE or not ends:
            return Row(taken, why, self.goes(same[0]))
        goes = self.moments.coming(min(ends))
        return Row(taken, why, goes if len(set(ends)) == 1 else f"from {goes}")

    def why(self, verdict: SnapshotVerdict) -> str:
        """Say in a few words what keeps a snapshot, or why it goes."""
        if verdict.verdict is Verdict.DELETE:
            stop = stop_of(self.target, verdict)
            fate = f"waits ({stop})" if stop is not None else "goes"
            return f"{fate}: {verdict.reasons[0].text}" if verdict.reasons else fate
        if not verdict.managed:
            return _not_ours(verdict)
        return " · ".join(_brief(why) for why in verdict.reasons) or "kept"

    def _common(self, same: Sequence[SnapshotVerdict]) -> str:
        """Return the reasons of a run: each rule with the range of its ordinals."""
        if same[0].verdict is Verdict.DELETE or not same[0].managed:
            return self.why(same[0])
        standing: dict[str, list[tuple[int, Instant]]] = {}
        others: dict[str, None] = {}
        for verdict in same:
            for why in verdict.reasons:
                if why.ordinal is not None:
                    times = standing.setdefault(why.rule, [])
                    times.append((why.ordinal, verdict.snapshot.time or 0))
                else:
                    others[_brief(why)] = None
        ranges = [self._range(rule, times) for rule, times in standing.items()]
        return " · ".join((*ranges, *others))

    def _range(self, rule: str, times: Sequence[tuple[int, Instant]]) -> str:
        """Write `daily 2-7 at 00:00`, the clock where all show one."""
        low, high = min(times)[0], max(times)[0]
        numbers = str(low) if low == high else f"{low}-{high}"
        clocks = {clock(time, self.moments.at) for _, time in times}
        at = f" at {clocks.pop()}" if rule in _OF_A_DAY and len(clocks) == 1 else ""
        return f"{rule} {numbers}{at}"


_NO_MOMENT = {
    "not-managed": "never",
    "foreign-mark": "never",
    "undated": "never",
    "locked": "never",
    "no-keep": "never",
    "unhealthy": "once healthy",
    "held-by-application": "once let go",
}
"""Reasons whose end no clock tells, in the order they are asked for."""


def _brief(why: Why) -> str:
    """Return a reason without what the other columns say."""
    return _SHORT.get(why.rule) or why.text.partition(" (")[0]


def _not_ours(verdict: SnapshotVerdict) -> str:
    """Say whose it is, as far as DSM tells, and that it is never touched."""
    snapshot = verdict.snapshot
    told = {why.rule: why.text for why in verdict.reasons}
    parts = (
        told.get("foreign-mark") or f"made by {'DSM' if snapshot.scheduled else 'somebody else'}",
        "locked" if snapshot.locked else "",
        told.get("undated", ""),
        *(text for rule, text in told.items() if rule == "hold"),
    )
    return f"{', '.join(part for part in parts if part)}: never touched"


def _age(verdict: SnapshotVerdict) -> tuple[bool, int, str]:
    snapshot = verdict.snapshot
    return (snapshot.time is None, -(snapshot.time or 0), snapshot.key)
