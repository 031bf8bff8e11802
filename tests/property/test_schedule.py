"""The schedule over random rhythms, failures and due times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.daemon.schedule import Ended, Rhythm, back_off, next_pass, offset

rhythms = st.builds(Rhythm, st.integers(1, 86_400), st.integers(0, 600))
names = st.text(min_size=1, max_size=20)
nows = st.floats(1_700_000_000, 1_900_000_000)
spreads = st.floats(0, 1, exclude_max=True)


@given(names, rhythms, nows, spreads, st.integers(0, 500), st.none() | st.floats(-9e5, 9e5))
def test_the_next_pass_lies_ahead_and_not_too_far(
    nas: str, rhythm: Rhythm, now: float, spread: float, failures: int, ahead: float | None
) -> None:
    """A pass always comes, later than now, at most an interval and jitter or a back-off away."""
    ended = Ended(failures, None if ahead is None else now + ahead)
    when = next_pass(nas, rhythm, ended, now=now, spread=spread)
    assert when > now
    longest = 600 * 1.1 if failures else rhythm.interval + rhythm.jitter
    assert when - now <= longest + 1e-3


@given(names, rhythms, nows, spreads, st.floats(0.1, 9e5))
def test_what_falls_due_is_not_slept_through(
    nas: str, rhythm: Rhythm, now: float, spread: float, ahead: float
) -> None:
    """With something due ahead, a pass begins at the latest six seconds after it."""
    when = next_pass(nas, rhythm, Ended(0, now + ahead), now=now, spread=spread)
    assert when <= now + ahead + 6 + 1e-3
    regular = next_pass(nas, rhythm, Ended(), now=now, spread=spread)
    assert when == regular or when > now + ahead


@given(names, rhythms, nows, nows)
def test_a_unit_keeps_its_second_of_the_interval(
    nas: str, rhythm: Rhythm, first: float, second: float
) -> None:
    """Without jitter every regular pass of a unit lies at the same offset, whenever asked."""
    phases = {
        round(next_pass(nas, rhythm, Ended(), now=now, spread=0)) % rhythm.interval
        for now in (first, second)
    }
    assert phases == {offset(nas, rhythm.interval)}


def test_back_off_is_the_one_of_the_design() -> None:
    """1, 1, 2, 3, 5 … and never more than 600 s, however long a unit is away."""
    waits = [back_off(number) for number in range(1, 40)]
    assert waits[:8] == [1, 1, 2, 3, 5, 8, 13, 21]
    assert waits == sorted(waits)
    assert waits[-1] == 600


def test_units_are_spread_over_the_interval() -> None:
    """A hundred units do not begin at one second: every tenth of the interval has some."""
    tenths = {offset(f"nas-{number}", 300) // 30 for number in range(100)}
    assert tenths == set(range(10))


@pytest.mark.parametrize("failures", [1, 2, 7, 30])
def test_a_due_time_does_not_break_the_back_off(failures: int) -> None:
    """A unit that cannot be reached is not asked more often because something is due there."""
    ended = Ended(failures, 1_800_000_000.5)
    when = next_pass("a", Rhythm(300, 30), ended, now=1_800_000_000.0, spread=0)
    assert when == 1_800_000_000.0 + back_off(failures)
