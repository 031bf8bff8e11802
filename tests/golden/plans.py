"""Plans built by hand, as planning would return them, for the tests of what people read."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from reconciler.mark import Mark
from reconciler.model import Finding, Identity, Kind, NameForm, Severity, Snapshot
from reconciler.planning.plan import (
    Action,
    Create,
    Delete,
    Plan,
    SetAttributes,
    SnapshotVerdict,
    State,
    Stop,
    Sync,
    TargetPlan,
    UnitPlan,
    Verdict,
    Why,
)

HERE = Path(__file__).parent
ZONE = "Europe/Zurich"
AT = ZoneInfo(ZONE)
NOW = int(datetime(2026, 11, 23, 11, 0, tzinfo=UTC).timestamp())
SERIAL = "2150ABC123456"
ATTIC = Identity(SERIAL, "DS923+", "DSM 7.2.2-72806 Update 3", "attic")
HQ = Identity("1780PQN001", "RS3621xs+", "DSM 7.2.2-72806", "hq-1")
DAY = 86_400


def golden(name: str, text: str) -> None:
    """Compare a text with its golden file, or write the file where UPDATE_GOLDEN=1 asks for it."""
    path = HERE / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text("utf-8")


def at(text: str) -> int:
    """Read a wall clock of Zurich, `2026-11-15T12:00`, as an instant."""
    return int(datetime.fromisoformat(text).replace(tzinfo=AT).timestamp())


def share_snapshot(time: str, policy: str = "documents", **extra: object) -> Snapshot:
    """Return a share's snapshot of ours, taken a second after a local time."""
    instant = at(time) + 1
    written = datetime.fromtimestamp(instant, AT)
    name = f"GMT+{written.utcoffset().seconds // 3600:02d}-{written:%Y.%m.%d-%H.%M.%S}"  # type: ignore[union-attr]  # aware
    mark = Mark(policy, due=at(time))
    made = Snapshot(name, instant, str(mark), form=NameForm.OFFSET, mark=mark)
    return replace(made, **extra)  # type: ignore[arg-type]  # a test's own keywords


def lun_snapshot(time: str, policy: str = "vms") -> Snapshot:
    """Return a LUN's snapshot of ours."""
    instant = at(time) + 1
    mark = Mark(policy, due=at(time))
    uuid = f"0d0c{instant:012d}"
    return Snapshot(f"rec-{mark.identifier}-77aa", instant, str(mark), uuid=uuid, mark=mark)


def create(*texts: str, immutable_days: int = 0, lock: bool = False, lun: bool = False) -> Action:
    """Return a creation due now."""
    change = Create(
        NOW,
        str(Mark("documents", due=NOW, lock=lock)),
        lock=lock,
        immutable_days=immutable_days,
        lun_name="rec-20261123T1100Z-77aa" if lun else "",
    )
    return Action(change, tuple(Why("due", text) for text in texts))


def delete(
    snapshot: Snapshot, *reasons: Why, stop: Stop | None = None, early: bool = False
) -> Action:
    """Return a deletion with its sentence and each rule's reason."""
    return Action(Delete(snapshot, early=early), reasons, stop)


def beyond(rule: str, count: int) -> tuple[Why, ...]:
    """Return the reasons of a snapshot that only lies beyond one rule."""
    text = f"beyond {rule} {count}"
    return (Why("displaced", text), Why(rule, text))


def covered(rule: str, count: int, day: str, by: str = "00:00") -> tuple[Why, ...]:
    """Return the reasons of a snapshot beyond one rule, whose day another one stands for."""
    stands = f"{day} is kept by {by}"
    return (
        Why("displaced", f"beyond {rule} {count}; {stands}"),
        Why(rule, f"beyond {rule} {count}"),
        Why("daily", stands, period=at("2026-11-20T00:00")),
    )


def sync(to: str, text: str) -> Action:
    """Return a sync due now."""
    change = Sync("a3e1", destination=to, due=NOW, lock_synced=False, send_encrypted=True)
    return Action(change, (Why("replicate", text),))


def unlock(snapshot: Snapshot, text: str) -> Action:
    """Return the change that takes our lock off."""
    return Action(
        SetAttributes(snapshot, lock=False, description=snapshot.description),
        (Why("unlock", text),),
    )


def keep(snapshot: Snapshot, *texts: str) -> SnapshotVerdict:
    """Return the verdict of a snapshot that stays."""
    until = snapshot.immutable_until if snapshot.immutable else None
    reasons = tuple(Why(text.split()[0], text) for text in texts)
    return SnapshotVerdict(snapshot, True, Verdict.KEEP, reasons, until)


def share(name: str, state: State = State.COMPLIANT, **fields: object) -> TargetPlan:
    """Return a share's plan."""
    base = TargetPlan(Kind.SHARE, f"uuid-of-{name}", name, state, zone=ZONE)
    return replace(base, **fields)  # type: ignore[arg-type]  # a test's own keywords


