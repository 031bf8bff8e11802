"""The scene of a case: its snapshots at local times, its replication, as a NAS would list them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from reconciler import duration
from reconciler.mark import Mark
from reconciler.model import (
    BuiltIn,
    Identity,
    Kind,
    Limits,
    NameForm,
    Observation,
    ObservedTarget,
    ReplicationPlan,
    RetentionKind,
    Snapshot,
    SyncRecord,
)
from reconciler.planning.protection import REPLICATION_KEY
from reconciler.policy.values import Reader, moment
from reconciler.zones import local, offset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from reconciler.findings import Findings
    from reconciler.model import Instant
    from reconciler.yamltree import Node

MOST_SNAPSHOTS = 5000
"""How many snapshots one entry may generate: five times what DSM allows a share."""

_PLAN = "plan"
_LIMITS = Limits(share=1024, lun=256, unit=65_536)


@dataclass(frozen=True, slots=True)
class Scene:
    """What reading a case's times needs: the case, its moment, its zone, and whose marks are ours.

    `owner` is the policy that owns the target, "" where none does.
    """

    kind: Kind
    name: str
    now: Instant
    zone: ZoneInfo
    owner: str
    installation: str
    findings: Findings

    def at(self, now: Instant) -> Scene:
        """Return the scene at another moment."""
        return replace(self, now=now)

    def moment(self, node: Node) -> Instant | None:
        """Read a local time; None, with a finding there, for what is none."""
        reader = Reader({}, self.findings)
        return reader.attempt("bad-moment", node, lambda text: moment(text, self.zone))

    def times(self, node: Node) -> tuple[Instant, ...]:
        """Return the instants of an entry: one time, or the due times of a cadence over a span."""
        if not isinstance(node.value, dict):
            one = self.moment(node)
            return () if one is None else (one,)
        inside = node.value
        if "taken" in inside:
            return self._one(node)
        return self._span(node)

    def _one(self, node: Node) -> tuple[Instant, ...]:
        extra = next(
            (key for key in ("every", "cron", "at", "from", "to") if key in node.value), ""
        )
        if extra:
            self.findings.error(
                "two-times", f"`taken` is one time, `{extra}` is of a cadence", node.keys[extra],
                next_step="leave one of the two out",
            )  # fmt: skip
        one = self.moment(node.value["taken"])
        return () if one is None else (one,)

    def _span(self, node: Node) -> tuple[Instant, ...]:
        inside = node.value
        if "every" not in inside and "cron" not in inside:
            self.findings.error(
                "no-time", "this entry says no time", node.place,
                next_step="write `taken: TIME`, or `every: 1d` with `from: TIME`",
            )  # fmt: skip
            return ()
        if "from" not in inside:
            self.findings.error(
                "missing-key", "a cadence begins somewhere: `from` is missing here", node.place,
                next_step="write `from: TIME`",
            )  # fmt: skip
            return ()
        cadence = Reader(inside, self.findings).cadence()
        first = self.moment(inside["from"])
        last = self.moment(inside["to"]) if "to" in inside else self.now
        if cadence is None or first is None or last is None:
            return ()
        found: list[Instant] = []
        for due in takewhile(lambda due: due <= last, cadence.after(first - 1, self.zone)):
            found.append(due)
            if len(found) > MOST_SNAPSHOTS:
                self.findings.error(
                    "too-many", f"more than {MOST_SNAPSHOTS} times in one entry", node.place,
                    next_step="write a shorter span; DSM allows a share 1024 snapshots",
                )  # fmt: skip
                return ()
        if not found:
            self.findings.error("empty-span", "no due time lies in this span", node.place,
                                next_step="check `from`, `to` and the cadence")  # fmt: skip
        return tuple(found)


def snapshots(node: Node | None, scene: Scene) -> dict[Instant, Snapshot]:
    """Return the snapshots of a case by their time; a later entry replaces one of the same time."""
    found: dict[Instant, Snapshot] = {}
    for entry in node.value if node is not None else ():
        attributes = entry.value if isinstance(entry.value, dict) else {}
        for time in scene.times(entry):
            found[time] = _snapshot(time, attributes, scene)
    return dict(sorted(found.items()))


def _snapshot(time: Instant, given: Mapping[str, Node], scene: Scene) -> Snapshot:
    mark = _mark(time, given, scene)
    until = _immutable_until(time, given, scene)
    pinned = until is not None and until > scene.now
    return Snapshot(
        name=_share_name(time, scene.zone) if scene.kind is Kind.SHARE else f"lun-{time}",
        time=time,
        description=str(mark) if mark is not None else "",
        uuid="" if scene.kind is Kind.SHARE else f"snapshot-{time}",
        form=NameForm.OFFSET if scene.kind is Kind.SHARE else None,
        locked="locked" in given,
        immutable=pinned,
        immutable_until=until if pinned else None,
        scheduled=_is(given, "scheduled"),
        holders=(str(given["held_by"].value),) if "held_by" in given else (),
        healthy=not _is(given, "broken"),
        mark=mark,
    )


def _mark(time: Instant, given: Mapping[str, Node], scene: Scene) -> Mark | None:
    """Return the mark: that of `by`, else of the owner; none where it is somebody else's."""
    if _is(given, "unmarked") or _is(given, "scheduled"):
        return None
    policy = str(given["by"].value) if "by" in given else scene.owner
    if not policy:
        return None
    ours = "locked" in given and given["locked"].value == "ours"
    return Mark(policy, scene.installation, due=time // 60 * 60, lock=ours)


def _immutable_until(time: Instant, given: Mapping[str, Node], scene: Scene) -> Instant | None:
    if "immutable_until" in given:
        return scene.moment(given["immutable_until"])
    if "immutable" not in given:
        return None
    length = Reader({}, scene.findings).attempt("bad-duration", given["immutable"], duration.parse)
    return None if length is None else time + length


def _is(given: Mapping[str, Node], key: str) -> bool:
    return key in given and given[key].value is True


def _share_name(time: Instant, zone: ZoneInfo) -> str:
    """Name a share's snapshot as DSM does: the wall clock with its offset from UTC."""
    shift = offset(time, zone)
    hours, minutes = divmod(abs(shift) // 60, 60)
    written = f"{hours:02}.{minutes:02}" if minutes else f"{hours:02}"
    return f"GMT{'-' if shift < 0 else '+'}{written}-{local(time, zone):%Y.%m.%d-%H.%M.%S}"


def observe(
    inside: Mapping[str, Node], scene: Scene, nas: str
) -> tuple[Observation, dict[Instant, Snapshot]]:
    """Return the NAS of a case as one reading of it, and its snapshots by their time."""
    taken = snapshots(inside.get("snapshots"), scene)
    plans, taken = _replication(inside.get("replication"), taken, scene)
    dsm = inside["dsm"].value if "dsm" in inside else {}
    target = ObservedTarget(
        scene.kind,
        f"uuid-of-{scene.name}",
        scene.name,
        tuple(taken.values()),
        built_in=BuiltIn(
            schedule=_is(dsm, "schedule"),
            retention=RetentionKind.DAYS if _is(dsm, "retention") else RetentionKind.NONE,
        ),
    )
    limit = int(inside["limit"].value) if "limit" in inside else None
    return Observation(
        nas=nas,
        identity=Identity("", "", "", nas),
        now=scene.now,
        skew=0.0,
        utc_offset=offset(scene.now, scene.zone),
        limits=replace(_LIMITS, share=limit, lun=limit) if limit is not None else _LIMITS,
        targets=(target,),
        plans=plans,
    ), taken


def _replication(
    node: Node | None, taken: dict[Instant, Snapshot], scene: Scene
) -> tuple[tuple[ReplicationPlan, ...], dict[Instant, Snapshot]]:
    """Return the target's replication plan, and the snapshots as it left them."""
    if node is None:
        return (), taken
    synced = _synced(node, taken, scene)
    records: tuple[SyncRecord, ...] = ()
    if synced is not None and synced.time is not None:
        began = scene.moment(node.value["began"]) if "began" in node.value else synced.time
        start = began if began is not None else synced.time
        records = (SyncRecord(synced.name, start, start + 60, success=True),)
        if scene.kind is Kind.LUN:
            held = replace(synced, holders=(*synced.holders, f"{REPLICATION_KEY}{_PLAN}"))
            taken = {**taken, synced.time: held}
    plan = ReplicationPlan(
        plan_id=_PLAN,
        role=1,
        kind=scene.kind,
        target_ids=frozenset({scene.name}),
        to_local=False,
        main_node="here",
        destination_node="there",
        destination_host=str(node.value["to"].value),
        destination_ids=frozenset(),
        busy=_is(node.value, "busy"),
        progress=None,
        can_sync=True,
        send_encrypted=False,
        records=records,
        syncing_since=None,
        successes=len(records),
        last_snapshot="",
    )
    return (plan,), taken


def _synced(node: Node, taken: Mapping[Instant, Snapshot], scene: Scene) -> Snapshot | None:
    if "synced" not in node.value:
        return None
    at = node.value["synced"]
    time = scene.moment(at)
    if time is None:
        return None
    if time not in taken:
        not_taken(at, time, taken, scene)
    return taken.get(time)


def not_taken(at: Node, time: Instant, taken: Mapping[Instant, Snapshot], scene: Scene) -> None:
    """Say that no snapshot of the case was taken at a time, and which one is nearest."""
    nearest = min(taken, key=lambda other: abs(other - time), default=None)
    near = f"the nearest is {written(nearest, scene.zone)}" if nearest is not None else ""
    scene.findings.error(
        "no-such-snapshot", f"no snapshot of this case was taken {written(time, scene.zone)}",
        at.place, hint=near, next_step="" if near else "list it under `snapshots`",
    )  # fmt: skip


def written(time: Instant, zone: ZoneInfo) -> str:
    """Write an instant as a test file does: `2026-11-23T12:00`, seconds where there are any."""
    when = local(time, zone)
    return f"{when:%Y-%m-%dT%H:%M:%S}" if when.second else f"{when:%Y-%m-%dT%H:%M}"
