"""Which targets agree, and what one policy says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.importing import cadence
from reconciler.importing.keep import rules
from reconciler.importing.model import Draft, FoundTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.builtin import OwnSchedule, OwnSettings
    from reconciler.importing.model import OwnReplication, Survey


def drafts(survey: Survey) -> tuple[Draft, ...]:
    """Return one draft for each set of targets that DSM treats alike, in the NAS's order.

    A target that DSM neither schedules nor prunes has none.
    """
    groups: dict[object, list[FoundTarget]] = {}
    for target in survey.targets:
        if covered(target):
            keep = rules(target)
            said = tuple((keep.rules or {}).items()), tuple(keep.instead.items()), keep.notes
            key = (target.kind, keep.word, said, _notes(target), _later(target))
            groups.setdefault(key, []).append(target)
    return tuple(
        Draft(found[0].kind, tuple(found), rules(found[0]), _notes(found[0]), _later(found[0]))
        for found in groups.values()
    )


def covered(target: FoundTarget) -> bool:
    """Whether DSM does something here that a policy would take over."""
    own = target.settings
    if own is None or target.left_alone:
        return False
    scheduled = own.schedule is not None and own.schedule.enabled
    pruned = own.retention is not None and own.retention.kind.prunes
    return scheduled or pruned


def _notes(target: FoundTarget) -> tuple[str, ...]:
    own = target.settings
    if own is None:
        return ()
    notes = list(_of_schedule(own))
    if own.retention is not None and own.retention.kind.prunes:
        notes.append("DSM's own retention is on: two pruners until it is switched off in DSM")
    for replication in target.replications:
        notes.extend(_of_replication(replication))
    return tuple(notes)


def _of_schedule(own: OwnSettings) -> Iterator[str]:
    schedule = own.schedule
    if schedule is None:
        yield f"DSM's schedule could not be read: {own.problem}"
        return
    if not schedule.enabled:
        stored = f"; it holds {cadence.spoken(schedule)}" if schedule.exists else ""
        yield f"DSM's schedule is off{stored}: nothing is taken here until `every` is written"
        return
    why = cadence.never(schedule)
    if why:
        yield f"DSM's schedule is on and never fires: {why}"
        return
    yield f"DSM takes them: {cadence.spoken(schedule)}"
    if not cadence.lines(schedule):
        yield "no `every` or `cron` says exactly these times"


def _of_replication(found: OwnReplication) -> Iterator[str]:
    to = found.to or "its destination"
    if found.schedule is None or not found.schedule.enabled:
        yield f"a replication plan to {to} without a schedule of DSM's ({found.plan_id})"
        return
    yield f"DSM replicates to {to}: {cadence.spoken(found.schedule)}"


def _later(target: FoundTarget) -> tuple[str, ...]:
    """Return the lines that take over once DSM's own schedules are off."""
    own = target.settings
    if own is None:
        return ()
    found: list[str] = []
    if own.schedule is not None and own.schedule.exists:
        found += cadence.lines(own.schedule)
    if own.immutable_days and found:
        found.append(f"immutable: {own.immutable_days}d")
    if len(target.replications) == 1:
        found += _sync(target.replications[0])
    return tuple(found)


def _sync(found: OwnReplication) -> tuple[str, ...]:
    every = _regular(found.schedule)
    if not every:
        return ()
    where = f"plan: {found.plan_id}" if not found.to else f"to: {found.to}"
    return (f"replicate: {{{where}, every: {every}}}",)


def _regular(schedule: OwnSchedule | None) -> str:
    """Return the `every` of a sync, "" where only `cron` or `at` would say it."""
    if schedule is None or not schedule.enabled:
        return ""
    written = cadence.lines(schedule)
    first = written[0] if written else ""
    return first.removeprefix("every: ") if first.startswith("every: ") else ""
