"""One target with everything worked out about it: what its snapshots are, what is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.forward.due import creation
from reconciler.planning import belongs
from reconciler.planning.due import met
from reconciler.planning.protection import Standing, Synced, standings, synced_by
from reconciler.planning.verdicts import Judged, judge

if TYPE_CHECKING:
    from reconciler.forward.due import Due
    from reconciler.model import ObservedTarget
    from reconciler.planning.situation import Desired, Situation


@dataclass(frozen=True, slots=True)
class Reading:
    """One target with everything that was worked out about it so far."""

    target: ObservedTarget
    desired: Desired
    situation: Situation
    standings: tuple[Standing, ...]
    synced: tuple[Synced, ...]
    due: Due | None

    def judged(self, *, coming: bool) -> Judged:
        """Run rules and protections, with or without the coming creation."""
        return judge(
            self.standings,
            self.target,
            self.desired,
            situation=self.situation,
            synced=self.synced,
            coming=coming,
        )


def read(target: ObservedTarget, desired: Desired, situation: Situation) -> Reading:
    """Work out what a target's snapshots are to its policy, and whether one is due."""
    standing = standings(target, desired, situation)
    cadence = desired.policy.cadence
    served = met(
        (s.snapshot for s in standing if s.managed), now=situation.now, skew=situation.skew
    )
    wanted = (
        creation(cadence, served, now=situation.now, zone=desired.zone)
        if cadence is not None
        else None
    )
    synced = synced_by(target, situation)
    return Reading(target, desired, situation, standing, synced, wanted)


def mixed_names(target: ObservedTarget, situation: Situation) -> bool:
    """Whether a share holds names with and without an offset, their difference unmeasured."""
    forms = {snapshot.form for snapshot in target.snapshots or () if snapshot.form is not None}
    return len(forms) > 1 and any(
        belongs.unmeasured(form, fractional=situation.fractional_zone, shifts=situation.shifts)
        for form in forms
    )
