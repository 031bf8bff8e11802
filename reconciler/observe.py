"""Reading a NAS into an observation, whole at first and one target at a time before each write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler import mark
from reconciler.errors import PermanentError, TargetError
from reconciler.model import Kind, Observation, ObservedTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.dsm import Lun, Reader, Share
    from reconciler.model import BuiltIn, NameForm, ReplicationPlan, Seconds, Snapshot

    Owned = Callable[[Kind, str, str], bool]
    """Whether a policy owns the target of this kind, name and uuid."""

    Listings = Mapping[str, "tuple[Snapshot, ...] | TargetError"]


@dataclass(frozen=True, slots=True)
class Observer:
    """Reads one NAS through a client that cannot write."""

    nas: str
    reader: Reader

    def whole(self, owned: Owned) -> Observation:
        """Read everything that planning this NAS needs.

        DSM's own schedules and retention are asked for `owned` targets alone. Raises TargetError
        where the unit itself, its shares or its LUNs cannot be read; one target that cannot be
        read is part of the observation, with its problem.
        """
        reader = self.reader
        seen = reader.read_overview()
        listings, lun_listings = reader.read_listings(
            [share.name for share in seen.shares if _listable(share)],
            [lun.uuid for lun in seen.luns if not lun.unsupported],
        )
        built_in = reader.read_built_in(
            [s.name for s in seen.shares if _listable(s) and owned(Kind.SHARE, s.name, s.uuid)]
        )
        targets = [
            _share(share, listings, built_in=built_in.get(share.name), free=seen.free)
            for share in seen.shares
        ]
        targets += [_lun(lun, lun_listings, free=seen.free) for lun in seen.luns]
        failed = isinstance(seen.plans, TargetError)
        stamp = self._stamp()
        return Observation(
            nas=self.nas,
            identity=seen.facts.identity,
            now=stamp[0],
            skew=stamp[1],
            utc_offset=seen.facts.utc_offset,
            limits=seen.facts.limits,
            targets=tuple(targets),
            plans=None if isinstance(seen.plans, TargetError) else seen.plans,
            plans_problem=str(seen.plans) if failed else "",
            plans_offered=seen.plans_offered,
        )

    def again(self, before: Observation, kind: Kind, uuid: str) -> Observation:
        """Read one target, the replication plans and the clock anew, found by its uuid (P10).

        The rest is as `before`. A target that is gone is left out of the result.
        """
        shifts = dict(before.name_shift)
        old = next((t for t in before.targets if (t.kind, t.uuid) == (kind, uuid)), None)
        fresh = self._share_again(uuid, old) if kind is Kind.SHARE else self._lun_again(uuid, old)
        fresh = _emptied(fresh, old)
        plans, problem = self._plans()
        targets = [
            t if (t.kind, t.uuid) != (kind, uuid) else shifted(fresh, shifts)
            for t in before.targets
            if (t.kind, t.uuid) != (kind, uuid) or fresh is not None
        ]
        stamp = self._stamp()
        return replace(
            before,
            now=stamp[0],
            skew=stamp[1],
            targets=tuple(t for t in targets if t is not None),
            plans=plans,
            plans_problem=problem,
        )

    def _plans(self) -> tuple[tuple[ReplicationPlan, ...] | None, str]:
        try:
            return self.reader.read_plans(), ""
        except TargetError as error:
            return None, str(error)

    def _stamp(self) -> tuple[int, float]:
        stamp = self.reader.server_time
        if stamp is None:
            raise PermanentError(
                f"{self.nas} sends no `Date` header, so its clock cannot be read",
                next_step="let the reverse proxy before it pass the header on",
            )
        return stamp.date, stamp.skew

    def _share_again(self, uuid: str, old: ObservedTarget | None) -> ObservedTarget | None:
        share = self.reader.read_share(uuid)
        if share is None:
            return None
        listings, _ = self.reader.read_listings([share.name] if _listable(share) else [], [])
        fresh = _share(share, listings, built_in=old.built_in if old else None, free={})
        return replace(fresh, volume_free=old.volume_free if old else None)

    def _lun_again(self, uuid: str, old: ObservedTarget | None) -> ObservedTarget | None:
        if old is None:
            return None
        _, listings = self.reader.read_listings([], [uuid])
        snapshots, problem = _marked(listings[uuid])
        return replace(old, snapshots=snapshots, problem=problem)


def with_shift(observation: Observation, form: NameForm, shift: Seconds) -> Observation:
    """Take a constant difference between names of a form and the clock off every time.

    One that was taken off before is part of the times already, so the two add up.
    """
    moved = (shifted(target, {form: shift}) for target in observation.targets)
    known = dict(observation.name_shift)
    known[form] = known.get(form, 0) + shift
    return replace(
        observation,
        targets=tuple(target for target in moved if target is not None),
        name_shift=tuple(sorted(known.items())),
    )


def shifted(
    target: ObservedTarget | None, shifts: Mapping[NameForm, Seconds]
) -> ObservedTarget | None:
    """Take a measured constant difference between names and the clock off a target's times."""
    if target is None or target.snapshots is None or not shifts:
        return target
    return replace(
        target,
        snapshots=tuple(
            replace(s, time=s.time - shifts[s.form])
            if s.time is not None and s.form is not None and s.form in shifts
            else s
            for s in target.snapshots
        ),
    )


def _emptied(fresh: ObservedTarget | None, old: ObservedTarget | None) -> ObservedTarget | None:
    """Distrust a list that is empty where it was not before (P4), until it shows something."""
    if fresh is None or fresh.snapshots != () or old is None:
        return fresh
    if old.snapshots or old.problem == _EMPTIED:
        return replace(fresh, snapshots=None, problem=_EMPTIED)
    return fresh


_EMPTIED = "its list is empty, and was not before in this pass"


def _listable(share: Share) -> bool:
    return not share.unsupported and not share.problem


def _share(
    share: Share, listings: Listings, *, built_in: BuiltIn | None, free: Mapping[str, int]
) -> ObservedTarget:
    snapshots, problem = _marked(listings.get(share.name))
    problem = share.problem or problem
    return ObservedTarget(
        Kind.SHARE,
        share.uuid,
        share.name,
        snapshots,
        problem=problem,
        unsupported=share.unsupported,
        built_in=built_in,
        volume_free=free.get(share.volume),
    )


def _lun(lun: Lun, listings: Listings, *, free: Mapping[str, int]) -> ObservedTarget:
    snapshots, problem = _marked(listings.get(lun.uuid))
    return ObservedTarget(
        Kind.LUN,
        lun.uuid,
        lun.name,
        snapshots,
        problem=problem,
        unsupported=lun.unsupported,
        built_in=lun.built_in,
        volume_free=free.get(lun.volume),
    )


def _marked(
    listing: Sequence[Snapshot] | TargetError | None,
) -> tuple[tuple[Snapshot, ...] | None, str]:
    """Attach ownership marks; return None and the reason where the listing cannot be trusted."""
    if listing is None:
        return None, "not listed"
    if isinstance(listing, TargetError):
        return None, str(listing)
    return tuple(_with_mark(snapshot) for snapshot in listing), ""


def _with_mark(snapshot: Snapshot) -> Snapshot:
    found = mark.parse(snapshot.description)
    return snapshot if found is None else replace(snapshot, mark=found)
