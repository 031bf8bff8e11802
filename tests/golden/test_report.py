"""What people read, against files: run with UPDATE_GOLDEN=1 to write them anew."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.calendar import Every
from reconciler.model import Finding, Place, Severity, Snapshot
from reconciler.planning.plan import SnapshotVerdict, State, Stop, Verdict, Why
from reconciler.policy.model import Immutable, Pattern, Policy, Replicate, Selector
from reconciler.report import explain, explain_snapshot, findings, listing, markdown
from reconciler.report.style import Style
from reconciler.report.text import render_plan
from reconciler.retention import Keep

sys.path.insert(0, str(Path(__file__).parent))

import plans

WIDE = Style(width=100)
COMMIT = "3f9c2ab" + "0" * 33
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def dry_run(*units: Any, style: Style = WIDE, revision: str = "", command: str = "") -> str:
    """Render a dry run."""
    plan = plans.plan(*units, revision=revision)
    return render_plan(plan, style=style, wrote=None, command=command)


UNITS = {
    "attic": plans.attic,
    "company": plans.company,
    "unknown": plans.unread,
    "suspended": plans.suspended,
    "settled": plans.settled,
    "hostile": plans.hostile,
}


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("width", [100, 80])
def test_a_unit_reads_as_its_golden_file(name: str, width: int) -> None:
    """A dry run prints its golden file byte for byte, in both widths."""
    text = dry_run(UNITS[name](), style=Style(width=width), command="reconcile")
    plans.golden(f"plan-{name}-{width}", text)
    assert max(len(line) for line in text.splitlines()) <= width


def test_several_units_come_in_the_order_of_what_needs_a_person() -> None:
    """The unit that could not be read comes first, the settled one last."""
    units = (plans.settled(), plans.attic(), plans.suspended(), plans.unread(), plans.company())
    text = dry_run(
        *(replace(u, nas=f"{u.nas}-{n}") for n, u in enumerate(units)),
        revision=COMMIT,
        command="reconcile --nas hq-1",
    )
    plans.golden("plan-fleet-100", text)
    heads = [line.split("  ")[0] for line in text.splitlines() if "Europe/Zurich" in line]
    assert heads == ["lab-3-3", "hq-1-4", "attic-1", "hq-2-2", "attic-0"]


def test_colour_only_repeats_what_sign_and_word_say() -> None:
    """Without its colours the coloured text is the plain one, byte for byte."""
    plain = dry_run(plans.attic(), plans.company(), plans.unread())
    coloured = dry_run(
        plans.attic(), plans.company(), plans.unread(), style=Style(width=100, colour=True)
    )
    plans.golden("plan-attic-colour", dry_run(plans.attic(), style=Style(width=100, colour=True)))
    assert coloured != plain
    assert _COLOUR.sub("", coloured) == plain


def test_verbose_lists_what_is_folded() -> None:
    """`-v` names every target of a block, every deletion and everything left alone."""
    text = dry_run(plans.company(), style=Style(width=100, verbose=True))
    plans.golden("plan-company-verbose", text)
    joined = " ".join(text.split())
    assert all(f"erp-{name}" in joined for name in plans.ERP)
    assert all(f"share/scratch-{n} (no policy)" in joined for n in range(1, 8))
    assert "(-v)" not in text


@pytest.mark.parametrize("stop", list(Stop))
def test_each_stop_says_what_it_is(stop: Stop) -> None:
    """What stops deletions is a sentence of its own; only what can be released names approve."""
    target = plans.vmware(stop)
    if stop is Stop.BRAKE_UNIT:
        target = replace(target, brake_limits=(50, 90))
    text = dry_run(plans.unit("attic", target))
    plans.golden(f"stop-{stop}", text)
    assert "! 24 deletions wait  " in text
    assert ("reconcile approve " in text) is stop.approvable


def test_a_brake_of_nothing_says_so() -> None:
    """A brake of 0 is no figure to be above of, but a closed door."""
    nothing = replace(plans.vmware(), brake_limits=(0, 30))
    assert "the brake is 0: it lets none go" in dry_run(plans.unit("attic", nothing))
    few = replace(nothing, newest_managed=None)
    unit = plans.unit("attic", replace(few, brake_limits=(9, 9)))
    assert "0 of this target; the brake stops above 9" in dry_run(unit)
    by_count = replace(plans.vmware(), brake_limits=(20, 90))
    text = dry_run(plans.unit("attic", by_count))
    assert "24 of this target; the brake stops above 20" in text
    closed = replace(plans.vmware(Stop.BRAKE_UNIT), newest_managed=None)
    assert "the brake of this NAS is 0" in dry_run(plans.unit("attic", closed))


def test_markdown_reads_as_its_golden_file() -> None:
    """A plan for a pull request is its golden file, folded."""
    unit = replace(
        plans.suspended(), findings=(Finding("clock-skew", Severity.ERROR, "7 min", "NTP"),)
    )
    text = markdown.render_plan(
        plans.plan(plans.attic(), plans.company(), plans.unread(), unit, plans.settled())
    )
    plans.golden("plan-markdown", text)


def test_markdown_shows_nothing_that_a_name_could_do() -> None:
    """A name neither formats, nor opens a tag, nor mentions anyone, nor ends a line."""
    text = markdown.render_plan(plans.plan(plans.hostile()))
    plans.golden("plan-markdown-hostile", text)
    for dangerous in ("<script", "<b>*", "*x*", "@all", "\x1b", "\u202e", "\x9b", "\r", "\x07"):
        assert dangerous not in text


def policy() -> Policy:
    """Return the README's first policy."""
    path = "policies/home.yaml"

    def place(line: int) -> Place:
        return Place(path, line, 5)

    return Policy(
        "documents",
        place(4),
        nas=Selector((Pattern("type", place(3), tag="site"),)),
        shares=Selector((Pattern("doc*", place(5)), Pattern("docs-old", place(5), negative=True))),
        cadence=Every("4h", seconds=14_400),
        keep=Keep(last=48, daily=30, monthly=12, within=86_400),
        lock_newest=3,
        immutable=Immutable(7),
        replicate=Replicate(Every("12h", seconds=43_200), to="cellar", rpo=86_400),
        rpo=28_800,
        owner="a\x1b[1mb",
        places={
            "shares": place(5),
            "every": place(6),
            "keep": place(7),
            "keep.last": place(7),
            "immutable": place(8),
            "replicate.every": place(9),
            "owner": place(10),
        },
    )


