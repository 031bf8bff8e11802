"""This client beside the public one, and against servers that behave in every documented way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from latches import FolderLatches
from synology_api import base_api
from synology_api.snapshot import Snapshot

from reconciler import dsm
from reconciler.errors import Refusal
from reconciler.observe import Observer
from reconciler.simulator import Nas, Simulator, generate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


class NasClock:
    """The simulated clock as the client's; waiting moves it."""

    def __init__(self, nas: Nas) -> None:
        self._nas = nas

    def time(self) -> float:
        """Return the simulated time."""
        return self._nas.clock.now()

    def monotonic(self) -> float:
        """Return the machine's monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Move the simulated clock."""
        self._nas.clock.advance(seconds)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """Run a generated NAS."""
    with Simulator(generate(4, 12, 2, plans=2, name="box")) as running:
        yield running


def opened(sim: Simulator, folder: Path, **more: Any) -> AbstractContextManager[dsm.Writer]:
    """Sign in with this client."""
    connection = dsm.Connection(
        name="box",
        url=sim.url,
        account=sim.nas.account,
        password=sim.nas.password,
        fingerprints=(sim.fingerprint.removeprefix("sha256:"),),
        latches=FolderLatches(folder),
        **more,
    )
    return dsm.open_writer(connection, NasClock(sim.nas))


def test_both_clients_see_the_same(
    sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The public client and this one list the same snapshots, LUNs and plans."""
    monkeypatch.setattr(base_api.BaseApi, "shared_session", None)
    public = Snapshot(
        sim.host, str(sim.port), sim.nas.account, sim.nas.password,
        secure=True, cert_verify=False, dsm_version=7, debug=False,
    )  # fmt: skip
    keys = ["desc", "lock", "worm_lock", "schedule_snapshot"]
    with opened(sim, tmp_path) as ours:
        for share in sim.nas.shares:
            theirs = public.list_snapshots(share.name, additional_attribute=keys)["data"]
            assert ours.list_snapshots(share.name, additional_attribute=keys) == theirs
        for lun in sim.nas.luns:
            assert ours.list_snapshots_lun(lun.uuid) == public.list_snapshots_lun(lun.uuid)["data"]
        assert ours.list_replication_plans() == public.list_replication_plans()["data"]
        known = [lun["uuid"] for lun in public.list_luns()["data"]["luns"]]
        assert {lun["uuid"] for lun in ours.list_luns()["luns"]} >= set(known)
    public.logout()


def test_the_ten_calls(sim: Simulator, tmp_path: Path) -> None:
    """Each documented call does on the NAS what it says."""
    share = next(s for s in sim.nas.shares if not s.snapshots[0].immutable(0))
    lun = sim.nas.luns[0]
    sim.nas.write_seconds = 1.0
    with opened(sim, tmp_path) as ours:
        name = ours.create_snapshot(share.name, description="one", lock=True)
        made = share.snapshot(name)
        assert made is not None
        assert (made.description, made.locked) == ("one", True)
        ours.set_snapshot_attr(share.name, name, description="two", lock=False)
        assert (made.description, made.locked) == ("two", False)
        pinned = ours.create_snapshot(share.name, immutable=True, immutable_days=3)
        refused = ours.delete_from_share(share.name, [name, pinned])
        assert (refused[name], bool(refused[pinned])) == ("", True)
        assert share.snapshot(name) is None
        taken = ours.create_snapshot_lun(lun.uuid, description="d", snapshot_name="by-us")
        assert lun.snapshot(taken["snapshot_uuid"]) is not None
        ours.delete_snapshots_lun([taken["snapshot_uuid"]])
        assert lun.snapshot(taken["snapshot_uuid"]) is None
        plan = next(p for p in sim.nas.plans if p.role == 1)
        ours.sync_replication(plan.plan_id, lock_snapshot=False)
        assert plan.running is not None


AWKWARD: dict[str, dict[str, Any]] = {
    "cookie only": {"carriers": "cookie"},
    "parameter only": {"carriers": "param"},
    "token required": {"require_token": True},
    "no compound": {"compound": False},
    "small compound": {"compound_limit": 5},
    "an older build": {"strict_additional": True, "unknown_additional": ["ruuid"]},
    "before 7.2": {"strict_additional": True, "unknown_additional": ["ruuid", "worm_lock"]},
    "privileged sessions": {"privileged_from": 7},
    "padded paths": {"padded_paths": True},
    "cold start": {"cold": True},
    "no replication": {"replication": "absent"},
}


@pytest.mark.parametrize("name", AWKWARD)
def test_every_documented_behaviour_is_read_and_written(
    sim: Simulator, tmp_path: Path, name: str
) -> None:
    """Whatever the build does differently, the whole NAS is read and a snapshot can be taken."""
    for key, value in AWKWARD[name].items():
        setattr(sim.nas, key, value)
    with opened(sim, tmp_path) as ours:
        seen = Observer("box", ours).whole(lambda *_: True)
        counts = {t.name: len(t.snapshots or ()) for t in seen.targets}
        held = {s.name: sum(not x.hidden for x in s.snapshots) for s in sim.nas.shares}
        assert {share: counts[share] >= least for share, least in held.items()} == dict.fromkeys(
            held, True
        )
        assert all(not t.problem for t in seen.targets)
        assert seen.plans is not None
        assert ours.create_snapshot(sim.nas.shares[0].name)


def test_a_stopped_replication_package_is_no_absence_of_plans(
    sim: Simulator, tmp_path: Path
) -> None:
    """Plans that are offered and cannot be listed are unknown, not none (P8)."""
    sim.nas.replication = "stopped"
    with opened(sim, tmp_path) as ours:
        assert Observer("box", ours).whole(lambda *_: True).plans is None


def test_one_time_codes_are_never_sent_twice(sim: Simulator, tmp_path: Path) -> None:
    """Two sign-ins within one window wait for the next: DSM refuses a code it has seen."""
    sim.nas.otp_seed = "JBSWY3DPEHPK3PXP"
    sim.nas.clock.speed = 0.0
    for _ in range(2):
        with opened(sim, tmp_path, otp_seed="JBSWY3DPEHPK3PXP") as ours:
            assert ours.read_share(sim.nas.shares[0].uuid) is not None


def test_a_reader_sends_no_write(sim: Simulator, tmp_path: Path) -> None:
    """A session opened for reading refuses each writing method before anything is sent."""
    connection = dsm.Connection(
        name="box", url=sim.url, account=sim.nas.account, password=sim.nas.password,
        fingerprints=(sim.fingerprint.removeprefix("sha256:"),), latches=FolderLatches(tmp_path),
    )  # fmt: skip
    with dsm.open_reader(connection, NasClock(sim.nas)) as reader:
        forced = dsm.Writer(reader._session)
        before = sim.http_requests
        with pytest.raises(Refusal):
            forced.create_snapshot("x")
        with pytest.raises(Refusal):
            forced.delete_snapshots("x", ["y"])
        with pytest.raises(Refusal):
            forced.sync_replication("p")
        assert sim.http_requests == before
    assert sim.writes == []
