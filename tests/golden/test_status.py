"""`reconcile status` as people, scripts and monitoring systems read it."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.memory import TargetMemory, UnitMemory
from reconciler.model import Finding, Kind, Place, Severity
from reconciler.planning.plan import Replica, State, TargetPlan, UnitPlan
from reconciler.report import status
from reconciler.report.standing import Overview, overview
from reconciler.report.style import Style

sys.path.insert(0, str(Path(__file__).parent))

import plans

NOW = plans.NOW
HOUR, DAY = 3600, 86_400
COMMIT = "3f9c2ab" + "0" * 33
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def target(name: str, state: State = State.COMPLIANT, **extra: object) -> TargetPlan:
    """Return a target whose newest snapshot is four minutes old and whose next is due at 16:00."""
    made = TargetPlan(
        Kind.SHARE,
        f"u-{name}",
        name,
        state,
        policy="docs",
        zone=plans.ZONE,
        newest=NOW - 240,
        next_due=NOW + 4 * HOUR,
        immutable=3,
    )
    return replace(made, **extra)  # type: ignore[arg-type]  # a test's own keywords


def unit(name: str, *targets: TargetPlan, **extra: object) -> UnitPlan:
    """Return a unit that was read."""
    return replace(UnitPlan(name, NOW, plans.ZONE, targets=targets), **extra)  # type: ignore[arg-type]


def finding(code: str, text: str, next_step: str = "") -> Finding:
    """Return a warning."""
    return Finding(code, Severity.WARNING, text, next_step)


def shown(*units: UnitPlan, missing: tuple[Finding, ...] = (), **memories: UnitMemory) -> Overview:
    """Return the overview of units, with what is remembered of some of them."""
    known = {one.nas: memories.get(one.nas.replace("-", "_"), UnitMemory(one.nas)) for one in units}
    return overview(units, known, missing=missing, revision=COMMIT, read_at=NOW)


def since(state: State, name: str, when: int) -> UnitMemory:
    """Remember one target in a state."""
    one = TargetMemory(Kind.SHARE, f"u-{name}", name, str(state), since=when)
    return UnitMemory("", targets={one.key: one})


def company() -> Overview:
    """Return a fleet in which each state is met."""
    late = finding("late", "newest is 4 h 4 min old, promised 2 h")
    orphan = finding("orphaned", "it was erp-archive (same uuid); 73 snapshots of ours",
                     "add finance-ledger to policies/erp.yaml:14 (shares), or it gets no more "
                     "snapshots")  # fmt: skip
    pruners = finding("two-pruners", "DSM's own retention is on (Smart)",
                      "switch it off in DSM: Snapshot Replication > Snapshots")  # fmt: skip
    copies = (Replica("dr-1", NOW - 6 * HOUR), Replica("dr-2", NOW - HOUR, busy=True, progress=38))
    hq_1 = unit(
        "hq-1",
        target("payroll", State.LATE, newest=NOW - 4 * HOUR - 240, findings=(late,)),
        target("finance-ledger", State.ORPHANED, policy="", findings=(orphan,)),
        *(target(f"erp-{n}", State.BRAKED, actions=(braked(),)) for n in "abc"),
        target("profiles", State.DRIFTED, findings=(pruners,)),
        target("locks", State.DRIFTED),
        target("ledger", replicas=copies),
        target("contested", State.CONTENDED, findings=(finding("contended", "two own it"),)),
        target("full", State.BLOCKED, findings=(finding("blocked", "no snapshot can be taken"),)),
        target("odd", State.UNKNOWN, findings=(finding("unread", "its list was cut short"),)),
        target("media", State.DESTINATION, policy=""),
        target("scratch", State.UNMANAGED, policy=""),
        target("usbshare1", State.UNSUPPORTED, policy=""),
    )
    scans = finding("suspended", 'suspended: "migration, ticket STO-1190"')
    hq_2 = unit("hq-2", target("scans", State.SUSPENDED, findings=(scans,)), target("hr"))
    lab = unit("lab-3", problem="connection refused", next_step="check that the NAS is on")
    others = [unit(f"branch-{n}", target("files")) for n in range(4)]
    nowhere = Finding("missing", Severity.WARNING, "`hr-sacns` fits no share", "is it hr-scans?",
                      Place("policies/hr.yaml", 6, 9))  # fmt: skip
    owned = TargetMemory(Kind.SHARE, "u-1", "data", "compliant", since=0, policy="docs")
    return shown(
        *others, hq_2, hq_1, lab, missing=(nowhere, finding("matches-nothing", "`x*` fits none")),
        lab_3=UnitMemory("lab-3", clock=NOW - 2 * DAY, unread_since=NOW - 2 * DAY + 300,
                         targets={owned.key: owned}),
        hq_1=since(State.LATE, "payroll", NOW - 2 * HOUR),
        hq_2=since(State.SUSPENDED, "scans", NOW - 22 * DAY),
    )  # fmt: skip


def braked() -> plans.Action:
    """Return a deletion that the target's brake stops."""
    old = plans.share_snapshot("2026-08-26T00:00")
    return plans.delete(old, *plans.beyond("daily", 30), stop=plans.Stop.BRAKE_TARGET)


@pytest.mark.parametrize("width", [100, 80])
def test_a_fleet_reads_as_its_golden_file(width: int) -> None:
    """What needs somebody stands first, compliant units are one row, facts have a next step."""
    text = status.render_text(company(), style=Style(width=width))
    plans.golden(f"status-fleet-{width}", text)
    assert max(len(line) for line in text.splitlines()) <= width


