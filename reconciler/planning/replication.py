"""When a target's replication plans are due, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.duration import MINUTE, spoken
from reconciler.model import Finding, Kind, Severity
from reconciler.planning.plan import Action, Replica, Sync, Why
from reconciler.planning.situation import plans_of
from reconciler.wording import clock, moment
from reconciler.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from reconciler.model import Instant, ObservedTarget, ReplicationPlan, Seconds
    from reconciler.planning.protection import Synced
    from reconciler.planning.situation import Desired, Situation
    from reconciler.policy.model import Replicate, Window

_FIRST_RETRY: Seconds = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class Replication:
    """What a target's `replicate` comes to: syncs to run, findings, and what makes it late.

    `differs` is set where a plan is there and cannot be used as the policy asks.
    """

    syncs: tuple[Action, ...] = ()
    findings: tuple[Finding, ...] = ()
    missing: bool = False
    late: bool = False
    differs: bool = False
    replicas: tuple[Replica, ...] = ()


def review(
    target: ObservedTarget, desired: Desired, situation: Situation, synced: Sequence[Synced]
) -> Replication:
    """Plan the syncs that are due; an empty result where the policy asks for none."""
    wanted = desired.policy.replicate
    if wanted is None or situation.plans is None:
        return Replication()
    plans = [plan for plan in plans_of(target, situation) if _asked(plan, wanted, situation)]
    if not plans:
        return Replication(findings=(_no_plan(target, wanted),), missing=True)
    findings: list[Finding] = []
    syncs: list[Action] = []
    replicas: list[Replica] = []
    late = differs = False
    for plan in plans:
        if plan.plan_id in situation.ambiguous_plans:
            findings.append(_ambiguous(plan, target))
            differs = True
            continue
        newest = _newest_synced(plan, synced)
        replicas.append(_replica(plan, newest))
        late = late or _is_late(newest, wanted, situation.now, findings)
        action = _due(plan, wanted, situation.now, zone=desired.zone)
        if action is None:
            continue
        if not plan.can_sync:
            findings.append(_cannot(plan))
            differs = True
            continue
        syncs.append(action)
    return Replication(
        tuple(syncs), tuple(findings), late=late, differs=differs, replicas=tuple(replicas)
    )


def _replica(plan: ReplicationPlan, newest: Instant | None) -> Replica:
    return Replica(plan.destination_host or plan.plan_id, newest, plan.busy, plan.progress)


def _asked(plan: ReplicationPlan, wanted: Replicate, situation: Situation) -> bool:
    if wanted.plan:
        return plan.plan_id == wanted.plan
    if not wanted.to:
        return True
    reported = {unit.casefold(): host for unit, host in situation.hostnames.items()}
    hostname = reported.get(wanted.to.casefold(), wanted.to)
    return plan.destination_host.casefold() == hostname.casefold()


def _due(
    plan: ReplicationPlan, wanted: Replicate, now: Instant, *, zone: ZoneInfo
) -> Action | None:
    """Return the sync the latest due time still wants, None where it has one or must wait."""
    due = wanted.cadence.latest(now, zone)
    attempts = [record for record in plan.records if record.began >= due]
    running = plan.busy or (plan.syncing_since is not None and plan.syncing_since >= due)
    if running or any(record.success for record in attempts):
        return None
    if attempts:
        last = attempts[-1].finished or attempts[-1].began
        if now < last + _FIRST_RETRY * 2 ** (len(attempts) - 1):
            return None
    if wanted.window is not None and not within(wanted.window, now, zone):
        return None
    change = Sync(
        plan_id=plan.plan_id,
        destination=plan.destination_host,
        due=due,
        lock_synced=wanted.lock_synced,
        send_encrypted=plan.send_encrypted,
    )
    return Action(change, (Why("replicate", _due_text(plan, due, now, zone=zone)),))


def within(window: Window, now: Instant, zone: ZoneInfo) -> bool:
    """Whether the wall clock lies in a daily window, which may cross midnight.

    The end is exclusive; a window that ends where it starts is the whole day.
    """
    moment_now = local(now, zone)
    minute = moment_now.hour * 60 + moment_now.minute
    if window.start < window.end:
        return window.start <= minute < window.end
    return minute >= window.start or minute < window.end


def _due_text(plan: ReplicationPlan, due: Instant, now: Instant, *, zone: ZoneInfo) -> str:
    succeeded = [record for record in plan.records if record.success]
    text = f"due at {clock(due, zone)}"
    if not succeeded:
        return f"{text}; no success yet"
    newest = succeeded[-1].finished or succeeded[-1].began
    same_day = local(newest, zone).date() == local(now, zone).date()
    when = f"today {clock(newest, zone)}" if same_day else moment(newest, zone)
    return f"{text}; newest success {when}"


def _newest_synced(plan: ReplicationPlan, synced: Sequence[Synced]) -> Instant | None:
    """Return when the newest state that the destination has was taken."""
    for known in synced:
        if known.plan.plan_id == plan.plan_id and known.since is not None:
            return known.since
    began = [record.began for record in plan.records if record.success]
    return began[-1] if began else None


def _is_late(
    newest: Instant | None, wanted: Replicate, now: Instant, findings: list[Finding]
) -> bool:
    if wanted.rpo is None:
        return False
    if newest is not None and now - newest <= wanted.rpo:
        return False
    age = f"is {spoken(now - newest)} old" if newest is not None else "does not exist yet"
    findings.append(
        Finding(
            "replica-late",
            Severity.WARNING,
            f"newest synced snapshot {age}, promised {spoken(wanted.rpo)}",
        )
    )
    return True


def _no_plan(target: ObservedTarget, wanted: Replicate) -> Finding:
    where = "shared folder" if target.kind is Kind.SHARE else "LUN"
    asked = f" with id {wanted.plan}" if wanted.plan else f" to {wanted.to}" if wanted.to else ""
    return Finding(
        "no-replication-plan",
        Severity.ERROR,
        f"`replicate` finds no plan{asked} for {target.kind}/{target.name}",
        next_step=f"make one in DSM: Snapshot Replication > Replication > Create, {where} "
        f"{target.name}; the reconciler then runs it",
    )


def _ambiguous(plan: ReplicationPlan, target: ObservedTarget) -> Finding:
    return Finding(
        "ambiguous-plan",
        Severity.ERROR,
        f"replication plan {plan.plan_id} fits {target.kind}/{target.name} and another target",
        next_step="rename one of the two in DSM, so that the plan names one target alone",
    )


def _cannot(plan: ReplicationPlan) -> Finding:
    return Finding(
        "cannot-sync",
        Severity.ERROR,
        f"DSM says that the plan to {plan.destination_host or plan.plan_id} cannot sync now",
        next_step="look at the plan in Snapshot Replication > Replication",
    )
