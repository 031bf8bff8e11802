"""The `keep` rules against a naive second implementation, and what must hold for any history."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import calendar
from reconciler.calendar import Period, period_start
from reconciler.retention import ALL, Keep, Kept, Pick, select
from reconciler.zones import zone

sys.path.insert(0, str(Path(__file__).parent))

import naive_retention as naive

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random
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
STEPS = (300, 900, 3_600, 7_200, 21_600, 86_400, 604_800, 2_678_400)
DAY = 86_400
PERIODS = tuple(period.value for period in Period)

steady = settings(max_examples=250, deadline=None, derandomize=True, database=None)


@st.composite
def histories(draw: st.DrawFn, zones: Sequence[str] = ZONES) -> tuple[ZoneInfo, list[int]]:
    """Draw a zone and a history around one of its changes of clock."""
    at = zone(draw(st.sampled_from(zones)))
    middle = draw(st.sampled_from(naive.changes_of_clock(at) or (1_772_323_200,)))
    step = draw(st.sampled_from(STEPS))
    count = draw(st.integers(0, 60))
    begin = middle - step * draw(st.integers(0, count + 2)) + draw(st.integers(-3_600, 3_600))
    jitter = draw(st.integers(0, 59))
    random = draw(st.randoms(use_true_random=False))
    times = [begin + step * n + random.randint(0, jitter) for n in range(count)]
    outage, length = draw(st.integers(0, 60)), draw(st.integers(0, 30))
    del times[outage : outage + length]
    burst = draw(st.lists(st.integers(-10_800, 10_800), max_size=25))
    times += [middle + shift for shift in burst]
    times += draw(st.lists(st.sampled_from(times), max_size=4)) if times else []
    return at, sorted(times)


counts_of = st.one_of(st.just(0), st.integers(1, 8), st.just(ALL), st.integers(9, 60))
withins = st.one_of(st.just(0), st.sampled_from((3_600, 7_200, 86_400, 604_800, 31_536_000)))
keeps = st.builds(Keep, last=counts_of, within=withins, **dict.fromkeys(PERIODS, counts_of))
picks = st.sampled_from(Pick)


def moments_of(times: Sequence[int], at: ZoneInfo) -> list[datetime]:
    """Return the instants as the naive implementation reads them: aware wall clocks."""
    return [datetime.fromtimestamp(t, at) for t in times]


def counts(keep: Keep) -> dict[str, int]:
    """Return the counted rules that are not 0, with restic's sign for `all`."""
    found = {name: getattr(keep, name) for name in ("last", *PERIODS)}
    return {name: naive.ALL if n == ALL else n for name, n in found.items() if n}


@steady
@given(history=histories(), keep=keeps, pick=picks, at_least=st.integers(0, 30))
def test_both_implementations_keep_the_same_by_the_same_rules(
    history: tuple[ZoneInfo, list[int]], keep: Keep, pick: Pick, at_least: int
) -> None:
    """What the rules keep, and by which rule, is what the policy language says word for word."""
    at, times = history
    chosen = select(times, keep, pick=pick, zone=at, within_at_least=at_least)
    expected = naive.select(
        moments_of(times, at),
        counts(keep),
        latest=pick is Pick.LATEST,
        within=timedelta(seconds=keep.within) if keep.within else None,
        at_least=at_least,
    )
    assert naive.kept_rules(chosen.reasons) == expected


@steady
@given(data=st.data(), pick=picks, count=st.integers(1, 4), period=st.sampled_from(Period))
def test_a_date_that_comes_twice_is_one_day(
    data: st.DataObject, pick: Pick, count: int, period: Period
) -> None:
    """Where the clock goes back over midnight both stretches of a date are the same period."""
    at = zone(data.draw(st.sampled_from(("America/St_Johns", "Antarctica/Casey"))))
    change = data.draw(st.sampled_from(naive.changes_of_clock(at)))
    minutes = data.draw(st.lists(st.integers(-70, 70), min_size=2, max_size=8))
    days = data.draw(st.lists(st.integers(-40, 3), max_size=3))
    times = sorted([change + 60 * n for n in minutes] + [change + DAY * n + 1 for n in days])
    chosen = select(times, Keep(**{period.value: count}), pick=pick, zone=at)
    assert naive.kept_rules(chosen.reasons) == naive.select(
        moments_of(times, at), {period.value: count}, latest=pick is Pick.LATEST
    )