def test_every_unit_is_listed_when_asked_for() -> None:
    """`--all` gives compliant units a row each."""
    text = status.render_text(company(), style=Style(verbose=True))
    assert text.count("branch-") == 4
    assert "others" not in text


@pytest.mark.parametrize("width", [100, 80])
def test_one_unit_is_a_line_a_target(width: int) -> None:
    """A homelab's status has no table of units."""
    copy = (Replica("cellar", NOW - 12 * HOUR, busy=True, progress=38),)
    none = (Replica("cellar", None),)
    attic = unit(
        "attic",
        target("documents", replicas=copy),
        target("photos", replicas=none, next_due=NOW + 30 * HOUR),
        target("manual", next_due=None),
        target("fresh", newest=None, actions=(plans.create("due at 12:00"),)),
        target("vmware-ds1", State.BRAKED, actions=(braked(),)),
        target("surveillance", State.UNMANAGED, policy=""),
        target("usbshare1", State.UNSUPPORTED, policy=""),
        target("mirror", State.DESTINATION, policy=""),
    )
    text = status.render_text(shown(attic), style=Style(width=width))
    plans.golden(f"status-unit-{width}", text)
    assert max(len(line) for line in text.splitlines()) <= width


def test_colour_only_repeats_the_words() -> None:
    """In colour it is the same text."""
    for seen in (company(), shown(unit("attic", target("a"), target("b", State.LATE)))):
        coloured = status.render_text(seen, style=Style(colour=True))
        assert _COLOUR.sub("", coloured) == status.render_text(seen, style=Style())
        assert _COLOUR.search(coloured)


def test_all_well_is_short() -> None:
    """Where everything is as promised nothing but the table and the counts is said."""
    seen = shown(*(unit(f"nas-{n}", target("files")) for n in range(5)))
    assert seen.as_promised
    plans.golden("status-well", status.render_text(seen, style=Style()))


def test_a_name_from_a_nas_cannot_steer_the_terminal() -> None:
    """Escape sequences in names and facts are written out."""
    bad = "x\x1b[2J"
    late = target(bad, State.LATE, findings=(finding("late", f"newest {bad}"),))
    copied = target("ok", replicas=(Replica(bad, NOW),))
    for units in ([unit("a", late, copied)], [unit("a", late), unit("b", problem=bad)]):
        assert "\x1b" not in status.render_text(shown(*units), style=Style())


def test_one_line_is_for_a_monitoring_system() -> None:
    """`-q` is one line that says OK or CRITICAL and the counts."""
    assert status.render_line(shown(unit("a", target("files")))) == "OK: 1 compliant\n"
    line = status.render_line(company())
    assert line.startswith("CRITICAL: 6 compliant, 2 unknown, 1 contended, 1 late, 1 missing, ")
    assert line.endswith("without a policy: 1 orphaned, 1 never had one, 1 destination, "
                         "1 unsupported\n")  # fmt: skip
    assert status.render_line(shown(unit("a"))) == "OK: no target with a policy\n"


def test_json_holds_every_target_with_its_need() -> None:
    """A script finds state, fact, next step and times in UTC."""
    document = json.loads(status.render_json(company()))
    by_name = {t["name"]: t for one in document["units"] for t in one["targets"]}
    assert by_name["payroll"]["need"] == {
        "state": "late",
        "fact": "newest is 4 h 4 min old, promised 2 h",
        "next_step": "reconcile --target hq-1/share/payroll",
        "since": "2026-11-23T09:00:00Z",
    }
    assert by_name["ledger"]["replicas"][1] == {
        "destination": "dr-2",
        "newest": "2026-11-23T10:00:00Z",
        "busy": True,
        "progress": 38,
    }
    assert by_name["hr"]["need"] is None
    (lab,) = [one for one in document["units"] if one["nas"] == "lab-3"]
    assert (lab["last_read"], lab["need"]["fact"]) == ("2026-11-21T11:00:00Z", "connection refused")
    assert document["missing"][0]["next_step"] == "is it hr-scans?"
    assert document["counts"]["braked"] == 3


def test_suspended_is_not_out_of_promise() -> None:
    """What somebody suspended is shown and no reason for exit code 6."""
    assert shown(unit("a", target("files", State.SUSPENDED))).as_promised
    assert not shown(unit("a", target("files", State.BRAKED, actions=(braked(),)))).as_promised
    assert not shown(unit("a", problem="gone")).as_promised


def test_a_late_target_names_the_cause_where_another_finding_knows_it() -> None:
    """Why it is late is said by the error beside it."""
    error = Finding("create-failed", Severity.ERROR, "share busy", "see DSM's Log Center")
    late = target("a", State.LATE, findings=(finding("late", "newest is old"), error))
    need = shown(unit("x", late)).units[0].targets[0].need
    assert need is not None
    assert need.next_step == "see DSM's Log Center"


def test_a_replica_counts_by_its_oldest_and_not_where_one_is_empty() -> None:
    """The lag of a target is that of its worst destination; unknown where one has nothing."""
    both = (Replica("a", NOW - HOUR), Replica("b", NOW - DAY))
    one = shown(unit("x", target("a", replicas=both))).units[0].targets[0]
    assert one.lag == DAY
    half = (Replica("a", NOW - HOUR), Replica("b", None))
    assert shown(unit("x", target("a", replicas=half))).units[0].targets[0].lag is None
