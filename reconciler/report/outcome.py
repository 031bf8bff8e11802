"""What a pass did: each action's end beside what still waits, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from reconciler.execute.outcome import Result, UnitOutcome
from reconciler.model import Severity
from reconciler.planning.document import action_id, finding_document, waiting_document
from reconciler.planning.plan import State
from reconciler.report.block import (
    LATE_CODES,
    STANDING_STILL,
    Block,
    Note,
    folded,
    need,
    state_of,
)
from reconciler.report.lines import WORDS, Detail, Line, Writer, word
from reconciler.report.markdown import page
from reconciler.report.style import Hue, printable
from reconciler.report.text import closing, part_lines, unread, waits
from reconciler.report.units import Part, Remark, calm_of, remarks_of, unit_need
from reconciler.report.units import folded as folded_units
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.execute.outcome import ActionOutcome, TargetOutcome
    from reconciler.model import Finding
    from reconciler.planning.plan import Action, Plan, Stop, TargetPlan, UnitPlan
    from reconciler.report.style import Style

_DONE = {
    "create": "created",
    "lock": "locked",
    "unlock": "unlocked",
    "mark": "marked",
    "delete": "deleted",
    "sync": "syncing",
}
"""The words of what was done; a sync is only begun, DSM carries it on."""

_REST = {
    Result.FAILED: ("!", Hue.ERROR, "FAILED"),
    Result.SKIPPED: ("=", Hue.NONE, "skipped"),
}


def render_text(
    plan: Plan, outcomes: Sequence[UnitOutcome], *, style: Style, command: str = ""
) -> str:
    """Write what a pass did, trouble first, and what waits; last the sum and what to type next.

    `outcomes` may lack units that could not be read; those are named from the plan. `command` shows
    what is left, and is named only where something is. Ends with a line end.
    """
    lines: list[str] = []
    for part in _parts(plan, outcomes, every_one=style.verbose):
        lines.extend((*part_lines(part, style), ""))
    said = f"{printable(total(plan, outcomes))}."
    failures = _failures(outcomes)
    after = "The next pass tries again what failed." if failures else ""
    left = failures or waits(plan) or unread(plan)
    lines.extend(closing(said, after, style, command=command if left else ""))
    return "\n".join(lines) + "\n"


def render_markdown(plan: Plan, outcomes: Sequence[UnitOutcome]) -> str:
    """Write what a pass did as Markdown, in the text's order; shorter than 65,536 characters."""
    title = f"Snapshot pass: {total(plan, outcomes)}"
    return page(title, lambda every_one: _parts(plan, outcomes, every_one=every_one))


def render_json(plan: Plan, outcomes: Sequence[UnitOutcome]) -> str:
    """Write the outcomes as JSON, unit by unit in the order of their names.

    Of each unit its problem, its findings and those of its targets, what waits for approval, and
    each action's id, result and detail. The ids are those of the plan document of the same pass.
    """
    by_name = {outcome.nas: outcome for outcome in outcomes}
    units = [
        _unit_document(unit, by_name.get(unit.nas, UnitOutcome(unit.nas)))
        for unit in sorted(plan.units, key=lambda unit: unit.nas)
    ]
    stopped = sum(action.stopped_by is not None for action in plan.actions)
    whole = {
        "format_version": 1,
        "policy_revision": plan.revision,
        "units": units,
        "waiting": stopped,
    }
    return json.dumps(whole, indent=2) + "\n"


def _unit_document(unit: UnitPlan, outcome: UnitOutcome) -> dict[str, Any]:
    problem = unit.problem or outcome.problem
    next_step = unit.next_step if unit.problem else outcome.next_step
    ended = {(t.kind, t.uuid): t.findings for t in outcome.targets}
    return {
        "nas": unit.nas,
        "serial": unit.identity.serial if unit.identity is not None else None,
        "problem": problem or None,
        "next_step": next_step or None,
        "suspended": unit.suspended or None,
        "findings": [
            *({"target": None, **finding_document(f)} for f in unit.findings),
            *(
                {"target": target.label, **finding_document(f)}
                for target in unit.targets
                for f in (*target.findings, *ended.get((target.kind, target.uuid), ()))
            ),
        ],
        "waiting": waiting_document(unit),
        "actions": [_action(t, a) for t in outcome.targets for a in t.outcomes],
    }


def total(plan: Plan, outcomes: Sequence[UnitOutcome]) -> str:
    """Count what was done by its words, then what failed, what was skipped and what waits."""
    ended = [o for unit in outcomes for o in unit.outcomes]
    done = Counter(word(o.action) for o in ended if o.result is Result.DONE)
    counts = ", ".join(f"{done[verb]} {_DONE[verb]}" for verb in WORDS if done[verb])
    skipped = sum(o.result is Result.SKIPPED for o in ended)
    failures = _failures(outcomes)
    parts = (
        counts or ("" if ended else "Nothing to do"),
        f"{failures} failed" if failures else "",
        f"{skipped} skipped" if skipped else "",
        waits(plan),
        unread(plan),
    )
    return "; ".join(part for part in parts if part)


