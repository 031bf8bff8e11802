"""Which unit answers, its limits, its clock's offset: four calls that may each be absent."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reconciler.dsm import fields
from reconciler.dsm.errors import Incomplete
from reconciler.model import Identity, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.errors import TargetError
    from reconciler.model import Instant, Seconds

_QUARTER: Seconds = 900
_FORMS = ("%Y-%m-%d %H:%M:%S", "%a %b %d %H:%M:%S %Y")


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """Identity, limits, and the offset of the NAS's wall clock in seconds, None where unknown."""

    identity: Identity
    limits: Limits
    utc_offset: Seconds | None


def unit_facts(answers: Sequence[Any | TargetError], now: Instant | None) -> UnitFacts:
    """Read the answers to Core.System info, DSM.Info, `type=define` and `type=network`, in order.

    `now` is the NAS's clock in UTC (HTTP `Date`) of the same moment.
    """
    system, info, define, network = (_block(answer) for answer in answers)
    return UnitFacts(
        Identity(
            serial=fields.text(system, "serial", "") or fields.text(info, "serial", ""),
            model=fields.text(system, "model", "") or fields.text(info, "model", ""),
            version=fields.text(system, "firmware_ver", "")
            or fields.text(info, "version_string", ""),
            hostname=_first(network, ("hostname", "server_name")),
        ),
        Limits(
            share=_lowest(define, "max_snapshots_per_share"),
            lun=_lowest(define, "max_snapshot_per_lun"),
            unit=_lowest(define, "max_btrfs_snapshots"),
        ),
        _offset(fields.text(system, "time", "") or fields.text(info, "time", ""), now),
    )


def _block(answer: Any | TargetError) -> Mapping[str, Any]:
    return answer if isinstance(answer, dict) else {}


def _first(row: Mapping[str, Any], keys: Sequence[str]) -> str:
    return next((found for key in keys if (found := fields.text(row, key, ""))), "")


def _lowest(define: Mapping[str, Any], key: str) -> int | None:
    """Return the lower of a limit and its `_v2` figure: which one DSM enforces is unknown."""
    found: list[int] = []
    for name in (key, f"{key}_v2"):
        with suppress(Incomplete):  # what is no number is as unknown as what is not there
            found.append(fields.number(define, name))
    return min((number for number in found if number > 0), default=None)


def _offset(text: str, now: Instant | None) -> Seconds | None:
    """Return local time minus UTC, rounded to a quarter of an hour."""
    if now is None:
        return None
    for form in _FORMS:
        try:
            local = datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return round((int(local.timestamp()) - now) / _QUARTER) * _QUARTER
    return None
