"""YAML files as trees that know the line and column of every key and value.

YAML 1.1's traps are closed: `22:30`, `on`, `no`, `012`, `1.10` and bare dates stay text; a
duplicate key, a merge key, an alias cycle, more than 1 MiB, 100 aliases or 20,000 keys and values,
and an empty value are findings. Whatever a file holds, reading never raises and takes bounded time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from reconciler.model import Finding, Place, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LARGEST = 1024 * 1024
_MOST_ALIASES = 100
_DEEPEST = 40
_MOST_NODES = 20_000
MOST_FINDINGS = 100
"""How many mistakes of one file are shown at once: more are hardly read, and take time to find."""
_LINE = 2_000
SECRET_KEYS = frozenset(
    {"password", "otp_secret", "device_token", "token", "apprise", "healthchecks", "ssh_key"}
)
"""Keys whose values are references to secrets: what stands there by mistake is never shown."""

_NULL, _INT, _BOOL = (f"tag:yaml.org,2002:{name}" for name in ("null", "int", "bool"))
_TEXT = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Node:
    """One value: a scalar, a list of nodes, or a map of nodes; `keys` are the places of keys."""

    value: Any
    place: Place
    keys: Mapping[str, Place] = field(default_factory=dict)

    def plain(self, *, nulls: bool = True) -> Any:
        """Return the value as plain lists and maps; without `nulls` keys set to null are absent."""
        if isinstance(self.value, dict):
            return {
                key: node.plain(nulls=nulls)
                for key, node in self.value.items()
                if nulls or node.value is not None
            }
        if isinstance(self.value, list):
            return [node.plain(nulls=nulls) for node in self.value]
        return self.value

    def at(self, path: tuple[str | int, ...]) -> Node:
        """Return the node under a path, or the deepest one there is."""
        node = self
        for step in path:
            inside = node.value
            known = isinstance(inside, dict) and step in inside
            listed = isinstance(inside, list) and isinstance(step, int) and step < len(inside)
            if not known and not listed:
                return node
            node = inside[step]
        return node


@dataclass(frozen=True, slots=True)
class Document:
    """What a file came to: `root` is None where it could not be read; findings in file order."""

    path: str
    root: Node | None
    findings: tuple[Finding, ...] = ()


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml where it is built in
    """Resolves whole numbers, true, false and null; everything else stays text."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    (_BOOL, r"true|false", "tf"),
    (_NULL, r"null|~|", ["n", "~", ""]),
    (_INT, r"-?(?:0|[1-9][0-9]{0,17})", "-0123456789"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(rf"\A(?:{_pattern})\Z"), list(_first))


def load(text: str, path: str) -> Document:
    """Read one file; never raises for what it holds."""
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        return _refused(path, "bad-character", "it holds half a character (a lone surrogate)",
                        "save it as UTF-8")  # fmt: skip
    if size > _LARGEST:
        return _refused(path, "too-large", "the file is larger than 1 MiB",
                        "split it, or write globs instead of names")  # fmt: skip
    try:
        bounded = _bounded(text, path)
        if bounded is not None:
            return bounded
        composed = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        return Document(path, None, (_explain(error, text, path),))
    if composed is None:
        return _refused(path, "empty-file", "the file is empty",
                        "begin with `version: 1`, or delete the file")  # fmt: skip
    builder = _Builder(path)
    root = builder.build(composed)
    return Document(path, root, tuple(builder.findings))


def _refused(path: str, code: str, text: str, cure: str) -> Document:
    finding = Finding(code, Severity.ERROR, text, cure, place=Place(path, 1, 1))
    return Document(path, None, (finding,))


def _bounded(text: str, path: str) -> Document | None:
    """Refuse a file with too many aliases or values, too deep, or of more than one document."""
    aliases = depth = documents = nodes = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        nodes += isinstance(event, yaml.NodeEvent)
        for code, above, fact, cure in (
            ("too-many-aliases", aliases > _MOST_ALIASES, f"more than {_MOST_ALIASES} aliases",
             "write a template once and `extends` it"),
            ("too-deep", depth > _DEEPEST, f"nested deeper than {_DEEPEST} levels",
             "take out brackets or levels; no file needs more than six"),
            ("two-documents", documents > 1, "a second document begins here (`---`)",
             "make it a file of its own"),
            ("too-many-values", nodes > _MOST_NODES,
             f"more than {_MOST_NODES} keys and values in one file",
             "split it, or write globs instead of names"),
        ):  # fmt: skip
            if above:
                place = _place(path, event.start_mark)
                found = Finding(code, Severity.ERROR, fact, cure, place=place)
                return Document(path, None, (found,))
    return None


