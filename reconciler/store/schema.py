"""The tables, and how a database of an older version becomes one of this version.

Instants are whole seconds since the epoch, UTC. Lists that are read and written whole are JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    inspect,
    select,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

metadata = MetaData()

version = Table("schema_version", metadata, Column("version", Integer, nullable=False))

unit = Table(
    "unit",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("hostname", Text, nullable=False),
    Column("clock", BigInteger),
    Column("plans_offered", Boolean, nullable=False),
    Column("shifts", JSON, nullable=False),
    Column("unread_since", BigInteger),
    Column("unread", Text, nullable=False),
)

serial = Table(
    "serial",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("serial", String(255), primary_key=True),
    Column("position", Integer, nullable=False),
)

target = Table(
    "target",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("uuid", String(255), primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", String(32), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("policy", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("owned_name", Text, nullable=False),
    Column("listed", Integer, nullable=False),
    Column("ours", JSON, nullable=False),
    Column("vanished", JSON, nullable=False),
    Column("orphaned_since", BigInteger),
    Column("released", BigInteger),
)

bound_hold = Table(
    "bound_hold",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("hold", String(255), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("uuid", String(255), primary_key=True),
    Column("name", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("covered", JSON, nullable=False),
    Column("gone", JSON, nullable=False),
)

latch = Table(
    "credential_latch",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("entry", JSON, nullable=False),
)

trail = Table(
    "trail",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("event", String(16), nullable=False),
    Column("run", String(64), nullable=False),
    Column("verb", String(16), nullable=False),
    Column("uuid", String(255), nullable=False),
    Column("snapshot", String(255), nullable=False),
    Column("intent", BigInteger),
    Column("text", Text, nullable=False),
    Index("trail_by_target", "nas", "uuid", "snapshot"),
    Index("trail_by_intent", "nas", "intent"),
)
"""The records as sealed in `text`; every other column repeats a field of it, to be looked up by."""

approval = Table(
    "approval",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("victims", JSON, nullable=False),
    Column("stops", JSON, nullable=False),
    Column("given", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

granted = Table(
    "granted",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("uuid", String(255), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("owner", String(255), primary_key=True),
    Column("at", BigInteger, nullable=False),
)
"""What one approval settled for good: a first scheduled deletion, another policy's mark."""

run_time_hold = Table(
    "run_time_hold",
    metadata,
    Column("identifier", String(64), primary_key=True),
    Column("nas", String(255), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("uuid", String(255), nullable=False),
    Column("name", Text, nullable=False),
    Column("snapshot", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
)

pause = Table(
    "pause",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("deletes_only", Boolean, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
)

run = Table(
    "run",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("identifier", String(64), primary_key=True),
    Column("began", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=False),
    Column("revision", Text, nullable=False),
    Column("result", String(16), nullable=False),
    Column("counts", JSON, nullable=False),
    Column("braked", Integer, nullable=False),
)
"""One row for each pass over each unit; `braked` is what it added to the brake per 24 hours."""

state_change = Table(
    "state_change",
    metadata,
    Column("nas", String(255), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("uuid", String(255), primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("state", String(32), nullable=False),
)

told = Table(
    "told",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("nas", String(255), primary_key=True),
    Column("thing", String(255), primary_key=True),
    Column("event", String(32), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
)
"""What each channel was told and not yet the end of; a channel by a digest of its reference."""

MIGRATIONS: Mapping[int, Callable[[Connection], None]] = {}
"""By version: what turns a database of that version into the next one's."""

VERSION = 1


def stated_version(connection: Connection) -> int:
    """Return the version a database says it has, 0 for an empty one."""
    if not inspect(connection).has_table(version.name):
        return 0
    found = connection.execute(select(version.c.version)).scalar()
    return int(found or 0)


def create(connection: Connection) -> None:
    """Lay down every table in an empty database."""
    metadata.create_all(connection)
    connection.execute(insert(version).values(version=VERSION))


def migrate(connection: Connection, old: int) -> None:
    """Bring a database of version `old` to this one, step by step, in the caller's transaction."""
    for step in range(old, VERSION):
        MIGRATIONS[step](connection)
        connection.execute(update(version).values(version=step + 1))
