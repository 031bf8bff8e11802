"""Units as the command line names them: names, globs, `key=value` of their tags."""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.inventory.model import Unit


def select_units(units: Sequence[Unit], expressions: Sequence[str]) -> tuple[Unit, ...]:
    """Return the units that any expression fits, in the inventory's order.

    Raises UsageError for an expression that fits none: a typing error must not read as done.
    """
    chosen: set[str] = set()
    for expression in expressions:
        fitting = {unit.name for unit in units if _fits(unit, expression)}
        if not fitting:
            near = get_close_matches(expression, [unit.name for unit in units], n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise UsageError(f"`{expression}` fits no unit of the inventory{hint}")
        chosen |= fitting
    return tuple(unit for unit in units if unit.name in chosen)


def _fits(unit: Unit, expression: str) -> bool:
    key, equals, value = expression.partition("=")
    if equals:
        return key in unit.tags and fnmatchcase(unit.tags[key], value)
    return fnmatchcase(unit.name.casefold(), expression.casefold())
