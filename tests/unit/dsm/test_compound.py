"""Many reads in one request: what one member meets, and what a limit nobody knows becomes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fake_nas import FakeNas, offered, one_after_another, session_on

from reconciler.dsm.compound import Call, many
from reconciler.dsm.errors import AnswerLost, Denied, FeatureAbsent, Gone, Rejected, Unavailable
from reconciler.errors import CredentialError, PermanentError, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHARE, SNAPSHOT, PLAN = "SYNO.Core.Share", "SYNO.Core.Share.Snapshot", "SYNO.DR.Plan"
SHARES, PLANS = Call(SHARE, "get", {"name": "a"}), Call(PLAN, "list")


def listings(count: int) -> list[Call]:
    """Return that many listings of snapshots."""
    return [Call(SNAPSHOT, "list", {"name": f"s{number}"}) for number in range(count)]


def named(form: Any) -> Any:
    """Answer a listing with its own parameter, so that an answer in the wrong place shows."""
    return {"of": form["name"]}


def test_each_call_gets_its_own_answer(tmp_path: Path) -> None:
    """Answers come back in order, one member's error beside the others' data."""
    offer = offered("SYNO.Core.ISCSI.LUN")
    nas = FakeNas({"query": offer, "list": named, "get": 402})
    calls = [*listings(2), SHARES, Call("SYNO.Core.ISCSI.LUN", "list"), *listings(3)[2:]]
    found = many(session_on(nas, tmp_path), calls)
    assert [found[0], found[1], found[4]] == [{"of": "s0"}, {"of": "s1"}, {"of": "s2"}]
    assert isinstance(found[2], Gone)
    assert isinstance(found[3], FeatureAbsent)
    assert nas.count("request") == 1


def test_what_no_member_of_is_offered_is_not_asked_for(tmp_path: Path) -> None:
    """A batch of nothing but absent APIs sends no request."""
    nas = FakeNas({"query": offered(PLAN)})
    found = many(session_on(nas, tmp_path), [PLANS, PLANS])
    assert [type(one) for one in found] == [FeatureAbsent, FeatureAbsent]
    assert nas.count("request") == 0


def test_a_write_never_travels_in_a_batch(tmp_path: Path) -> None:
    """A batch is repeated after an expired session, which a write must not be."""
    nas = FakeNas()
    with pytest.raises(Refusal, match="never travels in a batch"):
        many(session_on(nas, tmp_path), [SHARES, Call(SNAPSHOT, "delete", {})])
    assert nas.count("request") == 0


@pytest.mark.parametrize("code", [106, 119, 150, 3299])
def test_a_member_may_be_the_first_to_tell_that_the_session_is_gone(
    code: int, tmp_path: Path
) -> None:
    """The outer call needs no session: expiry inside a member opens one more, for all of them."""
    nas = FakeNas({"list": one_after_another(code, {"plans": []}), "get": {"name": "a"}})
    found = many(session_on(nas, tmp_path), [SHARES, PLANS])
    assert found == [{"name": "a"}, {"plans": []}]
    assert nas.count("login") == 2


def test_a_members_right_that_is_missing_is_asked_about_once(tmp_path: Path) -> None:
    """A lasting 105 is Denied, with its next step; later batches do not sign in for it again."""
    nas = FakeNas({"list": 105, "get": {"name": "a"}})
    session = session_on(nas, tmp_path)
    for _ in range(3):
        found = many(session, [SHARES, PLANS])
        assert found[0] == {"name": "a"}
        assert isinstance(found[1], Denied)
        assert found[1].next_step
    assert (nas.count("login"), nas.count("logout")) == (2, 1)


def test_a_member_whose_session_never_holds_is_an_error_of_its_own(tmp_path: Path) -> None:
    """A second expiry right after a sign-in is not answered with a third one."""
    nas = FakeNas({"list": 119, "get": {"name": "a"}})
    found = many(session_on(nas, tmp_path), [SHARES, PLANS])
    assert type(found[1]) is PermanentError
    assert nas.count("login") == 2


def test_a_busy_member_is_asked_again_and_no_other(tmp_path: Path) -> None:
    """A member that is busy is repeated after a pause, as a single read would be."""
    nas = FakeNas({"list": one_after_another(109, 117, {"plans": []}), "get": {"name": "a"}})
    assert many(session_on(nas, tmp_path), [SHARES, PLANS])[1] == {"plans": []}
    members = [json.loads(f["compound"]) for f in nas.asked if f["method"] == "request"]
    assert [len(one) for one in members] == [2, 1, 1]
    assert nas.clock.waits == [0.5, 2.0]


def test_a_member_that_stays_busy_is_an_error_of_its_own(tmp_path: Path) -> None:
    """After three tries a busy member is an error, and the others keep their answers."""
    found = many(session_on(FakeNas({"list": 117, "get": 1}), tmp_path), [PLANS, SHARES])
    assert isinstance(found[0], Unavailable)


def cut(limit: int) -> Callable[[Any], Any]:
    """Answer the first members of a batch and no more."""

    def answer(form: Any) -> Any:
        members = json.loads(form["compound"])[:limit]
        return {"result": [{"success": True, "data": named(m)} for m in members]}

    return answer


def refusing(limit: int) -> Callable[[Any], Any]:
    """Refuse a batch beyond the limit."""
    return lambda form: 101 if len(json.loads(form["compound"])) > limit else cut(limit)(form)


@pytest.mark.parametrize("answers", [cut, refusing])
@pytest.mark.parametrize("limit", [1, 3, 10])
def test_a_limit_of_members_is_found_and_kept_to(
    answers: Callable[[int], Any], limit: int, tmp_path: Path
) -> None:
    """A batch that is refused or cut is made smaller, once for the whole session; none is lost."""
    nas = FakeNas({"request": answers(limit), "list": lambda f: {"of": json.loads(f["name"])}})
    session = session_on(nas, tmp_path)
    for _ in range(2):
        found = many(session, listings(130))
        assert found == [{"of": f"s{number}"} for number in range(130)]
    assert session.batch <= limit
    sizes = [len(json.loads(f["compound"])) for f in nas.asked if f["method"] == "request"]
    assert sum(size > limit for size in sizes) <= 7


def test_without_the_compound_api_or_its_method_calls_go_one_by_one(tmp_path: Path) -> None:
    """A NAS that has no SYNO.Entry.Request, or refuses its method, is read all the same."""
    for replies in ({"query": offered("SYNO.Entry.Request")}, {"request": 103}):
        nas = FakeNas({**replies, "list": {"plans": []}, "get": 402})
        found = many(session_on(nas, tmp_path), [PLANS, SHARES, PLANS])
        assert (found[0], found[2]) == ({"plans": []}, {"plans": []})
        assert isinstance(found[1], Gone)
        assert nas.count("request") == ("request" in replies)


@pytest.mark.parametrize(
    ("result", "error"),
    [(["x", "y"], AnswerLost), (None, Rejected), ({}, Rejected)],
)
def test_a_batch_answered_with_something_else(result: Any, error: type, tmp_path: Path) -> None:
    """Rows that are none are a lost answer; no rows at all mean that calls go one by one."""
    nas = FakeNas({"request": {"result": result}, "list": {"plans": []}})
    session = session_on(nas, tmp_path)
    if error is AnswerLost:
        with pytest.raises(AnswerLost):
            many(session, [PLANS, PLANS])
    else:
        assert many(session, [PLANS, PLANS]) == [{"plans": []}] * 2


@pytest.mark.parametrize(
    "row", [{}, {"success": False}, {"success": 1}, {"success": False, "error": {"code": "x"}}]
)
def test_a_member_without_a_code_failed(row: Any, tmp_path: Path) -> None:
    """Only `success: true` is success; a failure that names no code is still one."""
    nas = FakeNas({"request": {"result": [row, row]}})
    found = many(session_on(nas, tmp_path), [PLANS, PLANS])
    assert [type(one) for one in found] == [Rejected, Rejected]


def test_a_sign_in_refused_in_the_middle_stops_everything(tmp_path: Path) -> None:
    """A credential that is refused concerns the unit, never one member alone."""
    for compound in (True, False):
        offer = offered(*([] if compound else ["SYNO.Entry.Request"]))
        nas = FakeNas({"query": offer, "list": 119})
        session = session_on(nas, tmp_path / str(compound))
        nas.replies["login"] = 400
        with pytest.raises(CredentialError):
            many(session, [PLANS, PLANS])
