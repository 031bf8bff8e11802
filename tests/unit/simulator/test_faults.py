"""Injected faults, at calls and on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from reconciler.simulator import Fault, Simulator
from reconciler.simulator.dispatch import Exchange
from reconciler.simulator.wire import Carried, read_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Door

    from reconciler.simulator import Nas

API = "Core.Share.Snapshot"
CREATE = {"api": f"SYNO.{API}", "method": "create", "version": "1", "name": '"projects"'}


class Line:
    """A signed-in client over HTTPS that verifies the certificate."""

    def __init__(self, sim: Simulator, ca: str) -> None:
        self.sim = sim
        self.http = requests.Session()
        # The environment may name another CA file, which would count for more than this one.
        self.http.trust_env = False
        self.http.verify = ca
        form = {"account": sim.nas.account, "passwd": sim.nas.password, "format": "sid"}
        answer = self.post(api="SYNO.API.Auth", method="login", version="7", **form).json()
        self.sid = answer["data"]["sid"]

    def post(self, **form: Any) -> requests.Response:
        """Send a form and return the response as it is."""
        carried = {"_sid": self.sid} if hasattr(self, "sid") else {}
        return self.http.post(
            f"{self.sim.url}/webapi/entry.cgi",
            data={**form, **carried},
            timeout=10,
            allow_redirects=False,
        )


@pytest.fixture
def line(nas: Nas, tmp_path: Any) -> Iterator[Line]:
    """Yield a client of a simulator with a certificate of its own."""
    with Simulator(nas) as sim:
        assert sim.certificate is not None
        ca = tmp_path / "ca.pem"
        ca.write_bytes(sim.certificate.pem)
        line = Line(sim, str(ca))
        yield line
        line.http.close()


def test_faults_are_used_up_in_order(door: Door) -> None:
    """The first matching fault counts `after` calls, happens `times` times, and is gone."""
    door.inject(kind="error", method="create", code=3328, after=1, times=2)
    codes = []
    for _ in range(4):
        codes.append(door.code(API, "create", name="projects"))
        door.nas.clock.advance(1)
    assert codes == [0, 3328, 3328, 0]


def test_a_fault_can_concern_members_only(door: Door) -> None:
    """A fault for members of a compound leaves the same call outside of one alone."""
    door.inject(kind="error", method="list", code=3328, member=True)
    assert door.code("Core.Share", "list") == 0
    answer = door.compound({"api": "SYNO.Core.Share", "method": "list", "version": 1})
    assert answer["result"][0]["error"]["code"] == 3328


def test_an_expired_session(door: Door) -> None:
    """A session that expires answers its code until a new sign-in."""
    door.inject(kind="expire_session", method="list", code=106)
    assert [door.code("Core.Share", "list") for _ in range(2)] == [106, 106]
    door.sign_in()
    assert door.code("Core.Share", "list") == 0


def test_lists_that_lie(door: Door, nas: Nas) -> None:
    """A short list keeps its total; an empty one says that there is nothing."""
    for second in range(3):
        nas.share("projects").add_snapshot(nas.clock.now() - second)
    door.inject(kind="short_listing", api=f"SYNO.{API}", rows=2)
    door.inject(kind="empty_listing", api=f"SYNO.{API}")
    short = door.data(API, "list", 2, name="projects")
    assert (len(short["snapshots"]), short["total"]) == (1, 3)
    assert door.data(API, "list", 2, name="projects") == {"snapshots": [], "total": 0}
    assert door.data(API, "list", 2, name="projects")["total"] == 3


def test_partial_deletions(door: Door, nas: Nas) -> None:
    """A partial deletion refuses the names it is given and deletes the rest."""
    share = nas.share("projects")
    first, second = (share.add_snapshot(nas.clock.now() - shift).name for shift in (0, 1))
    door.inject(kind="partial", method="delete", names=(first,))
    answer = door.ask(API, "delete", name="projects", snapshots=[first, second])
    assert answer == {"data": [{first: 3350}], "success": True}
    assert door.names() == [first]


def test_ignored_writes(door: Door, nas: Nas) -> None:
    """An ignored write says success, with a plausible answer, and changes nothing."""
    kept = nas.share("projects").add_snapshot(nas.clock.now() - 1).name
    door.inject(kind="ignore", method="create")
    door.inject(kind="ignore", method="delete")
    assert door.data(API, "create", name="projects") == "GMT+01-2026.11.24-12.00.00"
    answer = door.ask(API, "delete", name="projects", snapshots=[kept])
    assert answer == {"success": True}
    assert door.names() == [kept]


@pytest.mark.parametrize(("kind", "made"), [("reset_before", 0), ("reset_after", 1)])
def test_a_cut_connection(line: Line, kind: str, made: int) -> None:
    """The connection is cut before or after the work, and the record has no answer code."""
    line.sim.inject(Fault(kind=kind, method="create"))
    with pytest.raises(requests.ConnectionError):
        line.post(**CREATE)
    assert len(line.sim.nas.share("projects").snapshots) == made
    assert [r.code for r in line.sim.writes] == [None]
    assert line.post(**CREATE).status_code == 200


def test_a_truncated_answer(line: Line) -> None:
    """A truncated answer ends before its announced length, with the work done."""
    line.sim.inject(Fault(kind="truncated", method="create"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        line.post(**CREATE)
    assert len(line.sim.nas.share("projects").snapshots) == 1


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault(kind="html", method="create"), 200),
        (Fault(kind="garbage", method="create"), 200),
        (Fault(kind="status", method="create", code=503), 503),
        (Fault(kind="redirect", method="create", location="http://other/"), 302),
    ],
)
def test_answers_that_are_not_dsms(line: Line, fault: Fault, status: int) -> None:
    """A page, garbage, a proxy's error or a redirect stands for a call that was not done."""
    fault.times = 1
    line.sim.inject(fault)
    answer = line.post(**CREATE)
    assert answer.status_code == status
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert line.sim.nas.share("projects").snapshots == []


