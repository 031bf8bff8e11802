"""What every test starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _logging_as_shipped() -> Iterator[None]:
    """Undo what a run of the command configured: its stderr is closed after the test."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
