"""Which snapshots a policy may touch, and which of them count: *managed* and *usable*.

The words are those of the policy language, section "Words used below".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reconciler.duration import HOUR
from reconciler.model import NameForm
from reconciler.policy.model import Manage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model import Instant, Seconds, Snapshot
    from reconciler.policy.model import Hold

_OTHER_HALF: Seconds = 2 * HOUR
"""The widest step of a clock for summer time in any zone in use (Antarctica/Troll)."""

_UNMEASURED: dict[NameForm, Seconds] = {NameForm.OFFSET: HOUR, NameForm.BARE: 14 * HOUR}


def foreign(snapshot: Snapshot, installation: str) -> bool:
    """Whether the mark is another installation's, or of another form than the configuration's."""
    return snapshot.mark is not None and snapshot.mark.installation != installation


def managed(snapshot: Snapshot, manage: Manage, installation: str) -> bool:
    """Whether `manage` lets the policy touch the snapshot; a foreign mark never does."""
    if foreign(snapshot, installation):
        return False
    if snapshot.mark is not None and not snapshot.mark.adopted:
        return True
    return manage is Manage.ALL or (manage is Manage.SCHEDULED and snapshot.scheduled)


def locked_by_reconciler(snapshot: Snapshot, installation: str) -> bool:
    """Whether the lock is this installation's own: its mark says so while the lock stands."""
    mark = snapshot.mark
    return snapshot.locked and mark is not None and mark.lock and mark.installation == installation


def tolerance(
    form: NameForm | None, *, fractional: bool, shifts: Mapping[NameForm, Seconds]
) -> Seconds:
    """Return how far a name of this form may be off its instant: 0 where that is known.

    Names of a half-hour zone and names without offset can differ from the clock by a constant;
    until that was measured they are given 1 h and 14 h.
    """
    if form is None or not unmeasured(form, fractional=fractional, shifts=shifts):
        return 0
    return _UNMEASURED[form]


def margin(
    form: NameForm | None, *, fractional: bool, shifts: Mapping[NameForm, Seconds]
) -> Seconds:
    """Return how far from a hold's border a name of this form may still lie within it.

    Its tolerance; and of a name without offset, however well measured, the step of the clocks: it
    may be of the other half of the year.
    """
    off = tolerance(form, fractional=fractional, shifts=shifts)
    return max(off, _OTHER_HALF) if form is NameForm.BARE else off


def unmeasured(form: NameForm, *, fractional: bool, shifts: Mapping[NameForm, Seconds]) -> bool:
    """Whether nobody has measured yet how names of this form keep the NAS's clock."""
    return form not in shifts and (form is NameForm.BARE or fractional)


class Dated(Protocol):
    """A snapshot as listed, or as a memory holds it."""

    @property
    def key(self) -> str:
        """What identifies it within its target."""

    @property
    def time(self) -> Instant | None:
        """When it was taken."""


def covered(hold: Hold, snapshot: Dated, off: Seconds) -> bool:
    """Whether a snapshot, whose time may be off by so much, can fall under the hold."""
    time = snapshot.time
    if hold.only:
        return hold.only == snapshot.key
    if time is None:
        return False
    begun = hold.taken_after is None or time + off >= hold.taken_after
    return begun and (hold.taken_before is None or time - off < hold.taken_before)


def undated_or_future(snapshot: Snapshot, now: Instant, tolerance: Seconds) -> bool:
    """Whether the snapshot's time cannot be used: unreadable, or in the future."""
    return snapshot.time is None or snapshot.time > now + tolerance
