"""A NAS as a file, and generated ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.simulator import Clock, DocumentError, Nas, generate

if TYPE_CHECKING:
    from pathlib import Path

NOON = "2026-11-24T12:00:00+01:00"


def test_a_generated_nas_survives_its_file(tmp_path: Path) -> None:
    """What is written is read back the same, names and moments included."""
    nas = generate(4, 30, 5, plans=4, clock=Clock.frozen(NOON))
    path = tmp_path / "nas.json"
    path.write_text(json.dumps(nas.to_mapping()))
    assert Nas.from_file(path).to_mapping() == nas.to_mapping()


def test_generation_repeats_itself() -> None:
    """The same seed and clock give the same NAS, another seed another one."""
    first, again, other = (
        generate(3, 20, 2, seed=seed, clock=Clock.frozen(NOON)).to_mapping() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_generated_history_has_every_kind() -> None:
    """A generated NAS has snapshots by hand, scheduled, locked, immutable and hidden."""
    nas = generate(10, 200, 5, plans=4, clock=Clock.frozen(NOON))
    shown = [s for share in nas.shares for s in share.snapshots]
    assert len(shown) == 2000
    for kind in ("scheduled", "locked", "hidden", "immutable_days"):
        assert {bool(getattr(s, kind)) for s in shown} == {True, False}, kind
    assert {(p.role, p.target_type, p.to_local) for p in nas.plans} == {
        (1, 2, False), (1, 2, True), (1, 1, False), (2, 2, False),
    }  # fmt: skip
    assert {lun.type_str for lun in nas.luns} == {"BLUN", "VDISK_BLUN"}


def test_a_short_file_is_enough(tmp_path: Path) -> None:
    """A snapshot needs only its moment; the name follows from the zone."""
    path = tmp_path / "nas.yaml"
    path.write_text(
        "name: hq-1\nzone: Asia/Tokyo\nclock: {at: 2026-11-24T12:00:00+01:00, speed: 0}\n"
        "shares:\n  - name: s\n    snapshots:\n      - at: 2026-11-24T11:00:00+01:00\n"
    )
    nas = Nas.from_file(path)
    assert nas.share("s").snapshots[0].name == "GMT+09-2026.11.24-19.00.00"


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"nam": "x"}, "nam: unknown key; known are "),
        ({"zone": "Mars/Base"}, "zone: 'Mars/Base' is no IANA zone"),
        ({"shares": {}}, "shares: a list is expected, not {}"),
        ({"shares": [{}]}, r"shares\[0\].name: is missing"),
        (
            {"shares": [{"name": "s", "snapshots": [{"at": "2026-11-24T12:00:00"}]}]},
            r"shares\[0\].snapshots\[0\].at: .* has no offset",
        ),
        ({"shares": [{"name": 5}]}, r"shares\[0\].name: str is expected, not 5"),
        ({"idle_timeout": True}, "idle_timeout: float is expected, not True"),
        ({"carriers": "pigeon"}, "carriers: one of both, cookie, param is expected"),
        ({"clock": {"speed": 1}}, "clock: at and speed are expected"),
        ([], r"the file: a mapping is expected, not \[\]"),
    ],
)
def test_a_wrong_file_names_the_key(mapping: Any, message: str) -> None:
    """A refusal begins with the path of the key and states what is wrong."""
    with pytest.raises(DocumentError, match=message):
        Nas.from_mapping(mapping)


def test_an_unreadable_file_names_itself(tmp_path: Path) -> None:
    """A file that is no YAML is refused under its own name."""
    path = tmp_path / "broken.yaml"
    path.write_text("a: [")
    with pytest.raises(DocumentError, match=r"broken\.yaml: cannot be read"):
        Nas.from_file(path)
