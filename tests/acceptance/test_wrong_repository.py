"""A repository with more than forty mistakes: each at its place, with its cure, in one run."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import main

if TYPE_CHECKING:
    import pytest

_WRONG = Path(__file__).parent / "wrong"
_GOLDEN = Path(__file__).parent / "wrong.golden"
_COUNTED_FROM_NOW = re.compile(r", [A-Z][a-z]{2} \d+ [A-Z][a-z]{2} \d{4} \d\d:\d\d;")
_CURE_IN_THE_FACT = re.compile(r"; (write|did you mean|for .* write|the nearest)")


def _lint(
    form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    monkeypatch.chdir(_WRONG)
    monkeypatch.setenv("NO_COLOR", "1")
    code = main(["lint", "-o", form])
    return code, capsys.readouterr().out


def test_one_run_shows_every_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every mistake of every file is shown with its line and cure by one run, as in the golden."""
    code, out = _lint("text", monkeypatch, capsys)
    out = _COUNTED_FROM_NOW.sub(", DAY;", out)
    if os.environ.get("UPDATE_GOLDEN"):
        _GOLDEN.write_text(out, encoding="utf-8")
    assert code == 4
    assert out == _GOLDEN.read_text(encoding="utf-8")


def test_each_mistake_has_a_place_and_a_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each finding has file, line and column of a line that exists, and says what to write."""
    _, out = _lint("json", monkeypatch, capsys)
    findings = json.loads(out)
    assert len(findings) > 40
    for finding in findings:
        place = finding["place"]
        lines = (_WRONG / place["path"]).read_text(encoding="utf-8").splitlines()
        assert 0 < place["line"] <= len(lines), finding
        assert 0 < place["column"] <= len(lines[place["line"] - 1]) + 1, finding
        cure = finding["hint"] or finding["next_step"] or _CURE_IN_THE_FACT.search(finding["text"])
        assert cure, finding


def test_a_mistake_is_not_repeated_where_a_template_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A template in a file with a mistake is known by name: only the mistake itself is told."""
    (tmp_path / "a.yaml").write_text("version: 1\ntemplates:\n  tier: {evry: 1h}\n", "utf-8")
    (tmp_path / "b.yaml").write_text(
        "version: 1\npolicies:\n  - {name: b, nas: x, shares: [b], extends: tier}\n", "utf-8"
    )
    assert main(["lint", str(tmp_path), "-o", "json"]) == 4
    assert [f["code"] for f in json.loads(capsys.readouterr().out)] == ["unknown-key"]
