"""What a pass did: each action's end beside what still waits, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from reconciler.execute.outcome import Result
from reconciler.planning.document import action_id
from reconciler.report.block import Block, Note, folded, need
from reconciler.report.layout import columns, wrap
from reconciler.report.lines import WORDS, Detail, Line, Writer, word
from reconciler.report.printing import marked, next_step, printed
from reconciler.report.style import Hue, printable
from reconciler.report.text import unread, waits
from reconciler.wording import moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.execute.outcome import ActionOutcome, TargetOutcome, UnitOutcome
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


def render_text(plan: Plan, outcomes: Sequence[UnitOutcome], *, style: Style) -> str:
    """Write what a pass did on each unit, what failed, and what waits; the sum comes last.

    `outcomes` may lack units that could not be read; those are named from the plan. Ends with a
    line end.
    """
    by_name = {outcome.nas: outcome for outcome in outcomes}
    lines: list[str] = []
    for unit in plan.units:
        if unit.problem or unit.nas in by_name:
            lines.extend(_unit(unit, by_name.get(unit.nas), style))
            lines.append("")
    said = f"{printable(total(plan, outcomes))}."
    after = "The next pass tries again what failed." if _failures(outcomes) else ""
    if columns(f"{said} {after}".rstrip()) <= style.columns:
        lines.append(f"{said} {after}".rstrip())
    else:
        lines.extend((*wrap(said, style.columns), *wrap(after, style.columns)))
    return "\n".join(lines) + "\n"


def render_json(plan: Plan, outcomes: Sequence[UnitOutcome]) -> str:
    """Write the outcomes as JSON: by unit its problem, and each action's id, result and detail.

    The ids are those of the plan document of the same pass.
    """
    unread_units: list[dict[str, Any]] = [
        {"nas": u.nas, "problem": u.problem, "next_step": u.next_step or None, "actions": []}
        for u in plan.units
        if u.problem
    ]
    done = [
        {
            "nas": outcome.nas,
            "problem": outcome.problem or None,
            "next_step": outcome.next_step or None,
            "actions": [_action(t, a) for t in outcome.targets for a in t.outcomes],
        }
        for outcome in outcomes
    ]
    units = sorted((*unread_units, *done), key=lambda unit: str(unit["nas"]))
    stopped = sum(action.stopped_by is not None for action in plan.actions)
    return json.dumps({"format_version": 1, "units": units, "waiting": stopped}, indent=2) + "\n"


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


def _unit(unit: UnitPlan, outcome: UnitOutcome | None, style: Style) -> Iterator[str]:
    when = f"{moment(unit.now, zone(unit.zone), year=True)}, {unit.zone}"
    yield printable(f"{unit.nas}  {when}")
    if unit.problem:
        yield from marked("  ", "! UNKNOWN", style, hue=Hue.WAIT, text=unit.problem)
        yield from next_step(unit.next_step, style, indent=4)
    if outcome is None:
        return
    if outcome.problem:
        yield from marked("  ", "! STOPPED", style, hue=Hue.ERROR, text=outcome.problem)
        yield from next_step(outcome.next_step, style, indent=4)
    yield from printed(_blocks(unit, outcome, style), style)


def _blocks(unit: UnitPlan, outcome: UnitOutcome, style: Style) -> tuple[Block, ...]:
    """Return a block for each target on which something ended or still waits."""
    ended = {(target.kind, target.uuid): target for target in outcome.targets}
    planned = sorted(unit.targets, key=need)
    shown = (
        _block(unit, target, ended.get((target.kind, target.uuid)), style) for target in planned
    )
    return folded(block for block in shown if block.lines or block.notes)


def _block(
    unit: UnitPlan, target: TargetPlan, outcome: TargetOutcome | None, style: Style
) -> Block:
    writer = Writer(target, unit, zone(target.zone), every_one=style.verbose)
    lines = [*_ended(writer, outcome.outcomes if outcome is not None else ())]
    stopped: dict[Stop, list[Action]] = {}
    for action in target.waiting:
        if action.stopped_by is not None:
            stopped.setdefault(action.stopped_by, []).append(action)
    for stop, waiting in stopped.items():
        lines.extend(writer.stopped(stop, waiting))
    notes = outcome.findings if outcome is not None else ()
    return Block(
        target.kind,
        (target.name,),
        (f"policy {target.policy}" if target.policy else "no policy",),
        "",
        tuple(lines),
        tuple(Note(f.severity, f.text, f.next_step) for f in notes),
    )


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
