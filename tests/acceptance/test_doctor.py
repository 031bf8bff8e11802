"""`reconcile doctor` and `reconcile login`: what is wrong, its cure, and the way back in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from test_init import _ended, _terminal

from reconciler.simulator import Nas, Retention, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place

_SEED = "JBSWY3DPEHPK3PXP"


def _levels(place: Place, *words: str) -> tuple[int, dict[str, str]]:
    ran = place.run("doctor", "-o", "json", *words)
    (unit,) = json.loads(ran.out)
    rank = ["ok", "note", "problem"]
    found: dict[str, str] = {}
    for check in unit["checks"]:
        before = found.get(check["what"], "ok")
        found[check["what"]] = max(before, check["level"], key=rank.index)
    return ran.code, found


@pytest.fixture
def zoned(place: Place) -> Place:
    """Set up a place whose unit has its zone."""
    place.configure(extra="    timezone: Europe/Zurich\n")
    return place


def test_a_unit_in_order(zoned: Place) -> None:
    """Where nothing is wrong each check is one ok line and the exit code is 0."""
    code, found = _levels(zoned)
    assert (code, set(found.values())) == (0, {"ok"})
    assert set(found) >= {"certificate", "sign-in", "rights", "serial", "clock", "limits"}
    assert "Nothing wrong" in zoned.run("doctor").out
    assert zoned.sim.writes == []


def test_everything_wrong_is_found_at_once(zoned: Place) -> None:
    """A clock, a serial, a missing package and two pruners are each named, none hides another."""
    nas = zoned.sim.nas
    nas.clock.advance(3600)
    nas.replication = "absent"
    nas.shares[0].retention = Retention(policy=20, recently=3)
    nas.shares[1].schedule = Schedule(enabled=True, task_id=1)
    zoned.configure(extra="    timezone: Asia/Tokyo\n    serial: [ANOTHER]\n")
    code, found = _levels(zoned)
    assert code == 6
    wrong = {what for what, level in found.items() if level == "problem"}
    assert wrong == {"clock", "serial", "conflicts"}
    assert (found["packages"], found["zone"]) == ("note", "note")


@pytest.mark.parametrize(
    ("tls", "what"),
    [
        ('tls: {fingerprint: ["sha256:' + "ab" * 32 + '"]}', "certificate"),
        ("tags: {}", "certificate"),
    ],
)
def test_a_certificate_that_is_not_the_one(zoned: Place, tls: str, what: str) -> None:
    """Another certificate, or one nobody trusts, is shown with the line to paste."""
    zoned.configure(tls=tls)
    code, found = _levels(zoned)
    assert (code, found[what]) == (6, "problem")
    assert f'tls: {{fingerprint: ["{zoned.sim.fingerprint}"]}}' in zoned.run("doctor").out
    assert not any(request.method == "login" for request in zoned.sim.requests)


def test_a_refused_credential_is_not_sent_again(zoned: Place) -> None:
    """Looking for what is wrong sends a refused password no second time."""
    (zoned.folder / "box.password").write_text("wrong", encoding="utf-8")
    for _ in range(3):
        code, found = _levels(zoned)
        assert code == 6
    assert found["credentials"] == "problem"
    assert sum(request.method == "login" for request in zoned.sim.requests) == 1
    assert "reconcile login box" in zoned.run("doctor").out


def test_a_nas_that_is_off(zoned: Place) -> None:
    """An address where nobody answers is one problem with what to check."""
    zoned.sim.stop()
    code, found = _levels(zoned)
    assert (code, found) == (6, {"reach": "problem"})


def test_a_missing_secret(zoned: Place) -> None:
    """A secret that is not there is named, and nothing is contacted."""
    (zoned.folder / "box.password").unlink()
    code, found = _levels(zoned)
    assert (code, found) == (6, {"secret": "problem"})
    assert zoned.sim.http_requests == 0


def test_login_stores_a_new_device_token(make_place: Callable[[Nas], Place]) -> None:
    """After a two-factor sign-in the token stands where the inventory says, and a pass runs."""
    place = make_place(Nas(name="box", otp_seed=_SEED))
    place.sim.nas.add_share("alpha")
    assert place.run("--dry-run").code == 1
    assert "reconcile login box" in place.run("doctor").out
    assert place.run("login", "box").code == 1
    with _terminal(place.folder, "login", "box") as child:
        child.expect("One-time code")
        child.sendline(place.sim.nas.one_time_code())
        code, text = _ended(child)
    assert (code, "device_token: {file: secrets/box.token}" in text) == (0, True), text
    token = place.folder / "secrets" / "box.token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.read_text(encoding="utf-8").strip() in place.sim.nas.devices
    place.configure(extra="    device_token: {file: secrets/box.token}\n")
    assert place.run("--dry-run").code == 0
    assert place.run("login", "box").code == 1


def test_login_lifts_what_was_mended_in_dsm(place: Place) -> None:
    """A sign-in that DSM refused works again after `login`, once the account may sign in."""
    place.sim.nas.sign_in_refusal = 402
    assert place.run("--dry-run").code == 1
    place.sim.nas.sign_in_refusal = None
    assert place.run("--dry-run").code == 1
    assert place.run("login", "box").code == 0
    assert place.run("--dry-run").code == 0
