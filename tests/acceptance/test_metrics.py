"""Health and metrics: what is said, to whom, and what bad input comes to."""

from __future__ import annotations

import base64
import socket
from typing import TYPE_CHECKING

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from reconciler.daemon.board import Board, Known, UnitKnown
from reconciler.daemon.metrics import write
from reconciler.daemon.web import Address, Server, address, application
from reconciler.errors import PermanentError, UserError
from reconciler.model import Kind
from reconciler.planning.plan import State, TargetPlan, UnitPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Place

TOKEN = "t0ken-ü"


def _samples(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def _after_a_pass(place: Place) -> dict[str, list[tuple[dict[str, str], float]]]:
    place.run("--yes", "--metrics", "reconciler.prom")
    return _samples((place.folder / "reconciler.prom").read_text(encoding="utf-8"))


def test_a_pass_writes_what_stands_after_it(place: Place) -> None:
    """The file tells each target's state and newest snapshot, and what was done, after the pass."""
    found = _after_a_pass(place)
    states = {(one["target"], one["state"]) for one, _ in found["reconciler_target_state"]}
    assert states == {(name, "compliant") for name in ("alpha", "beta", "gamma")}
    assert [value for _, value in found["reconciler_rpo_seconds"]] == [7200.0] * 3
    assert {value for _, value in found["reconciler_missed_due_times"]} == {0.0}
    actions = [({"nas": "box", "verb": "create", "result": "done"}, 3.0)]
    assert found["reconciler_actions_total"] == actions
    ours = [v for one, v in found["reconciler_snapshots"] if one["class"] == "ours"]
    assert ours == [1.0] * 3
    assert found["reconciler_unit_readable"] == [({"nas": "box"}, 1.0)]
    assert "reconciler_last_successful_pass_timestamp_seconds" in found
    assert sorted(p.name for p in place.folder.glob("*.prom*")) == ["reconciler.prom"]


def test_a_unit_that_cannot_be_read_has_unknown_targets(place: Place) -> None:
    """P16 in metrics: what was promised there is unknown, never compliant, and not absent."""
    _after_a_pass(place)
    place.sim.stop()
    found = _after_a_pass(place)
    states = {(one["target"], one["state"]) for one, _ in found["reconciler_target_state"]}
    assert states == {(name, "unknown") for name in ("alpha", "beta", "gamma")}
    assert found["reconciler_unit_readable"] == [({"nas": "box"}, 0.0)]
    assert "reconciler_last_successful_pass_timestamp_seconds" not in found
    assert "reconciler_last_reading_timestamp_seconds" in found


def test_metrics_of_a_dry_run_are_refused(place: Place) -> None:
    """--metrics with --dry-run is wrong usage: nothing was done that could be told."""
    assert place.run("--dry-run", "--metrics", "x.prom").code == 64


def test_a_metrics_file_that_cannot_be_written_is_told(place: Place) -> None:
    """The pass is done, the exit code is 1 and the message names the file."""
    ran = place.run("--yes", "--metrics", "nowhere/x.prom")
    assert ran.code == 1
    assert "nowhere/x.prom cannot be written" in ran.err


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Return a function that serves a board and returns its address."""
    running: list[Server] = []

    def start(*, token: str = "", board: Board | None = None, still: float = 0.0) -> str:
        at = Address("127.0.0.1", 0, token)
        server = Server(application(board or Board(), lambda: still, at), at)
        server.start()
        running.append(server)
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server in running:
        server.stop()


def test_health_follows_the_loop_and_readiness_the_units(serve: Callable[..., str]) -> None:
    """/healthz fails while the loop stands still, /readyz until every unit has had a pass."""
    assert requests.get(serve() + "/healthz", timeout=9).status_code == 200
    assert requests.get(serve(still=99.0) + "/healthz", timeout=9).status_code == 503
    assert requests.get(serve() + "/readyz", timeout=9).text == "no valid files yet\n"


def test_every_answer_has_the_strict_headers(serve: Callable[..., str]) -> None:
    """Also a refusal and a page that is not there forbid scripts, frames and guessing of types."""
    url = serve()
    for path in ("/healthz", "/metrics", "/nothing"):
        for host in ("localhost", "evil.example"):
            answer = requests.get(url + path, headers={"Host": host}, timeout=9)
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Server" not in answer.headers


def test_on_loopback_only_names_of_this_machine_are_answered(serve: Callable[..., str]) -> None:
    """A web page that has a name pointed here reads nothing."""
    url = serve()
    codes = {
        host: requests.get(url + "/metrics", headers={"Host": host}, timeout=9).status_code
        for host in ("127.0.0.1:1", "localhost", "[::1]:8765", "evil.example", "127.0.0.1.evil.org")
    }
    assert list(codes.values()) == [200, 200, 200, 421, 421]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (b"", 401),
        (b"Bearer " + TOKEN.encode(), 200),
        (b"bearer " + TOKEN.encode(), 200),
        (b"Bearer wrong", 401),
        (b"Bearer", 401),
        (b"Basic " + base64.b64encode(b"anyone:" + TOKEN.encode()), 200),
        (b"Basic " + base64.b64encode(b"anyone:wrong"), 401),
        (b"Basic " + base64.b64encode(TOKEN.encode()), 401),
        (b"Basic %%%", 401),
        (b"Digest " + TOKEN.encode(), 401),
    ],
)
def test_with_a_token_it_is_asked_for(serve: Callable[..., str], header: bytes, code: int) -> None:
    """Bearer, or the password of Basic, opens everything; /healthz is open anyway."""
    url = serve(token=TOKEN)
    headers = {"Authorization": header} if header else {}
    assert requests.get(url + "/metrics", headers=headers, timeout=9).status_code == code
    assert requests.get(url + "/healthz", timeout=9).status_code == 200


def test_beyond_loopback_without_a_token_is_refused() -> None:
    """0.0.0.0 or a name of the network needs `daemon.token`; loopback in any form does not."""
    for listen in ("0.0.0.0:8765", "[::]:8765", "host.example:1"):
        with pytest.raises(UserError):
            address(listen, "")
        assert not address(listen, TOKEN).loopback
    for listen in ("127.0.0.1:1", "[::1]:1", "localhost:1", "127.8.9.1:1"):
        assert address(listen, "").loopback
    assert TOKEN not in repr(address("[::]:1", TOKEN))


def test_a_port_in_use_is_one_sentence() -> None:
    """The error names the address; nothing is left half started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(PermanentError, match="cannot be used"):
            Server(application(Board(), lambda: 0.0, at), at)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /metrics?" + b"a" * 30_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 30_000 + b"\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
        b"GET /%00%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: \xff\r\n\r\n",
    ],
)
def test_bad_input_is_no_error_of_ours(serve: Callable[..., str], request_bytes: bytes) -> None:
    """Path tricks, oversized lines and headers, other methods, broken bytes: never a 5xx."""
    port = int(serve().rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=9) as line:
        line.sendall(request_bytes)
        answer = line.recv(4096)
    assert answer.split(b" ")[1] in {b"200", b"400", b"404", b"405", b"421", b"431"}


def test_names_from_a_nas_stay_in_their_label(tmp_path: Path) -> None:
    """A quote, a line end or a backslash in a name cannot make a metric of its own."""
    name = 'a"} 1\nreconciler_files_valid 0\n\\'
    target = TargetPlan(Kind.SHARE, "u", name, State.LATE)
    plan = UnitPlan("box", 0, "UTC", targets=(target,))
    write(Known({"box": UnitKnown("box", plan=plan)}), tmp_path / "x.prom")
    found = _samples((tmp_path / "x.prom").read_text(encoding="utf-8"))
    assert found["reconciler_files_valid"] == [({}, 1.0)]
    assert found["reconciler_target_state"][0][0]["target"] == name
    assert [path.name for path in tmp_path.iterdir()] == ["x.prom"]
