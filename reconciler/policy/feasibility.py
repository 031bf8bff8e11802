"""Whether a policy's promises can be kept: its steady state against the limits, offline.

The numbers are exact for a year of due times (`forward.steady`), so a share's and a LUN's are
computed once for all policies that say the same. Rules and limits are those of the policy
language's section *Feasibility*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.calendar import Period, every
from reconciler.duration import DAY, MINUTE, WEEK, render, spoken
from reconciler.forward.steady import (
    FIRST_DAY,
    Steady,
    counted_off,
    immutable_at_once,
    reached,
    steady,
    unbounded,
)
from reconciler.model import Kind
from reconciler.policy.future import rules_of
from reconciler.policy.model import Manage
from reconciler.policy.select import selects_unit
from reconciler.retention import Keep
from reconciler.wording import NOUNS, counted, moment
from reconciler.zones import day_start, zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.calendar import Cadence
    from reconciler.findings import Findings
    from reconciler.forward.rules import Rules
    from reconciler.inventory.model import Unit, UnitBrakes
    from reconciler.model import Instant, Place, Seconds
    from reconciler.policy.model import Policy

_LIMITS = {Kind.SHARE: 1024, Kind.LUN: 256}
_SOME_MODELS = {Kind.SHARE: 512, Kind.LUN: 128}
_NAS_LIMIT = 65_536
_NOUNS = {Kind.SHARE: "share", Kind.LUN: "LUN"}
_SLACK: Seconds = 15 * MINUTE
_USUAL = (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720)


def check(
    policy: Policy,
    *,
    units: Sequence[Unit] | None,
    brakes: UnitBrakes,
    findings: Findings,
    now: Instant | None = None,
) -> None:
    """Report what cannot be kept, and what is allowed and hardly meant.

    `now` is when a policy without bound is taken to begin; without it no date is named.
    """
    _above_the_most(policy, brakes, findings)
    _promises(policy, findings)
    for kind in Kind:
        if policy.selector(kind) is not None:
            case = _case(policy, kind, units, now)
            if _fits(case, findings):
                _outlives(case, findings)
            _stays_below(case, findings)
    _odd(policy, findings)


def check_units(
    policies: Sequence[Policy], *, units: Sequence[Unit] | None, findings: Findings
) -> None:
    """Add up what the targets named outright will hold on each NAS, against its limit."""
    only = units is not None and len(units) == 1
    for unit in units or ():
        limit = unit.snapshots_per_unit or _NAS_LIMIT
        total = sum(
            _named_hold(policy, unit)
            for policy in policies
            if selects_unit(policy.nas, unit, only_unit=only)
        )
        if total > limit:
            findings.error(
                "does-not-fit-nas",
                f"the shares and LUNs named for {unit.name} will hold up to {total} snapshots, "
                f"its limit is {limit}",
                unit.place,
                next_step="keep fewer of each, or name fewer",
            )


def _named_hold(policy: Policy, unit: Unit) -> int:
    total = 0
    for kind in Kind:
        selector = policy.selector(kind)
        named = sum(pattern.outright for pattern in selector.patterns) if selector else 0
        found = steady(_case(policy, kind, (unit,), None).rules) if named else None
        total += named * found.held.high if found is not None else 0
    return total


def limit_of(policy: Policy, kind: Kind, units: Sequence[Unit] | None) -> tuple[int, str]:
    """Return how many snapshots a target of this policy may hold, and the zone it counts in."""
    case = _case(policy, kind, units, None)
    return case.limit, case.rules.zone.key


@dataclass(frozen=True, slots=True)
class _Case:
    """A policy on one kind of target; `usual` is set where the limit is DSM's default."""

    policy: Policy
    kind: Kind
    rules: Rules
    limit: int
    usual: bool
    now: Instant | None

    @property
    def noun(self) -> str:
        """What is counted: `share` or `LUN`."""
        return _NOUNS[self.kind]

    @property
    def begun(self) -> Instant:
        """When a policy without bound is taken to begin; any day will do for a length of time."""
        return self.now if self.now is not None else day_start(FIRST_DAY, self.rules.zone)

    def place(self, *keys: str) -> Place:
        """Return where the first of these keys stands, else the policy."""
        places = self.policy.places
        return next((places[key] for key in keys if key in places), self.policy.place)


def _case(policy: Policy, kind: Kind, units: Sequence[Unit] | None, now: Instant | None) -> _Case:
    only = units is not None and len(units) == 1
    chosen = [u for u in units or () if selects_unit(policy.nas, u, only_unit=only)]
    said = [u.snapshots_per_share if kind is Kind.SHARE else u.snapshots_per_lun for u in chosen]
    limits = [number or _LIMITS[kind] for number in said]
    zones = [unit.timezone for unit in chosen if unit.timezone]
    name = policy.timezone or next(iter(zones), "UTC")
    return _Case(
        policy,
        kind,
        rules_of(policy, zone(name), kind=kind),
        min(limits, default=_LIMITS[kind]),
        usual=not said or None in said,
        now=now,
    )


