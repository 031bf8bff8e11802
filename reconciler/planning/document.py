"""A plan as a document: for scripts, for `--save`, and for whoever reviews it.

The form is that of `schemas/plan.schema.json`. For one plan it is byte for byte the same, apart
from `created_at`: units and targets are sorted, actions stand in the order of execution, snapshots
in the order of their times. Instants are written in UTC to the second.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reconciler.mark import due_identifier
from reconciler.planning import digest
from reconciler.planning.plan import Create, Delete, SetAttributes, Sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.model import Finding, Instant, Kind, Place, Snapshot
    from reconciler.planning.plan import (
        Action,
        Change,
        Plan,
        Replica,
        SnapshotVerdict,
        TargetPlan,
        UnitPlan,
        Why,
    )

FORMAT_VERSION = 1
TOOL = "snapshot-reconciler"
_KEYS = (
    "format_version", "created_at", "tool", "policy_revision", "policies", "digest", "units",
    "targets",
)  # fmt: skip


def to_document(plan: Plan, *, tool_version: str) -> dict[str, Any]:
    """Return a plan as JSON values; its `digest` covers all of it but `created_at`."""
    pairs = [(unit, target) for unit in plan.units for target in unit.targets]
    covered: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "tool": {"name": TOOL, "version": tool_version},
        "policy_revision": plan.revision,
        "policies": plan.policies,
        "units": [_unit(unit) for unit in sorted(plan.units, key=lambda unit: unit.nas)],
        "targets": [_target(target, unit) for unit, target in sorted(pairs, key=_order)],
    }
    whole = {**covered, "created_at": utc(plan.created_at), "digest": digest.of(covered)}
    return {key: whole[key] for key in _KEYS}


def dumps(document: dict[str, Any]) -> str:
    """Write a document as indented ASCII JSON with a line end; the order is the document's own."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def utc(instant: Instant) -> str:
    """Write an instant as `2026-11-23T11:00:00Z`."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def action_id(kind: Kind, uuid: str, action: Action) -> str:
    """Name an action within its unit the same in every plan: kind, uuid, verb and its object."""
    return f"{kind}/{uuid}/{action.verb}/{_object(action.change)}"


def _object(change: Change) -> str:
    if isinstance(change, Create):
        identifier = due_identifier(change.due)
        return f"asked-{identifier}" if change.asked else identifier
    if isinstance(change, Sync):
        return change.plan_id
    return change.snapshot.key


def _order(pair: tuple[UnitPlan, TargetPlan]) -> tuple[str, ...]:
    unit, target = pair
    return (unit.nas, str(target.kind), target.name, target.uuid)


def _unit(unit: UnitPlan) -> dict[str, Any]:
    identity = unit.identity
    return {
        "nas": unit.nas,
        "serial": identity.serial if identity is not None else None,
        "model": identity.model if identity is not None else None,
        "version": identity.version if identity is not None else None,
        "timezone": unit.zone,
        "shares": unit.share_count,
        "luns": unit.lun_count,
        "problem": unit.problem or None,
        "next_step": unit.next_step or None,
        "suspended": unit.suspended or None,
        "findings": [finding_document(finding) for finding in unit.findings],
        "waiting": waiting_document(unit),
    }


def waiting_document(unit: UnitPlan) -> dict[str, Any] | None:
    """Return what waits for approval on a unit as JSON values, None where nothing does."""
    waits = digest.waiting(unit)
    if waits is None:
        return None
    return {"digest": waits.digest, "count": waits.count, "cause": list(waits.causes)}


def _target(target: TargetPlan, unit: UnitPlan) -> dict[str, Any]:
    return {
        "nas": unit.nas,
        "serial": unit.identity.serial if unit.identity is not None else None,
        "kind": str(target.kind),
        "uuid": target.uuid,
        "name": target.name,
        "policy": target.policy or None,
        "state": str(target.state),
        "timezone": target.zone,
        "newest": _maybe(target.newest),
        "newest_managed": _maybe(target.newest_managed),
        "next_due": _maybe(target.next_due),
        "kept": target.kept,
        "immutable": target.immutable,
        "held": target.held,
        "replicas": [_replica(replica) for replica in target.replicas],
        "brake": {
            "weight": target.brake_weight,
            "max_deletes": target.brake_limits[0],
            "max_delete_percent": target.brake_limits[1],
        },
        "no_room": target.no_room or None,
        "selected_by": _place(target.selected_by),
        "findings": [finding_document(finding) for finding in target.findings],
        "actions": [_action(target, action) for action in target.actions],
        "snapshots": [_verdict(verdict) for verdict in _in_time(target.snapshots)],
    }


def _replica(replica: Replica) -> dict[str, Any]:
    return {
        "destination": replica.destination,
        "newest": _maybe(replica.newest),
        "busy": replica.busy,
    }


def _in_time(verdicts: Iterable[SnapshotVerdict]) -> list[SnapshotVerdict]:
    """Sort by time, what has none first; then by name and uuid."""

    def order(verdict: SnapshotVerdict) -> tuple[bool, int, str, str]:
        found = verdict.snapshot
        return (found.time is not None, found.time or 0, found.name, found.uuid)

    return sorted(verdicts, key=order)


def finding_document(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values."""
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "text": finding.text,
        "next_step": finding.next_step or None,
        "place": _place(finding.place),
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {"path": place.path, "line": place.line, "column": place.column}


