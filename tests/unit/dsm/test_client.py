"""What the client asks for, does without, and takes for not known rather than for absent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fake_nas import FakeNas, offered, session_on

from reconciler.dsm import Writer
from reconciler.dsm.errors import FeatureAbsent, Incomplete, Rejected
from reconciler.errors import TargetError
from reconciler.model import RetentionKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SHARE, LUN, PLAN, RETENTION = (
    "SYNO.Core.Share", "SYNO.Core.ISCSI.LUN", "SYNO.DR.Plan", "SYNO.DisasterRecovery.Retention",
)  # fmt: skip
ROW = {"time": "GMT+01-2026.11.23-12.00.01", "desc": "", "lock": False}
LISTS: Mapping[str, Any] = {
    "SYNO.Core.Share": {"shares": [{"name": "a", "uuid": "u1"}], "total": 1},
    "SYNO.Core.Share.Snapshot": {"snapshots": [ROW], "total": 1},
    "SYNO.Core.ISCSI.LUN": {"luns": [{"name": "l", "uuid": "u2"}]},
    "SYNO.DR.Plan": {"plans": []},
    "SYNO.Core.Storage.Volume": {"volumes": [{"volume_path": "/volume1", "size_free_byte": "7"}]},
}


def value(form: Mapping[str, Any], key: str) -> Any:
    """Return a parameter of a single call or of a member."""
    found = form.get(key)
    return json.loads(found) if "_sid" in form and isinstance(found, str) else found


def listing(**refused: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Answer `list` by API; `refused` looks at `additional` first, by the API's last word."""

    def answer(form: Any) -> Any:
        last = form["api"].rpartition(".")[2]
        wrong = refused.get(last, lambda _: None)(value(form, "additional") or ())
        return wrong if wrong is not None else LISTS[form["api"]]

    return answer


def client(tmp_path: Path, replies: dict[str, Any]) -> tuple[FakeNas, Writer]:
    """Return a fake NAS and a client signed in to it."""
    nas = FakeNas({"info": {}, "getinfo": {"serial": "S"}, "list": listing(), **replies})
    return nas, Writer(session_on(nas, tmp_path))


def test_a_key_that_shares_or_luns_do_not_know_is_left_out(tmp_path: Path) -> None:
    """A newer key refused with 120 never makes the NAS unreadable, then or at the next reading."""

    def fussy(additional: Any) -> int | None:
        return 120 if {"is_c2_share", "snapshot_info"} & set(additional) else None

    nas, reader = client(tmp_path, {"list": listing(Share=fussy, LUN=fussy)})
    seen = reader.read_overview()
    assert [share.name for share in seen.shares] == ["a"]
    assert [lun.name for lun in seen.luns] == ["l"]
    asked = len(nas.asked)
    assert reader.read_share("u1") is not None
    assert reader.read_share("u9") is None
    assert len(nas.asked) == asked + 2, "the refused key is not tried again"


def test_a_list_of_shares_that_stays_refused_makes_the_unit_unknown(tmp_path: Path) -> None:
    """Without a list of shares or LUNs nothing is known, which is not the same as none."""
    for last in ("Share", "LUN"):
        _, reader = client(tmp_path, {"list": listing(**{last: lambda _: 100})})
        with pytest.raises(Rejected):
            reader.read_overview()


def test_a_nas_may_have_luns_alone_or_shares_alone_but_not_neither(tmp_path: Path) -> None:
    """An API that is not offered has no targets; a NAS without both is none that is known."""
    _, reader = client(tmp_path, {"query": offered(SHARE)})
    assert (reader.read_overview().shares, len(reader.read_overview().luns)) == ((), 1)
    _, reader = client(tmp_path, {"query": offered(LUN)})
    assert (len(reader.read_overview().shares), reader.read_overview().luns) == (1, ())
    _, reader = client(tmp_path, {"query": offered(SHARE, LUN)})
    with pytest.raises(FeatureAbsent, match="neither shares nor LUNs"):
        reader.read_overview()


def test_plans_that_cannot_be_listed_are_no_absence(tmp_path: Path) -> None:
    """Only an API that is not offered means that there are no plans (P8)."""
    _, reader = client(tmp_path, {"query": offered(PLAN)})
    assert (reader.read_overview().plans, reader.read_plans()) == ((), ())
    for broken in (102, [], {"plans": [{}]}):
        _, reader = client(tmp_path, {"list": listing(Plan=lambda _, b=broken: b)})
        assert isinstance(reader.read_overview().plans, TargetError)
        with pytest.raises(TargetError):
            reader.read_plans()


@pytest.mark.parametrize(
    "answer", [101, [], {"volumes": [{"volume_path": "/volume1"}]}, {"volumes": [{}]}, {}]
)
def test_free_space_may_be_unknown(answer: Any, tmp_path: Path) -> None:
    """Volumes that cannot be read leave the free space unknown and nothing else."""
    _, reader = client(tmp_path, {"list": listing(Volume=lambda _: answer)})
    assert reader.read_overview().free == {}


