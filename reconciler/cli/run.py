"""One pass: plan, show, ask once on a terminal, apply."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli import output
from reconciler.cli.exits import Exit, worst
from reconciler.cli.halt import Halt
from reconciler.cli.progress import progress
from reconciler.cli.targets import matches
from reconciler.fleet import Fleet, plan_of
from reconciler.model import Severity
from reconciler.planning.plan import State
from reconciler.policy.select import unmatched
from reconciler.report.style import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.settings import Settings
    from reconciler.execute import UnitOutcome
    from reconciler.fleet import Run
    from reconciler.inventory.model import Unit
    from reconciler.model import Finding, Instant
    from reconciler.planning.plan import Plan
    from reconciler.policy.model import PolicySet
    from reconciler.reconcile import Looked


@dataclass(frozen=True, slots=True)
class Choice:
    """The options of a pass, as the command line gives them."""

    dry_run: bool
    yes: bool
    nas: tuple[str, ...]
    target: tuple[str, ...]
    policy: tuple[str, ...]
    detailed_exitcode: bool
    now: str | None
    form: str
    verbose: bool
    no_input: bool
    json_logs: bool = False
    metrics: str | None = None

    def check(self) -> None:
        """Refuse what does not go together (64)."""
        if self.detailed_exitcode and not self.dry_run:
            raise click.UsageError("--detailed-exitcode goes with --dry-run")
        if self.now and not self.dry_run:
            raise click.UsageError("--now goes with --dry-run: it would act on another time")
        if self.yes and self.dry_run:
            raise click.UsageError("--yes applies and --dry-run does not: leave one out")
        if self.metrics and self.dry_run:
            raise click.UsageError("--metrics goes with a pass: a dry run leaves none")
        asks = not self.yes and not self.dry_run and output.interactive()
        if asks and self.no_input:
            raise click.UsageError("--no-input leaves nobody to ask: add --yes or --dry-run")
        if asks and self.form != "text":
            raise click.UsageError(f"-o {self.form} cannot ask: add --yes or --dry-run")


def run_pass(settings: Settings, choice: Choice) -> int:
    """Run one pass over the chosen units; return the exit code."""
    choice.check()
    policies = settings.policies()
    units = settings.units(choice.nas)
    _warn(policies.findings)
    run, now = settings.run(policies), read_moment(choice.now)
    halt = Halt()
    shown = progress(halt.asked, wanted=not choice.no_input and not choice.json_logs)
    with (
        halt.heeding(),
        Fleet(run, units, read_only=choice.dry_run, now=now, watch=shown) as fleet,
    ):
        with shown.phase("reading", len(units), "NAS"):
            everything = fleet.look()
        if halt.asked():
            raise click.Abort
        _warn(unmatched_of(policies, everything, settings.configuration.units))
        looked = tuple(_narrowed(one, choice) for one in everything)
        plan = plan_of(looked, created_at=int(run.clock.time()), revision=policies.revision)
        _check_targets(plan, choice)
        if choice.dry_run:
            free = any(action.stopped_by is None for action in plan.actions)
            _show(plan, choice, wrote=None, command=_again(choice) if free else "")
            return worst(_codes(plan, (), detailed=choice.detailed_exitcode, dry=True))
        with halt.answering():
            wanted = _wanted(plan, choice)
        if not wanted:
            return worst(_codes(plan, (), detailed=False, dry=True))
        _begin_word(run)
        with shown.phase("applying", _targets_at_work(plan), "target"):
            outcomes = fleet.apply(looked)
    _leave_word(choice, run, everything, outcomes, fleet)
    _show_outcome(plan, outcomes, choice)
    interrupted = [Exit.FAILED] if halt.asked() else []
    return worst([*_codes(plan, outcomes, detailed=False, dry=False), *interrupted])


def _leave_word(
    choice: Choice,
    run: Run,
    looked: Sequence[Looked],
    outcomes: Sequence[UnitOutcome],
    fleet: Fleet,
) -> None:
    """After a pass that wrote: messages to who wants them, and the metrics file."""
    if not choice.metrics and not run.configuration.notify:
        return
    from reconciler.daemon.board import known_of_pass
    from reconciler.daemon.metrics import write
    from reconciler.daemon.source import InForce
    from reconciler.daemon.telling import Teller

    now = run.clock.time()
    known = known_of_pass(
        InForce(run.configuration, run.policies), looked, outcomes,
        left=fleet.left, now=now, heads=run.store.heads(),
    )  # fmt: skip
    teller = Teller(run.store, run.environment)
    teller.tell(known, now=now, watched=False)
    failed = any(unit.failed for unit in known.units.values())
    teller.ping(run.configuration, "fail" if failed else "success")
    if choice.metrics:
        write(known, Path(choice.metrics))


def _begin_word(run: Run) -> None:
    """Refuse channels that cannot be used before anything is written, and ping the start."""
    if run.configuration.notify:
        from reconciler.daemon.telling import Teller, check

        check(run.configuration)
        Teller(run.store, run.environment).ping(run.configuration, "start")


def _targets_at_work(plan: Plan) -> int:
    targets = (target for unit in plan.units for target in unit.targets)
    return sum(any(a.stopped_by is None for a in target.actions) for target in targets)


def unmatched_of(
    policies: PolicySet, looked: Sequence[Looked], units: Sequence[Unit]
) -> tuple[Finding, ...]:
    """Return a finding for each selector entry that fits nothing of what was read."""
    known = {
        one.plan.nas: [(t.kind, t.name, t.uuid) for t in one.observation.targets]
        for one in looked
        if one.observation is not None
    }
    return unmatched(policies, known, units)


def _wanted(plan: Plan, choice: Choice) -> bool:
    """Show the plan and ask once on a terminal; without one, or with --yes, apply."""
    if choice.yes or not output.interactive():
        return True
    _show(plan, choice, wrote=False, command="")
    free = sum(action.stopped_by is None for action in plan.actions)
    if not free:
        return False
    return click.confirm(f"Apply {free} {'action' if free == 1 else 'actions'}?", default=False)


_STILL = frozenset({State.UNKNOWN, State.CONTENDED})


def _codes(plan: Plan, outcomes: Sequence[UnitOutcome], *, detailed: bool, dry: bool) -> list[Exit]:
    codes: list[Exit] = []
    unread = any(unit.problem for unit in plan.units)
    still = any(target.state in _STILL for unit in plan.units for target in unit.targets)
    if unread or still or any(one.failed for one in outcomes):
        codes.append(Exit.FAILED)
    waiting = any(action.stopped_by is not None for action in plan.actions)
    if waiting and (detailed or not dry):
        codes.append(Exit.WAITING)
    if detailed and plan.actions:
        codes.append(Exit.NOT_EMPTY)
    return codes


def _narrowed(one: Looked, choice: Choice) -> Looked:
    """Leave only the targets and policies that were asked for."""
    if not choice.target and not choice.policy:
        return one
    nas = one.plan.nas
    targets = tuple(
        target
        for target in one.plan.targets
        if (not choice.policy or target.policy in choice.policy)
        and (not choice.target or any(matches(t, nas, target) for t in choice.target))
    )
    return replace(one, plan=replace(one.plan, targets=targets))


def _check_targets(plan: Plan, choice: Choice) -> None:
    """Refuse a --target or --policy that fits nothing: a typing error must not read as done."""
    found = [(unit.nas, target) for unit in plan.units for target in unit.targets]
    unread = any(unit.problem for unit in plan.units)
    for text in choice.target:
        if not unread and not any(matches(text, nas, target) for nas, target in found):
            raise click.UsageError(f"--target {text} fits no share or LUN that was read")
    for name in choice.policy:
        if not unread and not any(target.policy == name for _, target in found):
            raise click.UsageError(f"--policy {name} owns no share or LUN that was read")


def _show(plan: Plan, choice: Choice, *, wrote: bool | None, command: str) -> None:
    if choice.form == "json":
        from reconciler.planning.document import dumps, to_document

        output.show(dumps(to_document(plan, tool_version=__version__)))
    elif choice.form == "markdown":
        from reconciler.report.markdown import render_plan

        output.show(render_plan(plan))
    else:
        from reconciler.report.text import render_plan as render_text

        style = output.style(verbose=choice.verbose)
        output.show(render_text(plan, style=style, wrote=wrote, command=command))


def _show_outcome(plan: Plan, outcomes: tuple[UnitOutcome, ...], choice: Choice) -> None:
    from reconciler.report import outcome

    if choice.form == "json":
        output.show(outcome.render_json(plan, outcomes))
        return
    if choice.form == "markdown":
        output.show(outcome.render_markdown(plan, outcomes))
        return
    style = output.style(verbose=choice.verbose)
    output.show(outcome.render_text(plan, outcomes, style=style, command=_again(choice, dry=True)))


def _again(choice: Choice, *, dry: bool = False) -> str:
    """Return the command that would apply what was shown, or with `dry` show what is left."""
    words = ["reconcile", *(["--dry-run"] if dry else [])]
    for option, values in (
        ("--nas", choice.nas),
        ("--target", choice.target),
        ("--policy", choice.policy),
    ):
        words += [word for value in values for word in (option, value)]
    return shlex.join(words)


def _warn(findings: Sequence[Finding]) -> None:
    for finding in findings:
        if finding.severity is not Severity.NOTE:
            place = f"{finding.place}: " if finding.place is not None else ""
            output.say(printable(f"{place}{finding.severity}: {finding.text}"))


def read_moment(text: str | None, option: str = "--now") -> Instant | None:
    """Read an option's time; a usage error where it is none, UTC where it states no offset."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"{option} {text} is no time; write one such as 2026-12-24T18:00:00+01:00"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
