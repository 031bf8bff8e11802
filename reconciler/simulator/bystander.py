"""Somebody else who works on the NAS in the middle of a pass: a person, another program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.simulator import lun_write, share_write
from reconciler.simulator.lun import Lun, LunSnapshot
from reconciler.simulator.plan import TARGET_SHARE
from reconciler.simulator.share import Share, ShareSnapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.simulator.faults import Fault
    from reconciler.simulator.nas import Nas

    Target = Share | Lun
    Snapshot = ShareSnapshot | LunSnapshot


def act(nas: Nas, fault: Fault) -> None:
    """Do what a fault of kind `actor` says; what it names and is not there is left alone."""
    target = _target(nas, fault.target)
    if target is not None and fault.act is not None:
        _ACTS[fault.act](nas, target, fault)


def _target(nas: Nas, name: str) -> Target | None:
    everything: Sequence[Target] = (*nas.shares, *nas.luns)
    return next((each for each in everything if each.name == name), None)


def _chosen(target: Target, wanted: str) -> Snapshot | None:
    snapshots: Sequence[Snapshot] = target.snapshots
    if wanted in ("newest", "oldest"):
        last = max if wanted == "newest" else min
        return last(snapshots, key=lambda each: each.at, default=None)
    return next((each for each in snapshots if wanted in _names(each)), None)


def _names(snapshot: Snapshot) -> tuple[str, str]:
    return snapshot.name, snapshot.uuid if isinstance(snapshot, LunSnapshot) else snapshot.ruuid


def _create(nas: Nas, target: Target, fault: Fault) -> None:
    at = nas.clock.now()
    if isinstance(target, Lun) or target.snapshot(target.name_at(at)) is None:
        target.add_snapshot(at, fault.to)


def _lock(*, locked: bool) -> Callable[[Nas, Target, Fault], None]:
    def change(_nas: Nas, target: Target, fault: Fault) -> None:
        snapshot = _chosen(target, fault.snapshot)
        if snapshot is not None:
            snapshot.locked = locked

    return change


def _describe(_nas: Nas, target: Target, fault: Fault) -> None:
    snapshot = _chosen(target, fault.snapshot)
    if snapshot is not None:
        snapshot.description = fault.to


def _delete(nas: Nas, target: Target, fault: Fault) -> None:
    snapshot = _chosen(target, fault.snapshot)
    if isinstance(target, Lun) and isinstance(snapshot, LunSnapshot):
        lun_write.remove(nas, target, snapshot)
    if isinstance(target, Share) and isinstance(snapshot, ShareSnapshot):
        share_write.remove(nas, target, snapshot)


def _rename(nas: Nas, target: Target, fault: Fault) -> None:
    _call(nas, {target.name: fault.to})


def _swap(nas: Nas, target: Target, fault: Fault) -> None:
    _call(nas, {target.name: fault.to, fault.to: target.name})


def _call(nas: Nas, names: dict[str, str]) -> None:
    """Give targets new names at once; a share's replication plans follow it."""
    everything: Sequence[Target] = (*nas.shares, *nas.luns)
    for each in everything:
        each.name = names.get(each.name, each.name)
    for plan in nas.plans:
        if plan.target_type == TARGET_SHARE:
            plan.target = names.get(plan.target, plan.target)


def _remove(nas: Nas, target: Target, _fault: Fault) -> None:
    if isinstance(target, Lun):
        nas.luns.remove(target)
    else:
        nas.shares.remove(target)


def _busy(*, busy: bool) -> Callable[[Nas, Target, Fault], None]:
    def change(_nas: Nas, target: Target, _fault: Fault) -> None:
        if isinstance(target, Share):
            target.busy = busy

    return change


_ACTS: Final[dict[str, Callable[[Nas, Target, Fault], None]]] = {
    "create": _create,
    "lock": _lock(locked=True),
    "unlock": _lock(locked=False),
    "describe": _describe,
    "delete": _delete,
    "rename": _rename,
    "swap": _swap,
    "remove": _remove,
    "busy": _busy(busy=True),
    "free": _busy(busy=False),
}
