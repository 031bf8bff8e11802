"""Limits and space that DSM names only when it refuses a creation (promise P5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import scenes

from reconciler.execute import Result

if TYPE_CHECKING:
    from pathlib import Path

    from bench import Bench
    from oracle import Rules

    from reconciler.execute import ActionOutcome, UnitOutcome

MANY = scenes.POLICY.replace("last: 10", "last: 8")
ALL = scenes.POLICY.replace("last: 10", "last: 40")


def full(bench: Bench, code: int) -> None:
    """Let DSM refuse a creation with a code of want of room that nothing told beforehand."""
    nas = bench.nas
    nas.limits.advertised = False
    nas.volumes[0].reclaim = []
    if code == 3329:
        nas.limits.per_share = len(nas.shares[0].snapshots)
    if code == 18990543:
        nas.limits.per_lun = len(nas.luns[0].snapshots)
    if code in (3320, 18990002):
        method = "create" if code == 3320 else "take_snapshot"
        bench.fault("error", method=method, code=code, times=1)


def of_kind(outcome: UnitOutcome | None, kind: str) -> list[ActionOutcome]:
    """Return every outcome on the target of that kind, in order."""
    assert outcome is not None
    return [o for target in outcome.targets if target.kind == kind for o in target.outcomes]


def ended(outcome: UnitOutcome | None, kind: str, verb: str) -> list[ActionOutcome]:
    """Return how the actions of one verb ended on the target of that kind."""
    return [o for o in of_kind(outcome, kind) if o.action.verb == verb]


def scene(folder: Path, text: str, last: int) -> Bench:
    """Return the usual scene under another `keep: {last: …}`."""
    bench = scenes.bench(folder)
    bench.text = text
    bench.rules = {name: _with(rules, last) for name, rules in bench.rules.items()}
    return bench


def _with(rules: Rules, last: int) -> Rules:
    return replace(rules, last=last)


CODES = [(3329, "share"), (3320, "share"), (18990543, "lun"), (18990002, "lun")]


@pytest.mark.parametrize(("code", "kind"), CODES)
def test_victims_make_room(tmp_path: Path, code: int, kind: str) -> None:
    """Where room is missing the victims that the rules name without it go first, then it is made.

    The creation is tried once more, not oftener.
    """
    bench = scene(tmp_path, MANY, 8)
    full(bench, code)
    _, outcome = bench.run()
    verbs = [o.action.verb for o in of_kind(outcome, kind)]
    assert [o.result for o in ended(outcome, kind, "create")] == [Result.DONE]
    assert {o.result for o in ended(outcome, kind, "delete")} == {Result.DONE}
    assert verbs.index("delete") < verbs.index("create")
    method = "create" if kind == "share" else "take_snapshot"
    assert sum(r.method == method and r.writes for r in bench.dispatcher.requests) == 2
    bench.settles()


@pytest.mark.parametrize(("code", "kind"), CODES)
def test_no_victims_no_room(tmp_path: Path, code: int, kind: str) -> None:
    """Without a victim nothing goes, and the creation fails with DSM's reason, tried once."""
    bench = scene(tmp_path, ALL, 40)
    full(bench, code)
    _, outcome = bench.run()
    (created,) = ended(outcome, kind, "create")
    assert created.result is Result.FAILED
    assert str(code) in created.detail
    assert ended(outcome, kind, "delete") == []
    method = "create" if kind == "share" else "take_snapshot"
    assert sum(r.method == method and r.writes for r in bench.dispatcher.requests) == 1


def test_only_the_coming_one_would_displace(tmp_path: Path) -> None:
    """A victim only by the coming snapshot never goes before it: with `last` full nothing goes.

    Twelve stand and twelve are kept; the thirteenth finds no room and displaces none.
    """
    bench = scene(tmp_path, scenes.POLICY.replace("last: 10", "last: 14"), 14)
    share = bench.nas.shares[0]
    share.snapshots = [s for s in share.snapshots if s.at >= scenes.FIRST.timestamp()]
    for hours in (-1, -2):
        share.add_snapshot(scenes.FIRST.timestamp() + 3600 * hours, scenes.mark(hours))
    before = {s.name for s in share.snapshots}
    full(bench, 3329)
    _, outcome = bench.run()
    assert [o.result for o in ended(outcome, "share", "create")] == [Result.FAILED]
    assert [o.result for o in ended(outcome, "share", "delete")] == [Result.SKIPPED]
    assert before <= {s.name for s in share.snapshots}


def test_room_that_is_refused(tmp_path: Path) -> None:
    """Victims that DSM refuses to delete make no room: they failed, and the creation with them."""
    bench = scene(tmp_path, MANY, 8)
    bench.nas.luns.clear()
    full(bench, 3329)
    bench.fault("partial", method="delete", times=None, code=3337)
    _, outcome = bench.run()
    assert [o.result for o in ended(outcome, "share", "create")] == [Result.FAILED]
    deletions = ended(outcome, "share", "delete")
    refused = [o for o in deletions if o.result is Result.FAILED]
    assert refused
    assert all("3337" in o.detail for o in refused)
    assert sum(r.method == "create" and r.writes for r in bench.dispatcher.requests) == 1


def test_a_quota_is_no_reason_to_delete(tmp_path: Path) -> None:
    """A share's quota (3341) fails the creation, and nothing goes: P5 excepts limit and space."""
    bench = scene(tmp_path, MANY, 8)
    bench.fault("error", method="create", code=3341)
    _, outcome = bench.run()
    assert [o.result for o in ended(outcome, "share", "create")] == [Result.FAILED]
    assert {o.result for o in ended(outcome, "share", "delete")} == {Result.SKIPPED}


def test_early_victims_that_need_not_go_early(tmp_path: Path) -> None:
    """What was to go before the creation, and need not any more, goes after it in the same pass."""
    bench = scene(tmp_path, MANY, 8)
    bench.nas.luns.clear()
    share = bench.nas.shares[0]
    bench.nas.limits.per_share = len(share.snapshots)

    by_hand = share.snapshots[12]

    def room() -> None:
        share.snapshots.remove(by_hand)

    bench.touched.add((share.uuid, by_hand.name))
    _, outcome = bench.run(room)
    assert [o.result for o in ended(outcome, "share", "create")] == [Result.DONE]
    assert {o.result for o in ended(outcome, "share", "delete")} == {Result.DONE}


def test_an_error_while_making_room(tmp_path: Path) -> None:
    """A NAS that is lost after early deletions leaves those told as done, the rest as failed."""
    bench = scene(tmp_path, MANY, 8)
    bench.nas.shares = []
    full(bench, 18990543)
    deletions = 0

    def before(method: str) -> None:
        nonlocal deletions
        deletions += method == "delete_snapshot"
        if deletions == 2:
            bench.nas.end_sessions(119)
            bench.nas.password = "another"

    bench.line.before = before
    _, outcome = bench.run()
    results = [o.result for o in ended(outcome, "lun", "delete")]
    assert results[0] is Result.DONE
    assert set(results[1:]) == {Result.FAILED}
    assert [o.result for o in ended(outcome, "lun", "create")] == [Result.FAILED]
