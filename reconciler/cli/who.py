"""On whose behalf a command runs, and why: account and host, and a reason asked for once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.audit import Audit, Who
from reconciler.cli import output
from reconciler.duration import parse

if TYPE_CHECKING:
    from reconciler.cli.settings import Settings
    from reconciler.model import Instant

_LONGEST = 500


def reason_of(text: str | None, question: str = "Reason (goes into the audit trail)") -> str:
    """Return the reason given, or ask on a terminal; a usage error where nobody can be asked."""
    if text is None and not output.interactive():
        raise click.UsageError("say why: --reason TEXT")
    said = (text if text is not None else str(click.prompt(question))).strip()
    if not said:
        raise click.UsageError("a reason is needed: it goes into the audit trail")
    if len(said) > _LONGEST or not said.isprintable():
        raise click.UsageError(f"a reason is one line of at most {_LONGEST} characters")
    return said


def end_of(text: str | None, now: Instant, option: str) -> Instant | None:
    """Return when a duration such as `3d` from now is over; None without one."""
    if text is None:
        return None
    try:
        return now + parse(text)
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}") from None


def audit_of(settings: Settings, nas: str, *, by: str, serial: str = "") -> Audit:
    """Return the trail of one unit for what a person says on the command line.

    Without a `serial` it is the one last seen under that name, "" where none was.
    """
    known = settings.store.unit(nas).serials
    return Audit(
        settings.store,
        settings.clock_now(),
        nas=nas,
        serial=serial or (known[-1] if known else ""),
        run="",
        who=Who("command line", by),
        revision="",
        plan="",
    )
