"""What was read of units, saved to a file: for policy authors who cannot ask a production NAS.

A form of its own, versioned: `{format_version, tool, units: [{name, tags, timezone, observation}]}`
with every field of `Observation` by its name, instants in seconds since 1970. No address, account
or secret is in it; a snapshot's mark is read again from its description.
"""

from __future__ import annotations

import json
import types
import typing
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from reconciler import mark, model
from reconciler.errors import UserError
from reconciler.inventory.model import SecretReference, Unit
from reconciler.model import Observation, Place, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERSION = 1
_DERIVED = frozenset({(Snapshot, "mark")})
_NAMES = {**vars(model), "Mark": mark.Mark}


@dataclass(frozen=True, slots=True)
class SavedUnit:
    """One unit as it was read, with what selectors ask of the inventory."""

    name: str
    observation: Observation
    tags: Mapping[str, str] = field(default_factory=dict)
    timezone: str = ""

    def unit(self, path: str) -> Unit:
        """Return it as a unit of an inventory that knows no address and no account."""
        place = Place(path)
        return Unit(
            self.name, "", "", SecretReference(place), place,
            timezone=self.timezone, tags=self.tags,
        )  # fmt: skip


def written(units: Sequence[SavedUnit], *, tool_version: str) -> str:
    """Return units as the text of a file, the same for the same reading."""
    document = {
        "format_version": _VERSION,
        "tool": tool_version,
        "units": [
            {
                "name": one.name,
                "tags": dict(sorted(one.tags.items())),
                "timezone": one.timezone,
                "observation": _plain(one.observation),
            }
            for one in units
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def read(text: str, path: str) -> tuple[SavedUnit, ...]:
    """Read such a text; raises UserError where it is none, or of another version."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _none(path, "it is no JSON") from error
    if not isinstance(found, dict) or found.get("format_version") != _VERSION:
        raise _none(path, f"its `format_version` is not {_VERSION}")
    try:
        return tuple(_unit(one) for one in found["units"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _none(path, f"it does not hold what it should: {str(error)[:100]}") from error


def _none(path: str, why: str) -> UserError:
    return UserError(
        f"{path} is no saved observation: {why}",
        next_step="save one: reconcile list shares --save FILE",
    )


def _unit(row: Mapping[str, Any]) -> SavedUnit:
    return SavedUnit(
        name=_value(row["name"], str),
        observation=_value(row["observation"], Observation),
        tags={_value(k, str): _value(v, str) for k, v in row["tags"].items()},
        timezone=_value(row["timezone"], str),
    )


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {
            one.name: _plain(getattr(value, one.name))
            for one in fields(value)
            if (type(value), one.name) not in _DERIVED
        }
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.value if isinstance(value, Enum) else value


def _value(found: Any, kind: Any) -> Any:
    """Return a decoded value as its type says; raises TypeError, ValueError or KeyError."""
    if isinstance(kind, types.UnionType):
        inner = next(one for one in kind.__args__ if one is not type(None))
        return None if found is None else _value(found, inner)
    origin = typing.get_origin(kind)
    if origin in (tuple, frozenset):
        return _several(found, origin, typing.get_args(kind))
    if is_dataclass(kind) and isinstance(kind, type):
        return _object(found, kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(found)
    if kind is float and type(found) is int:
        return float(found)
    if type(found) is not kind:
        raise TypeError(f"{found!r} is not {kind.__name__}")
    return found


def _several(found: Any, origin: Any, inside: tuple[Any, ...]) -> Any:
    if not isinstance(found, list):
        raise TypeError(f"{found!r} is not a list")
    if origin is tuple and inside[-1] is not Ellipsis:
        return tuple(_value(one, kind) for one, kind in zip(found, inside, strict=True))
    return origin(_value(one, inside[0]) for one in found)


def _object(found: Any, kind: type) -> Any:
    hints = typing.get_type_hints(kind, _NAMES)
    wanted = {name for name in hints if (kind, name) not in _DERIVED}
    if not isinstance(found, dict) or set(found) != wanted:
        raise TypeError(f"{kind.__name__} has the fields {', '.join(sorted(wanted))}")
    made = kind(**{name: _value(found[name], hints[name]) for name in wanted})
    if isinstance(made, Snapshot):
        return replace(made, mark=mark.parse(made.description))
    return made
