"""The main job through the command: plan, apply, converge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from reconciler.simulator import Nas, generate

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place


def test_a_dry_run_writes_nothing_and_its_document_is_valid(place: Place) -> None:
    """`--dry-run -o json` gives a document valid against `schema plan`; the NAS is not changed."""
    ran = place.run("--dry-run", "-o", "json")
    assert ran.code == 0
    schema = json.loads(place.run("schema", "plan").out)
    document = json.loads(ran.out)
    Draft202012Validator(schema).validate(document)
    assert place.sim.writes == []


def test_a_pass_converges(place: Place) -> None:
    """After `--yes` a second dry run has nothing to do and exits 0 under --detailed-exitcode."""
    assert place.run("--dry-run", "--detailed-exitcode").code == 2
    assert place.run("--yes").code == 0
    assert [len(share.snapshots) for share in place.sim.nas.shares] == [1, 1, 1]
    ran = place.run("--dry-run", "--detailed-exitcode")
    assert (ran.code, "Nothing to do" in ran.out) == (0, True)


def test_every_session_is_signed_out(place: Place) -> None:
    """No session is left on the NAS, after a plan, a pass, and a pass that fails."""
    place.run("--dry-run")
    place.run("--yes")
    place.sim.nas.shares[0].busy = True
    place.run("--yes")
    assert [s for s in place.sim.nas.sessions.values() if s.ended is None] == []


def test_only_what_is_asked_for(place: Place) -> None:
    """--target narrows a pass to one share; one that fits nothing is a usage error."""
    assert place.run("--yes", "--target", "beta").code == 0
    assert [len(share.snapshots) for share in place.sim.nas.shares] == [0, 1, 0]
    assert place.run("--yes", "--target", "nope").code == 64
    assert place.run("--yes", "--policy", "nope").code == 64
    assert place.run("--nas", "nope", "--dry-run").code == 64


def test_two_policies_that_contend_stop_that_target_alone(place: Place) -> None:
    """A tie that only the NAS shows leaves that target alone; everything else runs."""
    place.policy(
        'version: 1\npolicies:\n  - {name: a, shares: ["*"], every: 1d}\n'
        "  - {name: b, shares: [bet?], every: 1d}\n"
    )
    ran = place.run("--yes")
    assert [len(share.snapshots) for share in place.sim.nas.shares] == [1, 0, 1]
    assert "CONTENDED" in place.run("--dry-run").out
    assert ran.code in (0, 1)


def test_two_hundred_shares_take_a_handful_of_requests(make_place: Callable[[Nas], Place]) -> None:
    """Reading 200 shares and 20 LUNs takes at most 12 requests after the sign-in."""
    place = make_place(generate(200, 5, 20, plans=0, name="box"))
    assert place.run("--dry-run").code == 0
    calls = [r for r in place.sim.requests if not r.member]
    after = [r for r in calls if r.method not in ("query", "login", "logout")]
    assert 1 <= len(after) <= 12


def test_words_that_do_not_go_together(place: Place) -> None:
    """Wrong usage is exit 64 with a sentence, before anything is contacted."""
    for words in (
        ["--detailed-exitcode"],
        ["--yes", "--dry-run"],
        ["--now", "2026-01-01"],
        ["nop"],
    ):
        ran = place.run(*words)
        assert ran.code == 64
        assert ran.err.startswith("error: ")
    assert place.sim.http_requests == 0


def test_explain_and_list_say_what_is_there(place: Place) -> None:
    """`explain` and `list` show the live state and the policy's lines."""
    place.run("--yes")
    told = place.run("explain", "alpha")
    assert told.code == 0
    assert "policies/all.yaml:5" in told.out
    for kind in ("shares", "luns", "snapshots", "replications", "policies", "holds"):
        assert place.run("list", kind).code == 0
    assert place.run("explain", "alpha/2020-01-01T00:00").code == 64
