"""A plan read back from its document: to show it again, and to execute exactly it or refuse.

The reader takes only what the schema admits and whose digest is right; a plan is never trusted for
what a NAS holds now, only for what a person saw and agreed to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reconciler import mark, snapshot_name
from reconciler.duration import DAY
from reconciler.errors import UserError
from reconciler.model import Finding, Identity, Kind, NameForm, Place, Severity, Snapshot
from reconciler.planning import digest
from reconciler.planning.document import action_id, to_document
from reconciler.planning.plan import (
    Action,
    Create,
    Delete,
    Plan,
    Replica,
    SetAttributes,
    SnapshotVerdict,
    State,
    Stop,
    Sync,
    TargetPlan,
    UnitPlan,
    Verdict,
    Why,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.model import Instant, Seconds
    from reconciler.planning.plan import Change

    Row = Mapping[str, Any]

EXPIRES_AFTER: Seconds = DAY
"""How long a saved plan can be applied."""

_DIGESTED_APART = ("created_at", "digest")


def from_document(found: Row) -> Plan:
    """Read a document that the schema admits; raises UserError where its digest is not its own."""
    covered = {key: value for key, value in found.items() if key not in _DIGESTED_APART}
    if digest.of(covered) != found["digest"]:
        raise UserError(
            "the plan was changed after it was saved: its digest is of something else",
            next_step="save it anew: reconcile --dry-run --save FILE",
        )
    by_unit: dict[str, list[Row]] = {}
    for row in found["targets"]:
        by_unit.setdefault(row["nas"], []).append(row)
    plan = Plan(
        created_at=_instant(found["created_at"]),
        revision=found["policy_revision"],
        units=tuple(
            _unit(row, by_unit.get(row["nas"], ()), now=_instant(found["created_at"]))
            for row in found["units"]
        ),
        policies=found["policies"],
    )
    again = to_document(plan, tool_version=found["tool"]["version"])
    if again != found:
        raise UserError(
            "the plan says something that this release cannot read back",
            next_step="save it anew with this release: reconcile --dry-run --save FILE",
        )
    return plan


def _unit(row: Row, targets: Sequence[Row], *, now: Instant) -> UnitPlan:
    known = any(row[key] is not None for key in ("serial", "model", "version"))
    return UnitPlan(
        nas=row["nas"],
        now=now,
        zone=row["timezone"],
        identity=(
            Identity(row["serial"] or "", row["model"] or "", row["version"] or "", "")
            if known
            else None
        ),
        targets=tuple(_target(one) for one in targets),
        findings=tuple(map(_finding, row["findings"])),
        problem=row["problem"] or "",
        next_step=row["next_step"] or "",
        suspended=row["suspended"] or "",
        share_count=row["shares"],
        lun_count=row["luns"],
    )


def _target(row: Row) -> TargetPlan:
    kind = Kind(row["kind"])
    brake = row["brake"]
    return TargetPlan(
        kind=kind,
        uuid=row["uuid"],
        name=row["name"],
        state=State(row["state"]),
        policy=row["policy"] or "",
        zone=row["timezone"],
        findings=tuple(map(_finding, row["findings"])),
        actions=tuple(_action(one, kind) for one in row["actions"]),
        snapshots=tuple(_verdict(one, kind) for one in row["snapshots"]),
        newest=_maybe(row["newest"]),
        next_due=_maybe(row["next_due"]),
        kept=row["kept"],
        immutable=row["immutable"],
        held=row["held"],
        newest_managed=_maybe(row["newest_managed"]),
        brake_weight=brake["weight"],
        brake_limits=(brake["max_deletes"], brake["max_delete_percent"]),
        no_room=row["no_room"] or "",
        selected_by=_place(row["selected_by"]),
        replicas=tuple(
            Replica(one["destination"], _maybe(one["newest"]), one["busy"])
            for one in row["replicas"]
        ),
    )


def _finding(row: Row) -> Finding:
    place = _place(row["place"])
    return Finding(
        row["code"], Severity(row["severity"]), row["text"], row["next_step"] or "", place
    )


def _place(row: Row | None) -> Place | None:
    return None if row is None else Place(row["path"], row["line"], row["column"])


def _action(row: Row, kind: Kind) -> Action:
    seen = _snapshot(row["snapshot"], kind) if row["snapshot"] is not None else None
    stop = Stop(row["stopped_by"]) if row["stopped_by"] is not None else None
    change = _CHANGES[row["verb"]](row["parameters"], seen)
    return Action(change, tuple(map(_why, row["reasons"])), stop)


def _snapshot(row: Row, kind: Kind) -> Snapshot:
    read = snapshot_name.parse(row["name"]) if kind is Kind.SHARE else None
    form = read.form if read is not None else NameForm.OFFSET if kind is Kind.SHARE else None
    return Snapshot(
        name=row["name"],
        time=_maybe(row["time"]),
        description=row["description"],
        uuid=row["uuid"] or "",
        form=form,
        locked=row["locked"],
        immutable=row["immutable"],
        immutable_until=_maybe(row["immutable_until"]),
        scheduled=row["scheduled"],
        holders=tuple(row["held_by"]),
        healthy=row["healthy"],
        mark=mark.parse(row["description"]),
    )


def _create(row: Row, _: Snapshot | None) -> Change:
    return Create(
        due=_instant(row["due"]),
        description=row["description"],
        lock=row["lock"],
        immutable_days=row["immutable_days"],
        lun_name=row["name"] or "",
        consistent=row["application_consistent"],
    )


def _set_attributes(row: Row, seen: Snapshot | None) -> Change:
    return SetAttributes(_present(seen), lock=row["lock"], description=row["description"])


def _delete(row: Row, seen: Snapshot | None) -> Change:
    return Delete(_present(seen), early=row["early"])


def _sync(row: Row, _: Snapshot | None) -> Change:
    return Sync(
        plan_id=row["plan_id"],
        destination=row["destination"] or "",
        due=_instant(row["due"]),
        lock_synced=row["lock_synced"],
        send_encrypted=row["send_encrypted"],
    )


_CHANGES: Mapping[str, Callable[[Row, Snapshot | None], Change]] = {
    "create": _create,
    "set_attr": _set_attributes,
    "delete": _delete,
    "sync": _sync,
}


def _present(seen: Snapshot | None) -> Snapshot:
    if seen is None:
        raise UserError(
            "the plan changes a snapshot that it does not name",
            next_step="save it anew: reconcile --dry-run --save FILE",
        )
    return seen


def _verdict(row: Row, kind: Kind) -> SnapshotVerdict:
    """Read a verdict back; of a snapshot that stays the document holds name, uuid and time."""
    named = Snapshot(row["name"], _maybe(row["time"]), uuid=row["uuid"] or "",
                     form=NameForm.OFFSET if kind is Kind.SHARE else None)  # fmt: skip
    return SnapshotVerdict(
        named,
        row["managed"],
        Verdict(row["verdict"]),
        tuple(map(_why, row["reasons"])),
        _maybe(row["expires_not_before"]),
    )


def _why(row: Row) -> Why:
    return Why(row["rule"], row["text"], row["ordinal"], _maybe(row["period"]))


def _instant(text: str) -> Instant:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def _maybe(text: str | None) -> Instant | None:
    return None if text is None else _instant(text)


@dataclass(frozen=True, slots=True)
class Agreed:
    """A fresh plan cut down to what a saved one holds.

    `refused` says by target why its part of the saved plan can no longer be done (exit 3); `done`
    counts the actions that are done already or no longer wanted.
    """

    plan: UnitPlan
    refused: tuple[tuple[str, str], ...] = ()
    done: int = 0


def agree(saved: UnitPlan, fresh: UnitPlan) -> Agreed:
    """Leave of a fresh plan only what the saved one holds and both still want.

    A target is refused whole where one of its victims is no longer what the saved plan saw, or the
    reasons for deleting it no longer hold. What has appeared since adds nothing. A creation, a
    change of attributes or a sync that is no longer wanted is passed over.
    """
    now = {(target.kind, target.uuid): target for target in fresh.targets}
    refused: list[tuple[str, str]] = []
    kept: list[TargetPlan] = []
    done = 0
    for old in saved.targets:
        target = now.get((old.kind, old.uuid))
        if target is None:
            if old.actions:
                refused.append((old.label, "it is no longer on the NAS"))
            continue
        reason = next(_changed(old, target), "")
        if reason:
            refused.append((old.label, reason))
            continue
        both = _both(old, target)
        done += len(old.actions) - len(both)
        kept.append(replace(target, actions=both))
    return Agreed(replace(fresh, targets=tuple(kept)), tuple(refused), done)


def _changed(old: TargetPlan, fresh: TargetPlan) -> Iterator[str]:
    """Yield why a saved deletion may not run: changed, or no longer a victim; gone is done."""
    present = {verdict.snapshot.key: verdict.snapshot for verdict in fresh.snapshots}
    victims = {a.snapshot.key: a for a in fresh.victims if a.snapshot is not None}
    if old.victims and not fresh.snapshots and fresh.findings:
        yield fresh.findings[0].text
    for action in old.victims:
        seen = action.snapshot
        now = present.get(seen.key) if seen is not None else None
        if seen is None or now is None:
            continue
        if replace(now, form=seen.form) != seen:
            yield f"{seen.name} was changed since the plan was saved"
        elif seen.key not in victims:
            yield f"{seen.name} is kept now: {_kept_by(fresh, seen.key)}"


def _kept_by(fresh: TargetPlan, key: str) -> str:
    found = next(v for v in fresh.snapshots if v.snapshot.key == key)
    return found.reasons[0].text if found.reasons else "no rule lets it go"


def _both(old: TargetPlan, fresh: TargetPlan) -> tuple[Action, ...]:
    wanted = {action_id(old.kind, old.uuid, action) for action in old.actions}
    return tuple(a for a in fresh.actions if action_id(fresh.kind, fresh.uuid, a) in wanted)
