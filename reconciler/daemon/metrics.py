"""What is known as Prometheus metrics: for `/metrics`, and as a file after a one-shot pass.

Names and labels are documented, with alert rules, in deploy/README.md. Times are given as
timestamps, so that an age is right at the moment of the query, not of the last pass.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from reconciler import __version__
from reconciler.errors import PermanentError
from reconciler.planning.digest import CAUSES
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from prometheus_client import Metric

    from reconciler.daemon.board import Known, UnitKnown
    from reconciler.planning.plan import TargetPlan, UnitPlan
    from reconciler.policy.model import Policy

_TARGET = ("nas", "kind", "target", "policy")
_MOST_MISSED = 1000
_WITHOUT_POLICY = ("unmanaged", "unsupported", "destination")


class _Facts(Collector):
    def __init__(self, known: Known) -> None:
        self._known = known

    def collect(self) -> Iterable[Metric]:
        """Yield every family."""
        policies: Mapping[str, Policy] = {}
        if self._known.in_force is not None:
            found = self._known.in_force.policies.policies
            policies = {policy.name: policy for policy in found}
        yield from _of_all(self._known)
        yield from _of_units(tuple(self._known.units.values()))
        yield from _of_targets(tuple(self._known.units.values()), policies)


def render(known: Known) -> bytes:
    """Return the metrics in Prometheus's text format."""
    return generate_latest(_registry(known))


def write(known: Known, path: Path) -> None:
    """Write the metrics to a file that is replaced as a whole; raises PermanentError."""
    try:
        write_to_textfile(str(path), _registry(known))
    except OSError as error:
        raise PermanentError(
            f"the metrics file {path} cannot be written: {error.strerror}",
            next_step="name a file in a folder that the reconciler may write",
        ) from error


def _registry(known: Known) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Facts(known))
    return registry


def _of_all(known: Known) -> Iterator[Metric]:
    yield InfoMetricFamily("reconciler_build", "The release.", {"version": __version__})
    valid = GaugeMetricFamily("reconciler_files_valid", "0 while what the files say is refused.")
    valid.add_metric((), float(not known.trouble))
    yield valid
    if known.in_force is not None:
        revision = {"revision": known.in_force.policies.revision}
        yield InfoMetricFamily("reconciler_policies", "The revision in force.", revision)
    records = GaugeMetricFamily(
        "reconciler_trail_records", "Records of the audit trail, and its head.",
        labels=("nas", "head"),
    )  # fmt: skip
    for head in known.heads:
        records.add_metric((head.nas, head.digest), head.number)
    yield records


def _of_units(units: tuple[UnitKnown, ...]) -> Iterator[Metric]:
    times = {
        "reconciler_last_pass_timestamp_seconds": ("The last pass ended.", "ended"),
        "reconciler_last_successful_pass_timestamp_seconds": (
            "The last pass in which nothing failed ended.", "succeeded",
        ),
        "reconciler_next_pass_timestamp_seconds": ("The next pass begins.", "next_pass"),
    }  # fmt: skip
    for name, (text, field) in times.items():
        family = GaugeMetricFamily(name, text, labels=("nas",))
        for unit in units:
            if getattr(unit, field) is not None:
                family.add_metric((unit.nas,), getattr(unit, field))
        yield family
    readable = GaugeMetricFamily(
        "reconciler_unit_readable", "Whether the last pass could read the unit.", labels=("nas",)
    )
    last = GaugeMetricFamily(
        "reconciler_last_reading_timestamp_seconds",
        "The last good reading, by the clock of the NAS.", labels=("nas",),
    )  # fmt: skip
    for unit in units:
        if unit.plan is not None:
            readable.add_metric((unit.nas,), float(not unit.plan.problem))
        if unit.memory is not None and unit.memory.clock is not None:
            last.add_metric((unit.nas,), unit.memory.clock)
    yield readable
    yield last
    actions = CounterMetricFamily(
        "reconciler_actions", "Ended actions.", labels=("nas", "verb", "result")
    )
    for unit in units:
        for (verb, result), count in sorted(unit.counts.items()):
            actions.add_metric((unit.nas, verb, result), count)
    yield actions
    yield _waiting(units)


def _waiting(units: tuple[UnitKnown, ...]) -> Metric:
    waiting = GaugeMetricFamily(
        "reconciler_waiting_deletions", "Deletions that a brake or guard stops.",
        labels=("nas", "stop", "approvable"),
    )  # fmt: skip
    for unit in units:
        plan = unit.plan
        stops = Counter(a.stopped_by for t in plan.targets for a in t.victims) if plan else {}
        for stop, count in stops.items():
            if stop is not None:
                approvable = str(stop in CAUSES).lower()
                waiting.add_metric((unit.nas, stop.value, approvable), count)
    return waiting


