"""`reconcile login`: renews a two-factor sign-in, and lifts a refused credential."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler import dsm
from reconciler.cli import output
from reconciler.cli.files import SECRET, Written, all_or_nothing
from reconciler.errors import CredentialError
from reconciler.fleet import connection_to
from reconciler.policy.model import PolicySet

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.cli.settings import Settings
    from reconciler.inventory.model import Unit

_TWO_FACTOR = 403


@click.command(name="login")
@click.argument("nas")
@click.pass_context
def command(ctx: click.Context, nas: str) -> None:
    """Sign in to one unit anew: asks for the one-time code and stores the device token.

    One attempt. A refusal is remembered as every other one; a success forgets it.
    """
    settings: Settings = ctx.obj
    units = settings.units([nas])
    if len(units) != 1:
        raise click.UsageError(f"{nas} fits {len(units)} units; sign in to one at a time")
    unit = units[0]
    run = settings.run(PolicySet(()))
    plain = replace(connection_to(replace(unit, device_token=None), run), device_token="")
    latch = dsm.Latch(plain.latches, plain.name, plain.credential)
    closed = latch.lift(int(run.clock.time()))
    if closed is not None:
        raise closed
    try:
        _signed_in(plain, run.clock)
    except CredentialError as error:
        asks = output.interactive() and not ctx.find_root().params.get("no_input")
        if error.code != _TWO_FACTOR or not asks:
            raise
    else:
        output.show(f"Signed in to {unit.name} as {unit.account}. No one-time code was asked for.")
        return
    code = click.prompt(f"One-time code of {unit.account} on {unit.name}")
    token = _signed_in(replace(plain, one_time_code=code.strip().replace(" ", "")), run.clock)
    _keep(unit, token, settings.configuration.path.parent)


def _signed_in(connection: dsm.Connection, clock: dsm.Clock) -> str:
    """Sign in and out again; return the device token that it brought, "" without one."""
    with dsm.open_reader(connection, clock) as reader:
        return reader.device_token


def _keep(unit: Unit, token: str, base: Path) -> None:
    """Store the device token where the inventory says, else beside the password's usual place."""
    if not token:
        output.show(f"Signed in to {unit.name}, but DSM gave no device token.")
        return
    known = unit.device_token.file if unit.device_token is not None else None
    path = known or base / "secrets" / f"{unit.name}.token"
    with all_or_nothing() as files:
        _store(files, path, token)
    output.show(f"Signed in to {unit.name}. The device token is stored in {path}.")
    if known is None:
        line = f"device_token: {{file: secrets/{unit.name}.token}}"
        output.show(f"Next: write under {unit.name} in reconciler.yaml: {line}")


def _store(files: Written, path: Path, token: str) -> None:
    if path.exists():
        files.instead(path, token + "\n")
    else:
        files.new(path, token + "\n", mode=SECRET)
