"""Whatever a server sends, only the project's own errors come out, and nothing is guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latches import FolderLatches

from reconciler.dsm import parse, parse_plan
from reconciler.dsm.errors import Family, Incomplete, api_error, credential_error
from reconciler.dsm.latch import Latch
from reconciler.dsm.otp import one_time_code
from reconciler.dsm.redact import redact
from reconciler.dsm.session import Connection, decode, encode
from reconciler.dsm.system import unit_facts
from reconciler.dsm.transport import Answer
from reconciler.dsm.writer import refusals
from reconciler.errors import CredentialError, ReconcilerError
from reconciler.model import RetentionKind

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12)
)
KEYS = (
    "shares", "snapshots", "luns", "plans", "name", "uuid", "time", "total", "count", "lock",
    "worm_lock", "worm_lock_end", "status", "additional", "plan_id", "role", "create_time",
    "locked_app_keys", "sync_report", "recent_records", "begin_time", "op_info", "op_status",
)  # fmt: skip
wire = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=20,
)
PARSERS = (
    parse.shares,
    parse.share_snapshots,
    parse.luns,
    parse.lun_snapshots,
    parse_plan.plans,
)
ROW = {"time": "GMT+01-2026.11.23-12.00.01", "desc": "", "lock": False}


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(answer=wire, parser=st.sampled_from(PARSERS))
def test_nothing_but_our_own_errors_comes_out_of_a_parser(answer: Any, parser: Any) -> None:
    """A parser returns values or raises Incomplete, whatever JSON it is given."""
    try:
        parser(answer)
    except Incomplete:
        return


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(body=st.one_of(st.binary(max_size=60), wire.map(lambda v: json.dumps(v).encode())))
def test_nothing_but_our_own_errors_comes_out_of_an_envelope(body: bytes) -> None:
    """An answer that is not DSM's envelope is an error of our own."""
    try:
        decode(Answer(200, {}, body), "nas")
    except ReconcilerError:
        return


def test_a_listing_must_hold_what_it_says() -> None:
    """`total` that is missing or differs, or one name twice, makes a listing incomplete."""
    assert len(parse.share_snapshots({"snapshots": [ROW], "total": 1})) == 1
    for wrong in (
        {"snapshots": [ROW]},
        {"snapshots": [ROW], "total": 2},
        {"snapshots": [ROW, ROW], "total": 2},
        {"snapshots": [], "total": 1},
    ):
        with pytest.raises(Incomplete):
            parse.share_snapshots(wrong)


def test_strings_are_numbers_and_booleans_where_dsm_sends_them_so() -> None:
    """`"1694528721"` is a number, `"0"` is false, a LUN's status may be an object."""
    row = {**ROW, "worm_lock": "true", "worm_lock_end": "1694528721", "lock": "0"}
    (found,) = parse.share_snapshots({"snapshots": [row], "total": "1"})
    assert (found.immutable, found.immutable_until, found.locked) == (True, 1694528721, False)
    lun = {
        "uuid": "u", "name": "n", "create_time": 1742739365, "is_user_locked": False,
        "locked_app_keys": [], "status": {"type": "Healthy"},
    }  # fmt: skip
    (snapshot,) = parse.lun_snapshots({"snapshots": [lun], "count": 1})
    assert snapshot.healthy


def test_a_lun_snapshot_that_does_not_say_what_holds_it_is_not_trusted() -> None:
    """Without `locked_app_keys` nothing is decided on a LUN."""
    row = {"uuid": "u", "name": "n", "create_time": 1, "is_user_locked": False, "status": "Healthy"}
    with pytest.raises(Incomplete):
        parse.lun_snapshots({"snapshots": [row], "count": 1})


def test_the_lower_of_two_limits_counts() -> None:
    """Of a limit and its `_v2` figure the lower one is used; an absent one is unknown."""
    define = {"max_snapshots_per_share": "1024", "max_snapshots_per_share_v2": 512}
    facts = unit_facts([{}, {}, define, {}], None)
    assert (facts.limits.share, facts.limits.lun) == (512, None)


