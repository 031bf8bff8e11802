"""Deletions that are refused, ignored, lost, or overtaken by somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.execute import Result

if TYPE_CHECKING:
    from conftest import World

    from reconciler.simulator import ShareSnapshot

SNAPSHOT = "SYNO.Core.Share.Snapshot"
LUN = "SYNO.Core.ISCSI.LUN"
DONE, FAILED, SKIPPED = Result.DONE, Result.FAILED, Result.SKIPPED


def oldest(world: World, name: str = "alpha", count: int = 3) -> list[ShareSnapshot]:
    """Return the victims of a share: its oldest snapshots."""
    return sorted(world.nas.share(name).snapshots, key=lambda s: s.at)[:count]


@pytest.mark.parametrize("form", ["inside", "error"])
def test_part_of_a_deletion_is_refused(world: World, form: Any) -> None:
    """What DSM refuses of a deletion, inside `success: true` or as an error, is told by the list.

    A share's list names no system preservation (3337), so only the attempt shows it.
    """
    world.nas.delete_refusals = form
    victims = oldest(world)
    victims[1].preserved = True
    found = world.run()
    assert found.results("share/alpha", "delete") == [DONE, FAILED, DONE]
    assert "3337" in found.ended("share/alpha", "delete")[1].detail
    assert world.nas.share("alpha").snapshot(victims[1].name) is not None
    assert found.results("share/beta", "delete") == [DONE] * 3
    assert found.code == 1


def test_an_immutable_victim(world: World) -> None:
    """A snapshot made immutable by somebody else after the plan is not even tried."""
    victim = oldest(world)[0]

    def pin() -> None:
        victim.immutable_from, victim.immutable_days = world.nas.clock.now(), 7

    found = world.run(pin)
    assert found.results("share/alpha", "delete") == [SKIPPED, DONE, DONE]
    sent = [r.parameters for r in world.sim.requests if r.method == "delete"]
    assert [victim.name in p["snapshots"] for p in sent if p["name"] == "alpha"] == [False]


def test_worm_refuses(world: World) -> None:
    """A WORM refusal of DSM (3350) is a failure with its meaning; the rest of the batch goes."""
    victims = oldest(world)
    world.fault("partial", api=SNAPSHOT, method="delete", names=(victims[2].name,))
    found = world.run()
    assert found.results("share/alpha", "delete") == [DONE, DONE, FAILED]
    assert "immutable" in found.ended("share/alpha", "delete")[2].detail
    assert found.code == 1
    assert world.run().code == 0


def test_a_lun_snapshot_is_held(world: World) -> None:
    """A LUN snapshot that an application came to hold is refused by DSM or no victim any more."""
    victims = sorted(world.nas.lun("disk").snapshots, key=lambda s: s.at)[:3]
    world.fault("error", api=LUN, method="delete_snapshot", code=18990540)

    def hold() -> None:
        victims[2].locked_app_keys = ["SnapshotReplication-1"]

    found = world.run(hold)
    assert sorted(found.results("lun/disk", "delete")) == [DONE, FAILED, SKIPPED]
    assert world.nas.lun("disk").snapshot(victims[2].uuid) is not None
    assert found.code == 1


@pytest.mark.parametrize(
    ("api", "method", "label"),
    [(SNAPSHOT, "delete", "share/alpha"), (LUN, "delete_snapshot", "lun/disk")],
)
def test_a_bulk_refusal_in_part(world: World, api: str, method: str, label: str) -> None:
    """A deletion that says success and refuses everything has deleted nothing, says the list."""
    world.fault("partial", api=api, method=method, times=None if api == LUN else 1)
    found = world.run()
    assert set(found.results(label, "delete")) == {FAILED}
    assert found.code == 1
    world.sim.clear_faults()
    assert world.run().code == 0
    assert world.run().planned == []


@pytest.mark.parametrize(
    ("api", "method", "label"),
    [(SNAPSHOT, "delete", "share/alpha"), (LUN, "delete_snapshot", "lun/disk")],
)
def test_an_ignored_deletion(world: World, api: str, method: str, label: str) -> None:
    """A deletion that DSM acknowledges and does not do counts as failed."""
    world.fault("ignore", api=api, method=method)
    found = world.run()
    outcomes = found.ended(label, "delete")
    failed = [o for o in outcomes if o.result is FAILED]
    assert len(failed) == (3 if api == SNAPSHOT else 1)
    assert {o.detail for o in failed} == {"DSM reported success, but it is still listed"}
    assert found.code == 1
    assert world.run().code == 0


@pytest.mark.parametrize("kind", ["reset_after", "truncated"])
@pytest.mark.parametrize(
    ("api", "method", "label"),
    [(SNAPSHOT, "delete", "share/alpha"), (LUN, "delete_snapshot", "lun/disk")],
)
def test_a_deletion_cut_after_the_work(
    world: World, kind: str, api: str, method: str, label: str
) -> None:
    """A deletion whose answer was lost is judged by the list, and sent once."""
    world.fault(kind, api=api, method=method)
    found = world.run()
    assert found.results(label, "delete") == [DONE] * 3
    assert found.code == 0
    assert world.calls(method) == (2 if api == SNAPSHOT else 3)


@pytest.mark.parametrize("kind", ["reset_before", "html", "redirect", "garbage"])
def test_a_deletion_that_did_not_arrive(world: World, kind: str) -> None:
    """A deletion that was lost before the work failed, and the next pass does it."""
    world.fault(kind, api=SNAPSHOT, method="delete")
    found = world.run()
    assert found.results("share/alpha", "delete") == [FAILED] * 3
    assert found.code == 1
    assert world.run().code == 0
    assert world.run().planned == []


def test_a_list_that_fails_after_the_deletion(world: World) -> None:
    """Where the list cannot be read after a deletion, nobody says that it was done."""
    world.alone("alpha")
    # The listings of one pass: the plan's, before and after the creation, before the deletion.
    world.fault("short_listing", api=SNAPSHOT, method="list", after=4, times=None)
    found = world.run()
    assert found.results("share/alpha", "create") == [DONE]
    assert found.results("share/alpha", "delete") == [FAILED] * 3
    assert "could not be read afterwards" in found.ended("share/alpha", "delete")[0].detail
    assert found.code == 1
    world.sim.clear_faults()
    assert world.run().planned == []


def test_what_was_verified_stays_told(world: World) -> None:
    """Deletions that were verified stay done in the report when the NAS is lost afterwards."""
    world.nas.shares.clear()
    world.edit("shares: [alpha, beta], ", "")
    # Listings: plan, before and after the creation, before and after the first deletion.
    world.fault("reset_before", api=LUN, method="list_snapshot", after=5, times=None)
    found = world.run()
    assert found.results("lun/disk", "delete") == [DONE, FAILED, FAILED]
    assert found.code == 1


def test_another_actor_changes_victims(world: World) -> None:
    """Only what is unchanged and still a victim goes: locked, renamed and gone ones do not."""
    first, second, third = oldest(world)

    def meanwhile() -> None:
        first.locked = True
        second.description = "keep this one"
        world.nas.share("alpha").snapshots.remove(third)

    found = world.run(meanwhile)
    assert found.results("share/alpha", "delete") == [SKIPPED, SKIPPED, DONE]
    details = [o.detail for o in found.ended("share/alpha", "delete")]
    assert details == ["it was changed meanwhile", "it was changed meanwhile", "already gone"]
    kept = world.nas.share("alpha").snapshots
    assert first in kept
    assert second in kept
    assert found.code == 0


def test_another_actor_deletes_others(world: World) -> None:
    """What became needed again because another snapshot went is no victim any more."""
    victims = oldest(world)

    def meanwhile() -> None:
        share = world.nas.share("alpha")
        share.snapshots = [*victims, *sorted(share.snapshots, key=lambda s: s.at)[-4:]]

    found = world.run(meanwhile)
    assert found.results("share/alpha", "delete") == [SKIPPED] * 3
    assert {o.detail for o in found.ended("share/alpha", "delete")} == {"no longer a victim"}
    assert all(victim in world.nas.share("alpha").snapshots for victim in victims)


def test_another_actor_adds_snapshots(world: World) -> None:
    """A snapshot that appeared after the plan adds no deletion to it."""

    def meanwhile() -> None:
        world.nas.share("alpha").add_snapshot(world.nas.clock.now() - 60, world.mark(30))

    found = world.run(meanwhile)
    assert len(found.ended("share/alpha", "delete")) == 3
    assert DONE in found.results("share/alpha", "delete")


def test_two_shares_swap_their_names(world: World) -> None:
    """Shares are found by uuid: two that swap their names between plan and write lose nothing."""
    alpha, beta = world.nas.share("alpha"), world.nas.share("beta")
    world.edit("[alpha, beta], luns: [disk]", "[alpha]")
    before = list(beta.snapshots)

    def swap() -> None:
        alpha.name, beta.name = "beta", "alpha"

    with world.writing() as written:
        found = world.run(swap)
    assert written == []
    assert beta.snapshots == before
    assert len(alpha.snapshots) == 12
    assert found.results("share/alpha", "delete") == [SKIPPED] * 3


def test_a_share_is_renamed(world: World) -> None:
    """A share renamed between plan and write is followed by its uuid where a policy fits."""
    world.edit("[alpha, beta]", '["*a*"]')
    alpha = world.nas.share("alpha")

    def rename() -> None:
        alpha.name = "alpha-2"

    found = world.run(rename)
    assert found.code == 0
    assert len(alpha.snapshots) == 10


def test_a_share_is_gone_before_the_deletion(world: World) -> None:
    """A share that vanishes before its deletions fails what was left; nothing else is touched."""
    world.nas.share("alpha").add_snapshot(world.nas.clock.now() - 3, world.mark(12))
    found = world.run(lambda: world.nas.shares.remove(world.nas.share("alpha")))
    assert set(found.results("share/alpha", "delete")) == {FAILED}
    assert found.ended("share/alpha", "delete")[0].detail == "the target is gone"
    assert found.results("share/beta", "create") == [DONE]
    assert found.code == 1
