"""Shared folders and their snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.simulator.wire import Carried

if TYPE_CHECKING:
    from conftest import Door

    from reconciler.simulator import Nas

API = "Core.Share.Snapshot"
ALL = ["desc", "lock", "schedule_snapshot", "worm_lock", "ruuid", "snap_size"]


def row(door: Door, name: str, additional: list[str]) -> dict[str, Any]:
    """Return the listed row of one snapshot."""
    rows = door.data(API, "list", 2, name="projects", additional=additional)["snapshots"]
    return next(each for each in rows if each["time"] == name)


def create(door: Door, **snapinfo: Any) -> str:
    """Take a snapshot of the share and return its name."""
    return door.data(API, "create", name="projects", snapinfo=snapinfo)


def test_attributes_come_only_when_asked_for(door: Door, nas: Nas) -> None:
    """Without `additional` a row is its `time` and nothing else."""
    name = nas.share("projects").add_snapshot(nas.clock.now()).name
    assert row(door, name, []) == {"time": name}


def test_strings_where_dsm_sends_strings(door: Door, nas: Nas) -> None:
    """Locks are booleans; the WORM figures and the size are strings."""
    made = nas.share("projects").add_snapshot(1694442220, locked=True, immutable_days=1)
    made.immutable_from = 1694442321.0
    nas.clock.set(1694450000)
    assert row(door, made.name, ["lock", "worm_lock", "snap_size", "ruuid"]) == {
        "lock": True,
        "ruuid": made.ruuid,
        "snap_size": "10737418240",
        "time": made.name,
        "worm_lock": True,
        "worm_lock_begin": "1694442321",
        "worm_lock_day": "1",
        "worm_lock_end": "1694528721",
    }


def test_the_worm_lock_ends_by_itself_and_the_users_lock_stays(door: Door, nas: Nas) -> None:
    """After its period the WORM flag is off, its figures are gone, and `lock` is as it was."""
    made = nas.share("projects").add_snapshot(nas.clock.now(), locked=True, immutable_days=1)
    nas.clock.advance(86400)
    door.sign_in()
    assert row(door, made.name, ["lock", "worm_lock"]) == {
        "lock": True, "time": made.name, "worm_lock": False,
    }  # fmt: skip


def test_paging_keeps_the_total(door: Door, nas: Nas) -> None:
    """`offset` and `limit` cut the rows, `total` counts what matches."""
    for hour in range(5):
        nas.share("projects").add_snapshot(nas.clock.now() - hour * 3600)
    page = door.data(API, "list", 2, name="projects", offset=3, limit=4)
    assert (len(page["snapshots"]), page["total"]) == (2, 5)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["!hide==true"], 2),
        (["desc==before"], 1),
        (["desc=fore"], 2),
        (["!desc=fore"], 1),
        (["desc=fore", "lock==true"], 1),
    ],
)
def test_filters(door: Door, nas: Nas, conditions: list[str], found: int) -> None:
    """`==` is equality, `=` is containment, `!` negates, and all conditions must hold."""
    share, now = nas.share("projects"), nas.clock.now()
    share.add_snapshot(now, "before")
    share.add_snapshot(now - 1, "before that", locked=True)
    share.add_snapshot(now - 2, hidden=True)
    answer = door.data(API, "list", 2, name="projects", filter={"attr": conditions})
    assert len(answer["snapshots"]) == answer["total"] == found


def test_the_list_is_in_order_of_names(door: Door, nas: Nas) -> None:
    """Across the change of offset the order of the list is not the order of time."""
    share = nas.share("projects")
    summer = share.add_snapshot("2026-10-25T02:30:00+02:00")
    winter = share.add_snapshot("2026-10-25T02:10:00+01:00")
    assert summer.at < winter.at
    assert door.names() == [winter.name, summer.name]


def test_unknown_additional_keys_on_strict_builds(door: Door, nas: Nas) -> None:
    """An unknown key is ignored, or refused with 120 for the whole call on strict builds."""
    assert door.code(API, "list", 2, name="projects", additional=["desc", "nonsense"]) == 0
    nas.strict_additional = True
    assert door.code(API, "list", 2, name="projects", additional=["desc", "nonsense"]) == 120
    assert door.code(API, "list", 2, name="projects", additional=ALL) == 0
    nas.unknown_additional = ["worm_lock"]
    assert door.code(API, "list", 2, name="projects", additional=ALL) == 120


def test_a_creation_answers_a_bare_name(door: Door) -> None:
    """The answer's data is the name itself, in the NAS's wall clock and offset."""
    assert create(door, desc="x", lock=False) == "GMT+01-2026.11.24-12.00.00"


def test_a_bare_creation_is_locked(door: Door, nas: Nas) -> None:
    """Without `lock` inside `snapinfo` a snapshot is locked; top-level values are lost."""
    name = door.data(API, "create", name="projects", desc="lost", lock=False)
    assert row(door, name, ["desc", "lock"]) == {"desc": "", "lock": True, "time": name}
    nas.clock.advance(1)
    assert row(door, create(door, lock=False), ["lock"])["lock"] is False


def test_two_creations_in_one_second(door: Door, nas: Nas) -> None:
    """A name has one second: the second creation is refused, or answers the first one's name."""
    name = create(door, lock=False)
    assert door.code(API, "create", name="projects") == 3301
    nas.collide = True
    assert create(door, desc="mine") == name
    assert row(door, name, ["desc"])["desc"] == ""
    assert len(door.names()) == 1


