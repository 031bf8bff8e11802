"""Whether a policy's promises can be kept, computed offline from its due times and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler import calendar
from reconciler.duration import DAY, MINUTE, render, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.calendar import Cadence
    from reconciler.findings import Findings
    from reconciler.inventory.model import Unit, UnitBrakes
    from reconciler.model import Seconds
    from reconciler.policy.model import Policy

_DEFAULT_SHARE_LIMIT = 1024
_SLACK: Seconds = 15 * MINUTE
_USUAL = (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
_PERIOD_DAYS = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 28, "quarterly": 90,
                "yearly": 365}  # fmt: skip


def check(
    policy: Policy, *, units: Sequence[Unit] | None, brakes: UnitBrakes, findings: Findings
) -> None:
    """Report what cannot be kept: immutability that does not fit, a promise shorter than a gap."""
    _immutable(policy, units, brakes, findings)
    _promises(policy, findings)
    _odd(policy, findings)


def immutable_at_once(policy: Policy, days: int) -> int:
    """Return how many snapshots of one share are immutable at one time, at the most."""
    if policy.cadence is None or policy.immutable is None:
        return 0
    every = policy.cadence.most_in(days * DAY)
    if policy.immutable.of is None:
        return every
    periods = int(days / _PERIOD_DAYS[policy.immutable.of.value]) + 1
    return min(every, periods)


def _immutable(
    policy: Policy, units: Sequence[Unit] | None, brakes: UnitBrakes, findings: Findings
) -> None:
    immutable = policy.immutable
    if immutable is None:
        return
    place = policy.places["immutable"]
    if immutable.days * DAY > brakes.max_immutable:
        findings.error(
            "above-max-immutable",
            f"`immutable` is {immutable.days}d, more than `max_immutable` "
            f"({render(brakes.max_immutable)}) in reconciler.yaml",
            place,
            next_step=f"write at most {render(brakes.max_immutable)}",
        )
    limit = min(
        (unit.snapshots_per_share for unit in units or () if unit.snapshots_per_share),
        default=_DEFAULT_SHARE_LIMIT,
    )
    pinned = immutable_at_once(policy, immutable.days)
    if 10 * pinned > 9 * limit:
        findings.error(
            "does-not-fit",
            f"{pinned} immutable snapshots a share, limit {limit}",
            place,
            hint=_reached(policy.cadence, limit),
            next_step=" or ".join(_cures(policy, limit)),
        )


def _reached(cadence: Cadence | None, limit: int) -> str:
    if cadence is None:
        return ""
    after = 9 * limit * 30 * DAY // (10 * max(1, cadence.most_in(30 * DAY)))
    return (
        f"nine tenths after {spoken(after)}; from then on made without immutability "
        "(immutable-room)"
    )


def _cures(policy: Policy, limit: int) -> Iterator[str]:
    """Name the longest immutability that fits, and the shortest cadence that does."""
    if policy.immutable is None:
        return
    days = policy.immutable.days
    fits = [n for n in range(1, days) if 10 * immutable_at_once(policy, n) <= 9 * limit]
    if fits:
        yield f"immutable: {fits[-1]}d ({immutable_at_once(policy, fits[-1])} of them)"
    for minutes in _USUAL:
        count = days * 1440 // minutes
        if 10 * count <= 9 * limit:
            yield f"every: {render(minutes * MINUTE)} ({count})"
            return


def _promises(policy: Policy, findings: Findings) -> None:
    cadence, replicate = policy.cadence, policy.replicate
    if policy.rpo is not None and cadence is not None:
        _promise("rpo", policy.rpo, cadence, policy=policy, findings=findings)
    if replicate is not None and replicate.rpo is not None:
        _promise("replicate.rpo", replicate.rpo, replicate.cadence, policy=policy,
                 findings=findings)  # fmt: skip


def _promise(
    key: str, rpo: Seconds, cadence: Cadence, *, policy: Policy, findings: Findings
) -> None:
    least = cadence.longest_gap + _SLACK
    if rpo < least and key in policy.places:
        findings.error(
            "rpo-too-short",
            f"`{key}` is {render(rpo)}, but due times are up to {spoken(cadence.longest_gap)} "
            f"apart and a snapshot takes a moment: at least {spoken(least)}",
            policy.places[key],
            next_step="promise more time, or take them more often",
        )


def _odd(policy: Policy, findings: Findings) -> None:
    """Warn of what is allowed and hardly meant."""
    replicate, cadence = policy.replicate, policy.cadence
    if (
        isinstance(cadence, calendar.Every)
        and replicate is not None
        and isinstance(replicate.cadence, calendar.Every)
        and replicate.cadence.interval < cadence.interval
    ):
        findings.warning(
            "syncs-nothing-new",
            f"`replicate.every` is shorter than `every` ({cadence.written})",
            policy.places["replicate"],
            next_step="sync as often as a snapshot is taken, or less",
        )
    if policy.keep is not None and cadence is None and policy.manage == "own":
        findings.warning(
            "keep-without-cadence",
            "`keep` without `every` or `cron`: nothing is taken that it could keep",
            policy.places["keep"],
            next_step="say how often one is taken, or with `manage` whose snapshots it keeps",
        )
    only_last = (
        policy.keep is not None
        and policy.keep.last
        and not (policy.keep.within or policy.keep.periods)
    )
    if only_last and policy.keep is not None and not policy.locks_all:
        if policy.lock_newest > policy.keep.last:
            findings.warning(
                "locks-more-than-kept",
                f"`lock` asks for {policy.lock_newest}, `keep` leaves {policy.keep.last}",
                policy.places["lock"],
            )
        if policy.min_keep > policy.keep.last:
            findings.warning(
                "min-keep-above",
                f"`min_keep` {policy.min_keep} is more than `keep` leaves ({policy.keep.last})",
                policy.places["min_keep"],
            )
    _locks_immutable(policy, findings)


def _locks_immutable(policy: Policy, findings: Findings) -> None:
    immutable, cadence = policy.immutable, policy.cadence
    if immutable is None or immutable.of is not None or cadence is None:
        return
    if 0 < policy.lock_newest <= immutable.days * DAY // cadence.longest_gap:
        findings.warning(
            "locks-immutable",
            "`lock` is for the newest, which are all immutable anyway",
            policy.places["lock"],
            next_step="leave one of the two out",
        )
