"""YAML files as nodes that know their line and column, with what is wrong with them.

Stricter than YAML: no tags, no merge keys, no duplicate keys, one document, and only the plain
scalars that mean the same in YAML 1.1 and 1.2. Bounded in size, depth, aliases and values, so that
no text can use up time or memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from reconciler.errors import InvalidDocuments
from reconciler.model import Place
from reconciler.yamlfile.compose import Composer, Unreadable
from reconciler.yamlfile.faults import Faults
from reconciler.yamlfile.node import Node
from reconciler.yamlfile.syntax import explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from reconciler.model import Finding

__all__ = ["LARGEST", "Document", "Faults", "Node", "decode", "load", "read"]

LARGEST = 1 << 20
"""The most bytes a file may have."""

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Document:
    """One file as read: `root` is None where nothing could be read or the file is empty."""

    path: str
    root: Node | None
    findings: tuple[Finding, ...] = ()


def load(text: str, path: str) -> Node:
    """Return the document's root; raise InvalidDocuments with every finding of the file.

    `path` is what findings name. An empty text is an error here.
    """
    document = read(text, path)
    if document.root is None and not document.findings:
        faults = Faults()
        faults.error(Place(path), "empty-file", "the file is empty")
        raise InvalidDocuments(faults.errors)
    if document.root is None or document.findings:
        raise InvalidDocuments(document.findings)
    return document.root


def read(text: str, path: str) -> Document:
    """Read as much of the text as can be read, with what is wrong with the rest.

    Raises nothing: a text that is no YAML has no root and one finding that says where and why.
    """
    faults = Faults()
    root = None
    if _readable(text, path, faults):
        root = _root(text, path, faults)
    return Document(path, root, faults.all)


def decode(raw: bytes, path: str, faults: Faults) -> str | None:
    """Return a file's bytes as text; None, with a finding, where they are no UTF-8 text."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        faults.error(
            Place(path, line, 1), "not-utf-8", "the file is not UTF-8 text",
            next_step="save it as UTF-8",
        )  # fmt: skip
        return None


def _readable(text: str, path: str, faults: Faults) -> bool:
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        faults.error(Place(path), "not-utf-8", "the text cannot be written as UTF-8")
        return False
    if size > LARGEST:
        faults.error(
            Place(path), "too-large", f"{size:,} bytes, the limit of a file is {LARGEST:,}",
            next_step="split it: all files of the folder are read as one",
        )  # fmt: skip
        return False
    return True


def _root(text: str, path: str, faults: Faults) -> Node | None:
    lines = _LINE_END.split(text)
    composer = Composer(_events(text), path=path, lines=lines, faults=faults)
    try:
        root = composer.document()
    except Unreadable:
        return None
    except yaml.YAMLError as error:
        explain(error, path=path, lines=lines, faults=faults)
        return None
    return None if root is None or root.value == "" else root


def _events(text: str) -> Iterator[Any]:
    """Return the parser's events: libyaml's where it was built in, which is thirty times faster."""
    loader = getattr(yaml, "CLoader", yaml.Loader)
    return iter(yaml.parse(text, Loader=loader))
