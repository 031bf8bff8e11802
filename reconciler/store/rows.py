"""Between a unit's memory and the rows that hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.memory import BoundHold, Seen, TargetMemory, UnitMemory, Vanished
from reconciler.model import Kind, NameForm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Row = dict[str, Any]
    Found = Sequence[Mapping[str, Any]]


def to_memory(
    nas: str, found: Found, *, serials: Found, targets: Found, holds: Found
) -> UnitMemory:
    """Build a unit's memory from its rows, an empty one where there is none."""
    row = found[0] if found else {}
    known = [_target(one) for one in targets]
    ordered = sorted(serials, key=lambda one: int(one["position"]))
    return UnitMemory(
        nas=nas,
        serials=tuple(str(one["serial"]) for one in ordered),
        hostname=row.get("hostname", ""),
        clock=row.get("clock"),
        plans_offered=row.get("plans_offered", False),
        shifts=tuple((NameForm(form), int(shift)) for form, shift in row.get("shifts", ())),
        unread_since=row.get("unread_since"),
        unread=row.get("unread", ""),
        targets={one.key: one for one in known},
        holds=tuple(sorted((_hold(one) for one in holds), key=lambda h: (h.hold, h.key))),
    )


def unit_row(memory: UnitMemory) -> Row:
    """Return the one row of a unit."""
    return {
        "nas": memory.nas,
        "hostname": memory.hostname,
        "clock": memory.clock,
        "plans_offered": memory.plans_offered,
        "shifts": [[str(form), shift] for form, shift in memory.shifts],
        "unread_since": memory.unread_since,
        "unread": memory.unread,
    }


def serial_rows(memory: UnitMemory) -> list[Row]:
    """Return a row for each serial, in the order in which they were seen."""
    return [
        {"nas": memory.nas, "serial": serial, "position": position}
        for position, serial in enumerate(memory.serials)
    ]


def target_rows(memory: UnitMemory) -> list[Row]:
    """Return a row for each target."""
    return [
        {
            "nas": memory.nas,
            "kind": str(one.kind),
            "uuid": one.uuid,
            "name": one.name,
            "state": one.state,
            "since": one.since,
            "policy": one.policy,
            "place": one.place,
            "owned_name": one.owned_name,
            "listed": one.listed,
            "ours": _seen_list(one.ours),
            "vanished": [[*_plain(gone.seen), gone.noticed] for gone in one.vanished],
            "orphaned_since": one.orphaned_since,
            "released": one.released,
        }
        for one in memory.targets.values()
    ]


def hold_rows(memory: UnitMemory) -> list[Row]:
    """Return a row for each target that a hold is bound to."""
    return [
        {
            "nas": memory.nas,
            "hold": one.hold,
            "kind": str(one.kind),
            "uuid": one.uuid,
            "name": one.name,
            "since": one.since,
            "covered": _seen_list(one.covered),
            "gone": _seen_list(one.gone),
        }
        for one in memory.holds
    ]


def _target(row: Mapping[str, Any]) -> TargetMemory:
    return TargetMemory(
        kind=Kind(row["kind"]),
        uuid=row["uuid"],
        name=row["name"],
        state=row["state"],
        since=row["since"],
        policy=row["policy"],
        place=row["place"],
        owned_name=row["owned_name"],
        listed=row["listed"],
        ours=_seen(row["ours"]),
        vanished=tuple(Vanished(Seen(*gone[:3]), gone[3]) for gone in row["vanished"]),
        orphaned_since=row["orphaned_since"],
        released=row["released"],
    )


def _hold(row: Mapping[str, Any]) -> BoundHold:
    return BoundHold(
        hold=row["hold"],
        kind=Kind(row["kind"]),
        uuid=row["uuid"],
        name=row["name"],
        since=row["since"],
        covered=_seen(row["covered"]),
        gone=_seen(row["gone"]),
    )


def _seen(found: Iterable[Sequence[Any]]) -> tuple[Seen, ...]:
    return tuple(Seen(*one) for one in found)


def _seen_list(found: Iterable[Seen]) -> list[list[Any]]:
    return [_plain(one) for one in found]


def _plain(one: Seen) -> list[Any]:
    return [one.key, one.name, one.time]
