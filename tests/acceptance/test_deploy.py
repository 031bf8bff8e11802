"""deploy/: the loop of passes run for real, and files that agree with the repository."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from conftest import Place

_ROOT = Path(__file__).parents[2]
_DEPLOY = _ROOT / "deploy"
_CHECKER = shutil.which("systemd-analyze") or ""


def _loop(place: Place, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(_ROOT),
                   "RECONCILER_BEAT": str(place.folder / "beat")}  # fmt: skip
    return subprocess.Popen(  # noqa: S603  our own script
        [sys.executable, str(_DEPLOY / "passes.py"), *arguments],
        cwd=place.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def test_passes_run_until_sigterm(place: Place) -> None:
    """Passes follow each other, the first converges, and SIGTERM between two ends it with 0."""
    place.configure(extra="daemon: {interval: 1m, jitter: 1s}\n")
    loop = _loop(place)
    guard = threading.Timer(60, loop.kill)
    guard.start()
    assert loop.stderr is not None
    told = next(line for line in loop.stderr if line.startswith("pass ended"))
    assert told.startswith("pass ended with 0; the next one in 6")
    loop.send_signal(signal.SIGTERM)
    loop.communicate()
    guard.cancel()
    assert loop.returncode == 0
    assert len(place.sim.writes) == 3
    check = _loop(place, "--check")
    check.communicate()
    assert check.returncode == 0


def test_sigterm_during_a_pass_lets_it_finish(place: Place) -> None:
    """A signal in the middle of a pass cuts no write off: all that was planned is done."""
    place.sim.nas.write_seconds = 0.2
    loop = _loop(place)
    guard = threading.Timer(60, loop.kill)
    guard.start()
    while not place.sim.writes and loop.poll() is None:
        threading.Event().wait(0.02)
    loop.send_signal(signal.SIGTERM)
    _, told = loop.communicate()
    guard.cancel()
    assert loop.returncode == 0
    assert told.count("pass ended with 0") == 1
    assert len(place.sim.writes) == 3


def test_no_beat_is_unhealthy(place: Place) -> None:
    """Where no pass ever ended, the health check says so."""
    check = _loop(place, "--check")
    check.communicate()
    assert check.returncode == 1


def test_compose_has_three_lines_to_edit_and_nothing_that_writes() -> None:
    """compose.yaml: three marked lines, a read-only root, no privilege, no secret."""
    text = (_DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert text.count("# edit:") == 3
    service = yaml.safe_load(text)["services"]["reconciler"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "environment" not in service
    assert (_DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_the_image_is_made_of_files_that_exist_and_runs_as_nobody_special() -> None:
    """Each COPY of the Dockerfile names what is there and not ignored; the user is not root."""
    text = (_DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    allowed = (_DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [
        word for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE)
        for word in line.split()[:-1]
    ]  # fmt: skip
    assert copied
    for source in copied:
        assert (_ROOT / source).exists(), source
        assert f"!{source}" in allowed, source
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)
    assert re.search(r"^FROM python:3\.\d+-slim", text, re.MULTILINE)


@pytest.mark.skipif(not _CHECKER, reason="needs systemd's own checker")
def test_the_units_are_systemds(tmp_path: Path) -> None:
    """Systemd's own checker finds nothing to say about service and timer."""
    for name in ("reconcile.service", "reconcile.timer"):
        text = (_DEPLOY / name).read_text(encoding="utf-8")
        here = re.sub(r"/opt/reconciler/bin/reconcile\b", shutil.which("true") or "", text)
        (tmp_path / name).write_text(here, encoding="utf-8")
    paths = [str(tmp_path / f"reconcile.{kind}") for kind in ("service", "timer")]
    checked = subprocess.run(  # noqa: S603  a checker that only reads
        [_CHECKER, "verify", "--man=no", *paths], check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    assert [line for line in checked.stderr.splitlines() if "reconcile." in line] == []
