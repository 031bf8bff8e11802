"""`reconcile test`: the policy repository's own test cases, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cases.judge import judge
from reconciler.cases.load import Repository, case_files, read_cases
from reconciler.cli import output
from reconciler.cli.exits import Exit
from reconciler.cli.lint import configuration_if_any, root_of, show_findings
from reconciler.errors import InvalidDocuments, UserError
from reconciler.findings import in_order
from reconciler.inventory.model import UnitBrakes
from reconciler.policy.load import load_policies
from reconciler.policy.model import PolicySet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cases.model import Outcome
    from reconciler.cli.settings import Settings
    from reconciler.inventory.model import Configuration
    from reconciler.model import Finding


@click.command(name="test")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--policies", "named", metavar="PATH", help="The repository that the cases are for.")
@click.option(
    "-o", "--format", "form", type=click.Choice(["text", "json", "github"]), default="text"
)
@click.option("-v", "verbose", is_flag=True, help="List every case and every snapshot.")
@click.pass_obj
def command(
    settings: Settings, paths: tuple[str, ...], *, named: str | None, form: str, verbose: bool
) -> int:
    """Plan the test cases beside the policies (*.test.yaml), and compare with what they expect.

    PATH is a folder or a file; without it the repository of reconciler.yaml. The policies are those
    of the repository that PATH is in, else of PATH's own folder. Nothing is contacted.
    """
    configuration = configuration_if_any(settings, needed=not paths)
    asked = [Path(path) for path in paths] or [root_of(configuration)]
    grouped: dict[Path, dict[Path, None]] = {}
    for path in asked:
        root = Path(named) if named else _repository(path, configuration)
        grouped.setdefault(root, {}).update(dict.fromkeys(case_files(path)))
    files = sum(len(found) for found in grouped.values())
    if not files:
        raise UserError(
            f"no test cases (*.test.yaml) in {', '.join(map(str, asked))}",
            next_step="write some beside the policies: policies/README.md shows how",
        )
    outcomes, wrong = _judged(grouped, configuration)
    if wrong:
        show_findings(wrong, form, files=files)
        return Exit.INVALID
    _show(outcomes, form, files=files, verbose=verbose)
    return Exit.DONE if all(one.passed for one in outcomes) else Exit.NOT_AS_PROMISED


def _repository(path: Path, configuration: Configuration | None) -> Path:
    """Return the configuration's repository where the path is in it, else the path's folder."""
    own = path if path.is_dir() else path.parent
    if configuration is None or not isinstance(configuration.policies, Path):
        return own
    root = configuration.policies.resolve()
    inside = own.resolve() == root or root in own.resolve().parents
    return root_of(configuration) if inside else own


def _judged(
    grouped: dict[Path, dict[Path, None]], configuration: Configuration | None
) -> tuple[list[Outcome], tuple[Finding, ...]]:
    """Judge the cases of each repository, or return what is wrong with any file of theirs."""
    outcomes: list[Outcome] = []
    wrong: list[Finding] = []
    for root, files in grouped.items():
        policies, broken = _policies(root, configuration)
        wrong.extend(broken)
        repository = Repository(
            policies,
            configuration.units if configuration is not None else None,
            configuration.installation if configuration is not None else "",
            configuration.brakes if configuration is not None else UnitBrakes(),
        )
        cases, found = read_cases(tuple(files), repository, policies_read=not broken)
        wrong.extend(found)
        if not wrong:
            outcomes.extend(judge(case, repository) for case in cases)
    return outcomes, in_order(wrong)


def _policies(
    root: Path, configuration: Configuration | None
) -> tuple[PolicySet, Sequence[Finding]]:
    try:
        return load_policies(
            root,
            units=configuration.units if configuration is not None else None,
            brakes=configuration.brakes if configuration is not None else None,
        ), ()
    except InvalidDocuments as error:
        return PolicySet(()), error.findings


def _show(outcomes: Sequence[Outcome], form: str, *, files: int, verbose: bool) -> None:
    from reconciler.report import cases as report

    if form == "json":
        output.show(report.render_json(outcomes))
    elif form == "github":
        output.show(report.render_github(outcomes))
    else:
        found = [one.finding for outcome in outcomes for one in outcome.differences]
        output.show(
            report.render_text(
                outcomes,
                files=files,
                sources=output.sources(found),
                style=output.style(verbose=verbose),
            )
        )
