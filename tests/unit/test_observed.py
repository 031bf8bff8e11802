"""A saved observation: it reads back as what was saved, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from builders import observation, record, replication, share, snap, undated

from reconciler.errors import UserError
from reconciler.mark import Mark
from reconciler.model import BuiltIn, NameForm, RetentionKind
from reconciler.observed import SavedUnit, read, written

_SEEN = replace(
    observation(
        "11-23 12:00",
        share(
            snap("11-23 11:00", locked=True, mark=Mark("erp", due=1_795_600_800, lock=True)),
            snap("11-23 10:00", immutable=True, immutable_until=1_800_000_000, holders=("a", "b")),
            undated(immutability_known=False),
            built_in=BuiltIn(True, "daily", RetentionKind.DAYS, "7"),
            volume_free=5,
        ),
        share(snapshots=None, problem="refused", uuid="u2", name="other"),
        skew=-1.5,
        name_shift=((NameForm.BARE, 3600),),
    ),
    plans=(replication(records=(record("11-23 06:00", success=True, snapshot="x"),)),),
)
_SAVED = (SavedUnit("attic", _SEEN, {"site": "home"}, "Europe/Zurich"), SavedUnit("b", _SEEN))


def test_what_was_saved_reads_back() -> None:
    """Every field of an observation, its plans, marks and unreadable lists included, comes back."""
    text = written(_SAVED, tool_version="1")
    assert read(text, "f") == _SAVED
    assert written(read(text, "f"), tool_version="1") == text


def test_without_plans_it_reads_back() -> None:
    """That plans could not be listed is not the same as that there are none."""
    seen = replace(_SEEN, plans=None, plans_problem="off")
    assert read(written((SavedUnit("a", seen),), tool_version="1"), "f")[0].observation == seen


BROKEN = {
    "no JSON": "{",
    "a list": "[]",
    "another version": '{"format_version": 2, "units": []}',
    "no units": '{"format_version": 1}',
    "deep": "[" * 100_000,
    "a unit without name": '{"format_version": 1, "units": [{}]}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_observation_is_refused(name: str) -> None:
    """A file of another kind or version is one error that says how to save one."""
    with pytest.raises(UserError) as raised:
        read(BROKEN[name], "seen.json")
    assert str(raised.value).startswith("seen.json is no saved observation: ")
    assert raised.value.next_step == "save one: reconcile list shares --save FILE"


@pytest.mark.parametrize(("key", "value"), [
    ("now", "x"), ("now", True), ("now", None), ("targets", {}), ("extra", 1), ("skew", "0"),
    ("limits", {"share": 1}), ("name_shift", [["offset"]]), ("name_shift", [["new", 1]]),
])  # fmt: skip
def test_a_field_of_another_type_is_refused(key: str, value: object) -> None:
    """A field that is missing, unknown or of another type is never guessed at."""
    found = json.loads(written(_SAVED, tool_version="1"))
    found["units"][0]["observation"][key] = value
    with pytest.raises(UserError, match="does not hold what it should"):
        read(json.dumps(found), "f")
