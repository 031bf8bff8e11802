"""What waits, approvals, saved plans and the trail, through the command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.lease import FileLease
from reconciler.mark import Mark
from reconciler.store import Wanted, open_store
from reconciler.trail import verify

if TYPE_CHECKING:
    from conftest import Place

POLICY = """version: 1
policies:
  - {name: all, shares: [alpha], every: 1h, keep: {last: 3}}
"""
DAY = 86_400


def old(place: Place, count: int, share: str = "alpha", policy: str = "all") -> list[str]:
    """Give a share snapshots of ours, a day apart, the newest two days old; return their names."""
    nas = place.sim.nas
    made: list[str] = []
    for number in range(count):
        at = int(nas.clock.now()) - (number + 2) * DAY
        mark = Mark(policy, due=at // 60 * 60)
        made.append(nas.share(share).add_snapshot(at, str(mark)).name)
    return made


@pytest.fixture
def waiting(place: Place) -> tuple[Place, list[str]]:
    """Return a unit that was read before, with more victims than its brake lets go at once."""
    place.policy(POLICY)
    assert place.run("--yes").code == 0
    names = old(place, 12)
    return place, names


def digest(place: Place) -> str:
    """Return the digest under which something waits."""
    return place.run("approve").out.split()[0]


def left(place: Place) -> set[str]:
    """Return the names of what is on the share."""
    return {snapshot.name for snapshot in place.sim.nas.share("alpha").snapshots}


def trail(place: Place) -> list[dict[str, object]]:
    """Return every record."""
    with open_store("sqlite:///state.db", place.folder) as store:
        return [record.body for record in store.find(Wanted())]


def test_what_is_approved_goes_and_nothing_else(waiting: tuple[Place, list[str]]) -> None:
    """An approval lets exactly the listed deletions go; what joined since waits for another one."""
    place, names = waiting
    assert place.run("--yes").code == 3
    assert set(names) <= left(place)
    shown = digest(place)
    assert place.run("approve", shown).code == 64, "a reason is needed"
    ran = place.run("approve", shown, "--reason", "dailies cut", "--by", "ops@storage-1")
    assert ran.code == 0
    assert "10 snapshots of 1 target on box will be deleted" in ran.out
    assert "as ops@storage-1. The next pass deletes exactly these." in ran.out
    more = [place.sim.nas.share("alpha").add_snapshot(
        int(place.sim.nas.clock.now()) - (20 + n) * DAY,
        str(Mark("all", due=int(place.sim.nas.clock.now()) - (20 + n) * DAY)),
    ).name for n in range(12)]  # fmt: skip
    assert place.run("--yes").code == 3
    assert left(place).isdisjoint(names[2:])
    assert set(more) <= left(place), "what is new is measured against the brakes anew"
    approved = [record for record in trail(place) if record["event"] == "approved"]
    assert approved[0]["reason"] == "dailies cut"
    assert approved[0]["who"] == {"kind": "command line", "name": "ops@storage-1"}


def test_nothing_waits_and_wrong_digests(waiting: tuple[Place, list[str]]) -> None:
    """A digest that is too short, or of another list, is a usage error; nothing is approved."""
    place, _ = waiting
    assert place.run("approve", "ab", "--reason", "x").code == 64
    wrong = place.run("approve", "0000000000", "--reason", "x")
    assert (wrong.code, "nothing waits under" in wrong.err) == (64, True)
    place.run("approve", digest(place), "--reason", "x")
    assert place.run("approve").out == "Nothing waits for an approval.\n"


def test_a_saved_plan_is_shown_and_applied_exactly(waiting: tuple[Place, list[str]]) -> None:
    """`--save`, `show` without a NAS, `apply --approve`: then the plan is done, twice is done."""
    place, names = waiting
    saved = place.run("--dry-run", "--save", "plan.json")
    assert saved.code == 0
    assert "Next: reconcile apply plan.json" not in saved.out, "nothing is free to run"
    shown = place.run("show", "plan.json")
    assert shown.code == 0
    assert "10 deletions wait" in shown.out
    json_form = place.run("show", "plan.json", "-o", "json")
    assert json.loads(json_form.out) == json.loads((place.folder / "plan.json").read_text("utf-8"))
    assert place.run("apply", "plan.json").code == 3
    assert set(names) <= left(place)
    assert place.run("apply", "plan.json", "--reason", "x").code == 64
    ran = place.run("apply", "plan.json", "--approve", "--reason", "STO-1")
    assert ran.code == 0, ran.out + ran.err
    assert left(place).isdisjoint(names[2:])
    again = place.run("apply", "plan.json")
    assert (again.code, "were done already" in again.err) == (0, True)


def test_a_stale_plan_is_refused_whole(waiting: tuple[Place, list[str]]) -> None:
    """Other policies, another unit, or an edited file: 5 or 4, and nothing is done."""
    place, names = waiting
    place.run("--dry-run", "--save", "plan.json")
    place.policy(POLICY.replace("last: 3", "last: 4"))
    ran = place.run("apply", "plan.json", "--approve", "--reason", "x")
    assert (ran.code, "have changed since" in ran.err) == (5, True)
    place.policy(POLICY)
    document = (place.folder / "plan.json").read_text("utf-8")
    (place.folder / "plan.json").write_text(document.replace('"kept": 3', '"kept": 2'), "utf-8")
    assert place.run("apply", "plan.json").code == 4
    (place.folder / "plan.json").write_text(document, "utf-8")
    place.sim.nas.clock.advance(2 * DAY)
    for text in ("", "[1]", "{}", "nonsense"):
        (place.folder / "bad.json").write_text(text, "utf-8")
        assert place.run("show", "bad.json").code == 4
    assert place.run("show", "none.json").code == 4
    assert set(names) <= left(place)
    assert place.run("--yes", "--save", "x.json").code == 64


def test_a_target_whose_victim_changed_is_refused_alone(waiting: tuple[Place, list[str]]) -> None:
    """A victim that somebody touched since refuses its target with exit 3; nothing of it goes."""
    place, names = waiting
    place.run("--dry-run", "--save", "plan.json")
    snapshot = place.sim.nas.share("alpha").snapshot(names[5])
    assert snapshot is not None
    snapshot.locked = True
    ran = place.run("apply", "plan.json", "--approve", "--reason", "x")
    assert ran.code == 3
    assert f"refused  box/share/alpha: {names[5]} was changed since" in ran.err
    assert set(names) <= left(place)


def test_each_write_has_its_records_and_the_trail_verifies(place: Place) -> None:
    """P14: an intent and a verified outcome for each write, chained; refusals leave no outcome."""
    assert place.run("--yes").code == 0
    records = trail(place)
    events = [(r["event"], r["verb"]) for r in records if r["verb" if "verb" in r else "event"]]
    assert events == [("intent", "create"), ("outcome", "create")] * 3
    assert [r["intent"] for r in records if r["event"] == "outcome"] == [1, 3, 5]
    shown = place.run("audit", "show")
    assert "create outcome  share/alpha GMT" in shown.out
    assert place.run("audit", "show", "alpha", "-o", "json").out.count("\n") == 2
    verified = place.run("audit", "verify")
    assert (verified.code, verified.out.startswith("ok      box  6 records, head ")) == (0, True)


def test_a_damaged_export_is_found_at_its_record(place: Place) -> None:
    """A changed byte, a removed line, swapped records and a cut tail in an exported trail."""
    place.run("--yes")
    assert place.run("audit", "export", "--save", "trail.jsonl").code == 0
    assert place.run("audit", "export", "--heads", "--save", "heads.jsonl").code == 0
    path = place.folder / "trail.jsonl"
    whole = path.read_text("utf-8").splitlines(keepends=True)
    assert len(whole) == 6
    assert place.run("audit", "verify", "trail.jsonl", "--head", "heads.jsonl").code == 0
    cases = {
        2: [whole[0], whole[1].replace("alpha", "alphb"), *whole[2:]],
        3: [*whole[:2], *whole[3:]],
        1: [whole[1], whole[0], *whole[2:]],
        6: whole[:5],
    }
    for number, lines in cases.items():
        path.write_text("".join(lines), "utf-8")
        ran = place.run("audit", "verify", "trail.jsonl", "--head", "heads.jsonl")
        assert (ran.code, f"BROKEN  box  record {number}: " in ran.out) == (6, True), ran.out
    path.write_text("{}\n", "utf-8")
    assert place.run("audit", "verify", "trail.jsonl").code == 4
    assert place.run("audit", "verify", "nothing.jsonl").code == 4
    (place.folder / "heads.jsonl").write_text("[]\n", "utf-8")
    assert place.run("audit", "verify", "--head", "heads.jsonl").code == 4


def test_another_reconciler_at_work_is_exit_75(place: Place) -> None:
    """One runner per NAS: while another process has the unit, nothing is written, exit 75."""
    with FileLease(place.folder, place.sim.nas.serial, "box"):
        ran = place.run("--yes")
        assert ran.code == 75
        assert "another reconciler has box (pid " in ran.out + ran.err
        assert place.sim.writes == []
        assert place.run("--dry-run").code == 0, "looking is free"
    assert place.run("--yes").code == 0


def test_with_a_lost_state_the_first_deletions_wait_once(waiting: tuple[Place, list[str]]) -> None:
    """A NAS with snapshots of ours and a new store: a finding, and one approval lets them go."""
    place, _ = waiting
    place.policy(POLICY.replace("last: 3", "last: 12"))
    place.run("--yes")
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (place.folder / name).unlink(missing_ok=True)
    place.policy(POLICY.replace("last: 3", "last: 11"))
    ran = place.run("--yes")
    assert ran.code == 3
    assert "holds and pauses said at run time may have been lost" in " ".join(ran.out.split())
    place.run("approve", digest(place), "--reason", "the disk died")
    assert place.run("--yes").code == 0
    place.policy(POLICY.replace("last: 3", "last: 10"))
    assert place.run("--yes").code == 0, "settled for good"


KILLED = """
import os, signal, sys
from reconciler.cli import main
from reconciler.dsm.session import Session
from reconciler.store.store import Store

