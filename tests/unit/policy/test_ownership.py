"""Which policy owns which target, which holds cover it, and which entries fit nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import hold, names, policy, unit

from reconciler.model import Kind
from reconciler.policy.model import Pattern, PolicySet, Selector
from reconciler.policy.select import holds_of, owner, selects_unit, units_unmatched, unmatched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.inventory.model import Unit
    from reconciler.model import Finding
    from reconciler.policy.model import Policy
    from reconciler.policy.select import Known, Ownership

_ATTIC = unit(tags={"site": "home"})
_HQ = replace(_ATTIC, name="hq-1", tags={"site": "zurich"})
_DOCS: Known = (Kind.SHARE, "docs", "u-1")


def _named(name: str, nas: str = "attic", **extra: object) -> Policy:
    return replace(policy(), name=name, nas=names(nas), **extra)  # type: ignore[arg-type]  # any key


def _owner(*policies: Policy, target: Known = _DOCS, nas: Unit = _ATTIC, alone: bool = False
           ) -> Ownership:  # fmt: skip
    kind, name, uuid = target
    return owner(PolicySet(policies), nas, kind, name, uuid, only_unit=alone)


def test_the_highest_priority_owns() -> None:
    """Of several policies that select a target the highest priority owns it, by its own entry."""
    low = _named("low", shares=names("*"))
    high = _named("high", shares=names("x", "do*"), priority=1)
    found = _owner(low, high)
    assert (found.policy, found.contenders) == (high, ())
    assert found.pattern is not None
    assert found.pattern.text == "do*"


def test_a_tie_contends() -> None:
    """Two of one priority contend, and a lower one is not among them."""
    one, two = _named("one", shares=names("docs")), _named("two", shares=names("*"))
    low = _named("low", shares=names("*"), priority=-1)
    found = _owner(low, one, two)
    assert (found.policy, found.pattern, found.contenders) == (None, None, (one, two))


@pytest.mark.parametrize(("target", "owned"), [
    (_DOCS, True), ((Kind.SHARE, "DOCS", "u"), True), ((Kind.SHARE, "vm", "u"), False),
    ((Kind.LUN, "vm", "u"), True), ((Kind.LUN, "VM", "u"), False), ((Kind.LUN, "docs", "u"), False),
])  # fmt: skip
def test_a_target_is_selected_by_its_kind_and_name(target: Known, *, owned: bool) -> None:
    """Names of shares compare without case, those of LUNs with it, and never across kinds."""
    both = _named("both", shares=names("docs"), luns=names("vm"))
    assert (_owner(both, target=target).policy is both) is owned


def test_a_uuid_selects_through_a_rename() -> None:
    """`{uuid: …}` selects whatever the target is called, its case ignored."""
    here = names("x").patterns[0].place
    known = _named("p", shares=Selector((Pattern("U-1", here, by_uuid=True),)))
    assert _owner(known, target=(Kind.SHARE, "anything", "u-1")).policy is known
    assert _owner(known, target=(Kind.SHARE, "U-1", "u-2")).policy is None


@pytest.mark.parametrize(("entries", "selected"), [
    (("*",), True), (("*", "!docs"), False), (("!docs", "*"), True), (("do?s", "!x"), True),
    (("[ab]*",), False),
])  # fmt: skip
def test_the_last_entry_that_fits_decides(entries: tuple[str, ...], *, selected: bool) -> None:
    """A list is read in order, and the last entry that fits decides."""
    assert (names(*entries).decides("docs") is not None) is selected


def test_nas_selects_by_name_and_tag_and_may_lack_for_one_unit() -> None:
    """Left out it takes the only unit, never one of several; a tag compares with the unit's."""
    here = names("x").patterns[0].place
    site = Selector((Pattern("home", here, tag="site"),))
    assert selects_unit(None, _ATTIC, only_unit=True)
    assert not selects_unit(None, _ATTIC, only_unit=False)
    assert selects_unit(names("ATTIC"), _ATTIC, only_unit=False)
    assert selects_unit(site, _ATTIC, only_unit=False)
    assert not selects_unit(site, _HQ, only_unit=True)
    assert not selects_unit(site, replace(_ATTIC, tags={}), only_unit=True)
    lacking = replace(_named("p", shares=names("*")), nas=None)
    assert _owner(lacking, alone=True).policy is lacking
    assert _owner(lacking).policy is None
    assert _owner(_named("p", shares=names("*")), nas=_HQ).policy is None


def test_a_hold_without_nas_covers_every_unit() -> None:
    """A hold covers what it selects, on every unit unless it names some."""
    everywhere = hold("everywhere", shares=names("docs"))
    here = hold("here", shares=names("docs"), nas=names("hq-1"))
    other = hold("other", luns=names("docs"))
    held = PolicySet((), (everywhere, here, other))
    assert holds_of(held, _ATTIC, *_DOCS) == (everywhere,)
    assert holds_of(held, _HQ, *_DOCS) == (everywhere, here)


def _told(found: Sequence[Finding]) -> list[tuple[str, str, str, str]]:
    return [(one.code, one.severity.value, one.text, one.next_step) for one in found]


def _unmatched(known: PolicySet, *units: Unit, targets: dict[str, Sequence[Known]]
               ) -> list[tuple[str, str, str, str]]:  # fmt: skip
    return _told(unmatched(known, targets, units))


