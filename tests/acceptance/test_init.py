"""`reconcile init` as a person at a terminal meets it, and with options alone."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from reconciler.cli import main
from reconciler.simulator import Nas, Retention, Schedule, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
_PASSWORD = "a long passphrase: #1"
_SEED = "JBSWY3DPEHPK3PXP"


def _home(**settings: object) -> Nas:
    """Return a home unit with schedules and retention of DSM's own."""
    nas = Nas(name="attic", model="DS923+", password=_PASSWORD, **settings)
    night = Schedule(enabled=True, task_id=3, hour=2, minute=30)
    nas.add_share("documents", schedule=night, retention=Retention(policy=128))
    latest = Retention(policy=20, recently=10)
    nas.add_share("photos", schedule=Schedule(enabled=True, task_id=4, repeat_hours=6),
                  retention=latest, scheduled_immutable_days=7)  # fmt: skip
    nas.add_share("surveillance")
    nas.add_share("usbshare1", support_snapshot=False, usb=True)
    nas.add_lun("vmware-ds1")
    return nas


@contextmanager
def _terminal(folder: Path, *words: str) -> Iterator[pexpect.spawn]:
    """Run `reconcile` at a terminal of 100 columns in a folder."""
    child = pexpect.spawn(
        sys.executable, ["-m", "reconciler", *words], cwd=str(folder), encoding="utf-8",
        timeout=30, dimensions=(40, 100),
        env={**os.environ, "PYTHONPATH": str(_ROOT), "NO_COLOR": "1", "TERM": "xterm",
             "TZ": "Europe/Zurich"},
    )  # fmt: skip
    try:
        yield child
    finally:
        child.close(force=True)


def _ended(child: pexpect.spawn) -> tuple[int, str]:
    child.expect(pexpect.EOF)
    text = child.before
    child.close()
    return child.exitstatus, text.replace("\r", "")


def _code(folder: Path, *words: str) -> tuple[int, str]:
    with _terminal(folder, *words) as child:
        return _ended(child)


def _answer(child: pexpect.spawn, *, password: str = _PASSWORD) -> None:
    child.expect("Trust exactly this certificate")
    child.sendline("y")
    child.expect("Account")
    child.sendline("")
    child.expect("Password")
    child.sendline(password)


def _golden(name: str, screen: str) -> None:
    """Compare what was seen with its file, what differs from run to run left out."""
    text = re.sub(
        r"sha256 [0-9A-F:]{48}\s+[0-9A-F:]{47}", "sha256 5F:1C:…:E2:09", screen.replace("\r", "")
    )
    text = re.sub(r"clock [+-]\d\.\d s", "clock +0.2 s", text)
    text = re.sub(r"place\): \d{6}", "place): 123456", text)
    path = _ROOT / "tests" / "golden" / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def _everything(folder: Path) -> set[str]:
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    return {name for name in files if not name.startswith("state.db")}


