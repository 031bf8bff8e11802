"""When a snapshot goes at the earliest: the policy run forward from a reading."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import AT, at, hold, plan, policy, record, replication, share, situation, snap

from reconciler.planning.future import Outlook, outlook
from reconciler.planning.reading import read
from reconciler.planning.situation import Desired
from reconciler.policy.model import Immutable, Manage
from reconciler.report.explain_rows import Rows
from reconciler.report.moments import Moments
from reconciler.retention import ALL, Pick

if TYPE_CHECKING:
    from typing import Any

    from reconciler.model import Snapshot
    from reconciler.policy.model import Hold, Policy

NOW = at("11-23 12:04")


def foreseen(wanted: Policy, *snapshots: Snapshot, holds: tuple[Hold, ...] = (), **extra: Any
             ) -> Outlook:  # fmt: skip
    """Plan and run forward a share with these snapshots."""
    target = share(*snapshots)
    verdicts = plan(target, wanted, NOW, *holds, **extra).snapshots
    reading = read(target, Desired(wanted, AT, holds), situation(NOW, **extra))
    return outlook(reading, verdicts)


def words(wanted: Policy, *snapshots: Snapshot, holds: tuple[Hold, ...] = ()) -> list[str]:
    """Return the column "goes, at the earliest", in the order given."""
    target = share(*snapshots)
    planned = plan(target, wanted, NOW, *holds)
    rows = Rows(planned, wanted, foreseen(wanted, *snapshots, holds=holds), Moments(AT, NOW), True)
    return [rows.goes(verdict) for verdict in planned.snapshots]


def test_a_snapshot_goes_at_the_due_time_whose_creation_displaces_it() -> None:
    """The pass at the due time takes one and lets the oldest of `last` go."""
    taken = [snap(at("11-23 12:00") + 1 - n * 3600) for n in range(2)]
    assert foreseen(policy("1h"), *taken).goes == {
        taken[0].key: at("11-23 14:00"),
        taken[1].key: at("11-23 13:00"),
    }


def test_immutability_outlasts_the_rules() -> None:
    """What is immutable goes with the first pass after its end, not at the end itself."""
    end = at("11-25 12:30")
    pinned = snap("11-23 11:00", immutable=True, immutable_until=end)
    assert foreseen(policy("1h"), pinned, snap("11-23 12:00")).goes[pinned.key] == at("11-25 13:00")


def test_what_has_no_end_never_goes() -> None:
    """Another's lock, a hold, somebody else's, an unknown end, `all`, no `keep`: no moment."""
    mine, newest = snap("11-23 11:00"), snap("11-23 12:00")
    every_day = policy("1h", keep={"daily": ALL})
    for wanted, snapshot in (
        (policy(), replace(mine, locked=True)),
        (policy(), replace(mine, mark=None)),
        (policy(), replace(mine, healthy=False)),
        (policy(), replace(mine, immutable=True)),
        (policy(keep={"last": ALL}), mine),
        (every_day, mine),
        (policy(keep=None), mine),
    ):
        found = foreseen(wanted, snapshot, newest)
        assert snapshot.key in found.never
        assert snapshot.key not in found.goes
    latest = foreseen(replace(every_day, pick=Pick.LATEST), mine, newest)
    assert latest.goes[newest.key] == at("11-23 13:00")


def test_what_a_replica_needs_is_let_go_once_a_newer_one_may_be_there() -> None:
    """The newest synced one is kept until the next due time, by when a newer one may be synced."""
    old, newest = snap("11-20 11:00"), snap("11-23 12:00")
    plans = (replication(records=(record("11-20 11:01", success=True, snapshot=old.name),)),)
    found = foreseen(policy("1h", keep={"last": 1}), old, newest, plans=plans)
    assert found.goes[old.key] == at("11-23 13:00")


@pytest.mark.parametrize(
    ("wanted", "snapshot", "said"),
    [
        (policy(), snap("11-23 11:00", locked=True), "never"),
        (policy(), snap("11-23 11:00", healthy=False), "once healthy"),
        (policy(), snap("11-23 11:00", holders=("csi",)), "once let go"),
        (policy(), snap("11-23 11:00", immutable=True), "end not known"),
        (policy(keep={"last": 9}), snap("11-23 11:00"), "today 20:00"),
        (policy(keep={"last": 240}), snap("11-23 11:00"), "Thu  3 Dec 11:00"),
        (policy(keep={"yearly": 3}), snap("11-21 11:00"), "1 Jan 2029"),
        (policy(keep={"yearly": 80}), snap("11-21 11:00"), "after 21 Apr 2038"),
        (policy("", manage=Manage.ALL), snap("11-23 11:00"), "when newer ones come"),
        (policy("1h", keep={"last": 1}), snap("11-20 11:00"), "now"),
    ],
)
def test_the_column_says_when_or_why_no_moment_can_be_named(
    wanted: Policy, snapshot: Snapshot, said: str
) -> None:
    """Each kind of end is said in a word or as a moment, the year's own as short as it can be."""
    assert words(wanted, snapshot, snap("11-23 12:00"))[0] == said


def test_a_hold_is_named_before_any_moment() -> None:
    """Under a hold no date is promised, whatever the rules say."""
    case = hold("case-2026-014", after="11-01 00:00")
    said = words(policy(), snap("11-23 11:00"), snap("11-23 12:00"), holds=(case,))
    assert said == ["when case-2026-014 ends"] * 2


def test_without_a_cadence_only_protections_end() -> None:
    """Where nothing is taken a pass at the end of an immutability lets its snapshot go."""
    end = at("11-25 12:30")
    pinned = snap("11-20 11:00", immutable=True, immutable_until=end)
    wanted = policy("", keep={"last": 1}, immutable=Immutable(3))
    found = foreseen(wanted, pinned, snap("11-23 12:00"))
    assert found.goes == {pinned.key: end}