def _failures(outcomes: Sequence[UnitOutcome]) -> int:
    units = sum(bool(outcome.problem) for outcome in outcomes)
    return units + sum(o.result is Result.FAILED for unit in outcomes for o in unit.outcomes)


def _action(target: TargetOutcome, outcome: ActionOutcome) -> dict[str, Any]:
    return {
        "id": action_id(target.kind, target.uuid, outcome.action),
        "kind": str(target.kind),
        "target": target.name,
        "verb": outcome.action.verb,
        "result": str(outcome.result),
        "snapshot": outcome.name or None,
        "detail": outcome.detail or None,
    }


def _parts(plan: Plan, outcomes: Sequence[UnitOutcome], *, every_one: bool) -> tuple[Part, ...]:
    """Return what is to be told of each unit, trouble first, units that ended equally as one."""
    by_name = {outcome.nas: outcome for outcome in outcomes}
    units = [unit for unit in plan.units if unit.problem or unit.nas in by_name]
    units.sort(key=lambda unit: _need(unit, by_name.get(unit.nas)))
    found = (_part(unit, by_name.get(unit.nas), every_one=every_one) for unit in units)
    return folded_units(found, every_one=every_one)


def _need(unit: UnitPlan, outcome: UnitOutcome | None) -> int:
    if unit.problem or outcome is None or outcome.problem:
        return -2
    return -1 if outcome.failed else unit_need(unit)


def _part(unit: UnitPlan, outcome: UnitOutcome | None, *, every_one: bool) -> Part:
    remarks = [r for r in remarks_of(unit) if r.word.strip() != Severity.NOTE]
    if outcome is not None and outcome.problem:
        remarks.insert(0, Remark("! STOPPED", Hue.ERROR, outcome.problem, outcome.next_step))
    shown = _blocks(unit, outcome, every_one=every_one) if outcome is not None else ()
    ended = outcome is not None and not outcome.problem and not unit.problem
    calm = calm_of(unit, shown) if ended else 0
    return Part((unit,), tuple(remarks), shown, calm=calm, named=bool(remarks))


def _blocks(unit: UnitPlan, outcome: UnitOutcome, *, every_one: bool) -> tuple[Block, ...]:
    """Return a block for each target on which something ended, still waits or is wrong."""
    ended = {(target.kind, target.uuid): target for target in outcome.targets}
    planned = sorted(unit.targets, key=need)
    shown = (
        _block(unit, target, ended.get((target.kind, target.uuid)), every_one=every_one)
        for target in planned
    )
    return folded(block for block in shown if block.lines or block.notes or len(block.facts) > 1)


def _block(
    unit: UnitPlan, target: TargetPlan, outcome: TargetOutcome | None, *, every_one: bool
) -> Block:
    writer = Writer(target, unit, zone(target.zone), every_one=every_one)
    lines = [*_ended(writer, outcome.outcomes if outcome is not None else ())]
    stopped: dict[Stop, list[Action]] = {}
    for action in target.waiting:
        if action.stopped_by is not None:
            stopped.setdefault(action.stopped_by, []).append(action)
    for stop, waiting in stopped.items():
        lines.extend(writer.stopped(stop, waiting))
    facts, findings = _still_so(target, outcome)
    after = outcome.findings if outcome is not None else ()
    return Block(
        target.kind,
        (target.name,),
        (f"policy {target.policy}" if target.policy else "no policy", *facts),
        "",
        tuple(lines),
        tuple(Note(f.severity, f.text, f.next_step) for f in (*findings, *after)),
    )


def _still_so(
    target: TargetPlan, outcome: TargetOutcome | None
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the state and the findings of the plan that the pass has not mended.

    Where everything was done a late target is no longer late. What stands still stays unsaid.
    """
    done = outcome is not None and all(o.result is Result.DONE for o in outcome.outcomes)
    if target.state in STANDING_STILL or target.state is State.SUSPENDED:
        return (), _loud(target.findings)
    if target.state is State.LATE and done:
        return (), _loud(f for f in target.findings if f.code not in LATE_CODES)
    facts, findings = state_of(target)
    return facts, _loud(findings)


def _loud(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(f for f in findings if f.severity is not Severity.NOTE)


def _ended(writer: Writer, outcomes: Sequence[ActionOutcome]) -> Iterator[Line]:
    groups: dict[tuple[str, Result, str], list[Action]] = {}
    for outcome in outcomes:
        key = (word(outcome.action), outcome.result, outcome.detail)
        groups.setdefault(key, []).append(outcome.action)
    for (verb, result, detail), actions in groups.items():
        if result is Result.DONE:
            yield from writer.free(verb, actions, past=_DONE[verb], why=detail)
        else:
            yield _not_done(writer, actions, result=result, detail=detail)


def _not_done(writer: Writer, actions: Sequence[Action], *, result: Result, detail: str) -> Line:
    """Return the line of actions that share an end other than done, and its reason."""
    sign, hue, said = _REST[result]
    verb = word(actions[0])
    if len(actions) == 1:
        return Line(sign, hue, f"{said}: {verb} {writer.which(actions[0])}", "", detail)
    details = tuple(Detail(0, writer.which(action), "") for action in actions)
    return Line(sign, hue, f"{said}: {len(actions)} × {verb}", "", detail, details)
