"""A forecast as text, page and picture against golden files; UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest

from reconciler.calendar import every
from reconciler.duration import DAY, HOUR
from reconciler.forward.forecast import BEFORE, forecast, history
from reconciler.forward.rules import Outage, Rules
from reconciler.forward.run import run
from reconciler.model import Place
from reconciler.policy.future import rules_of
from reconciler.policy.model import Immutable, Policy
from reconciler.report.forecast import (
    Told,
    render_html,
    render_json,
    render_picture,
    render_text,
    timeline_of,
)
from reconciler.report.style import Style
from reconciler.report.timeline import Bar, Mark, Panel, Row, Timeline, render_svg
from reconciler.retention import Keep, Pick

sys.path.insert(0, str(Path(__file__).parent))

import plans

NOW = plans.NOW + 240
HOSTILE = 'a"><script>alert(1)</script>\x1b[2J\x00&<b>'
POLICY = Policy(
    "documents", Place("policies/home.yaml", 4), cadence=every("4h"),
    keep=Keep(last=48, daily=30, monthly=12), immutable=Immutable(7), rpo=8 * HOUR,
)  # fmt: skip
CHRISTMAS = Outage(plans.at("2026-12-24T00:00"), plans.at("2026-12-27T00:00"))


def told(policy: Policy = POLICY, *, days: int = 90, outages: tuple[Outage, ...] = ()) -> Told:
    """Run a policy forward from four past noon."""
    found = forecast(rules_of(policy, plans.AT), start=NOW, length=days * DAY, outages=outages)
    return Told(policy, found, 1024, "begun with what 400 days of the same policy leave")


@pytest.mark.parametrize("width", [100, 80])
def test_a_forecast_reads_as_its_golden_file(width: int) -> None:
    """Counts over time, how densely one can go back at the end, and what an outage costs."""
    text = render_text(told(outages=(CHRISTMAS,)), None, style=Style(width=width))
    plans.golden(f"forecast-{width}", text)
    assert "18 due times missed" in text
    assert max(len(line) for line in text.splitlines()) <= width


def test_a_comparison_puts_the_numbers_side_by_side() -> None:
    """What a change costs: both policies' numbers in each row."""
    other = replace(POLICY, name="thinner", keep=Keep(last=12, daily=14), immutable=None)
    plans.golden("forecast-compare", render_text(told(), told(other), style=Style(width=100)))


def test_the_picture_is_its_golden_file() -> None:
    """The picture of a policy with an outage: what was looked at in a browser stays so."""
    plans.golden("forecast-svg", render_picture(told(outages=(CHRISTMAS,))))


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    """No script, no reference, no event handler; whatever a name or a reason says is text."""
    policy = replace(POLICY, name=HOSTILE, suspended=HOSTILE)
    page = render_html(told(policy), told(policy))
    picture = render_picture(told(policy))
    for text in (page, picture):
        assert "<script" not in text
        assert "<b>" not in text
        assert "\x1b" not in text
        assert "\x00" not in text
        assert re.search(r"\s(href|src|on\w+)\s*=|url\((?!#)|@import", text) is None
    ET.fromstring(picture)  # noqa: S314  our own picture
    assert "Content-Security-Policy" in page
    assert page.count("<table>") == 2


def test_a_picture_says_in_words_what_it_shows() -> None:
    """The title holds the counts, so that a screen reader may skip the picture."""
    picture = ET.fromstring(render_picture(told(outages=(CHRISTMAS,))))  # noqa: S314  our own
    title = picture.findtext("{http://www.w3.org/2000/svg}title") or ""
    assert title == picture.get("aria-label")
    assert "80 to 82 snapshots" in title
    assert "18 missed" in title


def test_above_fifteen_hundred_marks_those_of_a_pixel_are_one() -> None:
    """Many marks are drawn once a pixel, and the pointer is told how many there are."""
    panel = Panel("a", 0, 100_000)
    few = Row("r", [Mark(n * 66, "disc", "one") for n in range(1500)])
    many = Row("r", [Mark(n * 66, "disc", "one") for n in range(1501)])
    drawn = [
        render_svg(Timeline("t", (panel,), (row,), 0, "now")).count('<circle class="disc"')
        for row in (few, many)
    ]
    assert drawn[0] == 1500 + 1
    assert drawn[1] < 900
    assert "2 snapshots" in render_svg(Timeline("t", (panel,), (many,), 0, "now"))


