"""The computed steady state is what a year of passes holds, after years of filling up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.calendar import Period, cron, every
from reconciler.forward.rules import Rules
from reconciler.forward.run import run
from reconciler.forward.steady import FIRST_DAY, Span, Steady, steady
from reconciler.retention import ALL, Keep, Pick
from reconciler.zones import day_start, zone

if TYPE_CHECKING:
    from reconciler.calendar import Cadence

DAY = 86_400
ZURICH = zone("Europe/Zurich")
ZONES = ("Europe/Zurich", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "UTC")
CADENCES: tuple[Cadence, ...] = (
    every("1h"), every("4h"), every("6h"), every("1d"), every("1d", "02:30"), every("1w"),
    cron("0 8-20/4 * * 1-5"), cron("0,20 */8 * * *"), cron("30 2 1 * *"),
)  # fmt: skip
TIER_1 = Keep(hourly=24, daily=30, weekly=12, monthly=12, yearly=2)


def lived_through(rules: Rules, filling: int) -> Steady:
    """Run the policy for so many days before the year, then count through it."""
    start = day_start(FIRST_DAY, rules.zone)
    passes = run(rules, now=start - filling * DAY, until=start + 365 * DAY - 1)
    counts = [(one.held, one.immutable) for one in passes if one.due >= start]
    held, immutable = zip(*counts, strict=True)
    return Steady(Span(min(held), max(held)), Span(min(immutable), max(immutable)))


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(
    keep=st.builds(
        Keep,
        last=st.integers(0, 60),
        within=st.sampled_from([0, 0, DAY, 9 * DAY]),
        hourly=st.integers(0, 30),
        daily=st.integers(0, 20),
        weekly=st.integers(0, 8),
        monthly=st.integers(0, 6),
        quarterly=st.integers(0, 3),
    ).filter(lambda keep: not keep.empty),
    cadence=st.sampled_from(CADENCES),
    pick=st.sampled_from(Pick),
    days=st.sampled_from([0, 0, 2, 14]),
    of=st.sampled_from([None, Period.DAILY, Period.WEEKLY]),
    name=st.sampled_from(ZONES),
)
def test_the_steady_state_is_what_a_simulated_year_holds(
    *, keep: Keep, cadence: Cadence, pick: Pick, days: int, of: Period | None, name: str
) -> None:
    """Whatever the rules and the zone: the computed bounds are those of the year, both of them."""
    of = of if pick is Pick.EARLIEST and days else None
    filling = 500 if cadence.most_in(DAY) > 1 else 12 * 366
    rules = Rules(zone(name), cadence, keep, pick, immutable_days=days, immutable_of=of)
    assert steady(rules) == lived_through(rules, filling)


@pytest.mark.parametrize(
    ("days", "of", "held", "immutable"),
    [
        (14, None, Span(370, 373), Span(336, 336)),
        (14, Period.DAILY, Span(71, 74), Span(13, 15)),
        (0, None, Span(71, 74), Span(0, 0)),
    ],
)
def test_the_figures_of_an_hourly_tier(
    days: int, of: Period | None, held: Span, immutable: Span
) -> None:
    """The tier of the language's own example holds what its documents say, in Zurich."""
    rules = Rules(ZURICH, every("1h"), TIER_1, immutable_days=days, immutable_of=of)
    assert steady(rules) == Steady(held, immutable)
    assert lived_through(rules, 3 * 366) == Steady(held, immutable)


def test_sub_hourly_due_times_leave_one_snapshot_an_hour() -> None:
    """Quarter hours, of which each hour keeps one, are counted by their place in the hour."""
    keep = Keep(last=10, hourly=48, daily=30, weekly=8)
    rules = Rules(ZURICH, every("15m"), keep, immutable_days=1)
    assert steady(rules) == lived_through(rules, 70)


def test_what_nothing_bounds_has_no_steady_state() -> None:
    """No `keep`, a count of `all`, or nothing that is ever taken: there is no number to name."""
    assert steady(Rules(ZURICH, every("1h"))) is None
    assert steady(Rules(ZURICH, every("1h"), Keep(last=3, daily=ALL))) is None
    assert steady(Rules(ZURICH, None, Keep(last=3))) is None