class _Builder:
    """Turns PyYAML's nodes into ours, and collects what is wrong on the way."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open: set[int] = set()
        self._count = 0
        self._full = False
        self._key = ""
        self.findings: list[Finding] = []

    def build(self, node: yaml.Node) -> Node:
        """Return one of PyYAML's nodes, and all below it, as ours."""
        place = _place(self._path, node.start_mark, node.end_mark)
        self._count += 1
        if self._count > _MOST_NODES:
            if not self._full:
                self._full = True
                self._found("too-many-aliases", "aliases make it too large", place)
            return Node(None, place)
        if id(node) in self._open:
            self._found("alias-cycle", "an alias that contains itself", place)
            return Node(None, place)
        self._open.add(id(node))
        try:
            return self._collection(node, place)
        finally:
            self._open.discard(id(node))

    def _collection(self, node: yaml.Node, place: Place) -> Node:
        if isinstance(node, yaml.MappingNode):
            return self._map(node, place)
        if isinstance(node, yaml.SequenceNode):
            return Node([self.build(child) for child in node.value], place)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        raise TypeError(f"PyYAML made a node of a kind that YAML has not: {node!r}")

    def _map(self, node: yaml.MappingNode, place: Place) -> Node:
        inside: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key_place = _place(self._path, key_node.start_mark, key_node.end_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self._found("bad-key", "a key is a word, not a list or a map", key_place)
                continue
            key = str(key_node.value)
            if key == "<<":
                self._found("merge-key", "merge keys (`<<`) are not read", key_place,
                            next_step="use a template and `extends`")  # fmt: skip
                continue
            if key in inside:
                self._found("duplicate-key", f"`{key}` stands here twice; first in line "
                            f"{keys[key].line}", key_place,
                            next_step="leave one of the two out")  # fmt: skip
                continue
            keys[key] = key_place
            inside[key] = self._value(key, key_place, value_node)
        return Node(inside, place, keys)

    def _value(self, key: str, key_place: Place, node: yaml.Node) -> Node:
        empty = isinstance(node, yaml.ScalarNode) and node.tag == _NULL and node.value == ""
        if empty:
            self._found("empty-value", f"`{key}` has no value", key_place,
                        next_step=f"give it one, or write `{key}: null` to remove it")  # fmt: skip
        self._key = key
        return self.build(node)

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Node:
        text = str(node.value)
        if node.tag == _INT:
            return Node(int(text), place)
        if node.tag == _BOOL:
            return Node(text == "true", place)
        if node.tag == _NULL:
            return Node(None, place)
        if node.tag != _TEXT:
            self._tagged(node, place)
        elif not node.style and "\n" in _slice(node) and " - " in text:
            self._found("swallowed-entry", "a text over several lines swallows the entries of a "
                        "list", place, next_step="begin each entry on a line of its own, "
                        "indented under the key")  # fmt: skip
        return Node(text, place)

    def _tagged(self, node: yaml.ScalarNode, place: Place) -> None:
        written = node.tag if node.tag.startswith("!") else f"!!{node.tag.rsplit(':', 1)[-1]}"
        whole = f"{written} {node.value}".strip()
        if self._key in SECRET_KEYS:
            self._found("inline-secret", f"`{self._key}` holds a secret itself", place,
                        next_step="write where it stands: {file: …}, {env: …}")  # fmt: skip
            return
        if node.tag.startswith("!") and not node.value:
            self._found("quote-it", "a bare `!` begins a YAML tag, not a pattern", place,
                        hint=f'write "{written}"')  # fmt: skip
            return
        self._found("bad-tag", f"`{whole[:60]}` has a YAML tag, which is not read", place,
                    hint="leave the tag out, or quote the text")  # fmt: skip

    def _found(
        self, code: str, text: str, place: Place, *, hint: str = "", next_step: str = ""
    ) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(
                Finding(code, Severity.ERROR, text, next_step=next_step, place=place, hint=hint)
            )
        elif len(self.findings) == MOST_FINDINGS:
            self.findings.append(and_more(place))


def and_more(place: Place) -> Finding:
    """Return the finding that stands for all after the first hundred of a file."""
    return Finding("and-more", Severity.ERROR, f"more than {MOST_FINDINGS} mistakes in this file",
                   "mend these; the others are shown then", place=place)  # fmt: skip


def _slice(node: yaml.ScalarNode) -> str:
    """Return line ends between a scalar's first and last line, "" where it is one line."""
    return "\n" * (node.end_mark.line - node.start_mark.line)


def _place(path: str, start: Any, end: Any = None) -> Place:
    same_line = end is not None and end.line == start.line
    width = max(1, end.column - start.column) if end is not None and same_line else 1
    return Place(path, start.line + 1, start.column + 1, width)


def _explain(error: yaml.YAMLError, text: str, path: str) -> Finding:
    """Say in our words what the parser stumbled over: mostly a character that wants quotes."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Finding("bad-character", Severity.ERROR, "it holds a character that YAML forbids",
                       "save it as UTF-8 without control characters",
                       place=_first_forbidden(text, path))  # fmt: skip
    lines = [line[:_LINE] for line in text.splitlines()] or [""]
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark is not None]
    for mark in marks:
        number = min(mark.line, len(lines) - 1)
        line = lines[number]
        if hidden(line) != line:
            return Finding("inline-secret", Severity.ERROR, "this line holds a secret itself",
                           "write where it stands: {file: …}, {env: …} or {command: […]}",
                           place=Place(path, number + 1, 1))  # fmt: skip
        for finding in _wants_quotes(line, number + 1, path):
            return finding
    place = _place(path, error.problem_mark)
    if place.line > len(lines):
        place = Place(path, len(lines), 1)
    if "\t" in lines[place.line - 1][: place.column]:
        return Finding("tab", Severity.ERROR, "a tab stands where YAML wants spaces",
                       "indent with spaces", place=place)  # fmt: skip
    problem = (error.problem or "not readable here").replace("\n", " ")
    return Finding("bad-yaml", Severity.ERROR, f"this is no YAML: {problem[:120]}",
                   "check brackets, quotes and indentation here and in the line before",
                   place=place)  # fmt: skip


_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _first_forbidden(text: str, path: str) -> Place:
    found = _FORBIDDEN.search(text)
    before = text[: found.start()] if found is not None else ""
    return Place(path, before.count("\n") + 1, len(before) - before.rfind("\n"))


_SENSITIVE = (
    r"(?:pass|pwd|secret|token|credential|otp|api[_-]?key|command)[\w-]{0,40}[\"']?[ \t]{0,20}:"
)
_SECRET_LINE = re.compile(rf"({_SENSITIVE}[ \t]{{0,20}})(\S.*)", re.IGNORECASE)
_SECRET_KEY = re.compile(rf"^( *(?:- )?)[\"']?[\w-]{{0,40}}?{_SENSITIVE}", re.IGNORECASE)
_REFERENCE = re.compile(r"\{\s*(?:file|env)\s*:\s*[^,{}]*\}\s*,?.*", re.DOTALL)
_IN_ADDRESS = re.compile(r"(://)[^/\s@]*@")


def hidden(line: str) -> str:
    """Return a line of a file for people, without a secret that somebody wrote into it."""
    return _IN_ADDRESS.sub(r"\1[not shown]@", _SECRET_LINE.sub(_blanked, line))


def _blanked(found: re.Match[str]) -> str:
    """Blank what stands after a key that means a secret; a reference to one is none."""
    shown = _REFERENCE.fullmatch(found[2]) is not None
    return found[0] if shown else f"{found[1]}[not shown]"


def hidden_text(text: str) -> str:
    """Return a file's text for people, line by line, without secrets written into it.

    What is indented deeper than a key that means a secret belongs to it, and is blanked too.
    """
    lines: list[str] = []
    below: int | None = None
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip(" "))
        if below is not None and line.strip() and indent <= below:
            below = None
        if below is not None and line.strip() and not _KNOWN_INSIDE.match(line):
            lines.append(f"{line[:indent]}[not shown]")
            continue
        found = _SECRET_KEY.match(line)
        if found is not None:
            below = len(found[1])
        lines.append(hidden(line))
    return "\n".join(lines)


_KNOWN_INSIDE = re.compile(r"\s*(?:file|env)\s*:\s*\S+\s*\Z")


_BANG = re.compile(r"(?:^|[\[,:]|-)\s+(!(?:[^\s,\]\"'}]*))|\[(!(?:[^\s,\]\"'}]*))")
_STAR = re.compile(r"(?:[\[,:-])\s*(\*(?:[^\s,\]\"'}]*))")
_HASH = re.compile(r"(?:\[|,)\s*(#(?:[^\s,\]\"']*))")
_COLON = re.compile(r"^\s*(?:- )?[\w-]+:\s+(?![\[{\"'|>])(.*\S:(?:\s.*|$))")


def _wants_quotes(line: str, number: int, path: str) -> Iterator[Finding]:
    for pattern, what in (
        (_BANG, "a bare `!` begins a YAML tag, not a pattern"),
        (_STAR, "a bare `*` begins a YAML alias, not a glob"),
        (_HASH, "a bare `#` begins a comment"),
        (_COLON, "a colon inside a text makes it a map"),
    ):
        found = pattern.search(line)
        if found is None:
            continue
        group = next(n for n in range(1, len(found.groups()) + 1) if found[n] is not None)
        word = found[group]
        place = Place(path, number, found.start(group) + 1, max(1, len(word)))
        yield Finding("quote-it", Severity.ERROR, what, place=place, hint=f'write "{word}"')
