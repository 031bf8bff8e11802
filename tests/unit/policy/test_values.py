"""What each key of a policy and of a hold becomes, and what stands in its place without it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.calendar import Period, cron, every
from reconciler.errors import InvalidDocuments, UserError
from reconciler.memory import Seen
from reconciler.planning import belongs
from reconciler.policy import digest
from reconciler.policy.load import load_policies, read_texts
from reconciler.policy.model import (
    Hold,
    Immutable,
    Manage,
    Policy,
    PolicySet,
    Replicate,
    TargetBrakes,
    Window,
)
from reconciler.retention import ALL, Keep, Pick

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.policy.model import Selector

_DAY = 86_400


def _load(folder: Path, text: str) -> PolicySet:
    (folder / "a.yaml").write_text("version: 1\n" + text, encoding="utf-8")
    return load_policies(folder, units=None)


def _policy(folder: Path, *lines: str, targets: str = "shares: [a]") -> Policy:
    body = "".join(f"    {line}\n" for line in ("nas: x", targets, *lines))
    return _load(folder, f"policies:\n  - name: p\n{body}").policies[0]


def _wrong(folder: Path, text: str) -> list[tuple[str, int, str, str, str]]:
    """Return code, line, what stands at the place, fact and cure of each error of a file."""
    with pytest.raises(InvalidDocuments) as raised:
        _load(folder, text)
    found: list[tuple[str, int, str, str, str]] = []
    for one in raised.value.findings:
        if one.severity == "error" and one.place is not None:
            at = one.place
            line = ["", "version: 1", *text.splitlines()][at.line]
            stands = line[max(0, at.column - 1) :][: at.width]
            found.append((one.code, at.line, stands, one.text, one.next_step))
    return found


VALUES: dict[str, tuple[str, Any]] = {
    "formerly: [old, older]": ("formerly", ("old", "older")),
    "priority: -3": ("priority", -3),
    "every: 12h": ("cadence", every("12h")),
    "{every: 1d, at: '02:30'}": ("cadence", every("1d", "02:30")),
    "cron: 0 8 * * 1-5": ("cadence", cron("0 8 * * 1-5")),
    "keep: {last: 3, within: 8d, daily: all, yearly: 0}": (
        "keep", Keep(last=3, within=8 * _DAY, daily=ALL)),
    "keep: {within: 0, last: 1}": ("keep", Keep(last=1)),
    "pick: latest": ("pick", Pick.LATEST),
    "min_keep: 4": ("min_keep", 4),
    "lock: {newest: 5}": ("lock_newest", 5),
    "lock: all": ("lock_newest", ALL),
    "immutable: 1d": ("immutable", Immutable(1)),
    "immutable: 30d": ("immutable", Immutable(30)),
    "immutable: {for: 2d, of: weekly}": ("immutable", Immutable(2, Period.WEEKLY)),
    "rpo: 3d": ("rpo", 3 * _DAY),
    "manage: scheduled": ("manage", Manage.SCHEDULED),
    "brakes: {max_deletes: 7}": ("brakes", TargetBrakes(max_deletes=7)),
    "brakes: {max_delete_percent: 0}": ("brakes", TargetBrakes(max_delete_percent=0)),
    "suspend: true": ("suspended", "by policy"),
    "suspend: false": ("suspended", ""),
    "suspend: rebuilding": ("suspended", "rebuilding"),
    "owner: me": ("owner", "me"),
    "description: what": ("description", "what"),
    "tags: {a: b, n: '1'}": ("tags", {"a": "b", "n": "1"}),
    "timezone: Europe/Zurich": ("timezone", "Europe/Zurich"),
}  # fmt: skip


@pytest.mark.parametrize("line", VALUES)
def test_a_key_becomes_its_value(line: str, tmp_path: Path) -> None:
    """Each key has the value that the language gives it, and its place."""
    lines = line.strip("{}").split(", ") if line[0] == "{" else [line]
    found = _policy(tmp_path, *(one.replace("'", '"') for one in lines))
    name, value = VALUES[line]
    assert getattr(found, name) == value
    key = lines[0].split(":")[0]
    assert str(found.places[key]) == f"{tmp_path}/a.yaml:6"


def test_without_keys_the_defaults_hold(tmp_path: Path) -> None:
    """A policy of nothing but its targets takes nothing, deletes nothing and promises nothing."""
    found = _policy(tmp_path)
    plain = Policy(
        "p", found.place, nas=found.nas, shares=found.shares, places=found.places,
    )  # fmt: skip
    assert found == plain
    assert (found.keep, found.cadence, found.rpo, found.luns) == (None, None, None, None)
    assert str(found.place) == f"{tmp_path}/a.yaml:3"


def test_what_is_promised_without_rpo(tmp_path: Path) -> None:
    """`rpo` is twice the longest gap where it is not said, and nothing with `none`."""
    assert _policy(tmp_path, "every: 12h").rpo == _DAY
    assert _policy(tmp_path, "every: 12h", "rpo: none").rpo is None
    assert _policy(tmp_path, "cron: 0 0 * * 1-5").rpo == 6 * _DAY


def test_luns_may_be_consistent_and_locked(tmp_path: Path) -> None:
    """A LUN's policy takes `consistency` and `lock: all`, and has no shares."""
    found = _policy(tmp_path, "consistency: application", "lock: all", targets="luns: [v]")
    assert (found.consistency, found.locks_all, found.shares) == ("application", True, None)


