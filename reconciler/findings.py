"""Collecting findings while files are read: all of them, never only the first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.model import Finding, Place, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(slots=True)
class Findings:
    """A growing list of findings; the same one is kept once (a template is merged many times)."""

    found: dict[Finding, None] = field(default_factory=dict)

    def add(self, *findings: Finding) -> None:
        """Add findings that are not there yet."""
        self.found.update(dict.fromkeys(findings))

    def error(
        self, code: str, text: str, place: Place, *, hint: str = "", next_step: str = ""
    ) -> None:
        """Add something that makes the repository invalid."""
        self.add(Finding(code, Severity.ERROR, text, next_step, place, hint))

    def warning(
        self, code: str, text: str, place: Place, *, hint: str = "", next_step: str = ""
    ) -> None:
        """Add something that asks for a look."""
        self.add(Finding(code, Severity.WARNING, text, next_step, place, hint))

    def note(self, code: str, text: str, place: Place) -> None:
        """Add a remark."""
        self.add(Finding(code, Severity.NOTE, text, place=place))

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The errors alone, by file and line."""
        return in_order(f for f in self.found if f.severity is Severity.ERROR)

    @property
    def loud(self) -> tuple[Finding, ...]:
        """Errors and warnings, by file and line."""
        return in_order(f for f in self.found if f.severity is not Severity.NOTE)

    @property
    def all(self) -> tuple[Finding, ...]:
        """Everything, by file and line."""
        return in_order(self.found)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by file, line and column."""
    return tuple(sorted(findings, key=lambda f: f.place or Place("")))
