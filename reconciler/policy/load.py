"""Loading a policy repository: every file, every finding, then the merged set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import InvalidDocuments, UserError
from reconciler.findings import Findings
from reconciler.inventory.model import UnitBrakes
from reconciler.layers import merge
from reconciler.model import Place, Severity
from reconciler.policy import build, digest, lint
from reconciler.policy.model import PolicySet
from reconciler.policy.values import Reader
from reconciler.validate import validate
from reconciler.yamltree import Document, Node, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.inventory.model import Unit
    from reconciler.model import Instant
    from reconciler.policy.model import Hold, Policy

_DEFAULTS = "_defaults.yaml"
_NOT_SHARED = ("name", "extends", "formerly")
_EMPTY = Node({}, Place(""))


@dataclass(frozen=True, slots=True)
class _File:
    """One readable file; `folder` is relative to the repository.

    Of a `broken` one nothing is built, but its templates are known by name: one mistake in it is
    not also said at every line that extends them.
    """

    path: str
    folder: Path
    root: Node
    broken: bool = False

    @property
    def is_defaults(self) -> bool:
        """Whether it holds the defaults of its folder."""
        return Path(self.path).name == _DEFAULTS

    def section(self, key: str) -> Node:
        """Return a section, an empty one where it is absent or of another type."""
        found: Node = self.root.value.get(key, _EMPTY)
        return found


def load_policies(
    root: Path,
    *,
    units: Sequence[Unit] | None,
    brakes: UnitBrakes | None = None,
    now: Instant | None = None,
) -> PolicySet:
    """Load a folder of policies (or one file) as one document set.

    `units` is the inventory where it is at hand; lint counts its dates from `now`. Raises
    InvalidDocuments with every error of every file; warnings and notes come with the result.
    """
    findings = Findings()
    texts = read_texts(root)
    documents = [load(text, path) for path, text in texts.items()]
    files = list(_readable(documents, root, findings))
    loaded = _build(files, findings)
    if not loaded.policies and not findings.errors:
        findings.error(
            "no-policy", f"{root} holds no policy", Place(str(root)),
            next_step="write one: policies/README.md shows how",
        )  # fmt: skip
    lint.check(loaded, units=units, brakes=brakes or UnitBrakes(), findings=findings, now=now)
    if findings.errors:
        raise InvalidDocuments(findings.loud)
    return PolicySet(
        loaded.policies,
        loaded.holds,
        findings.all,
        revision=digest.of_files(texts),
        digest=digest.of_policies(loaded.policies, loaded.holds),
    )


def read_texts(root: Path) -> dict[str, str]:
    """Read every policy file below a folder, sorted by path; raises UserError where it is none.

    Hidden files and folders and `*.test.yaml` are skipped. Bytes that are no UTF-8 come back as
    replacement characters, which the YAML reader then refuses by place.
    """
    if root.is_file():
        return {str(root): read_text(root)}
    if not root.is_dir():
        raise UserError(
            f"{root} is no folder of policies",
            next_step="check `policies` in reconciler.yaml",
        )
    return {str(path): read_text(path) for path in sorted(_paths(root))}


def _paths(root: Path) -> Iterator[Path]:
    for path in root.rglob("*.yaml"):
        inside = path.relative_to(root).parts
        hidden = any(part.startswith(".") for part in inside)
        if path.is_file() and not hidden and not path.name.endswith(".test.yaml"):
            yield path


def read_text(path: Path) -> str:
    """Read a file; bytes that are no UTF-8 come back as characters that the YAML reader refuses."""
    try:
        return path.read_bytes().decode("utf-8-sig", "replace").replace("\ufffd", "\x00")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error


def _readable(documents: Sequence[Document], root: Path, findings: Findings) -> Iterator[_File]:
    for document in documents:
        findings.add(*document.findings)
        if document.root is None:
            continue
        if not isinstance(document.root.value, dict):
            findings.error("wrong-type", "a policy file is a map", document.root.place,
                           next_step="begin with `version: 1`")  # fmt: skip
            continue
        broken = validate(document.root, "policy")
        findings.add(*broken)
        folder = Path(document.path).relative_to(root).parent if root.is_dir() else Path()
        wrong = bool(broken) or _has_errors(document)
        file = _File(document.path, folder, document.root, broken=wrong)
        _check_defaults(file, findings)
        yield file


def _has_errors(document: Document) -> bool:
    return any(finding.severity is Severity.ERROR for finding in document.findings)


def _check_defaults(file: _File, findings: Findings) -> None:
    keys = file.root.keys
    others = [key for key in ("templates", "policies", "holds") if key in keys]
    if file.is_defaults and others:
        findings.error(
            "only-defaults", f"{_DEFAULTS} holds defaults and nothing else", keys[others[0]],
            next_step="move this into another file",
        )  # fmt: skip
    if "defaults" in keys and "policies" not in keys and not file.is_defaults:
        findings.error(
            "defaults-without-policies", "`defaults` in a file without policies do nothing",
            keys["defaults"], next_step=f"move them beside their policies, or into {_DEFAULTS}",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was built, before the checks across policies."""

    policies: tuple[Policy, ...]
    holds: tuple[Hold, ...]
    unused: tuple[tuple[str, Place], ...] = ()


