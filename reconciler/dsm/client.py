"""The client of one NAS: the documented calls under their own names, and what reconciling needs.

`Reader` has no method that writes; a dry run is handed nothing else. Method names, parameters,
defaults and return shapes of the ten documented calls are those of the public `Snapshot` class for
DSM's Snapshot Replication.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from reconciler.dsm import api, fields, parse, parse_plan
from reconciler.dsm.compound import Call, many
from reconciler.dsm.errors import BadParameter, FeatureAbsent, Incomplete
from reconciler.dsm.system import UnitFacts, unit_facts
from reconciler.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.dsm.clock import Stamp
    from reconciler.dsm.parse import Lun, Share
    from reconciler.dsm.session import Session
    from reconciler.model import BuiltIn, ReplicationPlan, Snapshot

    Listing = tuple[Snapshot, ...] | TargetError

_SNAPSHOT_ADDITIONAL = ("desc", "lock", "schedule_snapshot", "worm_lock", "ruuid")
_FEWER = ((), ("ruuid",), ("ruuid", "worm_lock"))
"""What is left out, step by step, where an older DSM refuses a key of `additional` (120)."""

_LUN_ADDITIONAL = ("locked_app_keys", "is_worm_locked")
_LUN_LIST = (
    "is_action_locked", "is_mapped", "extent_size", "allocated_size", "status", "allow_bkpobj",
    "flashcache_status", "family_config", "snapshot_info",
)  # fmt: skip
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Overview:
    """What one request tells of a whole NAS; `plans` and `free` may have failed by themselves."""

    facts: UnitFacts
    shares: tuple[Share, ...]
    luns: tuple[Lun, ...]
    plans: tuple[ReplicationPlan, ...] | TargetError
    free: Mapping[str, int]
    plans_offered: bool


class Reader:
    """Every call that reads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._fewer = 0
        self._plainly: set[str] = set()

    @property
    def server_time(self) -> Stamp | None:
        """The NAS's clock at its last answer, None where it sent no `Date`."""
        return self._session.stamp

    def list_snapshots(
        self,
        share_name: str,
        *,
        attribute_filter: Sequence[str] = (),
        additional_attribute: Sequence[str] = (),
        offset: int = 0,
        limit: int = -1,
    ) -> dict[str, Any]:
        """List a share's snapshots (`SYNO.Core.Share.Snapshot list`).

        `attribute_filter` holds `attr==value` or `attr=value`, `!` negates. Without
        `additional_attribute` only `time`, the name, comes back. Returns
        `{"snapshots": [{"time": …, "desc": …, "lock": …}], "total": n}`.
        """
        parameters: dict[str, Any] = {
            "name": share_name,
            "offset": offset,
            "limit": limit,
            "additional": list(additional_attribute),
        }
        if attribute_filter:
            parameters["filter"] = {"attr": list(attribute_filter)}
        return dict(self._object(api.SNAPSHOT, "list", parameters))

    def list_snapshots_lun(
        self, src_lun_uuid: str, *, additional: Sequence[str] = _LUN_ADDITIONAL
    ) -> dict[str, Any]:
        """List a LUN's snapshots (`SYNO.Core.ISCSI.LUN list_snapshot`).

        Returns `{"count": n, "snapshots": [{"uuid": …, "create_time": …, "status": …}]}`.
        """
        parameters = {"src_lun_uuid": src_lun_uuid, "additional": list(additional)}
        return dict(self._object(api.LUN, "list_snapshot", parameters))

    def list_luns(
        self,
        *,
        types: Sequence[str] = (),
        additional_info: Sequence[str] = _LUN_LIST,
    ) -> dict[str, Any]:
        """List the LUNs (`SYNO.Core.ISCSI.LUN list`): `{"luns": [{"uuid": …, "name": …}]}`.

        Without `types` none are sent: the usual list of twelve hides the disks of virtual machines.
        """
        parameters: dict[str, Any] = {"additional": list(additional_info)}
        if types:
            parameters["types"] = list(types)
        return dict(self._object(api.LUN, "list", parameters))

    def list_replication_plans(
        self, *, additional_info: Sequence[str] = parse_plan.ADDITIONAL
    ) -> dict[str, Any]:
        """List the replication plans (`SYNO.DR.Plan list`): `{"plans": [{"plan_id": …}]}`."""
        return dict(self._object(api.PLAN, "list", {"additional": list(additional_info)}))

    def read_overview(self) -> Overview:
        """Read identity, limits, shares, LUNs, plans and volumes in one request.

        Raises TargetError where shares or LUNs cannot be read. A NAS without SAN Manager has no
        LUNs, one that is made for LUNs alone (DSM UC) no shares, one without Snapshot Replication
        no plans.
        """
        offers = self._session.offers
        if not offers(api.SHARE) and not offers(api.LUN):
            raise FeatureAbsent("the NAS offers neither shares nor LUNs")
        answers = many(self._session, _OVERVIEW)
        stamp = self.server_time
        facts = unit_facts(answers[:4], stamp.date if stamp is not None else None)
        shares, luns = (self._or_plainly(answers[at], _OVERVIEW[at]) for at in (4, 5))
        return Overview(
            facts,
            shares=_must(shares, parse.shares) if offers(api.SHARE) else (),
            luns=_must(luns, parse.luns) if offers(api.LUN) else (),
            plans=_plans(answers[6]) if offers(api.PLAN) else (),
            free=_free(answers[7]),
            plans_offered=self._session.offers(api.PLAN),
        )

    def _or_plainly(self, answer: Any | TargetError, call: Call) -> Any | TargetError:
        """Ask again with the oldest keys of `additional` alone where DSM refused one (120)."""
        if not isinstance(answer, BadParameter):
            return answer
        self._plainly.add(call.api)
        return many(self._session, [_plain(call)])[0]

    def read_share(self, uuid: str) -> Share | None:
        """Find a share by its uuid, whatever its name is now; None where it is gone."""
        call = _plain(_SHARE_CALL) if api.SHARE in self._plainly else _SHARE_CALL
        data = self._session.call(call.api, call.method, call.parameters)
        return next((share for share in parse.shares(data) if share.uuid == uuid), None)

    def read_plans(self) -> tuple[ReplicationPlan, ...]:
        """Read the replication plans; raises TargetError where the list fails.

        Only where the API is not offered at all there are none: a stopped package is still
        offered and refuses every call.
        """
        if not self._session.offers(api.PLAN):
            return ()
        found = _plans(many(self._session, (_PLAN_CALL,))[0])
        if isinstance(found, TargetError):
            raise found
        return found

    def read_listings(
        self, shares: Sequence[str], luns: Sequence[str]
    ) -> tuple[dict[str, Listing], dict[str, Listing]]:
        """List the snapshots of shares (by name) and LUNs (by uuid), many in one request.

        No filter, from offset 0: only then can `total` be compared. A listing that failed or is
        incomplete is its error.
        """
        calls = [_listing(name, _FEWER[self._fewer]) for name in shares]
        calls += [_lun_listing(uuid) for uuid in luns]
        answers = many(self._session, calls)
        of_shares, blind = self._accepted(dict(zip(shares, answers[: len(shares)], strict=True)))
        of_luns = dict(zip(luns, answers[len(shares) :], strict=True))
        return (
            {
                n: _read(a, _blindly if n in blind else parse.share_snapshots)
                for n, a in of_shares.items()
            },
            {u: _read(a, parse.lun_snapshots) for u, a in of_luns.items()},
        )

    def read_built_in(self, shares: Sequence[str]) -> dict[str, BuiltIn]:
        """Read DSM's own schedule and retention of shares; one that does not say is left out.

        `snapshot_info` of a share says both, but not that a schedule was switched off: where it
        names a next time, and where it is not known, their own calls are made.
        """
        calls = [
            Call(api.SHARE, "get", {"name": name, "additional": ["snapshot_info"]})
            for name in shares
        ]
        answers = dict(zip(shares, many(self._session, calls), strict=True))
        found = {name: _snapshot_info(answer) for name, answer in answers.items()}
        silent = [name for name, built_in in found.items() if built_in is None]
        found.update(self._built_in_one_by_one(silent))
        found.update(self._flagged({n: b for n, b in found.items() if b and n not in silent}))
        return {name: built_in for name, built_in in found.items() if built_in is not None}

    def _built_in_one_by_one(self, shares: Sequence[str]) -> dict[str, BuiltIn | None]:
        """Ask for schedule and retention by their own calls, where `snapshot_info` is not known."""
        calls = [_schedule_call(name) for name in shares]
        calls += [Call(api.RETENTION, "get", {"type": "Share", "name": name}) for name in shares]
        answers = many(self._session, calls)
        schedules, policies = answers[: len(shares)], answers[len(shares) :]
        return {
            name: _from_two(schedule, policy)
            for name, schedule, policy in zip(shares, schedules, policies, strict=True)
        }

    def _flagged(self, found: Mapping[str, BuiltIn]) -> dict[str, BuiltIn]:
        """Correct the schedules by their flag: the next time stays when one is switched off."""
        names = [name for name, built_in in found.items() if built_in.schedule]
        answers = many(self._session, [_schedule_call(name) for name in names])
        return {
            name: replace(found[name], schedule=False)
            for name, answer in zip(names, answers, strict=True)
            if _enabled(answer) is False
        }

    def _accepted(
        self, answers: dict[str, Any | TargetError]
    ) -> tuple[dict[str, Any | TargetError], frozenset[str]]:
        """Ask again without the newer keys of `additional` where DSM refused one (120).

        What this DSM accepts is remembered, so that it is asked for at once from then on. Also
        returns the shares whose answers do not tell what is immutable.
        """
        left_out = dict.fromkeys(answers, _FEWER[self._fewer])
        refused = [name for name, answer in answers.items() if isinstance(answer, BadParameter)]
        while refused and self._fewer + 1 < len(_FEWER):
            self._fewer += 1
            fewer = _FEWER[self._fewer]
            again = many(self._session, [_listing(name, fewer) for name in refused])
            answers = {**answers, **dict(zip(refused, again, strict=True))}
            left_out.update(dict.fromkeys(refused, fewer))
            refused = [name for name in refused if isinstance(answers[name], BadParameter)]
        return answers, frozenset(name for name, keys in left_out.items() if "worm_lock" in keys)

    def _object(self, name: str, method: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        return fields.mapping(self._session.call(name, method, parameters), f"{name} {method}")


_SHARE_CALL = Call(
    api.SHARE, "list", {"shareType": "all", "additional": list(parse.SHARE_ADDITIONAL)}
)
_PLAN_CALL = Call(api.PLAN, "list", {"additional": list(parse_plan.READ)})
_PLAIN = {api.SHARE: ["support_snapshot", "is_usb_share"], api.LUN: []}
"""What is asked for in `additional` where a newer key is refused."""

_OVERVIEW = (
    Call(api.SYSTEM, "info"),
    Call(api.DSM_INFO, "getinfo"),
    Call(api.SYSTEM, "info", {"type": "define"}),
    Call(api.SYSTEM, "info", {"type": "network"}),
    _SHARE_CALL,
    Call(api.LUN, "list", {"additional": ["status", "snapshot_info"]}),
    _PLAN_CALL,
    Call(api.VOLUME, "list", {"offset": 0, "limit": -1, "location": "all"}),
)


def _plain(call: Call) -> Call:
    return replace(call, parameters={**call.parameters, "additional": _PLAIN[call.api]})


def _schedule_call(name: str) -> Call:
    return Call(api.SNAPSHOT, "get_schedule", {"name": name})


def _listing(name: str, left_out: Sequence[str]) -> Call:
    additional = [key for key in _SNAPSHOT_ADDITIONAL if key not in left_out]
    return Call(
        api.SNAPSHOT,
        "list",
        {"name": name, "offset": 0, "limit": -1, "additional": additional},
    )


def _lun_listing(uuid: str) -> Call:
    return Call(
        api.LUN, "list_snapshot", {"src_lun_uuid": uuid, "additional": list(_LUN_ADDITIONAL)}
    )


def _must(answer: Any | TargetError, read: Callable[[Any], _T]) -> _T:
    if isinstance(answer, TargetError):
        raise answer
    return read(answer)


def _read(answer: Any | TargetError, read: Callable[[Any], tuple[Snapshot, ...]]) -> Listing:
    if isinstance(answer, TargetError):
        return answer
    try:
        return read(answer)
    except Incomplete as error:
        return error


def _blindly(data: Any) -> tuple[Snapshot, ...]:
    return parse.share_snapshots(data, immutability_asked=False)


def _plans(answer: Any | TargetError) -> tuple[ReplicationPlan, ...] | TargetError:
    if isinstance(answer, TargetError):
        return answer
    try:
        return parse_plan.plans(answer)
    except Incomplete as error:
        return error


def _free(answer: Any | TargetError) -> dict[str, int]:
    """Return free bytes by volume path; empty where DSM does not say."""
    if isinstance(answer, TargetError):
        return {}
    try:
        return {
            fields.text(row, "volume_path"): fields.number(row, "size_free_byte")
            for row in fields.rows(answer, "volumes", "the list of volumes")
        }
    except Incomplete:
        return {}


def _snapshot_info(answer: Any | TargetError) -> BuiltIn | None:
    if not isinstance(answer, dict):
        return None
    info = fields.block(answer, "snapshot_info")
    if "retention" not in info:
        return None
    try:
        return parse.built_in(fields.block(info, "schedule"), fields.block(info, "retention"))
    except Incomplete:
        return None


def _from_two(schedule: Any | TargetError, policy: Any | TargetError) -> BuiltIn | None:
    """Read both calls; None where the retention does not say: not known is not "none"."""
    if not isinstance(policy, dict) or "policyType" not in policy:
        return None
    try:
        found = parse.built_in({}, policy)
    except Incomplete:
        return None
    return replace(found, schedule=_enabled(schedule) is True)


def _enabled(schedule: Any | TargetError) -> bool | None:
    """Return the flag of `get_schedule`, None where it does not say."""
    if not isinstance(schedule, dict) or "enable_snapshot_schedule" not in schedule:
        return None
    try:
        return fields.flag(schedule, "enable_snapshot_schedule")
    except Incomplete:
        return None
