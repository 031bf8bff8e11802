"""Which policy owns which target, which holds cover it, and which entries match nothing."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from reconciler.model import Finding, Kind, Severity
from reconciler.policy.model import Hold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.inventory.model import Unit
    from reconciler.policy.model import Pattern, Policy, PolicySet, Selector

    Known = tuple[Kind, str, str]
    """A target's kind, name and uuid."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns a target: one policy, nobody, or several that contend for it."""

    policy: Policy | None = None
    pattern: Pattern | None = None
    contenders: tuple[Policy, ...] = ()


def selects_unit(selector: Selector | None, unit: Unit, *, only_unit: bool) -> bool:
    """Whether a `nas` selector takes the unit in; left out it does where there is one unit only."""
    if selector is None:
        return only_unit
    return selector.decides(unit.name, tags=unit.tags) is not None


def owner(
    policies: PolicySet, unit: Unit, kind: Kind, name: str, uuid: str, *, only_unit: bool
) -> Ownership:
    """Return the policy of the highest priority that selects a target; a tie contends."""
    found: list[tuple[Policy, Pattern]] = []
    for policy in policies.policies:
        if not selects_unit(policy.nas, unit, only_unit=only_unit):
            continue
        pattern = _decides(policy.selector(kind), kind, name, uuid)
        if pattern is not None:
            found.append((policy, pattern))
    if not found:
        return Ownership()
    highest = max(policy.priority for policy, _ in found)
    top = [(policy, pattern) for policy, pattern in found if policy.priority == highest]
    if len(top) > 1:
        return Ownership(contenders=tuple(policy for policy, _ in top))
    return Ownership(*top[0])


def holds_of(policies: PolicySet, unit: Unit, kind: Kind, name: str, uuid: str) -> tuple[Hold, ...]:
    """Return the holds that cover a target; one without `nas` covers every unit."""
    return tuple(
        hold
        for hold in policies.holds
        if selects_unit(hold.nas, unit, only_unit=True)
        and _decides(hold.selector(kind), kind, name, uuid) is not None
    )


def _decides(selector: Selector | None, kind: Kind, name: str, uuid: str) -> Pattern | None:
    if selector is None:
        return None
    return selector.decides(name, uuid=uuid, fold_case=kind is Kind.SHARE)


def unmatched(
    policies: PolicySet, targets: Mapping[str, Sequence[Known]], units: Sequence[Unit]
) -> tuple[Finding, ...]:
    """Return a finding for each selector entry that matches nothing.

    `targets` are those of every unit that was read, by unit name; an entry that could match on a
    unit that was not read is not judged. A name without wildcard that is on none of its units is
    `missing`; a hold that matches nothing is an error. Entries of `nas` are for `units_unmatched`.
    """
    found: list[Finding] = []
    everyone: list[Policy | Hold] = [*policies.policies, *policies.holds]
    for one in everyone:
        chosen = [
            unit for unit in units if selects_unit(one.nas, unit, only_unit=_alone(one, units))
        ]
        if any(unit.name not in targets for unit in chosen):
            continue
        for kind in Kind if chosen else ():
            selector = one.selector(kind)
            known = [t for unit in chosen for t in targets[unit.name] if t[0] is kind]
            found.extend(_targets_unmatched(selector, kind, known))
        if isinstance(one, Hold) and not _covers_any(one, chosen, targets):
            found.append(
                Finding("hold-unmatched", Severity.ERROR, f"hold {one.name} matches nothing",
                        "check its names: what it should protect is not protected",
                        place=one.place)
            )  # fmt: skip
    return tuple(found)


def _alone(one: Policy | Hold, units: Sequence[Unit]) -> bool:
    return len(units) == 1 or isinstance(one, Hold)


def _covers_any(
    one: Policy | Hold, chosen: Sequence[Unit], targets: Mapping[str, Sequence[Known]]
) -> bool:
    return any(
        _decides(one.selector(kind), kind, name, uuid) is not None
        for unit in chosen
        for kind, name, uuid in targets[unit.name]
    )


def units_unmatched(selector: Selector | None, units: Sequence[Unit]) -> Iterator[Finding]:
    """Yield a finding for each entry of `nas` that fits no unit of the inventory."""
    for pattern in selector.patterns if selector is not None else ():
        if not any(pattern.fits(unit.name, tags=unit.tags) for unit in units):
            names = {unit.name.casefold(): unit.name for unit in units}
            yield _nothing(pattern, "unit of the inventory", names)


def _targets_unmatched(
    selector: Selector | None, kind: Kind, known: Sequence[Known]
) -> Iterator[Finding]:
    for pattern in selector.patterns if selector is not None else ():
        fold = kind is Kind.SHARE
        if any(pattern.fits(name, uuid=uuid, fold_case=fold) for _, name, uuid in known):
            continue
        names = {name.casefold(): name for _, name, _ in known}
        what = "share" if kind is Kind.SHARE else "LUN"
        yield _nothing(pattern, what, names, missing=pattern.outright)


def _nothing(
    pattern: Pattern, what: str, names: Mapping[str, str], *, missing: bool = False
) -> Finding:
    near = get_close_matches(pattern.text.casefold(), list(names), n=1)
    return Finding(
        "missing" if missing else "matches-nothing",
        Severity.WARNING,
        f"`{pattern.written}` fits no {what}",
        next_step=f"is it {names[near[0]]}?" if near else "check the name, or take it out",
        place=pattern.place,
    )
