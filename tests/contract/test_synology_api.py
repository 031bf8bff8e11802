"""The public client `synology-api`, unmodified, signs in to the simulator and makes its calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from synology_api import base_api
from synology_api.exceptions import LoginError
from synology_api.snapshot import Snapshot

from reconciler.simulator import Clock, Nas, Plan, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = "2026-11-24T12:00:00+01:00"


@pytest.fixture
def nas() -> Nas:
    """Return a NAS with a share, a LUN, and a plan for each of them."""
    nas = Nas(clock=Clock.frozen(NOON))
    share = nas.add_share("projects")
    share.add_snapshot("2026-11-24T10:00:00+01:00", "by hand", locked=True)
    share.add_snapshot("2026-07-24T10:00:00+02:00", scheduled=True)
    share.add_snapshot("2026-11-24T11:00:00+01:00", hidden=True)
    lun = nas.add_lun("LUN-1")
    lun.add_snapshot("2026-11-24T09:00:00+01:00", "first")
    nas.add_plan("projects", remote_target="projects")
    return nas


@pytest.fixture
def sim(nas: Nas) -> Iterator[Simulator]:
    """Yield the NAS, answering over HTTPS."""
    with Simulator(nas) as sim:
        yield sim


@pytest.fixture
def client(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Snapshot]:
    """Yield the client, signed in over HTTPS without verifying the certificate."""
    client = sign_in(sim, monkeypatch)
    yield client
    client.logout()


def sign_in(sim: Simulator, monkeypatch: pytest.MonkeyPatch, password: str = "") -> Snapshot:
    """Sign in with a session of its own; the client would share one among all its objects."""
    monkeypatch.setattr(base_api.BaseApi, "shared_session", None)
    return Snapshot(
        sim.host,
        str(sim.port),
        sim.nas.account,
        password or sim.nas.password,
        secure=sim.url.startswith("https"),
        cert_verify=False,
        dsm_version=7,
        debug=False,
    )


def test_the_session_is_live_and_privileged(client: Snapshot, nas: Nas) -> None:
    """The client's own handshake and token are accepted, also where a token is required."""
    nas.require_token = True
    nas.privileged_from = 7
    (session,) = nas.sessions.values()
    assert session.noise is not None
    assert client.create_snapshot("projects")["success"]


