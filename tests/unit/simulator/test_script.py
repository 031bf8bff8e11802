"""Faults written in a file or sent while the simulator runs, and other actors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from reconciler.cli import main
from reconciler.simulator import Fault, ScriptError, Simulator, parse_script, read_script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Door

    from reconciler.simulator import Nas

API = "Core.Share.Snapshot"


def test_a_file_of_faults(tmp_path: Path) -> None:
    """A file holds faults in their order, with the fields of a fault, and a seed."""
    path = tmp_path / "faults.yaml"
    path.write_text(
        "seed: 7\nfaults:\n"
        "  - {kind: error, code: 3328, method: delete, times: 2}\n"
        "  - {kind: delay, seconds: 0.5, times: null, chance: 0.1}\n"
        "  - {kind: partial, names: [a, b]}\n"
        "  - {kind: actor, act: swap, target: projects, to: media, after: 20}\n"
    )
    script = read_script(path)
    assert script.seed == 7
    assert [fault.kind for fault in script.faults] == ["error", "delay", "partial", "actor"]
    error, delay, partial, actor = script.faults
    assert (error.code, error.method, error.times) == (3328, "delete", 2)
    assert (delay.seconds, delay.times, delay.chance) == (0.5, None, 0.1)
    assert partial.names == ("a", "b")
    assert (actor.act, actor.target, actor.to, actor.after) == ("swap", "projects", "media", 20)


@pytest.mark.parametrize(
    "text", ["[{kind: html}]", "{kind: html}", '{"faults": [{"kind": "html"}]}']
)
def test_short_forms(text: str) -> None:
    """A list of faults alone, one fault alone, and JSON are enough."""
    script = parse_script(text, "faults")
    assert [fault.kind for fault in script.faults] == ["html"]
    assert script.seed is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f:1: it is empty"),
        ("seed: 1\nfaults:\n  - {kind: eror}", "f:3: `kind` is one of error, html"),
        ("- kind: error\n  kode: 5", "f:2: `kode` is not known; known are act, after"),
        ("- kind: error\n  code: lots", "f:2: `code` is a whole number"),
        ("- kind: error\n  code: true", "f:2: `code` is a whole number"),
        ("- kind: error\n  kind: html", "f:2: `kind` is written twice"),
        ("- {kind: error, times: 0}", "f:1: `times` is 1 or more, or null"),
        ("- {kind: error, chance: 1.5}", "f:1: `chance` is above 0, at most 1"),
        ("- {kind: partial, names: a}", "f:1: `names` is a list of texts"),
        ("- {code: 5}", "f:1: `kind` is missing"),
        ("- {kind: actor, target: a}", "f:1: an actor needs `act`"),
        ("- {kind: actor, act: lock}", "f:1: an actor needs `target`"),
        ("- {kind: actor, act: swap, target: a}", "f:1: an actor needs `to`"),
        ("- error", "f:1: a fault is written {kind: …}"),
        ("seed: x\nfaults: []", "f:1: `seed` is a whole number"),
        ("faults: error", "f:1: a list of faults is expected"),
        ("sead: 1", "f:1: `sead` is not known; `seed` and `faults` are"),
        ("- {kind: error", "f:1: no YAML: "),
        ("- {kind: !!python/name:os.system x}", "f:1: no YAML: "),
        ("- \x00", "f: no YAML: "),
        ("#" * 2_000_000, "f: longer than 1 MiB"),
    ],
)
def test_faults_that_cannot_be_read(text: str, message: str) -> None:
    """Bad input is one clear line: where, and what is wrong."""
    with pytest.raises(ScriptError) as caught:
        parse_script(text, "f")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_the_command_refuses_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`reconcile simulator --faults` with a bad or missing file is a user's error, exit 4."""
    path = tmp_path / "faults.yaml"
    path.write_text("- {kind: nothing}\n")
    for name, told in ((path, f"{path}:1: `kind` is one of"), (tmp_path / "no", "cannot be read")):
        assert main(["simulator", "--port", "0", "--faults", str(name)]) == 4
        assert told in capsys.readouterr().err


