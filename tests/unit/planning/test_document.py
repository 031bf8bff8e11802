"""The plan document: its form, its order, its digests."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from reconciler.model import Finding, Kind, Place, Severity, Snapshot
from reconciler.planning import digest, document
from reconciler.planning.plan import (
    Action,
    SetAttributes,
    SnapshotVerdict,
    State,
    Stop,
    TargetPlan,
    Verdict,
    Why,
)

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tests" / "golden"))

import plans  # noqa: E402  the builders are shared with the golden tests

SCHEMA = json.loads((ROOT / "schemas" / "plan.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def written(*units: Any, revision: str = "") -> dict[str, Any]:
    """Return the document of a plan, checked against the published schema."""
    found = document.to_document(plans.plan(*units, revision=revision), tool_version="0.1.0")
    VALIDATOR.validate(found)
    return found


def target_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one target of a document."""
    return next(target for target in found["targets"] if target["name"] == name)


def test_the_schema_is_a_valid_one() -> None:
    """The published schema is itself valid Draft 2020-12."""
    Draft202012Validator.check_schema(SCHEMA)


def test_every_object_of_the_schema_is_closed_and_explained() -> None:
    """Every object of the schema has a title, a description and no further properties."""
    objects = [SCHEMA, SCHEMA["properties"]["tool"], *SCHEMA["$defs"].values()]
    for schema in objects:
        assert schema["title"]
        assert schema["description"]
        assert schema["additionalProperties"] is False
        assert set(schema["required"]) == set(schema["properties"])
        for value in schema["properties"].values():
            assert value.get("description")


def test_the_schema_names_every_state_and_stop() -> None:
    """A state or a stop that the code knows and the schema does not would break every reader."""
    target, action = SCHEMA["$defs"]["target"], SCHEMA["$defs"]["action"]
    assert target["properties"]["state"]["enum"] == [str(state) for state in State]
    assert action["properties"]["stopped_by"]["enum"] == [None, *(str(stop) for stop in Stop)]
    causes = SCHEMA["$defs"]["waiting"]["properties"]["cause"]["items"]["enum"]
    assert causes == sorted(set(digest.CAUSES.values()))


@pytest.mark.parametrize(
    "unit",
    [
        plans.attic(),
        plans.company(),
        plans.unread(),
        plans.suspended(),
        plans.settled(),
        plans.hostile(),
    ],
    ids=lambda unit: unit.nas,
)
def test_every_plan_fits_the_schema(unit: Any) -> None:
    """Each plan that can be rendered is a valid document."""
    assert written(unit)["units"][0]["nas"] == unit.nas


def test_the_schema_refuses_a_deletion_without_its_snapshot() -> None:
    """A document whose deletion names no snapshot is invalid."""
    found = written(plans.attic())
    deletion = next(a for a in target_of(found, "photos")["actions"] if a["verb"] == "delete")
    deletion["snapshot"] = None
    with pytest.raises(ValidationError):
        VALIDATOR.validate(found)


def test_keys_stand_in_the_published_order() -> None:
    """The top of the document reads in the order of the interface, the bulk last."""
    assert list(written(plans.attic())) == [
        "format_version",
        "created_at",
        "tool",
        "policy_revision",
        "policies",
        "digest",
        "units",
        "targets",
    ]


def test_the_same_plan_is_the_same_bytes_apart_from_its_creation() -> None:
    """Neither the order of reading nor the moment of writing changes the document."""
    unit = plans.attic()
    turned = replace(
        unit,
        targets=tuple(
            replace(t, snapshots=tuple(reversed(t.snapshots))) for t in reversed(unit.targets)
        ),
    )
    first = plans.plan(unit, plans.unread())
    second = replace(plans.plan(plans.unread(), turned), created_at=first.created_at + 60)
    one = document.to_document(first, tool_version="0.1.0")
    two = document.to_document(second, tool_version="0.1.0")
    assert one["created_at"] != two["created_at"]
    two["created_at"] = one["created_at"]
    assert document.dumps(one) == document.dumps(two)


