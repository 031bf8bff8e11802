"""Where findings gather while documents are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model import Finding, Place, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_A_FILE = 200


class Faults:
    """Findings in the order they were made, each said once."""

    def __init__(self) -> None:
        self._findings: dict[Finding, None] = {}

    def error(
        self, place: Place | None, code: str, text: str, *, hint: str = "", next_step: str = ""
    ) -> None:
        """Add what makes the documents invalid."""
        self.add(Finding(code, Severity.ERROR, text, next_step, place, hint))

    def warning(
        self, place: Place | None, code: str, text: str, *, hint: str = "", next_step: str = ""
    ) -> None:
        """Add what asks for a look."""
        self.add(Finding(code, Severity.WARNING, text, next_step, place, hint))

    def note(
        self, place: Place | None, code: str, text: str, *, hint: str = "", next_step: str = ""
    ) -> None:
        """Add what is merely good to know."""
        self.add(Finding(code, Severity.NOTE, text, next_step, place, hint))

    def add(self, *findings: Finding) -> None:
        """Add findings made elsewhere."""
        self._findings.update(dict.fromkeys(findings))

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The errors alone, by file and line."""
        return tuple(f for f in self.all if f.severity is Severity.ERROR)

    @property
    def others(self) -> tuple[Finding, ...]:
        """Warnings and notes, by file and line."""
        return tuple(f for f in self.all if f.severity is not Severity.ERROR)

    @property
    def all(self) -> tuple[Finding, ...]:
        """Everything, by file and line, at most `MOST_A_FILE` errors and as many others a file."""
        return tuple(shortened(sorted(self._findings, key=_order)))


def shortened(findings: Sequence[Finding]) -> Iterable[Finding]:
    """Yield ordered findings, of each file and severity the first ones and how many are left out.

    A generated file with a mistake in each line must not bury what else is wrong.
    """
    seen: dict[tuple[str, Severity], list[Finding]] = {}
    for finding in findings:
        path = finding.place.path if finding.place is not None else ""
        group = seen.setdefault((path, finding.severity), [])
        group.append(finding)
        if len(group) <= MOST_A_FILE:
            yield finding
    for (path, severity), group in seen.items():
        left = len(group) - MOST_A_FILE
        if left > 0:
            text = f"{left} more findings of this kind in this file are not shown"
            yield Finding("more", severity, text, place=Place(path) if path else None)


def _order(finding: Finding) -> tuple[Place, Severity, str]:
    return (finding.place or Place(""), finding.severity, finding.code)