def _build(everything: Sequence[_File], findings: Findings) -> Loaded:
    files = [file for file in everything if not file.broken]
    templates = _templates(files, findings)
    broken = _names_of_broken(everything)
    of_folders = {file.folder: file.section("defaults") for file in files if file.is_defaults}
    used: set[str] = set()
    policies: list[Policy] = []
    holds: list[Hold] = []
    for file in files:
        below = _defaults_of(file, of_folders)
        for node in file.section("policies").value or ():
            names = _extends(node)
            used.update(name.value for name in names)
            if any(name.value in broken for name in names):
                continue
            layers = [*below, *_layers(names, templates, findings), node]
            values, places = merge(layers)
            name = node.value["name"]
            built = build.policy(
                str(name.value), name.place, values=values, places=places, findings=findings
            )
            policies.append(built)
        zone = Reader(merge(below)[0], findings).zone() if file.section("holds").value else ""
        for node in file.section("holds").value or ():
            values = {k: v for k, v in node.value.items() if v.value is not None}
            place = node.value["name"].place
            holds.append(build.hold(values, place, timezone=zone, findings=findings))
    unused = tuple((n, t.place) for n, t in templates.items() if n not in used)
    return Loaded(tuple(policies), tuple(holds), unused)


def _templates(files: Sequence[_File], findings: Findings) -> Mapping[str, Node]:
    found: dict[str, Node] = {}
    for file in files:
        section = file.section("templates")
        for name, node in (section.value or {}).items():
            if name in found:
                findings.error(
                    "duplicate-name", f"template {name} exists twice; also at {found[name].place}",
                    section.keys[name], next_step="rename one of the two",
                )  # fmt: skip
                continue
            found[name] = Node(node.value, section.keys[name], node.keys)
    return found


def _names_of_broken(files: Sequence[_File]) -> frozenset[str]:
    """Return the names of the templates in files that have mistakes."""
    sections = [file.section("templates").value for file in files if file.broken]
    return frozenset(name for one in sections if isinstance(one, dict) for name in one)


def _defaults_of(file: _File, of_folders: Mapping[Path, Node]) -> list[Node]:
    """Return the defaults under a file's policies: of the folders above, outermost first."""
    above = [file.folder, *file.folder.parents]
    found = [of_folders[folder] for folder in reversed(above) if folder in of_folders]
    own = [] if file.is_defaults else [file.section("defaults")]
    return [node for node in (*found, *own) if node.value]


def _extends(policy: Node) -> list[Node]:
    node = policy.value.get("extends")
    if node is None or node.value is None:
        return []
    return list(node.value) if isinstance(node.value, list) else [node]


def _layers(
    names: Sequence[Node], templates: Mapping[str, Node], findings: Findings
) -> Iterator[Node]:
    for name in names:
        if name.value in templates:
            yield templates[name.value]
            continue
        from difflib import get_close_matches

        near = get_close_matches(str(name.value), list(templates), n=1)
        some = ", ".join(sorted(templates)[:5])
        hint = f"did you mean `{near[0]}`?" if near else f"there are {some or 'none'}"
        findings.error("unknown-template", f"there is no template `{name.value}`", name.place,
                       hint=hint)  # fmt: skip
