"""The store keeps a unit's memory whole, privately and durably, and knows its own version."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.errors import PermanentError
from reconciler.memory import BoundHold, Seen, TargetMemory, UnitMemory, Vanished
from reconciler.model import Kind, NameForm
from reconciler.store import open_store, schema

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

URL = "sqlite:///state.db"
SHARE = TargetMemory(
    Kind.SHARE,
    "u-1",
    "documents",
    "compliant",
    since=100,
    policy="docs",
    place="policies/a.yaml:4",
    owned_name="documents",
    listed=2,
    ours=(Seen("GMT+01-x", "GMT+01-x", 90), Seen("odd", "odd")),
    vanished=(Vanished(Seen("gone", "gone", 10), noticed=95),),
    orphaned_since=7,
    released=8,
)
LUN = TargetMemory(Kind.LUN, "u-1", "vm", "late", since=5)
HOLD = BoundHold("case", Kind.SHARE, "u-1", "documents", 3, (Seen("a", "a", 1),), (Seen("b", "b"),))
ATTIC = UnitMemory(
    "attic",
    serials=("S2", "S1"),
    hostname="attic-nas",
    clock=1_000,
    plans_offered=True,
    shifts=((NameForm.OFFSET, -1800),),
    unread_since=12,
    unread="connection refused",
    targets={SHARE.key: SHARE, LUN.key: LUN},
    holds=(HOLD,),
)


def test_a_memory_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    """What one pass keeps of a unit, the next reads unchanged, after the store was closed too."""
    with open_store(URL, tmp_path) as store:
        store.keep(ATTIC)
        store.keep(UnitMemory("cellar"))
    with open_store(URL, tmp_path) as store:
        assert store.unit("attic") == ATTIC
        assert store.unit("cellar") == UnitMemory("cellar")
        assert store.unit("never-seen") == UnitMemory("never-seen")


def test_keeping_replaces_the_whole_memory_of_that_unit_alone(tmp_path: Path) -> None:
    """A target that a memory no longer holds is gone from the store, another unit's stays."""
    with open_store(URL, tmp_path) as store:
        store.keep(ATTIC)
        store.keep(replace(ATTIC, nas="cellar"))
        store.keep(replace(ATTIC, targets={LUN.key: LUN}, holds=(), serials=("S2",)))
        assert store.unit("attic").targets == {LUN.key: LUN}
        assert store.unit("attic").holds == ()
        assert store.unit("attic").serials == ("S2",)
        assert store.unit("cellar").targets == ATTIC.targets


def test_host_names_are_those_of_every_unit_that_reported_one(tmp_path: Path) -> None:
    """`replicate: {to: …}` names a unit of the inventory, known by the host name it reported."""
    with open_store(URL, tmp_path) as store:
        store.keep(ATTIC)
        store.keep(UnitMemory("cellar"))
        assert store.hostnames() == {"attic": "attic-nas"}


def test_serials_can_be_forgotten_and_nothing_else_with_them(tmp_path: Path) -> None:
    """After `init --replaced` the next serial seen is the unit's, and its targets stay known."""
    with open_store(URL, tmp_path) as store:
        store.keep(ATTIC)
        store.forget_serials("attic")
        assert store.unit("attic") == replace(ATTIC, serials=())


def test_the_latch_entry_is_kept_apart_from_the_memory(tmp_path: Path) -> None:
    """A refused credential is remembered before anything else is known of the unit."""
    with open_store(URL, tmp_path) as store:
        assert store.latch("attic") is None
        store.set_latch("attic", {"code": 400})
        store.set_latch("attic", {"code": 407, "window": 3})
        store.keep(ATTIC)
        assert store.latch("attic") == {"code": 407, "window": 3}
        assert store.latch("cellar") is None


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """The state holds names and salted digests: nobody else on the machine may read it."""
    with open_store(URL, tmp_path):
        pass
    assert stat.S_IMODE((tmp_path / "state.db").stat().st_mode) == 0o600


def test_commits_are_durable(tmp_path: Path) -> None:
    """A commit that returned has reached the disk: WAL with full synchronisation."""
    with open_store(URL, tmp_path) as store, store._transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_several_threads_keep_several_units(tmp_path: Path) -> None:
    """Units are read beside each other, so their memories are kept beside each other."""
    with open_store(URL, tmp_path) as store:
        units = [replace(ATTIC, nas=f"unit-{number}") for number in range(12)]
        threads = [threading.Thread(target=store.keep, args=(unit,)) for unit in units]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [store.unit(unit.nas) for unit in units] == units


def test_a_newer_state_is_refused(tmp_path: Path) -> None:
    """A state of a later release is left alone, with both versions named."""
    with open_store(URL, tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "state.db")) as raw, raw:
        raw.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(PermanentError, match="version 99, written by a newer reconciler") as caught:
        open_store(URL, tmp_path)
    assert "install that newer release" in caught.value.next_step


def test_an_older_state_is_brought_forward_and_its_copy_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state of an earlier release becomes one of this, and the file as it was lies beside it."""
    with open_store(URL, tmp_path) as store:
        store.keep(ATTIC)

    def rename(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE unit SET hostname = 'renamed'")

    monkeypatch.setattr(schema, "MIGRATIONS", {schema.VERSION: rename})
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with open_store(URL, tmp_path) as store:
        assert store.unit("attic") == replace(ATTIC, hostname="renamed")
    copy = tmp_path / f"state.db.v{schema.VERSION - 1}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as raw:
        assert raw.execute("SELECT hostname FROM unit").fetchone() == ("attic-nas",)
        assert raw.execute("SELECT version FROM schema_version").fetchone() == (schema.VERSION - 1,)
    with open_store(URL, tmp_path) as store:
        assert store.unit("attic").hostname == "renamed"


def test_a_migration_that_fails_leaves_the_state_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that breaks off is rolled back whole: the old reconciler can still read the file."""
    with open_store(URL, tmp_path) as store:
        store.keep(ATTIC)

    def broken(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE unit SET hostname = 'half'")
        connection.exec_driver_sql("UPDATE no_such_table SET a = 1")

    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", {schema.VERSION: broken})
        patched.setattr(schema, "VERSION", schema.VERSION + 1)
        with pytest.raises(PermanentError, match="no such table"):
            open_store(URL, tmp_path)
    with open_store(URL, tmp_path) as store:
        assert store.unit("attic") == ATTIC


def test_a_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    """A file that is no database names itself and says what would be lost with it."""
    (tmp_path / "state.db").write_bytes(b"no database, " * 1000)
    with pytest.raises(PermanentError, match=r"state\.db cannot be used") as caught:
        open_store(URL, tmp_path)
    assert "move it away" in caught.value.next_step


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """Where the state cannot be made, the error names the file and the cure."""
    (tmp_path / "file").write_text("")
    with pytest.raises(PermanentError, match=r"cannot be written: (Not a directory|File exists)"):
        open_store("sqlite:///file/state.db", tmp_path)


def test_another_kind_of_database_is_named(tmp_path: Path) -> None:
    """A `state` that this release cannot use says which it can."""
    with pytest.raises(PermanentError, match="kind mysql; SQLite alone is known"):
        open_store("mysql://host/db", tmp_path)
