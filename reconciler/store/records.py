"""The audit trail in the store: appended to in one transaction, read by what it is looked up by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, select

from reconciler.store import schema
from reconciler.trail import Head, Record, seal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from reconciler.model import Instant

_CHUNK = 500
_ENDS = ("outcome", "settled")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are asked for; an empty field asks for all. `last` is how many at the most."""

    nas: str = ""
    uuid: str = ""
    snapshot: str = ""
    event: str = ""
    verb: str = ""
    run: str = ""
    since: Instant | None = None
    until: Instant | None = None
    last: int | None = None


def append(
    connection: Connection, nas: str, fields: Sequence[Mapping[str, Any]], at: Instant
) -> list[Record]:
    """Seal records onto the end of a unit's trail, in order."""
    end = head(connection, nas)
    sealed: list[Record] = []
    for one in fields:
        record = seal(end, {**one, "at": _utc(at)})
        end = Head(nas, end.number + 1, record.digest)
        connection.execute(insert(schema.trail).values(**_columns(record, end, at)))
        sealed.append(record)
    return sealed


def head(connection: Connection, nas: str) -> Head:
    """Return the end of a unit's trail."""
    table = schema.trail
    found = connection.execute(
        select(table.c.number, table.c.digest)
        .where(table.c.nas == nas)
        .order_by(table.c.number.desc())
        .limit(1)
    ).first()
    return Head(nas) if found is None else Head(nas, int(found[0]), str(found[1]))


def heads(connection: Connection) -> tuple[Head, ...]:
    """Return the end of every unit's trail, by name."""
    found = connection.execute(select(schema.trail.c.nas).distinct().order_by("nas"))
    return tuple(head(connection, str(nas)) for (nas,) in found)


def find(connection: Connection, wanted: Wanted) -> Iterator[Record]:
    """Yield the records asked for, by unit and number; of `last` the newest ones."""
    table = schema.trail
    query = select(table.c.nas, table.c.number, table.c.text, table.c.digest)
    query = query.where(*_conditions(wanted))
    if wanted.last is not None:
        newest = query.order_by(table.c.at.desc(), table.c.number.desc()).limit(wanted.last)
        rows = sorted(connection.execute(newest).all(), key=lambda row: (row[0], row[1]))
        yield from (Record(str(row[2]), str(row[3])) for row in rows)
        return
    result = connection.execute(query.order_by(table.c.nas, table.c.number))
    for part in result.partitions(_CHUNK):
        yield from (Record(str(row[2]), str(row[3])) for row in part)


def open_intents(connection: Connection, nas: str) -> tuple[Record, ...]:
    """Return the intents of a unit that no outcome and no settlement answers."""
    table = schema.trail
    ends = table.alias()
    answered = and_(ends.c.nas == nas, ends.c.intent == table.c.number, ends.c.event.in_(_ENDS))
    found = connection.execute(
        select(table.c.text, table.c.digest)
        .where(table.c.nas == nas, table.c.event == "intent")
        .where(~select(ends.c.number).where(answered).exists())
        .order_by(table.c.number)
    )
    return tuple(Record(str(text), str(digest)) for text, digest in found)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    table = schema.trail
    names = ("nas", "uuid", "snapshot", "event", "verb", "run")
    found = [table.c[name] == value for name in names if (value := getattr(wanted, name))]
    if wanted.since is not None:
        found.append(table.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(table.c.at < wanted.until)
    return found


def _columns(record: Record, end: Head, at: Instant) -> dict[str, Any]:
    body = record.body
    target = body.get("target") or {}
    return {
        "nas": end.nas,
        "number": end.number,
        "digest": record.digest,
        "at": at,
        "event": body.get("event", ""),
        "run": body.get("run", ""),
        "verb": body.get("verb") or "",
        "uuid": target.get("uuid", ""),
        "snapshot": body.get("snapshot") or "",
        "intent": body.get("intent"),
        "text": record.text,
    }


def _utc(instant: Instant) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
