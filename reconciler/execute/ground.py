"""The ground a permit is applied on: the client, and the reading taken right before each write."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.errors import TemporaryError
from reconciler.model import Kind
from reconciler.observe import Observer, with_shift
from reconciler.planning.plan import State, Stop, TargetPlan
from reconciler.planning.unit import Wish, plan_one, situate
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    import structlog

    from reconciler.dsm import Clock, Writer
    from reconciler.model import (
        Instant,
        NameForm,
        Observation,
        ObservedTarget,
        Seconds,
        Snapshot,
    )
    from reconciler.planning.situation import Situation


class Moved(TemporaryError):
    """A share was renamed or removed between its listing and the call: nothing was sent."""


@dataclass(slots=True)
class Ground:
    """One NAS during one pass. The observation is replaced by each fresh reading.

    `stop` is set when something seen during the pass forbids any further deletion on this NAS.
    `full` says, by uuid, why DSM refused a creation for want of room; "" once room was made.
    `settled` are the targets, by uuid, whose creation of this pass is made, skipped or failed.
    """

    wish: Wish
    writer: Writer
    clock: Clock
    observation: Observation
    log: structlog.stdlib.BoundLogger
    stop: Stop | None = None
    full: dict[str, str] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    watch: Watch = field(default_factory=Watch)

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
            stop=self.stop or found.stop,
            full=dict(self.full),
            settled=frozenset(self.settled),
        )

    def look(self, kind: Kind, uuid: str) -> Sight:
        """Read one target anew, found by its uuid, and run the rules on that reading (P10)."""
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
