"""The published schemas: every key explained, defaults true, the key reference up to date."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.duration import render
from reconciler.inventory.model import Daemon, UnitBrakes
from reconciler.model import Place
from reconciler.policy.model import Policy, TargetBrakes
from reconciler.report.keys import render_keys
from reconciler.schemafile import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

_README = Path(__file__).parents[2] / "policies" / "README.md"


def _keys(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property of a schema with its path, wherever it stands."""
    if isinstance(node, list):
        for number, one in enumerate(node):
            yield from _keys(one, f"{path}<{number}>")
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "properties":
            for name, inside in value.items():
                yield f"{path}.{name}", inside
                yield from _keys(inside, f"{path}.{name}")
        elif key in ("$defs", "oneOf", "items", "additionalProperties"):
            named = value.items() if key == "$defs" else [("", value)]
            for name, inside in named:
                yield from _keys(inside, f"{path}/{name}")


@pytest.mark.parametrize("name", ["policy", "config", "test"])
def test_every_key_is_explained_where_an_editor_looks(name: str) -> None:
    """Each key has a title, a description that is a sentence, and an example."""
    schema = load_schema(name)
    found = list(_keys(schema))
    assert len(found) > 30
    for path, written in found:
        shared = str(written.get("$ref", "")).removeprefix("#/$defs/")
        value = {**(schema["$defs"][shared] if shared else {}), **written}
        assert value["title"], path
        assert re.search(r"[.]$", value["description"]), path
        assert value["examples"], path


def test_policy_defaults_are_those_of_the_code() -> None:
    """What the policy schema gives as a default is what the reconciler does without the key."""
    plain = Policy("x", Place(""))
    shared = load_schema("policy")["$defs"]
    for key in ("priority", "min_keep", "owner", "description", "consistency"):
        assert shared[key]["default"] == getattr(plain, key), key
    assert shared["pick"]["default"] == plain.pick
    assert shared["manage"]["default"] == plain.manage
    assert shared["lock"]["default"] == {"newest": plain.lock_newest}
    brakes = TargetBrakes()
    assert shared["brakes"]["default"] == {
        "max_deletes": brakes.max_deletes, "max_delete_percent": brakes.max_delete_percent,
    }  # fmt: skip


def test_configuration_defaults_are_those_of_the_code() -> None:
    """What the configuration's schema gives as a default is what holds without the key."""
    keys = load_schema("config")["properties"]
    brakes, daemon = UnitBrakes(), Daemon()
    assert keys["brakes"]["default"] == {
        "max_deletes": brakes.max_deletes,
        "max_deletes_per_day": brakes.max_deletes_per_day,
        "max_clock_skew": render(brakes.max_clock_skew),
        "max_immutable": render(brakes.max_immutable),
        "require_approval": list(brakes.require_approval),
        "per_target": {
            "max_deletes": brakes.target_max_deletes,
            "max_delete_percent": brakes.target_max_delete_percent,
        },
    }
    assert keys["daemon"]["default"] == {
        "interval": render(daemon.interval), "jitter": f"{daemon.jitter}s",
        "listen": daemon.listen,
    }  # fmt: skip


def test_the_key_reference_is_the_schemas() -> None:
    """The table of keys in policies/README.md is what the schema renders to, word for word."""
    text = _README.read_text(encoding="utf-8")
    found = re.search(r"<!-- keys -->\n(.*?)<!-- /keys -->", text, re.DOTALL)
    assert found is not None
    assert found[1] == render_keys(load_schema("policy"))
