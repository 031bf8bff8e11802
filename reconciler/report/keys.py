"""The reference of all keys as markdown tables, from a published JSON Schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEAD = "| key | takes | default | meaning |\n| --- | --- | --- | --- |"


def render_keys(schema: Mapping[str, Any]) -> str:
    """Write one table of every key: dotted below its map, `[]` inside a list, `*` for any name.

    Values that several places share (`$ref`) are written once, where they first stand in a policy
    or unit. Ends with a line end.
    """
    rows = list(_rows(schema, schema, "", set()))
    return "\n".join((_HEAD, *rows)) + "\n"


def _rows(
    node: Mapping[str, Any], root: Mapping[str, Any], path: str, seen: set[str]
) -> Iterator[str]:
    for key, written in node.get("properties", {}).items():
        reference = str(written.get("$ref", ""))
        value = {**_resolved(written, root), **written}
        where = f"{path}{key}"
        if reference and reference in seen and value.get("description") == _text(reference, root):
            continue
        seen.add(reference)
        yield _row(where, value)
        yield from _inside(value, root, where, seen)


def _inside(
    value: Mapping[str, Any], root: Mapping[str, Any], where: str, seen: set[str]
) -> Iterator[str]:
    """Yield the rows below a key: of its map, of each alternative, of a list's or map's values."""
    forms = [_resolved(form, root) for form in (value, *value.get("oneOf", ()))]
    for form in forms:
        yield from _rows(form, root, f"{where}.", seen)
        for below, sign in (("items", "[]."), ("additionalProperties", ".*.")):
            if isinstance(form.get(below), dict):
                yield from _rows(_resolved(form[below], root), root, f"{where}{sign}", seen)


def _resolved(node: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    found: Mapping[str, Any] = root["$defs"][name] if name else node
    return found


def _text(reference: str, root: Mapping[str, Any]) -> object:
    return _resolved({"$ref": reference}, root).get("description")


def _row(where: str, value: Mapping[str, Any]) -> str:
    default = f"`{json.dumps(value['default'])}`" if "default" in value else ""
    cells = (f"`{where}`", _takes(value), default, str(value.get("description", "")))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _takes(value: Mapping[str, Any]) -> str:
    if "x-takes" in value:
        return str(value["x-takes"])
    if "enum" in value:
        return ", ".join(f"`{word}`" for word in value["enum"])
    kinds = {"string": "text", "boolean": "true or false", "object": "map", "array": "list",
             "integer": "whole number"}  # fmt: skip
    return kinds.get(str(value.get("type", "")), "")
