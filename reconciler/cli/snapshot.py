"""`reconcile snapshot`: one now, outside the cadence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.audit import Who
from reconciler.cli import output, targets
from reconciler.cli.exits import Exit, worst
from reconciler.cli.halt import Halt
from reconciler.cli.hold import keep_hold
from reconciler.cli.known import read, units_of
from reconciler.cli.run import codes_of, show_outcome
from reconciler.cli.settings import account
from reconciler.cli.who import end_of, reason_of
from reconciler.execute import Result
from reconciler.fleet import Fleet, plan_of
from reconciler.memory import Seen
from reconciler.orders import Asked
from reconciler.planning.plan import State
from reconciler.wording import moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.settings import Settings
    from reconciler.execute import UnitOutcome
    from reconciler.planning.plan import TargetPlan, UnitPlan
    from reconciler.reconcile import Looked

_MINUTE = 60


@click.command(name="snapshot")
@click.argument("target", metavar="TARGET")
@click.option("--protect", metavar="30d", help="Hold it for that long; ends by itself.")
@click.option("--reason", metavar="TEXT", help="Why; asked for on a terminal.")
@click.option("--by", metavar="NAME", help="On whose behalf; default: the account and host.")
@click.pass_obj
def command(
    settings: Settings, target: str, *, protect: str | None, reason: str | None, by: str | None
) -> int:
    """Take one snapshot of TARGET now: ours, serving no due time, never immutable.

    Its policy removes it by `keep` like any other, unless --protect holds it.
    """
    until = end_of(protect, settings.now, "--protect")
    policies = settings.policies()
    looked = read(settings, policies, units_of(settings, target))
    nas, planned = _chosen(target, looked)
    why, name = reason_of(reason), by or account()
    begun = next(one.plan.now for one in looked if one.plan.nas == nas)
    asked = Asked(planned.kind, planned.uuid, begun // _MINUTE * _MINUTE, name, why)
    run = replace(settings.run(policies), who=Who("command line", name))
    halt = Halt()
    with (
        halt.heeding(),
        Fleet(run, settings.units([nas]), read_only=False, asked=asked) as fleet,
    ):
        fresh = fleet.look()
        plan = plan_of(fresh, created_at=int(run.clock.time()), policies=policies)
        refused = _not_taken(plan.units[0])
        outcomes = () if refused else fleet.apply(fresh)
    if refused:
        output.say(f"{nas}: no snapshot of {planned.label} was taken: {refused}")
        return worst([*codes_of(plan, (), detailed=False, dry=False), Exit.FAILED]
                     if not plan.units[0].busy else [Exit.BUSY])  # fmt: skip
    show_outcome(plan, outcomes, form="text", style=output.style(verbose=True), command="")
    made = _made(outcomes, asked)
    if until is not None and made is not None:
        said = keep_hold(
            settings, nas=nas, target=(asked.kind, asked.uuid), name=planned.name,
            snapshot=made, reason=why, by=name, until=until,
        )  # fmt: skip
        ends = moment(until, zone(planned.zone), year=True)
        output.show(f"{made.name} is on hold (run-time-{said.identifier}) until {ends}.")
    elif until is not None:
        output.say("it is not on hold: it was not seen on the NAS")
    return worst(codes_of(plan, outcomes, detailed=False, dry=False))


def _chosen(text: str, looked: Sequence[Looked]) -> tuple[str, TargetPlan]:
    """Return the target; a usage error where no policy acts on it."""
    found = [(one.plan.nas, target) for one in looked for target in one.plan.targets]
    if not found:
        raise click.UsageError(f"`{text}`: nothing could be read")
    nas, target = targets.one(text, found)
    if not target.policy:
        what = (
            "two policies of one priority select it"
            if target.state is State.CONTENDED
            else "no policy owns it"
        )
        raise click.UsageError(
            f"{nas}/{target.label}: {what}, so nothing would ever remove the snapshot; "
            "select it in a policy, or take one in DSM"
        )
    return nas, target


def _not_taken(plan: UnitPlan) -> str:
    """Say why nothing is planned, "" where the creation is."""
    if plan.actions:
        return ""
    told = [finding.text for target in plan.targets for finding in target.findings]
    return plan.problem or next(iter(told), "it is gone")


def _made(outcomes: Sequence[UnitOutcome], asked: Asked) -> Seen | None:
    """Return the snapshot as listed afterwards, None where it was not seen."""
    for one in outcomes:
        names = {o.name for o in one.outcomes if o.result is Result.DONE}
        for target in one.observation.targets if one.observation is not None else ():
            if (target.kind, target.uuid) == (asked.kind, asked.uuid):
                for snapshot in target.snapshots or ():
                    if snapshot.name in names:
                        return Seen(snapshot.key, snapshot.name, snapshot.time)
    return None
