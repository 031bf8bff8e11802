"""Units that are equal but for names are one part; what differs stands by itself."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.execute.outcome import ActionOutcome, Result, TargetOutcome, UnitOutcome
from reconciler.model import Finding, Identity, Kind, Severity
from reconciler.planning.plan import State, UnitPlan
from reconciler.report import markdown, outcome
from reconciler.report.layout import columns
from reconciler.report.style import Style
from reconciler.report.text import render_plan

sys.path.insert(0, str(Path(__file__).parents[2] / "golden"))

import plans

WIDE = Style(width=100)
VERBOSE = Style(width=100, verbose=True)


def customer(number: int, *names: str, **fields: Any) -> UnitPlan:
    """Return a customer's unit on which each share is due."""
    shares = [plans.share(n, policy="p", kept=3, actions=(plans.create("due at 12:00"),))
              for n in names or ("data", "homes")]  # fmt: skip
    unit = plans.unit(f"acme-{number:02d}", *shares)
    return replace(unit, **fields)


def rendered(*units: UnitPlan, style: Style = WIDE) -> str:
    """Render a dry run of the units."""
    return render_plan(plans.plan(*units), style=style, wrote=None, command="")


def test_equal_units_are_one_block() -> None:
    """Units whose plans are equal but for their names are counted, and the first three named."""
    text = rendered(*(customer(n) for n in range(1, 21)))
    assert text == (
        "20 units: acme-01, acme-02, acme-03 … (-v) · DS923+, DSM 7.2.2 · each 2 shares\n"
        "      Mon 23 Nov 2026 12:00, Europe/Zurich\n"
        "\n"
        "  2 shares: data, homes · policy p · each keeps 3\n"
        "    + create  now  due at 12:00\n"
        "\n"
        "40 create. Nothing was written.\n"
    )


def test_verbose_names_every_unit() -> None:
    """`-v` names all of the equal units, and keeps apart those whose targets are named apart."""
    units = [*(customer(n) for n in range(1, 21)), customer(30, "other", "names")]
    text = rendered(*units, style=VERBOSE)
    flat = " ".join(text.split())
    assert all(f"acme-{n:02d}" in flat for n in range(1, 21))
    assert "(-v)" not in text
    assert "acme-30 DS923+" in flat
    assert "2 shares: other, names" in flat


@pytest.mark.parametrize(
    ("others", "head"),
    [
        (("photos", "music"), "2 shares on each (-v) · policy p · each keeps 3"),
        (("a", "b", "c", "d"), "2 to 4 shares on each (-v) · policy p · each keeps 3"),
        (("a",), "1 to 2 shares on each (-v) · policy p · each keeps 3"),
    ],
)
def test_units_with_other_names_are_equal_too(others: tuple[str, ...], head: str) -> None:
    """Where only the targets' names or their number differ, the number is said instead."""
    text = rendered(customer(1), customer(2, *others))
    assert text.startswith("2 units: acme-01, acme-02 · DS923+")
    assert f"  {head}\n" in text


def test_what_differs_is_not_folded() -> None:
    """Another reason, another policy, another zone or a finding keeps a unit by itself."""
    late = replace(customer(2).targets[0], actions=(plans.create("due since 09:00"),))
    of_q = replace(customer(3).targets[0], policy="q")
    units = (
        customer(1),
        customer(2, targets=(late, customer(2).targets[1])),
        customer(3, targets=(of_q, customer(3).targets[1])),
        customer(4, zone="UTC"),
        customer(5, findings=(Finding("x", Severity.WARNING, "look at it", "do"),)),
    )
    text = rendered(*units)
    heads = [line for line in text.splitlines() if line.startswith(("acme", "2 units", "5 units"))]
    assert len(heads) == 5


def test_a_unit_named_in_its_own_findings_is_equal_all_the_same() -> None:
    """A finding that names its unit or target is the same finding: the name is left open."""

    def unit(number: int) -> UnitPlan:
        name = f"acme-{number:02d}"
        found = Finding("x", Severity.WARNING, f"{name} prunes too", f"switch {name} off")
        target = Finding("y", Severity.WARNING, f"data on {name} prunes", "switch it off")
        share = replace(customer(number, "data").targets[0], findings=(target,))
        return customer(number, targets=(share,), findings=(found,))

    text = rendered(unit(1), unit(2))
    assert "2 units: acme-01, acme-02" in text
    assert "  warning  NAME prunes too\n  next     switch NAME off\n" in text
    assert "data on NAME prunes" in text


def test_every_unit_in_trouble_is_named() -> None:
    """Units that share one trouble are one block, but none of them hides behind a count."""
    units = [
        UnitPlan(f"acme-{n:02d}", plans.NOW, plans.ZONE, problem=f"acme-{n:02d}.example refuses",
                 next_step="look")
        for n in range(1, 9)
    ]  # fmt: skip
    text = rendered(customer(20), *units)
    flat = " ".join(text.split())
    assert text.startswith("8 units: acme-01, acme-02, acme-03, acme-04")
    assert all(f"acme-{n:02d}" in flat for n in range(1, 9))
    assert "! UNKNOWN NAME.example refuses next look" in flat
    assert "(-v)" not in text


