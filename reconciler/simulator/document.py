"""A NAS as a YAML or JSON file.

The keys are the fields of the simulator's types: `Nas` at the top, with lists of `Share` (and
its `snapshots`), `Lun`, `Plan` and `Volume`, and mappings for `schedule`, `retention`, `limits`
and `auto_block`. A moment is epoch seconds or ISO 8601 with an offset. Whatever is left out has
its default; a share's snapshot needs only `at`, its name follows from it. `clock` is `real`, a
moment at which it stands still, or `{at: …, speed: 60}`.

    name: hq-1
    zone: Europe/Zurich
    clock: 2026-11-24T12:00:00+01:00
    shares:
      - name: projects
        snapshots:
          - {at: "2026-11-24T11:00:00+01:00", description: before the migration, locked: true}

A wrong file is refused with the path of the key: `shares[0].snapshots[3].at: …`.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

import yaml

from reconciler.simulator.clock import Clock, instant, iso
from reconciler.simulator.nas import Nas
from reconciler.simulator.types_of import types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REAL: Final = "real"
_ZONE_KEYS: Final = ("zone", "source_zone")


class DocumentError(ValueError):
    """A state file that cannot be read; the message begins with the file and the key."""


def read_file(path: str | Path) -> Nas:
    """Read a NAS from a YAML or JSON file; `DocumentError` names the file and the key."""
    source = Path(path)
    try:
        text = source.read_text(encoding="utf-8")
        decoded = json.loads(text) if source.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as exc:
        raise DocumentError(f"{source}: cannot be read: {exc}") from exc
    try:
        return from_mapping(decoded)
    except DocumentError as exc:
        raise DocumentError(f"{source}: {exc}") from exc


def from_mapping(mapping: Mapping[str, Any]) -> Nas:
    """Build a NAS from a decoded file; `DocumentError` names the key."""
    nas = _read_object(Nas, mapping, "")
    if not isinstance(nas, Nas):
        raise TypeError(type(nas).__name__)
    return nas


def to_mapping(nas: Nas) -> dict[str, Any]:
    """Return the NAS in the shape that `from_mapping` reads, defaults left out."""
    with nas.lock:
        return _write_object(nas)


def _saved(kind: type) -> dict[str, Field[Any]]:
    return {f.name: f for f in fields(kind) if f.metadata.get("saved", True)}


def _read_object(kind: type, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise DocumentError(f"{path or 'the file'}: a mapping is expected, not {_shown(value)}")
    known, types = _saved(kind), types_of(kind)
    for key in value:
        if key not in known:
            listed = ", ".join(sorted(known))
            raise DocumentError(f"{_join(path, str(key))}: unknown key; known are {listed}")
    for name, spec in known.items():
        required = spec.default is MISSING and spec.default_factory is MISSING
        if required and name not in value:
            raise DocumentError(f"{_join(path, name)}: is missing")
    read = {key: _read(types[key], given, _join(path, key)) for key, given in value.items()}
    try:
        return kind(**read)
    except (ValueError, KeyError) as exc:
        raise DocumentError(f"{path or 'the file'}: {exc}") from exc


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(value: Any) -> str:
    return f"{value!r}"[:60]


def _read(kind: Any, value: Any, path: str) -> Any:
    reader = _READERS.get(get_origin(kind))
    if reader is not None:
        return reader(get_args(kind), value, path)
    if kind is Clock:
        return _read_clock(value, path)
    if is_dataclass(kind) and isinstance(kind, type):
        return _read_object(kind, value, path)
    return _read_scalar(kind, value, path)


def _read_union(kinds: tuple[Any, ...], value: Any, path: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    return _read(next(kind for kind in kinds if kind is not NoneType), value, path)


def _read_choice(choices: tuple[Any, ...], value: Any, path: str) -> Any:
    if value not in choices:
        raise DocumentError(f"{path}: one of {', '.join(choices)} is expected")
    return value


def _read_table(kinds: tuple[Any, ...], value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DocumentError(f"{path}: a mapping is expected, not {_shown(value)}")
    return {str(key): _read(kinds[1], each, f"{path}.{key}") for key, each in value.items()}


def _read_list(kinds: tuple[Any, ...], value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise DocumentError(f"{path}: a list is expected, not {_shown(value)}")
    return [_read(kinds[0], each, f"{path}[{index}]") for index, each in enumerate(value)]


def _read_moment(value: Any, path: str) -> float:
    usable = isinstance(value, int | float | str | datetime) and not isinstance(value, bool)
    if not usable:
        raise DocumentError(f"{path}: a moment is expected, not {_shown(value)}")
    try:
        return instant(value)
    except ValueError as exc:
        raise DocumentError(f"{path}: {exc}") from exc


_READERS: Final[dict[Any, Callable[[tuple[Any, ...], Any, str], Any]]] = {
    Union: _read_union,
    UnionType: _read_union,
    Annotated: lambda _kinds, value, path: _read_moment(value, path),
    Literal: _read_choice,
    list: _read_list,
    dict: _read_table,
}


def _read_clock(value: Any, path: str) -> Clock:
    if value == _REAL:
        return Clock.real()
    if not isinstance(value, dict):
        return Clock.frozen(_read_moment(value, path))
    unknown = set(value) - {"at", "speed"}
    if unknown or "at" not in value:
        raise DocumentError(f"{path}: at and speed are expected, not {_shown(value)}")
    speed = _read_scalar(float, value.get("speed", 0.0), f"{path}.speed")
    return Clock(_read_moment(value["at"], f"{path}.at"), speed=speed)


def _read_scalar(kind: Any, value: Any, path: str) -> Any:
    if path.rpartition(".")[2] in _ZONE_KEYS:
        return _read_zone(value, path)
    wanted = (int, float) if kind is float else kind
    good = isinstance(value, wanted) and (kind is bool or not isinstance(value, bool))
    if not good or isinstance(value, date):
        raise DocumentError(f"{path}: {kind.__name__} is expected, not {_shown(value)}")
    return value


def _read_zone(value: Any, path: str) -> str:
    try:
        return ZoneInfo(value).key
    except (KeyError, OSError, ValueError, TypeError, AttributeError) as exc:
        raise DocumentError(f"{path}: {_shown(value)} is no IANA zone") from exc


def _write_object(thing: Any) -> dict[str, Any]:
    types, written = types_of(thing.__class__), {}
    for name, spec in _saved(type(thing)).items():
        value = getattr(thing, name)
        if value != _default(spec):
            written[name] = _write(types[name], value)
    return {key: value for key, value in written.items() if value not in ({}, [])}


def _default(spec: Field[Any]) -> Any:
    return MISSING if spec.default is MISSING else spec.default


def _write(kind: Any, value: Any) -> Any:
    if isinstance(value, Clock):
        return {"at": iso(value.now()), "speed": value.speed}
    if is_dataclass(value) and not isinstance(value, type):
        return _write_object(value)
    if isinstance(value, list):
        return [_write(get_args(kind)[0], each) for each in value]
    if "instant" in _marks(kind) and isinstance(value, float):
        return iso(value)
    return value


def _marks(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Annotated:
        return get_args(kind)[1:]
    return tuple(mark for part in get_args(kind) for mark in _marks(part))
