"""Sign-in, sign-out, what is sent with every call, and what an answer that is none becomes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fake_nas import FakeNas, offered, one_after_another, session_on
from latches import FolderLatches
from structlog.testing import capture_logs

from reconciler.dsm.api import METHODS
from reconciler.dsm.errors import (
    AnswerLost,
    BadParameter,
    Denied,
    FeatureAbsent,
    Incomplete,
    NotSent,
    Rejected,
    SessionExpired,
    Unavailable,
)
from reconciler.dsm.otp import one_time_code
from reconciler.dsm.transport import Answer
from reconciler.errors import (
    AmbiguousWrite,
    CredentialError,
    PermanentError,
    ReconcilerError,
    Refusal,
    TemporaryError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SNAPSHOT, LUN, SHARE = "SYNO.Core.Share.Snapshot", "SYNO.Core.ISCSI.LUN", "SYNO.Core.Share"
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def test_every_call_carries_the_session_in_all_four_ways(tmp_path: Path) -> None:
    """Session id as parameter and cookie, token as parameter and header: builds differ."""
    nas = FakeNas({"delete": None})
    session_on(nas, tmp_path).call(SNAPSHOT, "delete", {"name": "2024", "snapshots": ["ä"]})
    form, headers = nas.asked[-1], nas.headers[-1]
    assert (form["_sid"], form["SynoToken"]) == ("sid-1", "token-1")
    assert headers == {"Cookie": "id=sid-1", "X-SYNO-TOKEN": "token-1"}
    assert (form["name"], form["snapshots"]) == ('"2024"', '["ä"]')


def test_info_is_asked_for_before_the_sign_in_and_at_entry_cgi_where_query_cgi_is_gone(
    tmp_path: Path,
) -> None:
    """The newest offered version and the advertised path are used, after SYNO.API.Info."""
    offer = offered()
    offer["SYNO.API.Auth"] = {"minVersion": "1", "maxVersion": "6", "path": "____auth.cgi"}
    nas = FakeNas({"query": one_after_another(Answer(404, {}, b"<html>"), offer)})
    session_on(nas, tmp_path)
    assert nas.paths == ["query.cgi", "entry.cgi", "auth.cgi"]
    assert nas.asked[-1]["version"] == "6"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (100, Rejected),
        (None, Rejected),
        (offered("SYNO.API.Auth"), FeatureAbsent),
        ({**offered(), "SYNO.DR.Plan": "?"}, Incomplete),
        ({**offered(), "SYNO.DR.Plan": {"path": "entry.cgi", "minVersion": 1}}, Incomplete),
        ({**offered(), "SYNO.API.Auth": {"path": "", "minVersion": 8, "maxVersion": 9}},
         FeatureAbsent),
        ({**offered(), "SYNO.API.Auth": {"path": "", "minVersion": 1, "maxVersion": 2}},
         FeatureAbsent),
    ],
)  # fmt: skip
def test_what_is_offered_must_be_understood(query: Any, error: type, tmp_path: Path) -> None:
    """An offer that cannot be read is no absence: nothing is signed in to."""
    nas = FakeNas({"query": query})
    with pytest.raises(error):
        session_on(nas, tmp_path)
    assert nas.count("login") == 0


@pytest.mark.parametrize(
    "login", [None, {}, {"sid": ""}, {"sid": 7}, {"sid": "a b"}, {"sid": "a;b"}, {"sid": "é"},
              {"sid": "ok", "synotoken": "a\r\nX: 1"}, {"sid": "ok", "synotoken": 7}],
)  # fmt: skip
def test_a_session_id_that_cannot_travel_is_refused(login: Any, tmp_path: Path) -> None:
    """What DSM gives as session is put in a header and a cookie only if it can stand there."""
    with pytest.raises(Rejected, match="without a usable session"):
        session_on(FakeNas({"login": login}), tmp_path)


@pytest.mark.parametrize("code", range(400, 412))
def test_a_refused_sign_in_is_latched(code: int, tmp_path: Path) -> None:
    """400 to 411 stop every further sign-in with the same credential; 404 at the second."""
    nas = FakeNas({"login": code})
    tries = 2 if code == 404 else 1
    for _ in range(tries + 2):
        with pytest.raises(CredentialError) as caught:
            session_on(nas, tmp_path)
        assert caught.value.next_step
    assert nas.count("login") == tries
    nas.clock.now += 86_400
    with pytest.raises(CredentialError):
        session_on(nas, tmp_path)
    assert nas.count("login") == tries + (code in (407, 411)), "those are tried once a day"


def test_units_do_not_lose_each_others_latch(tmp_path: Path) -> None:
    """Several units are read at once, so each keeps a refusal of its own."""
    latches = FolderLatches(tmp_path)
    first = session_on(FakeNas({"login": 400}), tmp_path, opened=False)
    other = session_on(FakeNas(), tmp_path, opened=False)
    object.__setattr__(other._latch, "unit", "nas-2")
    with pytest.raises(CredentialError):
        first.open()
    other.open()
    assert (latches.latch("nas-1") or {}).get("code") == 400
    assert latches.latch("nas-2") is None


@pytest.mark.parametrize("entry", [{"code": "400"}, {"code": True}, {"window": None}])
def test_an_unusable_latch_lets_nothing_be_tried(entry: dict[str, Any], tmp_path: Path) -> None:
    """Where a refusal could not be told, no sign-in is tried."""
    FolderLatches(tmp_path).set_latch("nas-1", entry)
    nas = FakeNas()
    with pytest.raises(PermanentError, match="refused sign-in could be repeated"):
        session_on(nas, tmp_path)
    assert nas.asked == []


class Full(FolderLatches):
    """A state that cannot be written any more."""

    def set_latch(self, nas: str, entry: Mapping[str, Any]) -> None:
        """Refuse."""
        raise PermanentError(f"the state cannot be used: disk full ({nas}, {len(entry)})")


def test_a_latch_that_cannot_be_written_stops_before_the_code_is_sent(tmp_path: Path) -> None:
    """The window of a one-time code is remembered before the code leaves, or it does not leave."""
    nas = FakeNas()
    with pytest.raises(PermanentError, match="disk full"):
        session_on(nas, tmp_path, otp_seed=SEED, latches=Full(tmp_path))
    assert nas.count("login") == 0


def test_a_full_disk_is_no_reason_to_forget_a_refusal(tmp_path: Path) -> None:
    """A refusal that cannot be remembered is told as such."""
    with pytest.raises(PermanentError, match="disk full"):
        session_on(FakeNas({"login": 400}), tmp_path, latches=Full(tmp_path))


def test_a_code_that_dsm_does_not_know_is_no_latch(tmp_path: Path) -> None:
    """Another refusal of the sign-in is its own error and may be tried again."""
    with pytest.raises(Rejected, match="not documented"):
        session_on(FakeNas({"login": 599}), tmp_path)
    with pytest.raises(Unavailable):
        session_on(FakeNas({"login": 117}), tmp_path)
    session_on(FakeNas(), tmp_path)


def test_no_code_is_sent_while_the_clock_is_behind_the_last_one(tmp_path: Path) -> None:
    """A code for a window that was used up already, or for a later one, is never sent."""
    nas = FakeNas()
    session_on(nas, tmp_path, otp_seed=SEED)
    first = nas.asked[-1]["otp_code"]
    assert first == one_time_code(SEED, int(nas.clock.now))
    nas.clock.now -= 120
    with pytest.raises(TemporaryError, match="none is sent twice"):
        session_on(nas, tmp_path, otp_seed=SEED)
    assert nas.count("login") == 1
    nas.clock.now += 120
    session_on(nas, tmp_path, otp_seed=SEED)
    assert nas.asked[-1]["otp_code"] not in ("", first)
    nas.clock.now -= 10**7
    session_on(nas, tmp_path, otp_seed=SEED)
    assert nas.asked[-1]["otp_code"] == one_time_code(SEED, int(nas.clock.now))


def test_a_seed_that_is_none_says_so_and_sends_nothing(tmp_path: Path) -> None:
    """A seed that is not base32 is named as such, without the seed."""
    nas = FakeNas()
    with pytest.raises(PermanentError, match="no base32") as caught:
        session_on(nas, tmp_path, otp_seed="not-a-seed!1")
    assert "not-a-seed" not in str(caught.value)
    assert nas.count("login") == 0


@pytest.mark.parametrize("code", [105, 106, 107, 119, 150, 1500, 3299])
def test_an_expired_session_is_opened_once_more(code: int, tmp_path: Path) -> None:
    """One sign-in, then the call again; the old session is signed out where it may live on."""
    nas = FakeNas({"create": one_after_another(code, "GMT+01-2026.11.25-12.00.04")})
    session = session_on(nas, tmp_path)
    assert session.call(SNAPSHOT, "create", {"name": "a"}) == "GMT+01-2026.11.25-12.00.04"
    assert nas.count("login") == 2
    assert nas.count("logout") == (code in (105, 107, 150))


@pytest.mark.parametrize(("code", "kind"), [(105, Denied), (119, PermanentError)])
def test_a_code_that_a_new_session_does_not_cure_is_final(
    code: int, kind: type, tmp_path: Path
) -> None:
    """After the second refusal there is no third; 105 then means the rights."""
    nas = FakeNas({"create": code})
    session = session_on(nas, tmp_path)
    for _ in range(2):
        with pytest.raises(kind) as caught:
            session.call(SNAPSHOT, "create", {"name": "a"})
        assert not isinstance(caught.value, SessionExpired)
        assert caught.value.next_step
    assert nas.count("login") == (2 if code == 105 else 3)


def test_a_sign_in_refused_in_the_middle_is_latched(tmp_path: Path) -> None:
    """A password changed meanwhile is refused once and not tried again."""
    nas = FakeNas({"list": 119})
    session = session_on(nas, tmp_path)
    nas.replies["login"] = 400
    for _ in range(2):
        with pytest.raises(CredentialError):
            session.call(SHARE, "list")
    assert nas.count("login") == 2


def test_a_sign_in_that_loses_its_own_session_is_not_repeated(tmp_path: Path) -> None:
    """A session error from the sign-in itself ends the call: more tries were more sign-ins."""
    nas = FakeNas({"list": 119})
    session = session_on(nas, tmp_path)
    nas.replies["login"] = 106
    with pytest.raises(SessionExpired):
        session.call(SHARE, "list")
    assert nas.count("login") == 2


def test_a_dry_run_sends_no_write(tmp_path: Path) -> None:
    """A session for reading refuses each writing method before anything is sent."""
    nas = FakeNas()
    session = session_on(nas, tmp_path, read_only=True)
    sent = len(nas.asked)
    for (api, method), known in METHODS.items():
        if known.writes:
            with pytest.raises(Refusal, match="a dry run writes nothing"):
                session.call(api, method, {})
    assert len(nas.asked) == sent


NOT_DSM = {
    "a web page": Answer(200, {}, b"  <!DOCTYPE html><title>DSM</title>"),
    "half an answer": Answer(200, {}, b'{"success": true, "data": {"sha'),
    "an error of the server": Answer(502, {}, b"<html>"),
    "an empty one": Answer(200, {}, b""),
    "a list": Answer(200, {}, b"[]"),
    "success as a word": Answer(200, {}, b'{"success": "yes"}'),
    "an error without a code": Answer(200, {}, b'{"success": false, "error": {}}'),
    "an error as text": Answer(200, {}, b'{"success": false, "error": "no"}'),
    "a code of truth": Answer(200, {}, b'{"success": false, "error": {"code": true}}'),
}


@pytest.mark.parametrize("name", NOT_DSM)
def test_an_answer_that_is_not_dsms(name: str, tmp_path: Path) -> None:
    """A read is tried three times and then lost; a write is sent once and in doubt."""
    nas = FakeNas({"list": NOT_DSM[name], "create": NOT_DSM[name]})
    session = session_on(nas, tmp_path)
    with pytest.raises(AnswerLost) as caught:
        session.call(SHARE, "list")
    assert caught.value.next_step
    assert (nas.count("list"), len(nas.clock.waits)) == (3, 2)
    with pytest.raises(AmbiguousWrite):
        session.call(SNAPSHOT, "create", {"name": "a"})
    assert nas.count("create") == 1


def test_a_redirect_is_never_followed(tmp_path: Path) -> None:
    """A redirect is final, names its cure, and is not asked for again."""
    nas = FakeNas({"list": Answer(302, {"Location": "http://evil"}, b"")})
    with pytest.raises(PermanentError, match="redirect") as caught:
        session_on(nas, tmp_path).call(SHARE, "list")
    assert "5001" in caught.value.next_step
    assert nas.count("list") == 1


def test_a_write_that_was_not_sent_is_not_in_doubt(tmp_path: Path) -> None:
    """Where no connection was made nothing was done, and the error says so."""
    nas = FakeNas({"create": NotSent("refused")})
    with pytest.raises(NotSent):
        session_on(nas, tmp_path).call(SNAPSHOT, "create", {"name": "a"})


def test_a_busy_nas_is_asked_again(tmp_path: Path) -> None:
    """A read that fails for now is repeated with growing pauses."""
    nas = FakeNas({"list": one_after_another(117, 109, {"luns": []})})
    assert session_on(nas, tmp_path).call(LUN, "list") == {"luns": []}
    assert nas.clock.waits == [0.5, 2.0]


def test_a_method_is_called_with_a_version_that_has_it(tmp_path: Path) -> None:
    """The highest version of an API is not each method's; one that offers none is absent."""
    offer = offered()
    offer[SNAPSHOT] |= {"minVersion": 2, "maxVersion": 2}
    nas = FakeNas({"query": offer, "list": {}})
    session = session_on(nas, tmp_path)
    session.call(SNAPSHOT, "list", {"name": "a"})
    assert nas.asked[-1]["version"] == "2"
    with pytest.raises(FeatureAbsent, match="which has no `create`"):
        session.call(SNAPSHOT, "create", {"name": "a"})
    assert nas.count("create") == 0


