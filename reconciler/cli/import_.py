"""`reconcile import`: what DSM does by itself, as policies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.dsm import open_reader
from reconciler.errors import UserError
from reconciler.fleet import connection_to
from reconciler.importing.render import Imported, render, summary
from reconciler.policy.load import read_texts
from reconciler.policy.model import PolicySet
from reconciler.survey import survey
from reconciler.yamltree import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.settings import Settings
    from reconciler.importing.model import Survey
    from reconciler.inventory.model import Unit

DEFAULTS = "_defaults.yaml"


@click.command(name="import")
@click.option("--nas", required=True, metavar="N", help="The unit to read.")
@click.option("--save", metavar="FOLDER|FILE", help="Write a file; a folder gets NAME.yaml.")
@click.pass_obj
def command(settings: Settings, nas: str, save: str | None) -> None:
    """Write policies that say what DSM's own schedules and retention do today.

    Nothing is written to the NAS, and no file that exists is written over.
    """
    units = settings.units([nas])
    if len(units) != 1:
        raise click.UsageError(f"--nas {nas} fits {len(units)} units; import one at a time")
    unit = units[0]
    path = _target(save, unit) if save else None
    found = _survey(settings, unit)
    root = settings.configuration.policies
    texts = _texts(root) if isinstance(root, Path) else {}
    imported = written(found, texts, schema=schema_line(path, settings.configuration.path.parent))
    if path is None:
        output.show(imported.text)
    else:
        save_new(path, imported.text)
        output.say(f"Wrote {path} ({summary(imported)}). No write to the NAS was made.")
    if not imported.policies:
        output.say(f"DSM neither takes nor prunes snapshots on {unit.name} by itself.")


def _survey(settings: Settings, unit: Unit) -> Survey:
    if not unit.timezone:
        raise UserError(
            f"{unit.name} has no `timezone`, in which DSM's days and times are cut",
            next_step="write the zone of the NAS under it in reconciler.yaml, such as "
            "Europe/Zurich",
        )
    run = settings.run(PolicySet(()))
    with open_reader(connection_to(unit, run), run.clock) as reader:
        found, _ = survey(unit.name, unit.timezone, reader)
    return found


def _texts(root: Path) -> dict[str, str]:
    return read_texts(root) if root.exists() else {}


def written(found: Survey, texts: Mapping[str, str], *, schema: str) -> Imported:
    """Render a survey beside the policy files that exist, whose names it leaves alone."""
    return render(
        found,
        schema=schema,
        taken=_names(texts),
        below_defaults=any(Path(path).name == DEFAULTS for path in texts),
    )


def _names(texts: Mapping[str, str]) -> set[str]:
    """Return every name of a policy or template in files, as far as they can be read."""
    names: set[str] = set()
    for path, text in texts.items():
        root = load(text, path).root
        inside = root.value if root is not None and isinstance(root.value, dict) else {}
        policies, templates = inside.get("policies"), inside.get("templates")
        for node in policies.value if policies and isinstance(policies.value, list) else ():
            name = node.value.get("name") if isinstance(node.value, dict) else None
            names |= {str(name.value)} if name is not None else set()
        if templates is not None and isinstance(templates.value, dict):
            names |= set(templates.value)
    return names


def schema_line(path: Path | None, base: Path) -> str:
    """Return where an editor finds the policies' schema, from a file's own folder."""
    start = path.resolve().parent if path is not None else base.resolve() / "policies"
    return os.path.relpath(base.resolve() / ".schemas" / "policy.schema.json", start)


def _target(save: str, unit: Unit) -> Path:
    path = Path(save)
    if path.suffix not in (".yaml", ".yml"):
        path = path / f"{unit.name}.yaml"
    if path.exists():
        raise _exists(path)
    return path


def save_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet; raises UserError where it does."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error


def _exists(path: Path) -> UserError:
    return UserError(
        f"{path} exists, and no file is written over",
        next_step="name another one with --save, or move it away",
    )
