"""Layers: what a policy inherits, replaces and removes, and where each value came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.errors import InvalidDocuments
from reconciler.layers import merge
from reconciler.policy.load import load_policies
from reconciler.yamltree import load

if TYPE_CHECKING:
    from pathlib import Path


def _merged(*texts: str) -> dict[str, Any]:
    roots = [load(text, f"{number}.yaml").root for number, text in enumerate(texts)]
    values, places = merge([root for root in roots if root is not None])
    assert set(values) == {key for key in places if "." not in key}
    return {key: node.plain() for key, node in values.items()}


MERGES = {
    "maps merge key by key": (
        ("keep: {daily: 30, weekly: 4}", "keep: {daily: 7}"), {"keep": {"daily": 7, "weekly": 4}}),
    "lists are replaced whole": (("shares: [a, b]", "shares: [c]"), {"shares": ["c"]}),
    "immutable is replaced whole": (
        ("immutable: {for: 14d, of: daily}", "immutable: {for: 7d}"), {"immutable": {"for": "7d"}}),
    "null removes a key": (("immutable: 7d\nrpo: 2d", "immutable: null"), {"rpo": "2d"}),
    "null removes a rule": (
        ("keep: {daily: 30, weekly: 4}", "keep: {weekly: null}"), {"keep": {"daily": 30}}),
    "every removes cron": (("cron: 0 * * * *", "every: 1h"), {"every": "1h"}),
    "every removes at": (("every: 1d\nat: '02:30'", "every: 2d"), {"every": "2d"}),
    "cron removes every and at": (
        ("every: 1d\nat: '02:30'", "cron: 0 * * * *"), {"cron": "0 * * * *"}),
    "every null leaves cron": (("cron: 0 * * * *", "every: null"), {"cron": "0 * * * *"}),
    "plan removes to": (
        ("replicate: {every: 1h, to: a}", "replicate: {plan: p}"),
        {"replicate": {"every": "1h", "plan": "p"}}),
    "to removes plan": (
        ("replicate: {every: 1h, plan: p}", "replicate: {to: a}"),
        {"replicate": {"every": "1h", "to": "a"}}),
    "all replaces newest": (("lock: {newest: 3}", "lock: all"), {"lock": "all"}),
    "newest replaces all": (("lock: all", "lock: {newest: 3}"), {"lock": {"newest": 3}}),
}  # fmt: skip


@pytest.mark.parametrize("name", MERGES)
def test_later_wins(name: str) -> None:
    """Later layers win by the rules of the language's section on layers."""
    texts, expected = MERGES[name]
    assert _merged(*texts) == expected


def _policies(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("version: 1\n" + text, encoding="utf-8")
    return folder


def test_defaults_templates_policy_in_order(tmp_path: Path) -> None:
    """Outer defaults, inner ones, the file's, templates in order, the policy; with places."""
    root = _policies(tmp_path, {
        "_defaults.yaml": "defaults: {min_keep: 2, owner: outer, pick: latest, rpo: 9d}\n",
        "in/_defaults.yaml": "defaults: {owner: inner, priority: 1}\n",
        "in/a.yaml": "defaults: {priority: 2}\npolicies:\n"
        "  - {name: a, nas: x, shares: [a], every: 1d, extends: [one, two], pick: earliest}\n",
        "t.yaml": "templates:\n  one: {priority: 3, min_keep: 3}\n  two: {min_keep: 4}\n",
    })  # fmt: skip
    policy = load_policies(root, units=None).policies[0]
    assert (policy.min_keep, policy.priority, policy.owner, policy.pick) == (
        4, 3, "inner", "earliest",
    )  # fmt: skip
    shown = {key: str(place).removeprefix(f"{root}/") for key, place in policy.places.items()}
    assert shown["min_keep"] == "t.yaml:4"
    assert shown["owner"] == "in/_defaults.yaml:2"
    assert shown["pick"] == "in/a.yaml:4"
    assert shown["rpo"] == "_defaults.yaml:2"


def test_the_defaults_of_a_templates_file_are_not_the_templates(tmp_path: Path) -> None:
    """`defaults` are of the policy's own file, never of a template's."""
    root = _policies(tmp_path, {
        "a.yaml": "defaults: {min_keep: 9}\ntemplates:\n  t: {owner: x}\n"
        "policies:\n  - {name: here, nas: x, shares: [a]}\n",
        "b.yaml": "policies:\n  - {name: there, nas: x, shares: [b], extends: t}\n",
    })  # fmt: skip
    kept = {p.name: (p.min_keep, p.owner) for p in load_policies(root, units=None).policies}
    assert kept == {"here": (9, ""), "there": (1, "x")}


WRONG = {
    "replicate without every": ("replicate: {to: a}", "missing-key"),
    "immutable without for": ("immutable: {of: daily}", "missing-key"),
    "every rule taken out": ("keep: {daily: 0}", "keep-empty"),
    "every rule removed": ("keep: {daily: null}", "keep-empty"),
    "an empty value": ("keep:", "empty-value"),
    "a name in a template": ("extends: bad", "unknown-key"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_layers_leave_undone_is_an_error(name: str, tmp_path: Path) -> None:
    """A map without its necessary key, or without a rule left, is an error at its place."""
    line, code = WRONG[name]
    bad = "  bad: {name: x}\n" if "bad" in line else ""
    root = _policies(tmp_path, {
        "a.yaml": f"templates:\n  t: {{every: 1h, keep: {{daily: 7}}}}\n{bad}policies:\n"
        f"  - name: a\n    nas: x\n    shares: [a]\n    extends: t\n    {line}\n".replace(
            "    extends: t\n    extends", "    extends"),
    })  # fmt: skip
    with pytest.raises(InvalidDocuments) as raised:
        load_policies(root, units=None)
    assert [f.code for f in raised.value.findings if f.severity == "error"] == [code]
