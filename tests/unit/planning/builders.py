"""Policies, targets and situations in a few words, at local times of Zurich."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from reconciler.calendar import every
from reconciler.inventory.model import SecretReference, Unit, UnitBrakes
from reconciler.mark import Mark
from reconciler.model import (
    BuiltIn,
    Identity,
    Kind,
    Limits,
    NameForm,
    Observation,
    ObservedTarget,
    Place,
    ReplicationPlan,
    Snapshot,
    SyncRecord,
)
from reconciler.planning.plan import Create, Delete, SetAttributes, Sync, TargetPlan, UnitPlan
from reconciler.planning.situation import Desired, Situation
from reconciler.planning.target import plan_target
from reconciler.planning.unit import Wish, plan_unit
from reconciler.policy.model import Hold, Pattern, Policy, PolicySet, Selector
from reconciler.retention import Keep

AT = ZoneInfo("Europe/Zurich")
HERE = Place("policies/erp.yaml", 3, 5)
HOUR = 3600
DAY = 86_400


def at(text: str) -> int:
    """Read a wall clock, `11-23 12:00` of 2026 or with the year before it, as an instant.

    An offset may follow: `10-25T01:00+00:00`.
    """
    full = text if text[4] == "-" else f"2026-{text}"
    moment = datetime.fromisoformat(full)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=AT)).timestamp())


def snap(time: str | int, *, policy: str = "erp", **extra: Any) -> Snapshot:
    """Return a share's snapshot of ours, due and taken at that time; `mark=None` unmarks it."""
    taken = time if isinstance(time, int) else at(time)
    local = datetime.fromtimestamp(taken, AT)
    shift = local.utcoffset()
    hours = int(shift.total_seconds()) // HOUR if shift is not None else 0
    found = Snapshot(
        f"GMT+{hours:02d}-{local:%Y.%m.%d-%H.%M.%S}",
        taken,
        form=NameForm.OFFSET,
        mark=Mark(policy, due=taken // 60 * 60),
    )
    found = replace(found, **extra)
    text = str(found.mark) if found.mark is not None else ""
    return replace(found, description=extra.get("description", text))


def bare(time: str | int, **extra: Any) -> Snapshot:
    """Return a share's snapshot whose name has no offset and is read as UTC."""
    found = snap(time, form=NameForm.BARE, **extra)
    utc = datetime.fromtimestamp(found.time or 0, UTC)
    return replace(found, name=f"GMT-{utc:%Y.%m.%d-%H.%M.%S}")


def undated(**extra: Any) -> Snapshot:
    """Return a snapshot whose name is no time."""
    return Snapshot("by hand", None, **extra)


def lun_snap(time: str | int, *, policy: str = "erp", **extra: Any) -> Snapshot:
    """Return a LUN's snapshot of ours."""
    found = snap(time, policy=policy, form=None, **extra)
    return replace(found, name=f"rec-{found.time}", uuid=extra.get("uuid", f"uuid-{found.time}"))


def share(*snapshots: Snapshot, **extra: Any) -> ObservedTarget:
    """Return a share that DSM itself neither snapshots nor prunes."""
    made = ObservedTarget(Kind.SHARE, "u-docs", "docs", snapshots, built_in=BuiltIn())
    return replace(made, **extra)


def lun(*snapshots: Snapshot, **extra: Any) -> ObservedTarget:
    """Return a LUN."""
    made = ObservedTarget(Kind.LUN, "0badcafe-77", "vm-1", snapshots, built_in=BuiltIn())
    return replace(made, **extra)


def policy(cadence: str = "1h", **extra: Any) -> Policy:
    """Return a policy named erp; `keep` is a Keep or its rules, `cadence` "" for none."""
    keep = extra.pop("keep", {"last": 2})
    rules = Keep(**keep) if isinstance(keep, dict) else keep
    built = Policy("erp", HERE, cadence=every(cadence) if cadence else None, keep=rules)
    return replace(built, **extra)


def hold(name: str = "case", **extra: Any) -> Hold:
    """Return a hold; `after` and `before` are local times."""
    bounds = {f"taken_{key}": at(extra.pop(key)) for key in ("after", "before") if key in extra}
    return Hold(name, "litigation", HERE, **bounds, **extra)


def replication(**extra: Any) -> ReplicationPlan:
    """Return an idle plan of the share above, to dr-1, that never ran."""
    made = ReplicationPlan(
        plan_id="p1",
        role=1,
        kind=Kind.SHARE,
        target_ids=frozenset({"docs"}),
        to_local=False,
        main_node="here",
        destination_node="there",
        destination_host="dr-1",
        destination_ids=frozenset(),
        busy=False,
        progress=None,
        can_sync=True,
        send_encrypted=False,
        records=(),
        syncing_since=None,
        successes=0,
        last_snapshot="",
    )
    return replace(made, **extra)


def record(began: str, *, success: bool, snapshot: str = "", minutes: int = 1) -> SyncRecord:
    """Return an attempt of a plan that took some minutes."""
    start = at(began)
    return SyncRecord(snapshot, start, start + minutes * 60, success)


def situation(now: str | int, **extra: Any) -> Situation:
    """Return a NAS whose clock is right and that allows DSM's usual numbers."""
    moment = now if isinstance(now, int) else at(now)
    made = Situation("attic", moment, "", 300, Limits(1024, 256, 65_536))
    return replace(made, **extra)


def plan(
    target: ObservedTarget, wanted: Policy, now: str | int, *holds: Hold, **extra: Any
) -> TargetPlan:
    """Plan one target, brakes aside."""
    return plan_target(target, Desired(wanted, AT, holds), situation(now, **extra))


def deleted(planned: TargetPlan | UnitPlan, *, free: bool = False) -> list[str]:
    """Return the planned deletions by local time, the undated by name; `free` what may run."""
    found: list[str] = []
    for action in planned.actions:
        if isinstance(action.change, Delete) and not (free and action.stopped_by):
            found.append(local(action.change.snapshot))
    return sorted(found)


def local(snapshot: Snapshot) -> str:
    """Write a snapshot's time as `11-23 12:00`."""
    if snapshot.time is None:
        return snapshot.name
    return f"{datetime.fromtimestamp(snapshot.time, AT):%m-%d %H:%M}"


def created(planned: TargetPlan | UnitPlan) -> list[Create]:
    """Return the planned creations."""
    return [a.change for a in planned.actions if isinstance(a.change, Create)]


def synced(planned: TargetPlan | UnitPlan) -> list[Sync]:
    """Return the planned syncs."""
    return [a.change for a in planned.actions if isinstance(a.change, Sync)]


def changes(planned: TargetPlan | UnitPlan) -> dict[str, tuple[bool | None, str | None]]:
    """Return the changes of attributes: the lock and the description by local time."""
    return {
        local(a.change.snapshot): (a.change.lock, a.change.description)
        for a in planned.actions
        if isinstance(a.change, SetAttributes)
    }


def reasons(planned: TargetPlan, snapshot: Snapshot) -> list[str]:
    """Return the stable words of the reasons for one snapshot's verdict."""
    found = next(v for v in planned.snapshots if v.snapshot == snapshot)
    return [why.rule for why in found.reasons]


def codes(planned: TargetPlan | UnitPlan) -> list[str]:
    """Return the codes of the findings."""
    return [finding.code for finding in planned.findings]


def names(*entries: str) -> Selector:
    """Return a selector of these entries."""
    return Selector(
        tuple(Pattern(e.removeprefix("!"), HERE, negative=e.startswith("!")) for e in entries)
    )


def unit(**extra: Any) -> Unit:
    """Return a unit of the inventory."""
    made = Unit("attic", "https://attic:5001", "svc", SecretReference(HERE), HERE)
    return replace(made, timezone="Europe/Zurich", **extra)


def wish(*policies: Policy, holds: tuple[Hold, ...] = (), **extra: Any) -> Wish:
    """Return what is wanted of the only unit; each policy selects the share docs."""
    selecting = tuple(
        p if p.shares or p.luns else replace(p, shares=names("docs")) for p in policies
    )
    chosen = PolicySet(selecting, tuple(replace(h, shares=h.shares or names("*")) for h in holds))
    made = Wish(chosen, unit(), UnitBrakes(), only_unit=True)
    return replace(made, **extra)


def observation(now: str | int, *targets: ObservedTarget, **extra: Any) -> Observation:
    """Return a reading of the NAS."""
    moment = now if isinstance(now, int) else at(now)
    made = Observation(
        "attic",
        Identity("2150ABC", "DS923+", "DSM 7.2", "attic"),
        moment,
        0.0,
        HOUR,
        Limits(1024, 256, 65_536),
        targets,
        (),
    )
    return replace(made, **extra)


def whole(wanted: Wish, now: str | int, *targets: ObservedTarget, **extra: Any) -> UnitPlan:
    """Plan one NAS, brakes applied."""
    return plan_unit(wanted, observation(now, *targets, **extra))
