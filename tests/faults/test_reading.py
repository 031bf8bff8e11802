"""Listings that are short, empty or double, plans that cannot be listed, clocks that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.dsm import Reader
from reconciler.execute import Result
from reconciler.model import Severity
from reconciler.planning.plan import State, Stop
from reconciler.simulator import Plan, SyncRecord

if TYPE_CHECKING:
    from conftest import Pass, World

SNAPSHOT = "SYNO.Core.Share.Snapshot"
LUN = "SYNO.Core.ISCSI.LUN"
DONE, FAILED, SKIPPED = Result.DONE, Result.FAILED, Result.SKIPPED


def stops(found: Pass, label: str) -> set[Stop | None]:
    """Return what stops the deletions of a target."""
    return {action.stopped_by for action in found.target(label).victims}


def sizes(world: World) -> dict[str, int]:
    """Return how many snapshots each target has."""
    return {t.name: len(t.snapshots) for t in (*world.nas.shares, *world.nas.luns)}


@pytest.mark.parametrize(
    ("api", "method", "label"),
    [(SNAPSHOT, "list", "share/alpha"), (LUN, "list_snapshot", "lun/disk")],
)
def test_a_short_listing(world: World, api: str, method: str, label: str) -> None:
    """A listing with fewer rows than its total makes its target unknown: untouched, exit 1."""
    world.fault("short_listing", api=api, method=method)
    found = world.run()
    assert found.target(label).state is State.UNKNOWN
    assert found.target(label).actions == ()
    assert sizes(world)[label.partition("/")[2]] == 12
    assert found.results("share/beta", "create") == [DONE]
    assert found.code == 1


def test_a_listing_that_becomes_short(world: World) -> None:
    """A listing that is cut short right before the creation fails it, and nothing is deleted."""
    world.alone("alpha")
    world.fault("short_listing", api=SNAPSHOT, method="list", after=1)
    found = world.run()
    assert found.results("share/alpha", "create") == [FAILED]
    assert found.results("share/alpha", "delete") == [SKIPPED] * 3
    assert sizes(world) == {"alpha": 12}
    assert found.code == 1


def test_a_listing_that_names_one_twice(world: World) -> None:
    """A listing that names a snapshot twice cannot be trusted: its target is unknown."""
    share = world.nas.share("alpha")
    share.snapshots.append(share.snapshots[-1])
    found = world.run()
    assert found.target("share/alpha").state is State.UNKNOWN
    assert len(share.snapshots) == 13
    assert found.code == 1


def test_an_empty_listing(world: World) -> None:
    """A listing that turns empty between plan and write creates and deletes nothing more there."""
    world.alone("alpha")
    world.fault("empty_listing", api=SNAPSHOT, method="list", after=1, times=None)
    found = world.run()
    assert found.results("share/alpha", "create") == [FAILED]
    assert found.results("share/alpha", "delete") == [SKIPPED] * 3
    assert world.calls("delete") == world.calls("create") == 0
    assert found.code == 1


def test_an_empty_listing_where_nothing_is_due(world: World) -> None:
    """A list that turns empty is distrusted until it shows something, however often it is read."""
    world.alone("alpha")
    world.nas.share("alpha").add_snapshot(world.nas.clock.now() - 3, world.mark(12))
    world.fault("empty_listing", api=SNAPSHOT, method="list", after=1, times=None)
    found = world.run()
    assert found.results("share/alpha", "delete") == [FAILED] * 3
    assert "empty" in found.ended("share/alpha", "delete")[0].detail
    assert world.calls("delete") == 0
    world.sim.clear_faults()
    assert world.run().code == 0


def test_a_new_share(world: World) -> None:
    """A share without any snapshot is given its first one."""
    world.nas.share("alpha").snapshots.clear()
    found = world.run()
    assert found.results("share/alpha", "create") == [DONE]
    assert found.code == 0


@pytest.mark.parametrize("behind", [600, -600])
def test_the_clock_is_off(world: World, behind: int) -> None:
    """With a NAS's clock ten minutes off nothing is deleted there, and the rest is done."""
    world.clock.behind = behind
    found = world.run()
    for label in ("share/alpha", "share/beta", "lun/disk"):
        assert stops(found, label) == {Stop.CLOCK}
        assert found.results(label, "create") == [DONE]
    assert world.calls("delete") == world.calls("delete_snapshot") == 0
    assert found.code == 3
    world.clock.behind = 0
    assert world.run().code == 0
    assert world.run().planned == []


def test_the_clock_jumps_in_between(world: World) -> None:
    """A clock that jumps between plan and deletion stops the deletions that were planned."""

    def jump() -> None:
        world.nas.clock.advance(600)
        world.clock.behind = 600

    found = world.run(jump)
    assert set(found.results("share/alpha", "delete")) == {SKIPPED}
    assert world.calls("delete") == 0