def _of_targets(units: tuple[UnitKnown, ...], policies: Mapping[str, Policy]) -> Iterator[Metric]:
    targets = [
        (unit.plan, target)
        for unit in units
        if unit.plan is not None
        for target in unit.plan.targets
        if target.state.value not in _WITHOUT_POLICY
    ]
    yield _states(units, targets)
    yield from _promises(targets, policies)
    yield from _snapshots(targets)
    yield from _replicas(targets, policies)
    free = GaugeMetricFamily(
        "reconciler_volume_free_bytes", "Free space on the target's volume.",
        labels=("nas", "kind", "target"),
    )  # fmt: skip
    for unit in units:
        for label, size in sorted(unit.volume_free.items()):
            free.add_metric((unit.nas, *label), size)
    yield free


_Targets = list[tuple["UnitPlan", "TargetPlan"]]


def _labels(plan: UnitPlan, target: TargetPlan) -> tuple[str, ...]:
    return plan.nas, str(target.kind), target.name, target.policy


def _states(units: tuple[UnitKnown, ...], targets: _Targets) -> Metric:
    """Give each target's state; those of a unit that cannot be read are all unknown (P16)."""
    family = GaugeMetricFamily(
        "reconciler_target_state", "1 for the state the target is in.", labels=(*_TARGET, "state")
    )
    for plan, target in targets:
        family.add_metric((*_labels(plan, target), target.state.value), 1)
    for unit in units:
        if unit.plan is not None and unit.plan.problem and unit.memory is not None:
            for known in unit.memory.targets.values():
                if known.policy:
                    labels = (unit.nas, str(known.kind), known.name, known.policy, "unknown")
                    family.add_metric(labels, 1)
    return family


def _promises(targets: _Targets, policies: Mapping[str, Policy]) -> Iterator[Metric]:
    newest = GaugeMetricFamily(
        "reconciler_newest_snapshot_timestamp_seconds", "The newest usable snapshot was taken.",
        labels=_TARGET,
    )  # fmt: skip
    rpo = GaugeMetricFamily(
        "reconciler_rpo_seconds", "The age of the newest snapshot that is promised.", labels=_TARGET
    )
    missed = GaugeMetricFamily(
        "reconciler_missed_due_times", "Due times since the newest snapshot, at the last reading.",
        labels=_TARGET,
    )  # fmt: skip
    for plan, target in targets:
        labels, policy = _labels(plan, target), policies.get(target.policy)
        if target.newest is not None:
            newest.add_metric(labels, target.newest)
        if policy is None:
            continue
        if policy.rpo is not None:
            rpo.add_metric(labels, policy.rpo)
        if policy.cadence is not None and target.newest is not None:
            following = policy.cadence.after(target.newest, zone(target.zone))
            some = islice(following, _MOST_MISSED)
            missed.add_metric(labels, sum(1 for _ in _until(some, plan.now)))
    yield from (newest, rpo, missed)


def _until(instants: Iterable[int], end: int) -> Iterator[int]:
    for instant in instants:
        if instant > end:
            return
        yield instant


def _snapshots(targets: _Targets) -> Iterator[Metric]:
    counts = GaugeMetricFamily(
        "reconciler_snapshots", "Snapshots there are; one may count in several classes.",
        labels=(*_TARGET, "class"),
    )  # fmt: skip
    until = GaugeMetricFamily(
        "reconciler_immutable_until_timestamp_seconds", "The last immutability ends.",
        labels=_TARGET,
    )  # fmt: skip
    for plan, target in targets:
        labels = _labels(plan, target)
        seen = target.snapshots
        classes = {
            "ours": sum(one.managed for one in seen),
            "not_ours": sum(not one.managed for one in seen),
            "immutable": sum(one.snapshot.immutable for one in seen),
            "locked": sum(one.snapshot.locked for one in seen),
            "held": target.held,
        }
        for name, count in classes.items():
            counts.add_metric((*labels, name), count)
        ends = [e for one in seen if (e := one.snapshot.immutable_until) is not None]
        if ends:
            until.add_metric(labels, max(ends))
    yield from (counts, until)


def _replicas(targets: _Targets, policies: Mapping[str, Policy]) -> Iterator[Metric]:
    there = (*_TARGET, "destination")
    newest = GaugeMetricFamily(
        "reconciler_replica_newest_timestamp_seconds",
        "When the newest state at the destination was taken: the last success.", labels=there,
    )  # fmt: skip
    lag = GaugeMetricFamily(
        "reconciler_replication_lag_seconds", "The age of that state at the last reading.",
        labels=there,
    )  # fmt: skip
    rpo = GaugeMetricFamily(
        "reconciler_replication_rpo_seconds", "The age of that state that is promised.",
        labels=_TARGET,
    )  # fmt: skip
    for plan, target in targets:
        labels, policy = _labels(plan, target), policies.get(target.policy)
        for replica in target.replicas:
            if replica.newest is not None:
                newest.add_metric((*labels, replica.destination), replica.newest)
                lag.add_metric((*labels, replica.destination), plan.now - replica.newest)
        wanted = policy.replicate if policy is not None else None
        if wanted is not None and wanted.rpo is not None:
            rpo.add_metric(labels, wanted.rpo)
    yield from (newest, lag, rpo)
