"""Every method that is ever called: its pinned versions, its family of codes, whether it writes.

The version that `SYNO.API.Info` states is the API's highest, not each method's (`list` of
`SYNO.Core.Share.Snapshot` is version 2, everything else there version 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.dsm.errors import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

INFO = "SYNO.API.Info"
AUTH = "SYNO.API.Auth"
COMPOUND = "SYNO.Entry.Request"
SHARE = "SYNO.Core.Share"
SNAPSHOT = "SYNO.Core.Share.Snapshot"
LUN = "SYNO.Core.ISCSI.LUN"
PLAN = "SYNO.DR.Plan"
RETENTION = "SYNO.DisasterRecovery.Retention"
SYSTEM = "SYNO.Core.System"
DSM_INFO = "SYNO.DSM.Info"
VOLUME = "SYNO.Core.Storage.Volume"


@dataclass(frozen=True, slots=True)
class Method:
    """One method; `versions` in order of preference."""

    family: Family
    versions: tuple[int, ...] = (1,)
    writes: bool = False


METHODS: Mapping[tuple[str, str], Method] = {
    (AUTH, "login"): Method(Family.AUTH, (7, 6, 5, 4, 3)),
    (COMPOUND, "request"): Method(Family.COMMON),
    (SHARE, "list"): Method(Family.SHARE),
    (SHARE, "get"): Method(Family.SHARE),
    (SNAPSHOT, "list"): Method(Family.SHARE, (2, 1)),
    (SNAPSHOT, "get_schedule"): Method(Family.SHARE),
    (SNAPSHOT, "create"): Method(Family.SHARE, writes=True),
    (SNAPSHOT, "set"): Method(Family.SHARE, writes=True),
    (SNAPSHOT, "delete"): Method(Family.SHARE, writes=True),
    (LUN, "list"): Method(Family.LUN),
    (LUN, "list_snapshot"): Method(Family.LUN),
    (LUN, "take_snapshot"): Method(Family.LUN, writes=True),
    (LUN, "delete_snapshot"): Method(Family.LUN, writes=True),
    (PLAN, "list"): Method(Family.REPLICATION),
    (PLAN, "sync"): Method(Family.REPLICATION, writes=True),
    (RETENTION, "get"): Method(Family.COMMON),
    (RETENTION, "get_worm_lock"): Method(Family.COMMON),
    (SYSTEM, "info"): Method(Family.COMMON, (1, 2, 3)),
    (DSM_INFO, "getinfo"): Method(Family.COMMON, (2, 1)),
    (VOLUME, "list"): Method(Family.COMMON),
}
