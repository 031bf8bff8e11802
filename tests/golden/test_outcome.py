"""What a pass did, against files: run with UPDATE_GOLDEN=1 to write them anew."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from reconciler.execute.outcome import ActionOutcome, Result, TargetOutcome, UnitOutcome
from reconciler.model import Finding, Severity
from reconciler.report import outcome
from reconciler.report.style import Style

sys.path.insert(0, str(Path(__file__).parent))

import plans

WIDE = Style(width=100)


def passed() -> tuple[UnitOutcome, ...]:
    """Return what became of the attic's plan: something of each end."""
    documents, photos = plans.documents(), plans.photos()
    create, victim, sync = documents.actions
    made, unlocked, gone = photos.actions
    return (
        UnitOutcome(
            "attic",
            (
                TargetOutcome(
                    documents.kind,
                    documents.uuid,
                    documents.name,
                    documents.policy,
                    documents.zone,
                    (
                        ActionOutcome(create, Result.FAILED, "share busy (DSM 3328)"),
                        ActionOutcome(
                            victim, Result.SKIPPED, "nothing is deleted, since the creation failed"
                        ),
                        ActionOutcome(sync, Result.DONE),
                    ),
                ),
                TargetOutcome(
                    photos.kind,
                    photos.uuid,
                    photos.name,
                    photos.policy,
                    photos.zone,
                    (
                        ActionOutcome(made, Result.DONE, name="GMT+01-2026.11.23-12.00.02"),
                        ActionOutcome(unlocked, Result.DONE),
                        ActionOutcome(gone, Result.DONE, "already gone"),
                    ),
                    (Finding("not-immutable", Severity.ERROR, "it is not immutable", "look"),),
                ),
            ),
        ),
        UnitOutcome("hq-2", problem="the session was refused", next_step="reconcile again"),
    )


def test_an_outcome_reads_as_its_golden_file() -> None:
    """After a pass each action's end is said, and what waits is said again."""
    plan = plans.plan(plans.attic(), plans.unread(), replace(plans.settled(), nas="hq-2"))
    plans.golden("outcome", outcome.render_text(plan, passed(), style=WIDE))
    plans.golden("outcome-80", outcome.render_text(plan, passed(), style=Style(width=80)))
    plans.golden("outcome-json", outcome.render_json(plan, passed()))
    plans.golden("outcome-markdown", outcome.render_markdown(plan, passed()))


def test_many_deletions_that_ended_alike_are_grouped() -> None:
    """More than five deletions of one end are one line with the reasons, failures are all named."""
    target = replace(plans.vmware(), actions=plans.vmware().victims)
    freed = tuple(replace(action, stopped_by=None) for action in target.actions)
    plan = plans.plan(plans.unit("attic", replace(target, actions=freed)))
    ends = {result: tuple(ActionOutcome(a, result, "so") for a in freed) for result in Result}
    for result, actions in ends.items():
        found = TargetOutcome(
            target.kind, target.uuid, target.name, target.policy, target.zone, actions
        )
        text = outcome.render_text(plan, (UnitOutcome("attic", (found,)),), style=WIDE)
        plans.golden(f"outcome-many-{result}", text)
        assert ("24 snapshots" in text) == (result is Result.DONE)


def test_a_pass_with_nothing_to_do_says_so() -> None:
    """A pass that found everything as promised says that, and names no next pass."""
    plan = plans.plan(plans.settled())
    text = outcome.render_text(plan, (UnitOutcome("attic"),), style=WIDE)
    assert text.splitlines()[-1] == "Nothing to do."
    assert json.loads(outcome.render_json(plan, (UnitOutcome("attic"),)))["waiting"] == 0
