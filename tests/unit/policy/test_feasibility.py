"""Each finding of *Feasibility*: where it stands, its numbers, and its cure."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

import pytest

from reconciler.errors import InvalidDocuments
from reconciler.inventory.model import SecretReference, Unit
from reconciler.model import Finding, Place, Severity
from reconciler.policy.load import load_policies

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_795_431_600  # Mon 23 Nov 2026 12:00 in Zurich
TIER = "every: 1h, keep: {hourly: 24, daily: 30, weekly: 12, monthly: 12, yearly: 2}"


def unit(**numbers: int) -> Unit:
    """Return a unit whose inventory names its limits."""
    place = Place("reconciler.yaml", 4)
    secret = SecretReference(place, env="P")
    return Unit("box", "https://box", "me", secret, place, **numbers)  # type: ignore[arg-type]  # a test's own keywords


def linted(folder: Path, *bodies: str, now: int | None = NOW, units: tuple[Unit, ...] | None = None
           ) -> list[Finding]:  # fmt: skip
    """Return every finding of a repository of these policies, in Zurich."""
    file = folder / "p.yaml"
    rows = "".join(
        f'  - {{name: p{n}, nas: "*", timezone: Europe/Zurich, {body}}}\n'
        for n, body in enumerate(bodies)
    )
    file.write_text(f"version: 1\npolicies:\n{rows}", encoding="utf-8")
    try:
        return list(load_policies(file, units=units, now=now).findings)
    except InvalidDocuments as error:
        return list(error.findings)


@pytest.mark.parametrize(
    ("body", "severity", "code", "text", "step"),
    [
        (
            "shares: [s], every: 15m, keep: {last: 10}, immutable: 30d",
            Severity.ERROR, "does-not-fit",
            "2880 immutable snapshots a share, limit 1024",
            "immutable: 9d (864 of them) or every: 1h (720)",
        ),
        (
            "shares: [s], every: 15m, keep: {last: 2, within: 30d}",
            Severity.ERROR, "does-not-fit",
            "a share will hold 2880 snapshots, limit 1024, and one must stay free",
            "lower `within`, which alone keeps 2880",
        ),
        (
            "luns: [l], every: 1h, keep: {last: 256}",
            Severity.ERROR, "does-not-fit",
            "a LUN will hold 256 snapshots, limit 256, and one must stay free",
            "lower `last`, which alone keeps 256",
        ),
        (
            "shares: [s], every: 15m, keep: {last: 500}, immutable: {for: 30d, of: hourly}",
            Severity.ERROR, "does-not-fit",
            ("a share will hold 1095 snapshots, 720 of them immutable, limit 1024, and one must "
            "stay free"),
            "shorten `immutable`, or pin the first of a period only: immutable: {for, of}",
        ),
        (
            "shares: [s], every: 1h, keep: {within: 30d}",
            Severity.WARNING, "above-some-models",
            "a share will hold 720 snapshots; some models allow 512, others 1024",
            "write the model's own number in reconciler.yaml: snapshots_per_share: 512",
        ),
        (
            f"shares: [s], {TIER}, immutable: 14d",
            Severity.WARNING, "outlives-keep",
            ("`immutable` holds more than `keep` asks for: a share will hold 370 to 373 snapshots, "
            "336 of them immutable; `keep` alone: 71 to 74"),
            ("pin only the first of each day (13 to 15): immutable: {for: 14d, of: daily} or let "
            "`keep` say what you get: keep: {within: 14d, …}"),
        ),
        (
            "shares: [s], every: 1h, keep: {daily: 3}, immutable: {for: 14d, of: daily}",
            Severity.WARNING, "outlives-keep",
            ("`immutable` holds more than `keep` asks for: a share will hold 15 to 16 snapshots, "
            "13 to 15 of them immutable; `keep` alone: 4 to 5"),
            "let `keep` say what you get: keep: {daily: 15, …}",
        ),
        (
            "shares: [s], every: 1h",
            Severity.ERROR, "grows-to-limit",
            ("without `keep` a share reaches its limit of 1024 snapshots after 42 d 15 h, on Tue 5 "
            "Jan 2027 03:00 if it begins now"),
            "say which ones stay: keep: {daily: 30, monthly: 12}",
        ),
        (
            "luns: [l], every: 4h, keep: {daily: all, last: 90}",
            Severity.ERROR, "grows-to-limit",
            ("with `all` in `keep` a LUN reaches its limit of 256 snapshots after 179 d 11 h, on "
            "Sat 22 May 2027 00:00 if it begins now"),
            "say which ones stay: keep: {daily: 30, monthly: 12}",
        ),
        (
            "shares: [s], every: 1h, keep: {last: 20, monthly: 2}, min_keep: 40",
            Severity.WARNING, "min-keep-above",
            "`min_keep` 40 is more than the rules keep (21 to 22)",
            "keep more, or lower `min_keep`",
        ),
        (
            "shares: [s], every: 1h, keep: {last: 20, monthly: 2}, lock: {newest: 30}",
            Severity.WARNING, "locks-more-than-kept",
            "`lock` asks for 30, `keep` leaves 21 to 22", "keep more, or lock fewer",
        ),
        (
            "shares: [s], every: 1h, keep: {last: 200}, lock: {newest: 3}, immutable: 5d",
            Severity.WARNING, "locks-immutable",
            "`lock` is for the newest 3, which are all immutable anyway",
            "leave one of the two out",
        ),
        (
            "shares: [s], every: 1h, keep: {last: 200}, replicate: {every: 2h, lock_synced: true}",
            Severity.WARNING, "locks-synced",
            ("`lock_synced` leaves one more locked snapshot with each sync, which nothing removes: "
            "a share is full after 68 days (limit 1024)"),
            "leave `lock_synced` out, or unlock and delete them by hand in time",
        ),
        (
            'shares: [s], cron: "0 8 * * 1-5", keep: {last: 9}, replicate: {every: 1d}',
            Severity.WARNING, "syncs-nothing-new",
            "`replicate.every` is shorter than `every` (0 8 * * 1-5)",
            "sync as often as a snapshot is taken, or less",
        ),
    ],
)  # fmt: skip
def test_each_finding_names_its_numbers_and_its_cure(
    tmp_path: Path, *, body: str, severity: Severity, code: str, text: str, step: str
) -> None:
    """What cannot be kept is said with its numbers, the limit and the line that would mend it."""
    found = next(f for f in linted(tmp_path, body) if f.code == code)
    assert (found.severity, found.text, found.next_step) == (severity, text, step)
    assert found.place is not None


@pytest.mark.parametrize(
    "body",
    [
        "shares: [s], every: 4h, keep: {last: 48, daily: 30, monthly: 12}, immutable: 7d",
        f"shares: [s], {TIER}, immutable: {{for: 14d, of: daily}}",
        "luns: [l], every: 1w",
        "shares: [s], every: 1d, keep: {daily: all}",
        "shares: [s], every: 1h, keep: {last: 24}, min_keep: 24, lock: {newest: 24}",
    ],
)
def test_what_fits_says_nothing_loud(tmp_path: Path, body: str) -> None:
    """A policy whose numbers fit gets its numbers as a note and no warning."""
    found = linted(tmp_path, body)
    assert [f for f in found if f.severity is not Severity.NOTE] == []


def test_every_bounded_policy_has_its_numbers_as_a_note(tmp_path: Path) -> None:
    """The steady state is in the JSON form for every policy that has one."""
    found = linted(tmp_path, f"shares: [s], {TIER}")
    assert [f.text for f in found if f.code == "steady-state"] == [
        "policy p0: a share will hold 71 to 74 snapshots; limit 1024"
    ]


def test_the_inventory_s_own_number_is_the_limit(tmp_path: Path) -> None:
    """Where reconciler.yaml names a limit it counts, and no model is guessed at."""
    body = "shares: [s], every: 1h, keep: {within: 30d}"
    codes = {f.code for f in linted(tmp_path, body, units=(unit(snapshots_per_share=2048),))}
    assert codes == {"steady-state"}
    small = linted(tmp_path, body, units=(unit(snapshots_per_share=700),))
    assert "limit 700" in next(f.text for f in small if f.code == "does-not-fit")


def test_what_is_named_on_a_nas_is_added_up(tmp_path: Path) -> None:
    """The shares named outright for one NAS, times what each holds, against the NAS's limit."""
    body = "shares: [a, b, c, 'd*'], every: 1h, keep: {last: 100}"
    found = linted(tmp_path, body, units=(unit(snapshots_per_unit=299),))
    assert [f.text for f in found if f.code == "does-not-fit-nas"] == [
        "the shares and LUNs named for box will hold up to 300 snapshots, its limit is 299"
    ]
    assert not linted(tmp_path, body, units=(unit(snapshots_per_unit=300),))[0].code.endswith("nas")


