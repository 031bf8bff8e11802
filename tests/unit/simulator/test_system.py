"""System, limits and volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Door

    from reconciler.simulator import Nas


def test_limits_are_asked_by_type(door: Door, nas: Nas) -> None:
    """`type="define"` tells the limits, the lower `_v2` figures where there are any."""
    nas.limits.per_share_v2 = 512
    limits = door.data("Core.System", "info", type="define")
    assert limits["max_snapshots_per_share"] == "1024"
    assert limits["max_snapshots_per_share_v2"] == "512"
    assert "max_snapshot_per_lun_v2" not in limits
    nas.limits.advertised = False
    assert "max_snapshots_per_share" not in door.data("Core.System", "info", type="define")


def test_the_host_name(door: Door) -> None:
    """`type="network"` tells the host name."""
    assert door.data("Core.System", "info", type="network")["hostname"] == "nas-1"


def test_dsm_info_has_a_build_and_a_local_time(door: Door) -> None:
    """`version` is the build as a text, `time` local and without an offset."""
    told = door.data("DSM.Info", "getinfo", 2)
    assert (told["version"], told["serial"]) == ("72806", "2150ABC123456")
    assert told["time"] == "Tue Nov 24 12:00:00 2026"


def test_volumes_need_paging_and_speak_strings(door: Door) -> None:
    """Without paging arguments the volume list answers 101; its sizes are strings."""
    assert door.code("Core.Storage.Volume", "list") == 101
    (volume,) = door.data("Core.Storage.Volume", "list", offset=0, limit=-1, location="all")[
        "volumes"
    ]
    assert volume["volume_path"] == "/volume1"
    assert volume["size_free_byte"] == str(6 << 40)
    (other,) = door.data("Storage.CGI.Storage", "load_info")["volumes"]
    assert other["size"] == {"total": str(16 << 40), "used": str(10 << 40)}
