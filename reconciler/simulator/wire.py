"""What a request says and what an answer looks like on the wire.

DSM JSON-parses every form value and falls back to the raw text, so an unquoted `2024` arrives
as a number and an unquoted `true` as a boolean. Sign-in parameters alone are raw texts. Inside a
compound the values are native JSON already.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from reconciler.simulator.codes import Common, DsmError

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING: Final = object()
"""The payload of an answer that has no `data` at all."""

_CARRIED: Final = frozenset({"api", "method", "version", "_sid", "SynoToken"})


def _refuse_constant(text: str) -> Any:
    raise ValueError(text)


def parse_value(text: str) -> Any:
    """Return the form value as DSM reads it: JSON, else the text itself."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        return text


@dataclass(frozen=True, slots=True)
class Carried:
    """What travels beside the parameters: the session, the token and the connection."""

    sid_parameter: str | None = None
    sid_cookie: str | None = None
    token: str | None = None
    hash: str | None = None
    address: str = "127.0.0.1"
    http_method: str = "POST"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one method, from a request of its own or from a member of a compound.

    `parameters` are decoded; `raw` are the form's texts, empty inside a compound.
    """

    api: str
    method: str
    version: int
    parameters: Mapping[str, Any]
    raw: Mapping[str, str] = field(default_factory=dict)
    carried: Carried = field(default_factory=Carried)
    member: bool = False

    def text(self, key: str, *, missing: int, wrong: int) -> str:
        """Return a text; refuse an absent or empty one with `missing`, another type `wrong`."""
        value = self.parameters.get(key, "")
        if not isinstance(value, str):
            raise DsmError(wrong)
        if not value:
            raise DsmError(missing)
        return value

    def texts(self, key: str, *, wrong: int) -> list[str]:
        """Return a list of texts; refuse anything else with `wrong`."""
        value = self.parameters.get(key)
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise DsmError(wrong)
        return value

    def additional(self) -> tuple[str, ...]:
        """Return the keys asked for in `additional`; anything that is no list asks nothing."""
        value = self.parameters.get("additional")
        if not isinstance(value, list):
            return ()
        return tuple(v for v in value if isinstance(v, str))

    def number(self, key: str, default: int) -> int:
        """Return a whole number; refuse another type with 120."""
        value = self.parameters.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise DsmError(Common.BAD_PARAMETER)
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return a boolean, `default` for anything else."""
        value = self.parameters.get(key, default)
        return value if isinstance(value, bool) else default

    def page(self, rows: list[Any]) -> list[Any]:
        """Return the rows that `offset` and `limit` select; a negative limit means all."""
        offset, limit = self.number("offset", 0), self.number("limit", -1)
        return rows[offset:] if limit < 0 else rows[offset : offset + limit]


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer: its `data` (or `NOTHING`) and extra HTTP headers."""

    payload: Any = NOTHING
    headers: tuple[tuple[str, str], ...] = ()


def envelope(reply: Reply | DsmError) -> dict[str, Any]:
    """Return the JSON object around an answer or a refusal."""
    if isinstance(reply, Reply):
        if reply.payload is NOTHING:
            return {"success": True}
        return {"data": reply.payload, "success": True}
    error: dict[str, Any] = {"code": reply.code}
    if reply.errors is not None:
        error["errors"] = reply.errors
    return {"error": error, "success": False}


def read_form(query: str, body: str) -> dict[str, str]:
    """Return the form values of the query string and the body; the body wins."""
    pairs = parse_qsl(query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True)
    return dict(pairs)


def read_cookie(header: str | None) -> str | None:
    """Return the session id of a `Cookie` header, None without one."""
    cookie: SimpleCookie = SimpleCookie()
    try:
        cookie.load(header or "")
    except CookieError:
        return None
    return cookie["id"].value if "id" in cookie else None


def read_call(form: Mapping[str, str], carried: Carried) -> Call:
    """Return the call that a form asks for; refuse one without its three names with 101."""
    version = parse_value(form.get("version", ""))
    if not (form.get("api") and form.get("method") and isinstance(version, int)):
        raise DsmError(Common.BAD_REQUEST)
    raw = {key: value for key, value in form.items() if key not in _CARRIED}
    return Call(
        api=form["api"],
        method=form["method"],
        version=version,
        parameters={key: parse_value(value) for key, value in raw.items()},
        raw=raw,
        carried=carried,
    )


def read_member(member: Any, outer: Call) -> Call:
    """Return the call of one member of a compound, with the outer call's session."""
    names = member if isinstance(member, dict) else {}
    api, method, version = (names.get(key) for key in ("api", "method", "version"))
    if not (isinstance(api, str) and isinstance(method, str) and isinstance(version, int)):
        raise DsmError(Common.BAD_REQUEST)
    return Call(
        api=api,
        method=method,
        version=version,
        parameters={key: value for key, value in names.items() if key not in _CARRIED},
        carried=outer.carried,
        member=True,
    )
