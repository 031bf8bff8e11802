"""Faults that a test or a person injects: what goes wrong, at which call, how often."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from reconciler.simulator.wire import Call

Kind = Literal[
    "error", "html", "redirect", "truncated", "garbage", "status", "reset_before",
    "reset_after", "delay", "drip", "expire_session", "short_listing", "empty_listing",
    "double_listing", "partial", "ignore", "misreport_date", "clock_jump", "actor",
]  # fmt: skip
Act = Literal[
    "create", "lock", "unlock", "describe", "delete", "rename", "swap", "remove", "busy", "free",
]  # fmt: skip

ON_THE_WIRE: Final = frozenset({"html", "redirect", "truncated", "garbage", "status"})
"""Kinds that replace or damage the whole HTTP answer."""

_WORK_DONE: Final = frozenset({"truncated", "reset_after"})


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """One thing that goes wrong, at the next `times` calls that match, after `after` of them.

    `api` and `method` None match every call; `member` True only members of a compound, False
    only calls outside one. `times` None never runs out. With a `chance` below 1 it happens at a
    matching call that often, by a seed: the same calls meet the same faults. By kind:

    - error: DSM's `code` (default 100; 3328 is a busy share) with `errors`; nothing is done
    - html, garbage: status 200 and no JSON; redirect: 302 to `location`; status: HTTP `code`
      (default 502). Nothing is done unless `done`
    - truncated: everything is done, half of the body arrives, the connection ends
    - reset_before, reset_after: the connection is cut before or after the work
    - delay: the answer comes `seconds` of real time late; the work is done before
    - drip: the answer comes in pieces, `seconds` of real time in all; the work is done before
    - expire_session: the session ends with `code` (default 119)
    - short_listing: the list lacks its last `rows` rows and keeps its total or count
    - empty_listing: the list is empty and says so
    - double_listing: the list names its first `rows` rows twice, and its total or count agrees
    - partial: a delete says `success: true` and refuses with `code` (default 3350 for a share's,
      18990540 for a LUN's snapshot) those of `names`, all of them without `names`
    - ignore: says success and does nothing
    - misreport_date: the `Date` header is off by `seconds`
    - clock_jump: the NAS's clock moves by `seconds` (back where negative), then the call is done
    - actor: somebody else is faster: `act` is done to the share (or LUN) `target` right before
      the call. create (with the description `to`), lock, unlock, describe (write `to` over the
      description) and delete concern `snapshot`: newest, oldest, a name or a uuid; rename gives
      the target the name `to`, swap exchanges it with that of `to`, remove deletes the target,
      busy and free make and end what answers 3328
    """

    kind: Kind
    api: str | None = None
    method: str | None = None
    member: bool | None = None
    code: int | None = None
    errors: Any = None
    times: int | None = 1
    after: int = 0
    seconds: float = 0.0
    rows: int = 1
    names: tuple[str, ...] = ()
    location: str = "http://127.0.0.1:1/"
    done: bool | None = None
    chance: float = 1.0
    act: Act | None = None
    target: str = ""
    snapshot: str = "newest"
    to: str = ""
    used: int = field(default=0, init=False)

    @property
    def work_done(self) -> bool:
        """Whether the call's work is done although its answer is damaged."""
        return self.kind in _WORK_DONE if self.done is None else self.done

    def matches(self, call: Call) -> bool:
        """Whether it concerns this call."""
        return (
            self.api in (None, call.api)
            and self.method in (None, call.method)
            and self.member in (None, call.member)
            and self.times != 0
        )


class Faults:
    """The faults injected so far, used up in their order; safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []
        self._random = random.Random(0)

    def seed(self, seed: int) -> None:
        """Begin the row of chances anew: the same seed and the same calls meet the same faults."""
        with self._lock:
            self._random.seed(seed)

    def listed(self) -> list[Fault]:
        """Return every fault that was injected and not dropped, used up or not."""
        with self._lock:
            return list(self._pending)

    def add(self, fault: Fault) -> None:
        """Put a fault at the end of the queue."""
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        """Drop whatever has not happened yet."""
        with self._lock:
            self._pending.clear()

    def take(self, call: Call) -> Fault | None:
        """Return the fault that happens at this call, and use it up."""
        with self._lock:
            fault = next((each for each in self._pending if self._meets(each, call)), None)
            if fault is None:
                return None
            if fault.after:
                fault.after -= 1
                return None
            fault.used += 1
            if fault.times is not None:
                fault.times -= 1
            return fault

    def _meets(self, fault: Fault, call: Call) -> bool:
        return fault.matches(call) and (fault.chance >= 1 or self._random.random() < fault.chance)
