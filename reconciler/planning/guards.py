"""What keeps every deletion of a NAS back: its clock, its plans, a state that may have lost orders.

Each guard names what it found and how it ends. Those that a person's approval can release are
`Stop.approvable`; the others are mended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.duration import DAY, spoken
from reconciler.model import Finding, Severity
from reconciler.planning import recall
from reconciler.planning.plan import Stop
from reconciler.wording import counted, moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from reconciler.memory import UnitMemory
    from reconciler.model import Observation, Seconds
    from reconciler.orders import Pause
    from reconciler.planning.unit import Wish

STEADY_FOR: Seconds = DAY
"""How long the readings of a clock that jumped have to be steady before deletions go on (P6)."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One thing that stops every deletion of a NAS."""

    stop: Stop
    finding: Finding


def standing(wish: Wish, observed: Observation) -> tuple[Guard, ...]:
    """Return the guards that stand at this reading, mended ones before approvable ones."""
    found = [*_clock(wish, observed), *_plans(wish, observed), *_pause(wish)]
    found += [*_jump(wish, observed), *_lost_state(wish, observed)]
    granted = {stop for uuid, stop, _ in wish.orders.granted if not uuid}
    left = [guard for guard in found if str(guard.stop) not in granted]
    return tuple(sorted(left, key=lambda guard: guard.stop.approvable))


def _guard(stop: Stop, text: str, next_step: str) -> Guard:
    return Guard(stop, Finding(str(stop), Severity.ERROR, text, next_step=next_step))


def _clock(wish: Wish, observed: Observation) -> Iterator[Guard]:
    skew, most = observed.skew, wish.brakes.max_clock_skew
    if abs(skew) > most:
        yield _guard(
            Stop.CLOCK,
            f"its clock is {spoken(abs(skew))} {'ahead of' if skew > 0 else 'behind'} this "
            f"machine's, more than {spoken(most)}: nothing is deleted",
            "set NTP on both: DSM shows it under Control Panel > Regional Options",
        )


def _plans(wish: Wish, observed: Observation) -> Iterator[Guard]:
    if observed.plans is None:
        yield _guard(
            Stop.PLANS_UNKNOWN,
            f"its replication plans could not be listed ({observed.plans_problem}): nothing "
            "is deleted, since a target could be the destination of one",
            "start Snapshot Replication in Package Center",
        )
    elif wish.memory.plans_offered and not observed.plans_offered:
        yield _guard(
            Stop.PLANS_GONE,
            "it had a replication API before and offers none now: nothing is deleted, since a "
            "target could be the destination of a plan",
            "install or start Snapshot Replication in Package Center; if it was removed for good, "
            "approve the deletions that wait",
        )


def _pause(wish: Wish) -> Iterator[Guard]:
    pause = wish.orders.paused
    if pause is not None and pause.deletes_only:
        yield Guard(
            Stop.PAUSED,
            Finding(
                str(Stop.PAUSED),
                Severity.WARNING,
                f"its deletions are {told(pause, wish.zone_of(''))}",
                next_step=f"reconcile resume --nas {wish.unit.name}",
            ),
        )


def told(pause: Pause, at: ZoneInfo) -> str:
    """Say that something is paused: by whom, since when, until when where that is known, why."""
    until = f" until {moment(pause.until, at)}" if pause.until is not None else ""
    return f"paused by {pause.by} since {moment(pause.since, at)}{until}: {pause.reason}"


def _jump(wish: Wish, observed: Observation) -> Iterator[Guard]:
    since = jumped_since(wish.memory, observed, wish.brakes.max_clock_skew)
    if since is None:
        return
    left = STEADY_FOR - (observed.now - since)
    yield _guard(
        Stop.CLOCK_JUMP,
        "its clock went back, or forward by more than has passed, since the last pass: nothing is "
        f"deleted until its readings were steady for {spoken(STEADY_FOR)}, {spoken(left)} more",
        "check NTP in DSM: Control Panel > Regional Options; approve what waits if you know why",
    )


def jumped_since(memory: UnitMemory, observed: Observation, skew: Seconds) -> int | None:
    """Return since when the clock is in doubt, None where it is not.

    It jumped where it is behind the last pass's reading by more than `skew`, or ahead of what the
    machine's steady clock says has passed. The doubt ends after a day without another jump.
    """
    if memory.clock is None:
        return None
    passed = observed.now - memory.clock
    if passed < -skew:
        return observed.now
    before, now = memory.steady, observed.steady
    same_boot = before is not None and now is not None and before[0] == now[0]
    if before is not None and now is not None and same_boot:
        really = now[1] - before[1]
        if passed > really + skew:
            return observed.now
    since = memory.jumped
    return since if since is not None and observed.now - since < STEADY_FOR else None


def _lost_state(wish: Wish, observed: Observation) -> Iterator[Guard]:
    if wish.memory.founded:
        return
    ours = sum(len(recall.ours(t.snapshots, wish.installation)) for t in observed.targets)
    if ours:
        yield _guard(
            Stop.NEW_STATE,
            f"this state knows nothing of it, and it has {counted(ours, 'snapshot')} of ours: "
            "holds and pauses said at run time may have been lost, so its first deletions wait",
            "put the lost state back, or approve the deletions that wait, once",
        )
