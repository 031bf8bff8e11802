"""`reconcile forecast`: what a policy will have taken, kept and deleted, offline."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.exits import Exit
from reconciler.cli.history import history_of
from reconciler.duration import parse
from reconciler.forward.forecast import BEFORE, forecast
from reconciler.forward.rules import Outage
from reconciler.model import Kind
from reconciler.policy.feasibility import limit_of
from reconciler.policy.future import rules_of
from reconciler.wording import counted
from reconciler.zones import first_instant, zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from reconciler.cli.history import History
    from reconciler.cli.settings import Settings
    from reconciler.policy.model import Policy, PolicySet
    from reconciler.report.forecast import Told

_LONGEST = 10 * 366 * 86_400


@click.command(name="forecast")
@click.argument("policy")
@click.option("--for", "length", default="90d", show_default=True, metavar="DURATION")
@click.option("--outage", multiple=True, metavar="FROM..TO", help="No pass runs in between.")
@click.option("--compare", "other", metavar="POLICY|REVISION",
              help="Beside it another policy, or the same at another git revision.")  # fmt: skip
@click.option("--history", metavar="FILE", help="Begin with a history that `list --save` saved.")
@click.option("--target", metavar="T", help="Of several saved targets of the policy this one's.")
@click.option("--now", metavar="TIME", help="Begin at another moment.")
@click.option(
    "-o", "--format", "form", type=click.Choice(["text", "json", "html", "svg"]), default="text"
)
@click.pass_obj
def command(
    settings: Settings,
    /,
    policy: str,
    *,
    length: str,
    outage: tuple[str, ...],
    other: str | None,
    form: str,
    **begin: str | None,
) -> int:
    """Run POLICY forward on a history it would have left itself, or on a saved one.

    Nothing is contacted.
    """
    from reconciler.cli.run import read_moment
    from reconciler.report import forecast as report

    start = read_moment(begin["now"])
    policies = settings.policies()
    asked = [_named(policies, policy)]
    if other is not None:
        asked.append(_other(settings, policies, asked[0], other))
    known = None
    if begin["history"] is not None:
        known = history_of(
            settings, policies, asked[0], file=begin["history"], target=begin["target"]
        )
        start = known.now if start is None else start
    elif begin["target"] is not None:
        raise click.UsageError("--target goes with --history")
    start = settings.now if start is None else start
    told = [
        _told(settings, one, known, start=start, length=length, outages=outage) for one in asked
    ]
    beside = told[1] if len(told) > 1 else None
    if form == "svg" and beside is not None:
        raise click.UsageError("a picture shows one policy: leave `--compare` out, or use -o html")
    written = {
        "text": lambda: report.render_text(told[0], beside, style=output.style()),
        "json": lambda: report.render_json(told[0], beside),
        "html": lambda: report.render_html(told[0], beside),
        "svg": lambda: report.render_picture(told[0]),
    }
    output.show(written[form]())
    return Exit.DONE


def _other(settings: Settings, policies: PolicySet, policy: Policy, text: str) -> Policy:
    """Find what is put beside: a policy, or this policy as another git revision has it."""
    if any(one.name == text for one in policies.policies):
        return _named(policies, text)
    folder = settings.configuration.policies
    if not isinstance(folder, Path):
        raise click.UsageError(f"there is no policy `{text}`")
    from reconciler.policy.load import load_policies
    from reconciler.source import folder_at

    with folder_at(folder, text) as place:
        then = load_policies(place, units=settings.configuration.units)
    names = (policy.name, *policy.formerly)
    found = next((one for one in then.policies if one.name in names), None)
    if found is None:
        raise click.UsageError(f"revision {text} has no policy `{policy.name}`")
    return replace(found, name=f"{found.name} at {text}")


def _named(policies: PolicySet, name: str) -> Policy:
    for policy in policies.policies:
        if policy.name == name:
            return policy
    from difflib import get_close_matches

    near = get_close_matches(name, [policy.name for policy in policies.policies], n=1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    raise click.UsageError(f"there is no policy `{name}`{hint}")


def _told(
    settings: Settings,
    policy: Policy,
    known: History | None,
    *,
    start: int,
    length: str,
    outages: tuple[str, ...],
) -> Told:
    from reconciler.report.forecast import Told

    kind = Kind.SHARE if policy.shares is not None else Kind.LUN
    if known is not None:
        kind = known.kind
    limit, name = limit_of(policy, kind, settings.configuration.units)
    at = zone(name)
    try:
        seconds = parse(length)
        spans = tuple(_outage(text, at) for text in outages)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if seconds > _LONGEST:
        raise click.UsageError(f"`{length}` is more than ten years")
    found = forecast(
        rules_of(policy, at, kind=kind, limit=limit, room=limit),
        start=start,
        length=seconds,
        outages=spans,
        present=known.present if known is not None else None,
    )
    if known is not None:
        return Told(policy, found, limit, known.words)
    before = counted(BEFORE // 86_400, "day")
    assumed = f"begun with what {before} of the same policy leave"
    return Told(policy, found, limit, assumed if found.began_with else "begun empty")


def _outage(text: str, at: ZoneInfo) -> Outage:
    """Read `FROM..TO`, dates or moments in the policy's zone; a date is its first instant."""
    start, dots, end = text.partition("..")
    if not dots:
        raise ValueError(
            f"`{text[:60]}` is no span; write FROM..TO, such as 2026-12-24..2027-01-02"
        )
    found = Outage(_instant(start, at), _instant(end, at))
    if found.start >= found.end:
        raise ValueError(f"`{text[:60]}` ends before it begins")
    return found


def _instant(text: str, at: ZoneInfo) -> int:
    try:
        wall = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"`{text[:40]}` is no time; write a date such as 2026-12-24, or 2026-12-24T12:00"
        ) from None
    return first_instant(wall, at) if wall.tzinfo is None else int(wall.timestamp())