def _above_the_most(policy: Policy, brakes: UnitBrakes, findings: Findings) -> None:
    immutable = policy.immutable
    if immutable is not None and immutable.days * DAY > brakes.max_immutable:
        findings.error(
            "above-max-immutable",
            f"`immutable` is {immutable.days}d, more than `max_immutable` "
            f"({render(brakes.max_immutable)}) in reconciler.yaml",
            policy.places["immutable"],
            next_step=f"write at most {render(brakes.max_immutable)}",
        )


def _fits(case: _Case, findings: Findings) -> bool:
    """Compare the steady state, or the growth of what has none, with the limits.

    Returns whether the immutable ones fit.
    """
    pinned = immutable_at_once(case.rules).high
    crowded = 10 * pinned > 9 * case.limit
    if crowded:
        findings.error(
            "does-not-fit",
            f"{pinned} immutable snapshots a {case.noun}, limit {case.limit}",
            case.place("immutable"),
            hint=_crowded(case),
            next_step=" or ".join(_immutable_cures(case)),
        )
    found = steady(case.rules)
    if found is None:
        _grows(case, findings)
        return not crowded
    findings.note("steady-state", f"policy {case.policy.name}: {_sentence(case, found)}; "
                  f"limit {case.limit}", case.policy.place)  # fmt: skip
    if crowded:
        return False
    if found.held.high + 1 > case.limit:
        findings.error(
            "does-not-fit",
            f"{_sentence(case, found)}, limit {case.limit}, and one must stay free",
            case.place("keep", "immutable"),
            next_step=_less(case),
        )
    elif case.usual and found.held.high > _SOME_MODELS[case.kind]:
        findings.warning(
            "above-some-models",
            f"{_sentence(case, found)}; some models allow {_SOME_MODELS[case.kind]}, "
            f"others {_LIMITS[case.kind]}",
            case.place("keep", "immutable"),
            next_step=f"write the model's own number in reconciler.yaml: "
            f"snapshots_per_{case.kind}: {_SOME_MODELS[case.kind]}",
        )
    return True


def _sentence(case: _Case, found: Steady) -> str:
    immutable = f", {found.immutable} of them immutable" if found.immutable.high else ""
    noun = "snapshot" if found.held.high == 1 else "snapshots"
    return f"a {case.noun} will hold {found.held} {noun}{immutable}"


def _crowded(case: _Case) -> str:
    """Say from when on `immutable-room` makes them without, counted from the first one."""
    cadence, zone_ = case.rules.cadence, case.rules.zone
    if cadence is None:
        return ""
    most = 9 * case.limit // 10
    first = cadence.following(case.begun, zone_)
    full = counted_off(cadence, zone_, most, first)
    after = spoken(full + (cadence.following(full, zone_) - full) - first)
    since = f", {moment(full, zone_, year=True)}" if case.now is not None else ""
    text = f"nine tenths after {after}{since}; from then on made without immutability"
    return f"{text} (immutable-room)"


def _immutable_cures(case: _Case) -> Iterator[str]:
    """Name the longest immutability that fits, and the shortest cadence that does."""
    low, high = 0, case.rules.immutable_days - 1
    while low < high:
        middle = (low + high + 1) // 2
        fitting = _pinned_fits(case, replace(case.rules, immutable_days=middle))
        low, high = (middle, high) if fitting else (low, middle - 1)
    if low:
        number = immutable_at_once(replace(case.rules, immutable_days=low)).high
        yield f"immutable: {low}d ({number} of them)"
    if case.rules.immutable_of is not None:
        return
    for minutes in _USUAL:
        slower = replace(case.rules, cadence=every(render(minutes * MINUTE)))
        if _pinned_fits(case, slower):
            yield f"every: {render(minutes * MINUTE)} ({immutable_at_once(slower).high})"
            return


def _pinned_fits(case: _Case, rules: Rules) -> bool:
    return 10 * immutable_at_once(rules).high <= 9 * case.limit


def _less(case: _Case) -> str:
    """Name the rule that keeps most."""
    alone = {
        rule: found.held.high
        for rule in ("last", "within", *(period.value for period in Period))
        if (found := _by_itself(case, rule)) is not None
    }
    most = max(alone, key=lambda rule: alone[rule], default="keep")
    over = steady(replace(case.rules, immutable_days=0))
    if over is not None and over.held.high + 1 <= case.limit:
        return "shorten `immutable`, or pin the first of a period only: immutable: {for, of}"
    return f"lower `{most}`, which alone keeps {alone[most]}" if alone else "keep less"


def _by_itself(case: _Case, rule: str) -> Steady | None:
    keep = case.rules.keep
    value = int(getattr(keep, rule)) if keep is not None else 0
    if not value:
        return None
    return steady(replace(case.rules, keep=Keep(**{rule: value}), immutable_days=0))