REPLICATES = {
    "{every: 6h}": Replicate(every("6h"), rpo=43_200),
    "{every: 6h, to: dr}": Replicate(every("6h"), to="dr", rpo=43_200),
    "{every: 6h, plan: '7'}": Replicate(every("6h"), plan="7", rpo=43_200),
    "{every: 6h, lock_synced: true}": Replicate(every("6h"), lock_synced=True, rpo=43_200),
    "{every: 6h, rpo: none}": Replicate(every("6h")),
    "{every: 6h, rpo: 9h}": Replicate(every("6h"), rpo=32_400),
    "{every: 1d, window: '22:30-05:07'}": Replicate(
        every("1d"), window=Window(1350, 307), rpo=2 * _DAY),
}  # fmt: skip


@pytest.mark.parametrize("text", REPLICATES)
def test_replicate_becomes_its_value(text: str, tmp_path: Path) -> None:
    """Each key inside `replicate` has its value, and its promise twice its gap by default."""
    assert _policy(tmp_path, f"replicate: {text}").replicate == REPLICATES[text]


def _entries(selector: Selector | None) -> list[tuple[str, bool, str, bool, str]]:
    assert selector is not None
    return [(p.text, p.negative, p.tag, p.by_uuid, p.written) for p in selector.patterns]


def test_selectors_are_read_entry_by_entry(tmp_path: Path) -> None:
    """A name, a glob, `!…`, a tag of `nas` and a uuid are each read as what they are."""
    (tmp_path / "a.yaml").write_text(
        'version: 1\npolicies:\n  - {name: p, nas: [hq-*, "!hq-lab", site=x, "!site=y"],\n'
        "     shares: [a, {uuid: ABC}, k=v, '!b']}\n", "utf-8",
    )  # fmt: skip
    found = load_policies(tmp_path, units=None).policies[0]
    assert _entries(found.nas) == [
        ("hq-*", False, "", False, "hq-*"), ("hq-lab", True, "", False, "!hq-lab"),
        ("x", False, "site", False, "site=x"), ("y", True, "site", False, "!site=y"),
    ]  # fmt: skip
    assert _entries(found.shares) == [
        ("a", False, "", False, "a"), ("ABC", False, "", True, "{uuid: ABC}"),
        ("k=v", False, "", False, "k=v"), ("b", True, "", False, "!b"),
    ]  # fmt: skip


def _utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type,misc]  # a date's parts