def test_a_name_that_differs_from_the_clock(world: World) -> None:
    """A new snapshot whose name differs from `Date` stops every further deletion on that NAS."""
    world.clock.behind = 1000
    world.fault("misreport_date", seconds=-1000, times=None, member=False)
    world.nas.clock.advance(1000)
    found = world.run()
    assert found.results("share/alpha", "create") == [DONE]
    assert "name-clock" in found.codes("share/alpha")
    assert set(found.results("share/alpha", "delete")) == {SKIPPED}
    assert set(found.results("share/beta", "delete")) == {SKIPPED}
    assert world.calls("delete") == 0


def test_the_names_of_a_half_hour_zone(world: World) -> None:
    """Names whose zone was cut to whole hours are measured once, and passes converge."""
    world.nas.zone = "Asia/Kolkata"
    for share in world.nas.shares:
        for snapshot in share.snapshots:
            snapshot.name = share.name_at(snapshot.at)
    world.edit("Europe/Zurich", "Asia/Kolkata")
    found = world.run()
    assert found.code == 0
    assert "name-shift" in found.codes("share/alpha") | found.codes("share/beta")
    assert found.results("share/beta", "create") == [DONE]
    assert found.results("share/alpha", "create") == [DONE]
    assert sizes(world) == {"alpha": 10, "beta": 10, "disk": 10}
    assert world.run().planned == []
    world.assert_once()


def test_names_without_an_offset(world: World) -> None:
    """Names without an offset that run with the clock need no correction, and passes converge."""
    for share in world.nas.shares:
        share.local_time_format = False
        for snapshot in share.snapshots:
            snapshot.name = share.name_at(snapshot.at)
    found = world.run()
    assert found.code == 0
    assert sizes(world) == {"alpha": 10, "beta": 10, "disk": 10}
    assert world.run().planned == []


def test_names_without_an_offset_in_local_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names without an offset that run an hour ahead are measured, and passes converge."""
    from reconciler.simulator.share import Share

    def ahead(share: Share, at: float) -> str:
        return plain(share, at + 3600)

    plain = Share.name_at
    monkeypatch.setattr(Share, "name_at", ahead)
    for share in world.nas.shares:
        share.local_time_format = False
        for snapshot in share.snapshots:
            snapshot.name = share.name_at(snapshot.at)
    found = world.run()
    assert "name-shift" in found.codes("share/alpha")
    assert found.code == 0
    assert sizes(world) == {"alpha": 10, "beta": 10, "disk": 10}
    assert world.run().planned == []


def test_both_forms_of_name(world: World) -> None:
    """A share that holds both forms of name loses nothing until the difference is measured."""
    world.nas.share("alpha").local_time_format = False
    found = world.run()
    assert found.results("share/alpha", "create") == [DONE]
    assert found.results("share/beta", "delete") == [DONE] * 3
    again = world.run()
    assert stops(again, "share/alpha") <= {Stop.MIXED_NAMES}
    world.nas.clock.advance(3600)
    third = world.run()
    assert stops(third, "share/alpha") == {Stop.MIXED_NAMES}


@pytest.mark.parametrize("how", ["stopped", "error", "short"])
def test_plans_cannot_be_listed(world: World, how: str) -> None:
    """Where replication plans cannot be listed nothing on that NAS is deleted; the rest is done."""
    if how == "stopped":
        world.nas.replication = "stopped"
    elif how == "error":
        world.fault("error", api="SYNO.DR.Plan", code=100, times=None)
    else:
        world.nas.add_plan("beta")
        world.fault("garbage", api="SYNO.DR.Plan", times=None, member=False)
        world.fault("error", api="SYNO.DR.Plan", code=117, times=None, member=True)
    found = world.run()
    for label in ("share/alpha", "share/beta", "lun/disk"):
        assert stops(found, label) == {Stop.PLANS_UNKNOWN}
        assert found.results(label, "create") == [DONE]
    assert world.calls("delete") == world.calls("delete_snapshot") == 0
    assert found.code == 3
    assert any(f.severity is Severity.ERROR for f in found.plan.units[0].findings)


def test_plans_are_lost_in_between(world: World) -> None:
    """A replication package that stops between plan and deletion stops the deletions."""

    def stop() -> None:
        world.nas.replication = "stopped"

    found = world.run(stop)
    assert set(found.results("share/alpha", "delete")) == {SKIPPED}
    assert found.results("share/alpha", "create") == [DONE]
    assert world.calls("delete") == 0


def test_a_destination(world: World) -> None:
    """A share that a replication writes to is neither given a snapshot nor loses one."""
    world.nas.add_plan("alpha", role=2)
    found = world.run()
    assert found.target("share/alpha").state is State.DESTINATION
    assert sizes(world)["alpha"] == 12
    assert found.results("share/beta", "delete") == [DONE] * 3
    assert found.code == 0


def test_it_becomes_a_destination_in_between(world: World) -> None:
    """A share that becomes a replication's destination after the plan is left alone."""
    found = world.run(lambda: world.nas.plans.append(Plan(target="alpha", role=2)))
    assert sizes(world)["alpha"] == 12
    assert found.results("share/alpha", "create") == [FAILED]
    assert found.results("share/beta", "create") == [DONE]


