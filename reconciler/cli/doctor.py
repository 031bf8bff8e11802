"""`reconcile doctor`: what is wrong with each unit, and its cure."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from reconciler.checkup import Examined, Level, Ward, examine
from reconciler.cli import output
from reconciler.cli.exits import Exit
from reconciler.errors import UserError
from reconciler.fleet import connection_to
from reconciler.policy.model import PolicySet
from reconciler.report.layout import hang
from reconciler.report.style import printable
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.settings import Settings
    from reconciler.inventory.model import Unit
    from reconciler.report.style import Style

_AT_ONCE = 8


@click.command(name="doctor")
@click.argument("nas", nargs=-1, metavar="[NAS]...")
@click.option("-o", "--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def command(settings: Settings, nas: tuple[str, ...], form: str) -> int:
    """Check each unit: one line a check, with the next step; 6 where something is wrong.

    Nothing is written, and a credential that was refused is not sent again.
    """
    units = settings.units(nas)
    policies = _policies(settings)
    run = settings.run(policies or PolicySet(()))

    def look(unit: Unit) -> Examined:
        configuration = settings.configuration
        ward = Ward(
            unit=unit,
            brakes=configuration.brakes,
            policies=policies,
            only_unit=len(configuration.units) == 1,
            connect=lambda: connection_to(unit, run),
        )
        return examine(ward, run.clock)

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        found = tuple(pool.map(look, units))
    output.show(_document(found) if form == "json" else render(found, output.style()))
    return Exit.NOT_AS_PROMISED if any(one.problems for one in found) else Exit.DONE


def _policies(settings: Settings) -> PolicySet | None:
    try:
        return settings.policies()
    except UserError:
        return None


def render(found: Sequence[Examined], style: Style) -> str:
    """Write the checks as text: what is wrong first, one line each, with its next step under it."""
    lines: list[str] = []
    for one in sorted(found, key=lambda one: -one.problems):
        lines.append(printable(one.nas))
        for level in (Level.PROBLEM, Level.NOTE, Level.OK):
            for check in one.checks:
                if check.level is level:
                    head = f"  {level:<8} {check.what:<12} "
                    lines += hang(head, printable(check.fact), width=style.columns)
                    if check.next_step:
                        under = f"{'':<11}{'next':<12} "
                        step, *pasted = check.next_step.split("\n")
                        lines += hang(under, printable(step), width=style.columns)
                        lines += [f"    {printable(line)}" for line in pasted]
        lines.append("")
    wrong = sum(one.problems for one in found)
    told = counted(wrong, "problem") if wrong else "Nothing wrong"
    return "\n".join([*lines, f"{told} on {counted(len(found), 'unit')}. Nothing was written."])


def _document(found: Sequence[Examined]) -> str:
    rows = [
        {
            "nas": one.nas,
            "checks": [
                {
                    "what": check.what,
                    "level": check.level.value,
                    "fact": check.fact,
                    "next": check.next_step,
                }
                for check in one.checks
            ],
        }
        for one in found
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False)
