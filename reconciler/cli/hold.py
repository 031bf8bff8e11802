"""`reconcile hold` and `unhold`: protection that a person says at run time, without a commit."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from reconciler import snapshot_name
from reconciler.cli import output, targets
from reconciler.cli.known import known, read, remembered, units_of
from reconciler.cli.listing import policies_if_any
from reconciler.cli.settings import account
from reconciler.cli.who import audit_of, reason_of
from reconciler.memory import Seen
from reconciler.orders import RunTimeHold
from reconciler.zones import zone

if TYPE_CHECKING:
    from reconciler.cli.settings import Settings
    from reconciler.memory import TargetKey
    from reconciler.model import Instant, Kind


@click.command(name="hold")
@click.argument("target", metavar="TARGET[/SNAPSHOT]")
@click.option("--reason", metavar="TEXT", help="Why; asked for on a terminal.")
@click.option("--by", metavar="NAME", help="On whose behalf; default: the account and host.")
@click.pass_obj
def hold(settings: Settings, target: str, *, reason: str | None, by: str | None) -> None:
    """Protect TARGET, or one snapshot of it, from the reconciler at once, until `unhold`.

    Also while its NAS cannot be reached, as far as the state remembers it. A pass under way heeds
    it before its next deletion. DSM itself is not bound by it.
    """
    looked = read(settings, policies_if_any(settings), units_of(settings, target))
    (nas, one), wanted = targets.split(target, known(settings, looked))
    label = f"{one.kind}/{one.name}"
    chosen = (
        targets.snapshot(wanted, f"{nas}/{label}", one.snapshots, one.at)
        if wanted is not None
        else None
    )
    said = keep_hold(
        settings,
        nas=nas,
        target=(one.kind, one.uuid),
        name=one.name,
        snapshot=chosen,
        reason=reason_of(reason),
        by=by or account(),
    )
    what = f"{label}, {chosen.name}" if chosen is not None else f"every snapshot of {label}"
    output.show(f"{nas}: {what} on hold (run-time-{said.identifier}), as {said.by}.")
    output.show(f"To end it:  reconcile unhold {nas}/{label}{f'/{chosen.name}' if chosen else ''}")
    if one.remembered:
        output.say(
            f"{nas} could not be read: {label} is held as the last pass knew it, by its uuid"
        )


def keep_hold(
    settings: Settings, *, nas: str, target: TargetKey, name: str, snapshot: Seen | None,
    reason: str, by: str, until: Instant | None = None,
) -> RunTimeHold:  # fmt: skip
    """Keep a run-time hold of a target, or of one snapshot, in the store and in the trail."""
    kind, uuid = target
    said = RunTimeHold(
        identifier=secrets.token_hex(4),
        nas=nas,
        kind=kind,
        uuid=uuid,
        name=name,
        snapshot=snapshot.key if snapshot is not None else "",
        reason=reason,
        by=by,
        since=settings.now,
        until=until,
    )
    settings.store.hold(said)
    _note(settings, "held", said, by=by, reason=reason)
    return said


def _note(settings: Settings, event: str, said: RunTimeHold, *, by: str, reason: str) -> None:
    audit_of(settings, said.nas, by=by).note(
        event,
        target={"kind": str(said.kind), "uuid": said.uuid, "name": said.name},
        snapshot=said.snapshot,
        hold=f"run-time-{said.identifier}",
        reason=reason,
        until=said.until,
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """What run-time holds lie on: a target by its present name, and the snapshots they name."""

    kind: Kind
    name: str
    holds: tuple[RunTimeHold, ...]
    snapshots: tuple[Seen, ...]


@click.command(name="unhold")
@click.argument("target", metavar="TARGET[/SNAPSHOT]")
@click.option("--reason", metavar="TEXT", help="Why; asked for on a terminal.")
@click.option("--by", metavar="NAME", help="On whose behalf; default: the account and host.")
@click.pass_obj
def unhold(settings: Settings, target: str, *, reason: str | None, by: str | None) -> None:
    """End the run-time holds of TARGET as a whole, or those of one snapshot of it.

    No NAS is contacted. A hold of the repository ends in the repository.
    """
    found = [(unit.name, one) for unit in settings.configuration.units
             for one in _held(settings, unit.name, unit.timezone)]  # fmt: skip
    if not found:
        raise click.UsageError("there is no run-time hold; one of the repository ends there")
    (nas, one), wanted = targets.split(target, found)
    at = zone(next(u.timezone for u in settings.configuration.units if u.name == nas) or "UTC")
    label = f"{nas}/{one.kind}/{one.name}"
    key = targets.snapshot(wanted, label, one.snapshots, at).key if wanted is not None else ""
    ending = [said for said in one.holds if said.snapshot == key]
    if not ending:
        names = ", ".join(f"{label}/{seen.name}" for seen in one.snapshots)
        raise click.UsageError(f"no run-time hold is on {label} as a whole, only on {names}")
    why, name = reason_of(reason), by or account()
    for said in ending:
        settings.store.unhold(said.identifier)
        _note(settings, "unheld", said, by=name, reason=why)
        output.show(f"{label}: run-time-{said.identifier} ended, as {name} (it was: {said.reason})")


def _held(settings: Settings, nas: str, timezone: str) -> list[_Held]:
    """Return what is on hold on a unit, under the names that the last pass knew."""
    names = {one.key: one for one in remembered(settings.store.unit(nas), zone(timezone or "UTC"))}
    holds: dict[TargetKey, list[RunTimeHold]] = {}
    for said in settings.store.orders(nas, settings.now).holds:
        holds.setdefault((said.kind, said.uuid), []).append(said)
    found: list[_Held] = []
    for key, on in holds.items():
        past = names.get(key)
        seen = {one.key: one for one in (past.snapshots if past is not None else ())}
        wanted = dict.fromkeys(said.snapshot for said in on if said.snapshot)
        snapshots = tuple(seen.get(name) or _unseen(name) for name in wanted)
        name = past.name if past is not None else on[-1].name
        found.append(_Held(key[0], name, tuple(on), snapshots))
    return found


def _unseen(key: str) -> Seen:
    """Read a snapshot that no pass has seen from its key alone: a share's is its name."""
    parsed = snapshot_name.parse(key)
    return Seen(key, key, parsed.time if parsed is not None else None)
