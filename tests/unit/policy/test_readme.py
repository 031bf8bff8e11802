"""policies/README.md: what it shows can be copied."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest

from reconciler.cli import main
from reconciler.cli.root import _VERBS
from reconciler.errors import InvalidDocuments
from reconciler.inventory.load import load_configuration
from reconciler.model import Severity
from reconciler.policy.load import load_policies

_README = Path(__file__).parents[3] / "policies" / "README.md"
_BLOCKS = re.findall(
    r"^```yaml\n(.*?)^```", _README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
_DESIGNED = (
    "init", "import", "approve", "status", "doctor", "test", "daemon", "pause", "resume", "hold",
    "unhold", "release", "report", "audit", "login", "apply", "show", "snapshot", "forecast",
)  # fmt: skip
_ABSENT = tuple(verb for verb in _DESIGNED if verb not in _VERBS)


def _whole(block: str) -> str:
    """Complete a piece of a file to a file."""
    if block.startswith("- "):
        return "version: 1\npolicies:\n" + indent(block, "  ")
    if "version: 1" in block:
        return block
    lines = "version: 1\npolicies:\n  - name: piece\n" + indent(block, "    ")
    lines += "" if "nas:" in block else "    nas: hq-1\n"
    return lines + (
        "" if re.search("^(shares|luns):", block, re.MULTILINE) else "    shares: [documents]\n"
    )


_CONFIGURATIONS = [block for block in _BLOCKS if "nas_defaults:" in block]
_CASES = [block for block in _BLOCKS if "cases:" in block]
_POLICIES = [block for block in _BLOCKS if block not in (*_CONFIGURATIONS, *_CASES)]


@pytest.mark.parametrize("block", _POLICIES)
def test_policy_blocks_load(block: str, tmp_path: Path) -> None:
    """Each policy shown in the README loads without an error or a warning."""
    name = "_defaults.yaml" if "policies:" not in _whole(block) else "shown.yaml"
    (tmp_path / name).write_text(_whole(block), encoding="utf-8")
    if name == "_defaults.yaml":
        other = "version: 1\npolicies:\n  - {name: a, nas: a, shares: [a]}\n"
        (tmp_path / "a.yaml").write_text(other, encoding="utf-8")
    try:
        findings = load_policies(tmp_path, units=None).findings
    except InvalidDocuments as error:
        findings = error.findings
    assert [f"{f.place}: {f.text}" for f in findings if f.severity is not Severity.NOTE] == []


@pytest.mark.parametrize("block", _CONFIGURATIONS)
def test_configuration_blocks_load(block: str, tmp_path: Path) -> None:
    """The configuration shown in the README loads, with a secret under the unit's name."""
    path = tmp_path / "reconciler.yaml"
    path.write_text(block, encoding="utf-8")
    configuration = load_configuration(path)
    assert configuration.findings == ()
    assert configuration.units[0].password.file == tmp_path / "secrets" / "attic.password"


@pytest.mark.parametrize("block", _CASES)
def test_case_blocks_pass(block: str, tmp_path: Path) -> None:
    """The test cases shown in the README hold for the policy on its first page."""
    (tmp_path / "first.yaml").write_text(_BLOCKS[0], encoding="utf-8")
    (tmp_path / "first.test.yaml").write_text(block, encoding="utf-8")
    assert main(["test", str(tmp_path)]) == 0


def test_the_first_page_names_the_eight_keys() -> None:
    """The first block of the README uses each of the eight keys that most policies need."""
    for key in ("nas", "shares", "luns", "every", "keep", "immutable", "replicate", "rpo"):
        assert re.search(rf"^    (# )?{key}:", _BLOCKS[0], re.MULTILINE), key


def test_no_command_that_does_not_exist() -> None:
    """The README names no command that the reconciler does not have."""
    text = _README.read_text(encoding="utf-8")
    named = re.findall(r"`reconcile ([a-z]+)\b", text)
    assert sorted(set(named).intersection(_ABSENT)) == []
