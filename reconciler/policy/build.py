"""From merged layers to effective policies and holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.layers import suspended
from reconciler.policy.model import (
    Hold,
    Manage,
    Policy,
    TargetBrakes,
)
from reconciler.policy.values import Reader, moment, place_of
from reconciler.retention import ALL, Pick
from reconciler.zones import zone

if TYPE_CHECKING:
    from reconciler.findings import Findings
    from reconciler.layers import Layer
    from reconciler.model import Instant, Place
    from reconciler.yamltree import Node


def policy(
    name: str, place: Place, *, values: Layer, places: dict[str, Place], findings: Findings
) -> Policy:
    """Build one effective policy; what is wrong with it is reported and left out."""
    reader = Reader(values, findings)
    cadence = reader.cadence()
    built = Policy(
        name=name,
        place=place,
        nas=reader.selector("nas"),
        shares=reader.selector("shares"),
        luns=reader.selector("luns"),
        formerly=tuple(str(n.value) for n in values["formerly"].value) if "formerly" in values
        else (),
        priority=reader.number("priority", 0),
        cadence=cadence,
        consistency=reader.text("consistency", "crash"),
        keep=reader.keep(),
        pick=Pick(reader.text("pick", "earliest")),
        min_keep=reader.number("min_keep", 1),
        lock_newest=_lock(values.get("lock")),
        immutable=reader.immutable(),
        replicate=reader.replicate(),
        rpo=reader.length_or_none(
            values.get("rpo"), 2 * cadence.longest_gap if cadence is not None else None
        ),
        manage=Manage(reader.text("manage", "own")),
        brakes=_brakes(values.get("brakes")),
        suspended=suspended(values.get("suspend"), "by policy"),
        owner=reader.text("owner"),
        description=reader.text("description"),
        tags={k: str(v.value) for k, v in values["tags"].value.items()} if "tags" in values
        else {},
        timezone=reader.zone(),
        places=places,
    )  # fmt: skip
    _check_kinds(built, values, findings)
    return built


def _check_kinds(built: Policy, values: Layer, findings: Findings) -> None:
    """Refuse what a kind of target cannot do, and a policy without targets."""
    if built.shares is None and built.luns is None:
        findings.error(
            "no-target", f"policy {built.name} names neither `shares` nor `luns`", built.place,
            next_step="say what it is for: shares: [NAME]",
        )  # fmt: skip
    if built.luns is not None and built.immutable is not None:
        findings.error(
            "immutable-on-lun", "`immutable` is for shares: no known call makes a LUN snapshot so",
            values["immutable"].place,
            next_step="put the LUNs into a policy of their own, or write `immutable: null`",
        )  # fmt: skip
    if built.luns is not None and built.lock_newest not in (0, ALL):
        findings.error(
            "lock-on-lun", "on LUNs `lock` is `all` or nothing: no known call unlocks one",
            values["lock"].place, next_step="write `lock: all`, or `lock: null`",
        )  # fmt: skip
    if built.luns is None and "consistency" in values:
        findings.error(
            "consistency-on-share", "`consistency` is for LUNs", values["consistency"].place,
            next_step="leave it out",
        )  # fmt: skip
    if built.immutable is not None and built.immutable.of and built.pick is not Pick.EARLIEST:
        findings.error(
            "immutable-pick", "`immutable: {of: …}` pins the first of a period, which "
            "`pick: latest` would not keep", values["immutable"].place,
            next_step="leave out `pick: latest`, or `of`",
        )  # fmt: skip


def hold(values: Layer, place: Place, *, timezone: str, findings: Findings) -> Hold:
    """Build one hold; `timezone` is that of its file's `defaults`, "" for UTC."""
    reader = Reader(values, findings)
    at = zone(reader.zone() or timezone or "UTC")

    def when(key: str) -> Instant | None:
        node = values.get(key)
        return reader.attempt("bad-moment", node, lambda t: moment(t, at)) if node else None

    built = Hold(
        name=reader.text("name"),
        reason=reader.text("reason"),
        place=place,
        nas=reader.selector("nas"),
        shares=reader.selector("shares"),
        luns=reader.selector("luns"),
        taken_after=when("taken_after"),
        taken_before=when("taken_before"),
        lock=bool(values["lock"].value) if "lock" in values else False,
        review_on=when("review_on"),
    )
    if built.shares is None and built.luns is None:
        findings.error(
            "no-target", f"hold {built.name} names neither `shares` nor `luns`", place,
            next_step="say what it protects: shares: [NAME]",
        )  # fmt: skip
    if built.lock and built.luns is not None:
        findings.error(
            "lock-on-lun", "a hold with `lock: true` is for shares: no known call locks a LUN's",
            place_of(values.get("lock"), place), next_step="leave `lock` out, or hold the LUNs "
            "by a hold of their own",
        )  # fmt: skip
    after, before = built.taken_after, built.taken_before
    if after is not None and before is not None and after >= before:
        findings.error(
            "empty-span", f"hold {built.name} ends before it begins, so it covers nothing",
            place_of(values.get("taken_before"), place),
            next_step="write a `taken_before` that is after `taken_after`",
        )  # fmt: skip
    return built


def _lock(node: Node | None) -> int:
    if node is None:
        return 0
    if node.value == "all":
        return ALL
    return int(node.value["newest"].value)


def _brakes(node: Node | None) -> TargetBrakes:
    return TargetBrakes(**{k: int(v.value) for k, v in node.value.items()} if node else {})
