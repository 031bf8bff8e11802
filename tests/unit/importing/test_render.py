"""The rendered file: valid whatever the names are, grouped where targets agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler.builtin import OwnRetention, OwnSchedule, OwnSettings
from reconciler.importing.model import FoundTarget, Survey
from reconciler.importing.render import render
from reconciler.importing.zone import of_host, of_name
from reconciler.model import Kind, RetentionKind
from reconciler.policy.load import load_policies

_NIGHT = OwnSchedule(enabled=True, hour=2)
_LATEST = OwnSettings(_NIGHT, OwnRetention(RetentionKind.LATEST, latest=9))
_NOVEMBER = 1_795_000_000


def _share(name: str, own: OwnSettings = _LATEST, **more: object) -> FoundTarget:
    return replace(FoundTarget(Kind.SHARE, name, f"uuid-{name}", own), **more)


def _loaded(text: str, tmp_path: Path) -> list[str]:
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    found = load_policies(tmp_path, units=None)
    assert [f for f in found.findings if f.severity != "note"] == []
    return [policy.name for policy in found.policies]


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5, unique=True))
def test_any_name_stays_a_name(names: list[str]) -> None:
    """Whatever shares are called, the file loads and its policies select exactly them."""
    import tempfile

    survey = Survey(
        "attic",
        "Europe/Zurich",
        tuple(_share(name, uuid=f"uuid-{n}") for n, name in enumerate(names)),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.yaml"
        path.write_text(render(survey, schema="s").text, encoding="utf-8")
        found = load_policies(Path(folder), units=None)
    (policy,) = found.policies
    assert policy.shares is not None
    for number, name in enumerate(names):
        assert policy.shares.decides(name, uuid=f"uuid-{number}") is not None


def test_targets_that_agree_share_a_policy_and_rules_a_template(tmp_path: Path) -> None:
    """One policy for those that DSM treats alike; a template where only the schedules differ."""
    weekly = replace(_LATEST, schedule=replace(_NIGHT, weekdays=(0,)))
    survey = Survey(
        "attic", "Europe/Zurich", (_share("a"), _share("b"), _share("c", weekly), _share("d"))
    )
    text = render(survey, schema="s", taken={"attic-c"}).text
    assert _loaded(text, tmp_path) == ["attic-latest-9", "attic-c-2"]
    assert "shares: [a, b, d]" in text
    assert text.count("keep: {last: 9}") == 1


def test_defaults_above_add_nothing(tmp_path: Path) -> None:
    """Under a `_defaults.yaml` the imported policies still say DSM's rules and no others."""
    (tmp_path / "_defaults.yaml").write_text(
        "version: 1\ndefaults: {every: 1h, keep: {daily: 3}, pick: latest, immutable: 7d}\n",
        encoding="utf-8",
    )
    survey = Survey("attic", "Europe/Zurich", (_share("a"),))
    text = render(survey, schema="s", below_defaults=True).text
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    (policy,) = load_policies(tmp_path, units=None).policies
    assert (policy.cadence, policy.immutable, policy.pick) == (None, None, "earliest")
    assert policy.keep is not None
    assert (policy.keep.last, policy.keep.daily, policy.manage) == (9, 0, "scheduled")


def test_a_zone_is_certain_or_not_said() -> None:
    """Synology's name gives a zone only where one fits the clock; UTC is never a guess."""
    assert of_name("Amsterdam", 3600, _NOVEMBER) == "Europe/Amsterdam"
    assert of_name("Eastern", -18_000, _NOVEMBER) == "America/New_York"
    assert of_name("Amsterdam", 7200, _NOVEMBER) == ""
    assert of_name("Amsterdam", None, _NOVEMBER) == ""
    assert of_name("Nowhere", 3600, _NOVEMBER) == ""
    assert of_host("Europe/Zurich", 3600, _NOVEMBER) == "Europe/Zurich"
    assert of_host("Asia/Tokyo", 3600, _NOVEMBER) == ""
    assert of_host("Etc/UTC", 0, _NOVEMBER) == ""
