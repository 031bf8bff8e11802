"""Who the NAS is: system, limits, network name, volumes. Times are local and have no offset."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from reconciler.simulator.api import Api, Method, versions
from reconciler.simulator.codes import Common, DsmError
from reconciler.simulator.naming import ctime, local_time, zone_description
from reconciler.simulator.wire import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.simulator.nas import Nas, Volume


def _uptime(nas: Nas) -> int:
    return int(nas.clock.now() - nas.booted_at)


def _system(nas: Nas) -> dict[str, Any]:
    now = nas.clock.now()
    hours, rest = divmod(_uptime(nas), 3600)
    return {
        "enabled_ntp": True,
        "firmware_ver": nas.version,
        "model": nas.model,
        "ntp_server": "time.google.com",
        "serial": nas.serial,
        "support_esata": "no",
        "sys_temp": 41,
        "time": local_time(now, nas.zone),
        "time_zone": nas.reported_zone(),
        "time_zone_desc": zone_description(nas.zone, now),
        "up_time": f"{hours}:{rest // 60}:{rest % 60}",
    }


def _limits(nas: Nas) -> dict[str, Any]:
    limits = nas.limits
    keys: dict[str, Any] = {"support_btrfs": "yes", "support_share_snapshot": "yes"}
    if not limits.advertised:
        return keys
    keys |= {
        "max_btrfs_snapshots": str(limits.system),
        "max_snapshot_per_lun": str(limits.per_lun),
        "max_snapshots_per_share": str(limits.per_share),
    }
    if limits.per_share_v2 is not None:
        keys["max_snapshots_per_share_v2"] = str(limits.per_share_v2)
    if limits.per_lun_v2 is not None:
        keys["max_snapshot_per_lun_v2"] = str(limits.per_lun_v2)
    return keys


def _network(nas: Nas) -> dict[str, Any]:
    return {"dns": "192.0.2.1", "gateway": "192.0.2.1", "hostname": nas.name, "workgroup": "WORK"}


_SECTIONS: Final[dict[str, Callable[[Nas], dict[str, Any]]]] = {
    "": _system,
    "define": _limits,
    "network": _network,
}


def _info(nas: Nas, call: Call) -> Reply:
    section = _SECTIONS.get(str(call.parameters.get("type", "")))
    if section is None:
        raise DsmError(Common.BAD_PARAMETER)
    return Reply(section(nas))


def _dsm_info(nas: Nas, _call: Call) -> Reply:
    build = re.search(r"-(\d+)", nas.version)
    return Reply(
        {
            "codepage": "enu",
            "model": nas.model,
            "ram": 32768,
            "serial": nas.serial,
            "temperature": 41,
            "temperature_warn": False,
            "time": ctime(nas.clock.now(), nas.zone),
            "uptime": _uptime(nas),
            "version": build.group(1) if build else "",
            "version_string": nas.version,
        }
    )


def _volume(volume: Volume) -> dict[str, Any]:
    return {
        "container": "internal",
        "display_name": f"Volume {volume.path.removeprefix('/volume')}",
        "fs_type": volume.filesystem,
        "location": "internal",
        "readonly": not volume.writable,
        "size_free_byte": str(volume.free),
        "size_total_byte": str(volume.size),
        "status": volume.status,
        "volume_path": volume.path,
    }


def _volumes(nas: Nas, call: Call) -> Reply:
    if not {"offset", "limit", "location"} <= call.parameters.keys():
        raise DsmError(Common.BAD_REQUEST)
    rows = [_volume(volume) for volume in nas.volumes]
    return Reply({"volumes": call.page(rows), "total": len(rows), "offset": 0})


def _storage_volume(volume: Volume) -> dict[str, Any]:
    return {
        "fs_type": volume.filesystem,
        "id": volume.path.replace("/volume", "volume_"),
        "is_writable": volume.writable,
        "size": {"total": str(volume.size), "used": str(volume.size - volume.free)},
        "status": volume.status,
        "vol_path": volume.path,
    }


def _storage(nas: Nas, _call: Call) -> Reply:
    volumes = [_storage_volume(volume) for volume in nas.volumes]
    return Reply({"disks": [], "storagePools": [], "volumes": volumes})


_V1: Final = versions(1)

APIS: Final = (
    Api("SYNO.Core.System", 1, 3, {"info": Method(versions(1, 2, 3), _info)}),
    Api("SYNO.DSM.Info", 1, 2, {"getinfo": Method(versions(1, 2), _dsm_info)}),
    Api("SYNO.Core.Storage.Volume", 1, 1, {"list": Method(_V1, _volumes)}),
    Api("SYNO.Storage.CGI.Storage", 1, 1, {"load_info": Method(_V1, _storage)}),
)
