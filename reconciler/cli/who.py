"""On whose behalf a command runs, and why: account and host, and a reason asked for once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.audit import Audit, Who
from reconciler.cli import output

if TYPE_CHECKING:
    from reconciler.cli.settings import Settings
    from reconciler.dsm import Clock

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


def audit_of(settings: Settings, nas: str, serial: str, *, by: str, clock: Clock) -> Audit:
    """Return the trail of one unit for what a person says on the command line."""
    return Audit(
        settings.store,
        clock,
        nas=nas,
        serial=serial,
        run="",
        who=Who("command line", by),
        revision="",
        plan="",
    )
