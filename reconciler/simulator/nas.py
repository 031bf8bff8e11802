"""The simulated NAS: what it holds, how it behaves, and its lock.

Everything here is live, mutable state. A test reads and changes it under `nas.lock`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from reconciler.simulator.clock import Clock, Instant
from reconciler.simulator.encryption import EncryptionKey
from reconciler.simulator.lun import Lun
from reconciler.simulator.naming import Fraction, zone_name
from reconciler.simulator.noise import Channel, Responder
from reconciler.simulator.otp import one_time_code
from reconciler.simulator.plan import TARGET_SHARE, Plan
from reconciler.simulator.share import GIB, Share, new_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_Named = TypeVar("_Named", Share, Lun)

Carriers = Literal["both", "cookie", "param"]
Replication = Literal["installed", "absent", "stopped"]


@dataclass(slots=True, kw_only=True, eq=False)
class Volume:
    """A volume. `reclaim` is space that deletions give back later: (when, bytes)."""

    path: str = "/volume1"
    filesystem: str = "btrfs"
    size: int = 16 << 40
    free: int = 6 << 40
    status: str = "normal"
    writable: bool = True
    reclaim: list[tuple[float, int]] = field(default_factory=list, metadata={"saved": False})


@dataclass(slots=True, kw_only=True, eq=False)
class Limits:
    """The limits that the NAS enforces, and the lower `_v2` figures that it also advertises.

    A figure that is None is not advertised; the enforced ones always count.
    """

    per_share: int = 1024
    per_lun: int = 256
    system: int = 65536
    per_share_v2: int | None = None
    per_lun_v2: int | None = None
    advertised: bool = True
    share_reserve: int = 100 << 20
    lun_reserve: int = GIB


@dataclass(slots=True, kw_only=True, eq=False)
class AutoBlock:
    """DSM's Auto Block, per client address: the answer after `attempts` failures is 407."""

    enabled: bool = True
    attempts: int = 3
    within_minutes: int = 5
    expire_days: int = 1


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """A signed-in session. `ended` is the code that it now answers with, None while alive."""

    sid: str
    token: str | None
    version: int
    address: str
    used_at: float
    noise: Channel | None = None
    ended: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class LogEntry:
    """A line of the log feed."""

    at: Instant
    text: str
    user: str = "SYSTEM"
    level: str = "info"


