"""A signed-in session with one NAS: discovery, sign-in, calls, sign-out."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeGuard

import structlog

from reconciler.dsm.api import AUTH, COMPOUND, INFO, METHODS, Method
from reconciler.dsm.clock import Stamp
from reconciler.dsm.errors import (
    CREDENTIAL_CODES,
    NO_PERMISSION,
    SESSION_CODES,
    AnswerLost,
    FeatureAbsent,
    Rejected,
    SessionExpired,
    api_error,
    credential_error,
    lasting_error,
)
from reconciler.dsm.latch import Latch, Latches
from reconciler.dsm.offer import Offer, offers
from reconciler.dsm.otp import STEP_SECONDS, one_time_code
from reconciler.errors import (
    AmbiguousWrite,
    Interrupted,
    PermanentError,
    Refusal,
    TargetError,
    TemporaryError,
)
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.dsm.clock import Clock
    from reconciler.dsm.transport import Answer, Transport

BATCH = 100
"""How many reads travel together at first; no limit of DSM's is known, its own pages send a few."""

_SESSION_NAME = "SnapshotReconciler"
_DEVICE = "snapshot-reconciler"
_NEWEST_AUTH = 7
_OLDEST_AUTH = 3
_READ_TRIES = 3
_FIRST_PAUSE = 0.5
_TWO_FACTOR = 403
_MAY_LIVE_ON = frozenset({NO_PERMISSION, 107, 150})
_CLOCK_BEHIND = 20
"""Windows of 30 s that the clock may be behind the last code sent and that are waited for."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach and sign in to one NAS; its repr shows no secret."""

    name: str
    url: str
    account: str
    password: str = field(repr=False)
    otp_seed: str = field(default="", repr=False)
    device_token: str = field(default="", repr=False)
    ca_file: Path | None = None
    fingerprints: tuple[str, ...] = ()
    insecure: bool = False
    latches: Latches = field(kw_only=True, repr=False)

    @property
    def credential(self) -> str:
        """Everything that a sign-in depends on, as one text; never shown."""
        parts = (self.account, self.password, self.otp_seed, self.device_token)
        return "\0".join(parts)


