"""Signing in, what carries a session, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.simulator.wire import Carried

if TYPE_CHECKING:
    from conftest import Door

    from reconciler.simulator import Nas

SEED = "JBSWY3DPEHPK3PXP"
READ = {"api": "SYNO.Core.Share", "method": "list", "version": "1"}


def test_the_device_token_changes_its_name_with_the_version(door: Door) -> None:
    """A version 6 sign-in answers `did`, a version 7 one `device_id` and `ik_message`."""
    old = door.sign_in(6, enable_device_token="yes")["data"]
    new = door.sign_in(7, enable_device_token="yes")["data"]
    assert "did" in old
    assert not {"device_id", "ik_message"} & old.keys()
    assert "did" not in new
    assert new["ik_message"] == ""
    assert new["device_id"]


def test_a_token_comes_only_when_asked_for(door: Door) -> None:
    """Without `enable_syno_token` there is no SynoToken."""
    assert "synotoken" not in door.sign_in(enable_syno_token="no")["data"]


def test_sign_in_parameters_are_raw_texts(door: Door, nas: Nas) -> None:
    """A password that looks like JSON is taken as it is typed."""
    nas.password = "12345"
    assert door.sign_in()["success"]
    assert not door.sign_in(passwd='"12345"')["success"]


@pytest.mark.parametrize(
    ("carriers", "parameter", "cookie", "code"),
    [
        ("both", True, False, 0),
        ("both", False, True, 0),
        ("cookie", True, False, 119),
        ("cookie", False, True, 0),
        ("param", False, True, 119),
        ("param", True, False, 0),
        ("both", False, False, 119),
    ],
)
def test_builds_disagree_on_what_carries_a_session(
    door: Door, nas: Nas, *, carriers: str, parameter: bool, cookie: bool, code: int
) -> None:
    """A session id counts only where this build looks for it, and answers 119 elsewhere."""
    nas.carriers = carriers
    carried = Carried(
        sid_parameter=door.sid if parameter else None, sid_cookie=door.sid if cookie else None
    )
    answer = door.form(carried, **READ)
    assert answer.get("error", {"code": 0})["code"] == code


def test_a_required_token_refuses_every_call_without_it(door: Door, nas: Nas) -> None:
    """With CSRF protection a missing SynoToken answers 105, to reads too."""
    nas.require_token = True
    assert door.code("Core.Share", "list") == 0
    door.token = None
    assert door.code("Core.Share", "list") == 105
    nas.missing_token_code = 119
    assert door.code("Core.Share", "list") == 119


def test_an_idle_session_ends_by_the_simulated_clock(door: Door, nas: Nas) -> None:
    """A session unused for longer than the timeout answers 119, or the build's other code."""
    nas.clock.advance(899)
    assert door.code("Core.Share", "list") == 0
    nas.clock.advance(901)
    assert door.code("Core.Share", "list") == 119
    nas.expired_code = 106
    door.sign_in()
    nas.clock.advance(901)
    assert door.code("Core.Share", "list") == 106


def test_a_session_belongs_to_its_address(door: Door, nas: Nas) -> None:
    """A request from another address than the sign-in's answers 150, unless that is off."""
    carried = Carried(sid_parameter=door.sid, address="192.0.2.7")
    assert door.form(carried, **READ)["error"]["code"] == 150
    nas.bind_address = False
    assert door.form(carried, **READ)["success"]


def test_an_older_sign_in_reads_but_does_not_write(door: Door, nas: Nas) -> None:
    """Where privileges need version 7, a version 6 session's writes answer 105, noprivilege."""
    nas.privileged_from = 7
    door.sign_in(6)
    assert door.code("Core.Share.Snapshot", "list", 2, name="projects") == 0
    assert door.code("Core.Share.Snapshot", "create", name="projects") == 105
    assert ("x-request-error", "noprivilege") in door.exchange.headers
    door.sign_in(7)
    assert door.code("Core.Share.Snapshot", "create", name="projects") == 0


def test_no_administrator_no_access(door: Door, nas: Nas) -> None:
    """An account without administrator's rights signs in and is refused with 105."""
    nas.admin = False
    assert door.sign_in()["success"]
    assert door.code("Core.Share", "list") == 105


