"""Secrets by reference: read where they stand, and never shown when that fails."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from reconciler.inventory.model import SecretReference
from reconciler.inventory.secrets import SecretError, mode_finding, read_secret
from reconciler.model import Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PLACE = Place("reconciler.yaml", 5)


def _read(reference: SecretReference, environment: Mapping[str, str] | None = None) -> str:
    return read_secret(reference, environment=environment or {})


def _program(code: str) -> SecretReference:
    return SecretReference(_PLACE, command=(sys.executable, "-c", code))


def test_a_secret_is_read_from_each_of_the_three(tmp_path: Path) -> None:
    """File, variable and program give the secret without its one line end, spaces kept."""
    (tmp_path / "s").write_bytes("pä ss \r\n".encode())
    assert _read(SecretReference(_PLACE, file=tmp_path / "s")) == "pä ss "
    assert _read(SecretReference(_PLACE, env="S"), {"S": " x "}) == " x "
    assert _read(_program("print('from it')")) == "from it"


def test_what_cannot_be_read_names_where_it_looked(tmp_path: Path) -> None:
    """Each failure says which file, variable or program and the line that names it."""
    (tmp_path / "empty").write_text("\n", "utf-8")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    wrong = {
        "absent cannot be read": SecretReference(_PLACE, file=tmp_path / "absent"),
        "empty is empty": SecretReference(_PLACE, file=tmp_path / "empty"),
        "bytes is no UTF-8": SecretReference(_PLACE, file=tmp_path / "bytes"),
        "large is larger than 64": SecretReference(_PLACE, file=tmp_path / "large"),
        "NO_SUCH is not set": SecretReference(_PLACE, env="NO_SUCH"),
        "cannot be run": SecretReference(_PLACE, command=(str(tmp_path / "none"),)),
        "ended with 3": _program("import sys; print('hunter2'); sys.exit(3)"),
        "more than 64 KiB": _program("print('hunter2' * 20000)"),
        "gave no UTF-8": _program("import sys; sys.stdout.buffer.write(b'\\xff')"),
    }
    for told, reference in wrong.items():
        with pytest.raises(SecretError, match=told) as raised:
            _read(reference)
        assert "reconciler.yaml:5" in str(raised.value)
        assert "hunter2" not in str(raised.value) + raised.value.next_step


def test_the_cure_of_a_missing_variable_is_written_as_one_writes_it() -> None:
    """The next step shows the reference as it stands in the file, with single braces."""
    with pytest.raises(SecretError) as raised:
        _read(SecretReference(_PLACE, env="NO_SUCH"))
    assert raised.value.next_step.endswith("write {file: …}")


def test_a_file_that_others_may_read_is_a_warning(tmp_path: Path) -> None:
    """Modes beyond the owner's are told with the command that mends them; 0600 is silent."""
    path = tmp_path / "s"
    path.write_text("x", "utf-8")
    path.chmod(0o640)
    finding = mode_finding(path)
    assert finding is not None
    assert "0640" in finding.text
    assert finding.next_step == f"chmod 600 {path}"
    path.chmod(0o600)
    assert mode_finding(path) is None
    assert mode_finding(tmp_path / "absent") is None
