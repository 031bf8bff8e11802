"""Policies held against the targets of units: what nobody covers, what several contend for."""

from __future__ import annotations

from dataclasses import replace

from builders import names, policy, unit

from reconciler.model import Kind, Place
from reconciler.policy.against import against, idle_units
from reconciler.policy.model import Policy, PolicySet

_ATTIC = replace(unit(), place=Place("reconciler.yaml", 7))
_HQ = replace(_ATTIC, name="hq-1")


def _named(name: str, line: int, **extra: object) -> Policy:
    place = Place("policies/a.yaml", line)
    return replace(policy(), name=name, place=place, **extra)  # type: ignore[arg-type]  # any key


def test_targets_without_a_policy_are_one_note_for_each_unit_and_kind() -> None:
    """Names stand in order, case aside; what no policy need cover is left out."""
    covering = PolicySet((_named("p", 3, nas=names("*"), shares=names("c*")),))
    targets = {
        "attic": [
            (Kind.SHARE, "b", "1"), (Kind.SHARE, "C", "2"), (Kind.SHARE, "A", "3"),
            (Kind.LUN, "vm", "4"), (Kind.SHARE, "replica", "5"),
        ],
        "hq-1": [(Kind.SHARE, "replica", "5"), (Kind.SHARE, "c", "6")],
    }  # fmt: skip
    alone = frozenset({("attic", Kind.SHARE, "5")})
    found = against(covering, (_ATTIC, _HQ), targets, left_alone=alone)
    assert [(f.code, f.severity, f.text, f.place) for f in found] == [
        ("uncovered", "note", "attic: 2 shares without a policy: A, b", None),
        ("uncovered", "note", "attic: 1 LUN without a policy: vm", None),
        ("uncovered", "note", "hq-1: 1 share without a policy: replica", None),
    ]


def test_what_is_contended_is_an_error_at_each_policy() -> None:
    """Each of the policies that contend for a target is told, at its place, with the cure."""
    both = PolicySet((
        _named("p", 3, nas=names("*"), shares=names("*"), priority=2),
        _named("q", 4, nas=names("attic"), shares=names("docs"), priority=2),
    ))  # fmt: skip
    found = against(both, (_ATTIC, _HQ), {"attic": [(Kind.SHARE, "docs", "1")]})
    text = (
        "policies p (policies/a.yaml:3) and q (policies/a.yaml:4) select attic/share/docs with "
        "one priority, 2"
    )
    cure = "give one of them a higher `priority`, or exclude the target in the other"
    assert [(f.code, f.severity, f.text, f.next_step, f.place) for f in found] == [
        ("contended", "error", text, cure, Place("policies/a.yaml", 3)),
        ("contended", "error", text, cure, Place("policies/a.yaml", 4)),
    ]


def test_entries_that_fit_nothing_come_first() -> None:
    """What fits nothing on units that were read is told too."""
    p = PolicySet((_named("p", 3, nas=names("attic"), shares=names("docs", "gone")),))
    found = against(p, (_ATTIC, _HQ), {"attic": [(Kind.SHARE, "docs", "1")]})
    assert [f.text for f in found] == ["`gone` fits no share"]


def test_without_nas_a_policy_covers_the_only_unit() -> None:
    """A policy without `nas` covers the targets of the only unit, and of none of several."""
    p = PolicySet((_named("p", 3, shares=names("*")),))
    targets = {"attic": [(Kind.SHARE, "docs", "1")]}
    assert against(p, (_ATTIC,), targets) == ()
    assert [f.code for f in against(p, (_ATTIC, _HQ), targets)] == ["uncovered"]
    assert list(idle_units(p, (_ATTIC,))) == []
    assert [f.text for f in idle_units(p, (_ATTIC, _HQ))] == [
        "no policy selects the unit attic", "no policy selects the unit hq-1",
    ]  # fmt: skip


def test_a_unit_without_a_policy_is_a_note_that_says_where_it_stands() -> None:
    """The note names the unit's place in the configuration, and is no finding of a policy file."""
    p = PolicySet((_named("p", 3, nas=names("hq-*"), shares=names("*")),))
    (found,) = idle_units(p, (_ATTIC, _HQ))
    assert (found.code, found.severity, found.place) == ("unit-uncovered", "note", None)
    assert found.next_step == (
        "if it is to have snapshots, name it under `nas` (reconciler.yaml:7)"
    )
