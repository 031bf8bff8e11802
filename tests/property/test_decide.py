"""What is told, over random histories of states: never silent, never twice, always the end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.notify.decide import Condition, Message, Scope, Told, decide

HOUR = 3600
DAY = 24 * HOUR
EVENTS = ("unknown", "missing", "blocked", "late", "drifted", "failure")
THINGS = ("share:a", "share:b")

histories = st.lists(
    st.tuples(
        st.integers(1, 30 * HOUR),
        st.booleans(),
        st.dictionaries(st.sampled_from(THINGS), st.sampled_from(EVENTS)),
    ),
    max_size=25,
)


def _step(
    told: tuple[Told, ...], states: dict[str, str], *, read: bool, now: int
) -> tuple[tuple[Message, ...], tuple[Told, ...]]:
    conditions = (
        [Condition(event, "box", thing, f"box/{thing}") for thing, event in states.items()]
        if read
        else [Condition("unknown", "box", "", "box")]
    )
    scope = Scope(
        frozenset({"box"}),
        frozenset({"box"}) if read else frozenset(),
        states={("box", t): states.get(t, "compliant") for t in THINGS} if read else {},
    )
    return decide(conditions, told, scope=scope, now=now, wants=lambda _: True)


@given(histories)
def test_every_state_is_told_once_a_day_at_most_and_at_least(
    history: list[tuple[int, bool, dict[str, str]]],
) -> None:
    """Whatever stands was told within the last day, and nothing new twice within a day."""
    told: tuple[Told, ...] = ()
    now = 0
    for passed, read, states in history:
        now += passed
        before = {(one.thing, one.event): one for one in told}
        messages, told = _step(told, states, read=read, now=now)
        standing = set(states.items()) if read else {("", "unknown")}
        after = {(one.thing, one.event): one for one in told}
        for key in standing:
            assert now - after[key].last < DAY
            known = before.get(key)
            fresh = known is None or now - known.last >= DAY
            assert (after[key].last == now) == fresh
            assert any(m.event == key[1] for m in messages) or not fresh
        ended = before.keys() - after.keys()
        assert ended <= before.keys() - standing
        assert any(m.event == "recovered" for m in messages) == bool(ended)


@given(histories)
def test_what_is_well_again_leaves_nothing_told(
    history: list[tuple[int, bool, dict[str, str]]],
) -> None:
    """After any history, one pass in which all is well ends everything; the next says nothing."""
    told: tuple[Told, ...] = ()
    now = 0
    for passed, read, states in history:
        now += passed
        _, told = _step(told, states, read=read, now=now)
    messages, after = _step(told, {}, read=True, now=now + 1)
    assert after == ()
    assert {m.event for m in messages} <= {"recovered"}
    assert bool(messages) == bool(told)
    assert _step(after, {}, read=True, now=now + 2) == ((), ())


@given(histories)
def test_a_unit_that_cannot_be_read_ends_nothing(
    history: list[tuple[int, bool, dict[str, str]]],
) -> None:
    """While a unit is unread none of its targets is said to have recovered (P16)."""
    told: tuple[Told, ...] = ()
    now = 0
    for passed, read, states in history:
        now += passed
        before = {(one.thing, one.event) for one in told if one.thing}
        messages, told = _step(told, states, read=read, now=now)
        if not read:
            assert before <= {(one.thing, one.event) for one in told}
            assert all(m.event != "recovered" for m in messages)


def test_a_state_behind_a_worse_one_is_not_over() -> None:
    """A target that was late and is now blocked has not recovered from being late."""
    _, told = _step((), {"share:a": "late"}, read=True, now=0)
    messages, told = _step(told, {"share:a": "blocked"}, read=True, now=HOUR)
    assert [m.event for m in messages] == ["blocked"]
    messages, told = _step(told, {"share:a": "late"}, read=True, now=2 * HOUR)
    assert [m.title for m in messages] == ["RECOVERED  box/share:a"]
    messages, told = _step(told, {}, read=True, now=3 * HOUR)
    assert messages[0].body == "After 3 h late."


def test_equal_events_of_a_unit_are_one_message() -> None:
    """Two shares that are late at once are one message that names both."""
    messages, _ = _step((), dict.fromkeys(THINGS, "late"), read=True, now=0)
    assert [m.title for m in messages] == ["LATE  box: 2 of them"]
    assert all(thing in messages[0].body for thing in THINGS)


def test_suspended_is_told_weekly() -> None:
    """A suspension is told again after a week, not after a day."""
    _, told = _step((), {"share:a": "suspended"}, read=True, now=0)
    assert _step(told, {"share:a": "suspended"}, read=True, now=6 * DAY)[0] == ()
    assert len(_step(told, {"share:a": "suspended"}, read=True, now=7 * DAY)[0]) == 1


def test_a_unit_without_a_pass_yet_is_not_judged() -> None:
    """After a restart nothing is over before the unit had a pass."""
    _, told = _step((), {"share:a": "late"}, read=True, now=0)
    scope = Scope(frozenset(), frozenset())
    assert decide([], told, scope=scope, now=1, wants=lambda _: True) == ((), told)
