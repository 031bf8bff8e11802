"""Bad input: one line with place, fact and next step, the right exit code, nothing written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from reconciler.simulator import Fault

if TYPE_CHECKING:
    from conftest import Place

HEAD = "version: 1\npolicies:\n  - name: all\n    shares: [alpha]\n"
WRONG_POLICIES = {
    "wrong type": ("    every: 5\n", "wrong-type"),
    "unknown key": ("    evry: 1h\n", "unknown-key"),
    "duplicate key": ("    every: 1h\n    every: 2h\n", "duplicate-key"),
    "a clock time": ("    every: 22:30\n", "bad-value"),
    "empty value": ("    every: 1h\n    keep:\n", "empty-value"),
    "minutes": ("    every: 1h\n    keep: {within: 6m}\n", "bad-duration"),
    "does not fit": ("    every: 15m\n    immutable: 30d\n", "does-not-fit"),
    "bare star": ("    luns: *\n", "quote-it"),
    "bare bang": ("    luns: [a, !scratch]\n", "quote-it"),
    "bare hash": ("    luns: [#recycle]\n", "quote-it"),
    "tie": ("    every: 1h\n  - {name: two, shares: [alpha], every: 1h}\n", "tie"),
    "overlong": ("# " + "x" * 1_100_000 + "\n", "too-large"),
    "alias bomb": (
        "    tags: {a: &a [x, x]}\nholds:\n"
        + "".join(f"  - &h{n} [" + ", ".join([f"*h{n - 1}" if n else "x"] * 9) + "]\n"
                  for n in range(9)),
        "too-many-aliases",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_POLICIES)
def test_a_wrong_policy_is_refused_before_anything_is_contacted(place: Place, name: str) -> None:
    """A mistake in a policy is one finding at its place, exit 4, and no request leaves."""
    lines, code = WRONG_POLICIES[name]
    place.policy(HEAD + lines)
    ran = place.run("--yes")
    assert ran.code == 4
    found = [line for line in ran.err.splitlines() if f"error[{code}]" in line]
    assert found, ran.err
    assert found[0].startswith("policies/all.yaml:")
    assert "Traceback" not in ran.err
    assert place.sim.http_requests == 0


def test_a_missing_secret_makes_its_unit_unknown(place: Place) -> None:
    """A secret that is not there names the file it looked in; exit 1, nothing contacted."""
    (place.folder / "box.password").unlink()
    ran = place.run("--yes")
    assert ran.code == 1
    assert "box.password" in ran.out + ran.err
    assert place.sim.http_requests == 0


def test_a_wrong_certificate_shows_the_one_seen_and_the_line_to_paste(place: Place) -> None:
    """Another certificate than the pinned one stops the unit and says which it is."""
    place.configure(tls='tls: {fingerprint: ["sha256:' + "0" * 64 + '"]}')
    ran = place.run("--yes")
    assert ran.code == 1
    shown = (ran.out + ran.err).replace("\n", "").replace(" ", "")
    assert place.sim.fingerprint in shown
    assert place.sim.writes == []


def test_a_certificate_that_nobody_trusts_is_refused(place: Place) -> None:
    """Without a pin a self-signed certificate is not trusted; nothing is sent."""
    place.configure(tls="tags: {}")
    ran = place.run("--yes")
    assert ran.code == 1
    assert "self-signed" in ran.out + ran.err
    assert place.sim.requests == []


def test_a_wrong_password_is_tried_once_and_never_again(place: Place) -> None:
    """A refused sign-in is latched: the next run contacts nothing; another password lifts it."""
    place.sim.nas.password = "another"
    assert place.run("--yes").code == 1
    first = place.sim.http_requests
    ran = place.run("--yes")
    assert ran.code == 1
    assert "wrong password" in ran.out + ran.err
    assert place.sim.http_requests == first
    (place.folder / "box.password").write_text("another", encoding="utf-8")
    assert place.run("--yes").code == 0


@pytest.mark.parametrize("kind", ["html", "truncated", "redirect", "garbage", "status"])
def test_an_answer_that_is_not_dsms_stops_the_unit(place: Place, kind: str) -> None:
    """A web page, half an answer, a redirect or an error of the server: exit 1, nothing written."""
    place.sim.inject(Fault(kind=kind, times=1000))
    ran = place.run("--yes")
    assert ran.code == 1
    assert "box" in ran.out
    assert "Traceback" not in ran.err
    assert place.sim.writes == []


def test_nothing_secret_comes_out_of_any_of_it(place: Place) -> None:
    """With --verbose, through errors and a pass, no secret is printed or written to a file."""
    seen = ""
    for fault in (None, "html", "garbage", "expire_session", "reset_after"):
        place.sim.clear_faults()
        if fault is not None:
            place.sim.inject(Fault(kind=fault, times=2, after=2))
        ran = place.run("--verbose", "--yes")
        seen += ran.out + ran.err
    place.sim.nas.password = "other"
    seen += "".join(str(vars(place.run("--verbose", "--yes"))) for _ in range(2))
    sessions = place.sim.nas.sessions.values()
    secrets = ["pässwörd-hunter2-secret"]
    secrets += [s.sid for s in sessions] + [s.token for s in sessions if s.token]
    files = [p for p in place.folder.rglob("*") if p.is_file() and p.name != "box.password"]
    written = "".join(p.read_text(encoding="utf-8", errors="replace") for p in files)
    for secret in secrets:
        assert secret not in seen
        assert secret not in written


def test_one_unreadable_secret_stops_no_other_unit(place: Place) -> None:
    """Of two units the one whose secret is missing is unknown, the other is reconciled; exit 1."""
    place.configure(
        extra="  attic:\n    url: https://127.0.0.1:9\n    account: a\n"
        "    password: {file: secrets/attic}\n    tags: {site: home}\n"
    )
    place.policy('version: 1\npolicies:\n  - {name: all, nas: "*", shares: ["*"], every: 1d}\n')
    ran = place.run("--yes")
    assert ran.code == 1
    assert "secrets/attic" in ran.out
    assert len(place.sim.writes) == 3
    assert place.run("--dry-run", "--nas", "site=home").code == 1
    assert place.run("--dry-run", "--nas", "box", "--detailed-exitcode").code == 0


WRONG_BYTES = {
    "half a character": b"\xff\xfe", "a NUL": b"\0", "an escape": b"\x1b[2J",
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_BYTES)
def test_bytes_that_are_no_text_are_refused_at_their_place(place: Place, name: str) -> None:
    """Bytes that are no UTF-8 or no text give one finding at their line and column, exit 4."""
    head = HEAD.encode() + b"    owner: "
    (place.folder / "policies" / "all.yaml").write_bytes(head + WRONG_BYTES[name] + b"\n")
    ran = place.run("--yes")
    assert ran.code == 4
    assert "policies/all.yaml:5:12: error[bad-character]" in ran.err
    assert "\x1b" not in ran.err
    assert place.sim.http_requests == 0


HUGE = {
    "quoted list": HEAD + "    luns: [" + '"abc", ' * 130_000 + "]\n",
    "wrong everywhere": "version: 1\npolicies:\n" + "  - {nam: x, every: 22:30}\n" * 36_000,
    "one long line": "version: " + "x" * 1_000_000,
    "nested": "a: " + "[" * 500_000,
    "no end": 'a: "' + "x\n" * 500_000,
    "every line wrong": "version: 1\npolicies:\n" + "  - {nam: x, every: 22:30}\n" * 3_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_a_megabyte_of_mistakes_is_refused_at_once(place: Place, name: str) -> None:
    """A file of up to 1 MiB that is wrong is refused in bounded time: seconds, not minutes."""
    place.policy(HUGE[name])
    began = time.process_time()
    ran = place.run("--yes")
    assert time.process_time() - began < 6
    assert ran.code == 4
    assert len(ran.err) < 100_000
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "lines",
    [
        "    passwd: hunter2\n",
        "    PASSWORD: hunter2\n",
        "    pass: hunter2\n",
        "    password:\n      hunter2\n",
        "    password: |\n      hunter2\n      hunter2\n",
        "    password: {command: [echo, hunter2]}\n    nonsense: 1\n",
    ],
)
def test_a_secret_beside_a_mistake_is_not_shown(lines: str, place: Place) -> None:
    """P17: no line around a mistake shows a secret that somebody wrote into the file."""
    (place.folder / "reconciler.yaml").write_text(
        f"version: 1\nnas:\n  box:\n    url: {place.sim.url}\n    account: a\n{lines}", "utf-8"
    )
    ran = place.run("--dry-run")
    assert ran.code == 4
    assert "hunter2" not in ran.out + ran.err
    linted = place.run("lint")
    assert "hunter2" not in linted.out + linted.err
