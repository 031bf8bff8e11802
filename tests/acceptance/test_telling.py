"""Messages and pings of real passes, to a local server that stands for the channels."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.notify import channel
from reconciler.notify.ping import Round, ping
from reconciler.simulator import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Place

# Apprise's own plug-ins warn of what they will drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SECRET = "token-of-the-channel"


class Heard(BaseHTTPRequestHandler):
    """Keeps what is posted; answers with the server's `code`."""

    server: Any

    def do_POST(self) -> None:
        """Keep one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.heard.append((self.path, body.decode()))
        self.send_response(self.server.code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def ear() -> Iterator[Any]:
    """Return a server that hears posts."""
    server: Any = HTTPServer(("127.0.0.1", 0), Heard)
    server.heard, server.code = [], 200
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _configure(place: Place, ear: Any, entry: str = "") -> None:
    (place.folder / "channel").touch(mode=0o600)
    (place.folder / "channel").write_text(f"json://127.0.0.1:{ear.server_port}/{SECRET}")
    (place.folder / "hc").touch(mode=0o600)
    (place.folder / "hc").write_text(f"http://127.0.0.1:{ear.server_port}/hc")
    extra = f"notify:\n  - apprise: {{file: channel}}\n{entry}  - healthchecks: {{file: hc}}\n"
    place.configure(extra=extra)


def _told(ear: Any) -> list[tuple[str, str]]:
    found = [json.loads(body) for path, body in ear.heard if path.startswith(f"/{SECRET}")]
    return [(one["title"], one["message"]) for one in found]


def _pinged(ear: Any) -> list[str]:
    return [path for path, _ in ear.heard if path.startswith("/hc")]


def test_a_failure_is_told_once_and_when_it_is_over(place: Place, ear: Any) -> None:
    """Two failing passes are one LATE and one FAILURE message, the next good one their ends."""
    _configure(place, ear)
    place.policy((place.folder / "policies/all.yaml").read_text().replace('"*"', "alpha"))
    place.sim.inject(Fault(kind="error", method="create", code=3328, times=None))
    place.run("--yes")
    first = dict(_told(ear))
    assert set(first) == {"LATE  box/share/alpha", "FAILURE  box/share/alpha"}
    assert "No snapshot of ours yet; promised 2h (policy all)." in first["LATE  box/share/alpha"]
    assert "3328" in first["LATE  box/share/alpha"]
    place.run("--yes")
    assert len(_told(ear)) == 2
    place.sim.clear_faults()
    place.run("--yes")
    assert [title for title, _ in _told(ear)[2:]] == ["RECOVERED  box/share/alpha"] * 2
    assert _pinged(ear) == ["/hc/start", "/hc/fail"] * 2 + ["/hc/start", "/hc"]


def test_a_dry_run_tells_nobody(place: Place, ear: Any) -> None:
    """Neither a message nor a ping leaves a dry run, whatever it finds."""
    _configure(place, ear)
    place.run("--dry-run")
    place.sim.stop()
    place.run("--dry-run")
    assert ear.heard == []


def test_an_unreadable_unit_is_told_with_its_last_reading(place: Place, ear: Any) -> None:
    """UNKNOWN names the cause and when the unit was last read; its targets are not said to end."""
    _configure(place, ear)
    place.run("--yes")
    place.sim.stop()
    place.run("--yes")
    ((title, body),) = _told(ear)
    assert title == "UNKNOWN  box"
    assert "Last read" in body


def test_a_channel_that_refuses_is_told_again(place: Place, ear: Any) -> None:
    """What a channel did not take is sent at the next pass; the pass itself does not suffer."""
    _configure(place, ear)
    place.sim.stop()
    ear.code = 500
    ran = place.run("--yes")
    assert SECRET not in ran.err + ran.out
    ear.heard.clear()
    ear.code = 200
    place.run("--yes")
    assert [title for title, _ in _told(ear)] == ["UNKNOWN  box"]


@pytest.mark.parametrize(
    ("entry", "heard"),
    [
        ("    events: [late, recovered]\n", 0),
        ("    events: [unknown]\n", 1),
        ("    only: [customer=acme]\n", 1),
        ("    only: [customer=other]\n", 0),
    ],
)
def test_events_and_tags_choose_the_channel(place: Place, ear: Any, entry: str, heard: int) -> None:
    """A channel hears the events and the tags it asks for, and no others."""
    _configure(place, ear, entry)
    text = (place.folder / "reconciler.yaml").read_text()
    tagged = text.replace("  box:\n", "  box:\n    tags: {customer: acme}\n")
    (place.folder / "reconciler.yaml").write_text(tagged)
    place.sim.stop()
    place.run("--yes")
    assert len(_told(ear)) == heard


def test_without_apprise_a_configured_channel_is_an_error_before_any_write(
    place: Place, ear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the extra to install; nothing was written to the NAS."""
    _configure(place, ear)
    monkeypatch.setattr(channel.importlib.util, "find_spec", lambda _name: None)
    ran = place.run("--yes")
    assert ran.code == 4
    assert "snapshot-reconciler[notify]" in ran.err
    assert not place.sim.writes


def test_a_ping_raises_nothing_and_follows_nothing(
    ear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect, a refused connection, a proxy set outside and nonsense are just unheard."""
    url = f"http://127.0.0.1:{ear.server_port}/hc"
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert ping(url, "success")
    ear.code = 302
    assert not ping(url, "start")
    assert not ping("http://127.0.0.1:1/x", "fail")
    assert not ping("no address", "fail")
    assert [path for path, _ in ear.heard] == ["/hc", "/hc/start"]


def test_a_round_is_over_when_every_unit_had_its_pass() -> None:
    """One start, one end; one failure among the units makes the round fail."""
    turn = Round()
    assert turn.begins("a")
    assert not turn.begins("b")
    assert turn.ends("a", ("a", "b"), failed=True) is None
    assert not turn.begins("a")
    assert turn.ends("a", ("a", "b"), failed=False) is None
    assert turn.ends("b", ("a", "b"), failed=False) == "fail"
    assert turn.begins("b")
    assert turn.ends("b", ("b",), failed=False) == "success"
