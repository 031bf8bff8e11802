"""Reading a NAS into an observation, and one target of it anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_nas import FakeNas, session_on

from reconciler.dsm import Writer
from reconciler.dsm.transport import Answer
from reconciler.errors import PermanentError
from reconciler.model import Kind, NameForm
from reconciler.observe import Observer, shifted, with_shift

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MARK = "[reconciler/all 20261123T1100Z]"
ROW = {"time": "GMT+01-2026.11.23-12.00.01", "desc": MARK, "lock": False}
UNDATED = {"time": "before the move", "desc": "", "lock": False}
DISK = {"uuid": "v1", "name": "n", "create_time": 1, "is_user_locked": False,
        "locked_app_keys": [], "status": "Healthy"}  # fmt: skip


class Nas:
    """A fake NAS with a share, one that is not mounted, a LUN and a plan list."""

    def __init__(self) -> None:
        self.lists: dict[str, Any] = {
            "SYNO.Core.Share": {
                "shares": [
                    {"name": "a", "uuid": "u1", "vol_path": "/volume1"},
                    {"name": "away", "uuid": "u2", "is_offline_share": True},
                ],
                "total": 2,
            },
            "SYNO.Core.Share.Snapshot": {"snapshots": [ROW, UNDATED], "total": 2},
            "SYNO.Core.ISCSI.LUN": {"luns": [{"name": "disk", "uuid": "u3"}]},
            "SYNO.DR.Plan": {"plans": []},
            "SYNO.Core.Storage.Volume": {
                "volumes": [{"volume_path": "/volume1", "size_free_byte": "7"}]
            },
        }
        self.fake = FakeNas(
            {
                "info": {"serial": "S"},
                "getinfo": {},
                "get": 402,
                "get_schedule": 103,
                "list": lambda form: self.lists[form["api"]],
                "list_snapshot": {"snapshots": [DISK], "count": 1},
            }
        )

    def observer(self, folder: Path) -> Observer:
        """Return an observer that is signed in."""
        return Observer("nas-1", Writer(session_on(self.fake, folder)))

    def listing(self, *rows: Mapping[str, Any]) -> None:
        """Let the share's list show these snapshots."""
        self.lists["SYNO.Core.Share.Snapshot"] = {"snapshots": list(rows), "total": len(rows)}


@pytest.fixture
def nas() -> Nas:
    """Set up the fake NAS."""
    return Nas()


def owned(*_: object) -> bool:
    """Say that a policy owns everything."""
    return True


def test_a_whole_reading(nas: Nas, tmp_path: Path) -> None:
    """Every target is there, the one that is not mounted with its problem; marks are read."""
    seen = nas.observer(tmp_path).whole(owned)
    share, away, disk = seen.targets
    assert share.snapshots is not None
    assert [s.mark is not None for s in share.snapshots] == [True, False]
    assert (share.volume_free, share.built_in) == (7, None)
    assert (away.snapshots, away.problem) == (None, "it is not mounted")
    assert (disk.kind, len(disk.snapshots or ())) == (Kind.LUN, 1)
    assert (seen.plans, seen.plans_problem, seen.skew) == ((), "", 0)


def test_plans_that_fail_are_not_none(nas: Nas, tmp_path: Path) -> None:
    """A plan list that fails is None with its reason, at the first reading and at a later one."""
    observer = nas.observer(tmp_path)
    good = observer.whole(owned)
    nas.lists["SYNO.DR.Plan"] = 102
    for seen in (observer.whole(owned), observer.again(good, Kind.SHARE, "u1")):
        assert seen.plans is None
        assert seen.plans_problem


def test_a_nas_without_a_date_cannot_be_planned(nas: Nas, tmp_path: Path) -> None:
    """Without the NAS's own clock nothing is decided."""
    send = nas.fake.send
    nas.fake.send = lambda *a: Answer(200, {}, send(*a).body)  # type: ignore[method-assign]
    with pytest.raises(PermanentError, match="no `Date` header"):
        nas.observer(tmp_path).whole(owned)


