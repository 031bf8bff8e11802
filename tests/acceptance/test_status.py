"""`reconcile status` on a live unit: exit codes, since when, the last good reading."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Place


def test_a_unit_as_promised_exits_0_after_its_first_pass(place: Place) -> None:
    """Before the first pass nothing was taken, so it is late; after it all is as promised."""
    before = place.run("status")
    assert before.code == 6
    assert "no snapshot of ours yet, promised 2 h" in before.out
    assert place.run("--yes").code == 0
    after = place.run("status")
    assert (after.code, after.err) == (0, "")
    assert after.out.startswith("box/share/alpha    compliant    newest ")
    assert place.run("status", "-q").out == "OK: 3 compliant; without a policy: 1 never had one\n"


def test_a_unit_that_cannot_be_read_shows_when_it_last_was(place: Place) -> None:
    """Unknown since the pass that found it so, with its last good reading; exit 1, never 0."""
    assert place.run("--yes").code == 0
    place.sim.stop()
    assert place.run("--yes").code == 1
    ran = place.run("status")
    assert ran.code == 1
    assert "UNKNOWN since " in ran.out
    assert "box, 3 targets" in ran.out
    assert ", last read " in ran.out
    document = json.loads(place.run("status", "-o", "json").out)
    assert document["counts"]["unknown"] == 3
    assert document["units"][0]["need"]["since"] is not None


def test_what_a_policy_names_and_no_unit_has_is_missing(place: Place) -> None:
    """A name without wildcard that is on no unit is missing, with its line and a guess."""
    place.policy(
        "version: 1\npolicies:\n"
        "  - {name: all, shares: [alpha, betta], every: 1h, keep: {last: 2}}\n"
    )
    place.run("--yes")
    ran = place.run("status")
    assert ran.code == 6
    assert "MISSING    policies/all.yaml:3: `betta` fits no share" in ran.out
    assert "next: is it beta?" in ran.out


def test_one_line_and_a_format_do_not_go_together(place: Place) -> None:
    """`-q` with `-o json` is a usage error."""
    assert place.run("status", "-q", "-o", "json").code == 64
