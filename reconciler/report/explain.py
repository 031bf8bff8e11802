"""Why each snapshot of a target stays or goes, and when; what its policy says, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.duration import render, spoken
from reconciler.planning.plan import State
from reconciler.report.effective import rows as effective
from reconciler.report.effective import sentence
from reconciler.report.explain_rows import Row, Rows
from reconciler.report.layout import columns, hang, joined, pad
from reconciler.report.moments import Moments
from reconciler.report.printing import found
from reconciler.report.style import printable
from reconciler.wording import counted, day
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model import Instant
    from reconciler.planning.future import Outlook
    from reconciler.planning.plan import TargetPlan
    from reconciler.planning.protection import Synced
    from reconciler.policy.model import Policy
    from reconciler.report.style import Style

_LEAST_WHY = 20
_MOST_VALUE = 48
_GOES = "goes, at the earliest"


def render_target(
    target: TargetPlan,
    policy: Policy | None,
    *,
    outlook: Outlook | None,
    now: Instant,
    nas: str,
    style: Style,
) -> str:
    """Write a target's state and policy, and for each snapshot what keeps it and when it goes.

    Newest first; neighbours that the same rules keep are one row unless `verbose`. The effective
    policy with the place of each value comes last, what nobody wrote only if `verbose`. Ends with
    a line end.
    """
    teller = _Teller(target, policy, outlook, Moments(zone(target.zone), now), style)
    return "\n".join(teller.lines(nas)) + "\n"


@dataclass(frozen=True, slots=True)
class _Teller:
    """Writes about one target."""

    target: TargetPlan
    policy: Policy | None
    outlook: Outlook | None
    moments: Moments
    style: Style

    def lines(self, nas: str) -> Iterator[str]:
        yield from self._head(nas)
        for finding in self.target.findings:
            yield from found(finding, self.style, indent=2)
        yield from self._table()
        yield from self._values()

    def _head(self, nas: str) -> Iterator[str]:
        policy = self.policy
        owner = f"policy {policy.name} ({policy.place})" if policy is not None else "no policy"
        title = (f"{nas}/{self.target.label}", str(self.target.state).upper(), owner)
        yield from hang("", printable(" · ".join(title)), width=self.style.columns)
        said = [sentence(policy)] if policy is not None else []
        for parts in (*said, self._times(), self._counts()):
            for line in joined(parts, " · ", width=self.style.columns - 2):
                yield f"  {printable(line)}"

    def _times(self) -> tuple[str, ...]:
        target, parts = self.target, []
        if target.newest is not None:
            age = spoken(max(0, self.moments.now - target.newest))
            rpo = self.policy.rpo if self.policy is not None else None
            promised = f", promised {render(rpo)}" if rpo is not None else ""
            parts.append(f"newest {self.moments.short(target.newest)}, {age} old{promised}")
        if target.next_due is not None:
            parts.append(f"next {self.moments.short(target.next_due)}")
        if self.outlook is not None:
            parts.extend(self._copy(synced) for synced in self.outlook.synced)
        return tuple(parts)

    def _copy(self, synced: Synced) -> str:
        """Say what a replication's destination has, and whether a sync is at work."""
        to = synced.plan.destination_host or "its destination"
        has = f"has {self.moments.short(synced.since)}" if synced.since is not None else "has none"
        if not synced.identified:
            has = "has one that is not here any more"
        at_work = ""
        if synced.plan.busy:
            at_work = ", sync running"
            if synced.plan.progress is not None:
                at_work = f"{at_work} {synced.plan.progress} %"
        return f"{to} {has}{at_work}"

    def _counts(self) -> tuple[str, ...]:
        verdicts, target = self.target.snapshots, self.target
        ours = [v.snapshot.time for v in verdicts if v.managed]
        times = [time for time in ours if time is not None]
        oldest = day(min(times), self.moments.at, today=self.moments.now) if times else ""
        limit = self.outlook.limit if self.outlook is not None else None
        parts = (
            f"{counted(len(ours), 'snapshot')} of ours" + (f" back to {oldest}" if oldest else ""),
            f"{target.immutable} immutable" if target.immutable else "",
            f"{target.held} on hold" if target.held else "",
            f"{len(verdicts) - len(ours)} not ours" if len(verdicts) > len(ours) else "",
            f"limit {limit}" if limit is not None else "",
        )
        return tuple(part for part in parts if part)

    def _table(self) -> Iterator[str]:
        if not self.target.snapshots:
            if self.target.state is State.UNKNOWN:
                yield "  Its snapshots could not be read."
            return
        rows = Rows(self.target, self.policy, self.outlook, self.moments, self.style.verbose)
        ours = rows.of([v for v in self.target.snapshots if v.managed])
        others = rows.of([v for v in self.target.snapshots if not v.managed])
        yield ""
        yield from self._columns(ours, others)

    def _columns(self, ours: Sequence[Row], others: Sequence[Row]) -> Iterator[str]:
        every = (*ours, *others)
        head = f"taken ({self.target.zone})"
        whens = max([columns(head), *(columns(row.taken) for row in every)])
        ends = max([columns(_GOES), *(columns(row.goes) for row in every)])
        room = max(_LEAST_WHY, self.style.columns - whens - ends - 6)
        whys = min(room, max([_LEAST_WHY, *(columns(row.why) for row in every)]))
        yield f"  {pad(head, whens)}  {pad('kept by', whys)}  {_GOES}"
        for row in ours:
            yield from _written(row, whens, whys)
        if others:
            yield "  not ours"
        for row in others:
            yield from _written(row, whens, whys)

    def _values(self) -> Iterator[str]:
        """Write the effective policy with the place of each value."""
        if self.policy is None:
            return
        rows = effective(self.policy, defaults=self.style.verbose)
        shown = [tuple(printable(cell) for cell in row) for row in rows]
        if not shown:
            return
        keys = max(columns(key) for key, _, _ in shown)
        values = min(max(columns(value) for _, value, _ in shown), _MOST_VALUE)
        yield ""
        yield f"  policy {printable(self.policy.name)}, and where each value stands"
        for key, value, place in shown:
            first = f"  {pad(key, keys)}  "
            if columns(value) > values:
                yield from hang(first, f"{value}  {place}", width=self.style.columns)
            else:
                yield f"{first}{pad(value, values)}  {place}"


def _written(row: Row, whens: int, whys: int) -> Iterator[str]:
    first, *rest = hang(f"  {pad(row.taken, whens)}  ", row.why, width=4 + whens + whys)
    yield f"{pad(first, 4 + whens + whys)}  {row.goes}".rstrip()
    yield from rest
