"""The command against a DSM that is not this project's own, in every plausible variation."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from jsonschema import Draft202012Validator
from latches import FolderLatches
from other_dsm import OtherDsm, certificate, fingerprint, served
from other_state import (
    Clock,
    Lun,
    LunSnapshot,
    Plan,
    Share,
    ShareSnapshot,
    State,
    Ways,
    hourly,
    named,
)

from reconciler import dsm
from reconciler.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

NOON: Final = datetime.fromisoformat("2026-11-25T12:00:04+01:00").timestamp()
HOURS: Final = 9
POLICIES: Final = """\
version: 1
defaults: {timezone: Europe/Zurich}
policies:
  - {name: all, shares: ["*"], every: 1h, keep: {last: 8}, lock: {newest: 1}}
  - {name: pinned, priority: 1, shares: ["2024"], every: 1h, keep: {last: 8}, immutable: 1d}
  - {name: files, priority: 1, shares: [files], every: 1h, keep: {last: 8},
     replicate: {every: 6h}}
  - {name: disks, luns: ["*"], every: 1h, keep: {last: 8}}
"""


def marks(policy: str) -> list[str]:
    """Return the marks of the hours before noon, 11:00 the last (UTC is an hour behind)."""
    return [f"[reconciler/{policy} 20261125T{hour:02}00Z]" for hour in range(11 - HOURS, 11)]


def furnished(ways: Ways) -> State:
    """Return a NAS as somebody has it: shares of every kind, LUNs, two replication plans."""
    state = State(Clock(NOON), ways)
    projects, pinned, files = Share("Projekte & Büro"), Share("2024"), Share("files")
    state.shares = [
        projects,
        Share("media", "/volume3", supports=False),
        pinned,
        Share("usbshare1", "/volumeUSB1/usbshare", supports=False, usb=True),
        Share("vault", encryption=1, unmounted=True, supports=ways.locked_share != "unsupported"),
        files,
        Share("dr-copy"),
    ]
    for share, policy in ((projects, "all"), (pinned, "pinned"), (files, "files")):
        hourly(state, share, marks(policy))
    morning = NOON - 86_400
    projects.snapshots += [
        ShareSnapshot(named(morning, ways), "before the upgrade", lock=True),
        ShareSnapshot(named(morning + 60, ways), "Scheduled snapshot taken by [HQ-NAS]",
                      lock=False, scheduled=True),
        ShareSnapshot(named(morning + 120, ways), "", lock=False, hide=True),
    ]  # fmt: skip
    copy = next(share for share in state.shares if share.name == "dr-copy")
    copy.snapshots.append(ShareSnapshot("GMT-05-2026.11.24-11.15.01", "", lock=False))
    synced = [(files.snapshots[2].name, int(NOON) - 7 * 3600, int(NOON) - 7 * 3600 + 20)]
    state.plans = [
        Plan("files", main=True, records=synced),
        Plan("dr-copy", main=False, records=[(copy.snapshots[0].name, 1764000901, 1764000940)]),
    ]
    state.luns = [Lun("vm-1", 6), Lun("thick", 7, "BLUN_THICK"), Lun("win11", 8, "VDISK_BLUN")]
    for lun in state.luns[::2]:
        for back, text in enumerate(reversed(marks("disks")), start=1):
            lun.taken += 1
            moment = int(NOON) - back * 3600
            name = f"rec-{text[-15:-1]}-{lun.uuid[:8]}"
            lun.snapshots.append(LunSnapshot(name, moment, lun.taken, text, taken_by="reconciler"))
    state.luns[0].snapshots.append(
        LunSnapshot("SnapShot-1", int(NOON) - 90_000, 99, app_keys=("SnapshotReplication-x",))
    )
    if not ways.shares_known:
        state.shares, state.plans = [], []
    return state


@dataclass
class Ran:
    """One run of the command."""

    code: int
    out: str
    err: str


@dataclass
class Place:
    """A folder that holds reconciler.yaml, policies/ and a password, and the NAS it names."""

    dsm: OtherDsm
    url: str
    folder: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Ran:
        """Run `reconcile` here."""
        code = main(list(arguments))
        printed = self.capture.readouterr()
        return Ran(code, printed.out, printed.err)


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one certificate for all: it takes a while."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def at_home(
    tmp_path: Path, pem: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., AbstractContextManager[Place]]:
    """Return a function that serves a NAS and writes the two files and the password for it."""

    @contextmanager
    def home(state: State, *, tls: bool = True) -> Iterator[Place]:
        other = OtherDsm(state)
        with served(other, pem if tls else None) as url:
            trust = f'    tls: {{fingerprint: ["{fingerprint(pem)}"]}}\n' if tls else ""
            (tmp_path / "reconciler.yaml").write_text(
                f"version: 1\nnas:\n  other:\n    url: {url}\n    account: {state.account}\n"
                f"    password: {{file: password}}\n{trust}",
                encoding="utf-8",
            )
            (tmp_path / "policies").mkdir()
            policies = POLICIES if state.ways.san else POLICIES[: POLICIES.index("  - {name: di")]
            (tmp_path / "policies" / "all.yaml").write_text(policies, encoding="utf-8")
            (tmp_path / "password").touch(mode=0o600)
            (tmp_path / "password").write_text(state.password, encoding="utf-8")
            monkeypatch.chdir(tmp_path)
            monkeypatch.setattr("reconciler.dsm.SystemClock", lambda: state.clock)
            yield Place(other, url, tmp_path, capsys)

    return home


def assert_three_commands(place: Place) -> dict[str, Any]:
    """Plan without writing, apply, and plan again: nothing is left. Return the first plan."""
    schema = json.loads(place.run("schema", "plan").out)
    looked = place.run("--dry-run", "-o", "json")
    assert looked.code == 0, looked.err
    document: dict[str, Any] = json.loads(looked.out)
    Draft202012Validator(schema).validate(document)
    assert place.dsm.writes == [], "a dry run writes nothing"
    assert place.dsm.sessions == {}, "and signs out"
    applied = place.run("--yes")
    assert applied.code == 0, applied.out + applied.err
    assert place.dsm.sessions == {}
    again = place.run("--dry-run", "--detailed-exitcode")
    assert again.code == 0, again.out + again.err
    assert place.dsm.sessions == {}
    return document


WAYS: Final[dict[str, Ways]] = {
    "usual": Ways(),
    "no compound": Ways(compound=False),
    "ten members, else refused": Ways(compound_limit=10),
    "ten members, else cut": Ways(compound_limit=10, compound_cut=True),
    "no SAN Manager": Ways(san=False),
    "no Snapshot Replication": Ways(replication=False),
    "a sign-in of version 6 at auth.cgi": Ways(auth_version=6, auth_path="auth.cgi"),
    "limits refused, volumes absent, no network": Ways(
        define="refused", volumes="absent", network=False
    ),
    "limits ignored, volumes refused, paths padded": Ways(
        define="ignored", volumes="refused", padded_paths=True
    ),
    "limits as texts, chunks, strange keys": Ways(
        define="texts", framing="chunked", strange_keys=True
    ),
    "no Retention, no snapshot_info": Ways(retention=False, snapshot_info=False),
    "session by cookie alone": Ways(carrier="cookie"),
    "session by parameter alone": Ways(carrier="param", token_required=True),
    "ruuid refused": Ways(refused_keys=frozenset({"ruuid"})),
    "worm_lock refused": Ways(refused_keys=frozenset({"worm_lock"})),
    "newer keys of a share refused": Ways(
        refused_keys=frozenset({"is_c2_share", "is_cold_storage_share"})
    ),
    "numbers and truths in other types": Ways(
        loose_types=True, lists_backwards=True, deletes_answer="empty", lun_schedules_bare=False
    ),
    "slow to list": Ways(slow=2.0),
    "Kathmandu, spelled out": Ways(zone="Asia/Kathmandu", names="compact"),
    "Kolkata, with a dot": Ways(zone="Asia/Kolkata", names="dotted"),
    "UTC without offset, no snapshot_info": Ways(names="utc", snapshot_info=False),
    "Kolkata, half an hour off": Ways(zone="Asia/Kolkata", names="truncated"),
    "local time without offset": Ways(names="local"),
}


@pytest.mark.parametrize("name", WAYS)
def test_another_dsm_converges(
    name: str, at_home: Callable[..., AbstractContextManager[Place]]
) -> None:
    """Whatever a DSM does differently: a valid plan, one pass that does it, and then nothing."""
    with at_home(furnished(WAYS[name])) as place:
        assert_three_commands(place)


@pytest.mark.parametrize("calls", [1, 4, 9, 14, 21, 30])
def test_a_session_that_ends_after_any_call(
    calls: int, at_home: Callable[..., AbstractContextManager[Place]]
) -> None:
    """A session that is gone after any number of calls is opened once more, and all is done."""
    code = (106, 119)[calls % 2]
    with at_home(furnished(Ways(expires_after=calls, expires_code=code))) as place:
        assert_three_commands(place)
        assert place.dsm.logins <= 6, "once more for each of the three commands"


def test_an_unmounted_share_is_unknown_and_the_rest_is_done(
    at_home: Callable[..., AbstractContextManager[Place]],
) -> None:
    """A share that cannot be read is told with exit 1 and left alone; nothing else waits for it."""
    with at_home(furnished(Ways(locked_share="refused"))) as place:
        assert place.run("--yes").code == 1
        assert all(share.snapshots == [] for share in place.dsm.state.shares if share.unmounted)
        again = place.run("--dry-run", "--detailed-exitcode", "-o", "json")
        assert again.code == 1, "unknown, never compliant"
        unit = json.loads(again.out)
        states = {target["name"]: target["state"] for target in unit["targets"]}
        assert states["vault"] == "unknown"
        assert [action for target in unit["targets"] for action in target["actions"]] == []
        assert place.dsm.sessions == {}


def test_a_model_with_luns_alone(at_home: Callable[..., AbstractContextManager[Place]]) -> None:
    """A NAS that offers no shares (DSM UC) is planned and reconciled for its LUNs."""
    with at_home(furnished(Ways(shares_known=False))) as place:
        document = assert_three_commands(place)
        assert {target["kind"] for target in document["targets"]} == {"lun"}


def test_plain_http_on_loopback(at_home: Callable[..., AbstractContextManager[Place]]) -> None:
    """A NAS on this machine's own port may be reached without TLS, one connection for each call."""
    with at_home(furnished(Ways(framing="close")), tls=False) as place:
        assert_three_commands(place)


