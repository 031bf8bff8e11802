"""The list of APIs, versions, methods, and compound calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Door

    from reconciler.simulator import Nas


def test_the_list_needs_no_session_and_names_the_documented_versions(door: Door) -> None:
    """The list of APIs is open, and a version range belongs to the API, not to a method."""
    door.sid = None
    listed = door.data("API.Info", "query", query="all")
    assert listed["SYNO.API.Auth"] == {"maxVersion": 7, "minVersion": 1, "path": "entry.cgi"}
    assert listed["SYNO.Core.Share.Snapshot"] == {
        "maxVersion": 2, "minVersion": 1, "path": "entry.cgi", "requestFormat": "JSON",
    }  # fmt: skip
    assert listed["SYNO.DR.Plan"]["maxVersion"] == 3
    assert listed["SYNO.Entry.Request"]["maxVersion"] == 2


def test_an_absent_api_is_a_missing_key(door: Door, nas: Nas) -> None:
    """An API that is not there is left out of the list without an error, and answers 102."""
    nas.replication = "absent"
    assert door.data("API.Info", "query", query="SYNO.DR.Plan,SYNO.Core.Share") == {
        "SYNO.Core.Share": {
            "maxVersion": 1, "minVersion": 1, "path": "entry.cgi", "requestFormat": "JSON",
        }
    }  # fmt: skip
    assert door.code("DR.Plan", "list") == 102


def test_a_stopped_package_still_advertises_its_api(door: Door, nas: Nas) -> None:
    """With the replication package stopped the API is listed and its calls fail."""
    nas.replication = "stopped"
    assert "SYNO.DR.Plan" in door.data("API.Info", "query", query="all")
    assert door.code("DR.Plan", "list") == 102


@pytest.mark.parametrize(
    ("api", "method", "version", "code"),
    [
        ("Core.Share.Snapshot", "nonsense", 3, 104),
        ("Core.Share.Snapshot", "nonsense", 1, 103),
        ("Core.Share.Snapshot", "create", 2, 103),
        ("Core.Share.Snapshot", "get_schedule", 2, 103),
        ("DR.Plan", "list", 3, 103),
        ("No.Such", "list", 1, 102),
    ],
)
def test_version_is_checked_before_method(
    door: Door, api: str, method: str, version: int, code: int
) -> None:
    """An unsupported version answers 104 for every method; a method of another version 103."""
    assert door.code(api, method, version, name="projects") == code


def test_a_compound_succeeds_outside_while_members_fail(door: Door) -> None:
    """The outer answer of a compound is success, its members carry their own codes."""
    answer = door.compound(
        {"api": "SYNO.Core.Share.Snapshot", "method": "list", "version": 2, "name": "projects"},
        {"api": "SYNO.Core.Share.Snapshot", "method": "list", "version": 2, "name": "nobody"},
    )
    assert answer["has_fail"] is True
    good, bad = answer["result"]
    assert good["data"] == {"snapshots": [], "total": 0}
    assert (bad["api"], bad["success"], bad["error"]) == (
        "SYNO.Core.Share.Snapshot",
        False,
        {"code": 402},
    )


def test_a_dead_session_fails_only_inside_a_compound(door: Door, nas: Nas) -> None:
    """With a dead session the compound itself succeeds and every member answers 119."""
    nas.end_sessions()
    member = {"api": "SYNO.Core.Share", "method": "list", "version": 1}
    answer = door.compound(member, member)
    assert [each["error"]["code"] for each in answer["result"]] == [119, 119]


def test_stopping_at_an_error_shortens_the_result(door: Door) -> None:
    """With `stop_when_error` the members after a failure have no answer at all."""
    bad = {"api": "SYNO.Core.Share", "method": "get", "version": 1, "name": "nobody"}
    good = {"api": "SYNO.Core.Share", "method": "list", "version": 1}
    assert len(door.compound(bad, good, stop=True)["result"]) == 1
    assert len(door.compound(bad, good, stop=False)["result"]) == 2


def test_compounds_can_be_absent_or_limited(door: Door, nas: Nas) -> None:
    """A NAS may lack the compound call, or refuse more members than its limit."""
    member = {"api": "SYNO.Core.Share", "method": "list", "version": 1}
    nas.compound_limit = 1
    assert door.code("Entry.Request", "request", compound=[member, member]) == 101
    nas.compound = False
    assert "SYNO.Entry.Request" not in door.data("API.Info", "query", query="all")
    assert door.code("Entry.Request", "request", compound=[member]) == 102


def test_members_stand_in_the_record_of_requests(door: Door) -> None:
    """A compound is recorded before its members, and a member as such."""
    before = len(door.dispatcher.requests)
    door.compound({"api": "SYNO.Core.Share", "method": "list", "version": 1})
    assert [(r.method, r.member) for r in door.dispatcher.requests[before:]] == [
        ("request", False),
        ("list", True),
    ]


def test_a_broken_member_fails_alone(door: Door) -> None:
    """A member without its three names answers 101, a compound within a compound 103."""
    nested = {"api": "SYNO.Entry.Request", "method": "request", "version": 1, "compound": []}
    answer = door.compound({"api": "SYNO.Core.Share"}, "nonsense", nested)
    assert [each["error"]["code"] for each in answer["result"]] == [101, 101, 103]
    assert door.code("Entry.Request", "request", compound={}) == 101


def test_paths_may_be_padded(door: Door, nas: Nas) -> None:
    """One build pads the path with underscores."""
    nas.padded_paths = True
    path = door.data("API.Info", "query", query="SYNO.API.Auth")["SYNO.API.Auth"]["path"]
    assert path != "entry.cgi"
    assert path.lstrip("_") == "entry.cgi"
