"""`reconcile explain`: why each snapshot of a target stays or goes, and when at the earliest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import output, targets
from reconciler.cli.exits import Exit
from reconciler.errors import TargetError
from reconciler.fleet import Fleet
from reconciler.zones import zone

if TYPE_CHECKING:
    from reconciler.cli.settings import Settings
    from reconciler.planning.plan import SnapshotVerdict, TargetPlan


@click.command(name="explain")
@click.argument("target")
@click.option("--nas", multiple=True, metavar="N|KEY=VALUE", help="Only these units.")
@click.option("--now", metavar="TIME", help="As of another moment.")
@click.option("-v", "verbose", is_flag=True, help="One row for each snapshot.")
@click.pass_obj
def command(
    settings: Settings, target: str, *, nas: tuple[str, ...], now: str | None, verbose: bool
) -> int:
    """Say why each snapshot of TARGET stays or goes, and when; or of one: TARGET/SNAPSHOT.

    TARGET is any end of NAS/share/NAME or NAS/lun/NAME; SNAPSHOT a name of DSM's, a uuid, or a
    local time such as 2026-11-15T12:00.
    """
    from reconciler.cli.run import read_moment
    from reconciler.planning.unit import foresee
    from reconciler.report.explain import render_target
    from reconciler.report.explain_snapshot import render_snapshot

    policies = settings.policies()
    with Fleet(settings.run(policies), settings.units(nas), now=read_moment(now)) as fleet:
        looked = fleet.look()
    found = [(one.plan.nas, t) for one in looked for t in one.plan.targets]
    unread = [one for one in looked if one.plan.problem]
    if not found and unread:
        raise TargetError(f"{unread[0].plan.nas}: {unread[0].plan.problem}",
                          next_step=unread[0].plan.next_step)  # fmt: skip
    (unit, plan), wanted = targets.split(target, found)
    policy = next((p for p in policies.policies if p.name == plan.policy), None)
    one = next(one for one in looked if one.plan.nas == unit)
    style = output.style(verbose=verbose)
    verdict = _snapshot(wanted, plan) if wanted is not None else None
    outlook = foresee(one.wish, one.observation, plan) if one.observation is not None else None
    shown: Any = {"outlook": outlook, "now": one.plan.now, "nas": unit, "style": style}
    if verdict is None:
        output.show(render_target(plan, policy, **shown))
    else:
        output.show(render_snapshot(plan, verdict, policy, **shown))
    return Exit.DONE


def _snapshot(text: str, plan: TargetPlan) -> SnapshotVerdict:
    found = targets.snapshot(
        text, plan.label, [verdict.snapshot for verdict in plan.snapshots], zone(plan.zone)
    )
    return next(verdict for verdict in plan.snapshots if verdict.snapshot is found)
