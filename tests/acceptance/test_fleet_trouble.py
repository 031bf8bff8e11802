"""One unit's trouble of any kind is that unit's alone: it is named, the others are reconciled."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler import fleet
from reconciler.cli import main
from reconciler.cli.settings import Settings
from reconciler.execute.outcome import Result
from reconciler.inventory import secrets
from reconciler.simulator import Fault, Nas, Simulator
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.dsm import Clock, Writer
    from reconciler.execute import UnitOutcome
    from reconciler.reconcile import Looked

    Two = Callable[..., "Pair"]


class Pair:
    """Two units, of which `sick` has the trouble."""

    def __init__(self, sims: dict[str, Simulator], capture: pytest.CaptureFixture[str]) -> None:
        self.sims = sims
        self.capture = capture

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run `reconcile`; return its code, what it printed and what it remarked."""
        code = main(list(arguments))
        printed = self.capture.readouterr()
        return code, printed.out, printed.err

    def taken(self, name: str) -> int:
        """Return how many snapshots a unit holds."""
        return sum(len(share.snapshots) for share in self.sims[name].nas.shares)

    def assert_sick_alone(self, *texts: str) -> None:
        """Check that one pass names the sick unit with `texts`, and reconciles the other one."""
        code, out, _ = self.run("--yes")
        assert code == 1
        assert self.taken("well") == 2
        head = out.split("well ")[0]
        assert head.startswith("sick ")
        flat = " ".join(head.split())
        for text in texts:
            assert text in flat
        assert not [s for sim in self.sims.values() for s in sim.nas.sessions.values()
                    if s.ended is None]  # fmt: skip


@pytest.fixture
def two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Two]:
    """Return a function that writes the inventory of two units; `lines` stand under the sick."""
    monkeypatch.chdir(tmp_path)
    sims = {}
    for number, name in enumerate(("sick", "well")):
        nas = Nas(name=name, serial=f"21A0PAIR{number}", password="a-password-of-nobody")
        for share in ("a", "b"):
            nas.add_share(share)
        sims[name] = Simulator(nas, tls=False)
        sims[name].start()
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "all.yaml").write_text(
        'version: 1\npolicies:\n  - {name: all, nas: ["*"], shares: ["*"], every: 1h}\n', "utf-8"
    )
    secret = tmp_path / "password"
    secret.touch(mode=0o600)
    secret.write_text("a-password-of-nobody", encoding="utf-8")

    def make(lines: str = "") -> Pair:
        text = "version: 1\nnas_defaults: {account: svc-snapshots, password: {file: password}}\n"
        text += f"nas:\n  sick:\n    url: {sims['sick'].url}\n{lines}"
        text += f"  well:\n    url: {sims['well'].url}\n"
        (tmp_path / "reconciler.yaml").write_text(text, encoding="utf-8")
        return Pair(sims, capsys)

    yield make
    for sim in sims.values():
        sim.stop()


