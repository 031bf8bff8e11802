"""Approvals, run-time holds and pauses in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select

from reconciler.model import Kind
from reconciler.orders import Approval, Pause, RunTimeHold
from reconciler.store import schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from reconciler.model import Instant

    Granted = tuple[str, str, str]
    """A target's uuid, the kind of stop, and the other policy ("" where it is none's)."""


def approvals(connection: Connection, nas: str, now: Instant) -> tuple[Approval, ...]:
    """Return the approvals of a unit that have not expired."""
    table = schema.approval
    found = connection.execute(
        select(table).where(table.c.nas == nas, table.c.expires > now).order_by(table.c.given)
    ).mappings()
    return tuple(
        Approval(
            nas=row["nas"],
            digest=row["digest"],
            victims=frozenset((uuid, key) for uuid, key in row["victims"]),
            stops=tuple(row["stops"]),
            given=row["given"],
            expires=row["expires"],
            by=row["by"],
            reason=row["reason"],
        )
        for row in found
    )


def approve(connection: Connection, approval: Approval) -> None:
    """Keep an approval; a second one of the same list takes the first one's place."""
    table = schema.approval
    connection.execute(
        delete(table).where(table.c.nas == approval.nas, table.c.digest == approval.digest)
    )
    connection.execute(
        insert(table).values(
            nas=approval.nas,
            digest=approval.digest,
            victims=sorted([uuid, key] for uuid, key in approval.victims),
            stops=list(approval.stops),
            given=approval.given,
            expires=approval.expires,
            by=approval.by,
            reason=approval.reason,
        )
    )


def granted(connection: Connection, nas: str) -> frozenset[Granted]:
    """Return what one approval settled for good on a unit."""
    table = schema.granted
    found = connection.execute(
        select(table.c.uuid, table.c.kind, table.c.owner).where(table.c.nas == nas)
    )
    return frozenset((str(uuid), str(kind), str(owner)) for uuid, kind, owner in found)


def grant(connection: Connection, nas: str, fresh: Sequence[Granted], at: Instant) -> None:
    """Keep what an approval settles for good; what was settled before stays as it is."""
    known = granted(connection, nas)
    rows = [
        {"nas": nas, "uuid": uuid, "kind": kind, "owner": owner, "at": at}
        for uuid, kind, owner in dict.fromkeys(fresh)
        if (uuid, kind, owner) not in known
    ]
    if rows:
        connection.execute(insert(schema.granted), rows)


def holds(connection: Connection, nas: str, now: Instant) -> tuple[RunTimeHold, ...]:
    """Return the run-time holds of a unit that have not ended."""
    table = schema.run_time_hold
    standing = or_(table.c.until.is_(None), table.c.until > now)
    found = connection.execute(
        select(table).where(table.c.nas == nas, standing).order_by(table.c.since)
    ).mappings()
    return tuple(_hold(dict(row)) for row in found)


def _hold(row: Mapping[str, Any]) -> RunTimeHold:
    return RunTimeHold(**{**row, "kind": Kind(row["kind"])})


def hold(connection: Connection, said: RunTimeHold) -> None:
    """Keep a run-time hold."""
    connection.execute(
        insert(schema.run_time_hold).values(
            identifier=said.identifier,
            nas=said.nas,
            kind=str(said.kind),
            uuid=said.uuid,
            name=said.name,
            snapshot=said.snapshot,
            reason=said.reason,
            by=said.by,
            since=said.since,
            until=said.until,
        )
    )


def unhold(connection: Connection, identifier: str) -> None:
    """End a run-time hold."""
    table = schema.run_time_hold
    connection.execute(delete(table).where(table.c.identifier == identifier))


def pauses(connection: Connection, nas: str, now: Instant) -> tuple[Pause, ...]:
    """Return the pauses of a unit that have not ended, the wider one first."""
    table = schema.pause
    standing = or_(table.c.until.is_(None), table.c.until > now)
    found = connection.execute(
        select(table).where(table.c.nas == nas, standing).order_by(table.c.deletes_only)
    ).mappings()
    return tuple(Pause(**row) for row in found)


def set_pause(connection: Connection, said: Pause) -> None:
    """Keep a pause; another of the same width on the unit is replaced."""
    table = schema.pause
    same = (table.c.nas == said.nas, table.c.deletes_only == said.deletes_only)
    connection.execute(delete(table).where(*same))
    connection.execute(
        insert(table).values(
            nas=said.nas,
            deletes_only=said.deletes_only,
            reason=said.reason,
            by=said.by,
            since=said.since,
            until=said.until,
        )
    )


def resume(connection: Connection, nas: str) -> None:
    """End every pause of a unit."""
    connection.execute(delete(schema.pause).where(schema.pause.c.nas == nas))