@steady
@given(history=histories(), data=st.data(), at_least=st.integers(0, 3))
def test_within_is_strictly_younger_than_the_newest_less_the_span(
    history: tuple[ZoneInfo, list[int]], data: st.DataObject, at_least: int
) -> None:
    """A snapshot exactly as old as the span goes, one a second younger stays."""
    at, times = history
    ages = sorted({times[-1] - t for t in times} - {0}) if times else []
    span = data.draw(st.sampled_from(ages or [1])) + data.draw(st.sampled_from((0, 0, 1)))
    chosen = select(times, Keep(within=span), pick=Pick.EARLIEST, zone=at, within_at_least=at_least)
    expected = naive.keep_within(moments_of(times, at), timedelta(seconds=span), at_least)
    assert set(chosen.reasons) == expected


@steady
@given(history=histories(), keep=keeps)
def test_pick_latest_outside_a_repeated_hour_is_restic(
    history: tuple[ZoneInfo, list[int]], keep: Keep
) -> None:
    """With `pick: latest` the rules select what restic's forget selects for the same counts."""
    at, times = history
    offsets: dict[tuple[object, int], set[timedelta | None]] = {}
    for moment in moments_of(times, at):
        offsets.setdefault((moment.date(), moment.hour), set()).add(moment.utcoffset())
    once = [
        t
        for t, moment in zip(times, moments_of(times, at), strict=True)
        if len(offsets[moment.date(), moment.hour]) == 1
    ]
    dates = [moment.date() for moment in moments_of(once, at)]
    if dates != sorted(dates):  # a date that came twice is a repeated hour, too
        return
    keep = replace(keep, quarterly=0, within=0)
    chosen = select(once, keep, pick=Pick.LATEST, zone=at)
    assert naive.kept_rules(chosen.reasons) == naive.restic_forget(
        moments_of(once, at), counts(keep)
    )


@steady
@given(history=histories(), keep=keeps, more=keeps, pick=picks)
def test_more_keep_never_keeps_less(
    history: tuple[ZoneInfo, list[int]], keep: Keep, more: Keep, pick: Pick
) -> None:
    """A policy whose every count is at least as high keeps at least the same snapshots."""
    at, times = history
    rules = ("last", "within", *PERIODS)
    larger = Keep(**{rule: max(getattr(keep, rule), getattr(more, rule)) for rule in rules})
    small = select(times, keep, pick=pick, zone=at, within_at_least=3)
    large = select(times, larger, pick=pick, zone=at, within_at_least=3)
    assert set(small.reasons) <= set(large.reasons)


@steady
@given(history=histories(), keep=keeps, gap=st.integers(0, 90_000))
def test_a_newer_snapshot_never_takes_the_place_of_an_older_one(
    history: tuple[ZoneInfo, list[int]], keep: Keep, gap: int
) -> None:
    """With `pick: earliest` what stands for a period stands for it as long as the period counts."""
    at, times = history
    before = select(times, keep, pick=Pick.EARLIEST, zone=at)
    newer = [*times, (times[-1] if times else 0) + gap]
    after = select(newer, keep, pick=Pick.EARLIEST, zone=at)
    for period, standing in before.standing.items():
        for start, position in standing.items():
            assert after.standing[period].get(start, position) == position


@steady
@given(history=histories(), keep=keeps, pick=picks, at_least=st.integers(0, 30))
def test_the_reasons_against_a_victim_are_true(
    history: tuple[ZoneInfo, list[int]], keep: Keep, pick: Pick, at_least: int
) -> None:
    """Each victim is told for each rule who stands for its period, or that it is out of reach."""
    at, times = history
    moments = moments_of(times, at)
    chosen = select(times, keep, pick=pick, zone=at, within_at_least=at_least)
    active = [rule for rule in ("last", "within", *PERIODS) if getattr(keep, rule)]
    for position in set(range(len(times))) - set(chosen.reasons):
        said = chosen.displaced(position)
        assert [against.rule for against in said] == active
        assert [against.count for against in said] == [getattr(keep, rule) for rule in active]
        assert len(times) - position > max(keep.last, at_least if keep.within else 0)
        assert not keep.within or times[-1] - times[position] >= keep.within
        for against in said:
            if against.rule in PERIODS:
                check_period(chosen, moments, position=position, rule=against.rule, pick=pick)


