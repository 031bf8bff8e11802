"""`reconcile approve`: lets waiting deletions go, each while it is still a victim and unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.exits import Exit, worst
from reconciler.cli.settings import account
from reconciler.cli.who import audit_of, reason_of
from reconciler.fleet import Fleet
from reconciler.planning import approval, digest
from reconciler.wording import counted, moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.settings import Settings
    from reconciler.orders import Approval
    from reconciler.planning.plan import UnitPlan

_SHORTEST = 4


@click.command(name="approve")
@click.argument("digests", nargs=-1, metavar="[DIGEST]...")
@click.option("--nas", multiple=True, metavar="N|KEY=VALUE", help="Only what waits on these units.")
@click.option("--reason", metavar="TEXT", help="Why; asked for on a terminal.")
@click.option("--by", metavar="NAME", help="On whose behalf; default: the account and host.")
@click.option("-v", "verbose", is_flag=True, help="List the snapshots.")
@click.pass_obj
def command(
    settings: Settings,
    digests: tuple[str, ...],
    *,
    nas: tuple[str, ...],
    reason: str | None,
    by: str | None,
    verbose: bool,
) -> int:
    """Let the deletions that wait under DIGEST go, for 24 hours; without one: what waits, and why.

    A digest may be shortened. What has joined the list since is measured against the brakes anew.
    """
    policies = settings.policies()
    units = settings.units(nas)
    run = settings.run(policies)
    with Fleet(run, units) as fleet:
        looked = fleet.look()
    plans = [one.plan for one in looked]
    unread = [Exit.FAILED for plan in plans if plan.problem]
    for plan in plans:
        if plan.problem:
            output.say(f"{plan.nas}: {plan.problem}")
    if not digests:
        _list(plans)
        return worst(unread)
    chosen = [_chosen(text, plans) for text in digests]
    for plan in chosen:
        output.show(_summary(plan, verbose=verbose))
    why, name = reason_of(reason), (by or account())
    for plan in chosen:
        said = approve_plan(settings, plan, by=name, reason=why, now=int(run.clock.time()))
        until = moment(said.expires, zone(plan.zone))
        output.show(f"Approved until {until} as {name}. The next pass deletes exactly these.")
    return worst(unread)


def approve_plan(settings: Settings, plan: UnitPlan, *, by: str, reason: str, now: int) -> Approval:
    """Keep leave for what waits on a unit, in the store and in the trail."""
    said = approval.approval_of(plan, by=by, reason=reason, now=now)
    if said is None or plan.identity is None:
        raise click.UsageError(f"nothing waits on {plan.nas} for an approval")
    audit_of(settings, plan.nas, serial=plan.identity.serial, by=by).note(
        "approved",
        digest=said.digest,
        reason=reason,
        stops=list(said.stops),
        victims=sorted([uuid, key] for uuid, key in said.victims),
        expires=said.expires,
    )
    settings.store.approve(said)
    settings.store.grant(plan.nas, approval.grants_of(plan), now)
    return said


def _list(plans: Sequence[UnitPlan]) -> None:
    found = [(plan, waits) for plan in plans if (waits := digest.waiting(plan)) is not None]
    if not found:
        output.show("Nothing waits for an approval.")
        return
    wide = max(len(plan.nas) for plan, _ in found)
    for plan, waits in found:
        targets = {target.uuid for target, _ in approval.waiting(plan)}
        output.show(
            f"  {waits.shown}  {plan.nas:<{wide}}  {counted(waits.count, 'deletion')}, "
            f"{counted(len(targets), 'target')}   {', '.join(waits.causes)}"
        )
    output.show(f"\nTo let them go:  reconcile approve {found[0][1].shown}")


def _chosen(text: str, plans: Sequence[UnitPlan]) -> UnitPlan:
    wanted = text.casefold()
    if len(wanted) < _SHORTEST:
        raise click.UsageError(f"`{text}` is too short: at least {_SHORTEST} characters")
    fitting = [
        (plan, waits.digest)
        for plan in plans
        if (waits := digest.waiting(plan)) is not None and waits.digest.startswith(wanted)
    ]
    if len({found for _, found in fitting}) == 1:
        return fitting[0][0]
    if fitting:
        names = ", ".join(plan.nas for plan, _ in fitting)
        raise click.UsageError(f"`{text}` fits what waits on {names}: write more of it")
    raise click.UsageError(
        f"nothing waits under `{text}`: the list has changed since, or was done; "
        "`reconcile approve` shows what waits"
    )


def _summary(plan: UnitPlan, *, verbose: bool) -> str:
    """Say what would go: how many, of how many targets, the oldest; what stays beside it."""
    found = approval.waiting(plan)
    targets = {target.uuid: target for target, _ in found}
    at = zone(plan.zone)
    times = sorted(a.snapshot.time for _, a in found if a.snapshot and a.snapshot.time is not None)
    oldest = f", the oldest of {moment(times[0], at, year=True)}" if times else ""
    kinds = counted(len(targets), "target")
    lines = [f"{counted(len(found), 'snapshot')} of {kinds} on {plan.nas} will be deleted{oldest}."]
    held = sum(target.held for target in targets.values())
    pinned = sum(target.immutable for target in targets.values())
    lines.append("Cannot be undone.")
    stays = [f"{held} on hold"] * bool(held) + [f"{pinned} immutable"] * bool(pinned)
    if stays:
        lines.append(f"{' and '.join(stays)} stay.")
    if verbose:
        lines += [f"  {t.label}  {a.snapshot.name}" for t, a in found if a.snapshot is not None]
    else:
        lines[-1] += " -v lists them."
    return "\n".join(lines)