def test_partial_failures_of_both_shapes() -> None:
    """Refusals inside `success: true` are read by name; an unknown shape counts for all."""
    assert refusals([{"a": 3350}], ["a", "b"], Family.SHARE)["b"] == ""
    assert "immutable" in refusals({"a": 3350}, ["a"], Family.SHARE)["a"]
    assert refusals([], ["a"], Family.LUN) == {"a": ""}
    assert refusals(None, ["a"], Family.LUN) == {"a": ""}
    assert all(refusals(["what"], ["a", "b"], Family.SHARE).values())
    assert refusals([{"u": 18990532}], ["u"], Family.LUN) == {"u": ""}


def test_a_code_means_what_its_family_says() -> None:
    """403 is a bad value of a share and a one-time code of a sign-in."""
    assert "value" in str(api_error(Family.SHARE, 403, where="x"))
    assert "one-time code" in str(credential_error("nas", 403))


def test_one_time_codes_are_those_of_the_standard() -> None:
    """The vectors of RFC 6238 for SHA-1, cut to six digits."""
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    vectors = {59: "287082", 1111111109: "081804", 1234567890: "005924", 2000000000: "279037"}
    assert {at: one_time_code(seed, at) for at in vectors} == vectors


def test_names_stay_names() -> None:
    """Every value travels as JSON, so that a share called 2024 or true is no number."""
    assert (encode("2024"), encode("true"), encode('a"ü')) == ('"2024"', '"true"', '"a\\"ü"')


def test_the_latch(tmp_path: Path) -> None:
    """A refusal holds until the credential changes; 404 at the second, 407 for a day."""
    latch = Latch(FolderLatches(tmp_path), "nas", "secret-one")
    assert latch.closed(0) is None
    latch.refuse(400, 0)
    assert isinstance(latch.closed(10**9), CredentialError)
    assert Latch(FolderLatches(tmp_path), "nas", "secret-two").closed(0) is None
    assert Latch(FolderLatches(tmp_path), "other", "secret-one").closed(0) is None
    latch.clear()
    latch.refuse(404, 0)
    assert latch.closed(0) is None
    latch.refuse(404, 0)
    assert latch.closed(0) is not None
    latch.refuse(407, 0)
    assert latch.closed(86_399) is not None
    assert latch.closed(86_400) is None
    assert "secret-one" not in (tmp_path / "nas.latch").read_text(encoding="utf-8")


def test_secrets_are_blanked_in_events_and_not_shown_by_a_connection() -> None:
    """A log event and a connection's repr hold no secret."""
    event = redact(None, "info", {"passwd": "hunter2", "url": "a?_sid=hunter2&x=1", "n": [1]})
    assert "hunter2" not in str(event)
    latches = FolderLatches(Path("hunter2"))
    secrets = ("hunter2", "hunter2", "hunter2")
    shown = repr(Connection("nas", "https://x", "me", *secrets, latches=latches))
    assert "hunter2" not in shown


def test_secrets_are_blanked_at_any_depth() -> None:
    """A secret inside a list, an object or a text of form, JSON or header is blanked."""
    event = {
        "calls": [{"_sid": "hunter2"}, ("a", {"did": "hunter2"})],
        "form": {"Cookie": "id=hunter2", "name": "x"},
        "text": 'otp_code=hunter2&x=1 {"synotoken": "hunter2"} X-SYNO-TOKEN: hunter2',
    }
    shown = str(redact(None, "info", dict(event)))
    assert "hunter2" not in shown
    assert "'name': 'x'" in shown


REFUSED = "DSM answered with a list of failures that is not known"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([{"a": "3350"}], {"a": "refused without a code", "b": ""}),
        ([{}], {"a": REFUSED, "b": REFUSED}),
        (["a"], {"a": REFUSED, "b": REFUSED}),
        ([{"c": 3350}], {"a": REFUSED, "b": REFUSED}),
        ({"a": 0}, {"a": "", "b": ""}),
        ({"b": 99999}, {"a": "", "b": "refused (DSM 99999)"}),
    ],
)
def test_what_was_refused_inside_a_success(answer: Any, expected: dict[str, str]) -> None:
    """An unknown list of failures counts against everything that was asked for."""
    assert refusals(answer, ["a", "b"], Family.SHARE) == expected


