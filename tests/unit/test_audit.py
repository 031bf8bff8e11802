"""The records of a pass: what was meant before, what was seen after, who and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from reconciler.audit import Audit, Ended, Who
from reconciler.planning.plan import Create, Delete
from reconciler.store import Store, Wanted, open_store
from reconciler.trail import verify

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))

import plans

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """A clock that stands."""

    def time(self) -> float:
        """Return Mon 23 Nov 2026 12:00 in Zurich."""
        return float(plans.NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open an empty store."""
    with open_store("sqlite:///state.db", tmp_path) as opened:
        yield opened


def audit(store: Store) -> Audit:
    """Return the trail of a pass of ops on the unit attic."""
    who = Who("command line", "ops@storage-1", commit="3f9c2ab", author="storage team")
    return Audit(store, Clock(), nas="attic", serial="S1", run="r1", who=who, revision="3f9c2ab",
                 plan="d1")  # fmt: skip


def test_an_intent_says_what_why_and_on_whose_behalf(store: Store) -> None:
    """Intent before: verb, target, parameters, reasons, the snapshot as it was; who and policy."""
    target = plans.documents()
    deletion = next(a for a in target.actions if isinstance(a.change, Delete))
    assert audit(store).intend(target, [(deletion, deletion.change)]) == (1,)
    (record,) = store.find(Wanted("attic"))
    body = record.body
    assert body["who"] == {"kind": "command line", "name": "ops@storage-1"}
    assert body["policies"] == {
        "revision": "3f9c2ab",
        "commit": "3f9c2ab",
        "author": "storage team",
    }
    assert (body["event"], body["verb"], body["plan"], body["run"]) == (
        "intent",
        "delete",
        "d1",
        "r1",
    )
    assert body["target"] == {"kind": "share", "uuid": target.uuid, "name": "documents"}
    assert body["snapshot"] == deletion.change.snapshot.name
    assert body["before"]["description"] == deletion.change.snapshot.description
    assert body["reasons"][0].startswith("beyond last 48")
    assert store.open_intents("attic") == (record,)


def test_an_outcome_answers_its_intent_with_what_was_seen(store: Store) -> None:
    """Outcome after: the result, DSM's answer, the snapshot as listed then."""
    target = plans.documents()
    creation = next(a for a in target.actions if isinstance(a.change, Create))
    trail = audit(store)
    (number,) = trail.intend(target, [(creation, creation.change)])
    made = plans.share_snapshot("2026-11-23T12:00")
    trail.ended(target, [Ended(number, "create", made.name, "done", after=made)])
    _, outcome = store.find(Wanted("attic"))
    assert (outcome.body["intent"], outcome.body["result"]) == (1, "done")
    assert outcome.body["after"]["name"] == made.name
    assert store.open_intents("attic") == ()
    assert verify(store.find(Wanted()), {})[1] == []


def test_what_waits_is_recorded_with_its_stops(store: Store) -> None:
    """A brake that stops deletions is a record too, with how many it stops."""
    audit(store).stopped(plans.attic(), "7c1f")
    (record,) = store.find(Wanted(event="stopped"))
    assert record.body["waiting"] == {"brake-target": 24}
    assert record.body["digest"] == "7c1f"


def test_each_record_is_a_log_event_too(store: Store) -> None:
    """Each record is emitted as a structured log event with the same fields."""
    with capture_logs() as logs:
        audit(store).note("paused", reason="rebuild")
        target = plans.documents()
        creation = next(a for a in target.actions if isinstance(a.change, Create))
        audit(store).intend(target, [(creation, creation.change)])
    assert [entry["event"] for entry in logs] == ["audit.paused", "create.intent"]
    assert logs[0]["reason"] == "rebuild"
    assert logs[1]["number"] == 2
