"""A YAML document as values that know where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model import Place

Value: TypeAlias = "str | int | float | bool | tuple[Node, ...] | Mapping[str, Node] | None"
Step: TypeAlias = "str | int"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value of a document and its place.

    `keys` are the places of a map's keys. `text` is a scalar as it was written, quotes left out.
    `broken` says that a finding already speaks of the value, so that nothing is to be read from it.
    """

    value: Value
    place: Place
    keys: Mapping[str, Place] = field(default_factory=dict)
    text: str = ""
    broken: bool = False

    @property
    def entries(self) -> tuple[Node, ...]:
        """The entries of a list; none where the value is no list."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def children(self) -> Mapping[str, Node]:
        """The values of a map by key; none where the value is no map."""
        if self.value is None or isinstance(self.value, str | int | float | tuple):
            return {}
        return self.value

    @property
    def is_map(self) -> bool:
        """Whether the value is a map, be it empty."""
        return not (self.value is None or isinstance(self.value, str | int | float | tuple))

    @property
    def is_list(self) -> bool:
        """Whether the value is a list, be it empty."""
        return isinstance(self.value, tuple)

    @property
    def is_null(self) -> bool:
        """Whether the value is a written `null`, which removes what is inherited."""
        return self.value is None and not self.broken

    @property
    def sound(self) -> bool:
        """Whether no finding speaks of the value or of anything in it."""
        inner = (*self.entries, *self.children.values())
        return not self.broken and all(child.sound for child in inner)

    def plain(self) -> Any:
        """Return the value as JSON knows it, places left out."""
        if isinstance(self.value, tuple):
            return [entry.plain() for entry in self.value]
        if self.is_map:
            return {key: child.plain() for key, child in self.children.items()}
        return self.value

    def at(self, path: Sequence[Step]) -> Node:
        """Return the value at a path of keys and positions, which must exist."""
        node = self
        for step in path:
            node = node.entries[step] if isinstance(step, int) else node.children[step]
        return node

    def place_of(self, key: str) -> Place:
        """Return where a map's key stands, else where the map does."""
        return self.keys.get(key, self.place)

    def with_child(self, step: Step, child: Node | None) -> Node:
        """Return the value with one child replaced, or left out where `child` is None."""
        if isinstance(step, int):
            entries = list(self.entries)
            entries[step : step + 1] = [] if child is None else [child]
            return replace(self, value=tuple(entries))
        children = {key: kept for key, kept in self.children.items() if key != step}
        if child is not None:
            children[step] = child
        return replace(self, value=children)
