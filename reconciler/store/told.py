"""What each channel was told, and not yet the end of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from reconciler.notify.decide import Told
from reconciler.store import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def told(connection: Connection, channel: str) -> tuple[Told, ...]:
    """Return what a channel was told, in a stable order."""
    table = schema.told
    found = connection.execute(
        select(table)
        .where(table.c.channel == channel)
        .order_by(table.c.nas, table.c.thing, table.c.event)
    ).mappings()
    return tuple(Told(**{key: row[key] for key in row if key != "channel"}) for row in found)


def keep_told(connection: Connection, channel: str, standing: Sequence[Told]) -> None:
    """Replace what a channel was told."""
    table = schema.told
    connection.execute(delete(table).where(table.c.channel == channel))
    rows = [
        {"channel": channel, "nas": one.nas, "thing": one.thing, "event": one.event,
         "subject": one.subject, "first": one.first, "last": one.last}
        for one in standing
    ]  # fmt: skip
    if rows:
        connection.execute(insert(table), rows)