@dataclass(slots=True, kw_only=True, eq=False)
class Nas:
    """A NAS and everything on it.

    Identity: `name` is the host name, `zone` the IANA zone of its clock, `synology_zone` what
    `time_zone` reports ("" derives it). `sign_in_refusal` is the code with which right
    credentials are refused (401, 402, 405, 406, 408 to 411), None to let them in.

    Behaviour of builds that differ: `carriers` is where a session may be carried;
    `require_token` refuses requests without a SynoToken, with `missing_token_code`;
    `idle_timeout` in seconds, then `expired_code`; `privileged_from` is the lowest sign-in
    version that may write; `admin` whether the account is an administrator; `bind_address`
    answers 150 to another client address; `auth_max_version` 6 is a DSM 6; `cold` answers 103 to
    a sign-in before the first query of the API list; `compound` and `compound_limit` the
    compound call; `strict_additional` refuses unknown keys of `additional` with 120, and
    `unknown_additional` names keys that this build does not know; `immutable` False is a build
    that ignores WORM parameters; `collide` answers a second creation within one second with the
    existing name instead of 3301; `fraction` the spelling of half hours in names;
    `delete_refusals` the form in which refused deletions of share snapshots are reported:
    inside `success: true`, or as an error; `write_seconds` moves the clock after each write;
    `replication` "stopped" still advertises the plans but fails every call.
    """

    name: str = "nas-1"
    model: str = "DS1821+"
    serial: str = "2150ABC123456"
    version: str = "DSM 7.2.2-72806 Update 3"
    node_id: str = field(default_factory=new_uuid)
    account: str = "svc-snapshots"
    password: str = "correct horse battery"  # noqa: S105 -- of a NAS that does not exist
    otp_seed: str | None = None
    admin: bool = True
    sign_in_refusal: int | None = None
    zone: str = "Europe/Zurich"
    synology_zone: str = ""
    clock: Clock = field(default_factory=Clock.real)

    volumes: list[Volume] = field(default_factory=lambda: [Volume()])
    shares: list[Share] = field(default_factory=list)
    luns: list[Lun] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    auto_block: AutoBlock = field(default_factory=AutoBlock)

    carriers: Carriers = "both"
    require_token: bool = False
    missing_token_code: int = 105
    idle_timeout: float = 900.0
    expired_code: int = 119
    privileged_from: int = 0
    bind_address: bool = True
    auth_max_version: int = 7
    cold: bool = False
    padded_paths: bool = False
    compound: bool = True
    compound_limit: int | None = None
    strict_additional: bool = False
    unknown_additional: list[str] = field(default_factory=list)
    immutable: bool = True
    collide: bool = False
    fraction: Fraction = "truncated"
    delete_refusals: Literal["inside", "error"] = "inside"
    write_seconds: float = 0.0
    replication: Replication = "installed"

    log: list[LogEntry] = field(default_factory=list, metadata={"saved": False})
    sessions: dict[str, Session] = field(default_factory=dict, metadata={"saved": False})
    devices: dict[str, str] = field(default_factory=dict)
    failures: dict[str, list[float]] = field(default_factory=dict, metadata={"saved": False})
    blocked: dict[str, float] = field(default_factory=dict, metadata={"saved": False})
    used_codes: set[str] = field(default_factory=set, metadata={"saved": False})
    responder: Responder = field(default_factory=Responder.create, metadata={"saved": False})
    encryption: EncryptionKey = field(default_factory=EncryptionKey, metadata={"saved": False})
    ticked_at: float = field(default=0.0, metadata={"saved": False})
    booted_at: float = field(default=0.0, metadata={"saved": False})
    lock: threading.RLock = field(
        default_factory=threading.RLock, repr=False, metadata={"saved": False}
    )

    def __post_init__(self) -> None:
        self.ticked_at = self.clock.now()
        self.booted_at = self.ticked_at - 86400
        for share in self.shares:
            share.bind(self)
        for lun in self.luns:
            lun.bind(self)

    @classmethod
    def from_file(cls, path: str | Path) -> Nas:
        """Read a NAS from a YAML or JSON file; `DocumentError` names the file and the key."""
        from reconciler.simulator.document import read_file

        return read_file(path)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Nas:
        """Build a NAS from a decoded file; the shape is described in `document`."""
        from reconciler.simulator.document import from_mapping

        return from_mapping(mapping)

    def to_mapping(self) -> dict[str, Any]:
        """Return everything worth saving, in the shape that `from_mapping` reads."""
        from reconciler.simulator.document import to_mapping

        return to_mapping(self)

    def tick(self) -> None:
        """Let DSM's own schedules, retention and syncs act up to the present moment."""
        from reconciler.simulator.actors import tick

        with self.lock:
            tick(self)

    def add_share(self, name: str, **settings: Any) -> Share:
        """Add a shared folder; `settings` are the fields of `Share`."""
        share = Share(name=name, **settings)
        share.bind(self)
        self.shares.append(share)
        return share

    def add_lun(self, name: str, **settings: Any) -> Lun:
        """Add a LUN; `settings` are the fields of `Lun`."""
        settings.setdefault("lun_id", len(self.luns) + 1)
        lun = Lun(name=name, **settings)
        lun.bind(self)
        self.luns.append(lun)
        return lun

    def add_plan(self, target: str, **settings: Any) -> Plan:
        """Add a replication plan of a share (or, by uuid, a LUN); `settings` as in `Plan`."""
        plan = Plan(target=target, **settings)
        self.plans.append(plan)
        return plan

    def share(self, name: str) -> Share:
        """Return the share of that name; `KeyError` without one."""
        return _named(self.shares, name)

    def lun(self, name: str) -> Lun:
        """Return the LUN of that name; `KeyError` without one."""
        return _named(self.luns, name)

    def plan(self, target: str) -> Plan:
        """Return the plan whose target or id is `target`; `KeyError` without one."""
        for plan in self.plans:
            if target in (plan.target, plan.plan_id):
                return plan
        raise KeyError(target)

    def volume(self, path: str) -> Volume | None:
        """Return the volume at `path`, or None."""
        return next((v for v in self.volumes if v.path == path), None)

    def plans_of(self, target: Share | Lun) -> list[Plan]:
        """Return the plans whose local target is that share or LUN."""
        if isinstance(target, Lun):
            return [p for p in self.plans if p.target == target.uuid]
        return [p for p in self.plans if p.target_type == TARGET_SHARE and p.target == target.name]

    def one_time_code(self) -> str:
        """Return the account's one-time code of the simulated moment."""
        if self.otp_seed is None:
            raise ValueError(f"{self.name} asks for no one-time code; set otp_seed")
        return one_time_code(self.otp_seed, self.clock.now())

    def end_sessions(self, code: int = 119) -> None:
        """End every session: its next use answers `code` (105 as after a reboot)."""
        for session in self.sessions.values():
            session.ended = code

    def reported_zone(self) -> str:
        """Return the zone's name as `time_zone` reports it."""
        return self.synology_zone or zone_name(self.zone)

    def write_log(self, text: str, *, user: str = "SYSTEM", at: float | None = None) -> None:
        """Add a line to the log feed, at the present moment unless told otherwise."""
        self.log.append(LogEntry(at=self.clock.now() if at is None else at, text=text, user=user))


def _named(things: list[_Named], name: str) -> _Named:
    for thing in things:
        if thing.name == name:
            return thing
    raise KeyError(name)
