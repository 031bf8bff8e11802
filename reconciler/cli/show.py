"""`reconcile show`: a saved plan rendered again, without a NAS."""

from __future__ import annotations

import click

from reconciler.cli import output
from reconciler.cli.run import show_plan


@click.command(name="show")
@click.argument("file", type=click.Path())
@click.option("-o", "--format", "form", type=click.Choice(["text", "json", "markdown"]),
              default="text")  # fmt: skip
@click.option("-v", "verbose", is_flag=True, help="List what is folded.")
def command(file: str, *, form: str, verbose: bool) -> None:
    """Show the plan that a dry run saved with --save."""
    from reconciler.cli.saved import load

    plan = load(file)
    free = any(action.stopped_by is None for action in plan.actions)
    command = f"reconcile apply {file}" if free else ""
    show_plan(plan, form=form, style=output.style(verbose=verbose), wrote=None, command=command)
