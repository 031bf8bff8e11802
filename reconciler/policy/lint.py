"""Checks across policies: names, templates, units, ties."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

from reconciler.model import Kind
from reconciler.policy import feasibility
from reconciler.policy.select import selects_unit, units_unmatched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.findings import Findings
    from reconciler.inventory.model import Unit, UnitBrakes
    from reconciler.model import Instant, Place
    from reconciler.policy.load import Loaded
    from reconciler.policy.model import Hold, Pattern, Policy, Selector

    _Named = tuple[int, Kind, bool, str]
    """What two policies contend for: priority, kind, whether by uuid, the name or uuid."""

_MOST_NAMERS = 100


def check(
    loaded: Loaded,
    *,
    units: Sequence[Unit] | None,
    brakes: UnitBrakes,
    findings: Findings,
    now: Instant | None = None,
) -> None:
    """Run every check that needs more than one policy, then each policy's own feasibility."""
    _names([(p.name, p.place) for p in loaded.policies], "policy", findings)
    _names([(h.name, h.place) for h in loaded.holds], "hold", findings)
    for name, place in loaded.unused:
        findings.note("unused-template", f"no policy extends template {name}", place)
    _units(loaded, units, findings)
    _formerly(loaded.policies, findings)
    _ties(loaded.policies, units, findings)
    for policy in loaded.policies:
        feasibility.check(policy, units=units, brakes=brakes, findings=findings, now=now)
        _zone(policy, units, findings)
    feasibility.check_units(loaded.policies, units=units, findings=findings)


def _names(known: Sequence[tuple[str, Place]], what: str, findings: Findings) -> None:
    first: dict[str, Place] = {}
    for name, place in known:
        if name in first:
            findings.error(
                "duplicate-name", f"{what} {name} exists twice; also at {first[name]}", place,
                next_step="rename one of the two",
            )  # fmt: skip
        first.setdefault(name, place)


def _units(loaded: Loaded, units: Sequence[Unit] | None, findings: Findings) -> None:
    """`nas` may be left out where there is one unit; a hold without it covers every unit.

    With the inventory at hand, an entry that fits none of its units is a warning.
    """
    everyone: list[Policy | Hold] = [*loaded.policies, *loaded.holds]
    for one in everyone if units is not None else ():
        findings.add(*units_unmatched(one.nas, units or ()))
    for policy in loaded.policies:
        if policy.nas is not None or (units is not None and len(units) == 1):
            continue
        step = 'write `nas: NAME`, or `nas: "*"` for every unit'
        if units is None:
            findings.warning(
                "no-nas", f"policy {policy.name} names no `nas`, which only one unit allows",
                policy.place, next_step=step,
            )  # fmt: skip
        else:
            findings.error(
                "no-nas", f"policy {policy.name} names no `nas`, and there are {len(units)} units",
                policy.place, next_step=step,
            )  # fmt: skip


def _formerly(policies: Sequence[Policy], findings: Findings) -> None:
    names = {policy.name for policy in policies}
    for policy in policies:
        for name in policy.formerly:
            if name in names:
                findings.error(
                    "formerly-in-use",
                    f"`formerly` names {name}, which is a policy of this repository",
                    policy.places.get("formerly", policy.place),
                    next_step="only a name that is no longer in use can be a former one",
                )


def _zone(policy: Policy, units: Sequence[Unit] | None, findings: Findings) -> None:
    zoned = policy.timezone or any(unit.timezone for unit in units or ())
    if not zoned:
        findings.note(
            "utc", f"policy {policy.name} names no `timezone`: days are cut in UTC", policy.place
        )


def _ties(policies: Sequence[Policy], units: Sequence[Unit] | None, findings: Findings) -> None:
    """Two policies of one priority that both name a target outright, on a unit of both."""
    named: defaultdict[_Named, list[tuple[Policy, Pattern]]] = defaultdict(list)
    for policy in policies:
        for kind in Kind:
            for key, pattern in _outright(policy.selector(kind), kind):
                named[policy.priority, kind, *key].append((policy, pattern))
    for (_, kind, *_), namers in named.items():
        for (one, here), (other, there) in combinations(namers[:_MOST_NAMERS], 2):
            if one is other or not _meet(one, other, units):
                continue
            for at, twin in ((here, there), (there, here)):
                findings.error(
                    "tie",
                    f"policies {one.name} and {other.name} both name {kind} `{at.text}` with "
                    f"priority {one.priority}; also at {twin.place}",
                    at.place,
                    next_step="give one of them a higher `priority`, or take the name out of one",
                )


def _outright(selector: Selector | None, kind: Kind) -> Iterator[tuple[tuple[bool, str], Pattern]]:
    """Yield what a selector names outright and does not take out again, by what it means."""
    fold = kind is Kind.SHARE
    if selector is None:
        return
    for pattern in selector.patterns:
        if pattern.outright and not _taken_out(selector, pattern, fold=fold):
            yield _key(pattern, fold=fold), pattern


def _taken_out(selector: Selector, pattern: Pattern, *, fold: bool) -> bool:
    if pattern.by_uuid:
        return selector.decides("", uuid=pattern.text, fold_case=fold) is None
    return selector.decides(pattern.text, fold_case=fold) is None


def _key(pattern: Pattern, *, fold: bool) -> tuple[bool, str]:
    text = pattern.text.casefold() if fold or pattern.by_uuid else pattern.text
    return pattern.by_uuid, text


def _meet(one: Policy, other: Policy, units: Sequence[Unit] | None) -> bool:
    """Whether both policies can select one unit; without an inventory, by their words alone."""
    if units is not None:
        only = len(units) == 1
        return any(
            selects_unit(one.nas, unit, only_unit=only)
            and selects_unit(other.nas, unit, only_unit=only)
            for unit in units
        )
    if one.nas is None or other.nas is None:
        return True
    names = [
        {p.text.casefold() for p in selector.patterns if p.outright}
        if all(p.outright for p in selector.patterns)
        else None
        for selector in (one.nas, other.nas)
    ]
    first, second = names
    return first is None or second is None or bool(first & second)
