"""Where configuration and policies come from, and whether they have changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reconciler.inventory.model import GitSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.inventory.model import Configuration
    from reconciler.policy.model import PolicySet


@dataclass(frozen=True, slots=True)
class InForce:
    """One valid revision: a configuration and the policies that were loaded with it."""

    configuration: Configuration
    policies: PolicySet


class Source(Protocol):
    """What the daemon follows; files today."""

    def fingerprint(self) -> str:
        """Return a text that changes whenever what `load` reads does."""

    def load(self) -> InForce:
        """Load what stands there now; raises UserError or InvalidDocuments where it is invalid."""


class Files:
    """The configuration's file and the folders it names; `read` loads them."""

    def __init__(self, read: Callable[[], InForce]) -> None:
        self._read = read
        self._known: Configuration | None = None

    def load(self) -> InForce:
        """Load the files; the folders of the last valid configuration are those watched."""
        found = self._read()
        self._known = found.configuration
        return found

    def fingerprint(self) -> str:
        """Return the digest of every file's path and bytes; "" before anything was loaded."""
        if self._known is None:
            return ""
        found = hashlib.sha256()
        for path in sorted(set(_watched(self._known))):
            found.update(f"{path}\0".encode())
            try:
                found.update(hashlib.sha256(path.read_bytes()).digest())
            except OSError as error:
                found.update(f"{error.errno}".encode())
        return found.hexdigest()


def _watched(configuration: Configuration) -> Iterator[Path]:
    """Yield the configuration's file, the inventory's folder and the policies' folder."""
    yield configuration.path
    places = {Path(unit.place.path) for unit in configuration.units}
    for folder in {path.parent for path in places if path.name != configuration.path.name}:
        yield from folder.rglob("*.yaml")
    if not isinstance(configuration.policies, GitSource):
        yield from configuration.policies.rglob("*.yaml")
