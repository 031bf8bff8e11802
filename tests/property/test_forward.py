"""A policy run forward says what planning pass by pass says, only faster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from time import process_time
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import mark
from reconciler.calendar import Period, cron, every, period_span, period_start
from reconciler.forward.rules import LAG, Outage, Rules
from reconciler.forward.run import run
from reconciler.mark import Mark
from reconciler.model import BuiltIn, Kind, Limits, NameForm, ObservedTarget, Place, Snapshot
from reconciler.planning import future
from reconciler.planning.plan import Create, Delete, TargetPlan
from reconciler.planning.reading import read
from reconciler.planning.situation import Desired, Situation
from reconciler.planning.target import plan_target
from reconciler.policy.model import Hold, Immutable, Manage, Policy
from reconciler.retention import ALL, Keep, Pick
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR, DAY = 3_600, 86_400
HERE = Place("p.yaml", 1)
ZONES = ("Europe/Zurich", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca",
         "America/St_Johns", "Pacific/Apia", "UTC")  # fmt: skip
STARTS = (
    1_774_600_000,  # Fri 27 Mar 2026, two days before Europe's clocks go forward
    1_761_200_000,  # Thu 23 Oct 2025, before they go back
    1_767_000_000,  # the end of 2025
    1_130_500_000,  # Oct 2005: in Newfoundland the clock goes back over midnight
    1_325_100_000,  # Samoa skips 30 Dec 2011
)
CADENCES = (every("15m"), every("1h"), every("4h"), every("1d"), every("1d", "02:30"),
            cron("0 8-20/4 * * 1-5"), cron("0,7 */6 * * *"))  # fmt: skip
PASSES = 70


def immutables() -> st.SearchStrategy[Immutable | None]:
    """Draw an `immutable`, with and without `of`."""
    some = st.builds(Immutable, st.integers(1, 4), st.sampled_from([None, *Period]))
    return st.none() | some


counts = st.one_of(st.just(0), st.integers(1, 6), st.just(ALL))
keeps = st.builds(
    Keep,
    last=st.integers(0, 8),
    within=st.sampled_from([0, 0, 2 * HOUR, DAY, 5 * DAY]),
    **{period.value: counts for period in Period},
).filter(lambda keep: not keep.empty)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy's rules."""
    of_earliest = draw(immutables())
    pick = draw(st.sampled_from(Pick))
    return Policy(
        "p",
        HERE,
        cadence=draw(st.sampled_from(CADENCES)),
        keep=draw(st.none() | keeps if draw(st.integers(0, 9)) == 0 else keeps),
        pick=pick,
        min_keep=draw(st.sampled_from([1, 1, 3, 12])),
        immutable=of_earliest,
        manage=draw(st.sampled_from(Manage)),
    )


