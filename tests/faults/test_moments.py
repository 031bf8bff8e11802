"""Due times that come up in mid-pass, and whatever else changes between two calls of a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import scenes
from test_room import ended

from reconciler.errors import Refusal
from reconciler.execute import Result
from reconciler.execute.ground import Ground
from reconciler.model import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from bench import Bench

    from reconciler.execute.ground import Sight

DONE, FAILED, SKIPPED = Result.DONE, Result.FAILED, Result.SKIPPED


def late(folder: Path) -> Bench:
    """Return the scene at 12:44, a minute before the next due time is so near that it waits."""
    bench = scenes.bench(folder)
    bench.text = scenes.POLICY.replace(", replicate: {every: 6h}", "")
    bench.nas.clock.advance(44 * 60)
    return bench


def test_a_due_time_comes_up(tmp_path: Path) -> None:
    """A creation that is skipped, as its due time is no longer the latest, is not counted on.

    Nothing is deleted or unlocked for the snapshot of the new due time, which the next pass takes.
    """
    bench = late(tmp_path)
    share = bench.nas.shares[0]
    locked = {s.name for s in share.snapshots if s.locked}
    _, outcome = bench.run(lambda: bench.nas.clock.advance(20 * 60))
    assert [o.result for o in ended(outcome, "share", "create")] == [SKIPPED]
    assert len([s for s in share.snapshots if s.at >= scenes.FIRST.timestamp()]) == 12
    assert locked <= {s.name for s in share.snapshots if s.locked}
    bench.settles()


def test_a_new_snapshot_is_deleted_at_once(tmp_path: Path) -> None:
    """A new snapshot that somebody deletes again at once is not counted on by the deletions."""
    bench = scenes.bench(tmp_path, lun=False)
    share = bench.nas.shares[0]

    def before(method: str) -> None:
        newest = share.snapshots[-1]
        if method == "set" and newest.description == scenes.mark(12, lock=True):
            share.snapshots.remove(newest)
            bench.touched.add((share.uuid, newest.name))

    def start() -> None:
        bench.line.before = before

    bench.run(start)
    marked = [s for s in share.snapshots if s.description.startswith("[reconciler/")]
    assert len([s for s in marked if s.at >= scenes.FIRST.timestamp()]) == 10


def test_a_plan_vanishes_while_it_is_called(tmp_path: Path) -> None:
    """A sync of which no attempt is seen failed, also where its plan is not there any more."""
    bench = scenes.bench(tmp_path)

    def before(method: str) -> None:
        if method == "sync":
            bench.fault("ignore", method="sync")
        elif any(request.method == "sync" for request in bench.dispatcher.requests):
            bench.nas.plans.clear()

    bench.line.before = before
    _, outcome = bench.run()
    assert [o.result for o in ended(outcome, "share", "sync")] == [FAILED]


def test_a_sync_that_failed_at_once(tmp_path: Path) -> None:
    """A sync that began and failed at once began: its attempt is seen, and it is not sent again."""
    bench = scenes.bench(tmp_path)
    bench.nas.plans[0].fail_next = 528
    bench.nas.plans[0].sync_seconds = 0
    _, outcome = bench.run()
    assert [o.result for o in ended(outcome, "share", "sync")] == [DONE]
    assert sum(request.method == "sync" for request in bench.dispatcher.requests) == 1


@pytest.mark.parametrize("verb", ["set_attr", "delete"])
def test_a_list_that_cannot_be_read(tmp_path: Path, verb: str) -> None:
    """Where the list cannot be read, what was planned on it failed; it is not told as needless."""
    bench = scenes.bench(tmp_path, lun=False)
    made = False

    def before(_method: str) -> None:
        nonlocal made
        created = any(r.method == "create" and r.code == 0 for r in bench.dispatcher.requests)
        listed = bench.dispatcher.requests[-1].method == "list" if created else False
        if created and listed and not made:
            made = True
            bench.fault(
                "short_listing", api="SYNO.Core.Share.Snapshot", method="list", after=1, times=None
            )

    bench.line.before = before
    _, outcome = bench.run()
    assert [o.result for o in ended(outcome, "share", "create")] == [DONE]
    assert {o.result for o in ended(outcome, "share", verb)} == {FAILED}


def test_an_unreadable_list_after_a_change(tmp_path: Path) -> None:
    """A change after which the list cannot be read is told so, not as refused or ignored."""
    bench = scenes.bench(tmp_path, lun=False)

    def before(method: str) -> None:
        if method == "set":
            bench.fault("short_listing", api="SYNO.Core.Share.Snapshot", method="list", times=None)

    bench.line.before = before
    _, outcome = bench.run()
    first = ended(outcome, "share", "set_attr")[0]
    assert first.result is FAILED
    assert "could not be read afterwards" in first.detail
    assert {o.result for o in ended(outcome, "share", "delete")} == {FAILED}


def test_a_swap_right_before_a_deletion(tmp_path: Path) -> None:
    """Two shares that swap their names after the listing lose nothing: the name is checked last."""
    bench = scenes.bench(tmp_path, lun=False)
    first, second = bench.nas.shares
    plans = 0

    def before(_method: str) -> None:
        nonlocal plans
        set_before = sum(request.method == "set" for request in bench.dispatcher.requests)
        if set_before == 2 and bench.dispatcher.requests[-1].api == "SYNO.DR.Plan":
            plans += 1
            if plans == 2:
                first.name, second.name = second.name, first.name

    bench.line.before = before
    _, outcome = bench.run()
    assert len([s for s in second.snapshots if s.at >= scenes.FIRST.timestamp()]) == 12
    deletions = ended(outcome, "share", "delete")
    assert deletions
    assert all("is called beta since" in o.detail for o in deletions), [o.detail for o in deletions]


def test_a_lun_snapshot_of_another_time(tmp_path: Path) -> None:
    """A LUN's snapshot whose time is another one than planned is changed, and stays."""
    bench = scenes.bench(tmp_path)
    oldest = bench.nas.luns[0].snapshots[0]

    def turn_back() -> None:
        oldest.at -= 86_400

    _, outcome = bench.run(turn_back)
    assert oldest in bench.nas.luns[0].snapshots
    details = {o.detail for o in ended(outcome, "lun", "delete") if o.result is SKIPPED}
    assert details == {"it was changed meanwhile"}


