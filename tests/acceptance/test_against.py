"""`lint` with what is on the units: what no policy covers, what fits nothing, what is contended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Place

_POLICIES = """version: 1
policies:
  - {name: one, shares: ["al*"], every: 1h, keep: {last: 9}, timezone: UTC}
  - {name: two, shares: ["*pha", betta], every: 1h, keep: {last: 9}, timezone: UTC}
"""


def _findings(place: Place, *options: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in json.loads(place.run("lint", "-o", "json", *options).out):
        found.setdefault(one["code"], []).append(one["text"])
    return found


def test_a_saved_observation_is_linted_against_offline(place: Place) -> None:
    """What `list --save` wrote tells lint, without the NAS, what no policy covers and contends."""
    saved = place.run("list", "shares", "--save", "seen.json")
    assert (saved.code, "1 unit saved to seen.json" in saved.err) == (0, True)
    place.policy(_POLICIES)
    place.sim.stop()
    found = _findings(place, "--against", "seen.json")
    assert found["uncovered"] == [
        "box: 2 shares without a policy: beta, gamma", "box: 1 LUN without a policy: disk",
    ]  # fmt: skip
    assert found["missing"] == ["`betta` fits no share"]
    contended = (
        "policies one (policies/all.yaml:3) and two (policies/all.yaml:4) select "
        "box/share/alpha with one priority, 0"
    )
    assert found["contended"] == [contended, contended]
    text = place.run("lint", "--against", "seen.json")
    assert text.code == 4
    assert "note[uncovered]: box: 2 shares without a policy: beta, gamma" in text.out
    assert "Nothing was contacted." in text.out


def test_no_secret_is_saved(place: Place) -> None:
    """The saved file holds neither address nor account nor password."""
    place.run("list", "snapshots", "--save", "seen.json")
    text = (place.folder / "seen.json").read_text(encoding="utf-8")
    for secret in (place.sim.url, place.sim.nas.account, place.sim.nas.password, "hunter2"):
        assert secret not in text


def test_without_an_inventory_the_saved_units_stand_for_it(place: Place) -> None:
    """With paths and no reconciler.yaml the units of the observation are the inventory."""
    place.run("list", "shares", "--save", "seen.json")
    place.policy(_POLICIES)
    (place.folder / "reconciler.yaml").unlink()
    assert "contended" in _findings(place, "policies", "--against", "seen.json")


def test_strict_makes_a_warning_fail_and_a_note_never(place: Place) -> None:
    """`--strict` fails on an entry that fits nothing, not on a target without a policy."""
    place.run("list", "shares", "--save", "seen.json")
    whole = _POLICIES.replace('["*pha", betta]', "[beta]")
    place.policy(whole)
    assert place.run("lint", "--strict", "--against", "seen.json").code == 0
    place.policy(whole.replace("[beta]", "[beta, betta]"))
    assert place.run("lint", "--against", "seen.json").code == 0
    assert place.run("lint", "--strict", "--against", "seen.json").code == 4


def test_github_annotations_stand_at_their_lines(place: Place) -> None:
    """Each finding is one workflow command; one of a unit stands at no line."""
    place.run("list", "shares", "--save", "seen.json")
    place.policy(_POLICIES)
    lines = place.run("lint", "-o", "github", "--against", "seen.json").out.splitlines()
    assert lines[0].startswith("::notice title=uncovered::box: 2 shares")
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)
    missing = next(line for line in lines if "title=missing" in line)
    assert missing.startswith("::warning title=missing,file=policies/all.yaml,line=4,col=")


def test_a_unit_that_no_policy_selects_is_told(place: Place) -> None:
    """With the inventory alone lint tells of a unit that no policy selects."""
    place.policy(_POLICIES.replace("shares:", "nas: other, shares:"))
    assert _findings(place)["unit-uncovered"] == ["no policy selects the unit box"]


def test_files_are_not_saved(place: Place) -> None:
    """`--save` with what stands in files, and a place that cannot be written, are refused."""
    assert place.run("list", "policies", "--save", "x.json").code == 64
    assert place.run("list", "shares", "--save", "no/such/x.json").code == 4
    assert place.run("lint", "--against", "absent.json").code == 4