@st.composite
def snapshots(draw: st.DrawFn, now: int) -> tuple[Snapshot, ...]:
    """Draw what a target may hold: ours and others', locked, immutable, undated, ahead of now."""
    found: list[Snapshot] = []
    ages = draw(st.lists(st.integers(-HOUR, 40 * DAY), max_size=14, unique=True))
    for number, age in enumerate(ages):
        time = now - age // draw(st.sampled_from([1, 1, 20]))
        ours = draw(st.integers(0, 4)) > 0
        end = draw(st.sampled_from([None, None, None, now + HOUR, now + DAY, now + 30 * DAY]))
        found.append(
            Snapshot(
                f"s{number}",
                time if draw(st.integers(0, 19)) else None,
                form=NameForm.OFFSET,
                locked=draw(st.integers(0, 7)) == 0,
                immutable=end is not None,
                immutable_until=end,
                scheduled=draw(st.booleans()),
                healthy=draw(st.integers(0, 15)) > 0,
                mark=Mark("p", due=time // 60 * 60) if ours else None,
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class Case:
    """A policy, what is there, and the limits to run it under."""

    desired: Desired
    present: tuple[Snapshot, ...]
    now: int
    limit: int | None
    outage: Outage

    def situation(self, now: int) -> Situation:
        """Return the NAS at a moment."""
        return Situation("box", now, "", 300, Limits(self.limit), (), snapshots=0)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a whole case."""
    now = draw(st.sampled_from(STARTS)) + draw(st.integers(0, 3 * DAY))
    held = draw(st.integers(0, 5)) == 0
    holds = (Hold("h", "r", HERE, taken_after=now - 9 * DAY, taken_before=now - 2 * DAY),)
    policy = draw(policies())
    start = now + draw(st.integers(0, 4 * DAY))
    limit = draw(st.sampled_from([None, None, 8, 30]))
    if (
        limit is not None
    ):  # what waits for an approval makes no room; run forward, it is taken to go
        policy = replace(policy, manage=Manage.OWN)
    return Case(
        Desired(policy, zone(draw(st.sampled_from(ZONES))), holds if held else ()),
        draw(snapshots(now)),
        now,
        limit,
        Outage(start, start + draw(st.sampled_from([0, HOUR, DAY, 3 * DAY]))),
    )


def planned(case: Case, held: tuple[Snapshot, ...], now: int) -> TargetPlan:
    """Plan the target at a moment."""
    share = ObservedTarget(Kind.SHARE, "u", "s", held, built_in=BuiltIn())
    return plan_target(share, case.desired, case.situation(now))


def moments(case: Case) -> Iterator[int]:
    """Yield when passes run: now, after each due time, and when the outage ends."""
    yield case.now
    cadence = case.desired.policy.cadence
    assert cadence is not None
    out = case.outage
    ended = not out.start < out.end or out.end <= case.now
    last = 0
    for due in cadence.after(case.now, case.desired.zone):
        if not ended and out.end <= due:
            ended = True
            last = out.end
            yield out.end
        if out.covers(due + LAG) or due <= last:
            continue
        yield due + LAG


def pass_by_pass(case: Case) -> Iterator[tuple[int, str | None, frozenset[str]]]:
    """Yield each pass as planning has it: when, what it took, what it deleted."""
    held = case.present
    for now in moments(case):
        held = tuple(
            replace(s, immutable=False, immutable_until=None)
            if s.immutable_until is not None and s.immutable_until <= now
            else s
            for s in held
        )
        plan = planned(case, held, now)
        left = {s.name: s for s in held}
        taken = None
        gone = set()
        for action in plan.actions:
            change = action.change
            if isinstance(change, Delete):
                gone.add(change.snapshot.name)
                del left[change.snapshot.name]
            if isinstance(change, Create):
                taken = f"t{now}"
                end = now + change.immutable_days * DAY if change.immutable_days else None
                left[taken] = Snapshot(
                    taken, now, change.description, form=NameForm.OFFSET,
                    immutable=end is not None, immutable_until=end,
                    mark=mark.parse(change.description),
                )  # fmt: skip
        held = tuple(left.values())
        yield now, taken, frozenset(gone)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(case=cases())
def test_running_forward_is_planning_pass_by_pass(case: Case) -> None:
    """Any policy on any history, through changes of clock: the same is taken and goes each time."""
    share = ObservedTarget(Kind.SHARE, "u", "s", case.present, built_in=BuiltIn())
    reading = read(share, case.desired, case.situation(case.now))
    passes = run(
        future.rules(reading),
        future.present(reading),
        now=case.now,
        until=case.now + 400 * DAY,
        outages=(case.outage,),
    )
    for one, (now, taken, gone) in islice(zip(passes, pass_by_pass(case), strict=False), PASSES):
        found = frozenset(member.key or f"t{member.time}" for member in one.gone)
        made = f"t{one.taken.time}" if one.taken is not None else None
        assert (one.now, made, sorted(found)) == (now, taken, sorted(gone))


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    period=st.sampled_from(Period),
    name=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    shift=st.integers(-4 * DAY, 4 * DAY),
    part=st.floats(0, 1, exclude_max=True),
)
def test_a_period_can_be_counted_on_until_its_end(
    *, period: Period, name: str, start: int, shift: int, part: float
) -> None:
    """Every instant from one to before its span's end is of the same period."""
    at, instant = zone(name), start + shift
    begin, end = period_span(period, instant, at)
    assert begin == period_start(period, instant, at) <= instant < end
    assert period_start(period, instant + int((end - instant) * part), at) == begin
    assert period_start(period, end - 1, at) == begin


def test_a_year_of_quarter_hours_runs_in_less_than_a_second() -> None:
    """A year of `every: 15m` with six rules, 35,040 due times, takes less than a second."""
    keep = Keep(last=96, within=2 * DAY, hourly=48, daily=30, weekly=12, monthly=12)
    rules = Rules(zone("Europe/Zurich"), every("15m"), keep, immutable_days=7)
    took = []
    for _ in range(3):
        begun = process_time()
        passes = sum(1 for _ in run(rules, now=STARTS[2], until=STARTS[2] + 365 * DAY))
        took.append(process_time() - begun)
    assert passes >= 35_040
    assert min(took) < 1