def explained() -> Any:
    """Return a target with snapshots of every fate."""
    until = plans.at("2026-11-30T08:00") + 1
    pinned = [
        plans.keep(
            plans.share_snapshot(
                f"2026-11-22T{hour:02d}:00", immutable=True, immutable_until=until
            ),
            "immutable until Mon 30 Nov 08:00",
        )
        for hour in (0, 4, 8, 12, 16, 20)
    ]
    pinned = [
        replace(v, reasons=(Why("last", f"last {n}/48", n), *v.reasons))
        for n, v in enumerate(reversed(pinned), start=2)
    ]
    daily = [
        replace(
            plans.keep(plans.share_snapshot(f"2026-11-{day:02d}T00:00"), "x"),
            reasons=(Why("daily", f"daily {22 - day}/30", 22 - day, plans.NOW),),
        )
        for day in range(10, 21)
    ]
    by_hand = Snapshot("GMT+01-2025.08.02-17.40.00", plans.at("2025-08-02T17:40"), locked=True)
    undated = Snapshot("by \x1b[2Jhand", None)
    strangers = [
        SnapshotVerdict(s, False, Verdict.KEEP, (Why("not-managed", "not ours"), *more))
        for s, more in (
            (by_hand, (Why("locked", "locked by somebody else"),)),
            (undated, (Why("undated", "its name cannot be read as a time"),)),
        )
    ]
    base = plans.documents()
    newest = replace(
        plans.keep(plans.share_snapshot("2026-11-23T08:00"), "newest"),
        reasons=(Why("newest", "the newest"), Why("last", "last 1/48", 1)),
    )
    return replace(
        base,
        snapshots=(base.snapshots[0], *daily, newest, *pinned, *strangers),
        findings=(Finding("two-pruners", Severity.WARNING, "DSM prunes too", "switch it off"),),
    )