def test_a_wrong_password_is_the_clients_login_error(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong password is refused with 400 and leaves no session."""
    with pytest.raises(LoginError, match="password"):
        sign_in(sim, monkeypatch, "wrong")
    assert not sim.nas.sessions


def test_signing_in_over_plain_http(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over HTTP the client encrypts its parameters, and is let in."""
    with Simulator(nas, tls=False) as sim:
        client = sign_in(sim, monkeypatch)
        assert client.list_snapshots("projects")["data"]["total"] == 3
        client.logout()
        sent = next(r for r in sim.requests if r.method == "login").parameters
    assert nas.password not in str(sent)


def test_list_snapshots(client: Snapshot) -> None:
    """A share's snapshots come with the attributes asked for, filtered as asked."""
    answer = client.list_snapshots(
        "projects", ["!hide==true"], ["desc", "lock", "worm_lock", "schedule_snapshot"]
    )
    assert answer == {
        "data": {
            "snapshots": [
                {
                    "desc": "by hand",
                    "lock": True,
                    "schedule_snapshot": False,
                    "time": "GMT+01-2026.11.24-10.00.00",
                    "worm_lock": False,
                },
                {
                    "desc": "",
                    "lock": False,
                    "schedule_snapshot": True,
                    "time": "GMT+02-2026.07.24-10.00.00",
                    "worm_lock": False,
                },
            ],
            "total": 2,
        },
        "success": True,
    }


def test_create_snapshot(client: Snapshot, nas: Nas) -> None:
    """A created snapshot answers its bare name and is what was asked for."""
    answer = client.create_snapshot("projects", "before", immutable=True, immutable_days=9)
    assert answer == {"data": "GMT+01-2026.11.24-12.00.00", "success": True}
    made = nas.share("projects").snapshot(answer["data"])
    assert made is not None
    assert (made.description, made.locked, made.immutable_days) == ("before", False, 9)


def test_set_snapshot_attr(client: Snapshot, nas: Nas) -> None:
    """Changing one attribute leaves the others as they were."""
    name = "GMT+01-2026.11.24-10.00.00"
    assert client.set_snapshot_attr("projects", name, description="kept") == {"success": True}
    changed = nas.share("projects").snapshot(name)
    assert changed is not None
    assert (changed.description, changed.locked, changed.immutable_from) == ("kept", True, None)


def test_delete_snapshots(client: Snapshot, nas: Nas) -> None:
    """Deleting removes the named snapshots, a locked one too, and no other."""
    name = "GMT+01-2026.11.24-10.00.00"
    assert client.delete_snapshots("projects", [name]) == {"success": True}
    assert nas.share("projects").snapshot(name) is None
    assert len(nas.share("projects").snapshots) == 2


def test_list_luns(client: Snapshot, nas: Nas) -> None:
    """LUNs come with their snapshots, whose status is an object."""
    (lun,) = client.list_luns()["data"]["luns"]
    assert (lun["name"], lun["uuid"], lun["type_str"]) == ("LUN-1", nas.lun("LUN-1").uuid, "BLUN")
    (snapshot,) = lun["snapshots"]
    assert snapshot["status"] == {"progress": {"percent": -1, "step": "waiting"}, "type": "Healthy"}


def test_list_snapshots_lun(client: Snapshot, nas: Nas) -> None:
    """A LUN's snapshots are dated in epoch seconds, and their status is a text."""
    answer = client.list_snapshots_lun(nas.lun("LUN-1").uuid)["data"]
    (row,) = answer["snapshots"]
    assert answer["count"] == 1
    assert row["create_time"] == 1795507200
    assert (row["status"], row["locked_app_keys"], row["is_worm_locked"]) == ("Healthy", [], False)


def test_create_snapshot_lun(client: Snapshot, nas: Nas) -> None:
    """A LUN's snapshot answers its number and uuid, and is locked as asked."""
    lun = nas.lun("LUN-1")
    answer = client.create_snapshot_lun(lun.uuid, "before", lock=True)["data"]
    made = lun.snapshot(answer["snapshot_uuid"])
    assert made is not None
    assert answer["snapshot_id"] == made.snapshot_id == 2
    assert (made.name, made.description, made.locked) == ("SnapShot-2", "before", True)


def test_delete_snapshots_lun(client: Snapshot, nas: Nas) -> None:
    """A bulk deletion says success and names the code of each snapshot that stayed."""
    lun = nas.lun("LUN-1")
    held = lun.add_snapshot(NOON, locked_app_keys=["SnapshotReplication-synodr-x"])
    goes = lun.snapshots[0]
    answer = client.delete_snapshots_lun([goes.uuid, held.uuid])
    assert answer == {"data": [{held.uuid: 18990540}], "success": True}
    assert lun.snapshots == [held]


def test_list_replication_plans(client: Snapshot, nas: Nas) -> None:
    """A plan comes with every optional block under `additional`, in the documented shape."""
    (plan,) = client.list_replication_plans()["data"]["plans"]
    assert plan["plan_id"] == nas.plans[0].plan_id
    assert set(plan["additional"]) == {
        "can_do", "dr_site_info", "last_op_info", "main_site_info", "op_info",
        "retention_lock_report", "sync_policy", "sync_report", "testfailover_info", "topology",
    }  # fmt: skip
    assert plan["additional"]["op_info"] == {"op_progress": {"percentage": -1}, "op_status": 1}


def test_sync_replication(client: Snapshot, nas: Nas) -> None:
    """A sync answers at once, runs for a while, and leaves its own snapshot at the source."""
    plan: Plan = nas.plans[0]
    assert client.sync_replication(plan.plan_id, lock_snapshot=False) == {"success": True}
    assert plan.running is not None
    nas.clock.advance(plan.sync_seconds + 2)
    (row,) = client.list_replication_plans(["sync_report"])["data"]["plans"]
    (record,) = row["additional"]["sync_report"]["recent_records"]
    assert record["snapshot_version"] == "GMT+01-2026.11.24-12.00.00"
    taken = nas.share("projects").snapshot(record["snapshot_version"])
    assert taken is not None
    assert taken.description == "Snapshot taken by [Synology API]"


def test_its_batch_request(client: Snapshot) -> None:
    """The client's compound call gets one answer per member."""
    member = {"api": "SYNO.Core.Share.Snapshot", "method": "list", "version": 2, "name": "projects"}
    answer = client.batch_request([member, member], method="post")
    assert answer["data"]["has_fail"] is False
    assert [each["data"]["total"] for each in answer["data"]["result"]] == [3, 3]


def test_logging_out_leaks_the_session(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client signs out without its session id: DSM says success and ends nothing."""
    sign_in(sim, monkeypatch).logout()
    assert len(sim.nas.sessions) == 1


def test_names_of_the_sessions_calls(client: Snapshot, sim: Simulator) -> None:
    """The record of requests tells reads from writes."""
    client.list_snapshots("projects")
    assert sim.writes == []
    client.create_snapshot("projects")
    assert [(r.api, r.method, r.code) for r in sim.writes] == [
        ("SYNO.Core.Share.Snapshot", "create", 0)
    ]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", sim.fingerprint)
