"""Telling people: what stands is decided for each channel, sent, and remembered in the store."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import structlog

from reconciler.errors import ReconcilerError
from reconciler.execute import UnitOutcome
from reconciler.inventory.secrets import read_secret
from reconciler.memory import UnitMemory
from reconciler.notify.channel import check_installed, send
from reconciler.notify.decide import RECOVERED, decide
from reconciler.notify.ping import Round, ping
from reconciler.policy.select import unmatched
from reconciler.report.messages import Heard, conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.daemon.board import Known
    from reconciler.inventory.model import Configuration, Notification
    from reconciler.notify.decide import Condition, Message, Scope
    from reconciler.store import Store

_PATIENCE = 60.0
"""Seconds before a channel that did not take a message is tried again."""


def check(configuration: Configuration) -> None:
    """Raise UserError where a channel is configured that cannot be used."""
    if any(entry.kind == "apprise" for entry in configuration.notify):
        check_installed()


class Teller:
    """Tells every channel what it wants to know; safe to call from several threads.

    A message that a channel does not take is sent again later, so one may come twice, never not
    at all. Nothing here raises into a pass.
    """

    def __init__(
        self,
        store: Store,
        environment: Mapping[str, str],
        *,
        post: Callable[[str, Message], bool] = send,
        beat: Callable[[str, str], bool] = ping,
    ) -> None:
        self._store = store
        self._environment = environment
        self._post = post
        self._beat = beat
        self._lock = threading.Lock()
        self._later: dict[str, float] = {}
        self._round = Round()

    def tell(self, known: Known, *, now: float, watched: bool) -> None:
        """Tell what stands; `watched` says that somebody watches the files, as a daemon does."""
        if known.in_force is None:
            return
        with self._lock:
            try:
                found, scope = _standing(known, watched=watched)
                for entry in known.in_force.configuration.notify:
                    if entry.kind == "apprise":
                        self._tell(entry, found, scope, now)
            except Exception as error:  # noqa: BLE001  a message that fails ends no pass
                structlog.get_logger().error("message.failed", kind=type(error).__name__)

    def began(self, configuration: Configuration, nas: str) -> None:
        """Ping that a round of passes has begun, where this one begins it."""
        with self._lock:
            if self._round.begins(nas):
                self._ping(configuration, "start")

    def ended(self, configuration: Configuration, nas: str, *, failed: bool) -> None:
        """Ping how a round of passes ended, where this one ends it."""
        names = [unit.name for unit in configuration.units]
        with self._lock:
            result = self._round.ends(nas, names, failed=failed)
            if result is not None:
                self._ping(configuration, result)

    def ping(self, configuration: Configuration, event: str) -> None:
        """Ping `start`, `success` or `fail` of a one-shot pass."""
        with self._lock:
            self._ping(configuration, event)

    def _ping(self, configuration: Configuration, event: str) -> None:
        for entry in configuration.notify:
            url = self._secret(entry) if entry.kind == "healthchecks" else ""
            if url:
                self._beat(url, event)

    def _tell(
        self, entry: Notification, found: Sequence[Condition], scope: Scope, now: float
    ) -> None:
        channel = _name(entry)
        if self._later.get(channel, 0.0) > now:
            return
        messages, standing = decide(
            found,
            self._store.told(channel),
            scope=scope,
            now=int(now),
            wants=lambda one: _wants(entry, one),
            recovered=not entry.events or RECOVERED in entry.events,
        )
        if messages:
            url = self._secret(entry)
            if not url or not all(self._post(url, message) for message in messages):
                self._later[channel] = now + _PATIENCE
                return
        self._store.keep_told(channel, standing)

    def _secret(self, entry: Notification) -> str:
        try:
            return read_secret(entry.address, environment=self._environment)
        except ReconcilerError as error:
            structlog.get_logger().warning("channel.unread", error=str(error))
            return ""


def _wants(entry: Notification, one: Condition) -> bool:
    if entry.events and one.event not in entry.events:
        return False
    return not entry.only or any(f"{key}={value}" in entry.only for key, value in one.tags)


def _name(entry: Notification) -> str:
    """Name a channel by where its address stands, which is no secret, and by what it wants."""
    at = entry.address
    parts = (entry.kind, str(at.file), at.env, *at.command, "|", *sorted(entry.only))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _standing(known: Known, *, watched: bool) -> tuple[tuple[Condition, ...], Scope]:
    if known.in_force is None:
        raise AssertionError("nothing is told before anything is in force")
    heard = [
        Heard(unit.plan, unit.memory or UnitMemory(name), unit.outcome or UnitOutcome(name))
        for name, unit in known.units.items()
        if unit.plan is not None
    ]
    units = known.in_force.configuration.units
    targets = {
        one.plan.nas: [(t.kind, t.name, t.uuid) for t in one.plan.targets]
        for one in heard
        if not one.plan.problem
    }
    return conditions(
        heard,
        known.in_force.policies,
        units,
        missing=unmatched(known.in_force.policies, targets, units),
        trouble=known.trouble if watched else None,
    )
