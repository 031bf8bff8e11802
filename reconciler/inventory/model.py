"""The configuration as values: `reconciler.yaml` with its defaults filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.model import Finding, Place, Seconds

DAY: Seconds = 86_400


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret stands; exactly one of the three is set. The secret itself is never held."""

    place: Place
    file: Path | None = None
    env: str = ""
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tls:
    """How the unit's certificate is verified: by a CA file, by fingerprints, else by the system.

    Fingerprints are 64 lower-case hex digits (SHA-256 of the DER certificate). `insecure` is for
    loopback alone.
    """

    ca_file: Path | None = None
    fingerprints: tuple[str, ...] = ()
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """One NAS of the inventory. `suspended` is "" where it runs, else the reason."""

    name: str
    url: str
    account: str
    password: SecretReference
    place: Place
    tls: Tls = field(default_factory=Tls)
    otp_secret: SecretReference | None = None
    device_token: SecretReference | None = None
    timezone: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    serials: tuple[str, ...] = ()
    snapshots_per_share: int | None = None
    snapshots_per_lun: int | None = None
    snapshots_per_unit: int | None = None
    suspended: str = ""


@dataclass(frozen=True, slots=True)
class UnitBrakes:
    """The configuration's brakes: per unit and run, per unit and 24 hours, and ceilings."""

    max_deletes: int = 200
    max_deletes_per_day: int = 1000
    max_clock_skew: Seconds = 300
    max_immutable: Seconds = 30 * DAY
    require_approval: tuple[str, ...] = ()
    target_max_deletes: int = 50
    target_max_delete_percent: int = 50


@dataclass(frozen=True, slots=True)
class GitSource:
    """A policy repository in git: `path` inside it, `poll` in seconds."""

    url: str
    branch: str
    path: str
    poll: Seconds
    ssh_key: SecretReference | None = None
    known_hosts: SecretReference | None = None
    allowed_signers: SecretReference | None = None


@dataclass(frozen=True, slots=True)
class Daemon:
    """How the long-running loop runs; lengths in seconds."""

    interval: Seconds = 300
    jitter: Seconds = 30
    listen: str = "127.0.0.1:8765"
    token: SecretReference | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """One channel: `kind` is `apprise` or `healthchecks`."""

    kind: str
    address: SecretReference
    events: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """`reconciler.yaml` as a value; relative paths are already resolved against its folder.

    `policies` is a folder, or a git source. `state_folder` is where the state stands.
    """

    path: Path
    policies: Path | GitSource
    state: str
    state_folder: Path
    units: tuple[Unit, ...]
    installation: str = ""
    daemon: Daemon = field(default_factory=Daemon)
    brakes: UnitBrakes = field(default_factory=UnitBrakes)
    notify: tuple[Notification, ...] = ()
    findings: tuple[Finding, ...] = ()