def test_without_a_clock_no_date_is_named(tmp_path: Path) -> None:
    """A repository that is loaded without a moment gets the length of time alone."""
    found = linted(tmp_path, "shares: [s], every: 1h", now=None)
    assert found[0].text.endswith("after 42 d 15 h")


def test_immutability_without_room_names_the_day(tmp_path: Path) -> None:
    """Above nine tenths of the limit it says from when on snapshots are made without."""
    found = linted(tmp_path, "shares: [s], every: 15m, keep: {last: 10}, immutable: 30d")
    assert [f.code for f in found if f.severity is not Severity.NOTE] == ["does-not-fit"]
    assert found[0].hint == (
        "nine tenths after 9 d 14 h, Thu 3 Dec 2026 02:30; from then on made without immutability "
        "(immutable-room)"
    )


def test_two_hundred_policies_of_a_dozen_kinds_are_quick(tmp_path: Path) -> None:
    """The numbers of two hundred policies take less than 0.8 s of the machine's time."""
    kinds = [
        f"every: {every}, keep: {{last: {last}, daily: 30, weekly: 8, monthly: 12}}{more}"
        for every in ("1h", "4h", "1d")
        for last in (12, 24)
        for more in ("", ", immutable: {for: 14d, of: daily}")
    ]
    bodies = [f"shares: [s{n}], {kinds[n % len(kinds)]}" for n in range(200)]
    plain = [f"shares: [s{n}], suspend: true" for n in range(200)]
    begun = process_time()
    linted(tmp_path, *plain)
    between = process_time()
    linted(tmp_path, *bodies)
    assert process_time() - between - (between - begun) < 0.8
