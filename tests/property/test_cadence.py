"""Due times against the clock on the wall, minute by minute, and against counted lists."""

from __future__ import annotations

import sys
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from itertools import pairwise, takewhile
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reconciler import calendar
from reconciler.zones import zone

sys.path.insert(0, str(Path(__file__).parent))

import naive_retention as naive

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

ZONES = (
    "Europe/Zurich",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "Atlantic/Azores",
    "America/Nuuk",
    "Pacific/Apia",
    "America/St_Johns",
    "Antarctica/Casey",
    "UTC",
)
DAY = 86_400
EPOCH_DAY = date(1970, 1, 1)
EPOCH_MONDAY = date(1970, 1, 5)

thorough = settings(max_examples=20, deadline=None, derandomize=True, database=None)
costly = settings(max_examples=12, deadline=None, derandomize=True, database=None)


@dataclass(frozen=True)
class Window:
    """A stretch of real time, whole minutes, around a change of clock."""

    at: ZoneInfo
    start: int
    end: int


@st.composite
def windows(draw: st.DrawFn, *, days: int, apia: bool = True) -> Window:
    """Draw a window of so many days that holds a change of clock, where the zone has one."""
    name = draw(st.sampled_from(ZONES if apia else [n for n in ZONES if n != "Pacific/Apia"]))
    at = zone(name)
    change = draw(st.sampled_from(naive.changes_of_clock(at) or (1_772_323_200,)))
    lead = draw(st.integers(60, days * 1_440 - 60))
    start = change - change % 60 - lead * 60
    return Window(at, start, start + days * DAY)