def test_a_hold_becomes_its_value(tmp_path: Path) -> None:
    """A hold's bounds are read in its zone, else its file's, else UTC, or by their own offset."""
    found = _load(tmp_path, """
defaults: {timezone: Europe/Zurich}
policies: [{name: p, nas: x, shares: [a]}]
holds:
  - {name: one, reason: why, nas: x, shares: [a], taken_after: 2026-09-01,
     taken_before: 2026-10-01T08:00, lock: true, review_on: 2027-01-01}
  - {name: two, reason: why, luns: [v], timezone: UTC, taken_after: 2026-09-01}
  - {name: three, reason: why, shares: [a], taken_before: 2026-09-01T00:00+05:00}
""").holds  # fmt: skip
    one, two, three = found
    assert (one.name, one.reason, one.lock) == ("one", "why", True)
    assert (one.taken_after, one.taken_before) == (
        _utc(2026, 8, 31, 22), _utc(2026, 10, 1, 6))  # fmt: skip
    assert one.review_on == _utc(2026, 12, 31, 23)
    assert str(one.place) == f"{tmp_path}/a.yaml:6"
    assert (two.taken_after, two.taken_before, two.lock, two.nas, two.shares) == (
        _utc(2026, 9, 1), None, False, None, None)  # fmt: skip
    assert two.review_on is None
    assert three.taken_before == _utc(2026, 8, 31, 19)


@pytest.mark.parametrize(("time", "covered"), [(9, False), (10, True), (19, True), (20, False)])
def test_a_hold_covers_from_its_first_to_before_its_last_instant(
    time: int, covered: object
) -> None:
    """`taken_after` is inclusive, `taken_before` exclusive; without one that side is open."""
    place = Policy("p", None).place  # type: ignore[arg-type]  # places are not looked at here
    hold = Hold("h", "r", place, taken_after=10, taken_before=20)
    seen = Seen("k", "k", time)
    assert belongs.covered(hold, seen, 0) is covered
    assert belongs.covered(Hold("h", "r", place), seen, 0)


WRONG: dict[str, tuple[str, str, str]] = {
    "every: 1d\n    cron: 0 0 * * *": (
        "two-cadences", "`every` and `cron` stand side by side", "leave one of the two out"),
    "at: '02:30'": (
        "bad-cadence", "`at` goes with `every`, and there is none",
        "write `every: 1d` beside it, or leave it out"),
    "every: 1d\n    at: '25:00'": (
        "bad-cadence", "`at: 25:00` is past 23:59",
        'write `at: "02:30"`, with weeks `at: "sun 02:30"`, or leave it out'),
    "keep: {last: 0}": (
        "keep-empty", "`keep` has no rule left, so it would keep nothing",
        "name what is to stay, or write `keep: null` to delete nothing"),
    "keep: {within: 6m}": (
        "bad-duration", "`6m` is six minutes; for six months write `monthly: 6` or `within: 180d`",
        ""),
    "keep: {within: 40m}": (
        "bad-duration", "`40m` is 40 minutes; for 40 months write `monthly: 40` or `within: 1200d`",
        ""),
    "immutable: 31d": (
        "bad-immutable", "`31d` is not whole days from 1d to 30d, which is what DSM can do",
        "write whole days, such as 7d"),
    "immutable: 36h": (
        "bad-immutable", "`36h` is not whole days from 1d to 30d, which is what DSM can do",
        "write whole days, such as 7d"),
    "replicate: {every: 6h, to: a, plan: '1'}": (
        "two-destinations", "`to` and `plan` stand side by side", "leave one of the two out"),
    "consistency: crash": ("consistency-on-share", "`consistency` is for LUNs", "leave it out"),
    "immutable: {for: 7d, of: daily}\n    pick: latest": (
        "immutable-pick", ("`immutable: {of: …}` pins the first of a period, which "
        "`pick: latest` would not keep"), "leave out `pick: latest`, or `of`"),
    "timezone: Mars/Base": ("bad-zone", "", ""),
    "formerly: [p]": (
        "formerly-in-use", "`formerly` names p, which is a policy of this repository",
        "only a name that is no longer in use can be a former one"),
    "extends: nothing": ("unknown-template", "there is no template `nothing`", ""),
}  # fmt: skip