def test_settled_units_are_one_line_whatever_they_hold() -> None:
    """Units that need nothing are one block; what is left alone there is counted."""

    def still(number: int, shares: int) -> UnitPlan:
        some = (plans.share(f"s-{n}", policy="p", kept=2) for n in range(shares))
        alone = (plans.share(f"u-{number}-{n}", State.UNMANAGED) for n in range(shares))
        copy = plans.share("copy", State.DESTINATION)
        disk = plans.lun("disk", State.UNMANAGED)
        usb = [plans.share("usb", State.UNSUPPORTED)] if number == 1 else []
        return plans.unit(f"acme-{number:02d}", *some, *alone, copy, disk, *usb)

    text = rendered(still(1, 2), still(2, 3), still(3, 4))
    assert text.splitlines()[0].startswith("3 units: acme-01, acme-02, acme-03")
    assert "each" not in text.splitlines()[0]
    assert (
        "  9 targets need nothing · 3 shares are destinations (-v) · "
        "share/usb cannot be snapshotted\n"
        "  9 shares, 3 LUNs have no policy (-v)\n"
    ) in text


def test_what_all_leave_alone_is_named_once() -> None:
    """What every unit leaves alone under one name is named, as of one unit."""
    units = [customer(n, targets=(*customer(n).targets, plans.share("usb", State.UNSUPPORTED)))
             for n in (1, 2)]  # fmt: skip
    assert "  Left alone on each: share/usb (cannot be snapshotted)\n" in rendered(*units)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (50, "Mon 23 Nov 2026 12:00, Europe/Zurich"),
        (60, "Mon 23 Nov 2026 12:00 to 12:01, Europe/Zurich"),
        (86_400, "Mon 23 Nov 2026 12:00 to Tue 24 Nov 2026 12:00, Europe/Zurich"),
    ],
)
def test_when_several_were_read(seconds: int, written: str) -> None:
    """The head says from when to when equal units were read."""
    text = rendered(customer(2, now=plans.NOW + seconds), customer(1))
    assert f"      {written}\n" in text


def test_models_that_differ_are_left_out() -> None:
    """A model stands in the head where it is everyone's; another one does not keep units apart."""
    other = Identity("1780PQN002", "DS1621+", "DSM 7.2.1", "x")
    text = rendered(customer(1), customer(2, identity=other), customer(3, identity=None))
    assert text.startswith("3 units: acme-01, acme-02, acme-03 · each 2 shares · Mon 23")


def outcome_of(unit: UnitPlan, result: Result = Result.DONE, detail: str = "") -> UnitOutcome:
    """Return what became of a unit's free actions, all alike."""
    return UnitOutcome(
        unit.nas,
        tuple(
            TargetOutcome(t.kind, t.uuid, t.name, t.policy, t.zone,
                          tuple(ActionOutcome(a, result, detail) for a in t.actions
                                if a.stopped_by is None))
            for t in unit.targets if t.actions
        ),
    )  # fmt: skip


def test_outcomes_come_trouble_first_and_equal_ones_as_one() -> None:
    """Unread before stopped before failed before what waits, and 18 that went well as one."""
    well = [customer(n) for n in range(1, 19)]
    failed, stopped = customer(19), customer(20)
    waits = plans.unit("acme-21", plans.vmware())
    missing = replace(plans.unread(), nas="acme-22")
    units = [*well, waits, failed, stopped, missing]
    ended = [
        *(outcome_of(u) for u in well),
        outcome_of(waits),
        outcome_of(failed, Result.FAILED, "share busy (DSM 3328)"),
        UnitOutcome("acme-20", problem="the session was refused", next_step="again"),
    ]
    text = outcome.render_text(plans.plan(*units), ended, style=WIDE, command="reconcile --dry-run")
    heads = [line.split()[0] for line in text.splitlines()
             if line.startswith("acme") or "units:" in line]  # fmt: skip
    assert heads == ["acme-20", "acme-22", "acme-19", "acme-21", "18"]
    assert text.splitlines()[-1].endswith("Next: reconcile --dry-run")


def test_what_a_pass_could_not_mend_is_in_its_outcome() -> None:
    """A pass that nobody watched says why it ends with 1: states and findings that remain."""
    texts = {
        State.CONTENDED: "two policies select it",
        State.MISSING: "`replicate` finds no plan",
        State.DRIFTED: "DSM prunes too",
    }
    targets = [
        plans.share(str(state), state, policy="p",
                    findings=(Finding(str(state), Severity.ERROR, text, "mend it"),))
        for state, text in texts.items()
    ]  # fmt: skip
    unit = plans.unit("attic", *targets)
    plan = plans.plan(replace(unit, findings=(Finding("clock-skew", Severity.ERROR, "7 min"),)))
    text = outcome.render_text(plan, [UnitOutcome("attic")], style=WIDE)
    for state, said in texts.items():
        assert str(state).upper() in text
        assert said in text
    assert text.count("mend it") == 3
    assert "  error    7 min\n" in text