def test_an_entry_that_fits_nothing_is_told_with_what_may_be_meant() -> None:
    """A glob matches nothing, a name is missing; the nearest name of that kind is offered."""
    p = _named("p", shares=names("dosc", "zzz*", "docs", "!no"), luns=names("docs"))
    targets = {"attic": [(Kind.SHARE, "Docs", "u"), (Kind.LUN, "vm", "v")]}
    assert _unmatched(PolicySet((p,)), _ATTIC, _HQ, targets=targets) == [
        ("missing", "warning", "`dosc` fits no share", "is it Docs?"),
        ("matches-nothing", "warning", "`zzz*` fits no share", "check the name, or take it out"),
        ("matches-nothing", "warning", "`!no` fits no share", "check the name, or take it out"),
        ("missing", "warning", "`docs` fits no LUN", "check the name, or take it out"),
    ]


def test_what_could_fit_on_a_unit_that_was_not_read_is_not_judged() -> None:
    """A policy of an unread unit, or of no unit at all, is not told of."""
    p = _named("p", "*", shares=names("nothing"))
    q = _named("q", "elsewhere", shares=names("nothing"))
    r = replace(p, name="r", nas=None)
    assert _unmatched(PolicySet((p, q, r)), _ATTIC, _HQ, targets={"attic": [_DOCS]}) == []
    assert len(_unmatched(PolicySet((p, r)), _ATTIC, targets={"attic": [_DOCS]})) == 2
    two = {"attic": [_DOCS], "hq-1": [_DOCS]}
    assert len(_unmatched(PolicySet((p, q, r)), _ATTIC, _HQ, targets=two)) == 1


def test_a_hold_that_protects_nothing_is_an_error() -> None:
    """A hold that matches nothing is told beside its entries; one that does is not."""
    lost, found = hold("lost", shares=names("*", "!*")), hold("found", shares=names("docs"))
    told = _unmatched(PolicySet((), (lost, found)), _ATTIC, targets={"attic": [_DOCS]})
    assert told == [(
        "hold-unmatched", "error", "hold lost matches nothing",
        "check its names: what it should protect is not protected",
    )]  # fmt: skip
    both = PolicySet((), (found,))
    one_of_two = {"attic": [_DOCS], "hq-1": [(Kind.SHARE, "x", "u")]}
    assert _unmatched(both, _ATTIC, _HQ, targets=one_of_two) == []


def test_an_entry_of_nas_that_fits_no_unit_offers_the_nearest() -> None:
    """A mistyped unit is told with the name that may be meant; nothing is told without `nas`."""
    found = _told(tuple(units_unmatched(names("atic", "hq-*"), (_ATTIC, _HQ))))
    assert found == [
        ("matches-nothing", "warning", "`atic` fits no unit of the inventory", "is it attic?"),
    ]
    assert list(units_unmatched(None, (_ATTIC,))) == []


@pytest.mark.parametrize(("one", "other", "covers"), [
    (Pattern("*", names("x").patterns[0].place), Pattern("a", names("x").patterns[0].place), True),
    (Pattern("A*", names("x").patterns[0].place), Pattern("ab", names("x").patterns[0].place),
     True),
    (Pattern("a", names("x").patterns[0].place),
     Pattern("a", names("x").patterns[0].place, by_uuid=True), False),
    (Pattern("*", names("x").patterns[0].place, tag="t"),
     Pattern("a", names("x").patterns[0].place), False),
    (Pattern("*", names("x").patterns[0].place, tag="t"),
     Pattern("a", names("x").patterns[0].place, tag="t"), True),
])  # fmt: skip
def test_one_entry_covers_another_of_its_own_kind(
    one: Pattern, other: Pattern, *, covers: bool
) -> None:
    """By the words alone a glob covers what it fits, of one tag, and a uuid only a uuid."""
    assert one.covers(other) is covers


def test_the_words_of_an_entry() -> None:
    """Only a positive name without wildcard and tag names something outright."""
    here = names("x").patterns[0].place
    assert Pattern("a", here).outright
    assert not any(Pattern(text, here).outright for text in ("a*", "a?", "[a]"))
    assert not Pattern("a", here, negative=True).outright
    assert not Pattern("a", here, tag="t").outright
    assert Pattern("a", here, by_uuid=True).written == "{uuid: a}"
    assert Pattern("a", here, negative=True, tag="t").written == "!t=a"


def test_luns_and_uuids_are_matched_as_they_are() -> None:
    """An entry for a LUN of another case fits nothing; one by uuid fits through any name."""
    here = names("x").patterns[0].place
    by_uuid = Selector((Pattern("U-1", here, by_uuid=True),))
    targets = {"attic": [_DOCS, (Kind.LUN, "vm", "v-1")]}
    p = _named("p", shares=by_uuid, luns=names("VM"))
    told = _unmatched(PolicySet((p,)), _ATTIC, targets=targets)
    assert told == [("missing", "warning", "`VM` fits no LUN", "is it vm?")]
    held = (hold("a", shares=by_uuid), hold("b", luns=names("VM")), hold("c", shares=names("DOCS")))
    told = _unmatched(PolicySet((), held), _ATTIC, targets=targets)
    assert [text for _, _, text, _ in told] == ["`VM` fits no LUN", "hold b matches nothing"]


def test_one_unread_unit_does_not_hide_what_another_policy_misses() -> None:
    """A policy that cannot be judged does not end the judging of those after it."""
    p = _named("p", "hq-1", shares=names("nothing"))
    q = _named("q", shares=names("nothing"))
    assert len(_unmatched(PolicySet((p, q)), _ATTIC, _HQ, targets={"attic": [_DOCS]})) == 1
