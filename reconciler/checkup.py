"""What is wrong with one unit, and its cure: every check that can be made is, none stops another.

Reads only. A credential that was refused is not sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler import dsm
from reconciler.duration import DAY, spoken
from reconciler.errors import CredentialError, PermanentError, ReconcilerError, TargetError
from reconciler.model import Kind
from reconciler.policy.select import owner
from reconciler.survey import survey
from reconciler.wording import counted
from reconciler.zones import offset, zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.importing.model import FoundTarget, Survey
    from reconciler.inventory.model import Unit, UnitBrakes
    from reconciler.model import Limits, Observation
    from reconciler.policy.model import PolicySet

_SOON: int = 30 * DAY
_SNAPSHOTS, _LUNS, _PLANS = "SYNO.Core.Share.Snapshot", "SYNO.Core.ISCSI.LUN", "SYNO.DR.Plan"


class Level(StrEnum):
    """How much a check's result matters."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, what was found, and the next step ("" where there is none).

    A line to paste follows the next step's own text after a line end.
    """

    what: str
    level: Level
    fact: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """One unit and its checks, in the order in which they were made."""

    nas: str
    checks: tuple[Check, ...]

    @property
    def problems(self) -> int:
        """How many checks found a problem."""
        return sum(check.level is Level.PROBLEM for check in self.checks)


@dataclass(frozen=True, slots=True)
class Ward:
    """The unit to look at with what is known of it; `policies` is None where none are valid."""

    unit: Unit
    brakes: UnitBrakes
    policies: PolicySet | None
    only_unit: bool
    connect: Callable[[], dsm.Connection]


def examine(ward: Ward, clock: dsm.Clock) -> Examined:
    """Check one unit: secret, certificate, sign-in, rights, packages, clock, limits, conflicts."""
    return Examined(ward.unit.name, tuple(_checks(ward, clock)))


def _checks(ward: Ward, clock: dsm.Clock) -> Iterator[Check]:
    try:
        connection = ward.connect()
    except TargetError as error:
        yield _failed("secret", error)
        return
    try:
        trust = tuple(_certificate(connection, int(clock.time())))
    except ReconcilerError as error:
        yield _failed("reach", error)
        return
    yield from trust
    if any(check.level is Level.PROBLEM for check in trust):
        return
    latch = dsm.Latch(connection.latches, connection.name, connection.credential)
    try:
        closed = latch.closed(int(clock.time()))
    except PermanentError as error:
        yield _failed("credentials", error)
        return
    if closed is not None:
        yield Check(
            "credentials", Level.PROBLEM, f"{closed}; not tried again", _renew(closed, connection)
        )
        return
    try:
        with dsm.open_reader(connection, clock) as reader:
            yield Check("sign-in", Level.OK, f"as {connection.account}")
            yield from _signed_in(ward, reader)
    except ReconcilerError as error:
        yield _failed("sign-in" if isinstance(error, CredentialError) else "reading", error)


def _failed(what: str, error: ReconcilerError) -> Check:
    return Check(what, Level.PROBLEM, str(error), error.next_step)


def _renew(error: CredentialError, connection: dsm.Connection) -> str:
    again = f"reconcile login {connection.name}"
    return error.next_step if again in error.next_step else f"{error.next_step}, then {again}"


def _certificate(connection: dsm.Connection, now: int) -> Iterator[Check]:
    seen = dsm.presented(connection.url)
    if seen is None or connection.insecure:
        yield Check("reach", Level.OK, f"{connection.url} answers, over loopback without TLS")
        return
    pinned, line = connection.fingerprints, f'tls: {{fingerprint: ["sha256:{seen.fingerprint}"]}}'
    left = int(seen.ends.timestamp()) - now
    until = f"until {datetime.fromtimestamp(seen.ends.timestamp(), UTC):%Y-%m-%d}"
    if pinned and seen.fingerprint not in pinned:
        yield Check(
            "certificate", Level.PROBLEM,
            f"another one than the inventory trusts: sha256:{seen.fingerprint}",
            f"if it was renewed, write:\n{line}",
        )  # fmt: skip
    elif not pinned and connection.ca_file is None and seen.distrust:
        yield Check(
            "certificate", Level.PROBLEM, f"not trusted here: {seen.distrust}",
            f"if that one is its own, write:\n{line}",
        )  # fmt: skip
    elif left < _SOON:
        fact = f"ends in {spoken(left)}, {until}" if left > 0 else f"ended, valid {until}"
        # A pinned one is trusted whatever its dates say.
        level = Level.NOTE if pinned or left > 0 else Level.PROBLEM
        step = "renew it in DSM: Control Panel > Security > Certificate"
        yield Check("certificate", level, fact, f"{step}, then write the new fingerprint here"
                    if pinned else step)  # fmt: skip
    else:
        how = "trusted by fingerprint" if pinned else "trusted"
        yield Check("certificate", Level.OK, f"{how}, {until}")


def _signed_in(ward: Ward, reader: dsm.Reader) -> Iterator[Check]:
    yield from _packages(reader.offered)
    found, seen = survey(ward.unit.name, ward.unit.timezone or "UTC", reader)
    yield from _rights(found, seen)
    yield from _identity(ward.unit, seen)
    yield from _clock(ward, seen)
    yield from _limits(ward.unit, seen.limits)
    yield from _conflicts(ward, found)


def _packages(offered: frozenset[str]) -> Iterator[Check]:
    if _SNAPSHOTS not in offered:
        yield Check("versions", Level.PROBLEM, "DSM offers no snapshots of shares",
                    "update to DSM 7; a model without Btrfs has none")  # fmt: skip
    else:
        yield Check("versions", Level.OK, "DSM offers the calls that are needed")
    if _LUNS not in offered:
        yield Check("packages", Level.NOTE, "SAN Manager is not there: no LUNs")
    if _PLANS not in offered:
        yield Check("packages", Level.NOTE, "Snapshot Replication is not installed: no replication",
                    "install it in Package Center if a policy replicates")  # fmt: skip


def _rights(found: Survey, seen: Observation) -> Iterator[Check]:
    if seen.plans is None:
        yield Check("packages", Level.PROBLEM,
                    f"replication plans cannot be listed: {seen.plans_problem}",
                    "start Snapshot Replication in Package Center")  # fmt: skip
    unread = [t for t in seen.targets if t.problem]
    for target in unread:
        yield Check("reading", Level.PROBLEM, f"{target.kind}/{target.name}: {target.problem}")
    if not unread:
        shares = sum(target.kind is Kind.SHARE for target in found.targets)
        luns = len(found.targets) - shares
        yield Check("rights", Level.OK,
                    f"may list {counted(shares, 'share')} and {counted(luns, 'LUN')}")  # fmt: skip


def _identity(unit: Unit, seen: Observation) -> Iterator[Check]:
    serial = seen.identity.serial
    if not serial:
        yield Check("serial", Level.PROBLEM, "it reports none, so it cannot be told from another")
    elif unit.serials and serial not in unit.serials:
        yield Check(
            "serial", Level.PROBLEM, f"{serial}, the inventory says {' or '.join(unit.serials)}",
            f"if it was replaced: reconcile init {unit.url} --name {unit.name} --replaced",
        )  # fmt: skip
    else:
        yield Check("serial", Level.OK, f"{serial}, {seen.identity.model}, {seen.identity.version}")


def _clock(ward: Ward, seen: Observation) -> Iterator[Check]:
    most = ward.brakes.max_clock_skew
    if abs(seen.skew) > most:
        side = "ahead of" if seen.skew > 0 else "behind"
        yield Check(
            "clock", Level.PROBLEM,
            f"{spoken(abs(seen.skew))} {side} this machine's, more than {spoken(most)}",
            "set NTP on both: DSM shows it under Control Panel > Regional Options",
        )  # fmt: skip
    else:
        yield Check("clock", Level.OK, f"{seen.skew:+.1f} s")
    named = ward.unit.timezone
    if not named:
        yield Check("zone", Level.NOTE, "none in the inventory: days are cut in UTC",
                    "write `timezone:` under the unit")  # fmt: skip
    elif seen.utc_offset is not None and offset(seen.now, zone(named)) != seen.utc_offset:
        hours = seen.utc_offset / 3600
        yield Check("zone", Level.NOTE, f"the inventory says {named}, its clock is UTC{hours:+g}",
                    "write the zone of DSM's Control Panel > Regional Options")  # fmt: skip
    else:
        yield Check("zone", Level.OK, named)


def _limits(unit: Unit, asked: Limits) -> Iterator[Check]:
    rows = (
        ("a share", unit.snapshots_per_share, asked.share),
        ("a LUN", unit.snapshots_per_lun, asked.lun),
        ("the NAS", unit.snapshots_per_unit, asked.unit),
    )
    parts = [f"{_source(own, told)} {what}" for what, own, told in rows]
    silent = all(own is None and told is None for _, own, told in rows)
    step = "write `snapshots_per_share` from its data sheet" if silent else ""
    yield Check("limits", Level.NOTE if silent else Level.OK, ", ".join(parts), step)


def _source(own: int | None, told: int | None) -> str:
    if own is not None:
        return f"{own} (inventory)"
    return f"{told} (the NAS)" if told is not None else "unknown"


def _conflicts(ward: Ward, found: Survey) -> Iterator[Check]:
    if ward.policies is None:
        yield Check("conflicts", Level.NOTE, "not looked for: the policies are not valid",
                    "reconcile lint")  # fmt: skip
        return
    quiet = True
    for target in found.targets:
        for check in _of_target(ward, ward.policies, target):
            quiet = False
            yield check
    if quiet:
        yield Check("conflicts", Level.OK, "DSM neither takes nor prunes where a policy does")


def _of_target(ward: Ward, policies: PolicySet, target: FoundTarget) -> Iterator[Check]:
    owned = owner(
        policies, ward.unit, target.kind, target.name, target.uuid, only_unit=ward.only_unit
    )
    own, label = target.settings, f"{target.kind}/{target.name}"
    if owned.policy is None or own is None or target.left_alone:
        return
    where = f"Snapshot Replication > Snapshots > {target.name} > Settings"
    if own.retention is not None and own.retention.kind.prunes:
        yield Check("conflicts", Level.PROBLEM, f"{label}: two pruners, DSM's own retention is on",
                    f"switch it off in DSM: {where} > Retention")  # fmt: skip
    scheduled = own.schedule is not None and own.schedule.enabled
    if scheduled and owned.policy.cadence is not None:
        yield Check("conflicts", Level.PROBLEM,
                    f"{label}: DSM's schedule is on beside {owned.policy.name}'s `every`",
                    f"switch it off in DSM: {where} > Schedule")  # fmt: skip
    if own.problem:
        yield Check("conflicts", Level.NOTE, f"{label}: DSM's own settings unread: {own.problem}")
