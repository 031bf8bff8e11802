"""The inventory: defaults, folders of units, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.errors import InvalidDocuments, UsageError
from reconciler.inventory.load import load_configuration
from reconciler.inventory.select import select_units

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = "version: 1\n"
_DEFAULTS = 'nas_defaults: {account: svc, password: {file: "secrets/{name}"}, timezone: UTC}\n'


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "reconciler.yaml"


def _refused(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDocuments) as raised:
        load_configuration(path)
    return [(f.code, str(f.place).removeprefix(f"{path.parent}/")) for f in raised.value.findings]


def test_a_folder_of_units_with_defaults_of_its_own(tmp_path: Path) -> None:
    """The nearest `_defaults.yaml` wins over those above it and over `nas_defaults`."""
    path = _write(tmp_path, {
        "reconciler.yaml": _HEAD + _DEFAULTS + "nas: inventory/\n",
        "inventory/_defaults.yaml": "timezone: Europe/Zurich\ntags: {customer: acme}\n",
        "inventory/a.yaml": "a: {url: 'https://a.example:5001'}\n",
        "inventory/lab/_defaults.yaml": "tags: {site: lab}\n",
        "inventory/lab/b.yaml": "b: {url: 'https://{name}.example:5001', timezone: Asia/Tokyo}\n",
        "inventory/.hidden/c.yaml": "no: [yaml\n",
    })  # fmt: skip
    units = {unit.name: unit for unit in load_configuration(path).units}
    assert sorted(units) == ["a", "b"]
    assert (units["a"].timezone, units["b"].timezone) == ("Europe/Zurich", "Asia/Tokyo")
    assert units["a"].tags == {"customer": "acme"}
    assert units["b"].tags == {"customer": "acme", "site": "lab"}
    assert units["b"].url == "https://b.example:5001"
    assert units["b"].password.file == tmp_path / "secrets" / "b"


def test_every_file_of_the_inventory_is_judged(tmp_path: Path) -> None:
    """A mistake in one file of the inventory hides none in another."""
    path = _write(tmp_path, {
        "reconciler.yaml": _HEAD + _DEFAULTS + "nas: inventory/\n",
        "inventory/_defaults.yaml": "tgas: {a: b}\n",
        "inventory/a.yaml": "a: {url: 'https://a.example:5001', acount: x}\n",
        "inventory/b.yaml": "b: [1, 2\n",
        "inventory/c.yaml": "c: {timezone: UTC}\n",
    })  # fmt: skip
    assert _refused(path) == [
        ("unknown-key", "inventory/_defaults.yaml:1"),
        ("unknown-key", "inventory/a.yaml:1"),
        ("bad-yaml", "inventory/b.yaml:1"),
        ("missing-key", "inventory/c.yaml:1"),
    ]


def test_an_inventory_without_units_is_refused(tmp_path: Path) -> None:
    """A folder with nothing but defaults names no unit, and says so at `nas`."""
    path = _write(tmp_path, {
        "reconciler.yaml": _HEAD + "nas: inventory/\n",
        "inventory/_defaults.yaml": "account: svc\n",
    })  # fmt: skip
    assert _refused(path) == [("no-inventory", "reconciler.yaml:2")]


def test_units_by_tag_and_by_name(tmp_path: Path) -> None:
    """`key=value` takes the units of a tag, in the inventory's order; a typing error is refused."""
    path = _write(tmp_path, {
        "reconciler.yaml": _HEAD + _DEFAULTS + "nas:\n"
        "  b: {url: 'https://b.example', tags: {site: zurich}}\n"
        "  a: {url: 'https://a.example', tags: {site: bern}}\n"
        "  c: {url: 'https://c.example', tags: {site: zurich}}\n",
    })  # fmt: skip
    units = load_configuration(path).units
    assert [u.name for u in select_units(units, ["site=zurich"])] == ["b", "c"]
    assert [u.name for u in select_units(units, ["A", "site=zur*"])] == ["b", "a", "c"]
    for wrong in ("site=basel", "sites=zurich", "d"):
        with pytest.raises(UsageError, match="fits no unit"):
            select_units(units, [wrong])
