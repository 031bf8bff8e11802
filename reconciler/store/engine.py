"""Opening a database: what is SQLite's own, and nothing of it anywhere else.

SQLite runs in WAL mode with full synchronisation: a commit that returned has reached the disk.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url

from reconciler.errors import PermanentError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_BUSY_SECONDS = 30.0
_MODE = 0o600


def engine_of(url: str, folder: Path) -> Engine:
    """Return an engine for `state`; a relative SQLite path is relative to `folder`.

    Raises PermanentError where the file cannot be made, or the kind of database is not known here.
    """
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        raise PermanentError(
            f"`state` names a database of kind {address.get_backend_name()}; SQLite alone is known",
            next_step="write state: sqlite:///state.db",
        )
    path = folder / (address.database or "state.db")
    _make_private(path)
    engine = create_engine(address.set(database=str(path)), connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def copy_before_migration(engine: Engine, old: int) -> Path:
    """Copy the database as it is beside itself, as `state.db.v1`, and return the copy's path."""
    path = Path(str(engine.url.database))
    copy = path.with_name(f"{path.name}.v{old}")
    _make_private(copy)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as goal:
        source.backup(goal)
    return copy


def _make_private(path: Path) -> None:
    """Make the file for its owner alone, where there is none yet."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _MODE))
    except OSError as error:
        raise PermanentError(
            f"the state {path} cannot be written: {error.strerror}",
            next_step="run as the user who owns it, or name another file in `state`",
        ) from error


def _configure(raw: Any, _record: object) -> None:
    """Take transactions into our own hands, durable ones (the driver would begin them late)."""
    raw.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        raw.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the write lock at once: two processes wait for each other instead of failing late."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
