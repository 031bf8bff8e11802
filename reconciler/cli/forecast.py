"""`reconcile forecast`: what a policy will have taken, kept and deleted, offline."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from reconciler.cli import output
from reconciler.cli.exits import Exit
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

    from reconciler.cli.settings import Settings
    from reconciler.policy.model import Policy, PolicySet
    from reconciler.report.forecast import Told

_LONGEST = 10 * 366 * 86_400


@click.command(name="forecast")
@click.argument("policy")
@click.option("--for", "length", default="90d", show_default=True, metavar="DURATION")
@click.option("--outage", multiple=True, metavar="FROM..TO", help="No pass runs in between.")
@click.option("--compare", "other", metavar="POLICY", help="Another policy beside it.")
@click.option("--now", metavar="TIME", help="Begin at another moment.")
@click.option(
    "-o", "--format", "form", type=click.Choice(["text", "json", "html", "svg"]), default="text"
)
@click.pass_obj
def command(
    settings: Settings,
    policy: str,
    *,
    length: str,
    outage: tuple[str, ...],
    other: str | None,
    now: str | None,
    form: str,
) -> int:
    """Run POLICY forward on a history it would have left itself; nothing is contacted."""
    from reconciler.cli.run import read_moment
    from reconciler.report import forecast as report

    start = read_moment(now)
    start = settings.now if start is None else start
    policies = settings.policies()
    asked = [name for name in (policy, other) if name is not None]
    told = [
        _told(settings, _named(policies, name), start=start, length=length, outages=outage)
        for name in asked
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


def _named(policies: PolicySet, name: str) -> Policy:
    for policy in policies.policies:
        if policy.name == name:
            return policy
    from difflib import get_close_matches

    near = get_close_matches(name, [policy.name for policy in policies.policies], n=1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    raise click.UsageError(f"there is no policy `{name}`{hint}")


def _told(
    settings: Settings, policy: Policy, *, start: int, length: str, outages: tuple[str, ...]
) -> Told:
    from reconciler.report.forecast import Told

    kind = Kind.SHARE if policy.shares is not None else Kind.LUN
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
    )
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
