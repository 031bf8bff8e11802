"""Policies held against what is there: what no policy covers, and what several contend for."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model import Finding, Kind, Severity
from reconciler.policy.select import owner, selects_unit, unmatched
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.inventory.model import Unit
    from reconciler.policy.model import Policy, PolicySet
    from reconciler.policy.select import Known

_NOUNS = {Kind.SHARE: ("share", "shares"), Kind.LUN: ("LUN", "LUNs")}


def idle_units(policies: PolicySet, units: Sequence[Unit]) -> Iterator[Finding]:
    """Yield a note for each unit of the inventory that no policy selects."""
    only = len(units) == 1
    for unit in units:
        if not any(selects_unit(p.nas, unit, only_unit=only) for p in policies.policies):
            yield Finding(
                "unit-uncovered", Severity.NOTE, f"no policy selects the unit {unit.name}",
                next_step=f"if it is to have snapshots, name it under `nas` ({unit.place})",
            )  # fmt: skip


def against(
    policies: PolicySet,
    units: Sequence[Unit],
    targets: Mapping[str, Sequence[Known]],
    *,
    left_alone: frozenset[tuple[str, Kind, str]] = frozenset(),
) -> tuple[Finding, ...]:
    """Return what a look at the targets of units shows.

    Entries that fit nothing; targets that several policies contend for, an error at each of them;
    those without a policy, in one note for each unit and kind.

    `targets` are by unit name; a unit without any entry there was not read. `left_alone` are the
    unit, kind and uuid of those that no policy need cover: destinations, and what DSM cannot
    snapshot.
    """
    only = len(units) == 1
    found: list[Finding] = list(unmatched(policies, targets, units))
    for unit in units:
        without: defaultdict[Kind, list[str]] = defaultdict(list)
        for kind, name, uuid in targets.get(unit.name, ()):
            owned = owner(policies, unit, kind, name, uuid, only_unit=only)
            if owned.contenders:
                found.extend(_contended(f"{unit.name}/{kind}/{name}", owned.contenders))
            elif owned.policy is None and (unit.name, kind, uuid) not in left_alone:
                without[kind].append(name)
        found.extend(_uncovered(unit.name, without))
    return tuple(found)


def _contended(label: str, contenders: Sequence[Policy]) -> Iterator[Finding]:
    names = " and ".join(f"{policy.name} ({policy.place})" for policy in contenders)
    for policy in contenders:
        yield Finding(
            "contended", Severity.ERROR,
            f"policies {names} select {label} with one priority, {policy.priority}",
            "give one of them a higher `priority`, or exclude the target in the other",
            place=policy.place,
        )  # fmt: skip


def _uncovered(nas: str, without: Mapping[Kind, Sequence[str]]) -> Iterator[Finding]:
    for kind, names in without.items():
        number = counted(len(names), *_NOUNS[kind])
        yield Finding(
            "uncovered", Severity.NOTE,
            f"{nas}: {number} without a policy: {', '.join(sorted(names, key=str.casefold))}",
        )  # fmt: skip