def share_row(**more: Any) -> dict[str, Any]:
    """Return a list of one snapshot of a share."""
    return {"snapshots": [{**ROW, **more}], "total": 1}


def test_an_immutable_snapshot_without_a_readable_end_stays_immutable() -> None:
    """Without `worm_lock_end` an immutable snapshot has no end that could be waited for."""
    found = parse.share_snapshots(share_row(worm_lock=True, worm_lock_end="soon"))[0]
    assert (found.immutable, found.immutable_until) == (True, None)
    found = parse.share_snapshots(share_row(worm_lock=1, worm_lock_end="1794561104"))[0]
    assert found.immutable_until == 1794561104


@pytest.mark.parametrize("more", [{"lock": "maybe"}, {"lock": 2}, {"lock": None}, {"time": 1.5}])
def test_a_lock_that_cannot_be_read_is_never_taken_for_none(more: dict[str, Any]) -> None:
    """Attributes of another type than any known make the whole listing unreadable."""
    with pytest.raises(Incomplete):
        parse.share_snapshots(share_row(**more))


def test_texts_and_numbers_in_other_dress() -> None:
    """A name of digits may come as a number, a number as a whole float; nothing else is read."""
    found = parse.shares({"shares": [{"name": 2024, "uuid": "u"}], "total": 1.0})
    assert found[0].name == "2024"
    with pytest.raises(Incomplete):
        parse.shares({"shares": [{"name": "a", "uuid": "u"}], "total": 2})
    with pytest.raises(Incomplete):
        parse.luns({"luns": [{"name": "a", "uuid": "u"}, {"name": "b", "uuid": "u"}]})
    with pytest.raises(Incomplete):
        parse.lun_snapshots({"snapshots": [], "count": 1})


@pytest.mark.parametrize(
    ("bits", "kind"),
    [
        (0, RetentionKind.NONE),
        (1 << 31, RetentionKind.KEEP_ALL),
        (-(1 << 31), RetentionKind.KEEP_ALL),
        (20, RetentionKind.LATEST),
        (64 | 32, RetentionKind.DAYS),
        ("128", RetentionKind.ADVANCED),
        (256, RetentionKind.UNKNOWN),
    ],
)
def test_which_retention_dsm_runs(bits: Any, kind: RetentionKind) -> None:
    """`policyType` is a set of bits; one that is not known counts as pruning."""
    assert parse.retention({"policyType": bits})[0] is kind
    assert kind.prunes is (kind not in (RetentionKind.NONE, RetentionKind.KEEP_ALL))


def test_a_limit_that_is_no_number_is_unknown() -> None:
    """A limit in words is as unknown as one that is not there, and never fails the unit."""
    found = unit_facts([{}, {}, {"max_snapshots_per_share": "many"}, {}], None)
    assert found.limits.share is None


@pytest.mark.parametrize("odd", [10**14, 1_742_739_365_000, -5])
def test_a_time_that_no_clock_shows_is_unreadable(odd: int) -> None:
    """An absurd time of one snapshot is no time at all, and no reason to lose its unit."""
    row = {
        "uuid": "s",
        "name": "n",
        "create_time": odd,
        "status": "Healthy",
        "is_user_locked": False,
        "locked_app_keys": [],
    }
    (lun,) = parse.lun_snapshots({"snapshots": [row], "count": 1})
    assert lun.time is None
    worm = {"time": "GMT+01-2025.03.23-15.17.39", "desc": "", "lock": False, "worm_lock": True,
            "worm_lock_end": str(odd)}  # fmt: skip
    (share,) = parse.share_snapshots({"snapshots": [worm], "total": 1})
    assert (share.immutable, share.immutable_until) == (True, None)
