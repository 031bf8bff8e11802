"""Trail, orders and history in the store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.memory import TargetMemory, UnitMemory
from reconciler.model import Kind
from reconciler.orders import Approval, Orders, Pause, RunTimeHold
from reconciler.store import RunRecord, Store, Wanted, open_store, schema
from reconciler.trail import Head, verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = 1_795_431_600
DAY = 86_400
TARGET = {"kind": "share", "uuid": "u-1", "name": "documents"}
APPROVAL = Approval(
    "attic", "7c1f", frozenset({("u-1", "a"), ("u-1", "b")}), ("brake-target",), NOW, NOW + DAY,
    by="ops@host", reason="STO-1",
)  # fmt: skip
HOLD = RunTimeHold("h1", "attic", Kind.SHARE, "u-1", "documents", "a", "case", "ops", NOW)
PAUSE = Pause("attic", deletes_only=True, reason="rebuild", by="ops", since=NOW, until=NOW + DAY)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open an empty store."""
    with open_store("sqlite:///state.db", tmp_path) as opened:
        yield opened


def record(event: str = "intent", **extra: object) -> dict[str, object]:
    """Return the fields of a record."""
    return {"event": event, "run": "r1", "verb": "delete", "target": TARGET, **extra}


def test_records_are_chained_in_the_order_they_were_appended(store: Store) -> None:
    """Each unit's trail is a chain of its own, verified as the store returns it."""
    store.append("attic", [record(snapshot="a"), record(snapshot="b")], NOW)
    store.append("cellar", [record()], NOW)
    store.append("attic", [record("outcome", intent=1)], NOW + 1)
    found = store.find(Wanted())
    heads, broken = verify(found, {})
    assert broken == []
    assert tuple(heads) == store.heads()
    assert [(head.nas, head.number) for head in heads] == [("attic", 3), ("cellar", 1)]
    assert found[0].body["at"] == "2026-11-23T11:00:00Z"
    assert store.heads()[0] == Head("attic", 3, found[2].digest)


def test_records_are_found_by_what_they_are_about(store: Store) -> None:
    """Filters narrow by unit, target, snapshot, event, verb, run and time; `last` takes the end."""
    store.append("attic", [record(snapshot="a"), record("outcome", snapshot="a", intent=1)], NOW)
    other = record(snapshot="b", run="r2", verb="create", target={**TARGET, "uuid": "u-2"})
    store.append("attic", [other], NOW + 10)

    def numbers(wanted: Wanted) -> list[int]:
        return [found.body["number"] for found in store.find(wanted)]

    assert numbers(Wanted("attic", uuid="u-1")) == [1, 2]
    assert numbers(Wanted("attic", snapshot="b")) == [3]
    assert numbers(Wanted(event="outcome")) == [2]
    assert numbers(Wanted(verb="create")) == [3]
    assert numbers(Wanted(run="r1")) == [1, 2]
    assert numbers(Wanted(since=NOW + 1)) == [3]
    assert numbers(Wanted(until=NOW + 1)) == [1, 2]
    assert numbers(Wanted(last=2)) == [2, 3]
    assert numbers(Wanted("cellar")) == []


def test_an_intent_is_open_until_it_has_an_end(store: Store) -> None:
    """What has neither outcome nor settlement was in doubt when the process ended."""
    store.append("attic", [record(snapshot=key) for key in "abc"], NOW)
    store.append("cellar", [record()], NOW)
    ends = [record("outcome", intent=1), record("settled", intent=3), record("stopped", intent=2)]
    store.append("attic", ends, NOW)
    assert [found.body["snapshot"] for found in store.open_intents("attic")] == ["b"]
    assert len(store.open_intents("cellar")) == 1


