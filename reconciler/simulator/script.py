"""Faults as a file, or as the body of a request: YAML, or JSON, which is YAML too.

    seed: 7                      # of every `chance`; the same seed and calls meet the same faults
    faults:
      - {kind: reset_after, method: create}
      - {kind: error, code: 3328, api: SYNO.Core.Share.Snapshot, method: delete, times: 2}
      - {kind: expire_session, after: 12}
      - {kind: delay, seconds: 0.5, times: null, chance: 0.1}     # null: for ever
      - {kind: actor, act: lock, target: projects, snapshot: oldest, method: delete}
      - {kind: actor, act: swap, target: projects, to: media, after: 20}

A list of faults alone, or one alone, is enough. The keys are the fields of `Fault`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

import yaml

from reconciler.simulator.faults import Act, Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LARGEST: Final = 1 << 20


class ScriptError(ValueError):
    """Faults that cannot be read; the message begins with the file and the line."""


@dataclass(frozen=True, slots=True)
class Script:
    """The faults of one file in their order; `seed` None leaves the row of chances as it is."""

    faults: tuple[Fault, ...]
    seed: int | None = None


def read_script(path: Path) -> Script:
    """Read a file of faults; `ScriptError` names the file and the line of the first mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: cannot be read: {error}") from error
    return parse_script(text, str(path))


def parse_script(text: str, where: str) -> Script:
    """Read faults from a text; `ScriptError` names `where` and the line of the first mistake."""
    if len(text) > _LARGEST:
        raise ScriptError(f"{where}: longer than {_LARGEST >> 20} MiB")
    try:
        loader = yaml.SafeLoader(text)
        return _Reader(loader, where).script(loader.get_single_node())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise ScriptError(f"{where}:{line}: no YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        told = " ".join(str(error).split())
        raise ScriptError(f"{where}: no YAML: {told}") from error


class _Reader:
    """Reads nodes, so that each mistake is told with its line."""

    def __init__(self, loader: yaml.SafeLoader, where: str) -> None:
        self._loader = loader
        self._where = where

    def script(self, root: yaml.Node | None) -> Script:
        if root is None:
            raise ScriptError(f"{self._where}:1: it is empty; write `faults:` and a list")
        if not isinstance(root, yaml.MappingNode):
            return Script(self._faults(root))
        entries = self._entries(root)
        if "kind" in entries:
            return Script((self._fault(root),))
        for key in entries:
            if key not in ("seed", "faults"):
                self._refuse(root, key, f"`{key}` is not known; `seed` and `faults` are")
        faults = self._faults(entries["faults"]) if "faults" in entries else ()
        return Script(faults, self._seed(entries.get("seed")))

    def _seed(self, node: yaml.Node | None) -> int | None:
        if node is None:
            return None
        seed = self._value(node)
        if not _whole(seed):
            raise self._error(node, "`seed` is a whole number")
        return int(seed)

    def _faults(self, node: yaml.Node) -> tuple[Fault, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, "a list of faults is expected")
        return tuple(self._fault(each) for each in node.value)

    def _fault(self, node: yaml.Node) -> Fault:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, "a fault is written {kind: …}")
        entries = self._entries(node)
        settings: dict[str, Any] = {}
        for key, value_node in entries.items():
            if key not in _FIELDS:
                known = ", ".join(sorted(_FIELDS))
                self._refuse(node, key, f"`{key}` is not known; known are {known}")
            value = self._value(value_node)
            fits, wanted = _FIELDS[key]
            if not fits(value):
                raise self._error(value_node, f"`{key}` is {wanted}")
            settings[key] = tuple(value) if isinstance(value, list) and key == "names" else value
        missing = _missing(settings)
        if missing:
            raise self._error(node, missing)
        return Fault(**settings)

    def _entries(self, node: yaml.MappingNode) -> dict[str, yaml.Node]:
        entries: dict[str, yaml.Node] = {}
        for key_node, value_node in node.value:
            key = str(self._value(key_node))
            if key in entries:
                raise self._error(key_node, f"`{key}` is written twice")
            entries[key] = value_node
        return entries

    def _refuse(self, node: yaml.MappingNode, key: str, text: str) -> None:
        place = next(each for each, _ in node.value if str(self._value(each)) == key)
        raise self._error(place, text)

    def _value(self, node: yaml.Node) -> Any:
        return self._loader.construct_object(node, deep=True)

    def _error(self, node: yaml.Node, text: str) -> ScriptError:
        return ScriptError(f"{self._where}:{node.start_mark.line + 1}: {text}")


def _missing(settings: dict[str, Any]) -> str:
    if "kind" not in settings:
        return "`kind` is missing"
    if settings["kind"] != "actor":
        return ""
    needed = ["act", "target"]
    if settings.get("act") in ("describe", "rename", "swap"):
        needed.append("to")
    absent = [key for key in needed if not settings.get(key)]
    return f"an actor needs `{absent[0]}`" if absent else ""


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _one_of(choices: tuple[str, ...]) -> tuple[Callable[[Any], bool], str]:
    return lambda value: value in choices, f"one of {', '.join(choices)}"


_A_TEXT: Final = (_text, "a text")
_FLAG: Final = (lambda value: isinstance(value, bool), "true or false")
_NAMES: Final = (
    lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    "a list of texts",
)
_FIELDS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "kind": _one_of(get_args(Kind)),
    "act": _one_of(get_args(Act)),
    "api": _A_TEXT,
    "method": _A_TEXT,
    "location": _A_TEXT,
    "target": _A_TEXT,
    "snapshot": _A_TEXT,
    "to": _A_TEXT,
    "member": _FLAG,
    "done": _FLAG,
    "code": (_whole, "a whole number"),
    "errors": (lambda _value: True, "anything"),
    "times": (lambda value: value is None or (_whole(value) and value > 0), "1 or more, or null"),
    "after": (lambda value: _whole(value) and value >= 0, "0 or more"),
    "rows": (lambda value: _whole(value) and value > 0, "1 or more"),
    "seconds": (_number, "a number"),
    "chance": (lambda value: _number(value) and 0 < value <= 1, "above 0, at most 1"),
    "names": _NAMES,
}
