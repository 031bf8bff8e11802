"""Creations whose answer is lost, refused, untrue or late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.dsm import Writer
from reconciler.dsm.errors import Unavailable
from reconciler.execute import Result

if TYPE_CHECKING:
    from conftest import World

SNAPSHOT = "SYNO.Core.Share.Snapshot"
LUN = "SYNO.Core.ISCSI.LUN"
DONE, FAILED, SKIPPED = Result.DONE, Result.FAILED, Result.SKIPPED


def made_at_noon(world: World, name: str) -> int:
    """Count the snapshots of a target that carry noon's due time."""
    nas = world.nas
    target = nas.lun(name) if name == "disk" else nas.share(name)
    return sum("20261123T1100Z" in s.description for s in target.snapshots)


def test_a_pass_without_faults(world: World) -> None:
    """A pass does what is due, and a second one plans nothing."""
    first = world.run()
    assert sorted(set(first.planned)) == [
        f"{verb} {label}"
        for verb in ("create", "delete")
        for label in ("lun/disk", "share/alpha", "share/beta")
    ]
    assert first.code == 0
    assert [len(t.snapshots) for t in (*world.nas.shares, *world.nas.luns)] == [10, 10, 10]
    second = world.run()
    assert second.planned == []
    assert second.code == 0
    world.assert_once()


@pytest.mark.parametrize(
    ("api", "method", "name", "label"),
    [(SNAPSHOT, "create", "alpha", "share/alpha"), (LUN, "take_snapshot", "disk", "lun/disk")],
)
def test_a_creation_cut_after_the_work(
    world: World, api: str, method: str, name: str, label: str
) -> None:
    """A creation whose connection is cut after the work is found by its mark, not repeated."""
    world.fault("reset_after", api=api, method=method)
    found = world.run()
    assert found.results(label, "create") == [DONE]
    assert found.results(label, "delete") == [DONE] * 3
    assert made_at_noon(world, name) == 1
    assert world.calls(method) == (2 if api == SNAPSHOT else 1)
    assert found.code == 0


@pytest.mark.parametrize(
    ("api", "method", "name", "label"),
    [(SNAPSHOT, "create", "alpha", "share/alpha"), (LUN, "take_snapshot", "disk", "lun/disk")],
)
@pytest.mark.parametrize("kind", ["reset_before", "html", "garbage", "status"])
def test_a_creation_that_did_not_arrive(
    world: World, api: str, method: str, name: str, label: str, kind: str
) -> None:
    """A creation lost before the work fails, is not repeated in that pass, and the next makes it.

    Nothing of that target is deleted before.
    """
    world.fault(kind, api=api, method=method)
    found = world.run()
    assert found.results(label, "create") == [FAILED]
    assert found.results(label, "delete") == [SKIPPED] * 3
    assert made_at_noon(world, name) == 0
    assert world.calls(method) == (2 if api == SNAPSHOT else 1)
    assert found.code == 1
    assert 180 <= world.clock.waited < 200
    assert world.run().code == 0
    assert made_at_noon(world, name) == 1
    assert world.run().planned == []


def test_a_creation_with_half_an_answer(world: World) -> None:
    """A creation whose answer breaks off in the middle is found by its mark."""
    world.fault("truncated", api=SNAPSHOT, method="create")
    assert world.run().code == 0
    world.assert_once()
    assert world.calls("create") == 2


@pytest.mark.parametrize(
    ("api", "method", "name", "label"),
    [(SNAPSHOT, "create", "alpha", "share/alpha"), (LUN, "take_snapshot", "disk", "lun/disk")],
)
def test_an_ignored_creation(world: World, api: str, method: str, name: str, label: str) -> None:
    """A creation that DSM acknowledges and does not make counts as failed: the list decides."""
    world.fault("ignore", api=api, method=method)
    found = world.run()
    assert found.results(label, "create") == [FAILED]
    assert found.results(label, "delete") == [SKIPPED] * 3
    assert found.code == 1
    assert world.run().code == 0
    assert made_at_noon(world, name) == 1


def test_a_snapshot_of_the_same_second(world: World) -> None:
    """A creation answered with the name of another snapshot is tried once more, same id, later."""
    world.nas.collide = True
    world.alone("alpha")

    def another_actor() -> None:
        world.nas.share("alpha").add_snapshot(world.nas.clock.now(), "by hand")

    found = world.run(another_actor)
    assert found.results("share/alpha", "create") == [DONE]
    assert made_at_noon(world, "alpha") == 1
    assert world.calls("create") == 2
    assert world.clock.waited >= 2
    assert world.nas.share("alpha").snapshots[-2].description == "by hand"