def test_a_target_read_again(nas: Nas, tmp_path: Path) -> None:
    """One target, the plans and the clock are fresh; the rest is as it was."""
    observer = nas.observer(tmp_path)
    before = observer.whole(owned)
    nas.listing(ROW)
    nas.fake.clock.now += 60
    for uuid, kind in (("u1", Kind.SHARE), ("u3", Kind.LUN)):
        seen = observer.again(before, kind, uuid)
        assert seen.now == before.now + 60
        fresh = next(t for t in seen.targets if t.uuid == uuid)
        assert fresh.volume_free == (7 if uuid == "u1" else None)
        assert [t for t in seen.targets if t.uuid != uuid] == [
            t for t in before.targets if t.uuid != uuid
        ]
    assert (
        len(next(t for t in observer.again(before, Kind.SHARE, "u1").targets).snapshots or ()) == 1
    )


def test_a_target_that_is_gone_is_left_out(nas: Nas, tmp_path: Path) -> None:
    """A share is looked for by its uuid: another one of the same name is not it (P10)."""
    observer = nas.observer(tmp_path)
    before = observer.whole(owned)
    nas.lists["SYNO.Core.Share"] = {"shares": [{"name": "a", "uuid": "u9"}], "total": 1}
    seen = observer.again(before, Kind.SHARE, "u1")
    assert [t.uuid for t in seen.targets] == ["u2", "u3"]
    assert [t.uuid for t in observer.again(before, Kind.LUN, "u9").targets] == ["u1", "u2", "u3"]


def test_a_share_that_came_off_its_volume_in_between(nas: Nas, tmp_path: Path) -> None:
    """A share that is not mounted any more is not listed, so nothing is decided on it."""
    observer = nas.observer(tmp_path)
    before = observer.whole(owned)
    nas.lists["SYNO.Core.Share"]["shares"][0]["is_offline_share"] = True
    seen = observer.again(before, Kind.SHARE, "u1").targets[0]
    assert (seen.snapshots, seen.problem) == (None, "it is not mounted")


def test_a_list_that_is_suddenly_empty_is_not_believed(nas: Nas, tmp_path: Path) -> None:
    """An empty list after a full one is distrusted until it shows something again (P4)."""
    observer = nas.observer(tmp_path)
    seen = observer.whole(owned)
    nas.listing()
    for _ in range(2):
        seen = observer.again(seen, Kind.SHARE, "u1")
        assert seen.targets[0].snapshots is None
    nas.listing(ROW)
    assert observer.again(seen, Kind.SHARE, "u1").targets[0].snapshots is not None


def test_a_measured_difference_is_taken_off_names_of_its_form(nas: Nas, tmp_path: Path) -> None:
    """A constant difference shifts the names of that form; what has no time keeps none."""
    target = nas.observer(tmp_path).whole(owned).targets[0]
    moved = shifted(target, {NameForm.OFFSET: 1800})
    assert target.snapshots is not None
    assert moved is not None
    assert moved.snapshots is not None
    assert [s.time for s in target.snapshots] == [1795431601, None]
    assert [s.time for s in moved.snapshots] == [1795431601 - 1800, None]
    assert shifted(target, {NameForm.BARE: 1800}) == target
    assert shifted(None, {NameForm.BARE: 1800}) is None


def test_two_measured_shifts_add_up() -> None:
    """A second measurement is of times that the first one moved already: the two add up."""
    from builders import bare, observation, share

    seen = observation("11-23 12:00", share(bare("11-23 11:00")))
    once = with_shift(seen, NameForm.BARE, 3600)
    twice = with_shift(once, NameForm.BARE, 1800)
    assert dict(twice.name_shift) == {NameForm.BARE: 5400}
    (before,), (after,) = seen.targets[0].snapshots or (), twice.targets[0].snapshots or ()
    assert (before.time or 0) - (after.time or 0) == 5400
