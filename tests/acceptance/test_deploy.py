"""deploy/: files that agree with the repository and with the command."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

_ROOT = Path(__file__).parents[2]
_DEPLOY = _ROOT / "deploy"
_CHECKER = shutil.which("systemd-analyze") or ""


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
    """Systemd's own checker finds nothing to say about the service."""
    for name in ("reconcile.service",):
        text = (_DEPLOY / name).read_text(encoding="utf-8")
        here = re.sub(r"/opt/reconciler/bin/reconcile\b", shutil.which("true") or "", text)
        (tmp_path / name).write_text(here, encoding="utf-8")
    paths = [str(tmp_path / f"reconcile.{kind}") for kind in ("service",)]
    checked = subprocess.run(  # noqa: S603  a checker that only reads
        [_CHECKER, "verify", "--man=no", *paths], check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    assert [line for line in checked.stderr.splitlines() if "reconcile." in line] == []


def test_the_documented_alert_rules_name_metrics_that_exist() -> None:
    """Each metric in deploy/README.md's rules is one that a pass writes."""
    text = (_DEPLOY / "README.md").read_text(encoding="utf-8")
    rules = yaml.safe_load(text[text.index("    groups:") : text.index("## Messages")])
    named = {
        name
        for rule in rules["groups"][0]["rules"]
        for name in re.findall(r"reconciler_[a-z_]+", rule["expr"])
    }
    families = (_ROOT / "reconciler" / "daemon" / "metrics.py").read_text(encoding="utf-8")
    assert len(rules["groups"][0]["rules"]) == 4
    assert {name for name in named if f'"{name}"' not in families} == set()


def test_service_and_image_run_the_daemon() -> None:
    """Both start `reconcile daemon`, and nothing kills it before its 15 seconds are over."""
    service = (_DEPLOY / "reconcile.service").read_text(encoding="utf-8")
    assert re.search(r"^ExecStart=.*/reconcile .* daemon$", service, re.MULTILINE)
    assert "Type=notify" in service
    assert "TimeoutStopSec=20s" in service
    image = (_DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert 'CMD ["daemon"]' in image
    compose = (_DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert "stop_grace_period: 20s" in compose
