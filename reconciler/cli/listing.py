"""`reconcile list`: the live `list_*` output, and what the policies say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli import output
from reconciler.cli.exits import Exit, worst
from reconciler.cli.targets import matches
from reconciler.duration import render
from reconciler.errors import UserError
from reconciler.fleet import Fleet
from reconciler.model import Kind
from reconciler.observed import SavedUnit, written
from reconciler.planning.recall import run_time
from reconciler.policy.model import PolicySet
from reconciler.wording import counted, moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.cli.settings import Settings
    from reconciler.model import ObservedTarget, Snapshot
    from reconciler.policy.model import Selector
    from reconciler.reconcile import Looked

_KINDS = ("shares", "luns", "snapshots", "replications", "policies", "holds")
Row = dict[str, str]


@click.command(name="list")
@click.argument("kind", type=click.Choice(_KINDS))
@click.argument("target", required=False)
@click.option("--nas", multiple=True, metavar="N|KEY=VALUE", help="Only these units.")
@click.option("-o", "--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--save", metavar="FILE", help="Also save all that was read, for lint --against.")
@click.option("-v", "verbose", is_flag=True)
@click.pass_obj
def command(
    settings: Settings,
    kind: str,
    target: str | None,
    *,
    nas: tuple[str, ...],
    form: str,
    save: str | None,
    verbose: bool,
) -> int:
    """List what is on the units, or what the policies say.

    TARGET narrows it: any end of NAS/share/NAME or NAS/lun/NAME.
    """
    from reconciler.report.listing import render

    of_files = kind in ("policies", "holds")
    if save and of_files:
        raise click.UsageError(f"`--save` is for what is on the units; `{kind}` stand in files")
    policies = settings.policies() if of_files else policies_if_any(settings)
    codes: list[Exit] = []
    if of_files:
        rows = list(_of_policies(policies))
        if kind == "holds":
            rows = [*_of_holds(policies), *_said_at_run_time(settings, nas)]
    else:
        with Fleet(settings.run(policies), settings.units(nas)) as fleet:
            looked = fleet.look()
        if save:
            _save(looked, save)
        rows = [row for one in looked for row in _rows(kind, one, target)]
        for one in looked:
            if one.plan.problem:
                output.say(f"{one.plan.nas}: {one.plan.problem}")
                codes.append(Exit.FAILED)
        if target and not rows and not codes:
            raise click.UsageError(f"`{target}` fits nothing that was read")
    if form == "json":
        output.show(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        output.show(render(kind, rows, style=output.style(verbose=verbose)))
    return worst(codes)


def _save(looked: Sequence[Looked], path: str) -> None:
    """Save every unit that was read, whole, whatever is listed of it."""
    units = [
        SavedUnit(unit.name, one.observation, unit.tags, unit.timezone)
        for one in looked
        if one.observation is not None and not one.plan.problem
        for unit in (one.wish.unit,)
    ]
    try:
        Path(path).write_text(written(units, tool_version=__version__), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
    output.say(f"{counted(len(units), 'unit')} saved to {path}")


def policies_if_any(settings: Settings) -> PolicySet:
    """Load the policies; without valid ones what is on the NAS can still be listed."""
    try:
        return settings.policies()
    except UserError:
        output.say("no valid policies (see `reconcile lint`), so none is shown here")
        return PolicySet(())


def _rows(kind: str, looked: Looked, target: str | None) -> Iterator[Row]:
    observation = looked.observation
    if observation is None:
        return
    if kind == "replications":
        yield from _replications(looked)
        return
    planned = {(t.kind, t.uuid): t for t in looked.plan.targets}
    for found in observation.targets:
        plan = planned.get((found.kind, found.uuid))
        if target and (plan is None or not matches(target, looked.plan.nas, plan)):
            continue
        if kind == "snapshots":
            yield from _snapshots(found, looked.plan.nas, zone(looked.plan.zone).key)
        elif kind == f"{found.kind}s":
            yield {
                "nas": looked.plan.nas,
                found.kind.value: found.name,
                "policy": plan.policy if plan is not None else "",
                "state": plan.state.value if plan is not None else "",
                "snapshots": "?" if found.snapshots is None else str(len(found.snapshots)),
                "uuid": found.uuid,
                "remark": found.unsupported or found.problem,
            }


def _snapshots(target: ObservedTarget, nas: str, at: str) -> Iterator[Row]:
    ordered = sorted(target.snapshots or (), key=lambda s: (s.time or 0, s.name), reverse=True)
    for snapshot in ordered:
        when = moment(snapshot.time, zone(at), year=True) if snapshot.time is not None else "?"
        yield {
            "target": f"{nas}/{target.kind}/{target.name}",
            "taken": when,
            "name": snapshot.name,
            "lock": "locked" if snapshot.locked else "",
            "immutable": _immutable(snapshot, at),
            "description": snapshot.description,
        }


def _immutable(snapshot: Snapshot, at: str) -> str:
    if not snapshot.immutable:
        return ""
    if snapshot.immutable_until is None:
        return "yes"
    return f"until {moment(snapshot.immutable_until, zone(at))}"


def _replications(looked: Looked) -> Iterator[Row]:
    observation = looked.observation
    at = zone(looked.plan.zone)
    for plan in (observation.plans if observation is not None else None) or ():
        done = [record for record in plan.records if record.success]
        yield {
            "nas": looked.plan.nas,
            "target": ", ".join(sorted(plan.target_ids)),
            "role": {1: "source", 2: "destination"}.get(plan.role, str(plan.role)),
            "to": plan.destination_host,
            "state": "busy" if plan.busy else "idle",
            "newest success": moment(done[-1].began, at) if done else "",
            "plan": plan.plan_id,
        }


def _of_policies(policies: PolicySet) -> Iterator[Row]:
    for policy in policies.policies:
        yield {
            "policy": policy.name,
            "nas": _written(policy.nas),
            "shares": _written(policy.shares),
            "luns": _written(policy.luns),
            "every": policy.cadence.written if policy.cadence is not None else "",
            "rpo": render(policy.rpo) if policy.rpo is not None else "none",
            "where": str(policy.place),
        }


def _of_holds(policies: PolicySet) -> Iterator[Row]:
    for hold in policies.holds:
        yield {
            "hold": hold.name,
            "nas": _written(hold.nas),
            "shares": _written(hold.shares),
            "luns": _written(hold.luns),
            "reason": hold.reason,
            "where": str(hold.place),
        }


def _said_at_run_time(settings: Settings, nas: tuple[str, ...]) -> Iterator[Row]:
    for unit in settings.units(nas):
        at = zone(unit.timezone or "UTC")
        for said in settings.store.orders(unit.name, settings.now).holds:
            until = f", until {moment(said.until, at, year=True)}" if said.until else ""
            covered = f"{said.name}/{said.snapshot}" if said.snapshot else said.name
            yield {
                "hold": run_time(said).name,
                "nas": said.nas,
                "shares": covered if said.kind is Kind.SHARE else "",
                "luns": covered if said.kind is Kind.LUN else "",
                "reason": said.reason,
                "where": f"{run_time(said).place}: by {said.by}, "
                f"{moment(said.since, at, year=True)}{until}",
            }


def _written(selector: Selector | None) -> str:
    return ", ".join(p.written for p in selector.patterns) if selector is not None else ""
