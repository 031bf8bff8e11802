"""The promises of one pass, checked on the simulator's own state and never on what was reported.

It knows what stood on the NAS before, the policies as figures, and what somebody else did
meanwhile. It shares no code with the reconciler: marks and periods are read anew from the texts.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.execute import ActionOutcome, Result

if TYPE_CHECKING:
    from reconciler.execute import UnitOutcome
    from reconciler.reconcile import Looked
    from reconciler.simulator import Nas, Share

_MARK = re.compile(r"\[reconciler/\S+ (?P<due>\d{8}T\d{4}Z)(?P<lock> lock)?\]\s*\Z")


@dataclass(frozen=True)
class Rules:
    """One policy as figures: `last` of `keep`, `lock.newest`, days of `immutable`, `min_keep`."""

    last: int
    locks: int = 0
    immutable: bool = False
    min_keep: int = 3


@dataclass(frozen=True)
class Seen:
    """One snapshot as it stood; `held` says that nobody may delete it, whoever made it."""

    key: str
    at: float
    description: str
    locked: bool
    immutable: bool
    held: bool

    @property
    def ours(self) -> bool:
        """Whether it carries a mark."""
        return _MARK.search(self.description) is not None

    @property
    def due(self) -> str:
        """The due time in its mark, "" without one."""
        found = _MARK.search(self.description)
        return found["due"] if found is not None else ""

    @property
    def locked_by_us(self) -> bool:
        """Whether its mark says that the lock is ours."""
        found = _MARK.search(self.description)
        return self.locked and found is not None and found["lock"] is not None

    @property
    def protected(self) -> bool:
        """Whether no pass may delete it, whatever the rules say (P1, P2)."""
        locked_by_others = self.locked and not self.locked_by_us
        return self.held or self.immutable or not self.ours or locked_by_others


State = dict[str, dict[str, Seen]]


def _busy_since(nas: Nas, share: Share) -> float:
    """Return from when on a running sync needs what the share has: since its last synced one."""
    for plan in nas.plans_of(share):
        if plan.running is not None:
            last = share.snapshot(plan.last_reference)
            return last.at if last is not None else 0.0
    return float("inf")


def state(nas: Nas) -> State:
    """Return what stands on the NAS, by uuid of the target and key of the snapshot."""
    nas.tick()
    with nas.lock:
        now = nas.clock.now()
        synced = {plan.last_reference for plan in nas.plans if plan.role == 1}
        found: State = {}
        for share in nas.shares:
            found[share.uuid] = {
                s.name: Seen(
                    s.name, s.at, s.description, s.locked, s.immutable(now),
                    s.preserved or s.name in synced or s.at >= _busy_since(nas, share),
                )
                for s in share.snapshots
            }  # fmt: skip
        for lun in nas.luns:
            found[lun.uuid] = {
                s.uuid: Seen(
                    s.uuid, s.at, s.description, s.locked, s.immutable(now), bool(s.locked_app_keys)
                )
                for s in lun.snapshots
            }
        return found


@dataclass
class Oracle:
    """What may have become of one NAS in one pass.

    `policies` are by uuid of the target, as its name stood when the pass began. `touched` are
    snapshots (uuid of the target, key) that somebody else changed, made or deleted.
    """

    nas: Nas
    policies: dict[str, Rules]
    touched: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def by_name(cls, nas: Nas, rules: dict[str, Rules], touched: set[tuple[str, str]]) -> Oracle:
        """Bind the rules to the targets of these names, as they are called now."""
        policies = {t.uuid: rules[t.name] for t in (*nas.shares, *nas.luns) if t.name in rules}
        return cls(nas, policies, touched)

    def check(self, before: State, looked: Looked, outcome: UnitOutcome | None) -> None:
        """Check every promise over one pass that began at `before`; raise AssertionError."""
        after = state(self.nas)
        for uuid, stood in before.items():
            stands = after.get(uuid)
            if stands is None:
                continue
            if uuid not in self.policies:
                self._unchanged(uuid, stood, stands)
                continue
            self._deletions(uuid, stood, stands)
            self._attributes(uuid, stood, stands)
            self._once(uuid, stands)
        self._permitted(before, after, looked)
        self._told(before, after, outcome)

    def _unchanged(self, uuid: str, stood: dict[str, Seen], stands: dict[str, Seen]) -> None:
        """Nothing is done where no policy acts, or on a destination (P1, P8, P9)."""
        for key, seen in stood.items():
            if (uuid, key) not in self.touched:
                assert key in stands, f"P1, P8: {key} of a target without a policy is gone"
                assert stands[key].description == seen.description, f"P1: {key} was changed"
                assert stands[key].locked == seen.locked, f"P1: {key} was locked or unlocked"
        new = [
            s
            for key, s in stands.items()
            if key not in stood and s.due and (uuid, key) not in self.touched
        ]
        assert new == [], f"P8: {new} was made where no policy acts"

    def _deletions(self, uuid: str, stood: dict[str, Seen], stands: dict[str, Seen]) -> None:
        rules = self.policies[uuid]
        gone = [s for k, s in stood.items() if k not in stands and (uuid, k) not in self.touched]
        for seen in gone:
            assert not seen.protected, f"P1, P2: {seen} is gone"
            left = [s for s in stands.values() if s.ours and s.at > seen.at]
            # What somebody else took away or marked anew meanwhile may have stood before.
            left += [
                s
                for k, s in stood.items()
                if (uuid, k) in self.touched
                and s.ours
                and s.at > seen.at
                and not (k in stands and stands[k].ours)
            ]
            left += [s for k, s in stands.items() if self._unmarked_since(uuid, k, stood, s)]
            assert len(left) >= rules.last, f"P3, P10: {seen} is gone, {len(left)} newer are left"
        ours = [s for s in stood.values() if s.ours]
        if gone:
            newest = max(ours, key=lambda s: s.at)
            assert newest not in gone, f"P3: the newest is gone: {newest}"
            usable = [s for s in stands.values() if s.ours]
            assert len(usable) >= rules.min_keep, f"P3: {len(usable)} are left"

    def _unmarked_since(self, uuid: str, key: str, stood: dict[str, Seen], seen: Seen) -> bool:
        """Whether it was made in this pass, and somebody else then wrote over its mark."""
        return (uuid, key) in self.touched and key not in stood and not seen.ours

    def _attributes(self, uuid: str, stood: dict[str, Seen], stands: dict[str, Seen]) -> None:
        rules = self.policies[uuid]
        for key, seen in stands.items():
            old = stood.get(key)
            if old is None:
                assert rules.immutable or not seen.immutable, f"P11: {seen} was made immutable"
                continue
            if (uuid, key) in self.touched:
                continue
            assert seen.immutable == old.immutable, f"P11: {seen} was {old}"
            changed = (seen.locked, seen.description) != (old.locked, old.description)
            assert not changed or rules.locks, f"P1: {old} became {seen}"
            assert not changed or not old.immutable, f"P11: {old} became {seen}"
            if old.locked and not seen.locked:
                assert old.locked_by_us, f"P2: {old} was locked by somebody else"

    def _once(self, uuid: str, stands: dict[str, Seen]) -> None:
        """No due time of a target has two snapshots (P12)."""
        counted = Counter(seen.due for seen in stands.values() if seen.due)
        twice = {due: count for due, count in counted.items() if count > 1}
        assert twice == {}, f"P12: {uuid} has {twice}"

    def _permitted(self, before: State, after: State, looked: Looked) -> None:
        """Only what the plan held as a victim that nothing stops is gone (P7, P10)."""
        victims = {
            (target.uuid, action.snapshot.key)
            for target in looked.plan.targets
            for action in target.victims
            if action.snapshot is not None and action.stopped_by is None
        }
        for uuid, stood in before.items():
            for key in stood:
                gone = uuid in after and key not in after[uuid] and (uuid, key) not in self.touched
                assert not gone or (uuid, key) in victims, f"P7, P10: {key} was no victim"

    def _told(self, before: State, after: State, outcome: UnitOutcome | None) -> None:
        """Check that what is told as done is so, and that what is so is not told as left (P14)."""
        for target in outcome.targets if outcome is not None else ():
            if target.uuid not in after:
                continue
            stands = after[target.uuid]
            for one in target.outcomes:
                if one.action.verb == "delete":
                    self._told_deletion(target.uuid, one, before=before, stands=stands)
                if one.action.verb == "create":
                    self._told_creation(target.uuid, one, before=before, stands=stands)

    def _told_creation(
        self, uuid: str, one: ActionOutcome, *, before: State, stands: dict[str, Seen]
    ) -> None:
        stood = before.get(uuid, {})
        made = [key for key, seen in stands.items() if key not in stood and seen.due]
        others = [key for target, key in self.touched if target == uuid and key not in stood]
        if one.result is Result.DONE:
            assert made or others, f"P14: {one} is not there"
        if one.result is Result.SKIPPED:
            assert not made or self.touched, f"P14: {one} is there"

    def _told_deletion(
        self, uuid: str, one: ActionOutcome, *, before: State, stands: dict[str, Seen]
    ) -> None:
        key = one.action.snapshot.key if one.action.snapshot is not None else ""
        gone = key in before.get(uuid, {}) and key not in stands
        if one.result is Result.DONE:
            assert key not in stands, f"P14: {key} is said to be gone"
        if one.result is Result.SKIPPED:
            assert not gone or (uuid, key) in self.touched, f"P14: {key} is gone and said to stay"