@pytest.mark.parametrize("name", [2024, True, None, 1.5])
def test_an_unquoted_share_name_is_no_text(door: Door, nas: Nas, name: Any) -> None:
    """A share called 2024 or true is only found when its name is JSON-quoted."""
    nas.add_share(str(name))
    assert door.code(API, "list", 2, name=name) == 403
    assert door.code(API, "list", 2, name=str(name)) == 0


def test_an_unquoted_word_is_read_as_text(door: Door) -> None:
    """A value that is no JSON is taken as it stands."""
    carried = Carried(sid_parameter=door.sid)
    answer = door.form(carried, api=f"SYNO.{API}", method="list", version=2, name="projects")
    assert answer["success"]


def test_no_such_share(door: Door) -> None:
    """An unknown share is 402; 403 is a bad value and no permission."""
    assert door.code(API, "list", 2, name="nobody") == 402
    assert door.code("Core.Share", "get", name="nobody") == 402
    assert door.code(API, "get_share_conf", name="projects") == 403


def test_the_users_lock_does_not_stop_a_deletion(door: Door, nas: Nas) -> None:
    """An explicit deletion removes a locked snapshot."""
    name = nas.share("projects").add_snapshot(nas.clock.now(), locked=True).name
    assert door.ask(API, "delete", name="projects", snapshots=[name]) == {"success": True}
    assert door.names() == []


def test_refused_deletions_hide_inside_success(door: Door, nas: Nas) -> None:
    """WORM, the system's hold and an unknown name stand as codes in a successful answer."""
    share, now = nas.share("projects"), nas.clock.now()
    worm = share.add_snapshot(now, immutable_days=7).name
    system = share.add_snapshot(now - 1, preserved=True).name
    goes = share.add_snapshot(now - 2).name
    names = [goes, worm, system, "GMT+01-2020.01.01-00.00.00"]
    assert door.ask(API, "delete", name="projects", snapshots=names) == {
        "data": [{worm: 3350}, {system: 3337}, {names[3]: 3300}],
        "success": True,
    }
    assert door.names() == sorted([worm, system])


def test_refused_deletions_as_an_error(door: Door, nas: Nas) -> None:
    """On other builds a refused deletion is an error whose `errors` is a list."""
    nas.delete_refusals = "error"
    worm = nas.share("projects").add_snapshot(nas.clock.now(), immutable_days=7).name
    answer = door.ask(API, "delete", name="projects", snapshots=[worm])
    assert answer == {"error": {"code": 3350, "errors": [{worm: 3350}]}, "success": False}


def test_immutability_only_grows(door: Door, nas: Nas) -> None:
    """A longer period is taken, a shorter one and `worm_lock: false` are refused."""
    share = nas.share("projects")
    made = share.add_snapshot(nas.clock.now(), immutable_days=7)

    def change(**snapinfo: Any) -> int:
        return door.code(API, "set", name="projects", snapshot=made.name, snapinfo=snapinfo)

    assert change(worm_lock=True, worm_lock_day=3) == 403
    assert change(worm_lock=False) == 403
    assert made.immutable_days == 7
    assert change(worm_lock=True, worm_lock_day=9) == 0
    assert made.immutable_days == 9


def test_setting_one_attribute_keeps_the_others(door: Door, nas: Nas) -> None:
    """`set` is a patch, and its answer has no data."""
    made = nas.share("projects").add_snapshot(nas.clock.now(), "old", locked=True)
    answer = door.ask(API, "set", name="projects", snapshot=made.name, snapinfo={"desc": "new"})
    assert answer == {"success": True}
    assert (made.description, made.locked) == ("new", True)


def test_limits(door: Door, nas: Nas) -> None:
    """A share's and the system's limit answer 3329, immutable snapshots included."""
    share = nas.share("projects")
    share.add_snapshot(nas.clock.now() - 1, immutable_days=7)
    nas.limits.per_share = 1
    assert door.code(API, "create", name="projects") == 3329
    nas.limits.per_share, nas.limits.system = 2, 1
    assert door.code(API, "create", name="projects") == 3329
    nas.limits.system = 2
    assert door.code(API, "create", name="projects") == 0


def test_what_stops_a_creation(door: Door, nas: Nas) -> None:
    """A full volume, a busy share and an unmounted one each answer their own code."""
    nas.volumes[0].free = (100 << 20) - 1
    assert door.code(API, "create", name="projects") == 3320
    nas.volumes[0].free = 1 << 40
    nas.share("projects").busy = True
    assert door.code(API, "create", name="projects") == 3328
    nas.share("projects").offline = True
    assert door.code(API, "create", name="projects") == 3338


