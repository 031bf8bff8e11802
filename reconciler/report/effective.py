"""The effective policy of a target: in one sentence, and as rows with the place of each value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.calendar import Every
from reconciler.duration import render
from reconciler.policy.model import Manage
from reconciler.retention import ALL, Pick
from reconciler.wording import NOUNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.calendar import Cadence
    from reconciler.model import Seconds
    from reconciler.policy.model import Immutable, Policy, Selector, Window

_RULES = ("last", "within", "hourly", "daily", "weekly", "monthly", "quarterly", "yearly")
_MINUTES = 60


_DEFAULT = "default"


def sentence(policy: Policy) -> tuple[str, ...]:
    """Return the policy's parts in short: `every 4h`, `keep last 48, daily 30, the first of each`.

    What is not set has no part.
    """
    keep = policy.keep
    rules = [f"{name} {value}" for name in _RULES if (value := _rule(name)(policy))]
    if keep is not None and keep.periods:
        rules.append(f"the {'first' if policy.pick is Pick.EARLIEST else 'last'} of each")
    immutable, lock = policy.immutable, _lock(policy)
    of = f", the first of each {NOUNS[immutable.of]}" if immutable and immutable.of else ""
    parts = (
        _takes(policy.cadence),
        f"keep {', '.join(rules)}" if rules else "keep everything",
        f"never fewer than {policy.min_keep}" if policy.min_keep > 1 else "",
        f"lock {lock}" if lock else "",
        f"immutable {immutable.days}d{of}" if immutable else "",
        f"manage {policy.manage}" if policy.manage is not Manage.OWN else "",
        f"suspended: {policy.suspended}" if policy.suspended else "",
    )
    return tuple(part for part in parts if part)


def _takes(cadence: Cadence | None) -> str:
    if cadence is None:
        return "takes none"
    return f"{'every' if isinstance(cadence, Every) else 'cron'} {cadence.written}"


def rows(policy: Policy, *, defaults: bool = True) -> tuple[tuple[str, str, str], ...]:
    """Return key, value and `file:line` of all that is set, `default` where nobody wrote it.

    A key inside a map names its own line where it has one, else the map's. Without `defaults` only
    what somebody wrote.
    """
    found = ((key, show(policy), _place(policy, key)) for key, show in _VALUES.items())
    return tuple(row for row in found if row[1] and (defaults or row[2] != _DEFAULT))


def _place(policy: Policy, key: str) -> str:
    for written in (key, key.partition(".")[0], *_ALSO.get(key, ())):
        if written in policy.places:
            return str(policy.places[written])
    return _DEFAULT


def _selector(selector: Selector | None) -> str:
    return ", ".join(pattern.written for pattern in selector.patterns) if selector else ""


def _cadence(cadence: Cadence | None) -> str:
    return cadence.written if cadence is not None else ""


def _span(seconds: Seconds | None) -> str:
    return render(seconds) if seconds else ""


def _count(number: int) -> str:
    return "all" if number == ALL else str(number) if number else ""


def _immutable(immutable: Immutable | None) -> str:
    if immutable is None:
        return ""
    each = f", the first of each period ({immutable.of})" if immutable.of is not None else ""
    return f"{immutable.days}d{each} (cannot be undone)"


def _lock(policy: Policy) -> str:
    return (
        f"newest {policy.lock_newest}"
        if policy.lock_newest and not policy.locks_all
        else _count(policy.lock_newest)
    )


def _window(window: Window | None) -> str:
    if window is None:
        return ""
    return "-".join(
        f"{minute // _MINUTES:02d}:{minute % _MINUTES:02d}" for minute in (window.start, window.end)
    )


def _rule(name: str) -> Callable[[Policy], str]:
    def show(policy: Policy) -> str:
        if policy.keep is None:
            return ""
        value = int(getattr(policy.keep, name))
        return _span(value) if name == "within" else _count(value)

    return show


def _replicate(show: Callable[..., str], name: str) -> Callable[[Policy], str]:
    def shown(policy: Policy) -> str:
        return show(getattr(policy.replicate, name)) if policy.replicate is not None else ""

    return shown


_ALSO = {"every": ("cron", "at"), "replicate.every": ("replicate.cron",)}
"""Under which other keys a value may have been written."""

_VALUES: dict[str, Callable[[Policy], str]] = {
    "nas": lambda policy: _selector(policy.nas),
    "shares": lambda policy: _selector(policy.shares),
    "luns": lambda policy: _selector(policy.luns),
    "formerly": lambda policy: ", ".join(policy.formerly),
    "priority": lambda policy: str(policy.priority or ""),
    "timezone": lambda policy: policy.timezone,
    "every": lambda policy: _cadence(policy.cadence),
    "consistency": lambda policy: policy.consistency if policy.luns is not None else "",
    **{f"keep.{name}": _rule(name) for name in _RULES},
    "pick": lambda policy: str(policy.pick) if policy.keep is not None else "",
    "min_keep": lambda policy: str(policy.min_keep) if policy.keep is not None else "",
    "lock": _lock,
    "immutable": lambda policy: _immutable(policy.immutable),
    "replicate.every": _replicate(_cadence, "cadence"),
    "replicate.to": _replicate(str, "to"),
    "replicate.plan": _replicate(str, "plan"),
    "replicate.lock_synced": _replicate(lambda value: "true" if value else "", "lock_synced"),
    "replicate.window": _replicate(_window, "window"),
    "replicate.rpo": _replicate(_span, "rpo"),
    "rpo": lambda policy: _span(policy.rpo) or "none",
    "manage": lambda policy: str(policy.manage),
    "brakes.max_deletes": lambda policy: str(policy.brakes.max_deletes),
    "brakes.max_delete_percent": lambda policy: str(policy.brakes.max_delete_percent),
    "suspend": lambda policy: policy.suspended,
    "owner": lambda policy: policy.owner,
    "description": lambda policy: policy.description,
}
