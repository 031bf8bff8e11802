"""One runner for each NAS: a second one is told, a dead one's lease is free at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import Busy, PermanentError
from reconciler.lease import FileLease

_HOLDER = """
import sys, time
from pathlib import Path
from reconciler.lease import FileLease
with FileLease(Path(sys.argv[1]), "S1", "attic"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_runner_of_the_same_unit_is_told_who_has_it(tmp_path: Path) -> None:
    """Exit 75 when another has it: the holder's process is named."""
    with FileLease(tmp_path, "S1", "attic") as first:
        assert first.held()
        with pytest.raises(Busy, match=rf"another reconciler has attic \(pid {os.getpid()} on "):
            FileLease(tmp_path, "S1", "attic").take()
        with FileLease(tmp_path, "S2", "cellar") as other:
            assert other.held()
    first.give_back()
    assert not first.held()
    with FileLease(tmp_path, "S1", "attic") as again:
        assert again.held()


def test_a_killed_runner_leaves_the_unit_to_the_next_at_once(tmp_path: Path) -> None:
    """When one of two processes is killed, the other takes over at once."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", _HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as holder:  # noqa: S603
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Busy, match=f"pid {holder.pid} "):
            FileLease(tmp_path, "S1", "attic").take()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with FileLease(tmp_path, "S1", "attic") as lease:
        assert lease.held()


def test_a_lease_whose_file_was_taken_away_is_lost(tmp_path: Path) -> None:
    """Who removes the file lets a second runner in: the first one notices before its next write."""
    with FileLease(tmp_path, "S1", "attic") as lease:
        path = tmp_path / "leases" / "S1.lock"
        path.unlink()
        assert not lease.held()
        with FileLease(tmp_path, "S1", "attic") as second:
            assert second.held()
            assert not lease.held()


def test_odd_serials_are_files_of_their_own(tmp_path: Path) -> None:
    """A serial never leaves the folder, and two of them never share a file."""
    with FileLease(tmp_path, "../S1", "a"), FileLease(tmp_path, "..-S1", "b"):
        pass
    assert len(list((tmp_path / "leases").iterdir())) == 2
    assert list(tmp_path.iterdir()) == [tmp_path / "leases"]


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """Where no lease can be made nothing is written, with the reason."""
    (tmp_path / "leases").write_text("")
    with pytest.raises(PermanentError, match="cannot be made"):
        FileLease(tmp_path, "S1", "attic").take()