def test_an_unmounted_share_lists_nothing(door: Door, nas: Nas) -> None:
    """An encrypted share that is not mounted looks as if it had no snapshots."""
    nas.share("projects").add_snapshot(nas.clock.now())
    nas.share("projects").offline = True
    assert door.data(API, "list", 2, name="projects") == {"snapshots": [], "total": 0}


def test_space_comes_back_minutes_later(door: Door, nas: Nas) -> None:
    """Right after a deletion the volume is as full as before."""
    made = nas.share("projects").add_snapshot(nas.clock.now())
    free = nas.volumes[0].free
    door.data(API, "delete", name="projects", snapshots=[made.name])
    assert nas.volumes[0].free == free
    nas.clock.advance(300)
    nas.tick()
    assert nas.volumes[0].free == free + made.exclusive


def test_share_settings_need_to_be_named(door: Door) -> None:
    """`get_share_conf` answers what `sharesnapinfo` names."""
    asked = ["snapshot_local_time_format", "enable_snapshot_browsing"]
    assert door.data(API, "get_share_conf", name="projects", sharesnapinfo=asked) == {
        "enable_snapshot_browsing": False,
        "snapshot_local_time_format": True,
    }


def test_shares_by_get_ignore_additional(door: Door, nas: Nas) -> None:
    """The list of shares is flat, and honours `additional` only by POST."""
    posted = door.data("Core.Share", "list", additional=["support_snapshot", "encryption"])
    (share,) = posted["shares"]
    assert share == {
        "desc": "",
        "encryption": 0,
        "is_usb_share": False,
        "name": "projects",
        "support_snapshot": True,
        "uuid": nas.share("projects").uuid,
        "vol_path": "/volume1",
    }
    (bare,) = door.data("Core.Share", "list", get=True, additional=["encryption"])["shares"]
    assert "encryption" not in bare


def test_an_older_build_ignores_immutability(door: Door, nas: Nas) -> None:
    """Before DSM 7.2 the WORM parameters do nothing, and the creation says success."""
    nas.immutable = False
    name = create(door, lock=False, worm_lock=True, worm_lock_day=7)
    assert row(door, name, ["worm_lock"])["worm_lock"] is False


@pytest.mark.parametrize(
    "snapinfo", ["text", {"lock": "yes"}, {"desc": 5}, {"worm_lock": True, "worm_lock_day": 0}]
)
def test_bad_values_inside_snapinfo(door: Door, snapinfo: Any) -> None:
    """A value of the wrong kind inside `snapinfo` is 403, and nothing is taken."""
    assert door.code(API, "create", name="projects", snapinfo=snapinfo) == 403
    assert door.names() == []


def test_changing_what_is_not_there(door: Door, nas: Nas) -> None:
    """An unknown snapshot cannot be changed, nor anything on a share that is not mounted."""
    change = {"name": "projects", "snapshot": "GMT+00-2020.01.01-00.00.00", "snapinfo": {}}
    assert door.code(API, "set", **change) == 3300
    nas.share("projects").offline = True
    assert door.code(API, "set", **change) == 3338


def test_volumes_stop_creations(door: Door, nas: Nas) -> None:
    """A read-only volume answers 3314, a missing one 3304, ext4 the generic code."""
    nas.volumes[0].writable = False
    assert door.code(API, "create", name="projects") == 3314
    nas.volumes.clear()
    assert door.code(API, "create", name="projects") == 3304
    nas.share("projects").support_snapshot = False
    assert door.code(API, "create", name="projects") == 3300


def test_an_expired_worm_lock_starts_anew(door: Door, nas: Nas) -> None:
    """After the end of its period a snapshot can be made immutable from now on."""
    made = nas.share("projects").add_snapshot(nas.clock.now() - 9 * 86400, immutable_days=7)
    change = {"worm_lock": True, "worm_lock_day": 1}
    assert door.code(API, "set", name="projects", snapshot=made.name, snapinfo=change) == 0
    assert made.immutable_until == nas.clock.now() + 86400


def test_a_busy_share_refuses_deletions(door: Door, nas: Nas) -> None:
    """While another process holds the share, a deletion is an error and nothing goes."""
    made = nas.share("projects").add_snapshot(nas.clock.now())
    nas.share("projects").busy = True
    assert door.code(API, "delete", name="projects", snapshots=made.name) == 403
    assert door.code(API, "delete", name="projects", snapshots=[made.name]) == 3328
    assert door.names() == [made.name]


def test_writes_can_take_time(door: Door, nas: Nas) -> None:
    """With `write_seconds` the simulated clock moves, so that creations get names of their own."""
    nas.write_seconds = 1.0
    names = [create(door, lock=False) for _ in range(2)]
    assert names == ["GMT+01-2026.11.24-12.00.00", "GMT+01-2026.11.24-12.00.01"]
