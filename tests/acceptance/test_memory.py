"""What a pass leaves behind: serials, names, what vanished; a dry run leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.store import open_store

if TYPE_CHECKING:
    from conftest import Place

HOURLY = """version: 1
policies:
  - {name: all, shares: [alpha, beta], every: 1h, keep: {last: 24}}
"""


def test_another_unit_behind_the_same_name_is_left_alone(place: Place) -> None:
    """P20: the serial seen first is remembered; another one is another unit, and untouched."""
    assert place.run("--yes").code == 0
    before = len(place.sim.nas.share("alpha").snapshots)
    place.sim.nas.serial = "2150OTHER"
    place.sim.nas.clock.advance(7200)
    ran = place.run("--yes")
    assert ran.code == 1
    assert "it is another unit: serial 2150OTHER, until now it was" in ran.out + ran.err
    assert len(place.sim.nas.share("alpha").snapshots) == before


def test_a_dry_run_remembers_nothing(place: Place) -> None:
    """`--dry-run` leaves the memory as it was: a first look commits to no serial."""
    assert place.run("--dry-run").code == 0
    with open_store("sqlite:///state.db", place.folder) as store:
        assert store.unit("box").serials == ()
    place.sim.nas.serial = "2150OTHER"
    assert place.run("--yes").code == 0


def test_a_renamed_share_shows_its_old_name_and_the_line_to_edit(place: Place) -> None:
    """A renamed share that no policy matches is orphaned, with its old name and the line."""
    place.policy(HOURLY)
    assert place.run("--yes").code == 0
    place.sim.nas.share("alpha").name = "omega"
    ran = place.run("--dry-run")
    assert "share/omega" in ran.out
    assert "it was alpha (same uuid); 1 snapshot of ours" in ran.out
    assert "add omega to policies/all.yaml:3 (shares)" in ran.out


def test_a_snapshot_of_ours_that_somebody_deleted_is_told(place: Place) -> None:
    """One of ours gone without a record makes its target drifted; one we deleted does not."""
    place.policy(HOURLY)
    assert place.run("--yes").code == 0
    place.sim.nas.share("beta").snapshots.clear()
    assert "held 1 snapshot at the last pass" in place.run("--dry-run").out
    assert place.run("--yes").code == 1
    assert place.run("--yes").code == 0
    ran = place.run("--dry-run", "-o", "json")
    assert "1 snapshot of ours is gone without a record" in ran.out
    assert '"state": "drifted"' in ran.out


def test_one_unit_under_two_names_is_refused_also_one_at_a_time(place: Place) -> None:
    """P12: two entries that report one serial are an error, also where a run names one of them."""
    text = (place.folder / "reconciler.yaml").read_text("utf-8")
    unit = text[text.index("  box:") :]
    (place.folder / "reconciler.yaml").write_text(text + unit.replace("box:", "other:", 1), "utf-8")
    place.policy(HOURLY.replace("shares:", 'nas: "*", shares:'))
    assert place.run("--yes", "--nas", "box").code == 0
    ran = place.run("--yes", "--nas", "other")
    assert ran.code == 1
    assert "box and other are one unit" in ran.out
    both = place.run("--yes")
    assert (both.code, "box and other are one unit" in both.out) == (1, True)
    assert [len(share.snapshots) for share in place.sim.nas.shares] == [1, 1, 0]
