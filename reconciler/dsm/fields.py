"""Reading single values off the wire: DSM sends numbers as strings and booleans in three ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.dsm.errors import Incomplete

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no", ""})


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Return a JSON object; raise Incomplete for anything else."""
    if isinstance(value, dict):
        return value
    raise Incomplete(f"{what} came as {_seen(value)}, not as an object")


def rows(data: Any, key: str, what: str) -> list[Mapping[str, Any]]:
    """Return a list of objects under a key; raise Incomplete for anything else."""
    found = mapping(data, what).get(key)
    if not isinstance(found, list):
        raise Incomplete(f"{what} has no list `{key}`, but {_seen(found)}")
    return [mapping(row, f"a row of {what}") for row in found]


def text(row: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """Return a string; a number is written out. Raises Incomplete where it must be there."""
    value = row.get(key)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if default is not None and value is None:
        return default
    raise Incomplete(f"`{key}` came as {_seen(value)}, not as a text")


def number(row: Mapping[str, Any], key: str, default: int | None = None) -> int:
    """Return a whole number, also from a string of digits."""
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        stripped = value.strip()
        digits = stripped.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < 20:  # noqa: PLR2004  64 bits
            return int(stripped)
    if default is not None and value in (None, ""):
        return default
    raise Incomplete(f"`{key}` came as {_seen(value)}, not as a number")


def flag(row: Mapping[str, Any], key: str, *, default: bool | None = None) -> bool:
    """Return a boolean, also from 0, 1, "true" and "false"; never `bool("0")`."""
    value = row.get(key)
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.casefold() in _TRUE:
        return True
    if isinstance(value, str) and value.casefold() in _FALSE:
        return False
    if default is not None and value is None:
        return default
    raise Incomplete(f"`{key}` came as {_seen(value)}, not as yes or no")


def block(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an optional object, empty where it is absent or null."""
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def _seen(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"  # noqa: PLR2004  enough to recognise
