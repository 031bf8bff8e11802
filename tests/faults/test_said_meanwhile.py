"""What a person says while a pass is under way: heeded before the next write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import scenes

from reconciler.execute.outcome import Result
from reconciler.model import Kind
from reconciler.orders import Orders, Pause, RunTimeHold

if TYPE_CHECKING:
    from pathlib import Path

    from bench import Bench

    from reconciler.execute import UnitOutcome


def pass_with(bench: Bench, said: Orders, after: str, count: int = 1) -> UnitOutcome:
    """Make a pass; `said` stands from right after the first call of the method `after`."""
    met: list[str] = []

    def before(method: str) -> None:
        met.append(method)

    bench.line.before = before
    bench.orders = lambda: said if met.count(after) >= count else Orders()
    _, outcome = bench.run()
    assert outcome is not None
    return outcome


def pause(*, deletes_only: bool) -> Orders:
    """Return a pause that ann said."""
    return Orders(pauses=(Pause("nas-1", deletes_only, "disk swap", "ann", 0),))


def done(outcome: UnitOutcome) -> list[str]:
    """Return the verbs of what was done."""
    return [o.action.verb for o in outcome.outcomes if o.result is Result.DONE]


def test_a_pause_stops_the_next_write(tmp_path: Path) -> None:
    """A pause that appears after a write lets that one be verified, and nothing more be sent."""
    bench = scenes.bench(tmp_path)
    outcome = pass_with(bench, pause(deletes_only=False), "create")
    assert done(outcome) == ["create"]
    assert "paused by ann since Thu 1 Jan 01:00: disk swap; 1 target was left" in outcome.problem
    assert outcome.next_step == "reconcile resume --nas nas-1"
    assert len(bench.trail.bodies("intent")) == len(bench.trail.bodies("outcome")) == 1


def test_a_pause_before_the_first_write(tmp_path: Path) -> None:
    """A pause between plan and first write: nothing is sent at all, and no intent is recorded."""
    bench = scenes.bench(tmp_path)
    outcome = pass_with(bench, pause(deletes_only=False), "no such call", count=0)
    assert done(outcome) == []
    assert bench.trail.bodies("intent") == []


def test_a_pause_of_deletions_lets_the_rest_go_on(tmp_path: Path) -> None:
    """A pause of deletions in the middle stops those alone: both targets get their snapshot."""
    bench = scenes.bench(tmp_path)
    before = {s.name for t in (bench.nas.share("alpha"), *bench.nas.luns) for s in t.snapshots}
    outcome = pass_with(bench, pause(deletes_only=True), "create")
    assert sorted(set(done(outcome))) == ["create", "set_attr", "sync"]
    assert done(outcome).count("create") == 2
    after = {s.name for t in (bench.nas.share("alpha"), *bench.nas.luns) for s in t.snapshots}
    assert before <= after
    kept = [o for o in outcome.outcomes if o.action.verb == "delete"]
    assert {(o.result, o.detail) for o in kept} == {(Result.SKIPPED, "stopped meanwhile: paused")}


def hold(bench: Bench, name: str) -> Orders:
    """Return a hold of one snapshot of alpha."""
    share = bench.nas.share("alpha")
    return Orders(holds=(
        RunTimeHold("1", "nas-1", Kind.SHARE, share.uuid, "alpha", name, "case 7", "ann", 0),
    ))  # fmt: skip


def test_a_hold_protects_at_the_next_reading(tmp_path: Path) -> None:
    """A hold of a victim that appears during the pass keeps it; the other victims go."""
    bench = scenes.bench(tmp_path)
    looked, _ = bench._pass(None)
    victims = [a.snapshot.name for t in looked.plan.targets for a in t.victims if a.snapshot]
    fresh = scenes.bench(tmp_path)
    outcome = pass_with(fresh, hold(fresh, victims[0]), "create")
    kept = {s.name for s in fresh.nas.share("alpha").snapshots}
    assert victims[0] in kept
    assert victims[1] not in kept
    told = [o.detail for o in outcome.outcomes if o.name == victims[0]]
    assert told == ["no longer a victim"]


def test_a_hold_between_reading_and_deletion(tmp_path: Path) -> None:
    """A hold said after the last reading still stops the deletion: nothing of it is sent."""
    asked, kept, total = 0, 0, 1
    while asked < total:
        asked += 1
        bench = scenes.bench(tmp_path, lun=False)
        share = bench.nas.share("alpha")
        every = RunTimeHold("1", "nas-1", Kind.SHARE, share.uuid, "alpha", "", "case 7", "ann", 0)
        heard: list[Orders] = []

        def said(heard: list[Orders] = heard, at: int = asked, hold: RunTimeHold = every) -> Orders:
            heard.append(Orders(holds=(hold,)) if len(heard) + 1 == at else Orders())
            return heard[-1]

        bench.orders = said
        before = {s.name for s in share.snapshots}
        _, outcome = bench.run()
        assert outcome is not None
        total = len(heard)
        if any(o.detail == "on hold since: run-time-1, case 7" for o in outcome.outcomes):
            kept += 1
            assert before <= {s.name for s in share.snapshots}
    assert kept == 1, "exactly one asking stands between the reading and the deletion"
