"""What is to be told of the units as their last passes left them, in words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.duration import render, spoken
from reconciler.execute import Result
from reconciler.model import Kind
from reconciler.notify.decide import FAILURE, FILES, Condition, Scope
from reconciler.planning import digest
from reconciler.planning.plan import State
from reconciler.report.standing import TOLD, overview
from reconciler.report.stops import next_step as stop_step
from reconciler.report.style import printable
from reconciler.wording import counted, moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.execute import UnitOutcome
    from reconciler.inventory.model import Unit
    from reconciler.memory import UnitMemory
    from reconciler.model import Finding
    from reconciler.notify.decide import Key
    from reconciler.planning.plan import TargetPlan, UnitPlan
    from reconciler.policy.model import Policy, PolicySet
    from reconciler.report.standing import Standing, UnitStanding

    Tags = tuple[tuple[str, str], ...]

_TOLD = TOLD | {State.SUSPENDED}
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Heard:
    """One unit as its last pass left it."""

    plan: UnitPlan
    memory: UnitMemory
    outcome: UnitOutcome


def conditions(
    heard: Sequence[Heard],
    policies: PolicySet,
    units: Sequence[Unit],
    *,
    missing: Sequence[Finding],
    trouble: str | None,
) -> tuple[tuple[Condition, ...], Scope]:
    """Return what stands and is to be told, and what of it could be judged.

    `missing` are the entries that match nothing. `trouble` says why the files are refused, "" where
    they are not, None where nobody watches them.
    """
    named = {policy.name: policy for policy in policies.policies}
    tags = {unit.name: unit.tags for unit in units}
    found: list[Condition] = []
    states: dict[Key, str] = {}
    facts: dict[Key, str] = {}
    for one in heard:
        standing = overview(
            [one.plan], {one.plan.nas: one.memory}, missing=(), revision="", read_at=one.plan.now
        ).units[0]
        found += _of_unit(one, standing, named, tags.get(one.plan.nas, {}))
        for target, stands in zip(one.plan.targets, standing.targets, strict=False):
            key = (one.plan.nas, _thing(target))
            states[key] = target.state.value
            if stands.newest is not None:
                facts[key] = f"Newest {moment(stands.newest, zone(stands.zone))}"
    found += _of_files(missing, trouble)
    read = frozenset(one.plan.nas for one in heard if not one.plan.problem)
    scope = Scope(
        heard=frozenset(one.plan.nas for one in heard),
        read=read,
        policies=read >= {unit.name for unit in units},
        files=trouble is not None,
        states=states,
        facts=facts,
    )
    return tuple(found), scope


def _thing(target: TargetPlan) -> str:
    return f"{target.kind}:{target.uuid}"


def _of_files(missing: Sequence[Finding], trouble: str | None) -> Iterator[Condition]:
    for finding in missing:
        if finding.code == "missing":
            place = f"{finding.place}: " if finding.place is not None else ""
            thing = hashlib.sha256(finding.text.encode()).hexdigest()
            lines = _lines(f"{place}{finding.text}.", finding.next_step)
            yield Condition("missing", "", thing, "a policy's entry", lines=lines)
    if trouble:
        lines = _lines(f"{trouble}.", "mend the files; the revision before them stays in force")
        yield Condition(FAILURE, "", FILES, "the files are refused", lines=lines)


def _of_unit(
    one: Heard, standing: UnitStanding, policies: Mapping[str, Policy], tags: Mapping[str, str]
) -> Iterator[Condition]:
    plan = one.plan
    of_unit = tuple(sorted(tags.items()))
    if standing.need is not None:
        read = standing.read
        last = f" Last read {moment(read, zone(plan.zone))}." if read is not None else ""
        lines = _lines(f"{standing.need.fact}.{last}", standing.need.next_step)
        yield Condition("unknown", plan.nas, "", plan.nas, lines=lines, tags=of_unit)
        return
    if one.outcome.problem:
        lines = _lines(f"{one.outcome.problem}.", one.outcome.next_step)
        yield Condition(FAILURE, plan.nas, "pass", plan.nas, lines=lines, tags=of_unit)
    yield from _waiting(plan, of_unit)
    for target, stands in zip(plan.targets, standing.targets, strict=True):
        policy = policies.get(target.policy)
        own = tuple(sorted({**tags, **(policy.tags if policy else {})}.items()))
        need = stands.need
        if need is not None and need.state in _TOLD and need.state is not State.BRAKED:
            lines = _late(one, target, stands, policy) if need.state is State.LATE else ()
            lines = lines or _lines(f"{need.fact}.", need.next_step)
            yield Condition(
                need.state.value, plan.nas, _thing(target), stands.label, lines=lines, tags=own
            )
        failed = _failures(one.outcome, target)
        if failed:
            yield Condition(
                FAILURE, plan.nas, _thing(target), stands.label, lines=_lines(*failed), tags=own
            )


def _lines(*parts: str) -> tuple[str, ...]:
    """Return the parts that say something, with nothing in them that could steer a reader."""
    return tuple(printable(part) for part in parts if part)


def _failures(outcome: UnitOutcome, target: TargetPlan) -> tuple[str, ...]:
    """Return each failed action of the last pass on a target, equal ones once."""
    failed = [
        f"{one.action.verb} failed: {one.detail}."
        for ended in outcome.targets
        if (ended.kind, ended.uuid) == (target.kind, target.uuid)
        for one in ended.outcomes
        if one.result is Result.FAILED
    ]
    return tuple(dict.fromkeys(failed))[:_LISTED]


def _late(
    one: Heard, target: TargetPlan, stands: Standing, policy: Policy | None
) -> tuple[str, ...]:
    """Word the age of the newest snapshot; () where it is the replica alone that is late."""
    if policy is None or policy.rpo is None:
        return ()
    age = stands.age
    if age is not None and age <= policy.rpo:
        return ()
    by = f"policy {policy.name}, owner {policy.owner}" if policy.owner else f"policy {policy.name}"
    promised = f"promised {render(policy.rpo)} ({by})."
    newest = "No snapshot of ours yet"
    if stands.newest is not None and age is not None:
        newest = f"Newest snapshot {moment(stands.newest, zone(target.zone))}, {spoken(age)} old"
    failed = _failures(one.outcome, target)
    why = f"Why: {failed[0]}" if failed else ""
    deleted = one.outcome.deleted.get((target.kind, target.uuid))
    safe = "" if deleted else "Nothing was deleted meanwhile."
    step = f"Next: {stands.need.next_step}" if stands.need and stands.need.next_step else ""
    return _lines(f"{newest}; {promised}", why, *_copies(target, policy, stands), safe, step)


def _copies(target: TargetPlan, policy: Policy, stands: Standing) -> Iterator[str]:
    rpo = policy.replicate.rpo if policy.replicate is not None else None
    for replica in target.replicas:
        if replica.newest is None:
            yield f"Replica on {replica.destination}: none yet."
            continue
        at = moment(replica.newest, zone(target.zone))
        within = ""
        if rpo is not None:
            word = "within" if stands.now - replica.newest <= rpo else "beyond"
            within = f", {word} its {render(rpo)}"
        yield f"Replica on {replica.destination}: {at}{within}."


def _waiting(plan: UnitPlan, tags: Tags) -> Iterator[Condition]:
    """Tell of a unit's waiting deletions once, with the command that lets them go."""
    stopped = [
        (target, [action for action in target.victims if action.stopped_by is not None])
        for target in plan.targets
    ]
    stopped = [(target, waits) for target, waits in stopped if waits]
    if not stopped:
        return
    count = sum(len(waits) for _, waits in stopped)
    shares = sum(target.kind is Kind.SHARE for target, _ in stopped)
    kinds = ((shares, "share"), (len(stopped) - shares, "LUN"))
    places = " and ".join(counted(n, noun) for n, noun in kinds if n)
    verb = "waits" if count == 1 else "wait"
    waiting = digest.waiting(plan)
    if waiting is not None:
        cause = f"They wait for a person: {', '.join(waiting.causes)}."
        step = f'If meant:      reconcile approve {waiting.shown} --reason "…"'
        mistake = "If a mistake:  revert the policies; nothing has been lost."
    else:
        target, waits = stopped[0]
        stop = waits[0].stopped_by
        cause = f"What stops them: {stop}." if stop is not None else ""
        step = stop_step(stop, waits, target) if stop is not None else ""
        mistake = ""
    lines = _lines(f"{cause} Snapshots go on being taken.", step, mistake)
    yield Condition(
        "braked", plan.nas, "waiting", plan.nas,
        headline=f"{counted(count, 'deletion')} on {places} {verb}", lines=lines, tags=tags,
    )  # fmt: skip
