"""`reconcile forecast` on a user's own repository, with nothing contacted."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Place


def test_forecast_is_offline_in_every_form(place: Place) -> None:
    """Text, JSON, page and picture come from the policy alone; the NAS hears nothing."""
    for form, begins in (("text", "policy all"), ("html", "<!doctype"), ("svg", "<svg ")):
        ran = place.run("forecast", "all", "--for", "7d", "-o", form)
        assert (ran.code, ran.out.startswith(begins)) == (0, True)
    span = "2026-11-25..2026-11-26T12:00"
    ran = place.run(
        "forecast",
        "all",
        "--now",
        "2026-11-23T11:00",
        "--outage",
        span,
        "--for",
        "7d",
        "-o",
        "json",
    )
    assert len(json.loads(ran.out)["missed"]) == 36
    assert place.run("forecast", "all", "--compare", "all").code == 0
    assert place.sim.http_requests == 0


THEN = """version: 1
policies:
  - {name: all, shares: ["*"], every: 1h, keep: {last: 24, daily: 7}}
"""


@pytest.mark.parametrize(
    "words",
    [
        ("al",),
        ("all", "--for", "6 months"),
        ("all", "--for", "520w", "--for", "600w"),
        ("all", "--outage", "2026-11-25"),
        ("all", "--outage", "2026-11-25..2026-11-24"),
        ("all", "--outage", "soon..later"),
        ("all", "--compare", "all", "-o", "svg"),
    ],
)
def test_wrong_words_are_usage_errors(place: Place, words: tuple[str, ...]) -> None:
    """A policy, a length or a span that cannot be read is said in a sentence, exit 64."""
    ran = place.run("forecast", *words)
    assert ran.code == 64
    assert ran.err.startswith("error: ")


def test_a_policy_beside_itself_at_another_revision(place: Place) -> None:
    """`--compare REVISION` shows what a change costs; a word that is neither says so, exit 4."""

    def git(*words: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
        subprocess.run(["git", *identity, *words], cwd=place.folder, check=True)  # noqa: S603, S607

    place.policy(THEN)
    git("init", "-q", "-b", "main")
    git("add", "policies")
    git("commit", "-q", "-m", "more")
    place.policy(THEN.replace("last: 24", "last: 4"))
    ran = place.run("forecast", "all", "--compare", "main", "--for", "7d", "-o", "json")
    assert ran.code == 0, ran.err
    document = json.loads(ran.out)
    assert "all at main" in ran.out
    assert document
    for word in ("no-such-thing", "--help", "-x"):
        wrong = place.run("forecast", "all", f"--compare={word}")
        assert (wrong.code, "no revision of the git repository" in wrong.err) == (4, True)
    place.policy(THEN.replace("name: all", "name: other"))
    assert place.run("forecast", "other", "--compare", "main").code == 64
    assert place.sim.http_requests == 0


def test_another_revision_needs_a_repository(place: Place) -> None:
    """Where the policies are in no repository there is no other revision of them."""
    ran = place.run("forecast", "all", "--compare", "main")
    assert (ran.code, "no revision of the git repository" in ran.err) == (4, True)


def test_a_saved_history_is_what_the_forecast_begins_with(place: Place) -> None:
    """`--history` begins with what a unit held when it was saved, with nothing contacted."""
    place.policy(THEN)
    assert place.run("--yes").code == 0
    assert place.run("list", "shares", "--save", "seen.json").code == 0
    asked = place.sim.http_requests
    several = place.run("forecast", "all", "--history", "seen.json")
    assert (several.code, "several targets" in several.err) == (64, True)
    ran = place.run("forecast", "all", "--history", "seen.json", "--target", "alpha", "--for", "7d")
    assert ran.code == 0, ran.err
    assert "begun with the 1 snapshot of box/share/alpha of" in " ".join(ran.out.split())
    for words in (("--target", "alpha"), ("--history", "seen.json", "--target", "nope")):
        assert place.run("forecast", "all", *words).code == 64
    (place.folder / "bad.json").write_text("{}", "utf-8")
    for name in ("bad.json", "absent.json"):
        assert place.run("forecast", "all", "--history", name).code == 4
    assert place.sim.http_requests == asked
