"""Sending messages through Apprise, an optional extra; its addresses are secrets."""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING

import structlog

from reconciler.errors import UserError

if TYPE_CHECKING:
    from reconciler.notify.decide import Message


def check_installed() -> None:
    """Raise UserError where messages are configured and what sends them is not installed."""
    if importlib.util.find_spec("apprise") is None:
        raise UserError(
            "`notify` names an apprise channel, and Apprise is not installed",
            next_step="pip install 'snapshot-reconciler[notify]', or take the entry out",
        )


def send(url: str, message: Message) -> bool:
    """Send one message; return whether it was taken. Raises nothing, and logs no address."""
    import apprise

    # Apprise names addresses in its own log, which goes nowhere else.
    logging.getLogger("apprise").disabled = True
    try:
        channel = apprise.Apprise()
        known = channel.add(url)
        taken = known and channel.notify(
            body=message.body or message.title,
            title=message.title,
            notify_type=_KINDS.get(message.event, apprise.NotifyType.WARNING),
            body_format=apprise.NotifyFormat.TEXT,
        )
    except Exception as error:  # noqa: BLE001  a channel's plug-in may raise anything
        structlog.get_logger().warning("message.unsent", kind=type(error).__name__)
        return False
    if not taken:
        reason = "refused" if known else "not an address that Apprise knows"
        structlog.get_logger().warning("message.unsent", reason=reason, about=message.event)
    return bool(taken)


_KINDS = {"recovered": "success", "failure": "failure", "unknown": "failure"}
