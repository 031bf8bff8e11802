"""`reconcile simulator`: a simulated DSM to try policies on, over HTTPS on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.errors import UserError
from reconciler.wording import counted

if TYPE_CHECKING:
    from reconciler.simulator import Nas, Script

_ABOUT = """\b
A file of faults, in YAML; `seed` makes every `chance` repeatable:
  seed: 7
  faults:
    - {kind: reset_after, method: create}
    - {kind: error, code: 3328, method: delete, times: 2}
    - {kind: delay, seconds: 0.5, times: null, chance: 0.1}
    - {kind: actor, act: lock, target: projects, snapshot: oldest, method: delete}

\b
Kinds: error, html, redirect, truncated, garbage, status, reset_before,
reset_after, delay, drip, expire_session, short_listing, empty_listing,
double_listing, partial, ignore, misreport_date, clock_jump, actor (act:
create, lock, unlock, describe, delete, rename, swap, remove, busy, free).
Where: api, method, member; how often: after, times (1), chance (1).

\b
While it runs: POST such a text to URL/simulator/faults, GET lists what has
happened, DELETE drops the rest.
"""


@click.command(name="simulator", epilog=_ABOUT)
@click.option("--port", default=5001, show_default=True, help="0 takes a free one.")
@click.option("--shares", default=50, show_default=True, type=click.IntRange(0, 2000))
@click.option("--snapshots", default=200, show_default=True, type=click.IntRange(0, 1024),
              help="Of each share; a tenth of each LUN.")  # fmt: skip
@click.option("--luns", default=5, show_default=True, type=click.IntRange(0, 500))
@click.option("--seed", default=1, show_default=True, help="The same seed is the same NAS.")
@click.option("--zone", default="Europe/Zurich", show_default=True, help="Its IANA time zone.")
@click.option("--state", metavar="FILE", help="A NAS written in YAML or JSON instead.")
@click.option("--http", is_flag=True, help="Without TLS.")
@click.option("--faults", metavar="FILE", help="What goes wrong, and when; see below.")
def command(  # noqa: PLR0913 -- one for each option
    *,
    port: int,
    shares: int,
    snapshots: int,
    luns: int,
    seed: int,
    zone: str,
    state: str | None,
    http: bool,
    faults: str | None,
) -> None:
    """Run a simulated DSM until Ctrl-C; print how to reach it when it is ready."""
    from reconciler import simulator
    from reconciler.zones import zone as known_zone

    script = _script(faults)
    if state is not None:
        nas = _saved(state)
    else:
        try:
            known_zone(zone)
        except ValueError as error:
            raise UserError(str(error)) from error
        nas = simulator.generate(shares, snapshots, luns, seed=seed, zone=zone)
    try:
        simulator.serve(
            nas, port=port, tls=not http, host="127.0.0.1", announce=_announce, script=script
        )
    except OSError as error:
        raise UserError(
            f"port {port} cannot be used: {error.strerror}", next_step="try --port 0"
        ) from error


def _saved(path: str) -> Nas:
    from reconciler import simulator

    try:
        return simulator.Nas.from_file(Path(path))
    except (simulator.DocumentError, OSError) as error:
        raise UserError(str(error)) from error


def _script(path: str | None) -> Script | None:
    from reconciler import simulator

    try:
        return simulator.read_script(Path(path)) if path is not None else None
    except simulator.ScriptError as error:
        raise UserError(str(error)) from error


def _announce(sim: object) -> None:
    from reconciler.simulator import Simulator

    if not isinstance(sim, Simulator):
        raise TypeError("only a simulator announces itself")
    nas = sim.nas
    tls = (
        f'\n    tls: {{fingerprint: ["{sim.fingerprint}"]}}' if sim.url.startswith("https") else ""
    )
    output.show(
        f"{nas.name} answers at {sim.url} (a simulation: {counted(len(nas.shares), 'share')}, "
        f"{counted(len(nas.luns), 'LUN')})\n"
        f"  account   {nas.account}\n  password  {nas.password}\n\n"
        "For reconciler.yaml, with the password in the file it names:\n\n"
        f"version: 1\nnas:\n  {nas.name}:\n    url: {sim.url}{tls}\n    account: {nas.account}\n"
        f"    password: {{file: secrets/{nas.name}.password}}\n\nCtrl-C ends it."
    )
