"""LUNs and their snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Door

    from reconciler.simulator import Nas

API = "Core.ISCSI.LUN"
USUAL = ["BLOCK", "FILE", "THIN", "ADV", "BLUN", "BLUN_THICK", "BLUN_SINK"]


def test_the_usual_filter_hides_virtual_disks(door: Door, nas: Nas) -> None:
    """A `types` filter hides LUNs of other types; without one all are listed, without a total."""
    nas.add_lun("VM", type_str="VDISK_BLUN")
    everything = door.data(API, "list", offset=1, limit=1)
    assert [lun["name"] for lun in everything["luns"]] == ["LUN-1", "VM"]
    assert "total" not in everything
    assert [lun["name"] for lun in door.data(API, "list", types=USUAL)["luns"]] == ["LUN-1"]


def test_a_status_has_two_shapes(door: Door, nas: Nas) -> None:
    """A snapshot's status is an object in `list` and a text in `list_snapshot`."""
    lun = nas.lun("LUN-1")
    lun.add_snapshot(nas.clock.now())
    (listed,) = door.data(API, "list", additional=["snapshot_info"])["luns"]
    assert listed["snapshots"][0]["status"]["type"] == "Healthy"
    (row,) = door.data(API, "list_snapshot", src_lun_uuid=lun.uuid)["snapshots"]
    assert row["status"] == "Healthy"
    assert not {"locked_app_keys", "is_worm_locked"} & row.keys()


def test_taking_a_snapshot(door: Door, nas: Nas) -> None:
    """A snapshot carries what was asked for; an empty `taken_by` becomes webapi."""
    lun = nas.lun("LUN-1")
    answer = door.data(API, "take_snapshot", src_lun_uuid=lun.uuid, taken_by="", is_locked=False)
    made = lun.snapshot(answer["snapshot_uuid"])
    assert made is not None
    assert (made.taken_by, made.locked, made.name, made.at) == (
        "webapi", False, "SnapShot-1", nas.clock.now(),
    )  # fmt: skip
    (row,) = door.data(API, "list", additional=["is_action_locked"])["luns"]
    assert row["is_action_locked"] is True
    nas.clock.advance(0.3)
    (row,) = door.data(API, "list", additional=["is_action_locked"])["luns"]
    assert row["is_action_locked"] is False


def test_what_stops_a_creation(door: Door, nas: Nas) -> None:
    """A taken name, a full LUN, a thick one and an unknown one each answer their own code."""
    lun = nas.lun("LUN-1")

    def take(uuid: object = lun.uuid, name: str = "x") -> int:
        return door.code(API, "take_snapshot", src_lun_uuid=uuid, snapshot_name=name)

    assert take() == 0
    assert take() == 18990513
    nas.limits.per_lun = 1
    assert take(name="y") == 18990543
    nas.volumes[0].free = (1 << 30) - 1
    assert take(name="y") == 18990002
    lun.can_snapshot = False
    assert take() == 18990500
    assert take(uuid="nobody") == 18990531
    assert take(uuid=4) == 18990710


def test_single_and_bulk_deletions_fail_differently(door: Door, nas: Nas) -> None:
    """A single deletion fails as an error, a bulk one inside `success: true`."""
    lun = nas.lun("LUN-1")
    held = lun.add_snapshot(nas.clock.now(), locked_app_keys=["SnapshotReplication-synodr-x"])
    worm = lun.add_snapshot(nas.clock.now(), immutable_days=1)
    goes = lun.add_snapshot(nas.clock.now(), locked=True)
    assert door.code(API, "delete_snapshot", snapshot_uuid=held.uuid) == 18990540
    assert door.code(API, "delete_snapshot", snapshot_uuid="gone") == 18990532
    uuids = [held.uuid, worm.uuid, goes.uuid, "gone"]
    answer = door.ask(API, "delete_snapshot", snapshot_uuids=uuids)
    codes = [{held.uuid: 18990540}, {worm.uuid: 18990540}, {"gone": 18990532}]
    assert answer == {"data": codes, "success": True}
    assert lun.snapshots == [held, worm]


def test_changing_a_snapshot(door: Door, nas: Nas) -> None:
    """Description and lock of a LUN's snapshot change separately."""
    made = nas.lun("LUN-1").add_snapshot(nas.clock.now(), "old")
    uuid = made.uuid
    assert door.code(API, "set_snapshot", snapshot_uuid=uuid, is_locked=True) == 0
    assert (made.description, made.locked) == ("old", True)
    assert door.code(API, "set_snapshot", snapshot_uuid=uuid, description="new") == 0
    assert (made.description, made.locked) == ("new", True)
    assert door.code(API, "set_snapshot", snapshot_uuid="gone") == 18990532


def test_parameters_of_the_wrong_kind(door: Door, nas: Nas) -> None:
    """A missing uuid is 18990508, an unquoted description that is a number 18990710."""
    uuid = nas.lun("LUN-1").uuid
    assert door.code(API, "get") == 18990508
    assert door.code(API, "take_snapshot", src_lun_uuid=uuid, description=2024) == 18990710
    assert door.data(API, "get", uuid=uuid)["lun"]["name"] == "LUN-1"
