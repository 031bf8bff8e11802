"""The lines of one target's block: sign and word, which snapshot, why; many deletions by reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.planning.plan import Create, Delete, SetAttributes, Sync
from reconciler.report import stops
from reconciler.report.style import Hue
from reconciler.wording import clock, counted, moment
from reconciler.zones import local, zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from reconciler.model import Instant
    from reconciler.planning.plan import Action, Stop, TargetPlan, UnitPlan, Why

MOST_LISTED = 5
_SIGNS = {
    "create": ("+", Hue.CREATE),
    "lock": ("~", Hue.ATTRIBUTE),
    "unlock": ("~", Hue.ATTRIBUTE),
    "mark": ("~", Hue.ATTRIBUTE),
    "delete": ("-", Hue.DELETE),
    "sync": (">", Hue.SYNC),
}
WORDS = tuple(_SIGNS)
"""The words of actions in the order of execution."""

_PERIODS = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One row below a line: `count` snapshots in the range `which`; 0 prints no count."""

    count: int
    which: str
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a block; `which` "" lets `word` fill both columns.

    `advice` stands below the details, led in by `advice_for`.
    """

    sign: str
    hue: Hue
    word: str
    which: str
    why: str
    details: tuple[Detail, ...] = ()
    advice: str = ""
    advice_for: str = ""
    waits: bool = False


def word(action: Action) -> str:
    """Name an action for people: create, lock, unlock, mark, delete or sync."""
    change = action.change
    if isinstance(change, SetAttributes):
        return {True: "lock", False: "unlock", None: "mark"}[change.lock]
    return action.verb


def lines_of(target: TargetPlan, unit: UnitPlan, *, every_one: bool) -> tuple[Line, ...]:
    """Return the lines of a target's actions in the order of execution.

    Up to five snapshots with one word are listed, more are grouped by reason; `every_one` lists
    them all.
    """
    groups: dict[tuple[str, Stop | None], list[Action]] = {}
    for action in target.actions:
        groups.setdefault((word(action), action.stopped_by), []).append(action)
    writer = Writer(target, unit, zone(target.zone), every_one=every_one)
    return tuple(
        line
        for (verb, stop), found in groups.items()
        for line in (writer.free(verb, found) if stop is None else writer.stopped(stop, found))
    )


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes lines about one target's actions, times in the zone `at`."""

    target: TargetPlan
    unit: UnitPlan
    at: ZoneInfo
    every_one: bool

    def free(
        self, verb: str, found: Sequence[Action], *, past: str = "", why: str = ""
    ) -> tuple[Line, ...]:
        """Return lines for actions of one verb; `past` and `why` replace its word and reasons."""
        sign, hue = _SIGNS[verb]
        shown = past or verb
        if self.every_one or len(found) <= MOST_LISTED:
            return tuple(Line(sign, hue, shown, self.which(a), why or self.why(a)) for a in found)
        which = counted(len(found), "snapshot")
        return (Line(sign, hue, shown, which, why, self._grouped(found)),)

    def stopped(self, stop: Stop, found: Sequence[Action]) -> tuple[Line, ...]:
        """Return the one line that says what stops these actions, and which they are."""
        return (self._waiting(word(found[0]), stop, found),)

    def _waiting(self, verb: str, stop: Stop, found: Sequence[Action]) -> Line:
        noun = "deletion" if verb == "delete" else f"{verb} action"
        waits = "waits" if len(found) == 1 else "wait"
        return Line(
            "!",
            Hue.WAIT,
            f"{counted(len(found), noun)} {waits}",
            "",
            stops.fact(stop, found, self.target, self.unit),
            self._details(found),
            stops.next_step(stop, self.unit),
            "If you mean it:" if stop.approvable else "next   ",
            waits=True,
        )

    def _details(self, found: Sequence[Action]) -> tuple[Detail, ...]:
        if self.every_one or len(found) <= MOST_LISTED:
            return tuple(Detail(0, self.which(a), self.why(a)) for a in found)
        return self._grouped(found)

    def _grouped(self, found: Sequence[Action]) -> tuple[Detail, ...]:
        """Group by reason, the largest group first."""
        groups: dict[tuple[str, ...], list[Action]] = {}
        for action in found:
            groups.setdefault(_kind_of(action.reasons), []).append(action)
        ordered = sorted(groups.values(), key=len, reverse=True)
        return tuple(Detail(len(same), self._range(same), self._common(same)) for same in ordered)

    def which(self, action: Action) -> str:
        """Name what an action is about: a snapshot's time, a destination, or now."""
        change = action.change
        if isinstance(change, Create):
            return "now"
        if isinstance(change, Sync):
            return f"to {change.destination}" if change.destination else f"plan {change.plan_id}"
        time = change.snapshot.time
        if time is None:
            return change.snapshot.name
        return moment(time, self.at, year=self._other_year(time))

    def _other_year(self, instant: Instant) -> bool:
        return local(instant, self.at).year != local(self.unit.now, self.at).year

    def why(self, action: Action) -> str:
        """Return an action's reasons; of a deletion the one sentence."""
        change = action.change
        if not isinstance(change, Delete):
            return "; ".join(why.text for why in action.reasons)
        text = _sentence(action.reasons)
        return f"{text}; goes first, to make room" if change.early else text

    def _common(self, found: Sequence[Action]) -> str:
        """Return what the group's sentences have in common."""
        texts = {self.why(action): None for action in found}
        if len(texts) == 1:
            return next(iter(texts))
        beyond = [why.text for why in found[0].reasons[1:] if not _stands(why)]
        rules = [why.rule for why in found[0].reasons[1:] if _stands(why)]
        periods = [_PERIODS[rule] for rule in rules if rule in _PERIODS]
        kept = f"each one's {' and '.join(periods)} is kept by another" if periods else ""
        return "; ".join(part for part in (*beyond[-1:], kept) if part)

    def _range(self, found: Sequence[Action]) -> str:
        times = sorted(
            a.snapshot.time for a in found if a.snapshot is not None and a.snapshot.time is not None
        )
        if not times:
            return "without a time"
        first, last = times[0], times[-1]
        start = moment(first, self.at, year=self._other_year(first))
        end = moment(last, self.at, year=self._other_year(last))
        if len(times) == 1 or start == end:
            return start
        if local(first, self.at).date() == local(last, self.at).date():
            return f"{start} to {clock(last, self.at)}"
        return f"{_date(start)} to {_date(end)}"


def _date(written: str) -> str:
    """Return a moment without its time of day."""
    return written.rpartition(" ")[0]


def _sentence(reasons: Sequence[Why]) -> str:
    """Return the sentence of a deletion: the first reason is the whole of it."""
    return reasons[0].text if reasons else ""


def _stands(why: Why) -> bool:
    """Whether the reason names another snapshot that stands for the period."""
    return why.period is not None and not why.text.startswith("beyond ")


def _kind_of(reasons: Sequence[Why]) -> tuple[str, ...]:
    """Return what makes reasons alike: the rules, and each text that names no period."""
    if len(reasons) <= 1:
        return tuple(why.text for why in reasons)
    return tuple(why.rule if _stands(why) else why.text for why in reasons[1:])
