"""Holding a file against its JSON Schema, and saying in our words what does not fit, and where."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reconciler.model import Finding, Place, Severity
from reconciler.schemafile import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

    from reconciler.yamltree import Node

_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "null",
}


def validate(root: Node, name: str) -> tuple[Finding, ...]:
    """Return every finding of a document against a published schema; null keys count as absent."""
    errors = sorted(
        _validator(name).iter_errors(root.plain(nulls=False)), key=lambda e: list(map(str, e.path))
    )
    return tuple(finding for error in errors for finding in _findings(error, root))


@lru_cache(maxsize=8)
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(load_schema(name))


def _findings(error: ValidationError, root: Node) -> Iterator[Finding]:
    path = tuple(error.absolute_path)
    node = root.at(path)
    key = str(path[-1]) if path else "the file"
    if error.validator == "additionalProperties":
        yield from _unknown_keys(error, node)
        return
    if error.validator in ("oneOf", "anyOf"):
        deeper = _deeper(error)
        if deeper is not None:
            yield from _findings(deeper, root)
            return
    yield _finding(error, key=key, node=node, parent=root.at(path[:-1]))


def _deeper(error: ValidationError) -> ValidationError | None:
    """Return the error inside the only alternative that has the right type, if there is one."""
    inner = [e for e in error.context or () if len(e.path) or e.validator != "type"]
    indexes = {e.schema_path[0] for e in inner}
    right = [
        index
        for index in indexes
        if not any(
            e.validator == "type" and not len(e.path)
            for e in error.context or ()
            if e.schema_path[0] == index
        )
    ]
    if len(right) != 1:
        return None
    return next(e for e in inner if e.schema_path[0] == right[0])


def _unknown_keys(error: ValidationError, node: Node) -> Iterator[Finding]:
    known = sorted(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []
    where = str(error.absolute_path[-1]) if error.absolute_path else ""
    inside = f"`{where}`" if where and not where.isdigit() else "this"
    for key in node.value if isinstance(node.value, dict) else ():
        if key in known or node.value[key].value is None and key in known:
            continue
        near = get_close_matches(key, known, n=1, cutoff=0.6)
        hint = f"did you mean `{near[0]}`?" if near else f"it knows {', '.join(known)}"
        place = node.keys.get(key, node.place)
        text = f"{inside} has no key `{key[:60]}`"
        yield Finding("unknown-key", Severity.ERROR, text, place=place, hint=hint)


def _finding(error: ValidationError, *, key: str, node: Node, parent: Node) -> Finding:
    place: Place = node.place
    expected = _expected(error)
    if error.validator == "required" and isinstance(node.value, dict):
        missing = next((k for k in error.validator_value if k not in node.plain(nulls=False)), "")
        return Finding("missing-key", Severity.ERROR, f"`{missing}` is missing here",
                       place=node.place, hint=expected)  # fmt: skip
    if error.validator == "type" or error.validator in ("oneOf", "anyOf"):
        seen = _seen(node.value)
        text = f"`{_owner(key, parent)}` is {seen}; it takes {expected}"
        hint = "quote it" if isinstance(node.value, (int, float)) and "text" in expected else ""
        return Finding("wrong-type", Severity.ERROR, text, place=place, hint=hint)
    if error.validator == "enum":
        allowed = [str(value) for value in error.validator_value]
        near = get_close_matches(str(node.value), allowed, n=1, cutoff=0.5)
        hint = f"did you mean `{near[0]}`?" if near else ""
        text = f"`{key}` takes {' or '.join(allowed)}, not `{_short(node.value)}`"
        return Finding("bad-value", Severity.ERROR, text, place=place, hint=hint)
    text = f"`{_owner(key, parent)}: {_short(node.plain())}` is not accepted; it takes {expected}"
    return Finding("bad-value", Severity.ERROR, text, place=place)


def _owner(key: str, parent: Node) -> str:
    return f"entry {int(key) + 1} of this list" if key.isdigit() else key if parent else key


def _expected(error: ValidationError) -> str:
    """Return what the schema says a value takes: its `x-takes`, else its type in words."""
    schema = error.schema if isinstance(error.schema, dict) else {}
    if "x-takes" in schema:
        return str(schema["x-takes"])
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else list(types)
    words = " or ".join(_TYPES[name] for name in names)
    minimum = schema.get("minimum")
    bound = f" of at least {minimum}" if minimum is not None else ""
    return (words or "something else") + bound


def _seen(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    return f"`{_short(value)}`"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004  enough to recognise
