"""Runs and changes of state: what a brake over 24 hours and a report over a period need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select

from reconciler.store import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from reconciler.memory import UnitMemory
    from reconciler.model import Instant


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One pass over one unit; `counts` are the ended actions by verb and result (`delete done`).

    `braked` is what the deletions that ran add to the brake per 24 hours.
    """

    nas: str
    identifier: str
    began: Instant
    ended: Instant
    revision: str
    result: str
    counts: Mapping[str, int] = field(default_factory=dict)
    braked: int = 0


def keep_run(connection: Connection, run: RunRecord) -> None:
    """Keep a pass, once: a second record of the same run and unit takes the first one's place."""
    table = schema.run
    connection.execute(
        delete(table).where(table.c.nas == run.nas, table.c.identifier == run.identifier)
    )
    connection.execute(
        insert(table).values(
            nas=run.nas,
            identifier=run.identifier,
            began=run.began,
            ended=run.ended,
            revision=run.revision,
            result=run.result,
            counts=dict(run.counts),
            braked=run.braked,
        )
    )


def runs(connection: Connection, nas: str, since: Instant) -> tuple[RunRecord, ...]:
    """Return the passes over a unit that ended since, in order."""
    table = schema.run
    found = connection.execute(
        select(table).where(table.c.nas == nas, table.c.ended >= since).order_by(table.c.ended)
    ).mappings()
    return tuple(RunRecord(**row) for row in found)


def braked_since(connection: Connection, nas: str, since: Instant) -> int:
    """Return what the passes over a unit since then have added to its brake per 24 hours."""
    table = schema.run
    total = select(func.coalesce(func.sum(table.c.braked), 0)).where(
        table.c.nas == nas, table.c.ended > since
    )
    return int(connection.execute(total).scalar_one())


def note_changes(connection: Connection, memory: UnitMemory) -> None:
    """Keep each target's state that is another than the last one kept."""
    table = schema.state_change
    newest = (
        select(table.c.kind, table.c.uuid, func.max(table.c.at).label("at"))
        .where(table.c.nas == memory.nas)
        .group_by(table.c.kind, table.c.uuid)
        .subquery()
    )
    found = connection.execute(
        select(table.c.kind, table.c.uuid, table.c.state, table.c.at)
        .join(
            newest,
            (table.c.kind == newest.c.kind)
            & (table.c.uuid == newest.c.uuid)
            & (table.c.at == newest.c.at),
        )
        .where(table.c.nas == memory.nas)
    )
    last = {(str(kind), str(uuid)): (str(state), int(at)) for kind, uuid, state, at in found}
    rows: list[dict[str, Any]] = []
    for one in memory.targets.values():
        state, at = last.get((str(one.kind), one.uuid), ("", -1))
        if state != one.state and one.since > at:
            rows.append(
                {"nas": memory.nas, "kind": str(one.kind), "uuid": one.uuid, "at": one.since,
                 "name": one.name, "policy": one.policy, "state": one.state}
            )  # fmt: skip
    if rows:
        connection.execute(insert(table), rows)
