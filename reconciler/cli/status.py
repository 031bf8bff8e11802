"""`reconcile status`: where every promised target stands, what needs somebody first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.exits import Exit, worst
from reconciler.cli.run import unmatched_of
from reconciler.fleet import Fleet

if TYPE_CHECKING:
    from reconciler.cli.settings import Settings


@click.command(name="status")
@click.option("--nas", multiple=True, metavar="N|KEY=VALUE", help="Only these units.")
@click.option("--all", "verbose", is_flag=True, help="A line for each unit, compliant ones too.")
@click.option("-v", "also_verbose", is_flag=True, hidden=True)
@click.option("-q", "one_line", is_flag=True, help="One line, for a monitoring system.")
@click.option("-o", "--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def command(
    settings: Settings,
    *,
    nas: tuple[str, ...],
    verbose: bool,
    also_verbose: bool,
    one_line: bool,
    form: str,
) -> int:
    """Show each target's state, read now; exit 6 where something is not as promised.

    A unit that cannot be read is unknown, and the exit code 1.
    """
    from reconciler.report import status
    from reconciler.report.standing import overview

    if one_line and form != "text":
        raise click.UsageError("-q is one line of text: leave out -o")
    policies = settings.policies()
    units = settings.units(nas)
    run = settings.run(policies)
    with Fleet(run, units) as fleet:
        looked = fleet.look()
    shown = overview(
        [one.plan for one in looked],
        {unit.name: run.store.unit(unit.name) for unit in units},
        missing=unmatched_of(policies, looked, settings.configuration.units),
        revision=policies.revision,
        read_at=int(run.clock.time()),
    )
    if one_line:
        output.show(status.render_line(shown))
    elif form == "json":
        output.show(status.render_json(shown))
    else:
        output.show(status.render_text(shown, style=output.style(verbose=verbose or also_verbose)))
    codes = [Exit.FAILED for one in looked if one.plan.problem]
    if not shown.as_promised:
        codes.append(Exit.NOT_AS_PROMISED)
    return worst(codes)