def test_a_refusal_of_our_own_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal of our own in mid-pass stops the unit, and what was done before it stays told."""
    bench = scenes.bench(tmp_path)
    plain = Ground.look

    def lost(ground: Ground, kind: Kind, uuid: str) -> Sight:
        if kind is Kind.LUN:
            raise Refusal("the lease is lost")
        return plain(ground, kind, uuid)

    monkeypatch.setattr(Ground, "look", lost)
    _, outcome = bench.run()
    assert outcome is not None
    assert outcome.problem == "the lease is lost; 0 targets were left for the next pass"
    assert {o.result for o in ended(outcome, "share", "delete")} == {DONE}
    assert {o.result for o in ended(outcome, "lun", "delete")} == {FAILED}


def test_a_name_that_a_lost_answer_left_behind(tmp_path: Path) -> None:
    """A LUN snapshot of our name whose description is another one is left alone and not doubled."""
    bench = scenes.bench(tmp_path)
    disk = bench.nas.luns[0]
    name = f"rec-20261123T1100Z-{disk.uuid[:8]}"
    disk.add_snapshot(bench.nas.clock.now(), "edited by hand", name=name)
    _, outcome = bench.run()
    (created,) = ended(outcome, "lun", "create")
    assert created.result is FAILED
    assert "18990513" in created.detail
    assert {o.result for o in ended(outcome, "lun", "delete")} == {SKIPPED}
    assert len(disk.snapshots) == 13


@pytest.mark.parametrize("code", [3328, 3337, 3350, 105])
def test_writes_that_are_refused_for_good(tmp_path: Path, code: int) -> None:
    """Writes that DSM refuses for good fail with its code, and nothing else happens."""
    bench = scenes.bench(tmp_path)
    for method in ("create", "delete", "set", "take_snapshot", "delete_snapshot", "sync"):
        bench.fault("error", method=method, code=code, times=None)
    before = {t.name: len(t.snapshots) for t in (*bench.nas.shares, *bench.nas.luns)}
    _, outcome = bench.run()
    assert outcome is not None
    assert {t.name: len(t.snapshots) for t in (*bench.nas.shares, *bench.nas.luns)} == before
    assert {o.result for o in outcome.outcomes if o.action.verb != "delete"} <= {FAILED, SKIPPED}
    assert outcome.failed
    logins = sum(request.method == "login" for request in bench.dispatcher.requests)
    assert logins <= 12, "a refusal for want of rights is no reason to sign in without end"
    bench.settles()