def _grows(case: _Case, findings: Findings) -> None:
    """Report what nothing bounds and what therefore reaches its limit within a year."""
    rules = case.rules
    wrong = rules.keep is None and "keep" in case.policy.places  # which is said already
    if rules.cadence is None or not unbounded(rules) or wrong:
        return
    full = reached(rules, case.limit, case.begun)
    if full is None:
        return
    what = "without `keep`" if rules.keep is None else "with `all` in `keep`"
    day = f", on {moment(full, rules.zone, year=True)} if it begins now" if case.now else ""
    findings.error(
        "grows-to-limit",
        f"{what} a {case.noun} reaches its limit of {case.limit} snapshots after "
        f"{spoken(full - case.begun)}{day}",
        case.place("keep", "every", "cron"),
        next_step="say which ones stay: keep: {daily: 30, monthly: 12}",
    )


def _outlives(case: _Case, findings: Findings) -> None:
    """Warn where `immutable` holds more than the rules would keep."""
    rules, immutable = case.rules, case.policy.immutable
    both, alone = steady(rules), steady(replace(rules, immutable_days=0))
    if immutable is None or both is None or alone is None or both.held.high <= alone.held.high:
        return
    each = NOUNS[immutable.of] if immutable.of is not None else ""
    whose = f"the first snapshot of each {each}" if each else "each snapshot"
    findings.warning(
        "outlives-keep",
        f"`immutable` holds more than `keep` asks for: {_sentence(case, both)}; `keep` alone: "
        f"{alone.held}",
        case.place("immutable"),
        hint=f"{whose} stays {counted(immutable.days, 'day')}, whatever `keep` says",
        next_step=" or ".join(_outliving_cures(case)),
    )


def _outliving_cures(case: _Case) -> Iterator[str]:
    rules, days = case.rules, case.rules.immutable_days
    daily = replace(rules, immutable_of=Period.DAILY)
    both = immutable_at_once(daily)
    if rules.immutable_of is None and both.high < immutable_at_once(rules).high:
        pinned = f"immutable: {{for: {days}d, of: daily}}"
        yield f"pin only the first of each day ({both}): {pinned}"
    if rules.immutable_of is not None:
        number = immutable_at_once(rules).high
        yield f"let `keep` say what you get: keep: {{{rules.immutable_of}: {number}, …}}"
    else:
        yield f"let `keep` say what you get: keep: {{within: {days}d, …}}"


def _stays_below(case: _Case, findings: Findings) -> None:
    """Warn where `lock` or `min_keep` asks for more than there will be, or what is there anyway."""
    policy = case.policy
    found = steady(replace(case.rules, min_keep=1))
    if found is None:
        return
    if policy.min_keep > found.held.high:
        findings.warning(
            "min-keep-above",
            f"`min_keep` {policy.min_keep} is more than the rules keep ({found.held})",
            case.place("min_keep"),
            next_step="keep more, or lower `min_keep`",
        )
    if policy.locks_all or not policy.lock_newest:
        return
    most = max(found.held.high, policy.min_keep)
    if policy.lock_newest > most:
        findings.warning(
            "locks-more-than-kept",
            f"`lock` asks for {policy.lock_newest}, `keep` leaves {found.held}",
            case.place("lock"),
            next_step="keep more, or lock fewer",
        )
    plain = case.rules.immutable_of is None
    if plain and policy.lock_newest <= found.immutable.low:
        findings.warning(
            "locks-immutable",
            f"`lock` is for the newest {policy.lock_newest}, which are all immutable anyway",
            case.place("lock"),
            next_step="leave one of the two out",
        )


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
    if replicate is not None and cadence is not None:
        if replicate.cadence.most_in(4 * WEEK) > cadence.most_in(4 * WEEK):
            findings.warning(
                "syncs-nothing-new",
                f"`replicate.every` is shorter than `every` ({cadence.written})",
                policy.places["replicate"],
                next_step="sync as often as a snapshot is taken, or less",
            )
        _locks_synced(policy, findings)
    if policy.keep is not None and cadence is None and policy.manage is Manage.OWN:
        findings.warning(
            "keep-without-cadence",
            "`keep` without `every` or `cron`: nothing is taken that it could keep",
            policy.places["keep"],
            next_step="say how often one is taken, or with `manage` whose snapshots it keeps",
        )


def _locks_synced(policy: Policy, findings: Findings) -> None:
    """Say in how many days the snapshots that `lock_synced` locks fill a target."""
    replicate = policy.replicate
    if replicate is None or not replicate.lock_synced:
        return
    for kind in Kind:
        if policy.selector(kind) is None:
            continue
        case = _case(policy, kind, None, None)
        found = steady(case.rules)
        room = case.limit - (found.held.high if found is not None else 0)
        full = counted_off(replicate.cadence, case.rules.zone, room, case.begun)
        findings.warning(
            "locks-synced",
            f"`lock_synced` leaves one more locked snapshot with each sync, which nothing removes: "
            f"a {case.noun} is full after {(full - case.begun) // DAY} days (limit {case.limit})",
            policy.places.get("replicate.lock_synced", policy.place),
            next_step="leave `lock_synced` out, or unlock and delete them by hand in time",
        )