def test_a_reset_inside_a_compound_cuts_the_whole_request(line: Line) -> None:
    """Members before the cut one are done, later ones are not, and no answer arrives."""
    line.sim.inject(Fault(kind="reset_before", method="create", member=True, after=1))
    member = '{"api":"SYNO.Core.Share.Snapshot","method":"create","version":1,"name":"%s"}'
    line.sim.nas.add_share("second")
    members = ",".join(member % name for name in ("projects", "second"))
    form = {"mode": '"sequential"', "stop_when_error": "false", "compound": f"[{members}]"}
    with pytest.raises(requests.ConnectionError):
        line.post(api="SYNO.Entry.Request", method="request", version="1", **form)
    assert len(line.sim.nas.share("projects").snapshots) == 1
    assert line.sim.nas.share("second").snapshots == []


def test_the_date_header_is_the_simulated_clocks(line: Line) -> None:
    """`Date` tells the simulated time in GMT, and can be off."""
    query = {"api": "SYNO.API.Info", "method": "query", "version": "1", "query": "all"}
    assert line.post(**query).headers["Date"] == "Tue, 24 Nov 2026 11:00:00 GMT"
    line.sim.inject(Fault(kind="misreport_date", seconds=-600.0))
    assert line.post(**query).headers["Date"] == "Tue, 24 Nov 2026 10:50:00 GMT"
    assert line.post(**query).headers["Date"] == "Tue, 24 Nov 2026 11:00:00 GMT"


def test_a_late_answer_comes_after_the_work(line: Line) -> None:
    """A delayed answer lets a client give up on work that is done."""
    line.sim.inject(Fault(kind="delay", method="create", seconds=30.0))
    with pytest.raises(requests.Timeout):
        line.http.post(
            f"{line.sim.url}/webapi/entry.cgi", data={**CREATE, "_sid": line.sid}, timeout=0.2
        )
    assert len(line.sim.nas.share("projects").snapshots) == 1


def test_empty_and_short_lists_of_other_answers(door: Door) -> None:
    """A fault of lists leaves an answer without a list as it is."""
    door.inject(kind="short_listing", method="get")
    assert door.data("Core.Share", "get", name="projects")["name"] == "projects"


def test_ignored_and_partial_lun_writes(door: Door, nas: Nas) -> None:
    """A LUN's snapshot can be claimed but not taken, and kept although its deletion succeeded."""
    lun = nas.lun("LUN-1")
    door.inject(kind="ignore", method="take_snapshot")
    answer = door.data("Core.ISCSI.LUN", "take_snapshot", src_lun_uuid=lun.uuid)
    assert lun.snapshot(answer["snapshot_uuid"]) is None
    kept = lun.add_snapshot(nas.clock.now())
    door.inject(kind="ignore", method="delete_snapshot")
    door.inject(kind="partial", method="delete_snapshot")
    asked = {"snapshot_uuids": [kept.uuid]}
    assert door.data("Core.ISCSI.LUN", "delete_snapshot", **asked) == []
    assert door.data("Core.ISCSI.LUN", "delete_snapshot", **asked) == [{kept.uuid: 18990540}]
    assert lun.snapshots == [kept]


def test_faults_can_be_dropped(nas: Nas) -> None:
    """What has not happened yet can be called off."""
    sim = Simulator(nas, tls=False)
    sim.inject(Fault(kind="error"))
    sim.clear_faults()
    call = read_call({"api": "SYNO.API.Info", "method": "query", "version": "1"}, Carried())
    assert sim.dispatcher.answer(call, Exchange())["success"]
