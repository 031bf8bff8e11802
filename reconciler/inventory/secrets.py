"""Reading secrets where they stand: a file, an environment variable, a program's output."""

from __future__ import annotations

import stat
import subprocess
from typing import TYPE_CHECKING

from reconciler.errors import PermanentError
from reconciler.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.inventory.model import SecretReference

_LARGEST = 64 * 1024
_SECONDS = 30


class SecretError(PermanentError):
    """A secret cannot be read: its unit is unknown, the others run. Never holds the secret."""


def read_secret(reference: SecretReference, *, environment: Mapping[str, str]) -> str:
    """Return a secret without its trailing line break; raises SecretError naming where it looked."""
    found = _raw(reference, environment)
    secret = found.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise SecretError(f"the secret in {_where(reference)} is empty ({reference.place})")
    return secret


def mode_finding(path: Path) -> Finding | None:
    """Return a warning where others than its owner may read a secret's file."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    if not mode & 0o077:
        return None
    return Finding(
        "secret-mode",
        Severity.WARNING,
        f"{path} may be read by others (mode {mode:04o})",
        next_step=f"chmod 600 {path}",
    )


def _where(reference: SecretReference) -> str:
    if reference.file is not None:
        return f"file {reference.file}"
    if reference.env:
        return f"environment variable {reference.env}"
    return f"the output of {reference.command[0] if reference.command else 'no command'}"


def _raw(reference: SecretReference, environment: Mapping[str, str]) -> str:
    if reference.file is not None:
        return _from_file(reference, reference.file)
    if reference.env:
        if reference.env not in environment:
            raise SecretError(
                f"environment variable {reference.env} is not set ({reference.place})",
                next_step=f"set it where the reconciler runs, or write {{file: …}}",
            )
        return environment[reference.env]
    return _from_command(reference)


def _from_file(reference: SecretReference, path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise SecretError(
            f"secret file {path} cannot be read: {error.strerror} ({reference.place})",
            next_step="write the secret into it, readable by the reconciler alone",
        ) from error
    except UnicodeDecodeError:
        raise SecretError(f"secret file {path} is no UTF-8 text ({reference.place})") from None
    if len(data) > _LARGEST:
        raise SecretError(f"secret file {path} is larger than 64 KiB ({reference.place})")
    return text


def _from_command(reference: SecretReference) -> str:
    name = reference.command[0]
    try:
        done = subprocess.run(  # noqa: S603  the configuration's own argv, without a shell
            reference.command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SecretError(
            f"{name} gave no secret within {_SECONDS} s ({reference.place})"
        ) from None
    except OSError as error:
        raise SecretError(f"{name} cannot be run: {error.strerror} ({reference.place})") from error
    if done.returncode:
        raise SecretError(
            f"{name} ended with {done.returncode} instead of a secret ({reference.place})",
            next_step="run it by hand to see why; its output is not shown here",
        )
    try:
        return done.stdout.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(f"{name} gave no UTF-8 text ({reference.place})") from None
