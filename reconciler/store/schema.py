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