point, number = sys.argv[1], int(sys.argv[2])
seen = [0]

def at(place):
    def wrap(function):
        def run(*a, **k):
            counts = place != "request" or a[2] in ("create", "delete", "set", "sync",
                                                    "take_snapshot", "delete_snapshot")
            if place == "append":
                counts = any(f["event"] in ("intent", "outcome") for f in a[2])
            seen[0] += counts
            if counts and point == f"before-{place}" and seen[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*a, **k)
            if counts and point == f"after-{place}" and seen[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result
        return run
    return wrap

if point.endswith("append"):
    Store.append = at("append")(Store.append)
else:
    Session.call = at("request")(Session.call)
sys.exit(main(["--yes"]))
"""


@pytest.mark.parametrize(
    "point", ["before-append", "after-append", "before-request", "after-request"]
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_kill_at_a_write_boundary_loses_and_doubles_nothing(
    point: str, number: int, place: Place
) -> None:
    """Killed before the intent, after it, after the request, before the outcome: one snapshot each.

    After the restart no due time has two snapshots, none that should exist is missing, what was in
    doubt is settled, and the trail verifies.
    """
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(  # noqa: S603  the test's own script
        [sys.executable, "-c", KILLED, point, str(number)],
        cwd=place.folder, env=env, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    ran = place.run("--yes")
    assert ran.code == 0, ran.out + ran.err
    assert [len(share.snapshots) for share in place.sim.nas.shares] == [1, 1, 1]
    again = place.run("--dry-run", "--detailed-exitcode")
    assert again.code == 0, again.out
    with open_store("sqlite:///state.db", place.folder) as store:
        assert store.open_intents("box") == ()
        assert verify(store.find(Wanted()), {})[1] == []