@pytest.mark.parametrize("lines", WRONG)
def test_what_does_not_go_together_is_told(lines: str, tmp_path: Path) -> None:
    """A value that the language refuses is one error, with the fact and the cure in words."""
    text = f"policies:\n  - name: p\n    nas: x\n    shares: [a]\n    {lines}\n"
    found = _wrong(tmp_path, text)
    code, fact, cure = WRONG[lines]
    assert [(one[0], one[4]) for one in found] == [(code, cure)]
    assert found[0][3] == fact or not fact


WHOLE: dict[str, tuple[str, int, str, str, str]] = {
    "policies: [{name: p, nas: x}]": (
        "no-target", 2, "p", "policy p names neither `shares` nor `luns`",
        "say what it is for: shares: [NAME]"),
    "policies: [{name: p, nas: x, luns: [v], immutable: 7d}]": (
        "immutable-on-lun", 2, "7d",
        ("`immutable` is for shares: no known call makes a LUN snapshot "
        "so"), "put the LUNs into a policy of their own, or write `immutable: null`"),
    "policies: [{name: p, nas: x, luns: [v], lock: {newest: 1}}]": (
        "lock-on-lun", 2, "{newest: 1}",
        "on LUNs `lock` is `all` or nothing: no known call unlocks one",
        "write `lock: all`, or `lock: null`"),
    "templates: {t: {every: 1h}}": (
        "no-policy", 0, "", "{folder} holds no policy",
        "write one: policies/README.md shows how"),
    "policies: [{name: p, nas: x, shares: [a]}]\nholds: [{name: h, reason: r}]": (
        "no-target", 3, "h", "hold h names neither `shares` nor `luns`",
        "say what it protects: shares: [NAME]"),
    "policies: [{name: p, nas: x, shares: [a]}]\n"
    "holds: [{name: h, reason: r, luns: [v], lock: true}]": (
        "lock-on-lun", 3, "true", ("a hold with `lock: true` is for shares: no known call locks a "
        "LUN's"), "leave `lock` out, or hold the LUNs by a hold of their own"),
    "policies: [{name: p, nas: x, shares: [a]}]\nholds: [{name: h, reason: r, shares: [a], "
    "taken_after: 2026-10-01, taken_before: 2026-09-30}]": (
        "empty-span", 3, "2026-09-30", "hold h ends before it begins, so it covers nothing",
        "write a `taken_before` that is after `taken_after`"),
    "policies: [{name: p, nas: x, shares: [a]}]\nholds: [{name: h, reason: r, shares: [a], "
    "taken_after: 1969-12-31}]": (
        "bad-moment", 3, "1969-12-31",
        ("`1969-12-31` is not between 1970 and 2999; write the year the "
        "snapshots were taken in"), ""),
    "policies: [{name: p, nas: x, shares: [a]}, {name: p, nas: x, shares: [b]}]": (
        "duplicate-name", 2, "p", "policy p exists twice; also at {file}:2",
        "rename one of the two"),
}  # fmt: skip


@pytest.mark.parametrize("text", WHOLE)
def test_a_mistake_across_keys_is_told_at_its_place(text: str, tmp_path: Path) -> None:
    """What a whole policy or hold lacks or cannot have is told at the line and column of it."""
    found = _wrong(tmp_path, text)
    code, line, stands, fact, cure = WHOLE[text]
    fact = fact.replace("{file}", f"{tmp_path}/a.yaml").replace("{folder}", str(tmp_path))
    assert found == [(code, line, stands, fact, cure)]


TIES = {
    "both by name": ("x", "[a]", "x", "[A]", 2),
    "by uuid": ("x", "[{uuid: AB}]", "x", "[{uuid: ab}]", 2),
    "one by a glob": ("x", "[a]", "x", "[a*]", 0),
    "on two units": ("x", "[a]", "y", "[a]", 0),
    "a name that one takes out again": ("x", "[a, '!a*']", "x", "[a]", 0),
    "a unit by a glob": ("x*", "[a]", "xy", "[a]", 2),
}


