"""What the other DSM answers to each method: native values in, `data` out, or a refusal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from other_state import LunSnapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from other_state import Lun, Plan, Share, ShareSnapshot, State

    Parameters = Mapping[str, Any]

NOTHING: Final = object()  # an answer without `data`
SNAPSHOT_KEYS: Final = frozenset(
    ["desc", "lock", "schedule_snapshot", "worm_lock", "ruuid", "snap_size"]
)


class Refused(Exception):
    """The call ends with an error of this code."""

    def __init__(self, code: int, errors: Any = None) -> None:
        super().__init__(code)
        self.code, self.errors = code, errors


class Method(NamedTuple):
    """One method: the versions that have it, what answers, and whether it changes anything."""

    versions: frozenset[int]
    answer: Callable[[Parameters], Any]
    writes: bool = False


def text_of(parameters: Parameters, key: str, code: int) -> str:
    """Return a parameter that must be a text; a bare number arrives as a number and is none."""
    value = parameters.get(key)
    if not isinstance(value, str):
        raise Refused(code)
    return value


def texts_of(parameters: Parameters, key: str, code: int) -> list[str]:
    """Return a parameter that must be a list of texts; absent is empty."""
    value = parameters.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refused(code)
    return value


def paged(rows: list[Any], parameters: Parameters) -> list[Any]:
    """Return the part of a list that `offset` and `limit` ask for."""
    offset, limit = parameters.get("offset", 0), parameters.get("limit", -1)
    return rows[offset:] if limit < 0 else rows[offset : offset + limit]


def matches(attributes: Mapping[str, Any], condition: str) -> bool:
    """Return whether `[!]key==value` or `[!]key=value` (contains) holds."""
    negated = condition.startswith("!")
    key, exact, wanted = condition.removeprefix("!").partition("==")
    if not exact:
        key, _, wanted = key.partition("=")
    value = str(attributes.get(key, "")).lower() if key != "desc" else attributes["desc"]
    return (value == wanted if exact else wanted in value) is not negated


class ShareApis:
    """SYNO.Core.Share, SYNO.Core.Share.Snapshot and SYNO.DisasterRecovery.Retention."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.ways = state.ways

    def methods(self) -> dict[str, dict[str, Method]]:
        """Return the methods by API."""
        one, both = frozenset({1}), frozenset({1, 2})
        return {
            "SYNO.Core.Share": {
                "list": Method(one, self.list_shares),
                "get": Method(one, self.get_share),
            },
            "SYNO.Core.Share.Snapshot": {
                "list": Method(both, self.list_snapshots),
                "create": Method(one, self.create, writes=True),
                "set": Method(one, self.set, writes=True),
                "delete": Method(one, self.delete, writes=True),
                "get_schedule": Method(one, self.get_schedule),
                "get_share_conf": Method(one, self.get_share_conf),
            },
        }

    def _share(self, parameters: Parameters) -> Share:
        share = self.state.share(text_of(parameters, "name", 403))
        if share is None:
            raise Refused(402)
        return share

    def _row(self, share: Share, wanted: Iterable[str]) -> dict[str, Any]:
        loose = self.ways.loose_types
        every: dict[str, Any] = {
            "support_snapshot": int(share.supports) if loose else share.supports,
            "encryption": bool(share.encryption) if loose else share.encryption,
            "enable_share_cow": share.supports,
            "share_quota_used": 12.5,
            "hidden": False,
            "is_offline_share": share.unmounted,
            "is_missing_share": False,
        }
        row = {"name": share.name, "uuid": share.uuid, "vol_path": share.volume, "desc": "",
               "is_usb_share": share.usb}  # fmt: skip
        row |= {key: every[key] for key in wanted if key in every}
        if "snapshot_info" in wanted and self.ways.snapshot_info:
            row["snapshot_info"] = {"retention": self._retention(share)}
        return row

    def list_shares(self, parameters: Parameters) -> Any:
        """Answer SYNO.Core.Share list; the fields of `additional` come flat."""
        wanted = texts_of(parameters, "additional", 403)
        if self.ways.refused_keys & set(wanted):
            raise Refused(120)
        rows = [self._row(share, wanted) for share in self.state.shares]
        return {"shares": paged(rows, parameters), "total": len(rows)}

    def get_share(self, parameters: Parameters) -> Any:
        """Answer SYNO.Core.Share get."""
        return self._row(self._share(parameters), texts_of(parameters, "additional", 403))

    def _attributes(self, snapshot: ShareSnapshot) -> dict[str, Any]:
        loose = self.ways.loose_types
        found: dict[str, Any] = {
            "desc": snapshot.desc,
            "lock": snapshot.lock,
            "schedule_snapshot": snapshot.scheduled,
            "worm_lock": snapshot.worm(self.state.clock.now),
            "ruuid": snapshot.ruuid,
            "snap_size": 4096 if loose else "4096",
            "hide": snapshot.hide,
        }
        if found["worm_lock"]:
            numbers = {
                "worm_lock_begin": snapshot.worm_begin,
                "worm_lock_day": snapshot.worm_days,
                "worm_lock_end": snapshot.worm_begin + snapshot.worm_days * 86400,
            }
            found |= numbers if loose else {key: str(n) for key, n in numbers.items()}
        return found

    def list_snapshots(self, parameters: Parameters) -> Any:
        """Answer SYNO.Core.Share.Snapshot list: attributes only when asked for."""
        share = self._share(parameters)
        wanted = texts_of(parameters, "additional", 403)
        if set(wanted) - (SNAPSHOT_KEYS - self.ways.refused_keys):
            raise Refused(120)
        if share.unmounted and self.ways.locked_share == "refused":
            raise Refused(3338)
        conditions = parameters.get("filter", {}).get("attr", [])
        rows = []
        for snapshot in share.snapshots:
            attributes = self._attributes(snapshot)
            if snapshot.visible_from > self.state.clock.now:
                continue
            if all(matches(attributes, condition) for condition in conditions):
                keys = [*wanted, *(k for k in attributes if k.startswith("worm_lock_"))]
                keys = keys if "worm_lock" in wanted else wanted
                rows.append({k: attributes[k] for k in sorted(set(keys))} | {"time": snapshot.name})
        if self.ways.lists_backwards:
            rows.reverse()
        return {"snapshots": paged(rows, parameters), "total": len(rows)}

    def create(self, parameters: Parameters) -> Any:
        """Answer create: `desc` and `lock` count inside `snapinfo` alone; without, it is locked."""
        share = self._share(parameters)
        given = parameters.get("snapinfo", {})
        if not isinstance(given, dict) or not isinstance(given.get("desc", ""), str):
            raise Refused(403)
        if not share.supports or share.unmounted:
            raise Refused(3338 if share.unmounted else 3300)
        if len(share.snapshots) >= self.state.per_share:
            raise Refused(3329)
        days = given.get("worm_lock_day", 7) if given.get("worm_lock") else 0
        made = self.state.take(
            share, desc=given.get("desc", ""), lock=given.get("lock", True), days=days
        )
        if made is None:
            raise Refused(3300)
        return made.name

    def set(self, parameters: Parameters) -> Any:
        """Answer set: only what is given changes, and immutability is never taken back."""
        share = self._share(parameters)
        wanted = text_of(parameters, "snapshot", 403)
        given = parameters.get("snapinfo")
        found = next((s for s in share.snapshots if s.name == wanted), None)
        if not isinstance(given, dict) or given.get("worm_lock") is False or found is None:
            raise Refused(403 if found else 3300)
        found.desc = given.get("desc", found.desc)
        found.lock = given.get("lock", found.lock)
        if given.get("worm_lock"):
            found.worm_begin, found.worm_days = int(self.state.clock.now), given["worm_lock_day"]
        return NOTHING

    def delete(self, parameters: Parameters) -> Any:
        """Answer delete: what could not go is told inside a success."""
        share = self._share(parameters)
        names = texts_of(parameters, "snapshots", 403)
        preserved = self.state.preserved(share)
        failed = []
        for name in names:
            found = next((s for s in share.snapshots if s.name == name), None)
            if found is None:
                failed.append({name: 3300})
            elif found.worm(self.state.clock.now) or name in preserved:
                failed.append({name: 3337 if name in preserved else 3350})
            else:
                share.snapshots.remove(found)
        return failed if failed or self.ways.deletes_answer == "empty" else NOTHING

    def get_schedule(self, parameters: Parameters) -> Any:
        """Answer get_schedule; `next_trigger_time` stays after it was switched off."""
        share = self._share(parameters)
        return {
            "enable_snapshot_schedule": share.scheduled,
            "task_id": 5 if share.scheduled else -1,
            "schedule": {"date_type": 0, "hour": 4, "min": 30, "last_work_hour": 4,
                         "monthly_week": [], "next_trigger_time": "2026-11-26 04:30",
                         "repeat": 0, "repeat_hour": 0, "repeat_min": 0,
                         "repeat_hour_store_config": None, "repeat_min_store_config": None,
                         "week_name": "0,1,2,3,4,5,6"},
        }  # fmt: skip

    def get_share_conf(self, parameters: Parameters) -> Any:
        """Answer get_share_conf, which wants its keys named."""
        self._share(parameters)
        if "sharesnapinfo" not in parameters:
            raise Refused(403)
        return {"enable_snapshot_browsing": False, "snapshot_local_time_format": False}

    def _retention(self, share: Share | None, prefix: str = "Share#") -> dict[str, Any]:
        kind = share.policy_type if share and prefix == "Share#" else 0
        return {"advDaily": 7, "advHourly": 24, "advMinimum": 5, "advMonthly": 1,
                "advPolicyType": 95, "advRetainDay": 1, "advWeekly": 2, "advYearly": 0,
                "daily": 7, "hourly": 24, "weekly": 2, "monthly": 1, "yearly": 0,
                "name": share.name if share else "", "policyType": kind, "prefix": prefix,
                "recently": 0, "retainDay": 7, "schedule": None, "tid": -1}  # fmt: skip

    def get_retention(self, parameters: Parameters) -> Any:
        """Answer SYNO.DisasterRecovery.Retention get; in lower case it reads another namespace."""
        if not {"type", "name"} <= set(parameters):
            raise Refused(1001)
        share = self.state.share(text_of(parameters, "name", 1001))
        return self._retention(share, f"{parameters['type']}#")

    def get_worm_lock(self, parameters: Parameters) -> Any:
        """Answer SYNO.DisasterRecovery.Retention get_worm_lock."""
        if not {"type", "name"} <= set(parameters):
            raise Refused(1001)
        return {"worm_lock_enable": False, "worm_lock_day": 7}


