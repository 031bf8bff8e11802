"""Signing in and out, sessions and what they are carried by, one-time codes, Auto Block."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any, Final

from reconciler.simulator.api import Api, Method, versions
from reconciler.simulator.codes import Auth, Common, DsmError
from reconciler.simulator.nas import Nas, Session
from reconciler.simulator.noise import encode
from reconciler.simulator.otp import STEP, one_time_code
from reconciler.simulator.wire import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

_DAY: Final = 86400
_MINUTE: Final = 60
_DEVICE_ID_VERSION: Final = 7
_NO_PRIVILEGE: Final = (("x-request-error", "noprivilege"),)
_SECOND_FACTORS: Final = ("authenticator", "fido", "otp")


def _login(nas: Nas, call: Call) -> Reply:
    if nas.cold:
        raise DsmError(Common.NO_SUCH_METHOD)
    form = {**call.raw, **nas.encryption.open(call.raw)}
    _check_block(nas, call.carried.address)
    if not _same(form.get("account", ""), nas.account) or not _same(
        form.get("passwd", ""), nas.password
    ):
        _count_failure(nas, call.carried.address)
        raise DsmError(Auth.WRONG_PASSWORD)
    if nas.sign_in_refusal is not None:
        raise DsmError(nas.sign_in_refusal)
    _check_second_factor(nas, form, call.carried.address)
    nas.failures.pop(call.carried.address, None)
    return _open_session(nas, call, form)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _check_block(nas: Nas, address: str) -> None:
    until = nas.blocked.get(address)
    if until is None or not nas.auto_block.enabled:
        return
    if nas.clock.now() < until:
        raise DsmError(Auth.BLOCKED)
    del nas.blocked[address]


def _count_failure(nas: Nas, address: str) -> None:
    now, rule = nas.clock.now(), nas.auto_block
    since = now - rule.within_minutes * _MINUTE
    recent = [at for at in nas.failures.get(address, []) if at > since] + [now]
    nas.failures[address] = recent
    if rule.enabled and len(recent) >= rule.attempts:
        nas.blocked[address] = now + rule.expire_days * _DAY


def _check_second_factor(nas: Nas, form: Mapping[str, str], address: str) -> None:
    if nas.otp_seed is None:
        return
    device = form.get("device_id") or form.get("did") or ""
    if device in nas.devices and nas.devices[device] == form.get("device_name", ""):
        return
    code = form.get("otp_code", "")
    if not code:
        kinds = [{"type": kind} for kind in _SECOND_FACTORS]
        errors = {"token": secrets.token_urlsafe(16), "types": kinds}
        raise DsmError(Auth.CODE_NEEDED, errors=errors)
    now = nas.clock.now()
    # DSM tolerates the neighbouring windows, and each code once.
    current = {one_time_code(nas.otp_seed, now + shift) for shift in (-STEP, 0, STEP)}
    if code not in current or code in nas.used_codes:
        _count_failure(nas, address)
        raise DsmError(Auth.CODE_WRONG)
    nas.used_codes = (nas.used_codes & current) | {code}


def _open_session(nas: Nas, call: Call, form: Mapping[str, str]) -> Reply:
    wants_token = form.get("enable_syno_token") == "yes"
    session = Session(
        sid=secrets.token_urlsafe(32),
        token=secrets.token_urlsafe(12) if wants_token else None,
        version=call.version,
        address=call.carried.address,
        used_at=nas.clock.now(),
    )
    nas.sessions[session.sid] = session
    payload: dict[str, Any] = {"is_portal_port": False, "sid": session.sid}
    if call.version >= _DEVICE_ID_VERSION:
        payload |= {"account": nas.account, "ik_message": _shake_hands(nas, session, form)}
    if wants_token:
        payload["synotoken"] = session.token
    if form.get("enable_device_token") == "yes":
        key = "device_id" if call.version >= _DEVICE_ID_VERSION else "did"
        payload[key] = _trusted_device(nas, form)
    # DSM sets the cookie unless the caller asks for the session id alone.
    cookie = () if form.get("format") == "sid" else (("Set-Cookie", _cookie(session.sid)),)
    return Reply(payload, headers=cookie)


def _cookie(sid: str) -> str:
    return f"id={sid};path=/;HttpOnly"


def _trusted_device(nas: Nas, form: Mapping[str, str]) -> str:
    known = form.get("device_id") or form.get("did") or ""
    if known in nas.devices:
        return known
    device = secrets.token_urlsafe(48)
    nas.devices[device] = form.get("device_name", "")
    return device


def _shake_hands(nas: Nas, session: Session, form: Mapping[str, str]) -> str:
    message = form.get("ik_message", "")
    if not message:
        return ""
    answer, session.noise = nas.responder.answer(message)
    return answer


def _logout(nas: Nas, call: Call) -> Reply:
    # Without a session id DSM answers success and ends nothing.
    session = _find(nas, call)
    if session is not None:
        del nas.sessions[session.sid]
    return Reply()


def _login_page(nas: Nas, _call: Call) -> Reply:
    return Reply({}, headers=(("Set-Cookie", f"_SSID={encode(nas.responder.public)};path=/"),))


def _encryption(nas: Nas, _call: Call) -> Reply:
    return Reply(nas.encryption.describe(nas.clock.now()))


def _find(nas: Nas, call: Call) -> Session | None:
    by_carrier = {
        "both": (call.carried.sid_parameter, call.carried.sid_cookie),
        "param": (call.carried.sid_parameter,),
        "cookie": (call.carried.sid_cookie,),
    }
    sid = next((sid for sid in by_carrier[nas.carriers] if sid), None)
    return nas.sessions.get(sid) if sid else None


def admit(nas: Nas, call: Call, *, writes: bool) -> None:
    """Let a call of a signed-in session pass, or raise what DSM answers instead.

    119 (or `expired_code`) without a live session, 150 from another address, 105 without the
    token, without administrator's rights, or for a write by a session of an older sign-in.
    """
    session = _find(nas, call)
    if session is None:
        raise DsmError(Common.NO_SUCH_SESSION)
    now = nas.clock.now()
    if session.ended is None and now - session.used_at > nas.idle_timeout:
        session.ended = nas.expired_code
    if session.ended is not None:
        raise DsmError(session.ended)
    if nas.bind_address and call.carried.address != session.address:
        raise DsmError(Common.ADDRESS_CHANGED)
    _check_token(nas, session, call.carried.token)
    _check_hash(session, call.carried.hash)
    session.used_at = now
    if not nas.admin or (writes and session.version < nas.privileged_from):
        raise DsmError(Common.NO_PERMISSION, headers=_NO_PRIVILEGE)


def _check_token(nas: Nas, session: Session, token: str | None) -> None:
    if nas.require_token and (session.token is None or token != session.token):
        raise DsmError(nas.missing_token_code)


def _check_hash(session: Session, given: str | None) -> None:
    # DSM validates the header only where it is sent.
    if given is not None and session.noise is not None and not session.noise.verify(given):
        raise DsmError(Common.NO_SUCH_SESSION)


_ANY: Final = versions(1, 2, 3, 4, 5, 6, 7)
_SIGN_IN: Final = {
    "login": Method(_ANY, _login, open=True),
    "logout": Method(_ANY, _logout, open=True),
}
_UI_CONFIG: Final = {"get": Method(versions(1), _login_page, open=True)}
_GET_KEY: Final = {"getinfo": Method(versions(1), _encryption, open=True)}

APIS: Final = (
    Api("SYNO.API.Auth", 1, 7, _SIGN_IN, json=False),
    Api("SYNO.API.Auth.UIConfig", 1, 1, _UI_CONFIG),
    Api("SYNO.API.Encryption", 1, 1, _GET_KEY),
)
