"""`reconcile pause` and `resume`: all writes to a unit, or its deletions alone, stopped at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.settings import account
from reconciler.cli.who import audit_of, end_of, reason_of
from reconciler.orders import Pause
from reconciler.planning.guards import told
from reconciler.zones import zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from reconciler.cli.settings import Settings
    from reconciler.inventory.model import Unit


@click.command(name="pause")
@click.option("--nas", multiple=True, metavar="N|KEY=VALUE", help="Only these units.")
@click.option("--deletes", is_flag=True, help="Only deletions; snapshots are still taken.")
@click.option("--for", "length", metavar="3d", help="Ends by itself after that long.")
@click.option("--reason", metavar="TEXT", help="Why; asked for on a terminal.")
@click.option("--by", metavar="NAME", help="On whose behalf; default: the account and host.")
@click.pass_obj
def pause(
    settings: Settings,
    *,
    nas: tuple[str, ...],
    deletes: bool,
    length: str | None,
    reason: str | None,
    by: str | None,
) -> None:
    """Stop all writes, or only deletions, on all units or those named, at once.

    No NAS is contacted. A pass under way stops before its next write.
    """
    now = settings.now
    until = end_of(length, now, "--for")
    units = settings.units(nas)
    why, name = reason_of(reason), by or account()
    for unit in units:
        said = Pause(unit.name, deletes, why, name, now, until)
        before = [one for one in _standing(settings, unit) if one.deletes_only == deletes]
        settings.store.pause(said)
        _note(settings, unit, "paused", said)
        what = "Deletions" if deletes else "All writes"
        output.show(f"{unit.name}: {what.lower()} {told(said, _zone(unit))}")
        for one in before:
            output.say(f"{unit.name}: this replaces what was {told(one, _zone(unit))}")


@click.command(name="resume")
@click.option("--nas", multiple=True, metavar="N|KEY=VALUE", help="Only these units.")
@click.option("--by", metavar="NAME", help="On whose behalf; default: the account and host.")
@click.pass_obj
def resume(settings: Settings, *, nas: tuple[str, ...], by: str | None) -> None:
    """End every pause, of all units or those named; takes effect at the next pass.

    No NAS is contacted. What a policy or the inventory suspends stays suspended.
    """
    for unit in settings.units(nas):
        ended = _standing(settings, unit)
        settings.store.resume(unit.name)
        for one in ended:
            _note(settings, unit, "resumed", one, by=by or account())
            what = "deletions, " if one.deletes_only else ""
            output.show(f"{unit.name}: resumed {what}{told(one, _zone(unit))}")
        if not ended:
            output.say(f"{unit.name}: nothing was paused")
        if unit.suspended:
            output.say(f"{unit.name}: still suspended in the inventory: {unit.suspended}")


def _standing(settings: Settings, unit: Unit) -> tuple[Pause, ...]:
    return settings.store.orders(unit.name, settings.now).pauses


def _zone(unit: Unit) -> ZoneInfo:
    return zone(unit.timezone or "UTC")


def _note(settings: Settings, unit: Unit, event: str, said: Pause, *, by: str = "") -> None:
    """Record an order in the unit's trail, under the serial last seen."""
    audit = audit_of(settings, unit.name, by=by or said.by)
    audit.note(event, deletes_only=said.deletes_only, reason=said.reason, until=said.until)
