"""A simulated DSM over HTTPS: a room apart that shares no code with the reconciler's client.

    nas = generate(shares=3, snapshots=20, seed=1)
    with Simulator(nas) as sim:
        ...  # sim.url, sim.fingerprint, nas.account, nas.password
        sim.inject(Fault(kind="reset_after", method="create"))

It answers as documented captures of DSM 7 do, traps included; whatever is not established on a
real NAS is a setting of `Nas` or marked as assumed where it is answered.
"""

from __future__ import annotations

from reconciler.simulator.certificate import Certificate
from reconciler.simulator.clock import Clock
from reconciler.simulator.dispatch import Request
from reconciler.simulator.document import DocumentError
from reconciler.simulator.faults import Fault
from reconciler.simulator.generate import generate
from reconciler.simulator.lun import Lun, LunSnapshot
from reconciler.simulator.nas import AutoBlock, Limits, Nas, Session, Volume
from reconciler.simulator.otp import one_time_code
from reconciler.simulator.plan import Plan, SyncRecord
from reconciler.simulator.retention import Retention
from reconciler.simulator.schedule import Schedule
from reconciler.simulator.script import Script, ScriptError, parse_script, read_script
from reconciler.simulator.server import Simulator, serve
from reconciler.simulator.share import Share, ShareSnapshot

__all__ = [
    "AutoBlock",
    "Certificate",
    "Clock",
    "DocumentError",
    "Fault",
    "Limits",
    "Lun",
    "LunSnapshot",
    "Nas",
    "Plan",
    "Request",
    "Retention",
    "Schedule",
    "Script",
    "ScriptError",
    "Session",
    "Share",
    "ShareSnapshot",
    "Simulator",
    "SyncRecord",
    "Volume",
    "generate",
    "one_time_code",
    "parse_script",
    "read_script",
    "serve",
]
