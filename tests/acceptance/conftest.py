"""A folder as a user has it, a simulated NAS, and the command run in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from reconciler.cli import main
from reconciler.simulator import Nas, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PASSWORD = "pässwörd-hunter2-secret"
POLICY = """version: 1
policies:
  - name: all
    shares: ["*"]
    every: 1h
    keep: {last: 24, daily: 7}
"""


@dataclass
class Ran:
    """One run of the command: exit code, what it printed, what it remarked."""

    code: int
    out: str
    err: str


@dataclass
class Place:
    """A folder with a configuration and policies for one simulated NAS."""

    folder: Path
    sim: Simulator
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Ran:
        """Run `reconcile` here."""
        code = main(list(arguments))
        printed = self.capture.readouterr()
        return Ran(code, printed.out, printed.err)

    def policy(self, text: str) -> None:
        """Write the one policy file."""
        (self.folder / "policies" / "all.yaml").write_text(text, encoding="utf-8")

    def configure(self, *, url: str = "", tls: str = "", extra: str = "") -> None:
        """Write the configuration and the password's file."""
        trust = tls or f'tls: {{fingerprint: ["{self.sim.fingerprint}"]}}'
        (self.folder / "reconciler.yaml").write_text(
            f"version: 1\nnas:\n  box:\n    url: {url or self.sim.url}\n    {trust}\n"
            f"    account: {self.sim.nas.account}\n    password: {{file: box.password}}\n{extra}",
            encoding="utf-8",
        )
        secret = self.folder / "box.password"
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD, encoding="utf-8")


@pytest.fixture(scope="session")
def certificate() -> Simulator:
    """Make one certificate for the whole session: making one takes time."""
    return Simulator(Nas())


@pytest.fixture
def make_place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
    certificate: Simulator,
) -> Callable[[Nas], Place]:
    """Return a function that sets up a folder for a simulated NAS, which runs until the end."""

    def make(nas: Nas) -> Place:
        nas.password = PASSWORD
        sim = Simulator(nas, certificate=certificate.certificate)
        sim.start()
        request.addfinalizer(sim.stop)
        (tmp_path / "policies").mkdir()
        monkeypatch.chdir(tmp_path)
        place = Place(tmp_path, sim, capsys)
        place.configure()
        place.policy(POLICY)
        return place

    return make


@pytest.fixture
def place(make_place: Callable[[Nas], Place]) -> Place:
    """Set up a folder for a NAS with three empty shares and a LUN."""
    nas = Nas(name="box", write_seconds=0.0)
    for name in ("alpha", "beta", "gamma"):
        nas.add_share(name)
    nas.add_lun("disk")
    return make_place(nas)