def test_the_digest_covers_all_but_the_creation_and_itself() -> None:
    """Anyone can compute the digest again from the document alone."""
    found = written(plans.attic())
    rest = {key: value for key, value in found.items() if key not in ("created_at", "digest")}
    assert found["digest"] == digest.of(rest)
    assert written(plans.settled())["digest"] != found["digest"]
    assert written(plans.attic(), revision="a")["digest"] != found["digest"]


def test_times_are_written_in_utc() -> None:
    """Every instant of the document is UTC to the second."""
    found = written(plans.attic())
    assert found["created_at"] == "2026-11-23T11:00:03Z"
    documents = target_of(found, "documents")
    assert documents["next_due"] == "2026-11-23T15:00:00Z"
    assert [s["time"] for s in documents["snapshots"]] == [
        "2026-11-15T11:00:01Z",
        "2026-11-23T07:00:01Z",
    ]
    assert documents["snapshots"][1]["expires_not_before"] == "2026-11-30T07:00:01Z"


def test_ids_are_stable() -> None:
    """An action's id names the kind, the target, the verb and the action's object."""
    found = written(plans.attic())
    ids = [action["id"] for action in target_of(found, "documents")["actions"]]
    assert ids == [
        "share/uuid-of-documents/create/20261123T1100Z",
        "share/uuid-of-documents/delete/GMT+01-2026.11.15-12.00.01",
        "share/uuid-of-documents/sync/a3e1",
    ]
    lun = [action["id"] for action in target_of(found, "vmware-ds1")["actions"]]
    victim = plans.lun_snapshot("2026-10-25T00:00")
    assert lun[1] == f"lun/uuid-of-vmware-ds1/delete/{victim.uuid}"
    assert len(set(lun)) == len(lun)


def test_parameters_say_what_the_change_needs() -> None:
    """The parameters of each verb carry everything that is sent to the NAS."""
    found = written(plans.attic())
    created, deleted, synced = (a["parameters"] for a in target_of(found, "documents")["actions"])
    assert created == {
        "due": "2026-11-23T11:00:00Z",
        "name": None,
        "description": "[reconciler/documents 20261123T1100Z]",
        "lock": False,
        "immutable_days": 7,
        "application_consistent": False,
    }
    assert deleted == {"early": False}
    assert synced == {
        "due": "2026-11-23T11:00:00Z",
        "plan_id": "a3e1",
        "destination": "cellar",
        "lock_synced": False,
        "send_encrypted": True,
    }
    unlocked = target_of(found, "photos")["actions"][1]["parameters"]
    assert unlocked == {"lock": False, "description": "[reconciler/photos 20261122T1700Z]"}


def test_waiting_deletions_stand_under_the_digest_of_their_sorted_list() -> None:
    """The list of serial, target uuid and snapshot decides the digest, and nothing else does."""
    unit = plans.attic()
    expected = sorted(
        [plans.SERIAL, "uuid-of-vmware-ds1", action.snapshot.key]
        for action in plans.vmware().victims
        if action.snapshot is not None
    )
    waits = written(unit)["units"][0]["waiting"]
    assert waits == {"digest": digest.of(expected), "count": 24, "cause": ["brake"]}
    other = replace(unit, targets=(plans.vmware(Stop.UNMARKED),))
    assert written(other)["units"][0]["waiting"] == {**waits, "cause": ["unmarked"]}


@pytest.mark.parametrize(
    ("stop", "cause"),
    [
        (Stop.REPLICA_UNIDENTIFIED, "guard"),
        (Stop.UNMARKED, "unmarked"),
        (Stop.SCHEDULED, "first time"),
        (Stop.OTHER_POLICY, "other policy's mark"),
        (Stop.BRAKE_TARGET, "brake"),
        (Stop.BRAKE_UNIT, "brake"),
    ],
)
def test_each_approvable_stop_has_its_cause(stop: Stop, cause: str) -> None:
    """The cause of waiting deletions is written in the words of the interface."""
    assert stop.approvable
    waits = digest.waiting(plans.unit("attic", plans.vmware(stop)))
    assert waits is not None
    assert waits.causes == (cause,)
    assert waits.shown == waits.digest[:8]


