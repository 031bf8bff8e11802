"""Reading `*.test.yaml`: every file, every mistake, then the cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from reconciler import duration
from reconciler.cases.model import Case, Creation, Expectation
from reconciler.cases.scene import Scene, not_taken, observe
from reconciler.errors import UserError
from reconciler.findings import Findings
from reconciler.inventory.model import SecretReference, Unit, UnitBrakes
from reconciler.model import Kind
from reconciler.policy.load import read_text
from reconciler.policy.select import owner
from reconciler.policy.values import Reader
from reconciler.validate import validate
from reconciler.yamltree import load
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.model import Finding, Instant, Snapshot
    from reconciler.policy.model import PolicySet
    from reconciler.yamltree import Node

SUFFIX = ".test.yaml"
_OF_SNAPSHOTS = frozenset({"kept", "deleted", "waiting", "locked", "unlocked"})
_NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Repository:
    """What cases are judged with: the policies, the inventory where it is at hand, its settings.

    Without an inventory a case's unit is what the case says, and a policy may leave out `nas`.
    """

    policies: PolicySet
    units: Sequence[Unit] | None = None
    installation: str = ""
    brakes: UnitBrakes = field(default_factory=UnitBrakes)

    @property
    def only_unit(self) -> bool:
        """Whether a policy that names no `nas` selects a case's unit."""
        return self.units is None or len(self.units) == 1


def case_files(path: Path) -> tuple[Path, ...]:
    """Return the test files below a folder, sorted, hidden ones left out; or the one file.

    Raises UserError where there is no such path, or it is no test file.
    """
    if path.is_file():
        if not path.name.endswith(SUFFIX):
            raise UserError(
                f"{path} is no file of test cases", next_step=f"name one that ends in {SUFFIX}"
            )
        return (path,)
    if not path.is_dir():
        raise UserError(f"{path} is no folder and no file", next_step="name one that exists")
    found = (one for one in path.rglob(f"*{SUFFIX}") if one.is_file())
    return tuple(
        sorted(one for one in found if not any(p[:1] == "." for p in one.relative_to(path).parts))
    )


def read_cases(
    files: Sequence[Path], repository: Repository, *, policies_read: bool = True
) -> tuple[tuple[Case, ...], tuple[Finding, ...]]:
    """Return the cases of files, and what is wrong with the files, by file and line.

    Where the policies could not be read, `expect: {policy: …}` is not held against them.
    """
    findings = Findings()
    cases: list[Case] = []
    for file in files:
        document = load(read_text(file), str(file))
        findings.add(*document.findings)
        if document.root is None:
            continue
        broken = validate(document.root, "test")
        findings.add(*broken)
        if not broken and not document.findings:
            cases.extend(_cases(document.root, repository, findings, policies_read=policies_read))
    return tuple(cases), findings.all


def _cases(
    root: Node, repository: Repository, findings: Findings, *, policies_read: bool
) -> Iterator[Case]:
    first: dict[str, Node] = {}
    for node in root.value["cases"].value:
        name = str(node.value["name"].value)
        if name in first:
            findings.error(
                "duplicate-name", f"case `{name}` exists twice; also in line "
                f"{first[name].place.line}", node.value["name"].place,
                next_step="rename one of the two",
            )  # fmt: skip
        first.setdefault(name, node.value["name"])
        shared = {k: v for k, v in root.value.items() if k in ("nas", "timezone", "tags")}
        found = _Reading(
            {**shared, **node.value}, node, repository, findings, policies_read=policies_read
        ).case()
        if found is not None:
            yield found


