"""What of a policy decides a target's future."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.forward.rules import Rules
from reconciler.model import Kind

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from reconciler.policy.model import Policy


def rules_of(
    policy: Policy,
    zone: ZoneInfo,
    *,
    kind: Kind = Kind.SHARE,
    limit: int | None = None,
    room: int | None = None,
) -> Rules:
    """Return the rules to run a target of this kind forward by; a LUN has none immutable."""
    immutable = policy.immutable if kind is Kind.SHARE else None
    return Rules(
        zone,
        policy.cadence,
        policy.keep,
        policy.pick,
        policy.min_keep,
        immutable_days=immutable.days if immutable is not None else 0,
        immutable_of=immutable.of if immutable is not None else None,
        limit=limit,
        room=room,
    )
