"""Adding a unit to `reconciler.yaml`, its comments and order left as they are: text in, text out.

Lines are put in and replaced where the parsed file says its keys stand, nothing is written anew;
the caller loads the result and compares before it takes the old file's place.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from reconciler.errors import InvalidDocuments, UserError
from reconciler.yamltree import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.yamltree import Node

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./:-]*[A-Za-z0-9_/-]|[A-Za-z]")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def text(value: str) -> str:
    """Write a text as YAML: plain where nothing can misread it, else in double quotes."""
    plain = _PLAIN.fullmatch(value) and value.casefold() not in _WORDS and ": " not in value
    return value if plain else json.dumps(value, ensure_ascii=False)


def unit_lines(name: str, values: Mapping[str, str], indent: int = 2) -> list[str]:
    """Return the lines of one unit; `values` are written as they stand, in their order."""
    inner = " " * 2 * indent
    return [
        f"{' ' * indent}{text(name)}:",
        *(f"{inner}{key}: {value}" for key, value in values.items()),
    ]


def with_unit(source: str, path: str, name: str, values: Mapping[str, str]) -> str:
    """Return the configuration with one more unit under `nas`, after those that are there.

    Raises InvalidDocuments where the file cannot be parsed, UserError where `nas` is written in a
    way that no line can be added to, with the lines to write by hand.
    """
    units = _units(source, path)
    if name.casefold() in {known.casefold() for known in units.value}:
        raise UserError(
            f"{path} has a unit {name} already ({units.keys[name]})"
            if name in units.keys
            else f"{path} has a unit of that name already",
            next_step="name this one with --name, or say with --replaced that it is a new machine",
        )
    lines = source.splitlines()
    first = min(place.line for place in units.keys.values())
    column = units.keys[next(iter(units.value))].column - 1
    if column == 0 or not _own_lines(lines, units, column):
        raise _by_hand(path, unit_lines(name, values))
    end = _end_of_block(lines, first - 1, column)
    new = [f"{' ' * column}{line.lstrip()}" for line in unit_lines(name, values)[:1]]
    new += [" " * 2 * column + line.lstrip() for line in unit_lines(name, values)[1:]]
    return _joined(source, [*lines[:end], *new, *lines[end:]])


def replaced(source: str, path: str, name: str, values: Mapping[str, str]) -> str:
    """Return the configuration with these keys of a unit written anew, each on its own line.

    A key that the unit does not have is added to it. Raises as `with_unit` does.
    """
    units = _units(source, path)
    node = units.value.get(name)
    if node is None or not isinstance(node.value, dict) or not node.value:
        raise UserError(
            f"{path} has no unit {name} to replace", next_step="leave --replaced out to add it"
        )
    lines = source.splitlines()
    rows = {key: place.line - 1 for key, place in node.keys.items()}
    column = min(place.column for place in node.keys.values()) - 1
    if not _own_lines(lines, node, column):
        raise _by_hand(path, unit_lines(name, values))
    for key, value in values.items():
        if key not in rows:
            continue
        row = rows[key]
        if _end_of_block(lines, row + 1, column + 1) != row + 1:
            raise _by_hand(path, unit_lines(name, values))
        comment = re.search(r"\s+#.*$", lines[row])
        tail = comment.group() if comment else ""
        lines[row] = f"{' ' * column}{key}: {value}{tail}"
    end = _end_of_block(lines, units.keys[name].line, column)
    added = [f"{' ' * column}{key}: {value}" for key, value in values.items() if key not in rows]
    return _joined(source, [*lines[:end], *added, *lines[end:]])


def _units(source: str, path: str) -> Node:
    document = load(source, path)
    if document.findings or document.root is None:
        raise InvalidDocuments(document.findings)
    root = document.root.value
    units = root.get("nas") if isinstance(root, dict) else None
    if units is None or not isinstance(units.value, dict) or not units.value:
        raise UserError(
            f"{path} has no map `nas` that a unit could be added to",
            next_step="write `nas:` with a unit under it; policies/README.md shows one",
        )
    found: Node = units
    return found


def _own_lines(lines: Sequence[str], node: Node, column: int) -> bool:
    """Whether each key of a map begins its own line, all at one indentation."""
    return all(
        place.column - 1 == column and not lines[place.line - 1][:column].strip()
        for place in node.keys.values()
    )


def _end_of_block(lines: Sequence[str], start: int, column: int) -> int:
    """Return the line after the last one, from `start` on, that stands at `column` or deeper."""
    end = start
    for number in range(start, len(lines)):
        line = lines[number]
        body = line.lstrip(" ")
        if not body or body.startswith("#"):
            continue
        if len(line) - len(body) < column:
            break
        end = number + 1
    return end


def _joined(source: str, lines: Sequence[str]) -> str:
    end = "\r\n" if "\r\n" in source else "\n"
    return end.join(lines) + end


def _by_hand(path: str, lines: Sequence[str]) -> UserError:
    return UserError(
        f"`nas` in {path} is written on one line, which is not changed by a program",
        next_step="write this under `nas`:\n" + "\n".join(lines),
    )
