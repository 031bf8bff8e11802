"""What a NAS offers: the answer to `SYNO.API.Info query`, as far as it is ever called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.dsm import fields
from reconciler.dsm.api import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN = frozenset(api for api, _ in METHODS)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the NAS offers of one API: its path under /webapi/ and its versions."""

    path: str
    lowest: int
    highest: int


def offers(data: Mapping[str, Any]) -> dict[str, Offer]:
    """Read what is offered of the known APIs; an API that is not offered is not there.

    Raises Incomplete where one cannot be read: if it counted as absent by mistake, a NAS with
    replication plans would look like one without.
    """
    found: dict[str, Offer] = {}
    for api, row in data.items():
        if api in _KNOWN:
            offered = fields.mapping(row, f"what is offered of {api}")
            found[api] = Offer(
                fields.text(offered, "path").strip("_") or "entry.cgi",
                fields.number(offered, "minVersion"),
                fields.number(offered, "maxVersion"),
            )
    return found
