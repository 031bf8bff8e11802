"""Targets as people name them: any end of `NAS/share/NAME` or `NAS/lun/NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.planning.plan import TargetPlan


def matches(text: str, nas: str, target: TargetPlan) -> bool:
    """Whether `text` is an end, at a slash, of the target's whole name; case is ignored."""
    whole = f"{nas}/{target.kind}/{target.name}".casefold()
    wanted = text.strip("/").casefold()
    return whole == wanted or whole.endswith(f"/{wanted}")


def one(text: str, found: Iterable[tuple[str, TargetPlan]]) -> tuple[str, TargetPlan]:
    """Return the one target that `text` names; a usage error lists several, or says none fits."""
    known = list(found)
    fitting = [(nas, target) for nas, target in known if matches(text, nas, target)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(f"{nas}/{target.label}" for nas, target in fitting)
        raise click.UsageError(f"`{text}` fits {len(fitting)} targets: {names}")
    from difflib import get_close_matches

    names_known = {target.name.casefold(): target.name for _, target in known}
    near = get_close_matches(text.rsplit("/", 1)[-1].casefold(), list(names_known), n=1)
    hint = f"; did you mean `{names_known[near[0]]}`?" if near else ""
    raise click.UsageError(f"`{text}` fits no share or LUN that was read{hint}")