def synced(world: World, position: int) -> Plan:
    """Add a plan of alpha that has synced the snapshot at `position`, oldest first."""
    snapshot = world.nas.share("alpha").snapshots[position]
    record = SyncRecord(snapshot=snapshot.name, begin=snapshot.at + 1, finish=snapshot.at + 30)
    return world.nas.add_plan(
        "alpha",
        first_snapshot=snapshot.name,
        last_snapshot=snapshot.name,
        last_reference=snapshot.name,
        records=[record],
    )


def test_the_last_synced_snapshot_stays(world: World) -> None:
    """The snapshot that a plan synced last is not deleted, and what is older goes."""
    plan = synced(world, 1)
    found = world.run()
    assert found.code == 0
    share = world.nas.share("alpha")
    assert share.snapshot(plan.last_snapshot) is not None
    assert len(share.snapshots) == 11


def test_a_plan_becomes_busy_in_between(world: World) -> None:
    """From the last synced snapshot on nothing goes once a plan is busy, also after the plan."""
    plan = synced(world, 0)

    def begin() -> None:
        from reconciler.simulator.sync import begin as begin_sync

        assert begin_sync(world.nas, plan, at=world.nas.clock.now())

    found = world.run(begin)
    assert set(found.results("share/alpha", "delete")) == {SKIPPED}
    assert world.nas.share("alpha").snapshot(plan.last_snapshot) is not None
    assert len(world.nas.share("alpha").snapshots) >= 13
    assert found.results("share/beta", "delete") == [DONE] * 3


def replicated(world: World) -> Plan:
    """Let a policy ask for the replication of alpha, whose plan has synced nothing for long."""
    world.edit("luns: [disk], every: 1h", "replicate: {every: 6h}, every: 1h")
    world.nas.add_plan("beta")
    return synced(world, 0)


def test_a_sync_is_run(world: World) -> None:
    """A sync that is due is run once, and its attempt is what counts as done."""
    replicated(world)
    found = world.run()
    assert found.results("share/alpha", "sync") == [DONE]
    assert found.code == 0
    assert world.calls("sync") == 2
    world.nas.clock.advance(60)
    second = world.run()
    assert second.planned == ["delete share/alpha"], "what was synced before is free now"
    assert world.run().planned == []


@pytest.mark.parametrize("kind", ["reset_after", "truncated"])
def test_a_sync_cut_after_the_work(world: World, kind: str) -> None:
    """A sync whose answer was lost counts as done when its attempt is seen; it is sent once."""
    replicated(world)
    world.fault(kind, api="SYNO.DR.Plan", method="sync")
    found = world.run()
    assert found.results("share/alpha", "sync") == [DONE]
    assert world.calls("sync") == 2


@pytest.mark.parametrize("kind", ["reset_before", "ignore", "error"])
def test_a_sync_that_did_not_begin(world: World, kind: str) -> None:
    """A sync of which no attempt is seen failed, whatever DSM answered; it is sent once."""
    replicated(world)
    world.fault(kind, api="SYNO.DR.Plan", method="sync", code=512)
    found = world.run()
    assert found.results("share/alpha", "sync") == [FAILED]
    assert found.code == 1
    assert world.calls("sync") == 2


def test_a_sync_begins_in_between(world: World) -> None:
    """A plan that somebody else runs between plan and sync is not called again."""
    plan = replicated(world)

    def begin() -> None:
        from reconciler.simulator.sync import begin as begin_sync

        assert begin_sync(world.nas, plan, at=world.nas.clock.now())

    found = world.run(begin)
    assert found.results("share/alpha", "sync") == [SKIPPED]
    assert world.calls("sync") == 1


def test_a_sync_that_nobody_can_see(world: World) -> None:
    """A sync after which the plans cannot be listed is not told as done."""
    replicated(world)
    world.nas.plans.pop(0)
    world.edit("[alpha, beta], luns: [disk], every: 1h", "[alpha], replicate: {every: 6h}")
    listed = Reader.read_plans
    calls: list[int] = []

    def stopping(reader: Reader) -> Any:
        calls.append(1)
        if world.calls("sync"):
            world.nas.replication = "stopped"
        return listed(reader)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reader, "read_plans", stopping)
        found = world.run()
    assert calls
    assert found.results("share/alpha", "sync") == [FAILED]
    assert found.code == 1


def test_plans_are_lost_before_the_sync(world: World) -> None:
    """A sync for which the plans cannot be listed any more was not done, and fails."""
    replicated(world)

    def stop() -> None:
        world.nas.replication = "stopped"

    found = world.run(stop)
    assert found.results("share/alpha", "sync") == [FAILED]
    assert world.calls("sync") == 0
    assert found.code == 1