def check(cadence: calendar.Cadence, window: Window, expected: list[int], asked: list[int]) -> None:
    """Fail where `after`, `following` or `latest` differ from the expected due times."""
    at, end = window.at, window.end
    found = list(takewhile(lambda due: due < end, cadence.after(window.start - 1, at)))
    assert found == expected
    few = expected[:: max(1, len(expected) // 24)]
    for moment in {*asked, *few, *(due - 1 for due in few), *(due + 1 for due in few)}:
        known = bisect_right(expected, moment)
        if known > 0:
            assert cadence.latest(moment, at) == expected[known - 1]
        if known < len(expected) and moment >= window.start - 1:
            assert cadence.following(moment, at) == expected[known]


@thorough
@given(
    window=windows(days=2),
    minutes=st.sampled_from([n for n in range(1, 1_440) if 1_440 % n == 0]),
    asked=st.lists(st.integers(0, 2 * DAY - 1), max_size=10),
)
def test_a_cadence_under_a_day_counts_from_midnight_on_the_wall(
    window: Window, minutes: int, asked: list[int]
) -> None:
    """Multiples from 00:00, in both passes of a repeated hour, skipped ones right after the gap."""
    expected = naive.due_every(minutes, window.start, window.end, window.at)
    moments = [window.start + shift for shift in asked]
    check(calendar.every(f"{minutes}m"), window, expected, moments)


@costly
@given(
    window=windows(days=9),
    days=st.integers(1, 4),
    clock=st.one_of(st.none(), st.tuples(st.integers(0, 3), st.integers(0, 59))),
)
@example(Window(zone("Pacific/Apia"), 1_325_000_040, 1_325_700_000), 2, None)
@example(Window(zone("America/St_Johns"), 1_288_700_040, 1_289_300_040), 1, (23, 30))
@example(Window(zone("America/St_Johns"), 1_288_700_040, 1_289_300_040), 1, (0, 0))
def test_whole_days_count_from_the_epoch(
    window: Window, days: int, clock: tuple[int, int] | None
) -> None:
    """`Nd` counts from 1970-01-01, at the day's first instant or at `at`, once a counted day."""
    span = (window.start, window.end)
    if clock is None:
        cadence = calendar.every(f"{days}d")
        expected = naive.day_begins(days, EPOCH_DAY, span, window.at)
    else:
        cadence = calendar.every(f"{days}d", f"{clock[0]:02}:{clock[1]:02}")
        expected = naive.due_days(days, EPOCH_DAY, clock, span, window.at)
    check_whole(cadence, window, expected)


def check_whole(cadence: calendar.Cadence, window: Window, expected: list[int]) -> None:
    """Check all but the window's first day, whose first minute or first pass it may not show."""
    inner = Window(window.at, window.start + DAY + 7_200, window.end)
    check(cadence, inner, [due for due in expected if due >= inner.start], [])


@costly
@given(
    window=windows(days=17),
    weeks=st.integers(1, 2),
    weekday=st.one_of(st.none(), st.integers(0, 6)),
    clock=st.tuples(st.integers(0, 3), st.sampled_from((0, 15, 30, 59))),
)
def test_whole_weeks_count_from_the_first_monday(
    window: Window, weeks: int, weekday: int | None, clock: tuple[int, int]
) -> None:
    """`Nw` counts from Monday 1970-01-05; `at` names the weekday of such a week and the time."""
    span = (window.start, window.end)
    if weekday is None:
        cadence = calendar.every(f"{weeks}w")
        expected = naive.day_begins(weeks * 7, EPOCH_MONDAY, span, window.at)
    else:
        name = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[weekday]
        cadence = calendar.every(f"{weeks}w", f"{name} {clock[0]}:{clock[1]:02}")
        anchor = date(1970, 1, 5 + weekday)
        expected = naive.due_days(weeks * 7, anchor, clock, span, window.at)
    check_whole(cadence, window, expected)


def terms(low: int, high: int) -> st.SearchStrategy[str]:
    """Draw one cron field: a star, a step, a number, a range, or a list."""
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    step = st.integers(1, 31)
    term = st.one_of(
        number.map(str),
        span,
        st.tuples(span, step).map(lambda two: f"{two[0]}/{two[1]}"),
        st.tuples(number, step).map(lambda two: f"{two[0]}/{two[1]}"),
    )
    return st.one_of(
        st.just("*"),
        step.map(lambda n: f"*/{n}"),
        term,
        st.lists(term, min_size=2, max_size=3).map(",".join),
    )


days_of = st.one_of(
    st.just("* * *"),
    st.just("* * 1-5"),
    st.tuples(terms(1, 31), terms(1, 12), terms(0, 6)).map(" ".join),
    st.tuples(terms(1, 28), st.just("*"), terms(0, 7)).map(" ".join),
)
clocks_of = st.one_of(
    st.tuples(terms(0, 59), terms(0, 23)).map(" ".join),
    st.tuples(terms(0, 59), terms(0, 3)).map(" ".join),
)
crons = st.tuples(clocks_of, days_of).map(" ".join)


def read(text: str) -> calendar.Cron:
    """Read an expression, and drop an example without any day."""
    try:
        return calendar.cron(text)
    except ValueError:
        days = range(date(2001, 1, 1).toordinal(), date(2029, 1, 1).toordinal())
        assert not any(naive.cron_day(text, date.fromordinal(day)) for day in days)
        assume(condition=False)
        raise


@thorough
@given(window=windows(days=3, apia=False), text=crons)
@example(Window(zone("Australia/Lord_Howe"), 1_601_600_400, 1_601_780_400), "*/15 3 * * *")
@example(Window(zone("America/St_Johns"), 1_289_000_040, 1_289_150_040), "*/30 * * * 6")
@example(Window(zone("America/St_Johns"), 1_289_000_040, 1_289_150_040), "30 23,0 * * *")
@example(Window(zone("America/Sao_Paulo"), 1_541_210_400, 1_541_383_200), "0 0 * * 0")
@example(Window(zone("Europe/Zurich"), 1_774_738_800, 1_774_825_200), "0,30 2 * * *")
@example(Window(zone("Europe/Zurich"), 1_774_738_800, 1_774_825_200), "0,30 */2 * * *")
def test_cron_keeps_time_as_debians_does(window: Window, text: str) -> None:
    """A fixed time runs once, right after a gap; with a star cron follows the clock.

    Apia's skipped day is left out: Debian gives up on changes of three hours or more.
    """
    cadence = read(text)
    expected = naive.due_cron(text, window.start, window.end, window.at)
    check(cadence, window, expected, [])


few_minutes = st.tuples(
    st.one_of(terms(0, 59).filter(lambda t: len(naive.field_values(t, 0, 59)) <= 6)),
    st.one_of(terms(0, 23).filter(lambda t: len(naive.field_values(t, 0, 23)) <= 6)),
).map(" ".join)
sparse = st.tuples(few_minutes, days_of).map(" ".join)
spans = st.one_of(
    st.integers(1, 3 * 1_440).map(lambda n: n * 60),
    st.integers(1, 400 * 24).map(lambda n: n * 3_600),
    st.sampled_from((DAY, 7 * DAY, 28 * DAY, 365 * DAY, 366 * DAY, 400 * DAY)),
)


def due_minutes(text: str, *, years: int, more: int = 0) -> list[int]:
    """Return every due minute of so many years in UTC from 2001, and of `more` days."""
    first, last = date(2001, 1, 1).toordinal(), date(2001 + years, 1, 1).toordinal() + more
    minutes = naive.cron_minutes(text)
    return [
        day * 1_440 + minute
        for day in range(first, last)
        if naive.cron_day(text, date.fromordinal(day))
        for minute in minutes
    ]


@costly
@given(text=sparse, several=st.lists(spans, min_size=1, max_size=5))
@example("0 8-18 * * 1-5", [2 * DAY, 7 * DAY, 3_600, 90_000])
@example("30 2 13 * 5", [28 * DAY, 40 * DAY, 400 * DAY])
@example("0 0 29 2 *", [DAY, 400 * DAY])
@example("59 23 31 * *", [31 * DAY, 60])
@example("0,59 0,23 */10 * *", [120, 86_340, 86_400, 86_460])
def test_the_most_in_a_span_and_the_longest_gap_are_counted_right(
    text: str, several: list[int]
) -> None:
    """Both equal what a list of every due time of 28 years in UTC shows."""
    cadence = read(text)
    dues = due_minutes(text, years=28, more=401)
    for span in several:
        assert cadence.most_in(span) == naive.most_due_times(dues, span // 60)
    whole = due_minutes(text, years=28)
    around = [*whole, whole[0] + 10_227 * 1_440]
    assert cadence.longest_gap == max(b - a for a, b in pairwise(around)) * 60


@thorough
@given(
    text=st.one_of(
        st.sampled_from([f"{n}m" for n in range(1, 1_440) if 1_440 % n == 0]),
        st.integers(1, 40).map(lambda n: f"{n}d"),
        st.integers(1, 8).map(lambda n: f"{n}w"),
    ),
    minutes=st.integers(1, 400 * 1_440),
)
def test_a_regular_cadence_is_counted_right(text: str, minutes: int) -> None:
    """`most_in` and `longest_gap` of `every` equal what a list of due times shows."""
    cadence = calendar.every(text)
    step = cadence.interval // 60
    dues = range(0, minutes + 2 * step, step)
    assert cadence.most_in(minutes * 60) == naive.most_due_times(dues, minutes)
    assert cadence.longest_gap == step * 60


@pytest.mark.parametrize("text", ["* * 1 * *", "* * * 1 *", "* * 1-7 * 1", "*/7 * 13 * 5"])
def test_the_worst_expressions_are_counted_without_walking(text: str) -> None:
    """A span of 400 days of every minute is computed from a day's pattern, not from its minutes."""
    first = date(2001, 1, 1).toordinal()
    days = [
        day
        for day in range(first, first + 10_227 + 401)
        if naive.cron_day(text, date.fromordinal(day))
    ]
    started = process_time()
    best = calendar.cron(text).most_in(400 * DAY)
    assert process_time() - started < 1
    assert best == naive.most_due_times(days, 400) * len(naive.cron_minutes(text))
