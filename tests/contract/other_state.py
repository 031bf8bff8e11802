"""What the other DSM holds: shares, LUNs, replication plans, and the clock that names snapshots.

Written from the notes on DSM's wire format alone, without a look at the project's simulator, so
that a mistake there is not repeated here.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

Naming = Literal["offset", "truncated", "compact", "colon", "dotted", "utc", "local"]


@dataclass
class Clock:
    """The NAS's clock and the tester's: moved by hand, also by whoever waits on it."""

    now: float

    def time(self) -> float:
        """Return the seconds since 1970."""
        return self.now

    def monotonic(self) -> float:
        """Return the same seconds: nobody sets this clock back."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on instead of waiting."""
        self.now += seconds


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How one DSM differs from another; each default is what the notes call usual."""

    compound: bool = True
    compound_limit: int = 0
    compound_cut: bool = False  # beyond the limit: the first members answered, or all refused
    san: bool = True
    replication: bool = True
    retention: bool = True
    snapshot_info: bool = True  # whether `get` of a share knows this key
    define: Literal["numbers", "texts", "refused", "ignored"] = "numbers"
    volumes: Literal["listed", "absent", "refused"] = "listed"
    network: bool = True
    auth_version: int = 7
    auth_path: str = "entry.cgi"
    padded_paths: bool = False
    carrier: Literal["any", "cookie", "param"] = "any"
    token_required: bool = False
    token_code: int = 105
    refused_keys: frozenset[str] = frozenset()
    expires_after: int = 0  # calls of each second session, then it is gone
    expires_code: int = 119
    framing: Literal["length", "close", "chunked"] = "length"
    strange_keys: bool = False
    loose_types: bool = False
    shares_known: bool = True  # a UC model has LUNs alone
    zone: str = "Europe/Zurich"
    names: Naming = "offset"
    slow: float = 0.0  # seconds until a list shows what was created
    lists_backwards: bool = False
    seed: str = ""  # of the one-time codes (base32); none: one factor
    denied: frozenset[str] = frozenset()  # APIs that the account may not use (105)
    deletes_answer: Literal["nothing", "empty"] = "nothing"
    lun_schedules_bare: bool = True  # `scheduled_task` also without `snapshot_info`
    locked_share: Literal["unsupported", "refused", "listed"] = "unsupported"


def named(moment: float, ways: Ways) -> str:
    """Return the name that a snapshot of that moment gets on such a NAS."""
    local = datetime.fromtimestamp(int(moment), ZoneInfo(ways.zone))
    if ways.names == "utc":
        return f"GMT-{local.astimezone(UTC):%Y.%m.%d-%H.%M.%S}"
    stamp = f"{local:%Y.%m.%d-%H.%M.%S}"
    if ways.names == "local":
        return f"GMT-{stamp}"
    offset = f"{local:%z}"
    tail = {"compact": "", "colon": ":", "dotted": "."}.get(ways.names)
    rest = "" if tail is None else f"{tail}{offset[3:5]}"
    return f"GMT{offset[:3]}{rest}-{stamp}"


@dataclass
class ShareSnapshot:
    """One snapshot of a share, as its `.meta` holds it."""

    name: str
    desc: str = ""
    lock: bool = True
    scheduled: bool = False
    worm_begin: int = 0
    worm_days: int = 0
    hide: bool = False
    visible_from: float = 0.0
    ruuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def worm(self, now: float) -> bool:
        """Return whether it is immutable at that moment: the flag clears itself."""
        return self.worm_days > 0 and now < self.worm_begin + self.worm_days * 86400


@dataclass
class Share:
    """One shared folder."""

    name: str
    volume: str = "/volume1"
    supports: bool = True
    usb: bool = False
    encryption: int = 0
    unmounted: bool = False
    scheduled: bool = False
    policy_type: int = 0
    snapshots: list[ShareSnapshot] = field(default_factory=list)
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class LunSnapshot:
    """One snapshot of a LUN."""

    name: str
    taken: int
    number: int
    description: str = ""
    locked: bool = False
    consistent: bool = False
    taken_by: str = "webapi"
    app_keys: tuple[str, ...] = ()
    visible_from: float = 0.0
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Lun:
    """One LUN."""

    name: str
    number: int
    kind: str = "BLUN"
    snapshots: list[LunSnapshot] = field(default_factory=list)
    taken: int = 0
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Plan:
    """One replication plan of a share, as this NAS sees it."""

    target: str
    main: bool
    records: list[tuple[str, int, int]] = field(default_factory=list)  # name, begin, finish
    running: tuple[str, int, int] | None = None
    plan_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    here: str = field(default_factory=lambda: str(uuid.uuid4()))
    there: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class State:
    """Everything the NAS holds."""

    clock: Clock
    ways: Ways
    shares: list[Share] = field(default_factory=list)
    luns: list[Lun] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    account: str = "svc snapshots+1"
    password: str = "1234567890"  # a bare number on the wire, and yet a text
    serial: str = "20C0PDN1AB2CD"
    per_share: int = 1024

    def share(self, name: str) -> Share | None:
        """Return a share by its name, in whatever case."""
        return next((s for s in self.shares if s.name.casefold() == name.casefold()), None)

    def take(self, share: Share, *, desc: str, lock: bool, days: int = 0) -> ShareSnapshot | None:
        """Take a snapshot now; None where this second has one already."""
        name = named(self.clock.now, self.ways)
        if any(snapshot.name == name for snapshot in share.snapshots):
            return None
        made = ShareSnapshot(name, desc, lock, worm_days=days, worm_begin=int(self.clock.now),
                             visible_from=self.clock.now + self.ways.slow)  # fmt: skip
        share.snapshots.append(made)
        return made

    def settle(self) -> None:
        """End the syncs whose time has come."""
        for plan in self.plans:
            if plan.running and plan.running[2] <= self.clock.now:
                plan.records.append(plan.running)
                plan.running = None

    def preserved(self, share: Share) -> set[str]:
        """Return the names that the system itself preserves there: a plan's last synced one."""
        kept = set()
        for plan in self.plans:
            if plan.target == share.name:
                kept |= {record[0] for record in plan.records[-1:]}
                kept |= {plan.running[0]} if plan.running else set()
        return kept


def hourly(state: State, share: Share, marks: Iterable[str]) -> None:
    """Give a share one snapshot for each mark, an hour apart, the last an hour before now."""
    texts = list(marks)
    for back, text in enumerate(reversed(texts), start=1):
        moment = state.clock.now - state.clock.now % 3600 - back * 3600 + 3
        share.snapshots.insert(0, ShareSnapshot(named(moment, state.ways), text, lock=False))
