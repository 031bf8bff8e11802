"""Sessions that expire at any call, and sign-ins that are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.errors import Refusal
from reconciler.fleet import Fleet

if TYPE_CHECKING:
    from conftest import World

    from reconciler.cli.settings import Settings

CALLS = [
    ("SYNO.Entry.Request", "request", False),
    ("SYNO.Core.Share", "list", True),
    ("SYNO.Core.Share", "list", False),
    ("SYNO.Core.Share.Snapshot", "list", True),
    ("SYNO.Core.Share.Snapshot", "list", False),
    ("SYNO.Core.Share", "get", True),
    ("SYNO.DR.Plan", "list", None),
    ("SYNO.Core.Share.Snapshot", "create", None),
    ("SYNO.Core.Share.Snapshot", "delete", None),
    ("SYNO.Core.ISCSI.LUN", "take_snapshot", None),
    ("SYNO.Core.ISCSI.LUN", "delete_snapshot", None),
    ("SYNO.Core.ISCSI.LUN", "list_snapshot", None),
]


@pytest.mark.parametrize("code", [119, 105, 106, 107, 150])
@pytest.mark.parametrize(("api", "method", "member"), CALLS)
def test_a_session_expires(
    world: World, code: int, api: str, method: str, member: bool | None
) -> None:
    """A session that ends at any call, also inside a compound, is opened once more; all is done."""
    world.fault("expire_session", api=api, method=method, member=member, code=code)
    found = world.run()
    assert found.code == 0
    assert [len(t.snapshots) for t in (*world.nas.shares, *world.nas.luns)] == [10, 10, 10]
    world.assert_once()
    assert world.calls("login") == 2


def test_a_session_that_never_holds(world: World) -> None:
    """A session that ends again at once makes the unit unknown; it is not opened in a loop."""
    world.fault("expire_session", api="SYNO.Entry.Request", times=None)
    found = world.run()
    assert found.code == 1
    assert found.plan.units[0].problem
    assert world.calls("login") == 2


def test_a_password_changes_in_the_middle(world: World) -> None:
    """A refused sign-in in the middle of a pass stops that unit, once, and leaves no writes."""

    def meanwhile() -> None:
        world.nas.end_sessions(119)
        world.nas.password = "another one"

    with world.writing() as written:
        found = world.run(meanwhile)
    assert written == []
    assert found.code == 1
    assert "targets were left for the next pass" in found.outcomes[0].problem
    assert world.calls("login") == 2
    again = world.run()
    assert again.code == 1
    assert world.calls("login") == 2


def test_a_dry_run_writes_nothing(world: World) -> None:
    """A dry run over everything sends no call that asks for a change."""
    with world.writing() as written:
        plan = world.look()
    assert len(plan.actions) == 12
    assert written == []


def test_a_reader_refuses_a_write(world: World) -> None:
    """A client made for reading refuses a write before anything is sent."""
    settings: Settings = world.settings()
    run = settings.run(settings.policies())
    with Fleet(run, settings.configuration.units) as fleet:
        reader = fleet._open(settings.configuration.units[0])
        sent = len(world.sim.requests)
        with pytest.raises(Refusal, match="a dry run writes nothing"):
            reader._session.call("SYNO.Core.Share.Snapshot", "create", {"name": "alpha"})
        assert len(world.sim.requests) == sent


def test_another_moment_is_never_applied(world: World) -> None:
    """A plan as of another moment cannot be made with a client that writes."""
    settings = world.settings()
    run = settings.run(settings.policies())
    with pytest.raises(Refusal, match="another moment"):
        Fleet(run, settings.configuration.units, read_only=False, now=1)


def test_signed_out_after_an_error(world: World) -> None:
    """A session is signed out also when the pass ends with an error of any kind."""

    def broken() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        world.run(broken)
    assert world.nas.sessions == {}
    assert world.calls("logout") == 1
