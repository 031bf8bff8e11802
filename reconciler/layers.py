"""Merging defaults, templates and the policy itself: later wins, maps key by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.yamltree import Node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model import Place

Layer = dict[str, Node]

_MERGED = frozenset({"keep", "lock", "replicate", "brakes", "tags"})
_REMOVES = {"every": ("cron", "at"), "cron": ("every", "at")}
_REMOVES_INSIDE = {"plan": ("to",), "to": ("plan",)}


def merge(layers: Sequence[Node]) -> tuple[Layer, dict[str, Place]]:
    """Merge layers, the later over the earlier; return the values and the place of each key path.

    `null` removes a key. `every` removes an inherited `cron` and `at`, `cron` an inherited `every`
    and `at`, `plan` an inherited `to` and the reverse. Lists, scalars and `immutable` are replaced
    whole.
    """
    merged: Layer = {}
    places: dict[str, Place] = {}
    for layer in layers:
        own: Layer = layer.value
        for key in own:
            for other in _REMOVES.get(key, ()):
                ends = own[key].value is not None or (key, other) == ("every", "at")
                if ends and other not in own:
                    _drop(other, merged, places)
        for key, node in own.items():
            _put(key, node, layer.keys[key], merged=merged, places=places)
    return merged, places


def _put(key: str, node: Node, place: Place, *, merged: Layer, places: dict[str, Place]) -> None:
    if node.value is None:
        _drop(key, merged, places)
        return
    before = merged.get(key)
    if key not in _MERGED or not isinstance(node.value, dict):
        _drop(key, merged, places)
        merged[key], places[key] = node, place
        places.update({f"{key}.{inner}": at for inner, at in node.keys.items()})
        return
    inside: Layer = dict(before.value) if before and isinstance(before.value, dict) else {}
    keys = {inner: places[f"{key}.{inner}"] for inner in inside}
    for inner, value in node.value.items():
        for other in _REMOVES_INSIDE.get(inner, ()) if key == "replicate" else ():
            if value.value is not None and other not in node.value:
                inside.pop(other, None)
                keys.pop(other, None)
        if value.value is None:
            inside.pop(inner, None)
            keys.pop(inner, None)
        else:
            inside[inner], keys[inner] = value, node.keys[inner]
    _drop(key, merged, places)
    merged[key], places[key] = Node(inside, node.place, keys), place
    places.update({f"{key}.{inner}": at for inner, at in keys.items()})


def _drop(key: str, merged: Layer, places: dict[str, Place]) -> None:
    merged.pop(key, None)
    for path in [p for p in places if p == key or p.startswith(f"{key}.")]:
        del places[path]


def suspended(node: Node | None, default: str) -> str:
    """Return why something is suspended, "" where it is not; a bare `true` gives `default`."""
    if node is None or node.value is False or node.value is None:
        return ""
    return default if node.value is True else str(node.value)
