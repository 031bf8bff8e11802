"""`reconcile audit`: the trail, shown, exported and verified."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from reconciler.cli import output
from reconciler.cli.exits import Exit
from reconciler.cli.run import read_moment
from reconciler.errors import UserError
from reconciler.wording import counted
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.cli.settings import Settings
    from reconciler.store import Wanted
    from reconciler.trail import Head, Record

_EVENTS = ("intent", "outcome", "settled", "stopped", "refused", "approved", "hold", "unhold",
           "pause", "resume", "release")  # fmt: skip


@click.group(name="audit")
def command() -> None:
    """Look at the trail of what was done on each unit, why, and on whose behalf."""


@command.command(name="show")
@click.argument("target", required=False)
@click.option("--nas", multiple=True, metavar="N|KEY=VALUE", help="Only these units.")
@click.option("--event", type=click.Choice(_EVENTS), help="Only this kind of record.")
@click.option("--verb", type=click.Choice(["create", "set_attr", "delete", "sync"]))
@click.option("--snapshot", metavar="NAME", help="Only what is about this one, by name or uuid.")
@click.option("--since", metavar="TIME", help="Not before.")
@click.option("--until", metavar="TIME", help="Before.")
@click.option("--last", default=50, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("-o", "--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def show(settings: Settings, /, target: str | None, *, nas: tuple[str, ...], **options: Any) -> int:
    """Show the newest records; TARGET is any end of NAS/share/NAME or NAS/lun/NAME."""
    from reconciler.report import trail as report
    from reconciler.store import Wanted

    units = settings.units(nas)
    last = int(options["last"])
    wanted = Wanted(
        event=options["event"] or "",
        verb=options["verb"] or "",
        snapshot=options["snapshot"] or "",
        since=read_moment(options["since"], "--since"),
        until=read_moment(options["until"], "--until"),
        last=None if target else last,
    )
    records = _records(settings, [unit.name for unit in units] if nas else [], wanted)
    found = [record for record in records if target is None or _about(record, target)][-last:]
    if options["form"] == "json":
        output.show("\n".join(record.line for record in found))
        return Exit.DONE
    at = zone(units[0].timezone or "UTC") if units else zone("UTC")
    output.show(report.render(found, at=at, style=output.style()))
    return Exit.DONE


def _records(settings: Settings, names: list[str], wanted: Wanted) -> list[Record]:
    if not names:
        return list(settings.store.find(wanted))
    return [r for name in names for r in settings.store.find(replace(wanted, nas=name))]


def _about(record: Record, text: str) -> bool:
    body = record.body
    target = body.get("target")
    if not target:
        return False
    whole = f"{body['nas']}/{target['kind']}/{target['name']}".casefold()
    wanted = text.strip("/").casefold()
    return whole == wanted or whole.endswith(f"/{wanted}")


@command.command(name="export")
@click.option("--nas", multiple=True, metavar="N|KEY=VALUE", help="Only these units.")
@click.option("--save", metavar="FILE", help="Into a file instead of stdout.")
@click.option("--heads", "heads_only", is_flag=True, help="Only the end of each unit's trail.")
@click.pass_obj
def export(settings: Settings, *, nas: tuple[str, ...], save: str | None, heads_only: bool) -> int:
    """Write the whole trail, or its heads, as JSON Lines: one record a line, with its digest."""
    from reconciler.store import Wanted

    names = [unit.name for unit in settings.units(nas)] if nas else []
    if heads_only:
        heads = [h for h in settings.store.heads() if not names or h.nas in names]
        lines = [head_line(head) for head in heads]
    else:
        lines = [record.line for record in _records(settings, names, Wanted())]
    if save is None:
        for line in lines:
            output.show(line)
        return Exit.DONE
    try:
        Path(save).write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    except OSError as error:
        raise UserError(f"{save} cannot be written: {error.strerror}") from error
    output.say(f"{counted(len(lines), 'head' if heads_only else 'record')} in {save}")
    return Exit.DONE


def head_line(head: Head) -> str:
    """Write the end of a unit's trail as a line of JSON."""
    return json.dumps({"nas": head.nas, "number": head.number, "digest": head.digest})


@command.command(name="verify")
@click.argument("file", required=False, type=click.Path())
@click.option("--head", "head_file", metavar="FILE", help="Heads exported before, to find a cut.")
@click.pass_obj
def verify(settings: Settings, file: str | None, *, head_file: str | None) -> int:
    """Verify the chain of the trail, or of an exported FILE; exit 6 names the first bad record."""
    from reconciler.store import Wanted
    from reconciler.trail import verify as follow

    kept = _heads(Path(head_file)) if head_file else {}
    records = list(_lines(Path(file))) if file else list(settings.store.find(Wanted()))
    heads, broken = follow(records, kept)
    for head in heads:
        if head.nas not in {fault.nas for fault in broken}:
            output.show(f"ok      {head.nas}  {counted(head.number, 'record')}, head {head.digest}")
    for fault in broken:
        output.show(f"BROKEN  {fault.nas}  record {fault.number}: {fault.text}")
    if not heads and not broken:
        output.show("no records")
    if broken:
        output.say("next: compare with an export or a backup of the state; somebody changed it")
    return Exit.NOT_AS_PROMISED if broken else Exit.DONE


def _lines(path: Path) -> Iterator[Record]:
    from reconciler.trail import parse

    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            try:
                yield parse(line)
            except ValueError as error:
                raise UserError(f"{path}:{number}: no record of a trail: {error}") from error


def _heads(path: Path) -> Mapping[str, Head]:
    from reconciler.trail import Head

    found: dict[str, Head] = {}
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                found[row["nas"]] = Head(row["nas"], int(row["number"]), row["digest"])
            except (ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"{path}:{number}: no head of a trail",
                    next_step="write heads with: reconcile audit export --heads --save FILE",
                ) from error
    return found


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
