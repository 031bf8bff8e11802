"""`reconcile apply`: executes exactly a saved plan, or refuses it as stale."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.approve import approve_plan
from reconciler.cli.exits import Exit, worst
from reconciler.cli.halt import Halt
from reconciler.cli.run import codes_of, show_outcome
from reconciler.cli.saved import check, load
from reconciler.cli.settings import account
from reconciler.cli.who import reason_of
from reconciler.fleet import Fleet, plan_of, policies_of
from reconciler.planning import digest
from reconciler.planning.saved import agree
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.settings import Settings
    from reconciler.planning.plan import Plan
    from reconciler.reconcile import Looked


@click.command(name="apply")
@click.argument("file", type=click.Path())
@click.option("--approve", is_flag=True, help="Also let go what waits in the plan.")
@click.option("--reason", metavar="TEXT", help="Why it is approved.")
@click.option("--by", metavar="NAME", help="On whose behalf; default: the account and host.")
@click.option("-o", "--format", "form", type=click.Choice(["text", "json", "markdown"]),
              default="text")  # fmt: skip
@click.option("-v", "verbose", is_flag=True, help="List what is folded.")
@click.pass_obj
def command(
    settings: Settings,
    file: str,
    *,
    approve: bool,
    reason: str | None,
    by: str | None,
    form: str,
    verbose: bool,
) -> int:
    """Execute the plan in FILE, as far as nothing has changed since it was saved.

    A plan of another unit, of other policies or older than a day is stale as a whole (exit 5). A
    target whose victims changed is refused (exit 3), the others are done.
    """
    if reason is not None and not approve:
        raise click.UsageError("--reason goes with --approve")
    saved = load(file)
    policies = settings.policies()
    units = settings.units([unit.nas for unit in saved.units])
    run = settings.run(policies)
    digest_now = policies_of(policies, saved)
    if approve:
        with Fleet(run, units) as fleet:
            check(saved, fleet.look(), policies=digest_now, now=int(run.clock.time()))
        _approve(settings, saved, reason, by=by or account(), now=int(run.clock.time()))
    halt = Halt()
    with halt.heeding(), Fleet(run, units, read_only=False) as fleet:
        looked = fleet.look()
        check(saved, looked, policies=digest_now, now=int(run.clock.time()))
        narrowed, refused, done = _agreed(saved, looked)
        plan = plan_of(narrowed, created_at=int(run.clock.time()), policies=policies)
        outcomes = fleet.apply(narrowed)
    show_outcome(plan, outcomes, form=form, style=output.style(verbose=verbose), command="")
    for text in refused:
        output.say(f"refused  {text}")
    if done:
        output.say(f"{counted(done, 'action')} of the plan were done already or are not wanted now")
    codes = codes_of(plan, outcomes, detailed=False, dry=False)
    return worst([*codes, *([Exit.WAITING] if refused else [])])


def _approve(settings: Settings, saved: Plan, reason: str | None, *, by: str, now: int) -> None:
    waiting = [unit for unit in saved.units if digest.waiting(unit) is not None]
    if not waiting:
        raise click.UsageError("nothing in this plan waits for an approval")
    why = reason_of(reason)
    for unit in waiting:
        approve_plan(settings, unit, by=by, reason=why, now=now)


def _agreed(saved: Plan, looked: Sequence[Looked]) -> tuple[tuple[Looked, ...], list[str], int]:
    """Leave of each fresh plan what the saved one holds; name the refused, count the rest."""
    by_name = {unit.nas: unit for unit in saved.units}
    narrowed: list[Looked] = []
    refused: list[str] = []
    done = 0
    for one in looked:
        agreed = agree(by_name[one.plan.nas], one.plan)
        narrowed.append(replace(one, plan=agreed.plan))
        refused += [f"{one.plan.nas}/{label}: {why}" for label, why in agreed.refused]
        done += agreed.done
    return tuple(narrowed), refused, done