def test_a_late_target_that_was_served_is_late_no_more() -> None:
    """After its creation a late target is no longer called late; where that failed it is."""
    found = Finding("late", Severity.WARNING, "newest is 4 h old, promised 2 h")
    late = plans.share("payroll", State.LATE, policy="p", findings=(found,),
                       actions=(plans.create("due since 09:00"),))  # fmt: skip
    unit = plans.unit("attic", late)

    def text(result: Result) -> str:
        return outcome.render_text(plans.plan(unit), [outcome_of(unit, result)], style=WIDE)

    assert "LATE" not in text(Result.DONE)
    assert "promised" not in text(Result.DONE)
    assert "LATE, newest is 4 h old, promised 2 h" in text(Result.FAILED)


def test_an_outcome_where_nothing_was_due_says_so() -> None:
    """A pass on settled units says how many targets need nothing."""
    units = [replace(plans.settled(), nas=name) for name in ("a", "b")]
    text = outcome.render_text(
        plans.plan(*units), [UnitOutcome("a"), UnitOutcome("b")], style=WIDE, command="reconcile"
    )
    assert "  4 targets need nothing\n" in text
    assert text.splitlines()[-1] == "Nothing to do."


HOSTILE = "\x1b]0;x\x07\x1b[2J<img src=x onerror=y>**b**\r\n# h\u202e@all"


def hostile() -> UnitPlan:
    """Return a unit on which every text that may come from a NAS tries something."""
    found = Finding("x", Severity.ERROR, HOSTILE, HOSTILE)
    targets = [
        plans.share(HOSTILE, State.LATE, policy="p", findings=(found,), actions=(
            plans.create(HOSTILE), plans.sync(HOSTILE, HOSTILE),
            plans.delete(replace(plans.share_snapshot("2026-11-22T18:00"), name=HOSTILE, time=None),
                         *plans.beyond("daily", 3)),
        )),
        plans.share(f"{HOSTILE}2", State.UNMANAGED),
    ]  # fmt: skip
    identity = Identity(plans.SERIAL, HOSTILE, HOSTILE, HOSTILE)
    return plans.unit("attic", *targets, identity=identity, findings=(found,), suspended="")


@pytest.mark.parametrize("verbose", [False, True])
def test_no_text_from_a_nas_steers_a_screen(verbose: bool) -> None:
    """Names, models, versions, findings and details steer neither a terminal nor a page."""
    unit = hostile()
    twin = replace(unit, nas="cellar")
    lost = replace(plans.unread(), problem=HOSTILE, next_step=HOSTILE)
    plan = plans.plan(unit, twin, lost)
    ended = [outcome_of(unit, Result.FAILED, HOSTILE), UnitOutcome("cellar", problem=HOSTILE)]
    style = Style(width=100, verbose=verbose)
    texts = [
        render_plan(plan, style=style, wrote=None, command=HOSTILE),
        outcome.render_text(plan, ended, style=style, command=HOSTILE),
        outcome.render_json(plan, ended),
    ]
    for text in texts:
        assert text.replace("\n", "").isprintable()
    page = markdown.render_plan(plan)
    assert page.replace("\n", "").replace("\u200b", "").isprintable()
    for dangerous in ("<img", "**b**", "@all", "\n# h", "\n#h"):
        assert dangerous not in page


def test_commands_and_paths_are_never_broken() -> None:
    """At 80 columns every digest, path, address and the command stand whole on one line."""
    path = "/volume1/@appdata/reconciler/secrets/of-customers/" + "x" * 40 + "/nas.password"
    command = (
        "reconcile --nas customer=acme --nas customer=acme-2 --target share/documents --policy p"
    )
    lost = replace(plans.unread(), problem=f"secret file {path} cannot be read",
                   next_step=f"write the secret into {path}")  # fmt: skip
    text = render_plan(
        plans.plan(lost, plans.company(), plans.attic()), style=Style(width=80), wrote=None,
        command=command,
    )  # fmt: skip
    lines = text.splitlines()
    assert sum(path in line for line in lines) == 2
    assert lines[-1] == f"Next: {command}"
    assert any("431238ae" in line for line in lines)
    assert any("reconcile approve 431238ae" in line for line in lines)
    assert all(columns(line) <= 80 for line in lines if path not in line and command not in line)


def test_kinds_of_one_name_stay_apart() -> None:
    """A share and a LUN of one name are never one block."""
    share = plans.share("x", policy="p", actions=(plans.create("due"),))
    lun = replace(share, kind=Kind.LUN)
    text = rendered(plans.unit("attic", share, lun), plans.unit("cellar", share, lun))
    assert "share/x · policy p" in text
    assert "lun/x · policy p" in text


def test_a_page_of_equal_units_names_them_all() -> None:
    """In Markdown equal units are one heading, and all their names are folded below it."""
    page = markdown.render_plan(plans.plan(*(customer(n) for n in range(1, 61))))
    assert page.count("####") == 1
    assert "#### 60 units: acme-01, acme-02, acme-03 … · DS923+" in page
    assert "<details><summary>all of them</summary>\n\nacme-01, acme-02, acme-03, acme-04" in page
    assert "acme-60" in page
    assert "(-v)" not in page