class Session:
    """One session; `read_only` refuses every method that writes before anything is sent."""

    def __init__(
        self,
        connection: Connection,
        transport: Transport,
        clock: Clock,
        *,
        read_only: bool,
        watch: Watch | None = None,
    ) -> None:
        self.connection = connection
        self._transport = transport
        self._clock = clock
        self._read_only = read_only
        self._watch = watch or Watch()
        self._offers: dict[str, Offer] = {}
        self._sid = ""
        self._token = ""
        self._auth_version = 0
        self._denied: set[tuple[str, str]] = set()
        self.batch = 1
        self._log = structlog.get_logger().bind(nas=connection.name)
        self.stamp: Stamp | None = None
        self._latch = Latch(connection.latches, connection.name, connection.credential)

    def open(self) -> None:
        """Ask what the NAS offers, then sign in; raises CredentialError where that is refused."""
        closed = self._latch.closed(int(self._clock.time()))
        if closed is not None:
            raise closed
        self._discover()
        self.batch = BATCH if self.offers(COMPOUND) else 1
        self._sign_in()

    def close(self) -> None:
        """Sign out, so that no session is left behind; a failure here is only logged."""
        self._sign_out()
        self._transport.close()

    def _sign_out(self) -> None:
        if self._sid:
            form = {"api": AUTH, "version": str(self._auth_version), "method": "logout",
                    "session": _SESSION_NAME}  # fmt: skip
            try:
                self._exchange(AUTH, form)
            except TargetError as error:
                self._log.warning("session.left_open", error=str(error))
            self._forget()

    def offers(self, api: str) -> bool:
        """Whether the NAS offers an API at all."""
        return api in self._offers

    def call(self, api: str, method: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """Call one method and return DSM's `data`, None where it sent none.

        A read is tried again while its failure may pass; a write is sent once, and no more once
        the run was asked to stop (Interrupted). Raises AmbiguousWrite where a write was sent and
        its answer is lost.
        """
        known = self.method(api, method)
        form = {
            "api": api,
            "version": str(self.version(api, method)),
            "method": method,
            **{key: encode(value) for key, value in (parameters or {}).items()},
        }
        if known.writes:
            if self._watch.halted():
                raise Interrupted("the run was interrupted before this was sent")
            try:
                return self._signed_in(known, form)
            except AnswerLost as error:
                raise AmbiguousWrite(str(error), next_step=error.next_step) from error
        for pause in (_FIRST_PAUSE * 4**number for number in range(_READ_TRIES - 1)):
            try:
                return self._signed_in(known, form)
            except SessionExpired:
                raise
            except TemporaryError as error:
                if self._watch.halted():
                    raise
                self._log.info("call.again", api=api, method=method, error=str(error))
                self._clock.sleep(pause)
        return self._signed_in(known, form)

    def method(self, api: str, method: str) -> Method:
        """Return what is known of a method; a read-only session refuses one that writes."""
        known = METHODS[api, method]
        if known.writes and self._read_only:
            raise Refusal(f"a dry run writes nothing: {api} {method} was not sent")
        return known

    def version(self, api: str, method: str) -> int:
        """Return the highest pinned version of a method that the NAS offers."""
        offer = self._offers.get(api)
        if offer is None:
            raise FeatureAbsent(f"{self.connection.name} does not offer {api}")
        for version in METHODS[api, method].versions:
            if offer.lowest <= version <= offer.highest:
                return version
        raise FeatureAbsent(
            f"{self.connection.name} offers {api} {offer.lowest} to {offer.highest}, which has no "
            f"`{method}` that the reconciler knows"
        )

    def pause(self, seconds: float) -> None:
        """Wait before a read is tried again."""
        self._clock.sleep(seconds)

    def expired(self, api: str, method: str, code: int) -> bool:
        """Whether a code says that the session is gone.

        A 105 that a fresh sign-in did not cure for this method is a matter of rights.
        """
        denied = code == NO_PERMISSION and (api, method) in self._denied
        return code in SESSION_CODES and not denied

    def still_denied(self, api: str, method: str, code: int) -> None:
        """Remember that a fresh sign-in did not cure a 105, so that none is made for it again."""
        if code == NO_PERMISSION:
            self._denied.add((api, method))

    def sign_in_again(self, code: int) -> None:
        """Replace a session that is no longer valid, as a code of DSM's says.

        Where the code may also mean something else the old session may live on: it is signed out,
        or one would be left behind each time.
        """
        if code in _MAY_LIVE_ON:
            self._sign_out()
        self._forget()
        self._log.info("session.again")
        closed = self._latch.closed(int(self._clock.time()))
        if closed is not None:
            raise closed
        self._sign_in()

    def _signed_in(self, known: Method, form: Mapping[str, str]) -> Any:
        """Exchange one form; where the session is no longer valid, sign in once and repeat."""
        where = f"{form['api']} {form['method']}"
        code, data = self._coded(form)
        if self.expired(form["api"], form["method"], code):
            self.sign_in_again(code)
            code, data = self._coded(form)
            self.still_denied(form["api"], form["method"], code)
        if code:
            raise lasting_error(known.family, code, where=where)
        return data

    def _coded(self, form: Mapping[str, str]) -> tuple[int, Any]:
        began = self._clock.monotonic()
        code, data, _ = self._exchange(form["api"], form)
        took = round(self._clock.monotonic() - began, 3)
        self._log.debug("call", api=form["api"], method=form["method"], seconds=took, code=code)
        return code, data

    def _exchange(self, api: str, form: Mapping[str, str]) -> tuple[int, Any, Any]:
        """Send one form with every carrier of the session; return (code or 0, data, errors)."""
        offer = self._offers.get(api)
        path = offer.path if offer is not None else "entry.cgi"
        carried = dict(form)
        headers: dict[str, str] = {}
        if self._sid:
            carried["_sid"] = self._sid
            headers["Cookie"] = f"id={self._sid}"
        if self._token:
            carried["SynoToken"] = self._token
            headers["X-SYNO-TOKEN"] = self._token
        answer = self._transport.send(path, carried, headers)
        self._keep_time(answer)
        return decode(answer, self.connection.name)

    def _keep_time(self, answer: Answer) -> None:
        text = answer.headers.get("Date") or ""
        with suppress(ValueError, TypeError):
            date = int(parsedate_to_datetime(text).timestamp())
            self.stamp = Stamp(date, date - self._clock.time())

    def _discover(self) -> None:
        form = {"api": INFO, "version": "1", "method": "query", "query": "all"}
        self._offers = {INFO: Offer("query.cgi", 1, 1)}
        try:
            code, data, _ = self._exchange(INFO, form)
        except (AnswerLost, Rejected):
            code, data = -1, None
        if code or not isinstance(data, dict):
            self._offers = {INFO: Offer("entry.cgi", 1, 1)}
            code, data, _ = self._exchange(INFO, form)
        if code or not isinstance(data, dict):
            raise Rejected(
                f"{self.connection.name} does not list what it offers (DSM {code})",
                next_step="check that `url` is DSM's own address",
            )
        self._offers.update(offers(data))

    def _sign_in(self) -> None:
        offer = self._offers.get(AUTH)
        if offer is None or offer.highest < _OLDEST_AUTH or offer.lowest > _NEWEST_AUTH:
            raise FeatureAbsent(f"{self.connection.name} offers no sign-in of version 3 to 7")
        self._auth_version = min(_NEWEST_AUTH, offer.highest)
        code, data = self._ask_to_sign_in(with_code=not self.connection.device_token)
        if code == _TWO_FACTOR and self.connection.device_token and self.connection.otp_seed:
            code, data = self._ask_to_sign_in(with_code=True)
        now = int(self._clock.time())
        if code in CREDENTIAL_CODES:
            self._latch.refuse(code, now)
            raise credential_error(self.connection.name, code)
        if code:
            raise api_error(METHODS[AUTH, "login"].family, code, where=f"{AUTH} login")
        given = data if isinstance(data, dict) else {}
        sid, token = given.get("sid"), given.get("synotoken") or ""
        self._latch.clear()
        if not _carriable(sid) or not sid or not _carriable(token):
            raise Rejected(f"{self.connection.name} signed in without a usable session id")
        self._sid, self._token = sid, token

    def _ask_to_sign_in(self, *, with_code: bool) -> tuple[int, Any]:
        connection = self.connection
        form = {
            "api": AUTH,
            "version": str(self._auth_version),
            "method": "login",
            "account": connection.account,
            "passwd": connection.password,
            "session": _SESSION_NAME,
            "enable_syno_token": "yes",
        }
        if with_code or not connection.device_token:
            form["format"] = "sid"
            if connection.otp_seed:
                form["otp_code"] = self._fresh_code()
        else:
            form["device_id"] = connection.device_token
            form["device_name"] = _DEVICE
        code, data, _ = self._exchange(AUTH, form)
        return code, data

    def _fresh_code(self) -> str:
        """Return a one-time code that was not sent before, waiting for the next window if need."""
        now = self._nas_time()
        if now // STEP_SECONDS <= self._latch.code_window():
            self._clock.sleep(STEP_SECONDS - now % STEP_SECONDS + 1)
            now = self._nas_time()
        window, sent = now // STEP_SECONDS, self._latch.code_window()
        if 0 <= sent - window <= _CLOCK_BEHIND:
            raise TemporaryError(
                f"{self.connection.name}'s clock is behind the last one-time code sent by "
                f"{(sent - window) * STEP_SECONDS} s; none is sent twice",
                next_step="set the clock of the NAS (NTP), or wait as long",
            )
        code = one_time_code(self.connection.otp_seed, window * STEP_SECONDS)
        self._latch.code_sent(window)
        return code

    def _nas_time(self) -> int:
        skew = self.stamp.skew if self.stamp is not None else 0.0
        return int(self._clock.time() + skew)

    def _forget(self) -> None:
        self._sid = ""
        self._token = ""


def _carriable(text: Any) -> TypeGuard[str]:
    """Whether a text can travel in a header and a cookie as it is."""
    return isinstance(text, str) and text.isascii() and not set(text) & _NO_COOKIE


_NO_COOKIE = frozenset(map(chr, (*range(33), 127))) | set(';,"\\')


def encode(value: Any) -> str:
    """Write one value as DSM parses it: as JSON, so that a share called 2024 stays a name."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def decode(answer: Answer, name: str) -> tuple[int, Any, Any]:
    """Read DSM's envelope; return (code, data, errors), code 0 for success.

    Raises PermanentError for a redirect, AnswerLost for whatever is not DSM's JSON.
    """
    if 300 <= answer.status < 400:  # noqa: PLR2004  HTTP redirects
        raise PermanentError(
            f"{name} answers with a redirect ({answer.status}), which is never followed",
            next_step="write the address it redirects to in `url`, usually https:// and port 5001",
        )
    if answer.status != 200:  # noqa: PLR2004  HTTP OK
        raise AnswerLost(f"{name} answers with HTTP {answer.status}", next_step=_NOT_DSM)
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        html = answer.body[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))
        kind = "a web page" if html else "something that is not DSM's JSON"
        raise AnswerLost(f"{name} answers with {kind}", next_step=_NOT_DSM) from None
    if not isinstance(found, dict) or not isinstance(found.get("success"), bool):
        raise AnswerLost(f"{name} answers with JSON that is not DSM's", next_step=_NOT_DSM)
    if found["success"]:
        return 0, found.get("data"), None
    error = found.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(code, int) or isinstance(code, bool) or code == 0:
        raise AnswerLost(f"{name} refuses without an error code", next_step=_NOT_DSM)
    return code, None, error.get("errors") if isinstance(error, dict) else None


_NOT_DSM = "check that `url` is DSM's own address: a proxy or a booting NAS answers like this"
