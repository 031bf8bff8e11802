"""`reconcile forecast` on a user's own repository, with nothing contacted."""

from __future__ import annotations

import json
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
