"""What a person says at run time: pause, resume, hold, unhold, snapshot, through the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reconciler.mark import Mark, parse
from reconciler.store import Wanted, open_store

if TYPE_CHECKING:
    from conftest import Place

POLICY = """version: 1
policies:
  - {name: all, shares: [alpha], luns: [disk], every: 1h, keep: {last: 3},
     brakes: {max_delete_percent: 50}}
"""
DAY = 86_400


@pytest.fixture
def steady(place: Place) -> tuple[Place, list[str]]:
    """Return a unit that was read before, with four old snapshots, two of them victims."""
    place.policy(POLICY)
    assert place.run("--yes").code == 0
    nas = place.sim.nas
    names: list[str] = []
    for number in range(4):
        at = int(nas.clock.now()) - (number + 2) * DAY
        names.append(nas.share("alpha").add_snapshot(at, str(Mark("all", due=at // 60 * 60))).name)
    return place, names


def left(place: Place, share: str = "alpha") -> set[str]:
    """Return the names of what is on a share."""
    return {snapshot.name for snapshot in place.sim.nas.share(share).snapshots}


def events(place: Place) -> list[str]:
    """Return the events of the trail, writes left out."""
    with open_store("sqlite:///state.db", place.folder) as store:
        found = [str(record.body["event"]) for record in store.find(Wanted())]
    return [event for event in found if event not in ("intent", "outcome")]


def test_a_pause_needs_no_nas_and_stops_every_write(steady: tuple[Place, list[str]]) -> None:
    """With the NAS away a pause is kept; nothing is written until resume; status says by whom."""
    place, names = steady
    place.configure(url="https://127.0.0.1:9")
    assert place.run("pause").code == 64, "a reason is needed"
    ran = place.run("pause", "--reason", "disk swap", "--by", "ann")
    assert (ran.code, "box: all writes paused by ann since" in ran.out) == (0, True)
    place.configure()
    before = left(place)
    assert place.run("--yes").code == 0
    assert left(place) == before
    shown = place.run("status", "--all").out
    assert "paused by ann since" in shown
    assert "disk swap" in place.run("--dry-run").out
    resumed = place.run("resume")
    assert "resumed paused by ann" in resumed.out
    assert place.run("--yes").code == 0
    assert set(names[2:]).isdisjoint(left(place))
    assert events(place) == ["paused", "resumed"]
    assert "disk swap" in place.run("audit", "show").out


def test_a_pause_of_deletions_that_ends(steady: tuple[Place, list[str]]) -> None:
    """With --deletes snapshots are still taken; a wrong length or unit is a usage error."""
    place, names = steady
    place.sim.nas.clock.advance(7500)
    assert place.run("pause", "--for", "3x", "--reason", "x").code == 64
    assert place.run("pause", "--nas", "none", "--reason", "x").code == 64
    assert place.run("pause", "--deletes", "--for", "3d", "--reason", "audit").code == 0
    before = left(place)
    assert place.run("--yes").code == 3
    assert before < left(place)
    assert set(names) < left(place)
    replaced = place.run("pause", "--deletes", "--reason", "longer")
    assert "this replaces what was paused" in replaced.err


def test_a_hold_of_one_snapshot(steady: tuple[Place, list[str]]) -> None:
    """A held victim stays, the others go; the list names it; unhold lets it go."""
    place, names = steady
    wrong = place.run("hold", "alpha/nonsense", "--reason", "x")
    assert (wrong.code, "is no snapshot of" in wrong.err) == (64, True)
    assert place.run("hold", "nowhere", "--reason", "x").code == 64
    ran = place.run("hold", f"alpha/{names[3]}", "--reason", "case 7", "--by", "ann")
    assert ran.code == 0
    (listed,) = json.loads(place.run("list", "holds", "-o", "json").out)
    assert listed["where"].startswith("not in the repository: by ann, ")
    assert (listed["nas"], listed["shares"]) == ("box", f"alpha/{names[3]}")
    assert place.run("--yes").code == 0
    assert names[3] in left(place)
    assert names[2] not in left(place)
    assert place.run("unhold", "alpha", "--reason", "x").code == 64, "none is on the whole"
    assert place.run("unhold", f"alpha/{names[3]}", "--reason", "closed").code == 0
    assert place.run("unhold", f"alpha/{names[3]}", "--reason", "closed").code == 64
    assert place.run("--yes").code == 0
    assert names[3] not in left(place)
    assert events(place) == ["held", "unheld"]


def test_a_hold_while_the_nas_is_away(steady: tuple[Place, list[str]]) -> None:
    """A unit that cannot be reached is held as the state remembers it, and that is said."""
    place, names = steady
    place.configure(url="https://127.0.0.1:9")
    ran = place.run("hold", "box/share/alpha", "--reason", "case 7")
    assert (ran.code, "box could not be read" in ran.err) == (0, True)
    place.configure()
    assert place.run("--yes").code == 0
    assert set(names) <= left(place)


@pytest.mark.parametrize("target", ["share/alpha", "lun/disk"])
def test_a_snapshot_asked_for(place: Place, target: str) -> None:
    """One is taken with the mark `asked`, serves no due time, and is asked for once a minute."""
    place.policy(POLICY)
    assert place.run("--yes").code == 0
    on = place.sim.nas.share("alpha") if target == "share/alpha" else place.sim.nas.luns[0]
    before = {s.name for s in on.snapshots}
    place.sim.nas.clock.advance(61)
    assert place.run("snapshot", target).code == 64, "a reason is needed"
    ran = place.run("snapshot", target, "--protect", "30d", "--reason", "upgrade", "--by", "ann")
    assert ran.code == 0, ran.out + ran.err
    (made,) = [s for s in on.snapshots if s.name not in before]
    mark = parse(made.description)
    assert mark is not None
    assert (mark.policy, mark.due) == ("all", None)
    assert mark.asked is not None
    assert "upgrade" in place.run("list", "holds").out
    with open_store("sqlite:///state.db", place.folder) as store:
        bodies = [record.body for record in store.find(Wanted())]
    (intent,) = [b for b in bodies if b["event"] == "intent" and "asked" in str(b["reasons"])]
    assert intent["reasons"] == ["asked for by ann: upgrade"]
    assert [b["event"] for b in bodies if b["event"] == "held"] == ["held"]
    place.sim.nas.clock.advance(7500)
    count = len(on.snapshots)
    assert place.run("--yes").code == 0
    assert len(on.snapshots) == count + 1, "the due time is served by a snapshot of its own"


def test_a_snapshot_that_is_refused(place: Place) -> None:
    """Without a policy, or suspended, or paused: refused, nothing is taken."""
    place.policy(POLICY)
    assert place.run("--yes").code == 0
    ran = place.run("snapshot", "gamma", "--reason", "x")
    assert (ran.code, "no policy owns it" in ran.err) == (64, True)
    before = left(place)
    assert place.run("pause", "--reason", "disk swap").code == 0
    place.sim.nas.clock.advance(61)
    paused = place.run("snapshot", "alpha", "--reason", "x")
    assert (paused.code, "disk swap" in paused.err) == (1, True)
    assert left(place) == before
    assert place.run("snapshot", "alpha", "--protect", "6x", "--reason", "x").code == 64


def test_a_snapshot_is_never_immutable(place: Place) -> None:
    """Whatever the policy says, one that is asked for is not immutable."""
    place.policy(POLICY.replace("luns: [disk], ", "immutable: 2d, "))
    assert place.run("--yes").code == 0
    place.sim.nas.clock.advance(61)
    before = left(place)
    assert place.run("snapshot", "alpha", "--reason", "x").code == 0
    (made,) = [s for s in place.sim.nas.share("alpha").snapshots if s.name not in before]
    assert not made.immutable_until