def test_every_shape_is_told_apart_without_colour() -> None:
    """Each shape and bar of the picture draws an element of its own form."""
    shapes = ("tick", "cross", "ring", "disc", "minus", "waits", "square", "M")
    row = Row("r", [Mark(n, shape) for n, shape in enumerate(shapes)], [Bar(0, 9, "unread")])
    svg = render_svg(Timeline("t", (Panel("a", 0, 10),), (row,), 5, "now", ((2, 3),), ((4, "x"),)))
    for shape in (*shapes[:-1], "letter", "unread", "outage"):
        assert f'class="{shape}"' in svg
    assert ">M</text>" in svg


def test_a_mark_outside_every_panel_is_not_drawn() -> None:
    """What no panel covers has no place in the picture."""
    row = Row("r", [Mark(99, "tick")], [Bar(50, 60, "solid")])
    svg = render_svg(Timeline("t", (Panel("a", 0, 10),), (row,), 99, "now"))
    assert svg.count('class="tick"') == 1  # the legend's
    assert svg.count('class="solid"') == 1
    assert "now</text>" not in svg


def test_the_json_form_holds_every_pass_and_snapshot() -> None:
    """A script finds each pass, each snapshot with its ends, what was missed and what late."""
    one = told(days=7, outages=(Outage(NOW + DAY, NOW + 2 * DAY),))
    document = json.loads(render_json(one, None))
    assert len(document["missed"]) == 5  # the sixth is made up when the outage ends
    assert len(document["late"]) == 1
    assert len(document["snapshots"]) == len(one.forecast.lives)
    assert sum(len(p["deleted"]) for p in document["passes"]) == sum(
        s["deleted"] is not None for s in document["snapshots"]
    )
    assert isinstance(json.loads(render_json(one, one)), list)


@pytest.mark.parametrize(
    "rules",
    [
        rules_of(POLICY, plans.AT),
        replace(rules_of(POLICY, plans.AT), pick=Pick.LATEST, min_keep=100, immutable_days=0),
        Rules(plans.AT, every("6h"), Keep(weekly=5), immutable_days=9, immutable_of=None),
        Rules(plans.AT, every("1h"), Keep(within=3 * DAY, daily=9), immutable_days=14,
              immutable_of=next(iter(Keep(daily=1).periods))[0]),
    ],
)  # fmt: skip
def test_the_synthetic_history_is_what_running_the_policy_leaves(rules: Rules) -> None:
    """What the rules keep of all due times at once is what they leave pass by pass."""
    passes = list(run(rules, now=NOW - BEFORE, until=NOW))
    gone = {member.time for one in passes for member in one.gone}
    taken = [one.taken for one in passes[1:] if one.taken is not None]
    left = [(m.time, max(m.immutable_until, NOW)) for m in taken if m.time not in gone]
    assert [(m.time, max(m.immutable_until, NOW)) for m in history(rules, NOW)] == left


def test_what_nothing_bounds_begins_empty() -> None:
    """Without `keep` there is no history to assume: the forecast begins with nothing."""
    endless = replace(POLICY, keep=None)
    assert told(endless, days=2).forecast.began_with == 0
    assert timeline_of(told(endless, days=2)).rows[0].bars


def test_a_year_of_quarter_hours_is_forecast_in_about_a_second() -> None:
    """A year of `every: 15m` with six rules, from a history of its own, to the finished text."""
    policy = replace(
        POLICY, cadence=every("15m"),
        keep=Keep(last=96, within=2 * DAY, hourly=48, daily=30, weekly=12, monthly=12),
    )  # fmt: skip
    took = []
    for _ in range(3):
        begun = process_time()
        render_text(told(policy, days=365), None, style=Style())
        took.append(process_time() - begun)
    assert min(took) < 2  # on a busy machine; 0.7 s alone
