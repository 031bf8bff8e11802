"""The published JSON Schemas, shipped inside the package and editable beside it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

NAMES = ("policy", "config", "plan", "test")


def schema_text(name: str) -> str:
    """Return a schema as published; raises KeyError for a name that is none of `NAMES`."""
    if name not in NAMES:
        raise KeyError(name)
    shipped = files("reconciler") / "schemas" / f"{name}.schema.json"
    if shipped.is_file():
        return shipped.read_text(encoding="utf-8")
    beside = Path(__file__).resolve().parent.parent / "schemas" / f"{name}.schema.json"
    return beside.read_text(encoding="utf-8")


def load_schema(name: str) -> dict[str, Any]:
    """Return a schema, decoded."""
    decoded: dict[str, Any] = json.loads(schema_text(name))
    return decoded
