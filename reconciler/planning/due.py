"""Which due times a target's snapshots have met. Marks decide the cadence, names only retention."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model import Instant, Seconds, Snapshot


def met(managed: Iterable[Snapshot], *, now: Instant, skew: Seconds) -> tuple[Instant, ...]:
    """Return the due times that marks carry, and the times of managed snapshots without one.

    A managed snapshot's mark satisfies the due times up to the one it carries, whichever policy
    made it; a managed snapshot without a mark, taken since the due time, satisfies it too.
    """
    found = ((met_by(snapshot), snapshot) for snapshot in managed)
    return tuple(
        moment
        for moment, snapshot in found
        if moment is not None and moment <= now + (skew if _marked(snapshot) else 0)
    )


def met_by(snapshot: Snapshot) -> Instant | None:
    """Return the due time up to which a managed snapshot satisfies its cadence, None where none."""
    if _marked(snapshot):
        return snapshot.mark.due if snapshot.mark is not None else None
    mark = snapshot.mark
    return snapshot.time if mark is None or mark.adopted else None


def _marked(snapshot: Snapshot) -> bool:
    return snapshot.mark is not None and snapshot.mark.due is not None