def test_a_secret_command_that_hangs(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that gives no secret in time makes its unit unknown, and says what to check."""
    monkeypatch.setattr(secrets, "_SECONDS", 0.3)
    pair = two("    password: {command: [sleep, '60']}\n")
    pair.assert_sick_alone(
        "! UNKNOWN sleep gave no secret within 0.3 s", "next run it by hand: it must answer"
    )


@pytest.mark.parametrize(
    ("lines", "fact", "cure"),
    [
        ("password: {command: ['true']}", "the output of true is empty", "put the secret there"),
        ("password: {command: [no-such-program]}", "no-such-program cannot be run", "first word"),
        ("password: {command: ['false']}", "false ended with 1", "run it by hand"),
        ("password: {env: NOT_SET_ANYWHERE}", "NOT_SET_ANYWHERE is not set", "write {file: …}"),
        ("password: {file: nowhere}", "secret file nowhere cannot be read", "write the secret"),
        ("serial: OTHER", "it is another unit: serial 21A0PAIR0", "if the unit was replaced"),
        ("url: http://127.0.0.1:1", "127.0.0.1:1 refuses the connection", "check that the NAS"),
    ],
)
def test_what_is_wrong_with_one_unit(two: Two, lines: str, fact: str, cure: str) -> None:
    """Whatever keeps one unit from being read is told with its cure, and stops no other one."""
    pair = two(f"    {lines}\n")
    if lines.startswith("url"):
        inventory = Path("reconciler.yaml")
        url = f"    url: {pair.sims['sick'].url}\n"
        inventory.write_text(inventory.read_text("utf-8").replace(url, "", 1), "utf-8")
    pair.assert_sick_alone(fact, cure)


def test_a_refused_sign_in(two: Two) -> None:
    """A unit that refuses the password is unknown; it is asked once."""
    pair = two()
    pair.sims["sick"].nas.password = "another"
    pair.assert_sick_alone("! UNKNOWN", "400")


def test_an_api_list_that_cannot_be_read(two: Two) -> None:
    """A unit that answers with a web page is unknown."""
    pair = two()
    pair.sims["sick"].inject(Fault(kind="html", times=None))
    pair.assert_sick_alone("answers with a web page")


def test_two_entries_for_one_unit_are_both_left_alone(two: Two) -> None:
    """Two entries that report one serial are neither written to, and both are named (P12)."""
    pair = two()
    pair.sims["sick"].nas.serial = pair.sims["well"].nas.serial
    code, out, _ = pair.run("--yes")
    assert code == 1
    assert out.count("sick and well are one unit: both report serial 21A0PAIR1") == 2
    assert pair.taken("sick") == pair.taken("well") == 0


def test_a_mistake_of_the_reconciler_while_reading(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw makes its unit unknown; where it was is logged, no values."""
    real, at_hand = fleet.look, "a secret value"

    def look(wish: fleet.Wish, reader: object, *, now: int | None) -> Looked:
        if wish.unit.name == "sick":
            raise KeyError(at_hand)
        return real(wish, reader, now=now)  # type: ignore[arg-type]  # the reader handed in

    monkeypatch.setattr(fleet, "look", look)
    pair = two()
    pair.assert_sick_alone("the reconciler itself went wrong here (KeyError)", "report it")
    _, _, err = pair.run("--dry-run")
    assert "unit.mistake" in err
    assert "a secret value" not in err


def test_a_mistake_of_the_reconciler_while_writing(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unforeseen error while one unit is written to loses nothing of what the others did."""
    real = fleet.apply

    def apply(
        looked: Looked, writer: Writer, clock: Clock, *, run: str, watch: Watch
    ) -> UnitOutcome:
        if looked.plan.nas == "sick":
            raise ZeroDivisionError
        return real(looked, writer, clock, run=run, watch=watch)

    monkeypatch.setattr(fleet, "apply", apply)
    two().assert_sick_alone("! STOPPED the reconciler itself went wrong here (ZeroDivisionError)")


def test_an_outcome_for_programs(two: Two) -> None:
    """`-o json` of an applied pass names each unit, why one was not read, and each action's end."""
    pair = two("    serial: OTHER\n")
    code, out, _ = pair.run("--yes", "-o", "json")
    assert code == 1
    document = json.loads(out)
    sick, well = document["units"]
    assert (sick["nas"], well["nas"]) == ("sick", "well")
    assert "another unit" in sick["problem"]
    assert "its new `serial`" in sick["next_step"]
    assert well["problem"] is None
    assert [(a["target"], a["verb"], a["result"]) for a in well["actions"]] == [
        ("a", "create", "done"),
        ("b", "create", "done"),
    ]
    assert document["waiting"] == 0


def test_units_are_written_to_beside_each_other(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """One slow unit keeps no other one waiting: both are at work at the same time."""
    real, both = fleet.apply, threading.Barrier(2, timeout=30)

    def apply(
        looked: Looked, writer: Writer, clock: Clock, *, run: str, watch: Watch
    ) -> UnitOutcome:
        both.wait()
        return real(looked, writer, clock, run=run, watch=watch)

    monkeypatch.setattr(fleet, "apply", apply)
    pair = two()
    assert pair.run("--yes")[0] == 0
    assert (pair.taken("sick"), pair.taken("well")) == (2, 2)


def test_never_more_than_eight_at_once() -> None:
    """However many units there are, at most eight are at work."""
    lock, at_work, most = threading.Lock(), [0], [0]
    full = threading.Barrier(fleet._AT_ONCE, timeout=30)

    def work(number: int) -> int:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        full.wait()
        with lock:
            at_work[0] -= 1
        return number

    assert fleet._at_once(work, range(24)) == tuple(range(24))
    assert most == [8]


class Stopping(Watch):
    """Asks to stop once `sent` creations have left this machine."""

    def __init__(self, sims: dict[str, Simulator], sent: int) -> None:
        self.sims = sims
        self.sent = sent

    def halted(self) -> bool:
        """Whether as many were sent."""
        return sum(r.method == "create" for s in self.sims.values() for r in s.writes) >= self.sent


@pytest.mark.parametrize("sent", [0, 1, 2, 3, 4])
def test_after_a_request_to_stop_no_write_is_sent(
    two: Two, monkeypatch: pytest.MonkeyPatch, sent: int
) -> None:
    """Whenever a run is asked to stop: each write sent is verified and told, no more are sent."""
    monkeypatch.setattr(fleet, "_AT_ONCE", 1)
    pair = two()
    settings = Settings("reconciler.yaml")
    units = settings.configuration.units
    run = settings.run(settings.policies())
    with fleet.Fleet(run, units, read_only=False) as looking:
        looked = looking.look()
        looking._watch = Stopping(pair.sims, sent)
        for writer in looking._sessions._writers.values():
            writer._session._watch = looking._watch
        outcomes = looking.apply(looked)
    done = [o for one in outcomes for o in one.outcomes if o.result is Result.DONE]
    assert len(done) == pair.taken("sick") + pair.taken("well") == sent
    assert any("interrupted" in one.problem for one in outcomes) == (sent < 4)
    assert all(s.ended is not None for sim in pair.sims.values()
               for s in sim.nas.sessions.values())  # fmt: skip


def test_a_unit_is_not_begun_after_a_request_to_stop(two: Two) -> None:
    """A unit that was not read yet is unknown, nothing is asked of it, and the reason is told."""
    pair = two()
    settings = Settings("reconciler.yaml")
    run = settings.run(settings.policies())
    with fleet.Fleet(run, settings.configuration.units, watch=Stopping(pair.sims, 0)) as halted:
        looked = halted.look()
    assert {one.plan.problem for one in looked} == {
        "the run was interrupted before this unit was read"
    }
    assert [sim.http_requests for sim in pair.sims.values()] == [0, 0]
