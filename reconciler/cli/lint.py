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
from reconciler.model import Finding, Severity
from reconciler.observed import read as read_observation
from reconciler.planning.situation import local_destinations
from reconciler.policy.against import against as against_targets
from reconciler.policy.against import idle_units
from reconciler.policy.load import load_policies, read_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.settings import Settings
    from reconciler.inventory.model import Configuration, Unit
    from reconciler.model import Observation, ObservedTarget
    from reconciler.observed import SavedUnit
    from reconciler.policy.model import PolicySet


@click.command(name="lint")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option("--against", metavar="FILE", help="What is on the units: list … --save FILE.")
@click.option(
    "-o", "--format", "form", type=click.Choice(["text", "json", "github"]), default="text"
)
@click.pass_obj
def command(
    settings: Settings, paths: tuple[str, ...], *, strict: bool, against: str | None, form: str
) -> int:
    """Check policy files: syntax, schema, conflicts, and whether the promises can be kept.

    Without PATH the repository of reconciler.yaml. With reconciler.yaml, or what `list … --save`
    wrote, also which targets no policy covers, which entries fit nothing, what two policies contend
    for. Nothing is contacted.
    """
    saved = _saved(against) if against else ()
    configuration = configuration_if_any(settings, needed=not paths)
    roots = [Path(path) for path in paths] or [root_of(configuration)]
    found: list[Finding] = []
    files = 0
    for root in roots:
        files += len(read_texts(root))
        found.extend(_lint(root, configuration, saved, now=settings.now))
    shown = in_order(f for f in found if form != "text" or _told(f))
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


def _told(finding: Finding) -> bool:
    """Whether the text shows it: all but notes on lines of files, which editors show."""
    return finding.severity is not Severity.NOTE or finding.place is None


def _lint(
    root: Path, configuration: Configuration | None, saved: Sequence[SavedUnit], *, now: int
) -> Sequence[Finding]:
    known = configuration.units if configuration is not None else ()
    units = known or tuple(one.unit(str(root)) for one in saved)
    try:
        policies = load_policies(
            root,
            units=units or None,
            brakes=configuration.brakes if configuration is not None else None,
            now=now,
        )
    except InvalidDocuments as error:
        return error.findings
    return (*policies.findings, *idle_units(policies, units), *_against(policies, units, saved))


def _against(
    policies: PolicySet, units: Sequence[Unit], saved: Sequence[SavedUnit]
) -> Sequence[Finding]:
    """Hold the policies against what was saved of the units."""
    if not saved:
        return ()
    names = {unit.name for unit in units}
    gone = [
        Finding(
            "unit-gone", Severity.WARNING, f"the saved unit {one.name} is not in the inventory",
            "save the observation anew, or check the names in reconciler.yaml",
        )
        for one in saved
        if one.name not in names
    ]  # fmt: skip
    targets = {
        one.name: [(t.kind, t.name, t.uuid) for t in one.observation.targets] for one in saved
    }
    alone = frozenset(
        (one.name, target.kind, target.uuid)
        for one in saved
        for target in one.observation.targets
        if target.unsupported or _is_destination(target, one.observation)
    )
    return (*gone, *against_targets(policies, units, targets, left_alone=alone))


def _is_destination(target: ObservedTarget, observation: Observation) -> bool:
    ids = local_destinations(observation.plans or ())[target.kind]
    return bool(ids & {target.uuid.casefold(), target.name.casefold()})


def _saved(path: str) -> tuple[SavedUnit, ...]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no saved observation: it is no UTF-8") from error
    return read_observation(text, path)


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
