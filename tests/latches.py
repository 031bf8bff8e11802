"""Latch entries in a folder, for tests that open several sessions one after another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class FolderLatches:
    """What the store is to a session, without a database."""

    folder: Path

    def latch(self, nas: str) -> Mapping[str, Any] | None:
        """Return a unit's entry."""
        path = self.folder / f"{nas}.latch"
        if not path.is_file():
            return None
        entry: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return entry

    def set_latch(self, nas: str, entry: Mapping[str, Any]) -> None:
        """Replace a unit's entry."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{nas}.latch").write_text(json.dumps(dict(entry)), "utf-8")
