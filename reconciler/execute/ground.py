"""The ground a permit is applied on: the client, and the reading taken right before each write."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.audit import Ended
from reconciler.errors import Busy, PermanentError, Refusal, TemporaryError
from reconciler.model import Kind
from reconciler.observe import Observer, with_shift
from reconciler.planning import belongs, guards, recall
from reconciler.planning.plan import Delete, State, Stop, TargetPlan
from reconciler.planning.unit import Wish, plan_one, situate
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import structlog

    from reconciler.audit import Audit
    from reconciler.dsm import Clock, Writer
    from reconciler.execute.outcome import ActionOutcome
    from reconciler.lease import Lease
    from reconciler.model import (
        Instant,
        NameForm,
        Observation,
        ObservedTarget,
        Seconds,
        Snapshot,
    )
    from reconciler.orders import Orders
    from reconciler.planning.plan import Action, Change
    from reconciler.planning.situation import Situation


class Moved(TemporaryError):
    """A share was renamed or removed between its listing and the call: nothing was sent."""


class Paused(Refusal):
    """A person paused the unit since the pass began: nothing more is written there."""


class Withheld(PermanentError):
    """A pause of deletions or a hold came in right before a deletion: it was not sent."""


@dataclass(slots=True)
class Ground:
    """One NAS during one pass. The observation is replaced by each fresh reading.

    `stop` is set when something seen during the pass forbids any further deletion on this NAS.
    `full` says, by uuid, why DSM refused a creation for want of room; "" once room was made.
    `settled` are the targets, by uuid, whose creation of this pass is made, skipped or failed.
    `permit` is the target that is being written to; `intents` are the numbers, by action, of the
    records whose outcome is still to come. `orders` returns what people have said of the unit by
    now; it is asked at each reading and before each write, None where nobody can say anything.
    """

    wish: Wish
    writer: Writer
    clock: Clock
    observation: Observation
    log: structlog.stdlib.BoundLogger
    audit: Audit
    lease: Lease
    stop: Stop | None = None
    full: dict[str, str] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    watch: Watch = field(default_factory=Watch)
    permit: TargetPlan | None = None
    intents: dict[int, int] = field(default_factory=dict)
    orders: Callable[[], Orders] | None = None

    def intend(self, pairs: Sequence[tuple[Action, Change]]) -> None:
        """Record what is about to be sent, durably; raises Busy where the lease is lost (P14).

        Each pair is the permitted action and the change as it goes out. Raises Paused or Withheld
        where a person has said since that it may not go out.
        """
        if not self.lease.held():
            raise Busy(
                f"the lease on {self.observation.nas} is lost: nothing more is written there",
                next_step="see whether another reconciler runs; the next pass goes on",
            )
        if self.permit is None:
            raise AssertionError("nothing is written outside a target's permit")
        self._heed(self.permit, [change for _, change in pairs])
        numbers = self.audit.intend(self.permit, pairs)
        for (action, _), number in zip(pairs, numbers, strict=True):
            self.intents[id(action)] = number

    def _heed(self, target: TargetPlan, changes: Sequence[Change]) -> None:
        """Ask once more what people have said: a reading may be seconds old by now."""
        if self.orders is None:
            return
        said = self.orders()
        pause = said.paused
        if pause is not None and not pause.deletes_only:
            raise Paused(
                guards.told(pause, self.wish.zone_of("")),
                next_step=f"reconcile resume --nas {self.observation.nas}",
            )
        deletions = [change.snapshot for change in changes if isinstance(change, Delete)]
        if deletions and pause is not None:
            raise Withheld(f"deletions are {guards.told(pause, self.wish.zone_of(''))}")
        for one in said.holds:
            hold = recall.run_time(one)
            here = (one.kind, one.uuid) == (target.kind, target.uuid)
            if here and any(belongs.covered(hold, snapshot, 0) for snapshot in deletions):
                raise Withheld(f"on hold since: {hold.name}, {hold.reason}")

    def _heard(self) -> Wish:
        """Return the wish with what people have said by now (holds, a pause of deletions).

        A pause of all writes is met by the next write instead, so that a reading that verifies
        what was sent before it still does.
        """
        if self.orders is None:
            return self.wish
        said = self.orders()
        narrow = tuple(pause for pause in said.pauses if pause.deletes_only)
        return replace(self.wish, orders=replace(said, pauses=narrow))

    def ended(self, outcome: ActionOutcome, after: Snapshot | None = None) -> None:
        """Record how an action ended that was sent; one that never was leaves no record.

        What is in doubt stays open, to be settled by the next pass.
        """
        number = self.intents.pop(id(outcome.action), None)
        if number is None or self.permit is None or outcome.doubt:
            return
        snapshot = outcome.action.snapshot
        key = after.key if after is not None else snapshot.key if snapshot is not None else ""
        end = Ended(
            number, outcome.action.verb, key, str(outcome.result), outcome.detail, after=after
        )
        self.audit.ended(self.permit, [end])

    @property
    def now(self) -> Instant:
        """The NAS's own clock at its last answer."""
        stamp = self.writer.server_time
        return self.observation.now if stamp is None else stamp.date

    @property
    def situation(self) -> Situation:
        """The situation of the latest reading, with what this pass found out since."""
        found = situate(self.wish, self.observation)
        return replace(
            found,
            stops=(*(() if self.stop is None else (self.stop,)), *found.stops),
            full=dict(self.full),
            settled=frozenset(self.settled),
        )

    def look(self, kind: Kind, uuid: str) -> Sight:
        """Read one target anew, found by its uuid, and run the rules on that reading (P10)."""
        self.wish = self._heard()
        observer = Observer(self.observation.nas, self.writer)
        self.observation = observer.again(self.observation, kind, uuid)
        target = next(
            (t for t in self.observation.targets if (t.kind, t.uuid) == (kind, uuid)), None
        )
        if target is None:
            return Sight(None, None)
        return Sight(target, plan_one(self.wish, target, self.situation))

    def address(self, target: ObservedTarget) -> str:
        """Return what a call that writes to this target names it by: a LUN's uuid, a share's name.

        DSM knows the snapshots of a share by the share's name alone, and two shares may have
        swapped theirs since the listing, so the name is looked up once more right before the
        call. Raises Moved where it is another share's by now, or nobody's.
        """
        if target.kind is Kind.LUN:
            return target.uuid
        share = self.writer.read_share(target.uuid)
        if share is None or share.name != target.name:
            now = f"is called {share.name}" if share is not None else "is gone"
            raise Moved(f"not sent: the share listed as {target.name} {now} since")
        return share.name

    def measured(self, form: NameForm, shift: Seconds) -> None:
        """Take a constant difference between names and the clock off every time of this NAS."""
        self.observation = with_shift(self.observation, form, shift)


@dataclass(frozen=True, slots=True)
class Sight:
    """A fresh reading of one target and the plan of that reading; both None where it is gone."""

    target: ObservedTarget | None
    plan: TargetPlan | None

    @property
    def snapshots(self) -> Mapping[str, Snapshot]:
        """The listed snapshots by key; empty where the listing cannot be trusted."""
        if self.target is None or self.target.snapshots is None:
            return {}
        return {snapshot.key: snapshot for snapshot in self.target.snapshots}

    @property
    def trusted(self) -> bool:
        """Whether the listing is complete and the policy still acts here."""
        return (
            self.target is not None
            and self.target.snapshots is not None
            and self.plan is not None
            and self.plan.state not in (State.UNKNOWN, State.CONTENDED, State.DESTINATION)
        )

    @property
    def trouble(self) -> str:
        """Why nothing may be decided on this reading, "" where it may."""
        if self.trusted:
            return ""
        if self.target is None or self.plan is None:
            return "the target is gone"
        told = [finding.text for finding in self.plan.findings]
        return self.target.problem or next(iter(told), f"it is {self.plan.state} now")
