"""Test cases of a policy repository: what they say of a scene, and how mistakes are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler import snapshot_name
from reconciler.cases.load import Repository, read_cases
from reconciler.cli import main
from reconciler.policy.load import load_policies

_SHIPPED = Path(__file__).parents[3] / "policies"
_POLICY = """version: 1
policies:
  - name: erp
    shares: [docs]
    luns: [vm]
    every: 6h
    keep: {last: 2}
    timezone: Europe/Zurich
"""
_CASE = """version: 1
cases:
  - name: one
    share: docs
    now: 2026-11-23T12:00:05
    snapshots:
      - {every: 6h, from: 2026-11-23T00:00, to: 2026-11-23T06:00}
    expect:
      {key}
"""


def _write(folder: Path, case: str) -> None:
    (folder / "a.yaml").write_text(_POLICY, encoding="utf-8")
    (folder / "a.test.yaml").write_text(case, encoding="utf-8")


def _run(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = main(["test", str(folder), *options])
    return code, capsys.readouterr().out


def test_the_shipped_policies_pass_their_cases(capsys: pytest.CaptureFixture[str]) -> None:
    """Every shipped policy has a case that it owns the target of, and all are as expected."""
    code, out = _run(_SHIPPED, capsys, "-o", "json")
    found: list[dict[str, Any]] = json.loads(out)
    assert code == 0
    assert all(one["passed"] for one in found)
    named = {policy.name for policy in load_policies(_SHIPPED, units=None).policies}
    assert {one["policy"] for one in found} - {None} == named


EXPECTED = {
    "policy: erp": "",
    "policy: none": "policy erp ({folder}/a.yaml:4) owns it, not none",
    "state: compliant": "",
    "state: late": "the state is compliant, not late",
    "created: true": "",
    "created: false": "one is taken, due 2026-11-23T12:00",
    "created: 2026-11-23T12:00": "",
    "created: 2026-11-23T06:00": "the one taken is due 2026-11-23T12:00, not 2026-11-23T06:00",
    "created: {immutable: 7d}": "it is made immutable for 0 days, not 7 days",
    "created: {locked: true}": "it is not locked",
    "kept: 1": "",
    "kept: 3": "1 kept, not 3",
    "deleted: [2026-11-23T00:00]": "",
    "deleted: []": "1 deleted that should not be",
    "deleted: [2026-11-23T06:00]": "1 not deleted that should be; 1 deleted that should not be",
    "waiting: 1": "0 waiting, not 1",
    "synced: false": "",
    "synced: true": "no sync is run",
    "findings: []": "",
    "findings: [late]": "expected and not found: late",
}


@pytest.mark.parametrize("key", EXPECTED)
def test_a_difference_is_told_and_nothing_else(
    key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is expected is held against the plan; a difference says what the plan does instead."""
    _write(tmp_path, _CASE.replace("{key}", key))
    code, out = _run(tmp_path, capsys, "-o", "json")
    told = [one["text"] for one in json.loads(out)[0]["differences"]]
    expected = EXPECTED[key].replace("{folder}", str(tmp_path))
    assert told == ([f"one: {expected}"] if expected else [])
    assert code == (6 if expected else 0)


def test_a_difference_names_the_snapshots_with_their_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure shows file, line and column, and each snapshot with its fate and why."""
    _write(tmp_path, _CASE.replace("{key}", "deleted: []"))
    code, out = _run(tmp_path, capsys)
    assert code == 6
    assert out.splitlines() == [
        f"{tmp_path}/a.test.yaml:9:7: error[deleted]: one: 1 deleted that should not be",
        "      8 |     expect:",
        "      9 |       deleted: []",
        "        |       ^^^^^^^",
        "     Mon 23 Nov 2026 00:00  deleted  beyond last 2",
        "",
        "1 of 1 case in 1 file not as expected. Nothing was contacted.",
    ]


def test_a_difference_is_an_annotation_for_a_pull_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With -o github each difference is one workflow command at its line, its snapshots inside."""
    _write(tmp_path, _CASE.replace("{key}", "deleted: []"))
    _, out = _run(tmp_path, capsys, "-o", "github")
    assert out == (
        f"::error title=deleted,file={tmp_path}/a.test.yaml,line=9,col=7,endColumn=14::"
        "one: 1 deleted that should not be%0AMon 23 Nov 2026 00:00: deleted (beyond last 2)\n"
    )


