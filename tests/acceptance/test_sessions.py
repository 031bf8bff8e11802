"""Sessions that outlive a pass, against simulated units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.cli.settings import Settings
from reconciler.errors import Refusal
from reconciler.fleet import Fleet, sign_out
from reconciler.sessions import Sessions

if TYPE_CHECKING:
    from conftest import Place

    from reconciler.fleet import Run


def _lasting(run: Run, *, read_only: bool = False) -> Sessions:
    return Sessions(
        clock=run.clock, environment=run.environment, latches=run.store,
        read_only=read_only, lasting=True,
    )  # fmt: skip


def _pass(place: Place, run: Run, sessions: Sessions) -> bool:
    with Fleet(run, run.configuration.units, sessions=sessions) as fleet:
        looked = fleet.look()
        outcomes = fleet.apply(looked)
    del place
    return not any(one.plan.problem for one in looked) and not any(o.failed for o in outcomes)


def _signed_in(place: Place) -> int:
    return sum(session.ended is None for session in place.sim.nas.sessions.values())


def test_a_lasting_session_serves_many_passes_and_is_signed_out_at_the_end(place: Place) -> None:
    """Two passes sign in once; the end signs out."""
    settings = Settings("reconciler.yaml")
    run = settings.run(settings.policies())
    sessions = _lasting(run)
    assert _pass(place, run, sessions)
    assert _pass(place, run, sessions)
    assert _signed_in(place) == 1
    sign_out(sessions)
    assert _signed_in(place) == 0


def test_a_session_that_dsm_ended_between_passes_signs_in_again(place: Place) -> None:
    """The pass after DSM forgot the session succeeds with a second sign-in."""
    settings = Settings("reconciler.yaml")
    run = settings.run(settings.policies())
    sessions = _lasting(run)
    assert _pass(place, run, sessions)
    place.sim.nas.sessions.clear()
    assert _pass(place, run, sessions)
    assert _signed_in(place) == 1
    sign_out(sessions)
    assert _signed_in(place) == 0


def test_a_new_password_ends_the_session_of_the_old_one(place: Place) -> None:
    """A credential that changed is used at the next pass; the old session is signed out."""
    settings = Settings("reconciler.yaml")
    run = settings.run(settings.policies())
    sessions = _lasting(run)
    assert _pass(place, run, sessions)
    place.sim.nas.password = "another-one"
    (place.folder / "box.password").write_text("another-one", encoding="utf-8")
    assert _pass(place, run, sessions)
    assert _signed_in(place) == 1
    sign_out(sessions)


def test_a_pass_that_fails_leaves_no_session(place: Place) -> None:
    """Where a unit could not be read, the next pass asks anew what it offers."""
    settings = Settings("reconciler.yaml")
    run = settings.run(settings.policies())
    sessions = _lasting(run)
    assert _pass(place, run, sessions)
    (place.folder / "box.password").unlink()
    assert not _pass(place, run, sessions)
    assert sessions.names() == ()
    assert _signed_in(place) == 0


def test_what_only_reads_hands_out_nothing_that_writes(place: Place) -> None:
    """Sessions for reading refuse a writer, whoever asks."""
    settings = Settings("reconciler.yaml")
    run = settings.run(settings.policies())
    sessions = _lasting(run, read_only=True)
    with Fleet(run, run.configuration.units, sessions=sessions) as fleet:
        fleet.look()
    with pytest.raises(Refusal):
        sessions.writer("box")
    sign_out(sessions)
    del place


def test_a_serial_that_another_entry_reported_is_not_written_to(place: Place) -> None:
    """P12 holds also where each unit has passes of its own: the other entry's serial counts."""
    settings = Settings("reconciler.yaml")
    run = settings.run(settings.policies())
    sessions = _lasting(run)
    serials = {"twin": place.sim.nas.serial}
    with Fleet(run, run.configuration.units, sessions=sessions, serials=serials) as fleet:
        looked = fleet.look()
        fleet.apply(looked)
    assert looked[0].plan.problem.startswith("twin and box are one unit")
    assert not place.sim.writes
    sign_out(sessions)
