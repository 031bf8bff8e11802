"""Planning a case by the same planning that a pass uses, and holding the plan against it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.cases.model import Case, Creation, Difference, Expectation, Outcome, Shown
from reconciler.cases.scene import written
from reconciler.model import Finding, Severity
from reconciler.planning.plan import Create, Delete, SetAttributes, Sync, Verdict
from reconciler.planning.unit import Wish, plan_unit
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reconciler.cases.load import Repository
    from reconciler.model import Instant, Snapshot
    from reconciler.planning.plan import Action, SnapshotVerdict, TargetPlan


def judge(case: Case, repository: Repository) -> Outcome:
    """Plan one case and compare; pure, and contacts nothing."""
    wish = Wish(
        policies=repository.policies,
        unit=case.unit,
        brakes=repository.brakes,
        installation=repository.installation,
        only_unit=repository.only_unit,
    )
    planned = plan_unit(wish, case.observed).targets[0]
    found = (_JUDGES[one.key](one, planned, case) for one in case.expectations)
    return Outcome(case, planned, tuple(one for one in found if one is not None))


def _differs(
    expectation: Expectation, case: Case, text: str, snapshots: tuple[Shown, ...] = ()
) -> Difference:
    return Difference(
        Finding(
            expectation.key, Severity.ERROR, f"{case.name}: {text}", place=expectation.place
        ),
        snapshots,
    )  # fmt: skip


def _state(expectation: Expectation, planned: TargetPlan, case: Case) -> Difference | None:
    if planned.state == expectation.want:
        return None
    why = "; ".join(finding.text for finding in planned.findings)
    return _differs(
        expectation, case,
        f"the state is {planned.state}, not {expectation.want}" + (f" ({why})" if why else ""),
    )  # fmt: skip


def _policy(expectation: Expectation, planned: TargetPlan, case: Case) -> Difference | None:
    seen = planned.policy or "none"
    if seen == expectation.want:
        return None
    where = f" ({planned.selected_by})" if planned.selected_by is not None else ""
    text = f"policy {seen}{where} owns it" if planned.policy else "no policy owns it"
    return _differs(expectation, case, f"{text}, not {expectation.want}")


def _synced(expectation: Expectation, planned: TargetPlan, case: Case) -> Difference | None:
    runs = any(isinstance(a.change, Sync) and a.stopped_by is None for a in planned.actions)
    if runs is expectation.want:
        return None
    return _differs(expectation, case, "a sync is run" if runs else "no sync is run")


def _findings(expectation: Expectation, planned: TargetPlan, case: Case) -> Difference | None:
    want = Counter(expectation.want if isinstance(expectation.want, tuple) else ())
    seen = Counter(finding.code for finding in planned.findings)
    more = [f"{f.code} ({f.text})" for f in planned.findings if f.code not in want]
    less = sorted((want - seen).elements())
    if not more and not less:
        return None
    parts = (
        f"found and not expected: {', '.join(more)}" if more else "",
        f"expected and not found: {', '.join(less)}" if less else "",
    )
    return _differs(expectation, case, "; ".join(part for part in parts if part))


def _created(expectation: Expectation, planned: TargetPlan, case: Case) -> Difference | None:
    want = expectation.want
    if not isinstance(want, Creation):
        raise TypeError(want)
    changes = [a.change for a in planned.actions if a.stopped_by is None]
    made = next((change for change in changes if isinstance(change, Create)), None)
    if made is None or not want.made:
        wrong = "none is taken" if made is None else f"one is taken, due {_when(made.due, case)}"
        return _differs(expectation, case, wrong) if (made is not None) != want.made else None
    wrong = "; ".join(_of_creation(want, made, case))
    return _differs(expectation, case, wrong) if wrong else None


def _of_creation(want: Creation, made: Create, case: Case) -> Iterator[str]:
    if want.due is not None and made.due != want.due:
        yield f"the one taken is due {_when(made.due, case)}, not {_when(want.due, case)}"
    if want.immutable is not None and made.immutable_days != want.immutable:
        yield f"it is made immutable for {_days(made.immutable_days)}, not {_days(want.immutable)}"
    if want.locked is not None and made.lock is not want.locked:
        yield "it is locked" if made.lock else "it is not locked"


def _days(number: int) -> str:
    return counted(number, "day")


def _when(instant: Instant, case: Case) -> str:
    return written(instant, case.zone)


def _of_snapshots(expectation: Expectation, planned: TargetPlan, case: Case) -> Difference | None:
    """Compare which snapshots are kept, deleted, waiting, locked or unlocked, or how many."""
    fates = _fates(planned)
    seen = _GROUPS[expectation.key](planned)
    want = expectation.want
    if isinstance(want, frozenset):
        times = {snapshot.time for snapshot in seen}
        off = {time for time in times ^ want if time is not None}
        if not off:
            return None
        missing, more = len(want - times), len(times - want)
        parts = (f"{missing} not {expectation.key} that should be" if missing else "",
                 f"{more} {expectation.key} that should not be" if more else "")  # fmt: skip
        text = "; ".join(part for part in parts if part)
        return _differs(expectation, case, text, tuple(s for t, s in fates if t in off))
    if not isinstance(want, int):
        raise TypeError(want)
    if len(seen) == want:
        return None
    instead = _INSTEAD.get(expectation.key, ()) if len(seen) < want else ()
    groups = instead or (expectation.key,)
    keys = {snapshot.key for group in groups for snapshot in _GROUPS[group](planned)}
    shown = tuple(s for _, s in fates if s.snapshot.key in keys)
    return _differs(expectation, case, f"{len(seen)} {expectation.key}, not {want}", shown)


def _fates(planned: TargetPlan) -> tuple[tuple[Instant | None, Shown], ...]:
    """Return every snapshot with what becomes of it and why, by time."""
    acts = {a.snapshot.key: a for a in planned.actions if a.snapshot is not None}
    return tuple(
        (
            one.snapshot.time,
            Shown(
                one.snapshot,
                _fate(acts.get(one.snapshot.key)),
                _why(one),
            ),
        )
        for one in planned.snapshots
    )


def _why(one: SnapshotVerdict) -> str:
    """Return all that keeps a snapshot, or the one sentence that says why it goes."""
    reasons = one.reasons if one.verdict is Verdict.KEEP else one.reasons[:1]
    return ", ".join(why.text for why in reasons)


def _fate(action: Action | None) -> str:
    if action is None:
        return "kept"
    if isinstance(action.change, Delete):
        return "deleted" if action.stopped_by is None else f"waits ({action.stopped_by})"
    words = {True: "kept, locked", False: "kept, unlocked", None: "kept"}
    change = action.change
    return words[change.lock if isinstance(change, SetAttributes) else None]


def _kept(planned: TargetPlan) -> list[Snapshot]:
    return [one.snapshot for one in planned.snapshots if one.verdict is Verdict.KEEP]


def _victims(planned: TargetPlan, *, waiting: bool) -> list[Snapshot]:
    return [
        action.snapshot
        for action in planned.victims
        if action.snapshot is not None and (action.stopped_by is not None) is waiting
    ]


def _set(planned: TargetPlan, *, lock: bool) -> list[Snapshot]:
    return [
        action.change.snapshot
        for action in planned.actions
        if isinstance(action.change, SetAttributes)
        and action.change.lock is lock
        and action.stopped_by is None
    ]


_GROUPS: Mapping[str, Callable[[TargetPlan], list[Snapshot]]] = {
    "kept": _kept,
    "deleted": lambda planned: _victims(planned, waiting=False),
    "waiting": lambda planned: _victims(planned, waiting=True),
    "locked": lambda planned: _set(planned, lock=True),
    "unlocked": lambda planned: _set(planned, lock=False),
}
"""For each key of `expect` that speaks of snapshots: those of a plan."""

_INSTEAD: Mapping[str, tuple[str, ...]] = {
    "kept": ("deleted", "waiting"),
    "deleted": ("waiting",),
    "waiting": ("deleted",),
}
"""Where fewer are in a group than expected: the groups in which the others are."""

_JUDGES: Mapping[str, Callable[[Expectation, TargetPlan, Case], Difference | None]] = {
    "state": _state,
    "policy": _policy,
    "synced": _synced,
    "findings": _findings,
    "created": _created,
    **dict.fromkeys(_GROUPS, _of_snapshots),
}
"""For each key of `expect`: how it is held against a plan."""