class LunApi:
    """SYNO.Core.ISCSI.LUN."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.ways = state.ways

    def methods(self) -> dict[str, Method]:
        """Return the methods."""
        one = frozenset({1})
        return {
            "list": Method(one, self.list_luns),
            "list_snapshot": Method(one, self.list_snapshots),
            "take_snapshot": Method(one, self.take, writes=True),
            "delete_snapshot": Method(one, self.delete, writes=True),
        }

    def _lun(self, uuid: str) -> Lun:
        found = next((lun for lun in self.state.luns if lun.uuid == uuid), None)
        if found is None:
            raise Refused(18990505)
        return found

    def _snapshot(self, lun: Lun, snapshot: LunSnapshot) -> dict[str, Any]:
        return {"create_time": snapshot.taken, "description": snapshot.description,
                "is_app_consistent": snapshot.consistent, "is_user_locked": snapshot.locked,
                "mapped_size": 0, "name": snapshot.name, "parent_lun_id": lun.number,
                "parent_uuid": lun.uuid, "root_path": "/volume2",
                "snapshot_id": snapshot.number, "snapshot_time": snapshot.taken,
                "taken_by": snapshot.taken_by, "total_size": 1073741824, "type": 2,
                "uuid": snapshot.uuid, "version": "4c4fd1a5"}  # fmt: skip

    def list_luns(self, parameters: Parameters) -> Any:
        """Answer list, which ignores `offset` and `limit` and gives no `total`."""
        kinds = texts_of(parameters, "types", 18990004)
        wanted = texts_of(parameters, "additional", 18990004)
        return {
            "luns": [
                self._row(lun, set(wanted))
                for lun in self.state.luns
                if not kinds or lun.kind in kinds
            ]
        }

    def _row(self, lun: Lun, wanted: set[str]) -> dict[str, Any]:
        able = lun.kind != "BLUN_THICK"
        row: dict[str, Any] = {
            "block_size": 512, "create_from": "", "description": "",
            "dev_attribs": [{"dev_attrib": "emulate_3pc", "enable": 1},
                            {"dev_attrib": "can_snapshot", "enable": int(able)}],
            "location": "/volume2", "lun_id": lun.number, "name": lun.name,
            "size": 1073741824, "type": 263, "type_str": lun.kind, "uuid": lun.uuid,
        }  # fmt: skip
        more = {"is_action_locked": False, "is_mapped": True, "extent_size": 0,
                "allocated_size": 0, "status": "normal"}  # fmt: skip
        row |= {key: value for key, value in more.items() if key in wanted}
        if "snapshot_info" in wanted or self.ways.lun_schedules_bare:
            row |= {"restored_time": 0, "retention": None, "scheduled_task": [{"general": {
                "snap_rotate": True, "snap_type": "app", "task_enabled": False,
                "task_name": f"Task {lun.name}", "tid": -1, "uuid": lun.uuid},
                "schedule": {"hour": 0, "week_name": "0,1,2,3,4,5,6"}}]}  # fmt: skip
        if "snapshot_info" in wanted:
            row["snapshots"] = [
                self._snapshot(lun, s)
                | {"status": {"progress": {"percent": -1, "step": "waiting"}, "type": "Healthy"}}
                for s in self._visible(lun)
            ]
        return row

    def _visible(self, lun: Lun) -> list[LunSnapshot]:
        return [s for s in lun.snapshots if s.visible_from <= self.state.clock.now]

    def list_snapshots(self, parameters: Parameters) -> Any:
        """Answer list_snapshot with its `count`; here `status` is a text."""
        lun = self._lun(text_of(parameters, "src_lun_uuid", 18990710))
        wanted = texts_of(parameters, "additional", 18990004)
        rows = []
        for snapshot in self._visible(lun):
            row = self._snapshot(lun, snapshot) | {"status": "Healthy"}
            if "locked_app_keys" in wanted:
                row["locked_app_keys"] = list(snapshot.app_keys)
            if "is_worm_locked" in wanted:
                row |= {"is_worm_locked": False, "worm_lock_day": "0"}
            rows.append(row)
        return {"count": len(rows), "snapshots": rows}

    def take(self, parameters: Parameters) -> Any:
        """Answer take_snapshot; a name that is there is refused."""
        lun = self._lun(text_of(parameters, "src_lun_uuid", 18990710))
        lun.taken += 1
        name = parameters.get("snapshot_name", f"SnapShot-{lun.taken}")
        flags = [parameters.get(key, False) for key in ("is_locked", "is_app_consistent")]
        if not isinstance(name, str) or not all(isinstance(flag, bool) for flag in flags):
            raise Refused(18990004)
        if any(snapshot.name == name for snapshot in lun.snapshots):
            raise Refused(18990513)
        made = LunSnapshot(
            name, int(self.state.clock.now), lun.taken,
            description=str(parameters.get("description", "")),
            locked=flags[0], consistent=flags[1],
            taken_by=str(parameters.get("taken_by") or "webapi"),
            visible_from=self.state.clock.now + self.ways.slow,
        )  # fmt: skip
        lun.snapshots.append(made)
        return {"snapshot_id": made.number, "snapshot_uuid": made.uuid}

    def delete(self, parameters: Parameters) -> Any:
        """Answer delete_snapshot: one with an error code, several with codes in a success."""
        if "snapshot_uuid" in parameters:
            code = self._delete(text_of(parameters, "snapshot_uuid", 18990710))
            if code:
                raise Refused(code)
            return NOTHING
        uuids = texts_of(parameters, "snapshot_uuids", 18990508)
        return [{one: code} for one in uuids if (code := self._delete(one))]

    def _delete(self, uuid: str) -> int:
        for lun in self.state.luns:
            for snapshot in lun.snapshots:
                if snapshot.uuid == uuid:
                    if snapshot.app_keys:
                        return 18990540
                    lun.snapshots.remove(snapshot)
                    return 0
        return 18990532


class PlanApi:
    """SYNO.DR.Plan: one version for the list, whatever SYNO.API.Info says."""

    DURATION: Final = 20

    def __init__(self, state: State) -> None:
        self.state = state

    def methods(self) -> dict[str, Method]:
        """Return the methods."""
        one = frozenset({1})
        return {"list": Method(one, self.list_plans), "sync": Method(one, self.sync, writes=True)}

    def _record(self, plan: Plan, record: tuple[str, int, int], *, done: bool) -> dict[str, Any]:
        return {"begin_time": record[1], "finish_time": record[2] if done else 0,
                "is_done": done, "is_stopped": False, "is_success": done,
                "snapshot_version": record[0], "sync_size_byte": 8210, "version": 3,
                "main_site": plan.here, "dr_site": plan.there,
                "readable_begin_time": "Sun Mar 23 15:17:40 2025\n"}  # fmt: skip

    def list_plans(self, parameters: Parameters) -> Any:
        """Answer list: the optional blocks sit under `additional`."""
        self.state.settle()
        wanted = set(texts_of(parameters, "additional", 120))
        return {"plans": [self._row(plan, wanted) for plan in self.state.plans]}

    def _row(self, plan: Plan, wanted: set[str]) -> dict[str, Any]:
        status = {"op_progress": {"percentage": 40 if plan.running else -1},
                  "op_status": 16 if plan.running else 1}  # fmt: skip
        site = {"node_id": plan.here, "op_info": status, "plan_id": plan.plan_id, "status": 1,
                "target_id": plan.target, "target_name": plan.target}  # fmt: skip
        names = [record[0] for record in plan.records]
        blocks: dict[str, Any] = {
            "can_do": {"can_sync": plan.main and not plan.running, "can_edit": True},
            "main_site_info": site | {"hostname": "HQ-NAS" if plan.main else "far", "role": 1},
            "dr_site_info": site | {"hostname": "DR-Site" if plan.main else "HQ-NAS", "role": 2},
            "op_info": status,
            "last_op_info": {"err_code": 0, "is_success": True, "op_status": 16,
                             "update_time": plan.records[-1][2] if plan.records else 0},
            "retention_lock_report": {"first_snapshot": names[0], "last_snapshot": names[-1],
                                      "retain_first": False} if names else None,
            "sync_policy": {"enabled": True, "mode": 2, "is_sync_local_snapshots": False,
                            "worm_lock_day": 7, "worm_lock_enable": False},
            "sync_report": {
                "fail_sync_count": 0,
                "recent_records": [self._record(plan, r, done=True) for r in plan.records],
                "success_sync_count": len(names),
                "syncing_record": self._record(plan, plan.running, done=False)
                if plan.running else None,
            },
            "testfailover_info": None,
            "topology": {"target": {"target_id": plan.target, "target_type": 2}},
        }  # fmt: skip
        return {"plan_id": plan.plan_id, "role": 1 if plan.main else 2,
                "role_str": "mainsite" if plan.main else "drsite",
                "main_site": plan.here, "dr_site": plan.there, "is_to_local": False,
                "solution_type": 1, "sync_mode": 2, "target_id": plan.target, "target_type": 2,
                "additional": {k: v for k, v in blocks.items() if k in wanted}}  # fmt: skip

    def sync(self, parameters: Parameters) -> Any:
        """Answer sync: it takes a snapshot at once and the rest of the way some seconds."""
        self.state.settle()
        wanted = text_of(parameters, "plan_id", 120)
        plan = next((one for one in self.state.plans if one.plan_id == wanted), None)
        share = plan and self.state.share(plan.target)
        if plan is None or share is None or plan.running or not plan.main:
            raise Refused(500)
        made = self.state.take(
            share,
            desc=str(parameters.get("sync_description", "")),
            lock=bool(parameters.get("is_snapshot_locked", True)),
        )
        if made is None:
            raise Refused(500)
        begin = int(self.state.clock.now)
        plan.running = (made.name, begin, begin + self.DURATION)
        return NOTHING


class SystemApis:
    """SYNO.Core.System, SYNO.DSM.Info and SYNO.Core.Storage.Volume."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.ways = state.ways

    def system(self, parameters: Parameters) -> Any:
        """Answer SYNO.Core.System info with its types; the time carries no zone."""
        kind = parameters.get("type", "")
        if kind == "define" and self.ways.define in ("numbers", "texts"):
            limits = {"max_snapshots_per_share": 1024, "max_btrfs_snapshots": 65536,
                      "max_snapshot_per_lun": 256, "max_snapshots_per_share_v2": 512,
                      "max_snapshot_per_lun_v2": 128, "unique": "synology_apollolake"}  # fmt: skip
            texts = {key: str(value) for key, value in limits.items()}
            return limits if self.ways.define == "numbers" else texts
        refused = {"define": self.ways.define == "refused", "network": not self.ways.network}
        if refused.get(kind, kind not in ("", "define")):
            raise Refused(114)
        if kind == "network":
            return {"hostname": "HQ-NAS", "dns": "192.0.2.1"}
        here = datetime.fromtimestamp(self.state.clock.now, ZoneInfo(self.ways.zone))
        version = "DSM UC 3.1-22000" if not self.ways.shares_known else "DSM 7.2.1-69057 Update 6"
        return {"model": "DS423+", "serial": self.state.serial, "firmware_ver": version,
                "time": f"{here:%Y-%m-%d %H:%M:%S}", "time_zone": "Amsterdam",
                "time_zone_desc": "(GMT+01:00) Amsterdam", "up_time": "1213:22:1",
                "enabled_ntp": True, "ntp_server": "pool.ntp.org"}  # fmt: skip

    def dsm(self, parameters: Parameters) -> Any:
        """Answer SYNO.DSM.Info getinfo."""
        del parameters
        here = datetime.fromtimestamp(self.state.clock.now, ZoneInfo(self.ways.zone))
        return {"model": "DS423+", "serial": self.state.serial, "version": "69057",
                "version_string": "DSM 7.2.1-69057 Update 6", "uptime": 4368142,
                "time": f"{here:%a %b %d %H:%M:%S %Y}"}  # fmt: skip

    def volumes(self, parameters: Parameters) -> Any:
        """Answer SYNO.Core.Storage.Volume list, which wants paging; sizes are texts."""
        if self.ways.volumes == "refused" or not {"offset", "limit"} <= set(parameters):
            raise Refused(101)
        sizes = [("/volume1", "btrfs"), ("/volume2", "btrfs"), ("/volume3", "ext4")]
        whole, free = 8 * 10**12, 10**12
        loose = self.ways.loose_types
        return {"volumes": [{"volume_path": path, "display_name": path[1:], "status": "normal",
                             "fs_type": kind, "container": "internal", "location": "internal",
                             "size_total_byte": whole if loose else str(whole),
                             "size_free_byte": free if loose else str(free)}
                            for path, kind in sizes]}  # fmt: skip