def lun(name: str, state: State = State.COMPLIANT, **fields: object) -> TargetPlan:
    """Return a LUN's plan."""
    base = TargetPlan(Kind.LUN, f"uuid-of-{name}", name, state, zone=ZONE)
    return replace(base, **fields)  # type: ignore[arg-type]  # a test's own keywords


def unit(nas: str, *targets: TargetPlan, **fields: object) -> UnitPlan:
    """Return a unit's plan, read at noon."""
    base = UnitPlan(
        nas=nas,
        now=NOW,
        zone=ZONE,
        identity=ATTIC,
        targets=targets,
        share_count=sum(t.kind is Kind.SHARE for t in targets),
        lun_count=sum(t.kind is Kind.LUN for t in targets),
    )
    return replace(base, **fields)  # type: ignore[arg-type]  # a test's own keywords


def plan(*units: UnitPlan, revision: str = "") -> Plan:
    """Return the plan of a run at noon."""
    return Plan(NOW + 3, revision, units)


def documents() -> TargetPlan:
    """Return the README's first share."""
    why = "beyond last 48; 15 Nov is kept by 00:00, November by 1 Nov"
    victim = share_snapshot("2026-11-15T12:00")
    reasons = (
        Why("displaced", why),
        Why("last", "beyond last 48"),
        Why("daily", "15 Nov is kept by 00:00", period=at("2026-11-15T00:00")),
        Why("monthly", "November is kept by 1 Nov", period=at("2026-11-01T00:00")),
    )
    return share(
        "documents",
        policy="documents",
        kept=81,
        immutable=42,
        newest=at("2026-11-23T08:00") + 1,
        newest_managed=at("2026-11-23T08:00") + 1,
        next_due=at("2026-11-23T16:00"),
        brake_weight=5,
        brake_limits=(20, 30),
        actions=(
            create("immutable until Mon 30 Nov 12:00 (cannot be undone)", immutable_days=7),
            delete(victim, *reasons),
            sync("cellar", "due at 12:00; newest success today 00:04"),
        ),
        snapshots=(
            SnapshotVerdict(victim, True, Verdict.DELETE, reasons, victim.time),
            keep(
                share_snapshot(
                    "2026-11-23T08:00", immutable=True, immutable_until=at("2026-11-30T08:00") + 1
                ),
                "last 2/48",
                "immutable until Mon 30 Nov 08:00",
            ),
        ),
    )


def photos() -> TargetPlan:
    """Return the README's second share."""
    why = "beyond last 28; 16 Nov is kept by 00:00, November by 1 Nov"
    return share(
        "photos",
        policy="photos",
        kept=62,
        newest=at("2026-11-23T06:00") + 1,
        actions=(
            create("locked, 1 of the newest 3", lock=True),
            unlock(share_snapshot("2026-11-22T18:00", "photos"), "no longer one of the newest 3"),
            delete(share_snapshot("2026-11-16T12:00", "photos"), Why("displaced", why)),
        ),
    )


def vmware(stop: Stop = Stop.BRAKE_TARGET) -> TargetPlan:
    """Return the README's LUN, 24 of whose 40 snapshots wait."""
    days = [(10, day) for day in range(25, 32)] + [(11, day) for day in range(1, 17)]
    daily = [lun_snapshot(f"2026-{month:02d}-{day:02d}T00:00") for month, day in days]
    noon = lun_snapshot("2026-11-20T12:00")
    return lun(
        "vmware-ds1",
        State.BRAKED,
        policy="vms",
        kept=16,
        newest=at("2026-11-23T06:00") + 1,
        newest_managed=at("2026-11-23T06:00") + 1,
        brake_weight=2,
        brake_limits=(20, 30),
        actions=(
            create("due at 12:00", lun=True),
            *(delete(s, *beyond("daily", 7), stop=stop) for s in daily),
            delete(noon, *covered("last", 12, "20 Nov"), stop=stop),
        ),
    )


def attic() -> UnitPlan:
    """Return the unit of the README's first screen."""
    return unit(
        "attic",
        documents(),
        photos(),
        share("surveillance", State.UNMANAGED),
        share("usbshare1", State.UNSUPPORTED),
        vmware(),
    )


def _company_share(name: str) -> TargetPlan:
    hourly = [share_snapshot(f"2026-11-22T{hour:02d}:00", "erp") for hour in range(1, 8)]
    return share(
        name,
        State.BRAKED,
        policy="erp",
        kept=15,
        immutable=14,
        newest_managed=NOW - 3600,
        brake_weight=4,
        brake_limits=(20, 30),
        findings=(
            Finding(
                "two-schedules",
                Severity.WARNING,
                "DSM's own snapshot schedule is on beside this policy's",
                f"switch it off in DSM: Snapshot Replication > Snapshots > {name} > Settings",
            ),
        ),
        actions=(
            create("not the first of its day, so not immutable"),
            *(
                delete(
                    s,
                    *covered("hourly", 24, f"22 Nov, {hour:02d}"),
                    stop=Stop.BRAKE_TARGET,
                )
                for hour, s in enumerate(hourly, start=1)
            ),
            sync("dr-1", "due at 12:00; newest success today 06:04"),
        ),
    )


