"""Pings as healthchecks.io takes them: start, success, fail; and when a daemon's round is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import requests
import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

_SECONDS = (5.0, 10.0)
_ENDINGS = {"start": "/start", "success": "", "fail": "/fail"}


def ping(url: str, event: str, body: str = "") -> bool:
    """Send one ping; return whether it was heard. Raises nothing: a pass goes on without.

    Proxies and credentials of the environment are left aside, a redirect is not followed.
    """
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                url.rstrip("/") + _ENDINGS[event],
                data=body.encode("utf-8", "replace")[:10_000],
                timeout=_SECONDS,
                allow_redirects=False,
            )
            code = answer.status_code
    except (requests.RequestException, ValueError, OSError) as error:
        # The error's text names the address, which is a secret.
        structlog.get_logger().warning("ping.unheard", ping=event, kind=type(error).__name__)
        return False
    if code != 200:  # noqa: PLR2004  HTTP OK
        structlog.get_logger().warning("ping.unheard", ping=event, status=code)
    return code == 200  # noqa: PLR2004  HTTP OK


@dataclass(slots=True)
class Round:
    """A daemon's passes come one by one; a round is over when every unit had one since its start.

    Then its success is pinged, or its failure, as a one-shot pass over all units does.
    """

    begun: set[str] = field(default_factory=set)
    ended: dict[str, bool] = field(default_factory=dict)

    def begins(self, nas: str) -> bool:
        """Hear that a pass begins; return whether that begins a round."""
        first = not self.begun
        self.begun.add(nas)
        return first

    def ends(self, nas: str, units: Iterable[str], *, failed: bool) -> str | None:
        """Hear that a pass ended; return `success` or `fail` where that ends the round."""
        if nas in self.begun:
            self.ended[nas] = failed or self.ended.get(nas, False)
        everyone = set(units)
        if not everyone or not everyone <= set(self.ended):
            return None
        result = "fail" if any(self.ended[name] for name in everyone) else "success"
        self.begun.clear()
        self.ended.clear()
        return result
