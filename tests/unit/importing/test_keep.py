"""DSM's retention as `keep`: where something is not known, the reading that keeps more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.builtin import OwnRetention, OwnSchedule, OwnSettings
from reconciler.importing.keep import rules
from reconciler.importing.model import FoundTarget
from reconciler.model import Kind, RetentionKind

_SMART = OwnRetention(
    RetentionKind.ADVANCED,
    counts={"hourly": 24, "daily": 7, "weekly": 2, "monthly": 1},
    minimum=5,
    all_days=1,
)


def _target(retention: OwnRetention | None, **more: object) -> FoundTarget:
    days = int(str(more.pop("days", 0)))
    own = OwnSettings(OwnSchedule(enabled=True, hour=2), retention, immutable_days=days)
    return replace(FoundTarget(Kind.SHARE, "docs", "u-1", own), **more)


@pytest.mark.parametrize(
    ("retention", "written"),
    [
        (OwnRetention(RetentionKind.LATEST, latest=9), {"last": "9"}),
        (OwnRetention(RetentionKind.DAYS, days=30), {"within": "30d"}),
        (
            _SMART,
            {"last": "5", "within": "1d", "hourly": "24", "daily": "14", "monthly": "1"},
        ),
        (replace(_SMART, counts={"daily": 30}, minimum=0, all_days=0), {"daily": "30"}),
        (OwnRetention(RetentionKind.NONE), None),
        (OwnRetention(RetentionKind.KEEP_ALL), None),
        (OwnRetention(RetentionKind.UNKNOWN, text="policyType 84"), None),
        (OwnRetention(RetentionKind.LATEST, latest=0), None),
        (OwnRetention(RetentionKind.DAYS, days=0), None),
        (OwnRetention(RetentionKind.ADVANCED, counts={}), None),
        (None, None),
    ],
)
def test_each_kind_of_retention(
    retention: OwnRetention | None, written: dict[str, str] | None
) -> None:
    """Each kind has its rules; what DSM does not say, or says as nothing, prunes nothing."""
    assert rules(_target(retention)).rules == written


def test_locked_ones_raise_a_count_and_stop_a_period_rule() -> None:
    """One locked by hand may not count for DSM: `last` grows, a period rule waits for a person."""
    latest = rules(_target(OwnRetention(RetentionKind.LATEST, latest=9), held=2))
    assert latest.rules == {"last": "11"}
    smart = rules(_target(_SMART, held=1))
    assert smart.rules is None
    assert smart.instead["daily"] == "14"
    assert any("locked" in note for note in smart.notes)


def test_immutable_ones_raise_every_count() -> None:
    """DSM's counts may begin behind what is immutable: each grows by what that may take up."""
    found = rules(_target(_SMART, days=7)).rules
    assert found == {"last": "13", "within": "1d", "hourly": "194", "daily": "35", "monthly": "3"}
    assert rules(_target(_SMART, immutable=4, immutable_days=30)).rules != rules(_target(_SMART))
