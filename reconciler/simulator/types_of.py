"""The types of a dataclass's fields, with names that are only imported for type checkers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

from reconciler.simulator import clock, lun, nas, plan, share

if TYPE_CHECKING:
    from collections.abc import Hashable


@cache
def types_of(kind: Hashable) -> dict[str, Any]:
    """Return the fields' types by name, annotations included."""
    known = {**vars(clock), **vars(share), **vars(lun), **vars(plan), **vars(nas)}
    return get_type_hints(kind, localns=known, include_extras=True)
