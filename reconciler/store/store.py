"""The store: each unit's memory read whole and written whole, in one transaction."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from reconciler.duration import DAY
from reconciler.errors import PermanentError
from reconciler.orders import Orders
from reconciler.store import history, orders, records, rows, schema, told
from reconciler.store.engine import copy_before_migration, engine_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from sqlalchemy import Connection, Engine, Table

    from reconciler.memory import UnitMemory
    from reconciler.model import Instant
    from reconciler.notify.decide import Told
    from reconciler.orders import Approval, Pause, RunTimeHold
    from reconciler.store.history import RunRecord
    from reconciler.store.orders import Granted
    from reconciler.store.records import Wanted
    from reconciler.trail import Head, Record

_TABLES = (schema.serial, schema.target, schema.bound_hold)


def open_store(url: str, folder: Path) -> Store:
    """Open the state that the configuration names, making or migrating it where need be.

    Raises PermanentError where it cannot be opened, or was written by a newer reconciler.
    """
    engine = engine_of(url, folder)
    with _mapped(engine), engine.begin() as connection:
        old = schema.stated_version(connection)
        if old == 0:
            schema.create(connection)
    if old > schema.VERSION:
        raise PermanentError(
            f"the state {engine.url.database} is of version {old}, written by a newer reconciler; "
            f"this one knows up to {schema.VERSION}",
            next_step="install that newer release again, or name another file in `state`",
        )
    if 0 < old < schema.VERSION:
        with _mapped(engine):
            copy_before_migration(engine, old)
            with engine.begin() as connection:
                schema.migrate(connection, schema.stated_version(connection))
    return Store(engine)


class Store:
    """The open state; safe to use from several threads. A context manager that closes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def unit(self, nas: str) -> UnitMemory:
        """Return what is remembered of a unit, an empty memory where nothing is."""
        with self._transaction() as connection:
            found = _all(connection, schema.unit, nas)
            parts = [_all(connection, table, nas) for table in _TABLES]
        return rows.to_memory(nas, found, serials=parts[0], targets=parts[1], holds=parts[2])

    def keep(self, memory: UnitMemory) -> None:
        """Replace what is remembered of a unit."""
        written = {
            schema.unit: [rows.unit_row(memory)],
            schema.serial: rows.serial_rows(memory),
            schema.target: rows.target_rows(memory),
            schema.bound_hold: rows.hold_rows(memory),
        }
        with self._transaction() as connection:
            for table, fresh in written.items():
                connection.execute(delete(table).where(table.c.nas == memory.nas))
                if fresh:
                    connection.execute(insert(table), fresh)
            history.note_changes(connection, memory)

    def hostnames(self) -> Mapping[str, str]:
        """Return by unit the host name it reported last, of every unit that ever reported one."""
        known = select(schema.unit.c.nas, schema.unit.c.hostname)
        with self._transaction() as connection:
            found = connection.execute(known).all()
        return {str(nas): str(hostname) for nas, hostname in found if hostname}

    def latch(self, nas: str) -> Mapping[str, Any] | None:
        """Return the latch entry of a unit's credential, None where there is none."""
        with self._transaction() as connection:
            found = _all(connection, schema.latch, nas)
        return dict(found[0]["entry"]) if found else None

    def set_latch(self, nas: str, entry: Mapping[str, Any]) -> None:
        """Replace the latch entry of a unit's credential, durably."""
        table = schema.latch
        with self._transaction() as connection:
            connection.execute(delete(table).where(table.c.nas == nas))
            connection.execute(insert(table).values(nas=nas, entry=dict(entry)))

    def forget_serials(self, nas: str) -> None:
        """Forget which serials a name stood for: the next unit seen under it is taken as new."""
        with self._transaction() as connection:
            connection.execute(delete(schema.serial).where(schema.serial.c.nas == nas))

    def append(
        self, nas: str, fields: Sequence[Mapping[str, Any]], at: Instant
    ) -> tuple[Record, ...]:
        """Seal records onto a unit's trail; they are on disk when this returns (P14)."""
        with self._transaction() as connection:
            return tuple(records.append(connection, nas, fields, at))

    def find(self, wanted: Wanted) -> tuple[Record, ...]:
        """Return the records of the trail that are asked for, by unit and number."""
        with self._transaction() as connection:
            return tuple(records.find(connection, wanted))

    def heads(self) -> tuple[Head, ...]:
        """Return the end of every unit's trail, by name."""
        with self._transaction() as connection:
            return records.heads(connection)

    def open_intents(self, nas: str) -> tuple[Record, ...]:
        """Return the intents of a unit whose end is not known."""
        with self._transaction() as connection:
            return records.open_intents(connection, nas)

    def orders(self, nas: str, now: Instant) -> Orders:
        """Return what people said about a unit at run time and what stands at `now`."""
        with self._transaction() as connection:
            return Orders(
                approvals=orders.approvals(connection, nas, now),
                granted=orders.granted(connection, nas),
                holds=orders.holds(connection, nas, now),
                pauses=orders.pauses(connection, nas, now),
                braked=history.braked_since(connection, nas, now - DAY),
            )

    def approve(self, approval: Approval) -> None:
        """Keep an approval."""
        with self._transaction() as connection:
            orders.approve(connection, approval)

    def grant(self, nas: str, fresh: Sequence[Granted], at: Instant) -> None:
        """Keep what an approval settles for good."""
        with self._transaction() as connection:
            orders.grant(connection, nas, fresh, at)

    def hold(self, said: RunTimeHold) -> None:
        """Keep a run-time hold."""
        with self._transaction() as connection:
            orders.hold(connection, said)

    def unhold(self, identifier: str) -> None:
        """End a run-time hold."""
        with self._transaction() as connection:
            orders.unhold(connection, identifier)

    def pause(self, said: Pause) -> None:
        """Keep a pause."""
        with self._transaction() as connection:
            orders.set_pause(connection, said)

    def resume(self, nas: str) -> None:
        """End every pause of a unit."""
        with self._transaction() as connection:
            orders.resume(connection, nas)

    def keep_run(self, run: RunRecord) -> None:
        """Keep a pass over a unit."""
        with self._transaction() as connection:
            history.keep_run(connection, run)

    def runs(self, nas: str, since: Instant) -> tuple[RunRecord, ...]:
        """Return the passes over a unit that ended since, in order."""
        with self._transaction() as connection:
            return history.runs(connection, nas, since)

    def told(self, channel: str) -> tuple[Told, ...]:
        """Return what a channel was told and not yet the end of."""
        with self._transaction() as connection:
            return told.told(connection, channel)

    def keep_told(self, channel: str, standing: Sequence[Told]) -> None:
        """Replace what a channel was told."""
        with self._transaction() as connection:
            told.keep_told(connection, channel, standing)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with _mapped(self._engine), self._engine.begin() as connection:
            yield connection


def _all(connection: Connection, table: Table, nas: str) -> list[Mapping[str, Any]]:
    found = connection.execute(select(table).where(table.c.nas == nas)).mappings()
    return [dict(row) for row in found]


@contextmanager
def _mapped(engine: Engine) -> Iterator[None]:
    """Turn the database's errors into ours, in this one place."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__)
        raise PermanentError(
            f"the state {engine.url.database} cannot be used: {reason}",
            next_step="check the file, its folder's rights and free space; if it is damaged, put "
            "a copy back or move it away (run-time holds and approvals are then lost)",
        ) from error
