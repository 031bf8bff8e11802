"""Somebody else at work at every moment of a pass: right before each of its requests in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import scenes

from reconciler.simulator import Plan
from reconciler.simulator.sync import begin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench import Bench

    from reconciler.simulator import Share

Actor = "Callable[[Bench], None]"
WRITES = frozenset({"create", "delete", "set"})


def alpha(bench: Bench) -> Share:
    """Return the share that the policy owns at first."""
    return bench.nas.shares[0]


def touch(bench: Bench, *positions: int) -> None:
    """Say that somebody else had these snapshots of alpha in hand, by their place at first."""
    share = alpha(bench)
    bench.touched |= {(share.uuid, share.snapshots[position].name) for position in positions}


def rename(bench: Bench) -> None:
    """Give the share a name that no policy selects."""
    alpha(bench).name = "archive"


def swap(bench: Bench) -> None:
    """Let two shares swap their names, over a third one as a person must."""
    first, second = bench.nas.shares
    first.name, second.name = second.name, first.name


def lock(bench: Bench) -> None:
    """Lock what may be a victim."""
    touch(bench, 0)
    alpha(bench).snapshots[0].locked = True


def unmark(bench: Bench) -> None:
    """Write another description over the mark of an old and of the newest snapshot."""
    share = alpha(bench)
    touch(bench, 0, -1)
    share.snapshots[0].description = "keep this"
    share.snapshots[-1].description = "and this"


def thin_out(bench: Bench) -> None:
    """Delete snapshots that the rules keep."""
    share = alpha(bench)
    touch(bench, *range(4, 10))
    share.snapshots = [*share.snapshots[:4], *share.snapshots[10:]]


def take_by_hand(bench: Bench) -> None:
    """Take a snapshot without a mark in this very second."""
    share = alpha(bench)
    if share.snapshot(share.name_at(bench.nas.clock.now())) is None:
        share.add_snapshot(bench.nas.clock.now(), "by hand")
        touch(bench, -1)


def remove(bench: Bench) -> None:
    """Delete the share."""
    bench.nas.shares.remove(alpha(bench))


def receive(bench: Bench) -> None:
    """Make the share the destination of a replication."""
    bench.nas.plans = [Plan(target="alpha", role=2)]


def replicate(bench: Bench) -> None:
    """Start the share's replication, which takes hours."""
    plan = bench.nas.plans[0]
    plan.sync_seconds = 7200
    begin(bench.nas, plan, at=bench.nas.clock.now())
    touch(bench, -1)


def stop_replication(bench: Bench) -> None:
    """Stop the package, so that no plan can be listed."""
    bench.nas.replication = "stopped"


def jump_ahead(bench: Bench) -> None:
    """Put the NAS's clock two days ahead."""
    bench.nas.clock.advance(2 * 86_400)
    bench.behind = 2 * 86_400


def jump_back(bench: Bench) -> None:
    """Put the NAS's clock back by six hours."""
    bench.nas.clock.advance(-6 * 3600)
    bench.behind = -6 * 3600


LASTING = (rename, swap, lock, unmark, thin_out, take_by_hand, remove, receive, replicate,
           stop_replication, jump_ahead, jump_back)  # fmt: skip


def one_pass(bench: Bench, actor: Callable[[Bench], None], position: int) -> str:
    """Make a pass with the actor before the request at `position` of its writing part.

    Return the method of that request, "" where the pass had ended before it.
    """
    counted = 0
    hit = ""

    def before(method: str) -> None:
        nonlocal counted, hit
        if counted == position:
            hit = method
            actor(bench)
        counted += 1

    def start() -> None:
        bench.line.before = before

    if actor is swap:
        return _swapped(bench, start, lambda: hit)
    bench.run(start)
    return hit


def _swapped(bench: Bench, start: Callable[[], None], hit: Callable[[], str]) -> str:
    try:
        bench.run(start)
    except AssertionError:
        # DSM knows a share's snapshots by the share's name alone: of two that swap their names
        # between the last look at them and the call itself, nothing can be told.
        assert hit() in WRITES, "only in the last moment before a write may a swap go unseen"
    return hit()


@pytest.mark.parametrize("actor", LASTING)
def test_an_actor_before_every_request(tmp_path: Path, actor: Callable[[Bench], None]) -> None:
    """Whatever somebody else does, and whenever in a pass, no promise is broken by it."""
    position = 0
    while True:
        bench = scenes.bench(tmp_path, lun=False)
        bench.nas.write_seconds = 2
        try:
            if not one_pass(bench, actor, position):
                break
            bench.behind = 0
            bench.settles()
        except AssertionError as error:
            raise AssertionError(f"{actor.__name__} at request {position}: {error}") from error
        position += 1
    assert position > 20
