"""Selectors: entries that do nothing are told, each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.inventory.model import SecretReference, Unit
from reconciler.model import Place
from reconciler.policy.load import load_policies

if TYPE_CHECKING:
    from pathlib import Path

_UNIT = Unit("hq-1", "https://hq-1", "svc", SecretReference(Place("")), Place(""),
             tags={"site": "zurich"}, timezone="UTC")  # fmt: skip

UNDONE = {
    '[a-*, "!a-tmp", "*"]': ["`!a-tmp` is undone by `*` after it"],
    '["*", "!a-tmp", "a-*"]': ["`!a-tmp` is undone by `a-*` after it"],
    '["*", "!a-tmp"]': [],
    '["*", "!a-*", a-tmp]': [],
}


@pytest.mark.parametrize("entries", UNDONE)
def test_a_negative_entry_that_a_later_one_undoes_is_a_warning(
    entries: str, tmp_path: Path
) -> None:
    """A `!` that a later glob takes back does nothing, and says by which entry."""
    text = f"version: 1\npolicies:\n  - {{name: a, nas: hq-1, shares: {entries}}}\n"
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    found = load_policies(tmp_path, units=(_UNIT,)).findings
    assert [f.text for f in found if f.code == "undone"] == UNDONE[entries]


@pytest.mark.parametrize(("nas", "told"), [
    ("hq1", ["`hq1` fits no unit of the inventory"]),
    ("site=bern", ["`site=bern` fits no unit of the inventory"]),
    ("[site=zurich, HQ-*]", []),
])  # fmt: skip
def test_an_entry_of_nas_that_fits_no_unit_is_told_offline(
    nas: str, told: list[str], tmp_path: Path
) -> None:
    """With the inventory at hand a mistyped unit is a warning before anything is contacted."""
    text = f"version: 1\npolicies:\n  - {{name: a, nas: {nas}, shares: [a]}}\n"
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    found = load_policies(tmp_path, units=(_UNIT,)).findings
    assert [f.text for f in found if f.code == "matches-nothing"] == told