def _action(target: TargetPlan, action: Action) -> dict[str, Any]:
    return {
        "id": action_id(target.kind, target.uuid, action),
        "verb": action.verb,
        "snapshot": seen(action.snapshot) if action.snapshot is not None else None,
        "parameters": parameters(action.change),
        "reasons": [_why(why) for why in action.reasons],
        "stopped_by": str(action.stopped_by) if action.stopped_by is not None else None,
        "approved": action.approved,
    }


def seen(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as the plan saw it; what has changed since makes its action stale."""
    return {
        "name": snapshot.name,
        "uuid": snapshot.uuid or None,
        "time": _maybe(snapshot.time),
        "description": snapshot.description,
        "locked": snapshot.locked,
        "immutable": snapshot.immutable,
        "immutable_until": _maybe(snapshot.immutable_until),
        "scheduled": snapshot.scheduled,
        "held_by": list(snapshot.holders),
        "healthy": snapshot.healthy,
    }


def _create(change: Create) -> dict[str, Any]:
    return {
        "due": utc(change.due),
        "name": change.lun_name or None,
        "description": change.description,
        "lock": change.lock,
        "immutable_days": change.immutable_days,
        "application_consistent": change.consistent,
    }


def _set_attributes(change: SetAttributes) -> dict[str, Any]:
    return {"lock": change.lock, "description": change.description}


def _delete(change: Delete) -> dict[str, Any]:
    return {"early": change.early}


def _sync(change: Sync) -> dict[str, Any]:
    return {
        "due": utc(change.due),
        "plan_id": change.plan_id,
        "destination": change.destination or None,
        "lock_synced": change.lock_synced,
        "send_encrypted": change.send_encrypted,
    }


_PARAMETERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Create: _create,
    SetAttributes: _set_attributes,
    Delete: _delete,
    Sync: _sync,
}


def parameters(change: Change) -> dict[str, Any]:
    """Return what a change sends, as the plan document and the trail hold it."""
    return _PARAMETERS[type(change)](change)


def _verdict(verdict: SnapshotVerdict) -> dict[str, Any]:
    return {
        "name": verdict.snapshot.name,
        "uuid": verdict.snapshot.uuid or None,
        "time": _maybe(verdict.snapshot.time),
        "managed": verdict.managed,
        "verdict": str(verdict.verdict),
        "reasons": [_why(why) for why in verdict.reasons],
        "expires_not_before": _maybe(verdict.expires_not_before),
    }


def _why(why: Why) -> dict[str, Any]:
    return {
        "rule": why.rule,
        "ordinal": why.ordinal,
        "period": _maybe(why.period),
        "text": why.text,
    }


def _maybe(instant: Instant | None) -> str | None:
    return utc(instant) if instant is not None else None