def test_the_help_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    """`reconcile simulator --help` shows a file of faults and how to send one."""
    assert main(["simulator", "--help"]) == 0
    text = capsys.readouterr().out
    for kind in ("reset_after", "clock_jump", "double_listing", "swap", "/simulator/faults"):
        assert kind in text


def test_the_help_names_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """No kind of fault, and no act of another actor, is missing from the help."""
    from typing import get_args

    from reconciler.simulator.faults import Act, Kind

    assert main(["simulator", "--help"]) == 0
    words = capsys.readouterr().out.replace(",", " ").replace(")", " ").split()
    assert set(get_args(Kind)) | set(get_args(Act)) <= set(words)


@pytest.fixture
def sim(nas: Nas) -> Iterator[Simulator]:
    """Yield a running simulator without TLS."""
    with Simulator(nas, tls=False) as running:
        yield running


def send(sim: Simulator, method: str, text: str = "") -> requests.Response:
    """Send a request to the door for faults."""
    session = requests.Session()
    session.trust_env = False
    with session:
        return session.request(method, f"{sim.url}/simulator/faults", data=text, timeout=10)


def test_faults_over_http(sim: Simulator) -> None:
    """Faults are added, listed and dropped while it runs; a bad text adds none and says why."""
    added = send(sim, "POST", "{kind: error, method: create, code: 3328}")
    assert added.status_code == 200
    assert [fault["code"] for fault in added.json()["faults"]] == [3328]
    refused = send(sim, "POST", "[{kind: html}, {kind: nothing}]")
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("faults:1: `kind` is one of")
    assert len(sim.faults) == 1
    (listed,) = send(sim, "GET").json()["faults"]
    assert (listed["kind"], listed["used"]) == ("error", 0)
    assert send(sim, "DELETE").json() == {"faults": []}
    assert sim.http_requests == 0, "the door is no part of DSM"


def test_a_slow_drip(sim: Simulator) -> None:
    """A dripping answer arrives whole, in pieces over the time that was asked for."""
    sim.inject(Fault(kind="drip", seconds=0.2))
    query = {"api": "SYNO.API.Info", "method": "query", "version": "1", "query": "all"}
    began = time.monotonic()
    answer = requests.post(f"{sim.url}/webapi/query.cgi", data=query, timeout=10)
    assert answer.json()["success"]
    assert time.monotonic() - began >= 0.2


def test_chances_repeat_themselves(door: Door) -> None:
    """A chance meets the same calls with the same seed, others with another, and not all."""

    def row(seed: int) -> list[int]:
        door.dispatcher.faults.clear()
        door.dispatcher.faults.seed(seed)
        door.inject(kind="error", method="list", code=117, chance=0.3, times=None)
        return [door.code("Core.Share", "list") for _ in range(40)]

    assert row(1) == row(1)
    assert row(1) != row(2)
    assert 0 < row(1).count(117) < 40


def test_a_doubled_listing(door: Door, nas: Nas) -> None:
    """A doubled list names rows twice, and its total agrees with what it shows."""
    for second in range(3):
        nas.share("projects").add_snapshot(nas.clock.now() - second)
    door.inject(kind="double_listing", method="list", rows=2)
    answer = door.data(API, "list", 2, name="projects")
    names = [row["time"] for row in answer["snapshots"]]
    assert (len(names), len(set(names)), answer["total"]) == (5, 3, 5)


def test_a_clock_that_jumps(door: Door, nas: Nas) -> None:
    """The clock jumps right before the call, which then sees the new time."""
    door.inject(kind="clock_jump", method="create", seconds=-3600)
    assert door.data(API, "create", name="projects") == "GMT+01-2026.11.24-11.00.00"
    assert nas.clock.now() == 1795514400.0