@pytest.mark.parametrize("seed", [None, _SEED])
def test_from_an_empty_folder_to_a_first_plan(tmp_path: Path, seed: str | None) -> None:
    """Without one edit `init` gives a lint-clean repository and a plan, two-factor included."""
    nas = _home(otp_seed=seed)
    began, screen = time.monotonic(), io.StringIO()
    with Simulator(nas) as sim:
        with _terminal(tmp_path, "init", sim.url) as child:
            child.logfile_read = screen
            child.expect("self-signed")
            child.expect(re.escape(sim.fingerprint.removeprefix("sha256:")[:2].upper()))
            _answer(child)
            if seed:
                child.expect("One-time code")
                child.sendline(nas.one_time_code())
            code, text = _ended(child)
        assert code == 0, text
        _golden("init-two-factor" if seed else "init", screen.getvalue())
        assert "2 with DSM's schedule, 2 with DSM's retention: two pruners" in text
        assert "Next: reconcile --dry-run" in text
        assert _code(tmp_path, "lint", "--strict")[0] == 0
        code, plan = _code(tmp_path, "--dry-run")
        assert (code, "Nothing was written" in plan) == (0, True), plan
        assert sim.writes == []
        assert [s for s in nas.sessions.values() if s.ended is None] == []
    assert time.monotonic() - began < 60
    assert _PASSWORD not in text
    secret = tmp_path / "secrets" / "attic.password"
    assert (secret.stat().st_mode & 0o777, secret.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (tmp_path / "secrets" / "attic.token").exists() is bool(seed)
    assert "schema=../.schemas/policy.schema.json" in (tmp_path / "policies/attic.yaml").read_text()


def test_a_certificate_that_is_not_trusted_ends_it(tmp_path: Path) -> None:
    """Without trust nothing is sent: no sign-in reaches the NAS, no file is left."""
    with Simulator(_home()) as sim:
        with _terminal(tmp_path, "init", sim.url) as child:
            child.expect("Trust exactly this certificate")
            child.sendline("n")
            code, _ = _ended(child)
        assert (code, sim.requests) == (1, [])
    assert _everything(tmp_path) == set()


def test_a_wrong_password_is_sent_once(tmp_path: Path) -> None:
    """The first refusal ends it; the same pair is not sent again, another one is."""
    with Simulator(_home()) as sim:
        for _ in range(4):
            with _terminal(tmp_path, "init", sim.url) as child:
                _answer(child, password="wrong")
                code, text = _ended(child)
            assert (code, "DSM 400" in text) == (1, True)
        assert sum(r.method == "login" for r in sim.requests) == 1
        assert _everything(tmp_path) == set()
        with _terminal(tmp_path, "init", sim.url) as child:
            _answer(child)
            assert _ended(child)[0] == 0


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C at a question ends with a sentence, without a traceback and without a file."""
    with Simulator(_home()) as sim, _terminal(tmp_path, "init", sim.url) as child:
        _answer_until_password(child)
        child.sendintr()
        code, text = _ended(child)
    assert (code, "Traceback" in text, "stopped" in text) == (1, False, True)
    assert _everything(tmp_path) == set()


def _answer_until_password(child: pexpect.spawn) -> None:
    child.expect("Trust exactly")
    child.sendline("y")
    child.expect("Account")
    child.sendline("")
    child.expect("Password")


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder without a terminal, the password in a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pw").touch(mode=0o600)
    (tmp_path / "pw").write_text(_PASSWORD, encoding="utf-8")
    return tmp_path


def _init(sim: Simulator, *more: str) -> int:
    return main(["init", sim.url, "--account", sim.nas.account, "--password-file", "pw",
                 "--accept", sim.fingerprint, *more])  # fmt: skip


def test_options_alone_ask_nothing(silent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All by options: the password stays in its file, and a fresh unit gets an idle example."""
    with Simulator(Nas(name="attic", password=_PASSWORD)) as sim:
        sim.nas.add_share("documents")
        assert main(["init", sim.url]) == 1
        assert f"--accept {sim.fingerprint}" in capsys.readouterr().err
        assert main(["init", sim.url, "--accept", sim.fingerprint]) == 64
        assert _init(sim) == 0
        assert main(["lint", "--strict"]) == 0
        assert main(["--dry-run"]) == 0
    assert not (silent / "secrets").exists()
    assert "suspend:" in (silent / "policies" / "attic.yaml").read_text(encoding="utf-8")


def test_a_second_unit_leaves_the_file_as_it_was(silent: Path) -> None:
    """A unit is added to existing files: every line that was there stays, in order."""
    config = silent / "reconciler.yaml"
    with Simulator(_home()) as first, Simulator(Nas(name="cellar", password=_PASSWORD)) as second:
        second.nas.serial = "2150CELLAR001"
        second.nas.add_share("backup")
        assert _init(first) == 0
        text = config.read_text(encoding="utf-8").replace("nas:\n", "nas:   # two of them\n")
        text += "\n# limits over all policies\nbrakes: {max_deletes: 7}   # few\n"
        config.write_text(text, encoding="utf-8")
        assert _init(first) == 4
        assert config.read_text(encoding="utf-8") == text
        assert _init(second) == 0
        after = config.read_text(encoding="utf-8").splitlines()
        left = iter(after)
        assert all(line in left for line in text.splitlines())
        assert after.index("  cellar:") < after.index("# limits over all policies")
        assert main(["lint", "--strict"]) == 0
        assert main(["--dry-run"]) == 0


def test_a_second_unit_says_where_older_policies_need_a_word(
    silent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Policies without `nas` fit one unit alone: beside a second one, lint is the next step."""
    (silent / "policies").mkdir()
    (silent / "policies" / "own.yaml").write_text(
        "version: 1\npolicies:\n  - {name: own, shares: [surveillance], every: 1d}\n",
        encoding="utf-8",
    )
    with Simulator(_home()) as first, Simulator(Nas(name="cellar", password=_PASSWORD)) as second:
        second.nas.serial = "2150CELLAR001"
        assert _init(first) == 0
        assert "Next: reconcile --dry-run" in capsys.readouterr().out
        assert _init(second) == 0
        assert "Next: reconcile lint" in capsys.readouterr().out


def test_what_cannot_be_parsed_is_not_touched(silent: Path) -> None:
    """A configuration that is broken, or on one line, is left alone with one clear error."""
    config = silent / "reconciler.yaml"
    flow = "{a: {url: 'https://a:5001', account: x, password: {env: P}}}"
    for text in ("version: 1\nnas: [\n", f"version: 1\nnas: {flow}\n"):
        config.write_text(text, encoding="utf-8")
        with Simulator(_home()) as sim:
            assert _init(sim) == 4
        assert config.read_text(encoding="utf-8") == text
        assert _everything(silent) == {"reconciler.yaml", "pw"}


def test_a_replaced_machine_gets_its_new_identity(silent: Path) -> None:
    """--replaced writes the new serial and fingerprint in place; the policies stay as they are."""
    with Simulator(_home()) as sim:
        assert _init(sim) == 0
    policy = (silent / "policies" / "attic.yaml").read_text(encoding="utf-8")
    with Simulator(_home(serial="2150NEW000001")) as sim:
        assert _init(sim, "--replaced") == 64
        assert _init(sim, "--name", "attic", "--replaced") == 0
        config = (silent / "reconciler.yaml").read_text(encoding="utf-8")
        assert ("2150NEW000001" in config, sim.fingerprint in config) == (True, True)
        assert "2150ABC123456" not in config
        assert main(["--dry-run"]) == 0
    assert (silent / "policies" / "attic.yaml").read_text(encoding="utf-8") == policy


@pytest.mark.parametrize(("code", "cure"), [(402, "allow the account"), (407, "Protection")])
def test_each_refusal_names_its_cure(
    silent: Path, capsys: pytest.CaptureFixture[str], code: int, cure: str
) -> None:
    """A refused sign-in says where in DSM it is mended, and may be tried again afterwards."""
    with Simulator(_home(sign_in_refusal=code)) as sim:
        assert _init(sim) == 1
        assert cure in capsys.readouterr().err
        assert _everything(silent) == {"pw"}
        sim.nas.sign_in_refusal = None
        assert _init(sim) == 0
