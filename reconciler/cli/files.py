"""Files that a verb makes together: all of them, or none."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Written:
    """What was made so far; undone where anything fails before the end."""

    made: list[Path] = field(default_factory=list)
    before: list[tuple[Path, bytes, int]] = field(default_factory=list)

    def new(self, path: Path, text: str, *, mode: int = 0o644) -> None:
        """Make a file that does not exist; raises UserError where it does."""
        self.folder(path.parent, mode=0o700 if mode == SECRET else 0o755)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            handle = os.open(path, flags, mode)
        except FileExistsError:
            raise UserError(
                f"{path} exists, and nothing is written over it", next_step="move it away"
            ) from None
        self.made.append(path)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)

    def instead(self, path: Path, text: str) -> None:
        """Put a file in the place of the one there, in one step; its mode stays."""
        mode = 0o644
        if path.exists():
            mode = path.stat().st_mode & 0o7777
            self.before.append((path, path.read_bytes(), mode))
        else:
            self.folder(path.parent, mode=0o755)
            self.made.append(path)
        replace(path, text.encode(), mode)

    def folder(self, path: Path, *, mode: int) -> None:
        """Make a folder and those above it; one that exists keeps its mode."""
        if path.is_dir():
            return
        self.folder(path.parent, mode=0o755)
        path.mkdir(mode=mode)
        self.made.append(path)

    def undo(self) -> None:
        """Take away what was made, newest first, and bring back what was replaced."""
        for path, content, mode in self.before:
            replace(path, content, mode)
        for path in reversed(self.made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()


SECRET = 0o600


def replace(path: Path, content: bytes, mode: int) -> None:
    """Write a file beside `path` and move it there: a reader sees the old one or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def all_or_nothing() -> Iterator[Written]:
    """Hand out a `Written`; undo it all where the block does not end well, Ctrl-C included."""
    written = Written()
    try:
        yield written
    except BaseException as error:
        written.undo()
        if isinstance(error, OSError):
            where = error.filename or "a file"
            raise UserError(f"{where} cannot be written: {error.strerror}") from error
        raise
