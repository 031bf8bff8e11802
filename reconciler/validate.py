"""Holding a file against its JSON Schema, and saying in our words what does not fit, and where."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from reconciler.model import Finding, Severity
from reconciler.schemafile import load_schema
from reconciler.yamltree import MOST_FINDINGS, SECRET_KEYS, and_more, hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

    from reconciler.yamltree import Node

_NAMES = "names are of a-z, 0-9 and -, at most 63 characters, and begin with a letter or digit"
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
    """Return the findings of a document against a published schema; null keys count as absent.

    All of them; of more than `MOST_FINDINGS` in one file the first, and one that says so.
    """
    errors = _validator(name).iter_errors(root.plain(nulls=False))
    found = (finding for error in errors for finding in _findings(error, root))
    first = list(islice(found, MOST_FINDINGS + 1))
    if len(first) > MOST_FINDINGS:
        first[MOST_FINDINGS] = and_more(first[MOST_FINDINGS].place or root.place)
    return tuple(first)


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
    secret = next((str(step) for step in path if step in SECRET_KEYS), "")
    if secret and not isinstance(root.at(path).value, dict):
        yield Finding("inline-secret", Severity.ERROR, f"`{secret}` holds something itself",
                      "write where the secret stands: {file: …}, {env: …} or {command: […]}",
                      place=node.place)  # fmt: skip
        return
    yield _finding(error, key=key, node=node)


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
        if key in known:
            continue
        near = get_close_matches(key, known, n=1, cutoff=0.6)
        hint = f"did you mean `{near[0]}`?" if near else f"it knows {', '.join(known)}"
        place = node.keys.get(key, node.place)
        text = f"{inside} has no key `{key[:60]}`"
        yield Finding("unknown-key", Severity.ERROR, text, place=place, hint=hint)


def _finding(error: ValidationError, *, key: str, node: Node) -> Finding:
    say = _SAY.get(str(error.validator), _not_accepted)
    code, text, hint = say(error, _owner(key), node)
    return Finding(code, Severity.ERROR, text, place=node.place, hint=hint)


def _missing(error: ValidationError, name: str, node: Node) -> _Said:
    known = node.plain(nulls=False) if isinstance(node.value, dict) else {}
    missing = next((key for key in _listed(error) if key not in known), name)
    schema = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    example = _example(schema.get(missing, {}))
    hint = f"write for example `{missing}: {example}`" if example else ""
    return "missing-key", f"`{missing}` is missing here", hint


def _wrong_type(error: ValidationError, name: str, node: Node) -> _Said:
    expected = _expected(error)
    number = isinstance(node.value, int) and "text" in expected
    hint = f'quote it: "{node.plain()}"' if number else _such_as(error, name)
    return "wrong-type", f"`{name}` is {hidden(_seen(node.value))}; it takes {expected}", hint


def _no_such_word(error: ValidationError, name: str, node: Node) -> _Said:
    allowed = [str(value) for value in _listed(error)]
    near = get_close_matches(str(node.value), allowed, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else _such_as(error, name)
    return "bad-value", f"`{name}` takes {' or '.join(allowed)}, not `{_short(node.value)}`", hint


def _no_name(error: ValidationError, name: str, node: Node) -> _Said:
    del name, node
    return "bad-name", f"`{_short(error.instance)}` is no name; {_NAMES}", "write another name"


def _too_few(error: ValidationError, name: str, node: Node) -> _Said:
    if node.value:
        return _not_accepted(error, name, node)
    hint = _such_as(error, name) or f"give it a value, or take `{name}` out"
    return "empty-value", f"`{name}` is empty; it takes {_expected(error)}", hint


def _out_of_bounds(error: ValidationError, name: str, node: Node) -> _Said:
    word = "at least" if error.validator == "minimum" else "at most"
    text = f"`{name}` is {_short(node.value)}; it takes {word} {error.validator_value}"
    return "bad-value", text, _such_as(error, name)


def _not_accepted(error: ValidationError, name: str, node: Node) -> _Said:
    seen = hidden(_seen(node.value))
    text = f"`{name}` is {seen}, which is not accepted; it takes {_expected(error)}"
    return "bad-value", text, _such_as(error, name)


_Said = tuple[str, str, str]
_SAY: Mapping[str, Callable[[ValidationError, str, Node], _Said]] = {
    "required": _missing,
    "type": _wrong_type,
    "oneOf": _wrong_type,
    "anyOf": _wrong_type,
    "enum": _no_such_word,
    "propertyNames": _no_name,
    "minItems": _too_few,
    "minLength": _too_few,
    "minProperties": _too_few,
    "minimum": _out_of_bounds,
    "maximum": _out_of_bounds,
}
"""For each keyword of JSON Schema: the code of the finding, its text, its hint."""


def _listed(error: ValidationError) -> list[Any]:
    """Return a schema keyword's value where it is a list: the necessary keys, the allowed words."""
    value = error.validator_value
    return list(value) if isinstance(value, list) else []


def _such_as(error: ValidationError, name: str) -> str:
    """Return an example of a key, from the schema of the value or of what holds it; "" without."""
    at: Any = error
    while at is not None and not (isinstance(at.schema, dict) and "examples" in at.schema):
        at = at.parent
    example = _example(at.schema) if at is not None else ""
    return f"write for example `{name}: {example}`" if example and " " not in name else ""


def _example(schema: Mapping[str, Any]) -> str:
    """Return a schema's first example as a person writes it in YAML, "" where it has none."""
    given = schema.get("examples") or [""]
    return _flow(given[0])


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f'"{text}"' if text[:1] in "!*" or ": " in text else text


def _owner(key: str) -> str:
    return f"entry {int(key) + 1} of this list" if key.isdigit() else key


def _expected(error: ValidationError) -> str:
    """Return what the schema says a value takes: its `x-takes`, else its type in words."""
    schema = error.schema if isinstance(error.schema, dict) else {}
    holder: Any = error.parent
    if "const" in schema and "x-takes" not in schema and holder is not None:
        return _expected(holder)
    if "x-takes" in schema:
        return str(schema["x-takes"])
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else list(types)
    words = " or ".join(_TYPES[name] for name in names)
    minimum = schema.get("minimum")
    bound = f" of at least {minimum}" if minimum is not None else ""
    return (words or "another value") + bound


def _seen(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "`null`"
    return f"`{_short(value)}`"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004  enough to recognise
