"""Saved plans: written by a dry run, shown again without a NAS, applied exactly or refused."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.errors import StalePlan, UserError
from reconciler.planning.saved import EXPIRES_AFTER, from_document
from reconciler.wording import moment
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model import Instant
    from reconciler.planning.plan import Plan
    from reconciler.reconcile import Looked

_LARGEST = 512 * 1024 * 1024


def save(plan: Plan, name: str) -> None:
    """Write a plan's document into a file, whole or not at all; raises UserError."""
    from reconciler.planning.document import dumps, to_document

    path = Path(name)
    text = dumps(to_document(plan, tool_version=__version__))
    try:
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
        Path(part).replace(path)
    except OSError as error:
        raise UserError(f"{name} cannot be written: {error.strerror}") from error


def load(name: str) -> Plan:
    """Read a saved plan; raises UserError where it is none, or was changed."""
    from jsonschema import Draft202012Validator

    from reconciler.schemafile import load_schema

    try:
        if Path(name).stat().st_size > _LARGEST:
            raise UserError(f"{name} is larger than any plan")
        found = json.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        raise UserError(
            f"{name} is no saved plan: not JSON",
            next_step="save one with: reconcile --dry-run --save FILE",
        ) from None
    wrong = next(iter(Draft202012Validator(load_schema("plan")).iter_errors(found)), None)
    if wrong is not None:
        place = "/".join(map(str, wrong.absolute_path)) or "its top"
        raise UserError(
            f"{name} is no saved plan of this release: {place} does not fit its schema",
            next_step="save one with: reconcile --dry-run --save FILE",
        )
    return from_document(found)


def check(saved: Plan, looked: Sequence[Looked], *, policies: str, now: Instant) -> None:
    """Raise StalePlan where the whole plan is stale: age, policies, or another unit."""
    age = now - saved.created_at
    if age > EXPIRES_AFTER or age < -EXPIRES_AFTER:
        at = zone(saved.units[0].zone) if saved.units else zone("UTC")
        raise StalePlan(
            f"the plan is of {moment(saved.created_at, at, year=True)}, more than 24 hours ago",
            next_step="save a new one: reconcile --dry-run --save FILE",
        )
    if saved.policies != policies:
        raise StalePlan(
            "the policies of its targets have changed since the plan was saved",
            next_step="save a new one: reconcile --dry-run --save FILE",
        )
    now_there = {one.plan.nas: one.plan for one in looked}
    for unit in saved.units:
        there = now_there[unit.nas].identity
        if unit.identity is None or there is None:
            continue
        if unit.identity.serial != there.serial:
            raise StalePlan(
                f"{unit.nas} is another unit now: serial {there.serial}, the plan is of "
                f"{unit.identity.serial}",
                next_step="save a new one: reconcile --dry-run --save FILE",
            )
