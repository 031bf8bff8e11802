"""The README shows what the demo really does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import main
from reconciler.cli.demo import policy_text

if TYPE_CHECKING:
    import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```(yaml|text)\n(.*?)\n```", README, re.DOTALL))


def test_the_policy_of_the_readme_is_the_demos() -> None:
    """The policy that the README shows is the one the demo runs, to the letter."""
    assert BLOCKS["yaml"] == policy_text().rstrip("\n")


def test_the_plan_of_the_readme_is_what_the_demo_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """The plan that the README shows is the demo's first screen, to the letter."""
    assert main(["demo"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(BLOCKS["text"] + "\n\n$ reconcile --yes\n")


def test_the_demo_ends_with_nothing_left_but_what_waits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After the demo's pass a second one plans nothing but what waits; the next step follows."""
    assert main(["demo"]) == 0
    printed = capsys.readouterr().out
    last = printed.rsplit("$ reconcile --dry-run\n", 1)[1]
    assert not re.search(r"^ +[+~>-] ", last, re.MULTILINE)
    assert "24 deletions wait" in last
    assert last.rstrip().endswith("reconcile init https://NAS:5001")
