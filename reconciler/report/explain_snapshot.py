"""One snapshot in full: what becomes of it, every reason, what DSM says, what is left around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.duration import spoken
from reconciler.planning.plan import Verdict
from reconciler.report.explain_rows import Rows
from reconciler.report.layout import hang
from reconciler.report.moments import Moments
from reconciler.report.stops import stop_of
from reconciler.report.style import printable
from reconciler.wording import moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model import Instant, Snapshot
    from reconciler.planning.future import Outlook
    from reconciler.planning.plan import SnapshotVerdict, TargetPlan
    from reconciler.policy.model import Policy
    from reconciler.report.style import Style


def render_snapshot(
    target: TargetPlan,
    verdict: SnapshotVerdict,
    policy: Policy | None,
    *,
    outlook: Outlook | None,
    now: Instant,
    nas: str,
    style: Style,
) -> str:
    """Write what becomes of one snapshot and when, every reason for it, and what DSM says of it.

    Ends with a line end.
    """
    moments = Moments(zone(target.zone), now)
    rows = Rows(target, policy, outlook, moments, verbose=True)
    teller = _Teller(target, verdict, rows, moments, style.columns)
    return "\n".join(teller.lines(nas)) + "\n"


@dataclass(frozen=True, slots=True)
class _Teller:
    """Writes about one snapshot of a target."""

    target: TargetPlan
    verdict: SnapshotVerdict
    rows: Rows
    moments: Moments
    width: int

    def lines(self, nas: str) -> Iterator[str]:
        snapshot, at, verdict = self.verdict.snapshot, self.moments.at, self.verdict
        taken = moment(snapshot.time, at, year=True) if snapshot.time is not None else ""
        when = taken or "its name cannot be read as a time"
        head = f"{nas}/{self.target.label}, {when} (DSM: {snapshot.name})"
        yield from hang("", printable(head), width=self.width)
        yield from hang("  ", self._fate(), width=self.width)
        for text in dict.fromkeys(why.text for why in verdict.reasons):
            yield from hang("    - ", printable(text), width=self.width)
        if verdict.verdict is Verdict.KEEP:
            yield from self._goes()
        yield from hang("  On the NAS: ", printable(self._attributes(snapshot)), width=self.width)
        if snapshot.description:
            text = printable(snapshot.description)
            yield from hang("  Description: ", text, width=self.width)
        yield from self._nearest()

    def _fate(self) -> str:
        ours = "ours" if self.verdict.managed else "not ours"
        if self.verdict.verdict is Verdict.KEEP:
            return f"It STAYS ({ours}):"
        stop = stop_of(self.target, self.verdict)
        if stop is not None:
            return f"It WAITS to be deleted, stopped by {stop} ({ours}):"
        return f"It GOES at the next pass, which cannot be undone ({ours}):"

    def _goes(self) -> Iterator[str]:
        text = self.rows.goes(self.verdict)
        if text:
            yield f"  It goes, at the earliest: {' '.join(text.split())}."

    def _attributes(self, snapshot: Snapshot) -> str:
        end = snapshot.immutable_until
        until = f" until {self.moments.full(end)}" if end is not None else ""
        parts = (
            "locked" if snapshot.locked else "",
            f"immutable{until}" if snapshot.immutable else "",
            f"held by {', '.join(snapshot.holders)}" if snapshot.holders else "",
            "made by DSM's schedule" if snapshot.scheduled else "",
            "" if snapshot.healthy else "not healthy",
        )
        return ", ".join(part for part in parts if part) or "neither locked nor immutable"

    def _nearest(self) -> Iterator[str]:
        """Name the nearest snapshots that stay, where this one goes."""
        time = self.verdict.snapshot.time
        if self.verdict.verdict is Verdict.KEEP or time is None:
            return
        staying = [v.snapshot.time for v in self.target.snapshots if v.verdict is Verdict.KEEP]
        times = [other for other in staying if other is not None]
        before = max((other for other in times if other <= time), default=None)
        after = min((other for other in times if other > time), default=None)
        parts = [
            f"{self.moments.full(other)} ({spoken(abs(other - time))} {word})"
            for other, word in ((before, "earlier"), (after, "later"))
            if other is not None
        ]
        if parts:
            text = f"Nearest that stay: {' and '.join(parts)}."
            yield from hang("  ", text, width=self.width)