def snapshots(nas: Nas) -> dict[str, tuple[bool, str]]:
    """Return lock and description of each snapshot of the share, by its name."""
    return {s.name[-8:]: (s.locked, s.description) for s in nas.share("projects").snapshots}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"act": "lock"}, {"11.00.00": (False, "old"), "11.30.00": (True, "new")}),
        (
            {"act": "lock", "snapshot": "oldest"},
            {"11.00.00": (True, "old"), "11.30.00": (False, "new")},
        ),
        (
            {"act": "describe", "snapshot": "GMT+01-2026.11.24-11.30.00", "to": "x"},
            {"11.00.00": (False, "old"), "11.30.00": (False, "x")},
        ),
        ({"act": "delete", "snapshot": "oldest"}, {"11.30.00": (False, "new")}),
        (
            {"act": "create", "to": "x"},
            {"11.00.00": (False, "old"), "11.30.00": (False, "new"), "12.00.00": (False, "x")},
        ),
        (
            {"act": "delete", "snapshot": "no such"},
            {"11.00.00": (False, "old"), "11.30.00": (False, "new")},
        ),
    ],
)
def test_another_actor(door: Door, nas: Nas, fault: dict[str, Any], expected: Any) -> None:
    """What somebody else does to a snapshot is done before the call, which then goes on."""
    share = nas.share("projects")
    share.add_snapshot(nas.clock.now() - 3600, "old")
    share.add_snapshot(nas.clock.now() - 1800, "new")
    door.inject(kind="actor", target="projects", method="list", **fault)
    listed = door.names()
    assert snapshots(nas) == expected
    assert [name[-8:] for name in listed] == sorted(expected)


def test_an_actor_unlocks_and_takes_twice(door: Door, nas: Nas) -> None:
    """A lock is taken off again; a second snapshot of one second is not made."""
    nas.share("projects").add_snapshot(nas.clock.now(), locked=True)
    door.inject(kind="actor", act="unlock", target="projects")
    door.inject(kind="actor", act="create", target="projects")
    assert len(door.names()) == 1
    assert len(door.names()) == 1
    assert snapshots(nas) == {"12.00.00": (False, "")}


def test_an_actor_at_a_lun(door: Door, nas: Nas) -> None:
    """A LUN's snapshots are taken and deleted by somebody else as a share's are."""
    lun = nas.lun("LUN-1")
    door.inject(kind="actor", act="create", target="LUN-1", to="by hand")
    door.code("Core.Share", "list")
    (taken,) = lun.snapshots
    assert taken.description == "by hand"
    door.inject(kind="actor", act="delete", target="LUN-1", snapshot=taken.uuid)
    door.inject(kind="actor", act="busy", target="LUN-1")
    door.inject(kind="actor", act="remove", target="LUN-1")
    door.inject(kind="actor", act="remove", target="LUN-1")
    for _ in range(4):
        door.code("Core.Share", "list")
    assert lun.snapshots == []
    assert nas.luns == []


def test_names_that_are_exchanged(door: Door, nas: Nas) -> None:
    """Two shares swap their names and one is renamed; their replication plans follow them."""
    first, second = nas.share("projects"), nas.add_share("media")
    plan = nas.add_plan("projects")
    door.inject(kind="actor", act="swap", target="projects", to="media")
    door.code("Core.Share", "list")
    assert (first.name, second.name, plan.target) == ("media", "projects", "media")
    door.inject(kind="actor", act="rename", target="media", to="archive")
    door.code("Core.Share", "list")
    assert (first.name, plan.target) == ("archive", "archive")
    door.inject(kind="actor", act="remove", target="archive")
    door.code("Core.Share", "list")
    assert nas.shares == [second]


def test_a_share_becomes_busy_and_free(door: Door) -> None:
    """A share that somebody else keeps busy answers 3328 until it is free."""
    door.inject(kind="actor", act="busy", target="projects")
    assert door.code(API, "create", name="projects") == 3328
    door.inject(kind="actor", act="free", target="projects")
    assert door.code(API, "create", name="projects") == 0