ATTRIBUTES = {
    "locked: theirs": "stays",
    "unmarked: true": "stays",
    "scheduled: true": "stays",
    "immutable: 3d": "stays",
    "immutable_until: 2026-11-24": "stays",
    "immutable: 12h": "goes",
    "locked: ours": "goes",
}


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_attributes_protect_as_they_do_on_a_nas(
    attribute: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A later entry replaces the one of its time, and what it says of it counts in planning."""
    case = _CASE.replace(
        "    expect:", f"      - {{taken: 2026-11-23T00:00, {attribute}}}\n    expect:"
    )
    goes = "[2026-11-23T00:00]" if ATTRIBUTES[attribute] == "goes" else "[]"
    _write(tmp_path, case.replace("{key}", f"deleted: {goes}"))
    code, out = _run(tmp_path, capsys, "-v")
    assert code == 0, out


MISTAKES = {
    "    nwo: 2026-11-23": ("unknown-key", "did you mean `now`?"),
    "    now: 2026-13-01": ("bad-moment", ""),
    "    expect: {delted: 0}": ("unknown-key", "did you mean `deleted`?"),
    "    expect: {state: compliannt}": ("bad-value", "did you mean `compliant`?"),
    "    expect: {policy: erpp}": ("unknown-policy", "did you mean `erp`?"),
    "    expect: {kept: [2026-11-23T06:01]}": (
        "no-such-snapshot", "the nearest is 2026-11-23T06:00"),
    "    snapshots: [{every: 7h, from: 2026-11-01}]": ("bad-cadence", ""),
    "    snapshots: [{every: 6h}]": ("missing-key", ""),
    "    snapshots: [{locked: ours}]": ("no-time", ""),
    "    snapshots: [{taken: 2026-11-01, every: 6h}]": ("two-times", ""),
    "    snapshots: [{every: 5m, from: 2020-01-01}]": ("too-many", ""),
    "    snapshots: [{every: 6h, from: 2026-11-24}]": ("empty-span", ""),
    "    lun: vm": ("no-target", ""),
    "    replication: {to: dr-1, synced: 2026-11-01}": (
        "no-such-snapshot", "the nearest is 2026-11-23T06:00"),
}  # fmt: skip


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_told_at_its_place(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake in a test file is an error at its line (exit 4), and no case is judged."""
    key = line.split(":", maxsplit=1)[0].strip()
    lines = [
        "    share: docs", "    now: 2026-11-23T12:00",
        "    snapshots: [2026-11-23T06:00]", "    expect: {state: compliant}",
    ]  # fmt: skip
    lines = [one for one in lines if not one.strip().startswith(f"{key}:")]
    text = "\n".join(["version: 1", "cases:", "  - name: one", *lines, line, ""])
    _write(tmp_path, text)
    code, out = _run(tmp_path, capsys, "-o", "json")
    found = {(one["code"], one["hint"] or "") for one in json.loads(out)}
    assert code == 4
    assert MISTAKES[line] in found
    last = text.count("\n")
    assert any(one["place"]["line"] == last or key == "lun" for one in json.loads(out))


def test_all_files_are_read_and_all_mistakes_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mistakes of policies and of every test file are told by one run."""
    _write(tmp_path, "version: 1\ncases: []\n")
    (tmp_path / "b.test.yaml").write_text("version: 2\n", "utf-8")
    (tmp_path / "b.yaml").write_text("version: 1\npolicy: []\n", "utf-8")
    code, out = _run(tmp_path, capsys, "-o", "json")
    assert code == 4
    assert {Path(one["place"]["path"]).name for one in json.loads(out)} == {
        "a.test.yaml", "a.yaml", "b.test.yaml", "b.yaml",
    }  # fmt: skip


def test_without_a_test_file_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A repository without cases is an error, never a silent success."""
    (tmp_path / "a.yaml").write_text(_POLICY, encoding="utf-8")
    assert main(["test", str(tmp_path)]) == 4
    assert "no test cases" in capsys.readouterr().err


@pytest.mark.parametrize("zone", ["Europe/Zurich", "Asia/Kathmandu", "America/New_York", "UTC"])
def test_snapshots_are_named_as_dsm_names_them(zone: str, tmp_path: Path) -> None:
    """A share's snapshot has a name that reads back as its time, in every zone."""
    text = _CASE.replace("{key}", "kept: 1").replace("cases:", f"timezone: {zone}\ncases:")
    _write(tmp_path, text)
    policies = load_policies(tmp_path, units=None)
    cases, found = read_cases((tmp_path / "a.test.yaml",), Repository(policies))
    assert found == ()
    for one in cases[0].observed.targets[0].snapshots or ():
        named = snapshot_name.parse(one.name)
        assert named is not None
        assert named.time == one.time