def test_a_right_that_is_missing_for_good(
    at_home: Callable[..., AbstractContextManager[Place]],
) -> None:
    """A 105 that a fresh sign-in does not cure is told once: no loop, no session left behind."""
    with at_home(furnished(Ways(denied=frozenset({"SYNO.DR.Plan"})))) as place:
        ran = place.run("--yes", "--verbose")
        assert place.dsm.sessions == {}, "the session that lived on is signed out too"
        assert place.dsm.logins == 2
        assert not any(call.method == "delete" for call in place.dsm.writes), ran.out


@pytest.mark.parametrize("known", [True, False], ids=["snapshot_info", "no snapshot_info"])
def test_two_hundred_shares_in_twelve_requests(
    known: bool, at_home: Callable[..., AbstractContextManager[Place]]
) -> None:
    """Reading 200 shares takes at most twelve requests after the sign-in, whatever DSM knows."""
    state = furnished(Ways(snapshot_info=known))
    state.shares += [Share(f"share {number}") for number in range(200)]
    with at_home(state) as place:
        assert place.run("--dry-run").code == 0
        assert place.dsm.requests <= 12


def test_a_small_limit_of_members_is_learnt_once(
    at_home: Callable[..., AbstractContextManager[Place]],
) -> None:
    """A NAS that takes ten members at once is not asked for more again and again."""
    state = furnished(Ways(compound_limit=10))
    state.shares += [Share(f"share {number}") for number in range(60)]
    with at_home(state) as place:
        assert place.run("--dry-run").code == 0
        assert place.dsm.requests < 66 * 2 / 6 + 10