def test_auto_block_counts_per_address(door: Door, nas: Nas) -> None:
    """After the third wrong password the fourth answer is 407, from that address alone."""
    wrong = {"api": "SYNO.API.Auth", "method": "login", "version": "7", "account": "x"}
    here, there = Carried(address="192.0.2.1"), Carried(address="192.0.2.2")
    codes = [door.form(here, **wrong)["error"]["code"] for _ in range(4)]
    assert codes == [400, 400, 400, 407]
    assert door.form(there, **wrong)["error"]["code"] == 400
    nas.clock.advance(86400)
    assert door.form(here, **wrong)["error"]["code"] == 400


@pytest.mark.parametrize("code", [401, 402, 406, 409, 411])
def test_right_credentials_can_be_refused(door: Door, nas: Nas, code: int) -> None:
    """A disabled, denied, expired or locked account answers its own code."""
    nas.sign_in_refusal = code
    assert door.sign_in()["error"]["code"] == code


def test_a_one_time_code_is_asked_for(door: Door, nas: Nas) -> None:
    """A missing code answers 403 and names the kinds inside `errors`, an object."""
    nas.otp_seed = SEED
    error = door.sign_in()["error"]
    assert error["code"] == 403
    assert {"type": "otp"} in error["errors"]["types"]


def test_a_one_time_code_counts_once(door: Door, nas: Nas) -> None:
    """A code is refused with 404 when used again inside its window; the next one is good."""
    nas.otp_seed = SEED
    code = nas.one_time_code()
    assert door.sign_in(otp_code=code)["success"]
    assert door.sign_in(otp_code=code)["error"]["code"] == 404
    assert door.sign_in(otp_code="000000")["error"]["code"] == 404
    nas.clock.advance(30)
    assert door.sign_in(otp_code=nas.one_time_code())["success"]


def test_one_time_codes_follow_the_standard(nas: Nas) -> None:
    """The codes are those of RFC 6238's own test values."""
    nas.otp_seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    nas.clock.set(1111111109)
    assert nas.one_time_code() == "081804"


def test_a_trusted_device_needs_its_name(door: Door, nas: Nas) -> None:
    """A device token replaces the one-time code only together with its device's name."""
    nas.otp_seed = SEED
    issued = door.sign_in(
        otp_code=nas.one_time_code(), enable_device_token="yes", device_name="host"
    )["data"]["device_id"]
    assert door.sign_in(device_id=issued, device_name="host")["success"]
    assert door.sign_in(device_id=issued, device_name="other")["error"]["code"] == 403


def test_signing_out_without_the_session_ends_nothing(door: Door, nas: Nas) -> None:
    """A sign-out without a session id says success and leaks the session."""
    signing_out = {"api": "SYNO.API.Auth", "method": "logout", "version": "7"}
    assert door.form(Carried(), **signing_out) == {"success": True}
    assert len(nas.sessions) == 1
    assert door.form(Carried(sid_parameter=door.sid), **signing_out) == {"success": True}
    assert not nas.sessions


def test_a_second_sign_in_leaves_the_first_alive(door: Door) -> None:
    """Several sessions of one account live side by side."""
    first = door.sid
    door.sign_in()
    assert door.sid != first
    assert door.form(Carried(sid_parameter=first), **READ)["success"]


def test_a_cold_nas_answers_the_sign_in_after_the_first_query(door: Door, nas: Nas) -> None:
    """Right after a start a sign-in answers 103 until the list of APIs was read once."""
    nas.cold = True
    assert door.sign_in()["error"]["code"] == 103
    door.data("API.Info", "query", query="all")
    assert door.sign_in()["success"]


def test_dsm_6_refuses_version_7(door: Door, nas: Nas) -> None:
    """Where the highest version of Auth is 6, a version 7 sign-in answers 104."""
    nas.auth_max_version = 6
    assert door.sign_in(7)["error"]["code"] == 104
    assert door.sign_in(6)["success"]


def test_a_forged_channel_proof_is_refused(door: Door, nas: Nas) -> None:
    """X-SYNO-HASH may be left out, but a wrong one ends in 119."""
    from reconciler.simulator.noise import Channel

    nas.sessions[door.sid or ""].noise = Channel("abcdefgh", bytes(32))
    assert door.code("Core.Share", "list") == 0
    carried = Carried(sid_parameter=door.sid, hash="abcdefghAAAA.MA")
    assert door.form(carried, **READ)["error"]["code"] == 119