def test_an_approval_stands_until_it_expires(store: Store) -> None:
    """Its deletions may go for 24 hours; a second approval of one list renews it."""
    store.approve(APPROVAL)
    assert store.orders("attic", NOW).approvals == (APPROVAL,)
    assert store.orders("attic", NOW).approved == APPROVAL.victims
    assert store.orders("cellar", NOW) == Orders()
    assert store.orders("attic", NOW + DAY).approvals == ()
    again = replace(APPROVAL, given=NOW + 9, expires=NOW + DAY + 9)
    store.approve(again)
    assert store.orders("attic", NOW + DAY).approvals == (again,)


def test_what_is_granted_stays_granted(store: Store) -> None:
    """One approval settles a target's first scheduled deletion for good; twice is once."""
    first = ("u-1", "scheduled", "")
    store.grant("attic", [first, first], NOW)
    store.grant("attic", [first], NOW + 1)
    store.grant("attic", [first, ("u-1", "other-policy", "old")], NOW + 2)
    expected = frozenset({first, ("u-1", "other-policy", "old")})
    assert store.orders("attic", NOW).granted == expected
    assert store.orders("cellar", NOW).granted == frozenset()


def test_a_run_time_hold_stands_until_its_end_or_unhold(store: Store) -> None:
    """A hold with an end is over at that instant, one without when somebody ends it."""
    ending = replace(HOLD, identifier="h2", until=NOW + 10)
    store.hold(HOLD)
    store.hold(ending)
    assert set(store.orders("attic", NOW + 9).holds) == {HOLD, ending}
    assert store.orders("attic", NOW + 10).holds == (HOLD,)
    store.unhold("h1")
    assert store.orders("attic", NOW + 10).holds == ()


def test_a_pause_stands_until_its_end_or_resume(store: Store) -> None:
    """Of two pauses the one of all writes is in force; `resume` ends both."""
    wide = replace(PAUSE, deletes_only=False, until=None)
    store.pause(PAUSE)
    assert store.orders("attic", NOW).paused == PAUSE
    assert store.orders("attic", NOW + DAY).paused is None
    store.pause(wide)
    store.pause(replace(PAUSE, reason="longer"))
    found = store.orders("attic", NOW)
    assert found.paused == wide
    assert found.pauses == (wide, replace(PAUSE, reason="longer"))
    store.resume("attic")
    assert store.orders("attic", NOW).paused is None


def test_the_brake_per_24_hours_counts_what_ran_since(store: Store) -> None:
    """What passes of the last 24 hours have added counts, once a run, and no other unit's."""
    run = RunRecord("attic", "r1", NOW - 5, NOW, "rev", "done", {"delete done": 7}, braked=7)
    store.keep_run(run)
    store.keep_run(replace(run, braked=9))
    store.keep_run(replace(run, identifier="r2", ended=NOW + 100, braked=2))
    store.keep_run(replace(run, nas="cellar", braked=50))
    assert store.orders("attic", NOW + 200).braked == 11
    assert store.orders("attic", NOW + DAY).braked == 2
    assert [found.identifier for found in store.runs("attic", NOW + 1)] == ["r2"]
    assert store.runs("attic", NOW)[0] == replace(run, braked=9)


def test_changes_of_state_are_kept_once_each(store: Store) -> None:
    """A report over a period needs when each state began."""
    first = TargetMemory(Kind.SHARE, "u-1", "documents", "compliant", since=NOW)
    late = replace(first, state="late", since=NOW + 50)
    for one in (first, first, late, late, replace(first, since=NOW + 90)):
        store.keep(UnitMemory("attic", targets={one.key: one}))
    store.keep(UnitMemory("cellar", targets={first.key: first}))
    table = schema.state_change
    with store._transaction() as connection:
        found = connection.execute(table.select().order_by(table.c.nas, table.c.at)).all()
    assert [(row.nas, row.state, row.at - NOW) for row in found] == [
        ("attic", "compliant", 0), ("attic", "late", 50), ("attic", "compliant", 90),
        ("cellar", "compliant", 0),
    ]  # fmt: skip
