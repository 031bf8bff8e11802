"""The built wheel is complete: it runs the demo in an empty environment, away from the sources."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command without this environment's Python settings; return what it printed."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(  # noqa: S603  the test's own commands
        [str(word) for word in command],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_runs_the_demo_and_holds_the_schemas(tmp_path: Path) -> None:
    """A wheel installed into an empty environment runs `demo` and prints each schema."""
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT, cwd=tmp_path)
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    wheel = next(tmp_path.glob("*.whl"))
    run(python, "-m", "pip", "install", "-q", wheel, cwd=tmp_path)
    reconcile = tmp_path / "env" / "bin" / "reconcile"
    assert "24 deletions wait" in run(reconcile, "demo", cwd=tmp_path)
    for name in ("policy", "config", "plan", "test"):
        assert '"$schema"' in run(reconcile, "schema", name, cwd=tmp_path)
