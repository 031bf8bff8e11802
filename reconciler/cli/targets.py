"""Targets as people name them: any end of `NAS/share/NAME` or `NAS/lun/NAME`; their snapshots."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

import click

from reconciler.wording import moment
from reconciler.zones import first_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from reconciler.model import Instant, Kind

_SAME_MINUTE = 60


class Named(Protocol):
    """A share or LUN, as planned, observed or remembered."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    @property
    def name(self) -> str:
        """What it is called."""


class Dated(Protocol):
    """A snapshot, as listed or as remembered."""

    @property
    def name(self) -> str:
        """DSM's name."""

    @property
    def key(self) -> str:
        """What identifies it within its target."""

    @property
    def time(self) -> Instant | None:
        """When it was taken; None where its name cannot be read."""


_Target = TypeVar("_Target", bound=Named)
_Snapshot = TypeVar("_Snapshot", bound=Dated)


def matches(text: str, nas: str, target: Named) -> bool:
    """Whether `text` is an end, at a slash, of the target's whole name; case is ignored."""
    whole = f"{nas}/{target.kind}/{target.name}".casefold()
    wanted = text.strip("/").casefold()
    return whole == wanted or whole.endswith(f"/{wanted}")


def one(text: str, found: Iterable[tuple[str, _Target]]) -> tuple[str, _Target]:
    """Return the one target that `text` names; a usage error lists several, or says none fits."""
    known = list(found)
    fitting = [(nas, target) for nas, target in known if matches(text, nas, target)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(f"{nas}/{target.kind}/{target.name}" for nas, target in fitting)
        raise click.UsageError(f"`{text}` fits {len(fitting)} targets: {names}")
    from difflib import get_close_matches

    names_known = {target.name.casefold(): target.name for _, target in known}
    near = get_close_matches(text.rsplit("/", 1)[-1].casefold(), list(names_known), n=1)
    hint = f"; did you mean `{names_known[near[0]]}`?" if near else ""
    raise click.UsageError(f"`{text}` fits no share or LUN that was read{hint}")


def split(
    text: str, found: Sequence[tuple[str, _Target]]
) -> tuple[tuple[str, _Target], str | None]:
    """Read TARGET, or TARGET/SNAPSHOT where TARGET alone fits nothing; None without SNAPSHOT."""
    head, slash, tail = text.rpartition("/")
    if slash and not any(matches(text, nas, target) for nas, target in found):
        return one(head, found), tail
    return one(text, found), None


def snapshot(text: str, label: str, found: Sequence[_Snapshot], at: ZoneInfo) -> _Snapshot:
    """Return the snapshot that `text` names: by DSM's name, its uuid, or a local time."""
    for known in found:
        if text in (known.name, known.key, getattr(known, "uuid", None)):
            return known
    try:
        wanted = first_instant(datetime.fromisoformat(text).replace(tzinfo=None), at)
    except ValueError:
        raise click.UsageError(
            f"`{text}` is no snapshot of {label}, and no time such as 2026-11-15T12:00"
        ) from None
    dated = [known for known in found if known.time is not None]
    for known in dated:
        if 0 <= (known.time or 0) - wanted < _SAME_MINUTE:
            return known
    near = sorted(dated, key=lambda known: abs((known.time or 0) - wanted))[:2]
    names = " and ".join(moment(known.time or 0, at, year=True) for known in near)
    hint = f"; the nearest are {names}" if names else ""
    raise click.UsageError(f"{label} has no snapshot of {text}{hint}")