def test_explaining_a_hostile_policy_writes_nothing_that_steers() -> None:
    """Names, values and snapshots from outside are written out, whoever chose them."""
    text = explain.render_target(
        explained(), policy(), outlook=None, now=plans.NOW, nas="attic", style=Style(width=80)
    )
    plans.golden("explain-hostile-80", text)
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_an_unread_target_is_explained_as_such() -> None:
    """Of a target that could not be read no snapshot is shown, and that is said."""
    found = Finding("unread", Severity.ERROR, "the list holds 40 of 41 snapshots")
    target = plans.share("torn", State.UNKNOWN, findings=(found,))
    text = explain.render_target(target, None, outlook=None, now=plans.NOW, nas="hq-1", style=WIDE)
    plans.golden("explain-unread", text)


def test_a_snapshot_that_goes_names_the_nearest_that_stay() -> None:
    """One snapshot is explained with every reason, and what would be left around it."""
    target = explained()
    verdicts = target.snapshots
    waiting = plans.vmware()
    victim = waiting.victims[0].snapshot
    assert victim is not None
    waits = SnapshotVerdict(victim, True, Verdict.DELETE, plans.beyond("daily", 7))
    texts = [
        explain_snapshot.render_snapshot(
            t, v, None, outlook=None, now=plans.NOW, nas="attic", style=WIDE
        )
        for t, v in (
            (target, verdicts[0]),
            (target, verdicts[-3]),
            (target, verdicts[-2]),
            (target, verdicts[-1]),
            (replace(waiting, snapshots=(waits,)), waits),
        )
    ]
    plans.golden("explain-snapshots", "\n".join(texts))
    assert "cannot be undone" in texts[0]
    assert "WAITS" in texts[-1]


FOUND = (
    Finding(
        "unknown-key",
        Severity.ERROR,
        "`keep` has no key `dayly`",
        place=Place("policies/erp.yaml", 2, 12, 5),
        hint="did you mean `daily`?",
    ),
    Finding(
        "outlives-keep",
        Severity.WARNING,
        "`immutable` holds more than `keep` asks for",
        next_step="pin only the first of each day (13 to 15):  immutable: {for: 14d, of: daily}",
        place=Place("policies/erp.yaml", 3, 5, 9),
        hint="each hourly snapshot stays 14 days, whatever `keep` says",
    ),
    Finding("no-zone", Severity.NOTE, "UTC is used", place=Place("policies/gone.yaml", 4),
            hint="write `timezone`"),
    Finding("unmatched", Severity.WARNING, "100 % of\nthis: nothing, matched", "look"),
    Finding("long", Severity.ERROR, "too long", place=Place("policies/erp.yaml", 5, 150, 4),
            hint="here"),
    Finding("whole-line", Severity.ERROR, "no column", place=Place("policies/erp.yaml", 1)),
)  # fmt: skip
SOURCE = (
    "policies:\n"
    "    keep: {dayly: 30, weekly: 12}\n"
    "    immutable: 14d\n"
    "    \x1b[2J\tname: x\n" + "    " + "abcdefghi " * 20 + "\n"
)


def test_lint_reads_as_its_golden_file() -> None:
    """A finding is one line for tools, then its source with carets, then what to do."""
    text = findings.render_text(
        FOUND,
        sources={"policies/erp.yaml": SOURCE},
        style=WIDE,
        summary=f"{findings.summary(FOUND)} Nothing was contacted.",
    )
    plans.golden("lint", text)
    assert "\x1b" not in text
    assert "policies/erp.yaml:2:12: error[unknown-key]: `keep` has no key `dayly`\n" in text


def test_lint_for_machines_reads_as_its_golden_file() -> None:
    """The JSON and the workflow forms are their golden files; no annotation breaks its line."""
    plans.golden("lint-json", findings.render_json(FOUND))
    text = findings.render_github(FOUND)
    plans.golden("lint-github", text)
    assert len(text.splitlines()) == len(FOUND)


def test_a_list_reads_as_its_golden_file() -> None:
    """A list is a table in columns, its last column wrapped under itself."""
    rows = [
        {"nas": "attic", "name": "documents", "snapshots": "81", "policy": "documents"},
        {"nas": "attic", "name": "写真", "snapshots": "", "note": "word " * 30},
        {"nas": "hq-1", "name": "\x1b[2J", "snapshots": "7"},
    ]
    plans.golden("list-shares", listing.render("shares", rows, style=Style(width=80)))