@pytest.mark.parametrize("unknown", [{"ruuid"}, {"worm_lock"}, {"ruuid", "worm_lock"}])
def test_newer_attributes_of_snapshots_are_left_out_step_by_step(
    unknown: set[str], tmp_path: Path
) -> None:
    """What an older DSM accepts is found once and asked for from then on."""
    nas, reader = client(
        tmp_path, {"list": listing(Snapshot=lambda keys: 120 if unknown & set(keys) else None)}
    )
    names = [f"s{number}" for number in range(5)]
    found, _ = reader.read_listings(names, [])
    assert all(isinstance(found[name], tuple) for name in names)
    asked = len(nas.asked)
    assert isinstance(reader.read_listings(names[:1], [])[0]["s0"], tuple)
    assert len(nas.asked) == asked + 1


def test_a_listing_that_refuses_even_the_oldest_keys_is_its_error(tmp_path: Path) -> None:
    """Two steps, then the refusal stands, for that share alone."""
    nas, reader = client(tmp_path, {"list": listing(Snapshot=lambda _: 120)})
    found, luns = reader.read_listings(["s0"], [])
    assert isinstance(found["s0"], Rejected)
    assert (luns, nas.count("list")) == ({}, 3)


def test_a_listing_that_cannot_be_understood_is_its_error(tmp_path: Path) -> None:
    """A listing that contradicts itself is an error of that target, not of the unit."""
    wrong = {"snapshots": [ROW], "total": 2}
    _, reader = client(tmp_path, {"list": listing(Snapshot=lambda _: wrong)})
    assert isinstance(reader.read_listings(["s0"], [])[0]["s0"], Incomplete)


SMART = {"policyType": 128, "advDaily": 7, "daily": 99}
INFO = {"retention": SMART, "schedule": {"hour": 2, "next_trigger_time": "2026-11-26 04:30"}}
ENABLED = {"enable_snapshot_schedule": True}
BUILT_IN: Mapping[str, tuple[Any, Any, Any, tuple[bool, RetentionKind] | None]] = {
    # what `get` of the share, `get_schedule` and `get` of the retention answer; what is known
    "both in snapshot_info": (INFO, ENABLED, 103, (True, RetentionKind.ADVANCED)),
    "a schedule that is switched off": (
        INFO, {"enable_snapshot_schedule": False}, 103, (False, RetentionKind.ADVANCED),
    ),
    "a flag that cannot be read": (
        INFO, {"enable_snapshot_schedule": "?"}, 103, (True, RetentionKind.ADVANCED),
    ),
    "no flag": (INFO, {}, 103, (True, RetentionKind.ADVANCED)),
    "no retention in snapshot_info": ({}, ENABLED, SMART, (True, RetentionKind.ADVANCED)),
    "an odd retention in snapshot_info": (
        {"retention": {"policyType": "x"}}, 103, {"policyType": 0}, (False, RetentionKind.NONE),
    ),
    "no snapshot_info": (None, ENABLED, {"policyType": 20}, (True, RetentionKind.LATEST)),
    "flags as numbers": (
        None, {"enable_snapshot_schedule": 1}, {"policyType": "64"}, (True, RetentionKind.DAYS),
    ),
    "no schedule known": (None, 103, {"policyType": 0}, (False, RetentionKind.NONE)),
    "no retention known": (None, ENABLED, 102, None),
    "a retention without its kind": (None, ENABLED, {}, None),
    "an odd retention": (None, ENABLED, {"policyType": []}, None),
    "nothing known": (None, 103, 102, None),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILT_IN)
def test_dsms_own_schedule_and_retention(name: str, tmp_path: Path) -> None:
    """The flag says whether a schedule is on; a retention that is not known is not "none"."""
    info, schedule, policy, known = BUILT_IN[name]

    def share_or_retention(form: Any) -> Any:
        if form["api"] == RETENTION:
            assert value(form, "type") == "Share", "in lower case DSM reads another namespace"
            return policy
        return 402 if info is None else {"snapshot_info": info}

    _, reader = client(tmp_path, {"get": share_or_retention, "get_schedule": schedule})
    found = reader.read_built_in(["a"]).get("a")
    assert (found and (found.schedule, found.retention)) == known


def test_writes_say_what_dsm_needs_to_hear(tmp_path: Path) -> None:
    """Attributes travel in `snapinfo`, a lock is always said, nothing impossible is asked for."""
    nas, writer = client(
        tmp_path,
        {"create": ["x"], "set": None, "take_snapshot": {"snapshot_uuid": "v"},
         "delete_snapshot": 18990532},
    )  # fmt: skip
    assert writer.create_snapshot("a", immutable=True, immutable_days=3) == ""
    assert json.loads(nas.asked[-1]["snapinfo"]) == {
        "desc": "", "lock": False, "worm_lock": True, "worm_lock_day": 3,
    }  # fmt: skip
    writer.set_snapshot_attr("a", "n", immutable=True, immutable_days=1, description="d")
    assert json.loads(nas.asked[-1]["snapinfo"]) == {
        "desc": "d", "worm_lock": True, "worm_lock_day": 1,
    }  # fmt: skip
    sent = len(nas.asked)
    for wrong in ({"immutable": False}, {"immutable": True}):
        with pytest.raises(ValueError, match="immut"):
            writer.set_snapshot_attr("a", "n", **wrong)
    with pytest.raises(ValueError, match="at least 1"):
        writer.create_snapshot("a", immutable=True, immutable_days=0)
    assert len(nas.asked) == sent
    assert writer.create_snapshot_lun("u") == {"snapshot_uuid": "v"}
    assert "snapshot_name" not in nas.asked[-1]
    assert writer.delete_from_lun(["v"]) == {"v": ""}, "gone already is done"
