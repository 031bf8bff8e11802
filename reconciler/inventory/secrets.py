"""Reading secrets where they stand: a file, an environment variable, a program's output."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import threading
from contextlib import suppress
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
    """Return a secret without its line end; raises SecretError that names where it looked."""
    found = _raw(reference, environment)
    secret = found.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise SecretError(
            f"the secret in {_where(reference)} is empty ({reference.place})",
            next_step="put the secret there; only its first line end is taken off",
        )
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
                next_step="set it where the reconciler runs, or write {file: …}",
            )
        return _text(environment[reference.env], reference)
    return _from_command(reference)


def _text(value: str, reference: SecretReference) -> str:
    """Refuse bytes that are no UTF-8, which the environment hands over as lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SecretError(
            f"environment variable {reference.env} is no UTF-8 text ({reference.place})"
        ) from None
    return value


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
        running = subprocess.Popen(  # noqa: S603  the configuration's own argv, without a shell
            reference.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise SecretError(
            f"{name} cannot be run: {error.strerror} ({reference.place})",
            next_step="check `command`: its first word is the program, found by PATH or in full",
        ) from error
    data = _bounded_output(running, reference)
    if running.returncode:
        raise SecretError(
            f"{name} ended with {running.returncode} instead of a secret ({reference.place})",
            next_step="run it by hand to see why; its output is not shown here",
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(f"{name} gave no UTF-8 text ({reference.place})") from None


def _bounded_output(running: subprocess.Popen[bytes], reference: SecretReference) -> bytes:
    """Return what a program printed; end it and all its children after 30 s or 64 KiB."""
    name = reference.command[0]
    timer = threading.Timer(_SECONDS, _end, (running,))
    timer.start()
    try:
        if running.stdout is None:
            raise AssertionError("the program was started with a pipe")
        with running.stdout as pipe:
            data = pipe.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            _end(running)
            running.wait()
            raise SecretError(f"{name} printed more than 64 KiB ({reference.place})")
        running.wait()
    finally:
        late = not timer.is_alive()
        timer.cancel()
    if late:
        raise SecretError(
            f"{name} gave no secret within {_SECONDS} s ({reference.place})",
            next_step="run it by hand: it must answer without asking anything",
        )
    return data


def _end(running: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(running.pid, signal.SIGKILL)