@dataclass(frozen=True, slots=True)
class _Reading:
    """One case on its way from YAML to values; `values` are the file's under the case's own."""

    values: Mapping[str, Node]
    node: Node
    repository: Repository
    findings: Findings
    policies_read: bool = True

    def case(self) -> Case | None:
        """Return the case; None where it cannot be read, with the findings that say why."""
        kinds = [kind for kind in Kind if kind.value in self.values]
        name = self.values["name"]
        if len(kinds) != 1:
            self.findings.error(
                "no-target", "a case is about one target: `share` or `lun`", name.place,
                next_step="write `share: NAME` or `lun: NAME`, one of the two",
            )  # fmt: skip
            return None
        kind, unit = kinds[0], self._unit()
        target = str(self.values[kind.value].value)
        owned = owner(
            self.repository.policies, unit, kind, target, f"uuid-of-{target}",
            only_unit=self.repository.only_unit,
        ).policy  # fmt: skip
        timezone = Reader(dict(self.values), self.findings).zone()
        at = zone(timezone or (owned.timezone if owned else "") or unit.timezone or "UTC")
        scene = Scene(
            kind, target, 0, at, owned.name if owned else "", self.repository.installation,
            self.findings,
        )  # fmt: skip
        now = scene.moment(self.values["now"])
        if now is None:
            return None
        scene = scene.at(now)
        observed, taken = observe(self.values, scene, unit.name)
        expectations = tuple(self._expectations(scene, taken))
        return Case(str(name.value), name.place, unit, observed, at, expectations)

    def _unit(self) -> Unit:
        """Return the inventory's unit of that name, else one of what the case says."""
        node = self.values.get("nas")
        name = str(node.value) if node is not None else "nas"
        for unit in self.repository.units or ():
            if unit.name.casefold() == name.casefold():
                return unit
        tags = self.values["tags"].value if "tags" in self.values else {}
        place = self.node.place
        return Unit(
            name, "", "", SecretReference(place), place,
            tags={key: str(value.value) for key, value in tags.items()},
        )  # fmt: skip

    def _expectations(
        self, scene: Scene, taken: Mapping[Instant, Snapshot]
    ) -> Iterator[Expectation]:
        expect = self.values["expect"]
        for key, node in expect.value.items():
            place = expect.keys[key]
            if key in _OF_SNAPSHOTS:
                yield Expectation(key, place, self._snapshots(node, scene, taken))
            elif key == "created":
                yield Expectation(key, place, self._creation(node, scene))
            elif key == "findings":
                codes = tuple(sorted(str(code.value) for code in node.value))
                yield Expectation(key, place, codes)
            else:
                if key == "policy":
                    self._known(node)
                yield Expectation(key, place, node.value)

    def _snapshots(
        self, node: Node, scene: Scene, taken: Mapping[Instant, Snapshot]
    ) -> int | frozenset[Instant]:
        if isinstance(node.value, int):
            return node.value
        found: set[Instant] = set()
        for entry in node.value:
            for time in scene.times(entry):
                if time not in taken:
                    not_taken(entry, time, taken, scene)
                found.add(time)
        return frozenset(found)

    def _creation(self, node: Node, scene: Scene) -> Creation:
        if isinstance(node.value, bool):
            return Creation(node.value)
        if not isinstance(node.value, dict):
            return Creation(made=True, due=scene.moment(node))
        inside = node.value
        return Creation(
            made=True,
            due=scene.moment(inside["due"]) if "due" in inside else None,
            immutable=self._days(inside["immutable"]) if "immutable" in inside else None,
            locked=bool(inside["locked"].value) if "locked" in inside else None,
        )

    def _days(self, node: Node) -> int:
        if node.value is False:
            return 0
        length = Reader({}, self.findings).attempt("bad-duration", node, duration.parse)
        return (length or 0) // duration.DAY

    def _known(self, node: Node) -> None:
        """Say where `policy` expects one that the repository does not have."""
        names = [policy.name for policy in self.repository.policies.policies]
        if not self.policies_read or node.value in (*names, _NOBODY):
            return
        near = get_close_matches(str(node.value), names, n=1)
        self.findings.error(
            "unknown-policy", f"there is no policy `{node.value}`", node.place,
            hint=f"did you mean `{near[0]}`?" if near else "`none` expects that no policy owns it",
        )  # fmt: skip
