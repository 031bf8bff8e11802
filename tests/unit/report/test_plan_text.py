"""The order, the folding and the sum of a rendered plan."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.model import Finding, Severity
from reconciler.planning.plan import State, Stop
from reconciler.report import block, markdown
from reconciler.report.style import Style
from reconciler.report.text import render_plan, total

sys.path.insert(0, str(Path(__file__).parents[2] / "golden"))

import plans

WIDE = Style(width=100)


def rendered(*units: Any, **options: Any) -> str:
    """Render a dry run of the units."""
    given = {"style": WIDE, "wrote": None, "command": "", **options}
    return render_plan(plans.plan(*units), **given)


@pytest.mark.parametrize(
    ("wrote", "last"),
    [
        (None, "Nothing to do. Nothing was written. Next: reconcile"),
        (False, "Nothing to do. Nothing has been written yet. Next: reconcile"),
        (True, "Nothing to do. Next: reconcile"),
    ],
)
def test_the_last_line_says_what_was_written(wrote: bool | None, last: str) -> None:
    """A dry run, a plan that is asked about and one carried out end differently."""
    text = rendered(plans.settled(), wrote=wrote, command="reconcile")
    assert text.splitlines()[-1] == last


def test_targets_come_in_the_order_of_what_needs_a_person() -> None:
    """Unread before contended before missing, what waits before what is late, plain work last."""
    targets = [
        plans.share("plain", policy="p", actions=(plans.create("due"),)),
        plans.share("suspended", State.SUSPENDED, policy="p"),
        plans.share("noted", policy="p", findings=(Finding("x", Severity.WARNING, "look"),)),
        plans.share("wrong", policy="p", findings=(Finding("x", Severity.ERROR, "bad"),)),
        plans.share("drifted", State.DRIFTED, policy="p"),
        plans.share("late", State.LATE, policy="p"),
        replace(plans.vmware(), name="waits"),
        plans.share("blocked", State.BLOCKED, policy="p"),
        plans.share("missing", State.MISSING, policy="p"),
        plans.share("contended", State.CONTENDED),
        plans.share("unknown", State.UNKNOWN, policy="p"),
    ]
    shown = block.blocks(plans.unit("attic", *targets), every_one=False)
    assert [b.names[0] for b in shown] == [
        "unknown",
        "contended",
        "missing",
        "blocked",
        "waits",
        "late",
        "wrong",
        "drifted",
        "noted",
        "suspended",
        "plain",
    ]


def test_only_what_is_equal_but_for_the_name_is_folded() -> None:
    """One different reason keeps a target out of the block of the others."""
    same = [plans.share(f"s{n}", policy="p", actions=(plans.create("due"),)) for n in range(3)]
    odd = plans.share("odd", policy="p", actions=(plans.create("due since 09:00"),))
    kind = plans.lun("lun", policy="p", actions=(plans.create("due"),))
    shown = block.blocks(plans.unit("attic", *same[:2], odd, same[2], kind), every_one=False)
    assert [b.names for b in shown] == [("s0", "s1", "s2"), ("odd",), ("lun",)]


def test_a_folded_finding_names_nobody() -> None:
    """A finding of folded targets says NAME where each has its own, and nowhere else."""
    targets = [
        plans.share(
            name,
            policy="p",
            findings=(Finding("x", Severity.WARNING, f"share/{name} of {name}s", f"> {name} >"),),
        )
        for name in ("a", "b")
    ]
    (only,) = block.blocks(plans.unit("attic", *targets[:1]), every_one=False)
    assert only.notes[0].text == "share/a of as"
    shown = block.blocks(plans.unit("attic", *targets), every_one=False)
    assert [b.names for b in shown] == [("a",), ("b",)]
    alike = [
        replace(t, findings=(replace(t.findings[0], text=f"share/{t.name}"),)) for t in targets
    ]
    (folded,) = block.blocks(plans.unit("attic", *alike), every_one=False)
    assert (folded.notes[0].text, folded.notes[0].next_step) == ("share/NAME", "> NAME >")


def test_five_deletions_are_listed_and_six_are_grouped() -> None:
    """A deletion is never just a number: few are listed, many have their range and reason."""
    days = [plans.share_snapshot(f"2026-11-{day:02d}T00:00") for day in range(10, 16)]
    gone = tuple(plans.delete(s, *plans.beyond("daily", 7)) for s in days)
    five = rendered(plans.unit("attic", plans.share("x", policy="p", actions=gone[:5])))
    assert five.count("beyond daily 7") == 5
    six = rendered(plans.unit("attic", plans.share("x", policy="p", actions=gone)))
    assert "- delete  6 snapshots" in six
    assert "6  Tue 10 Nov to Sun 15 Nov  beyond daily 7" in six
    every = rendered(
        plans.unit("attic", plans.share("x", policy="p", actions=gone)),
        style=Style(verbose=True),
    )
    assert every.count("beyond daily 7") == 6


def test_an_early_deletion_says_why_it_goes_first() -> None:
    """A deletion before the creation is told from the others."""
    early = plans.delete(
        plans.share_snapshot("2026-11-10T00:00"), *plans.beyond("daily", 7), early=True
    )
    text = rendered(plans.unit("attic", plans.share("x", policy="p", actions=(early,))))
    assert "beyond daily 7; goes first, to make room" in text


def test_a_snapshot_of_another_year_says_which() -> None:
    """A date without its year is one of this year."""
    old = plans.delete(plans.share_snapshot("2025-11-10T00:00"), *plans.beyond("daily", 7))
    text = rendered(plans.unit("attic", plans.share("x", policy="p", actions=(old,))))
    assert "Mon 10 Nov 2025 00:00" in text


def test_the_sum_counts_what_runs_and_what_waits() -> None:
    """What waits is not counted as done, and what could not be read is not passed over."""
    torn = plans.share("torn", State.UNKNOWN, policy="p")
    assert total(plans.plan(plans.unit("a", plans.vmware()))).startswith(
        "1 create; 24 deletions wait ("
    )
    one = replace(plans.vmware(), actions=plans.vmware().victims[:1])
    assert total(plans.plan(plans.unit("a", one))).startswith("1 deletion waits (")
    clock = replace(plans.vmware(Stop.CLOCK), actions=plans.vmware(Stop.CLOCK).victims[:2])
    assert total(plans.plan(plans.unit("a", clock))) == "2 deletions wait"
    created = replace(plans.create("due"), stopped_by=Stop.ATTRIBUTES_UNKNOWN)
    held = plans.share("x", policy="p", actions=(created,))
    assert total(plans.plan(plans.unit("a", held))) == "1 action waits"
    assert total(plans.plan(plans.unit("a", torn, torn), plans.unread())) == (
        "Nothing to do on what could be read; 1 NAS and 2 targets could not be read"
    )


def test_many_digests_are_left_to_the_document() -> None:
    """The sum stays a line: of more than three units the digests are in the JSON."""
    units = [plans.unit(f"u{n}", plans.vmware()) for n in range(4)]
    assert "u0 " in total(plans.plan(*units[:3]))
    assert "(-o json names their digests)" in total(plans.plan(*units))


@pytest.mark.parametrize("shares", [40, 300, 900])
def test_markdown_fits_a_comment_whatever_the_plan(shares: int) -> None:
    """Under GitHub's limit always: shortened by folding, no line cut, no section left open."""
    targets = [
        replace(
            plans.vmware(),
            name=f"share-{n}-{'x' * 60}",
            actions=tuple(
                plans.delete(s.snapshot, *plans.covered("last", n, "20 Nov"), stop=Stop.UNMARKED)
                for s in plans.vmware().victims
                if s.snapshot is not None
            ),
        )
        for n in range(shares)
    ]
    text = markdown.render_plan(plans.plan(plans.unit("attic", *targets)))
    assert len(text) < markdown.LIMIT
    assert text.count("<details>") == text.count("</details>")
    assert text.endswith("\n")
    assert all(line.endswith("|") for line in text.splitlines() if line.startswith("|"))
    assert ("more section" in text) == (shares == 900)
    assert f"{24 * shares} deletions wait" in text


def test_a_small_plan_is_shown_in_full_in_markdown() -> None:
    """What fits is neither grouped nor shortened."""
    text = markdown.render_plan(plans.plan(plans.attic()))
    assert text.count("beyond daily 7") == 23
    assert "more section" not in text


def test_many_snapshots_without_a_time_have_no_range() -> None:
    """Where no name of a group can be read as a time, no range is made up."""
    snapshots = [
        replace(plans.share_snapshot(f"2026-11-{day:02d}T00:00"), time=None)
        for day in range(10, 16)
    ]
    waits = tuple(plans.delete(s, *plans.beyond("daily", 7), stop=Stop.UNMARKED) for s in snapshots)
    text = rendered(plans.unit("attic", plans.share("x", policy="p", actions=waits)))
    assert "6  without a time  beyond daily 7" in text