@pytest.mark.parametrize("name", TIES)
def test_two_policies_that_name_one_target_are_a_tie(name: str, tmp_path: Path) -> None:
    """Of one priority, two that name a target outright on one unit are told at both lines."""
    nas, shares, other_nas, others, errors = TIES[name]
    text = (
        f"policies:\n  - {{name: p, nas: {nas}, shares: {shares}}}\n"
        f"  - {{name: q, nas: {other_nas}, shares: {others}}}\n"
    )
    if not errors:
        assert len(_load(tmp_path, text).policies) == 2
        return
    found = _wrong(tmp_path, text)
    assert [(one[0], one[1]) for one in found] == [("tie", 3), ("tie", 4)]
    assert found[0][3].startswith("policies p and q both name share `")
    assert found[0][3].endswith(f"with priority 0; also at {tmp_path}/a.yaml:4")
    assert found[0][4] == "give one of them a higher `priority`, or take the name out of one"


def test_priority_ends_a_tie(tmp_path: Path) -> None:
    """Two that name one target and differ in priority are no mistake."""
    text = "policies:\n  - {name: p, nas: x, shares: [a], priority: 1}\n"
    assert _load(tmp_path, text + "  - {name: q, nas: x, shares: [a]}\n").policies


def test_the_digest_is_of_what_is_said_and_not_of_where(tmp_path: Path) -> None:
    """Lines, comments and order do not change the digest of policies; any value does."""
    p, q = "  - {name: p, nas: x, shares: [a]}\n", "  - {name: q, nas: x, shares: [b]}\n"
    one = _load(tmp_path, f"policies:\n{p}{q}")
    two = _load(tmp_path, f"# a remark\npolicies:\n{q}{p}")
    other = _load(tmp_path, f"policies:\n{p.replace('}', ', min_keep: 2}')}{q}")
    assert one.digest == two.digest != other.digest
    assert one.digest == digest.of_policies(one.policies, one.holds)
    assert one.revision != two.revision
    assert len(one.digest) == 64


def test_the_revision_names_every_path_and_byte() -> None:
    """The digest of files tells a moved border between path and text, and between files."""
    assert digest.of_files({"a": "bc"}) != digest.of_files({"ab": "c"})
    assert digest.of_files({"a": "b", "c": "d"}) == digest.of_files({"c": "d", "a": "b"})
    assert digest.of_files({}) == "sha256:e3b0c44298fc"


def test_which_files_are_read(tmp_path: Path) -> None:
    """Every `*.yaml` below counts but hidden ones and test cases; one file may be named itself."""
    for name in ("b.yaml", "in/a.yaml", ".hidden.yaml", ".git/c.yaml", "d.test.yaml", "e.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("version: 1\n", encoding="utf-8")
    assert list(read_texts(tmp_path)) == [f"{tmp_path}/b.yaml", f"{tmp_path}/in/a.yaml"]
    assert read_texts(tmp_path / "e.yml") == {f"{tmp_path}/e.yml": "version: 1\n"}


def test_without_an_inventory_a_policy_of_no_unit_is_a_warning(tmp_path: Path) -> None:
    """`nas` may be left out for the only unit, which nobody can know without the inventory."""
    found = _load(tmp_path, "policies:\n  - {name: p, shares: [a]}\n").findings
    told = [(f.code, f.severity, f.text, f.next_step, str(f.place)) for f in found
            if f.code != "utc"]  # fmt: skip
    assert told == [(
        "no-nas", "warning", "policy p names no `nas`, which only one unit allows",
        'write `nas: NAME`, or `nas: "*"` for every unit', f"{tmp_path}/a.yaml:3",
    )]  # fmt: skip


def test_notes_name_templates_that_nobody_uses_and_policies_in_utc(tmp_path: Path) -> None:
    """A template without a policy and a policy without a zone are remarks, at their places."""
    text = "templates: {t: {every: 1h}, used: {min_keep: 2}}\npolicies:\n"
    found = _load(tmp_path, text + "  - {name: p, nas: x, shares: [a], extends: used}\n").findings
    assert [(f.code, f.severity, f.text, f.place and f.place.line) for f in found] == [
        ("unused-template", "note", "no policy extends template t", 2),
        ("utc", "note", "policy p names no `timezone`: days are cut in UTC", 4),
    ]


_WORDS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "13",
)  # fmt: skip


