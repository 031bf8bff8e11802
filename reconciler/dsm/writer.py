"""The calls that change a NAS. Nothing but the executor is handed a `Writer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.dsm import api
from reconciler.dsm.client import Reader
from reconciler.dsm.errors import Family, Gone, meaning
from reconciler.dsm.fields import mapping, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DESCRIPTION = "Snapshot taken by snapshot-reconciler"
_TAKEN_BY = "reconciler"
_GONE = frozenset({18990532})


class Writer(Reader):
    """Every call: those of `Reader`, and those that write."""

    def create_snapshot(
        self,
        share_name: str,
        *,
        description: str = "",
        lock: bool = False,
        immutable: bool = False,
        immutable_days: int = 7,
    ) -> str:
        """Take a snapshot of a share (`SYNO.Core.Share.Snapshot create`); return its name.

        Description and lock travel inside `snapinfo`: outside DSM ignores them, and without a
        lock it locks. Raises ValueError for an immutability of less than a day.
        """
        snapinfo: dict[str, Any] = {"desc": description, "lock": lock}
        if immutable:
            snapinfo |= {"worm_lock": True, "worm_lock_day": _days(immutable_days)}
        data = self._session.call(
            api.SNAPSHOT, "create", {"name": share_name, "snapinfo": snapinfo}
        )
        return data if isinstance(data, str) else ""

    def delete_snapshots(self, share_name: str, snapshots: Sequence[str]) -> Any:
        """Delete snapshots of a share by name (`SYNO.Core.Share.Snapshot delete`).

        Returns DSM's `data`: empty, or what it refused inside `success: true`.
        """
        parameters = {"name": share_name, "snapshots": list(snapshots)}
        return self._session.call(api.SNAPSHOT, "delete", parameters)

    def set_snapshot_attr(
        self,
        share_name: str,
        snapshot: str,
        *,
        description: str | None = None,
        lock: bool | None = None,
        immutable: bool | None = None,
        immutable_days: int | None = None,
    ) -> None:
        """Change a share snapshot's attributes (`SYNO.Core.Share.Snapshot set`); None leaves one.

        Raises ValueError for `immutable` False: DSM never takes immutability back.
        """
        snapinfo: dict[str, Any] = {}
        if description is not None:
            snapinfo["desc"] = description
        if lock is not None:
            snapinfo["lock"] = lock
        if immutable is False:
            raise ValueError("immutability cannot be taken back")
        if immutable:
            snapinfo |= {"worm_lock": True, "worm_lock_day": _days(immutable_days or 0)}
        self._session.call(
            api.SNAPSHOT, "set", {"name": share_name, "snapshot": snapshot, "snapinfo": snapinfo}
        )

    def sync_replication(
        self,
        plan_id: str,
        *,
        lock_snapshot: bool = True,
        description: str = _DESCRIPTION,
        send_encrypted: bool = False,
    ) -> None:
        """Start a sync of a replication plan (`SYNO.DR.Plan sync`); it runs on after the answer."""
        self._session.call(
            api.PLAN,
            "sync",
            {
                "plan_id": plan_id,
                "nowait": True,
                "auto_remove": True,
                "is_snapshot_locked": lock_snapshot,
                "is_send_encrypted": send_encrypted,
                "sync_description": description,
            },
        )

    def create_snapshot_lun(
        self,
        lun_id: str,
        *,
        description: str = _DESCRIPTION,
        lock: bool = True,
        app_aware: bool = True,
        snapshot_name: str = "",
        taken_by: str = _TAKEN_BY,
    ) -> dict[str, Any]:
        """Take a snapshot of a LUN (`SYNO.Core.ISCSI.LUN take_snapshot`).

        Returns `{"snapshot_id": n, "snapshot_uuid": …}`. No way to make one immutable is known.
        """
        parameters: dict[str, Any] = {
            "src_lun_uuid": lun_id,
            "description": description,
            "taken_by": taken_by,
            "is_locked": lock,
            "is_app_consistent": app_aware,
        }
        if snapshot_name:
            parameters["snapshot_name"] = snapshot_name
        data = self._session.call(api.LUN, "take_snapshot", parameters)
        return dict(mapping(data, "take_snapshot"))

    def delete_snapshots_lun(self, snapshot_uuids: Sequence[str]) -> Any:
        """Delete LUN snapshots (`SYNO.Core.ISCSI.LUN delete_snapshot`); return DSM's `data`.

        A single one travels as `snapshot_uuid`, whose refusal is an error of its own.
        """
        uuids = list(snapshot_uuids)
        parameters: dict[str, Any] = (
            {"snapshot_uuid": uuids[0], "deleted_by": _TAKEN_BY}
            if len(uuids) == 1
            else {"snapshot_uuids": uuids}
        )
        return self._session.call(api.LUN, "delete_snapshot", parameters)

    def take_share_snapshot(
        self, share: str, *, description: str, lock: bool, immutable_days: int
    ) -> str:
        """Take a snapshot of a share and return the name DSM gave it; 0 days is not immutable."""
        return self.create_snapshot(
            share,
            description=description,
            lock=lock,
            immutable=immutable_days > 0,
            immutable_days=immutable_days,
        )

    def take_lun_snapshot(
        self, uuid: str, *, name: str, description: str, lock: bool, consistent: bool
    ) -> str:
        """Take a snapshot of a LUN and return its uuid."""
        made = self.create_snapshot_lun(
            uuid,
            description=description,
            lock=lock,
            app_aware=consistent,
            snapshot_name=name,
        )
        return text(made, "snapshot_uuid", "")

    def delete_from_share(self, share: str, names: Sequence[str]) -> Mapping[str, str]:
        """Delete snapshots of a share; return by name why DSM refused one, "" where it did not."""
        return refusals(self.delete_snapshots(share, names), names, Family.SHARE)

    def delete_from_lun(self, uuids: Sequence[str]) -> Mapping[str, str]:
        """Delete LUN snapshots; return by uuid why DSM refused one, "" where it did not."""
        try:
            data = self.delete_snapshots_lun(uuids)
        except Gone:
            return dict.fromkeys(uuids, "")
        return refusals(data, uuids, Family.LUN)

    def set_attributes(
        self, share: str, snapshot: str, *, lock: bool | None, description: str | None
    ) -> None:
        """Change a share snapshot's lock, its description, or both; None leaves as it is."""
        self.set_snapshot_attr(share, snapshot, lock=lock, description=description)

    def sync(
        self, plan_id: str, *, lock_snapshot: bool, send_encrypted: bool, description: str
    ) -> None:
        """Start a sync of a replication plan with the plan's own encryption setting."""
        self.sync_replication(
            plan_id,
            lock_snapshot=lock_snapshot,
            description=description,
            send_encrypted=send_encrypted,
        )


def refusals(data: Any, keys: Sequence[str], family: Family) -> dict[str, str]:
    """Read what DSM refused inside `success: true`: `[{key: code}]` or `{key: code}`.

    Anything else that is not empty counts against every key.
    """
    rows = data if isinstance(data, list) else [data] if data else []
    found = dict.fromkeys(keys, "")
    for row in rows:
        if not isinstance(row, dict) or not row or not set(row) <= set(keys):
            return dict.fromkeys(keys, "DSM answered with a list of failures that is not known")
        for key, code in row.items():
            known = isinstance(code, int) and code not in _GONE
            found[key] = meaning(family, code) if known and code else ""
            if not isinstance(code, int):
                found[key] = "refused without a code"
    return found


def _days(days: int) -> int:
    if days < 1:
        raise ValueError(f"immutable for {days} days: at least 1")
    return days