@contextmanager
def signed_in(other: OtherDsm, url: str, folder: Path, **more: Any) -> Iterator[dsm.Writer]:
    """Hand out this project's client, signed in."""
    connection = dsm.Connection(
        name="other",
        url=url,
        account=other.state.account,
        password=other.state.password,
        latches=FolderLatches(folder),
        **more,
    )
    with dsm.open_writer(connection, other.state.clock) as writer:
        yield writer


def test_the_ten_documented_calls(tmp_path: Path) -> None:
    """Each of the ten calls, by its own name, does on another DSM what is documented."""
    other = OtherDsm(furnished(Ways()))
    share, lun = other.state.shares[0], other.state.luns[0]
    with served(other, None) as url, signed_in(other, url, tmp_path) as client:
        listed = client.list_snapshots(share.name, additional_attribute=["desc", "worm_lock"])
        assert listed["total"] == len(listed["snapshots"]) == len(share.snapshots)
        hidden = client.list_snapshots(share.name, attribute_filter=["!hide==true"])
        assert hidden["total"] == listed["total"] - 1
        assert set(hidden["snapshots"][0]) == {"time"}
        name = client.create_snapshot(share.name, description="by hand", immutable=True)
        made = share.snapshots[-1]
        assert (made.name, made.desc, made.lock, made.worm_days) == (name, "by hand", False, 7)
        client.set_snapshot_attr(share.name, name, lock=True)
        assert (made.desc, made.lock) == ("by hand", True)
        first = share.snapshots[0].name
        assert client.delete_snapshots(share.name, [first, name]) == [{name: 3350}]
        assert first not in [snapshot.name for snapshot in share.snapshots]
        assert len(client.list_luns()["luns"]) == 3
        assert len(client.list_luns(types=["BLUN"])["luns"]) == 1
        assert client.list_snapshots_lun(lun.uuid)["count"] == len(lun.snapshots)
        taken = client.create_snapshot_lun(lun.uuid, description="", lock=False, app_aware=False)
        found = next(s for s in lun.snapshots if s.uuid == taken["snapshot_uuid"])
        assert (found.locked, found.taken_by) == (False, "reconciler")
        held = next(s.uuid for s in lun.snapshots if s.app_keys)
        assert client.delete_snapshots_lun([found.uuid, held]) == [{held: 18990540}]
        plan = client.list_replication_plans()["plans"][0]
        assert plan["additional"]["topology"]["target"]["target_id"] == "files"
        client.sync_replication(plan["plan_id"], lock_snapshot=False, description="asked")
        assert other.state.plans[0].running is not None
        assert other.state.share("files").snapshots[-1].desc == "asked"  # type: ignore[union-attr]
    assert other.sessions == {}


