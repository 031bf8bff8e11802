"""`reconcile lint`: the policy repository, offline."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.exits import Exit
from reconciler.errors import InvalidDocuments, UserError
from reconciler.findings import in_order
from reconciler.inventory.load import find_configuration
from reconciler.model import Severity
from reconciler.policy.load import load_policies, read_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.settings import Settings
    from reconciler.inventory.model import Configuration
    from reconciler.model import Finding


@click.command(name="lint")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option(
    "-o", "--format", "form", type=click.Choice(["text", "json", "github"]), default="text"
)
@click.pass_obj
def command(settings: Settings, paths: tuple[str, ...], *, strict: bool, form: str) -> int:
    """Check policy files: syntax, schema, conflicts, and whether the promises can be kept.

    Without PATH the repository of reconciler.yaml. Nothing is contacted.
    """
    configuration = configuration_if_any(settings, needed=not paths)
    roots = [Path(path) for path in paths] or [root_of(configuration)]
    found: list[Finding] = []
    files = 0
    for root in roots:
        files += len(read_texts(root))
        found.extend(_lint(root, configuration))
    shown = in_order(f for f in found if form != "text" or f.severity is not Severity.NOTE)
    show_findings(shown, form, files=files)
    bad = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return Exit.INVALID if any(f.severity in bad for f in found) else Exit.DONE


def configuration_if_any(settings: Settings, *, needed: bool) -> Configuration | None:
    """Return the configuration where there is one; with paths on the command line it may lack."""
    if needed or settings.config:
        return settings.configuration
    try:
        find_configuration(None, os.environ, Path.cwd())
    except UserError:
        return None
    return settings.configuration


def root_of(configuration: Configuration | None) -> Path:
    """Return the configuration's folder of policies, as a person would type it here."""
    if configuration is None or not isinstance(configuration.policies, Path):
        raise UserError(
            "the configuration names no folder of policies", next_step="name one: lint PATH"
        )
    try:
        return configuration.policies.resolve().relative_to(Path.cwd().resolve())
    except ValueError:
        return configuration.policies


def _lint(root: Path, configuration: Configuration | None) -> Sequence[Finding]:
    try:
        return load_policies(
            root,
            units=configuration.units if configuration is not None else None,
            brakes=configuration.brakes if configuration is not None else None,
        ).findings
    except InvalidDocuments as error:
        return error.findings


def show_findings(findings: Sequence[Finding], form: str, *, files: int) -> None:
    """Print findings on stdout: with their source lines, as JSON, or as workflow annotations."""
    from reconciler.report import findings as report

    if form == "json":
        output.show(report.render_json(findings))
    elif form == "github":
        output.show(report.render_github(findings))
    else:
        counted = f"{files} file" if files == 1 else f"{files} files"
        output.show(
            report.render_text(
                findings,
                sources=output.sources(findings),
                style=output.style(),
                summary=f"{counted} read. {report.summary(findings)} Nothing was contacted.",
            )
        )