def test_several_causes_are_all_named() -> None:
    """Of deletions that wait for different causes no cause is left out."""
    unit = plans.unit("attic", plans.vmware(Stop.UNMARKED), plans.vmware(Stop.BRAKE_UNIT))
    waits = written(unit)["units"][0]["waiting"]
    assert waits["cause"] == ["brake", "unmarked"]
    assert waits["count"] == 48


def test_a_stop_that_is_mended_waits_for_no_approval() -> None:
    """Deletions that a guard without approval stops are in no list that can be approved."""
    mended = [stop for stop in Stop if not stop.approvable]
    assert set(mended) | set(digest.CAUSES) == set(Stop)
    for stop in mended:
        found = written(plans.unit("attic", plans.vmware(stop)))
        assert found["units"][0]["waiting"] is None
        assert target_of(found, "vmware-ds1")["actions"][1]["stopped_by"] == str(stop)


def test_a_unit_without_identity_waits_under_an_empty_serial() -> None:
    """A unit that reported no identity is written with null, and its list names no serial."""
    found = written(replace(plans.attic(), identity=None))
    assert found["units"][0]["serial"] is None
    assert target_of(found, "documents")["serial"] is None
    assert found["units"][0]["waiting"]["count"] == 24


def test_findings_carry_their_place() -> None:
    """A finding in a policy file keeps its position, one on a NAS has none."""
    finding = Finding(
        "contended", Severity.ERROR, "two", "choose", place=Place("policies/a.yaml", 4, 5)
    )
    target = plans.share("both", State.CONTENDED, findings=(finding,))
    unit = plans.unit("attic", target, findings=(Finding("clock-skew", Severity.ERROR, "late"),))
    found = written(unit)
    assert found["targets"][0]["findings"][0]["place"] == {
        "path": "policies/a.yaml",
        "line": 4,
        "column": 5,
    }
    assert found["units"][0]["findings"] == [
        {
            "code": "clock-skew",
            "severity": "error",
            "text": "late",
            "next_step": None,
            "place": None,
        }
    ]


def test_what_a_snapshot_was_is_written_beside_its_action() -> None:
    """An action carries the attributes that make it stale once they differ."""
    odd = Snapshot("by hand", None, "text", locked=True, holders=("k",), healthy=False)
    change = SetAttributes(odd, lock=None, description="other")
    verdict = SnapshotVerdict(odd, True, Verdict.KEEP, (Why("undated", "no time"),))
    target = TargetPlan(
        Kind.SHARE,
        "u",
        "odd",
        State.DRIFTED,
        actions=(Action(change, ()),),
        snapshots=(plans.keep(plans.share_snapshot("2026-11-23T08:00"), "newest"), verdict),
    )
    action = written(plans.unit("attic", target))["targets"][0]
    assert [s["time"] for s in action["snapshots"]] == [None, "2026-11-23T07:00:01Z"]
    assert action["actions"][0]["snapshot"] == {
        "name": "by hand",
        "uuid": None,
        "time": None,
        "description": "text",
        "locked": True,
        "immutable": False,
        "immutable_until": None,
        "scheduled": False,
        "held_by": ["k"],
        "healthy": False,
    }
    assert action["actions"][0]["parameters"] == {"lock": None, "description": "other"}


def test_the_text_is_plain_ascii_with_a_line_end() -> None:
    """What a NAS named cannot steer the terminal that shows the JSON."""
    text = document.dumps(written(plans.hostile()))
    assert text.isascii()
    assert "\x1b" not in text
    assert text.endswith("}\n")
    assert json.loads(text)["targets"][0]["name"].startswith("a\x1b[2J")
