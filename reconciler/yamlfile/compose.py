"""From YAML events to a document of nodes, bounded in depth, size and aliases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from reconciler.model import Place
from reconciler.yamlfile.node import Node
from reconciler.yamlfile.scalars import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.yamlfile.faults import Faults

    Event: TypeAlias = Any

MOST_ALIASES = 100
DEEPEST = 40
MOST_VALUES = 100_000
_TOKEN = re.compile(r"[^\s,\[\]{}]+")


class Unreadable(Exception):  # noqa: N818  the document is what is unreadable
    """Nothing can be read from the document; the finding that says why has been made."""


class _Anchored:
    """A value that an alias may repeat: how many values it holds, how deep it is."""

    def __init__(self, node: Node | None, size: int, height: int) -> None:
        self.node, self.size, self.height = node, size, height


class Composer:
    """Composes one document from a parser's events.

    Raises Unreadable where a bound is passed or a second document begins, and lets the parser's
    own errors through.
    """

    def __init__(
        self, events: Iterator[Event], *, path: str, lines: Sequence[str], faults: Faults
    ) -> None:
        self._events, self._path, self._lines, self._faults = events, path, lines, faults
        self._anchors: dict[str, _Anchored] = {}
        self._aliases = 0
        self._values = 0
        self._deepest = 0

    def document(self) -> Node | None:
        """Return the only document's root, None where the text holds none."""
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._refuse(
                        self._place(event),
                        "multiple-documents",
                        "a second document begins here; a file is one document",
                        next_step="put it into a file of its own, without `---` between",
                    )
                event = next(self._events)  # noqa: PLW2901  the document's first value
                root = self._node(event, 1)
        return root

    def _node(self, event: Event, depth: int) -> Node:
        self._values += 1
        self._deepest = max(self._deepest, depth)
        self._bounded(event, self._deepest)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if event.anchor is None:
            return self._value(event, depth)
        self._anchors[event.anchor] = _Anchored(None, 0, 0)
        outer, before = self._deepest, self._values
        self._deepest = depth
        node = self._value(event, depth)
        height = self._deepest - depth
        self._anchors[event.anchor] = _Anchored(node, self._values - before + 1, height)
        self._deepest = max(self._deepest, outer)
        return node

    def _value(self, event: Event, depth: int) -> Node:
        if event.tag is not None:
            self._tag(event)
        if isinstance(event, yaml.SequenceStartEvent):
            node = self._list(event, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._map(event, depth)
        else:
            node = self._scalar(event)
        if event.tag is None:
            return node
        return Node(None, node.place, broken=True)

    def _scalar(self, event: Event) -> Node:
        place = self._place(event)
        if event.style is not None and event.style != "":
            return Node(event.value, place, text=event.value)
        return Node(resolve(event.value), place, text=event.value)

    def _list(self, event: Event, depth: int) -> Node:
        entries: list[Node] = []
        for inner in self._events:
            if isinstance(inner, yaml.SequenceEndEvent):
                break
            entry = self._node(inner, depth + 1)
            if _empty(inner):
                self._faults.error(
                    entry.place,
                    "empty-value",
                    "an entry of the list is empty",
                    next_step="write a value, or leave the line out",
                )
                entry = Node(None, entry.place, broken=True)
            entries.append(entry)
        return Node(tuple(entries), self._place(event))

    def _map(self, event: Event, depth: int) -> Node:
        children: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        for inner in self._events:
            if isinstance(inner, yaml.MappingEndEvent):
                break
            key, place = self._key(inner, depth)
            following = next(self._events)
            child = self._node(following, depth + 1)
            if key is None or self._refused_key(key, place, keys):
                continue
            if _empty(following):
                self._faults.error(
                    place,
                    "empty-value",
                    f"`{key}` has no value",
                    next_step="write one, or `null` to remove what is inherited",
                )
                child = Node(None, place, broken=True)
            children[key], keys[key] = child, place
        return Node(children, self._place(event), keys)

    def _key(self, event: Event, depth: int) -> tuple[str | None, Place]:
        """Return a key and its place; None where it is no text, which a finding then says."""
        node = self._node(event, depth + 1)
        if isinstance(event, yaml.ScalarEvent) and event.value and not node.broken:
            return event.value, node.place
        if not node.broken:
            self._faults.error(
                node.place,
                "bad-key",
                "a key is one word, and this is none",
                next_step="write `key: value`",
            )
        return None, node.place

    def _refused_key(self, key: str, place: Place, keys: dict[str, Place]) -> bool:
        if key == "<<":
            self._faults.error(
                place,
                "merge-key",
                "merge keys (`<<`) are not read",
                next_step="use `extends` and a template",
            )
            return True
        if key in keys:
            self._faults.error(
                place,
                "duplicate-key",
                f"`{key}` stands twice in this map",
                hint=f"also in line {keys[key].line}",
                next_step="keep one of the two",
            )
            return True
        return False

    def _alias(self, event: Event, depth: int) -> Node:
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            self._refuse(
                self._place(event),
                "too-many-aliases",
                f"more than {MOST_ALIASES} aliases in one file",
                next_step="use templates",
            )
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            self._bare(event, "a bare `*` begins a YAML alias, not a pattern")
        elif anchored.node is None:
            self._faults.error(
                self._place(event),
                "alias-cycle",
                "this alias stands inside what it repeats",
                next_step="write the value out",
            )
        else:
            self._values += anchored.size
            self._deepest = max(self._deepest, depth + anchored.height)
            self._bounded(event, depth + anchored.height)
            return anchored.node
        return Node(None, self._place(event), broken=True)

    def _tag(self, event: Event) -> None:
        """Say that a tag is not read: a forgotten quote where nothing follows it."""
        if _empty(event, tagged=True):
            self._bare(event, "a bare `!` begins a YAML tag, not a pattern")
            return
        self._faults.error(
            self._place(event),
            "custom-tag",
            "YAML tags (`!…`) are not read",
            next_step="leave the tag out, or quote the text",
        )

    def _bare(self, event: Event, text: str) -> None:
        place = self._place(event)
        line = self._lines[place.line - 1]
        token = _TOKEN.match(line, place.column - 1)
        word = token[0] if token else line[place.column - 1 :]
        self._faults.error(
            Place(place.path, place.line, place.column, len(word)),
            "quote-it",
            text,
            hint=f'write "{word}"',
        )

    def _bounded(self, event: Event, depth: int) -> None:
        if depth > DEEPEST:
            self._refuse(
                self._place(event), "too-deep", f"values are nested more than {DEEPEST} deep"
            )
        if self._values > MOST_VALUES:
            self._refuse(
                self._place(event),
                "too-many-values",
                f"more than {MOST_VALUES:,} values, what aliases repeat counted in",
                next_step="split the file, or use templates",
            )

    def _refuse(self, place: Place, code: str, text: str, *, next_step: str = "") -> None:
        self._faults.error(place, code, text, next_step=next_step)
        raise Unreadable

    def _place(self, event: Event) -> Place:
        start, end = event.start_mark, event.end_mark
        if start.line == end.line:
            width = end.column - start.column
        else:
            width = len(self._lines[start.line].rstrip()) - start.column
        if isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            width = 1
        return Place(self._path, start.line + 1, start.column + 1, max(1, width))


def _empty(event: Event, *, tagged: bool = False) -> bool:
    """Whether nothing was written: an empty plain scalar (a tag is reported by itself)."""
    written = isinstance(event, yaml.ScalarEvent) and not event.value and not event.style
    return bool(written) and (tagged or event.tag is None)