def check_period(
    chosen: Kept, moments: Sequence[datetime], *, position: int, rule: str, pick: Pick
) -> None:
    """Fail where the word on one period rule is not what the history shows."""
    said = next(one for one in chosen.displaced(position) if one.rule == rule)
    key = naive.KEYS[rule]
    standing = {
        key(moments[other]): other
        for other, reasons in chosen.reasons.items()
        for reason in reasons
        if reason.rule == rule and not reason.oldest
    }
    assert said.period == period_start(Period(rule), chosen.times[position], chosen.zone)
    assert said.kept_by == standing.get(key(moments[position]))
    if said.kept_by is None:
        assert len(standing) == said.count, "beyond reach only where the count is used up"
        newer = {key(m) for m in moments[position:]} - {key(moments[position])}
        assert len(newer) >= said.count
    else:
        earlier = said.kept_by < position
        assert earlier is (pick is Pick.EARLIEST)


@steady
@given(history=histories(), keep=keeps, pick=picks)
def test_reasons_count_from_the_newest_and_name_the_period(
    history: tuple[ZoneInfo, list[int]], keep: Keep, pick: Pick
) -> None:
    """A rule's ordinals run 1, 2, 3 … from the newest, and a reason names its period's start."""
    at, times = history
    chosen = select(times, keep, pick=pick, zone=at, within_at_least=2)
    for rule in ("last", "within", *PERIODS):
        found = sorted(
            (reason.ordinal, position, reason)
            for position, reasons in chosen.reasons.items()
            for reason in reasons
            if reason.rule == rule
        )
        assert [ordinal for ordinal, _, _ in found] == list(range(1, len(found) + 1))
        for ordinal, position, reason in found:
            assert reason.count == getattr(keep, rule)
            assert rule == "within" or ordinal <= reason.count
            assert reason.oldest is (rule in PERIODS and reason.period is None)
            if reason.period is not None:
                assert reason.period == period_start(Period(rule), times[position], at)
            if reason.oldest:
                assert position == 0
                assert pick is Pick.LATEST


@steady
@given(history=histories(), period=st.sampled_from(Period))
def test_a_period_begins_at_its_first_instant(
    history: tuple[ZoneInfo, list[int]], period: Period
) -> None:
    """The start of a period is in it and the second before is not; equal keys, equal starts."""
    at, times = history
    key = naive.KEYS[period.value]
    starts: dict[naive.Key, int] = {}
    for instant in times:
        start = period_start(period, instant, at)
        mine = key(datetime.fromtimestamp(instant, at))
        assert start <= instant
        assert key(datetime.fromtimestamp(start, at)) == mine
        assert key(datetime.fromtimestamp(start - 1, at)) != mine
        assert starts.setdefault(mine, start) == start


CADENCES = (
    calendar.every("15m"),
    calendar.every("1h"),
    calendar.every("45m"),
    calendar.every("8h"),
    calendar.every("1d"),
    calendar.every("1d", "02:30"),
    calendar.every("1w", "sun 02:30"),
    calendar.cron("0 8-18 * * 1-5"),
    calendar.cron("*/30 * * * *"),
    calendar.cron("30 2 * * *"),
)
LIVED = 80
modest = st.one_of(st.just(0), st.integers(1, 6), st.just(ALL))
small_keeps = st.builds(
    Keep,
    last=modest,
    within=st.sampled_from((0, 3_600, 21_600, 86_400, 259_200)),
    **dict.fromkeys(PERIODS, modest),
)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    name=st.sampled_from(ZONES),
    cadence=st.sampled_from(CADENCES),
    keep=small_keeps.filter(lambda keep: not keep.empty),
    pick=picks,
    random=st.randoms(use_true_random=False),
)
def test_one_creation_displaces_at_most_one_snapshot_a_rule(
    *,
    name: str,
    cadence: calendar.Cadence,
    keep: Keep,
    pick: Pick,
    random: Random,
) -> None:
    """A creation at every due time displaces one snapshot a period rule, `Keep.weight` in all."""
    at = zone(name)
    change = random.choice(naive.changes_of_clock(at) or (1_772_323_200,))
    begin = change - random.randint(0, LIVED) * max(900, cadence.longest_gap // 4)
    at_least = cadence.most_in(keep.within) if keep.within else 0
    alive: list[int] = []
    rules: dict[int, set[str]] = {}
    for due, _ in zip(cadence.after(begin, at), range(LIVED), strict=False):
        alive.append(due + random.randint(0, 59))
        chosen = select(alive, keep, pick=pick, zone=at, within_at_least=at_least)
        found = {alive[n]: names for n, names in naive.kept_rules(chosen.reasons).items()}
        for rule in PERIODS:
            assert sum(rule in rules[t] and rule not in found.get(t, ()) for t in rules) <= 1
        assert len(set(rules) - set(found)) <= keep.weight
        alive = [t for t in alive if t in found or alive[-1] - t <= 3_600]
        rules = found
