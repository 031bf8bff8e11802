"""Where log lines go and what they may hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import structlog

from reconciler.cli.settings import configure_logging

if TYPE_CHECKING:
    import pytest

HOSTILE = "share/\x1b[2J\x07a\r\nfake line"


def test_a_log_line_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """On a console a name from a NAS is written out and stays on its one line."""
    configure_logging("console", verbose=False)
    structlog.get_logger().warning("call", target=HOSTILE, names=[HOSTILE], seconds=0.5)
    text = capsys.readouterr().err
    assert text.replace("\n", "").isprintable()
    assert text.count("\n") == 1
    assert "0.5" in text


def test_a_log_line_for_programs_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON the name is whole, its control characters escaped, one event a line."""
    configure_logging("json", verbose=False)
    structlog.get_logger().warning("call", target=HOSTILE)
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert json.loads(text)["target"] == HOSTILE