def test_every_second_is_taken(world: World) -> None:
    """A collision is tried once more and not again: then the creation failed."""
    world.nas.collide = True
    world.alone("alpha")

    def another_actor() -> None:
        for second in range(60):
            world.nas.share("alpha").add_snapshot(world.nas.clock.now() + second, "by hand")

    found = world.run(another_actor)
    assert found.results("share/alpha", "create") == [FAILED]
    assert found.results("share/alpha", "delete") == [SKIPPED] * 3
    assert world.calls("create") == 2
    assert "another snapshot, of the same second" in found.ended("share/alpha", "create")[0].detail


def test_a_name_that_exists(world: World) -> None:
    """A creation that DSM refuses because of its name fails and leaves the target alone."""
    world.alone("alpha")
    found = world.run(
        lambda: world.nas.share("alpha").add_snapshot(world.nas.clock.now(), "by hand") and None
    )
    assert found.results("share/alpha", "create") == [FAILED]
    assert found.results("share/alpha", "delete") == [SKIPPED] * 3
    assert found.code == 1


def test_a_busy_share(world: World) -> None:
    """A busy share fails its creation and loses nothing; the other targets are done; exit 1."""
    world.nas.share("alpha").busy = True
    found = world.run()
    assert found.results("share/alpha", "create") == [FAILED]
    assert "3328" in found.ended("share/alpha", "create")[0].detail
    assert len(world.nas.share("alpha").snapshots) == 12
    for label in ("share/beta", "lun/disk"):
        assert found.results(label, "create") == [DONE]
        assert found.results(label, "delete") == [DONE] * 3
    assert found.code == 1


def test_served_meanwhile(world: World) -> None:
    """A creation whose due time another reconciler served meanwhile is skipped, not made twice."""

    def another_reconciler() -> None:
        for share in world.nas.shares:
            share.add_snapshot(world.nas.clock.now(), "[reconciler/hourly 20261123T1100Z]")
        world.nas.clock.advance(3)

    found = world.run(another_reconciler)
    assert found.results("share/alpha", "create") == [SKIPPED]
    assert found.results("share/alpha", "delete") == [DONE] * 3
    assert found.code == 0
    world.assert_once()


def test_a_share_that_is_gone(world: World) -> None:
    """A share that is deleted between plan and creation fails its actions; the others run."""
    found = world.run(lambda: world.nas.shares.remove(world.nas.share("alpha")))
    assert found.results("share/alpha", "create") == [FAILED]
    assert found.ended("share/alpha", "create")[0].detail == "the target is gone"
    assert found.results("share/beta", "create") == [DONE]
    assert found.code == 1


def test_a_lun_that_is_gone(world: World) -> None:
    """A LUN that is deleted between plan and creation fails its actions; the others run."""
    found = world.run(world.nas.luns.clear)
    assert found.results("lun/disk", "create") == [FAILED]
    assert SKIPPED in found.results("lun/disk", "delete")
    assert found.results("share/beta", "create") == [DONE]
    assert found.code == 1


def test_a_creation_without_its_lock(world: World) -> None:
    """What is locked by policy is locked at its creation."""
    world.alone("alpha")
    world.policies(
        "version: 1\npolicies:\n"
        "  - {name: hourly, shares: [alpha], every: 1h, keep: {last: 10}, lock: {newest: 2}}\n"
    )
    found = world.run()
    assert found.code == 0
    newest = sorted(world.nas.share("alpha").snapshots, key=lambda s: s.at)[-2:]
    assert [s.locked for s in newest] == [True, True]
    assert world.run().planned == []


def test_a_build_that_ignores_worm(world: World) -> None:
    """A snapshot that was to be immutable and is not stands, is reported, and not tried again."""
    world.nas.immutable = False
    world.alone("alpha")
    world.policies(
        "version: 1\npolicies:\n"
        "  - {name: hourly, shares: [alpha], every: 1h, keep: {last: 10}, immutable: 1d}\n"
    )
    found = world.run()
    assert found.results("share/alpha", "create") == [DONE]
    assert "not-immutable" in found.codes("share/alpha")
    assert world.calls("create") == 1
    again = world.run()
    assert "create share/alpha" not in again.planned
    assert world.calls("set") == 0


def test_a_creation_that_is_refused_but_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A creation that DSM made although it answered with an error is seen by its mark."""
    world.alone("alpha")
    take = Writer.take_share_snapshot

    def made_and_refused(writer: Writer, share: str, **settings: Any) -> str:
        take(writer, share, **settings)
        raise Unavailable("the share is busy")

    monkeypatch.setattr(Writer, "take_share_snapshot", made_and_refused)
    assert world.run().results("share/alpha", "create") == [DONE]
    assert made_at_noon(world, "alpha") == 1
    world.assert_once()