ERP = ("ar", "assets", "bi", "cash", "core", "edi", "fin", "hr", "mm", "pp", "qm", "sd", "wm")


def company() -> UnitPlan:
    """Return a unit with 13 equal shares, and one of every state that says something."""
    unmarked = share_snapshot("2025-12-24T18:00", description="", mark=None)
    quiet = tuple(share(f"home-{n}", policy="office", kept=40) for n in range(1, 9))
    return unit(
        "hq-1",
        *quiet,
        share("profiles", State.DRIFTED, policy="office", kept=41, findings=(
            Finding(
                "two-pruners",
                Severity.WARNING,
                "DSM's own retention is on (Smart: 24 hourly, 7 daily, 2 weekly)",
                "switch it off in DSM: Snapshot Replication > Snapshots > profiles > Settings > "
                "Retention",
            ),
        ), actions=(create("due at 12:00"),)),
        *(_company_share(f"erp-{name}") for name in ERP),
        share("payroll", State.LATE, policy="payroll", kept=74, findings=(
            Finding("late", Severity.WARNING, "newest is 4 h old, promised 2 h"),
        ), actions=(create("due since 09:00"),)),
        share("scans", State.SUSPENDED, policy="scans", findings=(
            Finding("suspended", Severity.NOTE, "suspended: migration, ticket STO-1190"),
        )),
        share("both", State.CONTENDED, findings=(
            Finding(
                "contended",
                Severity.ERROR,
                "policies a (policies/a.yaml:4) and b (policies/b.yaml:9) select it with one "
                "priority, 0",
                "give one of them a higher `priority`, or exclude the target in the other",
            ),
        )),
        share("hr", State.MISSING, policy="hr", kept=12, findings=(
            Finding(
                "no-replication-plan",
                Severity.ERROR,
                "`replicate` finds no plan to dr-1 for share/hr",
                "make one in DSM: Snapshot Replication > Replication > Create, shared folder hr; "
                "the reconciler then runs it",
            ),
        ), actions=(create("due at 12:00"),)),
        share("full", State.BLOCKED, policy="office", kept=1024, findings=(
            Finding(
                "blocked",
                Severity.ERROR,
                "no snapshot can be taken: 1024 snapshots, the limit is 1024, and no victim may "
                "go first",
                "delete snapshots in DSM, or lower what `keep` asks for",
            ),
        )),
        share("torn", State.UNKNOWN, policy="office", findings=(
            Finding("unread", Severity.ERROR, "the list holds 40 of 41 snapshots"),
        )),
        share("old", State.BRAKED, policy="office", kept=3, actions=(
            delete(unmarked, *beyond("daily", 30), stop=Stop.UNMARKED),
        )),
        share("media", State.DESTINATION),
        *(share(f"scratch-{n}", State.UNMANAGED) for n in range(1, 8)),
        lun("test-1", State.UNMANAGED),
        lun("test-2", State.UNMANAGED),
        identity=HQ,
    )  # fmt: skip


def unread() -> UnitPlan:
    """Return a unit that did not answer."""
    return UnitPlan(
        "lab-3",
        NOW,
        ZONE,
        problem="https://lab-3.example.net:5001 refused the connection",
        next_step="check that the NAS is on and that port 5001 is open from here",
    )


def suspended() -> UnitPlan:
    """Return a unit that the inventory suspends."""
    reason = "volume rebuild until Friday"
    note = Finding("suspended", Severity.NOTE, f"suspended: {reason}")
    return unit(
        "hq-2",
        share("hr", State.SUSPENDED, policy="hr", findings=(note,)),
        share("it", State.SUSPENDED, policy="it", findings=(note,)),
        suspended=reason,
    )


def settled() -> UnitPlan:
    """Return a unit on which everything is as its policy says."""
    return unit(
        "attic",
        share("documents", policy="documents", kept=81),
        lun("vmware-ds1", policy="vms", kept=19),
    )


def hostile() -> UnitPlan:
    """Return a unit whose names and texts try to steer a terminal and a web page."""
    return unit(
        "attic",
        share(
            "a\x1b[2J|<b>*x*</b>\n@all",
            State.UNKNOWN,
            policy="documents",
            findings=(Finding("unread", Severity.ERROR, "DSM said \x9b31m <script>\u202e", "see"),),
        ),
        identity=Identity(SERIAL, "DS\x07923+", "DSM 7.2\r", "attic"),
    )
