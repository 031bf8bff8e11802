"""What was in doubt when a process ended, settled by what the NAS shows now (promise P14)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.audit import Ended
from reconciler.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.model import Observation, ObservedTarget, Snapshot
    from reconciler.trail import Record

    Body = Mapping[str, Any]

DONE, NOT_DONE = "done", "not done"
_SLACK = 300
"""Seconds by which a sync's beginning may lie before its intent: two clocks are compared."""


def settled(intents: Sequence[Record], observed: Observation) -> tuple[tuple[Ended, Body], ...]:
    """Return how each open intent ended, as far as this reading shows it.

    A creation is done where its mark is there, a deletion where its snapshot is not, a change of
    attributes where they are as it asked, a sync where an attempt began since. What cannot be told,
    since the target could not be read, stays open for the next pass.
    """
    targets = {(t.kind, t.uuid): t for t in observed.targets}
    found: list[tuple[Ended, Body]] = []
    for record in intents:
        body = record.body
        target = targets.get((Kind(body["target"]["kind"]), body["target"]["uuid"]))
        end = _END[body["verb"]](body, target, observed)
        if end is not None:
            found.append((end, body))
    return tuple(found)


def _create(body: Body, target: ObservedTarget | None, _: Observation) -> Ended | None:
    snapshots = _listed(target)
    if snapshots is None:
        return None
    wanted = body["parameters"]["description"]
    made = next((s for s in snapshots if _same_mark(s, wanted)), None)
    if made is None:
        return _ended(body, NOT_DONE)
    return _ended(body, DONE, after=made)


def _delete(body: Body, target: ObservedTarget | None, _: Observation) -> Ended | None:
    snapshots = _listed(target)
    if snapshots is None:
        return None
    present = next((s for s in snapshots if s.key == body["snapshot"]), None)
    return _ended(body, DONE if present is None else NOT_DONE, after=present)


def _set_attributes(body: Body, target: ObservedTarget | None, _: Observation) -> Ended | None:
    snapshots = _listed(target)
    if snapshots is None:
        return None
    present = next((s for s in snapshots if s.key == body["snapshot"]), None)
    asked = body["parameters"]
    done = (
        present is not None
        and asked["lock"] in (None, present.locked)
        and asked["description"] in (None, present.description)
    )
    return _ended(body, DONE if done else NOT_DONE, after=present)


def _sync(body: Body, _: ObservedTarget | None, observed: Observation) -> Ended | None:
    if observed.plans is None:
        return None
    wanted = body["parameters"]["plan_id"]
    plan = next((plan for plan in observed.plans if plan.plan_id == wanted), None)
    if plan is None:
        return _ended(body, NOT_DONE)
    since = int(datetime.fromisoformat(body["at"]).timestamp()) - _SLACK
    began = [record.began for record in plan.records]
    done = plan.busy or any(moment >= since for moment in began)
    return _ended(body, DONE if done else NOT_DONE)


_END: Mapping[str, Callable[[Body, ObservedTarget | None, Observation], Ended | None]] = {
    "create": _create,
    "delete": _delete,
    "set_attr": _set_attributes,
    "sync": _sync,
}


def _listed(target: ObservedTarget | None) -> Sequence[Snapshot] | None:
    """Return what is on the target, nothing where it is gone, None where it was not read."""
    return () if target is None else target.snapshots


def _same_mark(snapshot: Snapshot, description: str) -> bool:
    """Whether the snapshot carries the creation's mark; its lock may have changed since."""
    mark = snapshot.mark
    return mark is not None and str(mark).replace(" lock]", "]") == description.replace(
        " lock]", "]"
    )


def _ended(body: Body, result: str, *, after: Snapshot | None = None) -> Ended:
    key = after.key if after is not None else body["snapshot"]
    return Ended(body["number"], body["verb"], key, result, after=after)
