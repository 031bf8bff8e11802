"""What a person types and is asked: the question, the words that do not go together, the help."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from reconciler.cli import output
from reconciler.cli.root import _OCCASIONS, _VERBS
from reconciler.simulator import Nas

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that lets somebody sit at the terminal and type an answer."""

    def answer(text: str) -> None:
        monkeypatch.setattr(output, "interactive", lambda: True)
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return answer


def taken(place: Place) -> int:
    """Count the snapshots of the shares."""
    return sum(len(share.snapshots) for share in place.sim.nas.shares)


def test_the_question_is_asked_once(place: Place, asked: Callable[[str], None]) -> None:
    """On a terminal the plan is shown, nothing has been written yet, and a yes applies it."""
    asked("y\n")
    ran = place.run()
    assert ran.code == 0
    assert "Nothing has been written yet." in ran.out
    assert ran.out.count("Apply 3 actions?") == 1
    assert taken(place) == 3


def test_a_no_writes_nothing(place: Place, asked: Callable[[str], None]) -> None:
    """Without a yes nothing is written, no session is left, and that is no failure."""
    asked("\n")
    ran = place.run()
    assert ran.code == 0
    assert place.sim.writes == []
    assert [s for s in place.sim.nas.sessions.values() if s.ended is None] == []


def test_nothing_to_do_asks_nothing(place: Place, asked: Callable[[str], None]) -> None:
    """Where nothing is free to run, the plan is shown and nothing is asked."""
    place.run("--yes")
    asked("")
    ran = place.run()
    assert ran.code == 0
    assert "Nothing to do." in ran.out
    assert "?" not in ran.out


def test_nobody_can_be_asked_in_another_form(place: Place, asked: Callable[[str], None]) -> None:
    """On a terminal, --no-input and a form for programs each want --yes or --dry-run (64)."""
    asked("y\n")
    for words in (["--no-input"], ["-o", "json"], ["-o", "markdown"]):
        ran = place.run(*words)
        assert ran.code == 64
        assert "add --yes or --dry-run" in ran.err
    assert place.sim.http_requests == 0


def test_a_pass_as_markdown(place: Place) -> None:
    """`-o markdown` of a plan and of an applied pass are pages, not text for a terminal."""
    plan = place.run("--dry-run", "-o", "markdown").out
    assert plan.startswith("### Snapshot plan: 3 create\n\n#### box · ")
    done = place.run("--yes", "-o", "markdown").out
    assert done.startswith("### Snapshot pass: 3 created\n\n#### box · ")
    assert "<details><summary><b>3 shares: alpha, beta, gamma</b>" in done


def test_the_command_that_would_apply_can_be_pasted(place: Place) -> None:
    """The next command repeats what was chosen, quoted for a shell where it must be."""
    place.sim.nas.add_share("two words")
    ran = place.run("--dry-run", "--target", "two words", "--policy", "all", "--nas", "b*")
    last = ran.out.splitlines()[-1]
    assert last.endswith("Next: reconcile --nas 'b*' --target 'two words' --policy all")


def test_a_name_that_fits_nothing_or_several(make_place: Callable[[Nas], Place]) -> None:
    """A target that fits several is answered with all of them, one that fits none with a guess."""
    nas = Nas(name="box")
    nas.add_share("homes")
    nas.add_share("documents")
    nas.add_lun("homes")
    place = make_place(nas)
    several = place.run("explain", "homes")
    assert several.code == 64
    assert "`homes` fits 2 targets: box/share/homes, box/lun/homes" in several.err
    assert "did you mean `documents`?" in place.run("explain", "docments").err
    assert "fits no share or LUN that was read\n" in place.run("explain", "zzzzzz").err
    assert place.run("explain", "LUN/Homes").code == 0


def test_a_moment_that_is_none(place: Place) -> None:
    """--now wants a time, with an offset or in UTC, and plans as of it."""
    ran = place.run("--dry-run", "--now", "tomorrow")
    assert (ran.code, "is no time" in ran.err) == (64, True)
    assert (
        "Thu 24 Dec 2026 17:00, UTC"
        in place.run("--dry-run", "--now", "2026-12-24T18:00+01:00").out
    )
    assert "Thu 24 Dec 2026 18:00, UTC" in place.run("--dry-run", "--now", "2026-12-24T18:00").out


def test_an_entry_that_matches_nothing_is_said(place: Place) -> None:
    """A selector entry that fits nothing on any unit is a warning on stderr; the pass goes on."""
    place.policy('version: 1\npolicies:\n  - {name: all, shares: ["*", nowhere], every: 1d}\n')
    ran = place.run("--yes")
    assert "warning: " in ran.err
    assert "nowhere" in ran.err
    assert taken(place) == 3


def test_help_groups_the_verbs_by_occasion(place: Place) -> None:
    """`--help` lists each verb once, under its occasion, before the options."""
    ran = place.run("--help")
    assert ran.code == 0
    verbs, _, options = ran.out.partition("Options:")
    assert "--dry-run" in options
    lines = verbs.splitlines()
    for verb, (_, occasion, text) in _VERBS.items():
        assert sum(f" {verb} " in line and line.endswith(text) for line in lines) == 1
        assert occasion in _OCCASIONS
    assert [line[:13].strip() for line in lines if line[:13].strip() in _OCCASIONS] == list(
        _OCCASIONS
    )
    assert max(map(len, ran.out.splitlines())) <= 100
    assert "Did you mean `explain`?" in place.run("explian").err


@pytest.mark.parametrize(
    ("terminal", "environment", "width", "colour"),
    [
        (False, {}, 100, False),
        (True, {"COLUMNS": "80"}, 80, True),
        (True, {"COLUMNS": "300"}, 100, True),
        (True, {"COLUMNS": "80", "NO_COLOR": "1"}, 80, False),
        (True, {"COLUMNS": "80", "TERM": "dumb"}, 80, False),
    ],
)
def test_how_it_is_printed(
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    environment: dict[str, str],
    width: int,
    colour: bool,
) -> None:
    """100 columns at most and where there is no terminal; colour only on one that wants it."""
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    style = output.style()
    assert (style.width, style.colour) == (width, colour)