SEED: Final = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def test_codes_from_a_seed_are_accepted_and_sent_once(tmp_path: Path) -> None:
    """A second sign-in within the same half minute waits for the next code."""
    other = OtherDsm(furnished(Ways(seed=SEED)))
    with served(other, None) as url:
        for _ in range(2):
            with signed_in(other, url, tmp_path, otp_seed=SEED) as client:
                assert client.list_luns()["luns"]
    assert (other.logins, len(other.used_codes)) == (2, 2)
    assert other.sessions == {}


@pytest.mark.parametrize("seed", ["", SEED], ids=["token alone", "token and seed"])
def test_a_trusted_device_needs_no_code(seed: str, tmp_path: Path) -> None:
    """A device token signs in without a code, under the device name it was made for."""
    other = OtherDsm(furnished(Ways(seed=SEED)), devices={"snapshot-reconciler": "63Leh5"})
    with (
        served(other, None) as url,
        signed_in(other, url, tmp_path, device_token="63Leh5", otp_seed=seed) as client,
    ):
        assert client.list_luns()["luns"]
    assert (other.logins, other.used_codes, other.sessions) == (1, set(), {})


def test_a_forgotten_device_signs_in_with_a_code(tmp_path: Path) -> None:
    """A device token that DSM no longer knows falls back to a code where there is a seed."""
    other = OtherDsm(furnished(Ways(seed=SEED)))
    with (
        served(other, None) as url,
        signed_in(other, url, tmp_path, device_token="old", otp_seed=SEED) as client,
    ):
        assert client.list_luns()["luns"]
    assert len(other.used_codes) == 1
