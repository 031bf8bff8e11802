"""The client of a Synology NAS's web API: sign-in, reads, writes, each error of its own kind."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.dsm.client import Overview, Reader
from reconciler.dsm.clock import Clock, Stamp, SystemClock
from reconciler.dsm.errors import NoRoom
from reconciler.dsm.latch import Latches
from reconciler.dsm.parse import Lun, Share
from reconciler.dsm.session import Connection, Session
from reconciler.dsm.transport import HttpTransport, Trust
from reconciler.dsm.writer import Writer
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Clock",
    "Connection",
    "Latches",
    "Lun",
    "NoRoom",
    "Overview",
    "Reader",
    "Share",
    "Stamp",
    "SystemClock",
    "Writer",
    "open_reader",
    "open_writer",
]


@contextmanager
def open_reader(
    connection: Connection, clock: Clock, watch: Watch | None = None
) -> Iterator[Reader]:
    """Sign in and hand out a client that cannot write; signs out at the end, also on errors."""
    with _session(connection, clock, watch, read_only=True) as session:
        yield Reader(session)


@contextmanager
def open_writer(
    connection: Connection, clock: Clock, watch: Watch | None = None
) -> Iterator[Writer]:
    """Sign in and hand out a client that can write; signs out at the end, also on errors.

    Once `watch` asks to stop no write is sent any more (Interrupted); reads still are, so that
    what was written before can be verified.
    """
    with _session(connection, clock, watch, read_only=False) as session:
        yield Writer(session)


@contextmanager
def _session(
    connection: Connection, clock: Clock, watch: Watch | None, *, read_only: bool
) -> Iterator[Session]:
    trust = Trust(connection.ca_file, connection.fingerprints, connection.insecure)
    transport = HttpTransport(connection.url, trust, clock)
    session = Session(connection, transport, clock, read_only=read_only, watch=watch or Watch())
    try:
        session.open()
        yield session
    finally:
        session.close()