def method_table(state: State) -> dict[str, tuple[int, dict[str, Method]]]:
    """Return the APIs of a NAS, each with its highest version and its methods."""
    ways, shares, system = state.ways, ShareApis(state), SystemApis(state)
    one = frozenset({1})
    table: dict[str, tuple[int, dict[str, Method]]] = {
        "SYNO.Core.System": (3, {"info": Method(frozenset({1, 2, 3}), system.system)}),
        "SYNO.DSM.Info": (2, {"getinfo": Method(frozenset({1, 2}), system.dsm)}),
    }
    if ways.shares_known:
        found = shares.methods()
        table["SYNO.Core.Share"] = (1, found["SYNO.Core.Share"])
        table["SYNO.Core.Share.Snapshot"] = (2, found["SYNO.Core.Share.Snapshot"])
    if ways.volumes != "absent":
        table["SYNO.Core.Storage.Volume"] = (1, {"list": Method(one, system.volumes)})
    if ways.san:
        table["SYNO.Core.ISCSI.LUN"] = (1, LunApi(state).methods())
    if ways.replication:
        table["SYNO.DR.Plan"] = (3, PlanApi(state).methods())
    if ways.retention:
        kept = {"get": Method(one, shares.get_retention),
                "get_worm_lock": Method(one, shares.get_worm_lock)}  # fmt: skip
        table["SYNO.DisasterRecovery.Retention"] = (1, kept)
    return table