@pytest.mark.parametrize(("number", "word"), list(enumerate(_WORDS, start=1)))
def test_minutes_are_told_from_months_in_words(number: int, word: str, tmp_path: Path) -> None:
    """`within: 6m` is refused with both readings, small numbers in words."""
    text = f"policies:\n  - {{name: p, nas: x, shares: [a], keep: {{within: {number}m}}}}\n"
    assert _wrong(tmp_path, text)[0][3] == (
        f"`{number}m` is {word} minutes; for {word} months write `monthly: {number}` or "
        f"`within: {number * 30}d`"
    )


def test_a_template_that_is_none_is_told_with_those_there_are(tmp_path: Path) -> None:
    """An unknown template offers the nearest, else the first five, else says that there is none."""
    hints = {
        "templates: {tier-1: {min_keep: 2}}\n": "did you mean `tier-1`?",
        "templates: {zz: {min_keep: 2}, yy: {min_keep: 3}}\n": "there are yy, zz",
        "": "there are none",
    }
    for templates, hint in hints.items():
        with pytest.raises(InvalidDocuments) as raised:
            _load(tmp_path, templates
                  + "policies:\n  - {name: p, nas: x, shares: [a], extends: tier-7}\n")  # fmt: skip
        found = [f for f in raised.value.findings if f.code == "unknown-template"]
        assert [f.hint for f in found] == [hint]


def test_the_order_of_tags_does_not_change_the_digest(tmp_path: Path) -> None:
    """Tags are a map: written in another order they say the same."""
    text = "policies:\n  - {name: p, nas: x, shares: [a], tags: {%s}}\n"
    one, two = (_load(tmp_path, text % tags).digest for tags in ("a: b, c: d", "c: d, a: b"))
    assert one == two


def test_what_is_no_folder_is_told_with_the_cure(tmp_path: Path) -> None:
    """A repository that is not there is one sentence and the place to look at."""
    with pytest.raises(UserError) as raised:
        read_texts(tmp_path / "absent")
    assert str(raised.value) == f"{tmp_path}/absent is no folder of policies"
    assert raised.value.next_step == "check `policies` in reconciler.yaml"


@pytest.mark.parametrize("other", [
    "holds: [{name: g, reason: r, shares: [a]}]", "holds: [{name: h, reason: q, shares: [a]}]",
    "holds: [{name: h, reason: r, shares: [b]}]",
    "holds: [{name: h, reason: r, shares: [a], taken_after: 2026-01-01}]", "",
])  # fmt: skip
def test_any_change_of_a_hold_changes_the_digest(other: str, tmp_path: Path) -> None:
    """A saved plan goes stale when a hold appears, goes or says something else."""
    text = "policies: [{name: p, nas: x, shares: [a]}]\n%s\n"
    one = _load(tmp_path, text % "holds: [{name: h, reason: r, shares: [a]}]").digest
    assert one != _load(tmp_path, text % other).digest


def test_bytes_that_are_no_text_are_refused_by_place(tmp_path: Path) -> None:
    """A file that is not UTF-8 is an error at the byte, and a byte-order mark is none."""
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfversion: 1\npolicies:\n  - \xff\n")
    with pytest.raises(InvalidDocuments) as raised:
        load_policies(tmp_path, units=None)
    (found,) = raised.value.findings
    assert (found.code, found.place and found.place.line) == ("bad-character", 3)