@pytest.mark.parametrize("code", [120, 121, 149])
def test_a_parameter_that_is_not_known_is_told_apart(code: int, tmp_path: Path) -> None:
    """120 and its reserved neighbours mean a parameter, so that a call can do with fewer."""
    with pytest.raises(BadParameter):
        session_on(FakeNas({"list": code}), tmp_path).call(SHARE, "list")


def test_signing_out_never_hides_what_went_wrong(tmp_path: Path) -> None:
    """A sign-out that fails is only remarked, and the connection is closed all the same."""
    nas = FakeNas({"logout": AnswerLost("it broke")})
    session = session_on(nas, tmp_path)
    with capture_logs() as logs:
        session.close()
        session.close()
    assert [entry["event"] for entry in logs] == ["session.left_open"]
    assert (nas.closed, nas.count("logout")) == (True, 1)
    assert nas.asked[-1]["_sid"] == "sid-1", "a sign-out without the id ends nothing"
    assert nas.asked[-1]["session"] == nas.asked[1]["session"]


def test_an_odd_date_leaves_the_clock_as_it_was(tmp_path: Path) -> None:
    """A `Date` that is none is no reading of the clock."""
    session = session_on(FakeNas(), tmp_path)
    known = session.stamp
    for text in ("", "yesterday", "Wed, 99 Nov 2026 11:00:04 GMT"):
        nas_answer = Answer(200, {"Date": text}, b'{"success": true}')
        session._keep_time(nas_answer)
    assert session.stamp == known is not None


@pytest.mark.parametrize("method", ["login", "list", "logout"])
def test_no_secret_in_any_error_or_log(method: str, tmp_path: Path) -> None:
    """Password, session id, token, seed, code and device token are in no error and no event."""
    secrets = ["pässwörd", "sid-1", "token-1", SEED, "device-token-1"]
    replies = (105, 119, 120, 400, 403, 404, 599, *NOT_DSM.values(), NotSent("x"), None)
    for number, reply in enumerate(replies):
        nas = FakeNas({"list": None, method: reply})
        session = session_on(nas, tmp_path / f"{number}", opened=False, otp_seed=SEED,
                             device_token="device-token-1")  # fmt: skip
        seen = [repr(session.connection)]
        with capture_logs() as logs:
            try:
                session.open()
                session.call(SHARE, "list")
            except ReconcilerError as error:
                seen += [str(error), repr(error), error.next_step]
            session.close()
        seen.append(json.dumps(logs, default=str, ensure_ascii=False))
        codes = [form["otp_code"] for form in nas.asked if "otp_code" in form]
        assert [word for word in (*secrets, *codes) if word in " ".join(seen)] == []
