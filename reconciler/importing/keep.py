"""DSM's retention as a `keep` that never lets go what DSM would keep.

Where DSM's help leaves something open, the reading that keeps more is written, with a comment:

- *At least N* keeps the newest N whatever else is kept; `min_keep` only fills up, so it is `last`.
- On which day DSM's weeks begin is not known. The firsts of N weeks are among the firsts of 7 N
  days whichever day that is, so `weekly: N` becomes `daily: 7 N`.
- Whether DSM counts immutable snapshots is not known. If it does not, its counts begin behind
  them, so each count grows by what they may take up, and its "newest hour" is the one behind them.
- Nor is it known for locked ones. One that stood for a day here could let another one go that DSM
  keeps for it: no count mends that, so nothing is pruned until a person has looked.

*For N days* DSM measures from the clock, `within` from the newest snapshot, which is never later.
What is made by hand counts for DSM and not here, which only reaches further back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.importing.cadence import most_in_a_day
from reconciler.importing.model import KeepRules
from reconciler.model import RetentionKind
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.builtin import OwnRetention
    from reconciler.importing.model import FoundTarget

_WEEK = 7
_SHORT_MONTH = 28


def rules(target: FoundTarget) -> KeepRules:
    """Translate the retention of one target; without one that was read nothing is pruned."""
    retention = target.settings.retention if target.settings is not None else None
    if retention is None:
        why = target.settings.problem if target.settings is not None else "it did not say"
        return KeepRules("unread", None, (f"DSM's retention could not be read: {why}",))
    return _KINDS[retention.kind](retention, target)


def _all(_: OwnRetention, __: FoundTarget) -> KeepRules:
    return KeepRules("all", None, ("DSM keeps all of them, and so does a policy without `keep`",))


def _unknown(retention: OwnRetention, _: FoundTarget) -> KeepRules:
    note = f"DSM prunes here by a rule that is not known ({retention.text}): nothing is pruned"
    return KeepRules("unknown", None, (note,))


def _latest(retention: OwnRetention, target: FoundTarget) -> KeepRules:
    count = retention.latest
    if count < 1:
        return _nothing_said(f"latest {count}")
    more = _uncounted(target) + target.held
    notes: list[str] = []
    if more:
        notes.append(
            f"DSM: the latest {count}. It may not count locked and immutable ones, up to {more}"
        )
    return KeepRules(f"latest-{count}", {"last": str(count + more)}, tuple(notes))


def _days(retention: OwnRetention, _: FoundTarget) -> KeepRules:
    if retention.days < 1:
        return _nothing_said(f"{retention.days} days")
    return KeepRules(f"{retention.days}-days", {"within": f"{retention.days}d"})


def _advanced(retention: OwnRetention, target: FoundTarget) -> KeepRules:
    counts = dict(retention.counts or {})
    notes = [f"DSM: {_said(retention)}"]
    days = _immutable_days(target)
    weekly = counts.pop("weekly", 0)
    if weekly:
        counts["daily"] = max(counts.get("daily", 0), _WEEK * weekly)
        notes.append(
            f"{counted(weekly, 'week')} as {_WEEK * weekly} days: the day on which DSM's weeks "
            f"begin is not known. If it is Monday, `weekly: {weekly}` is the same"
        )
    if days:
        counts = {
            word: count + _touched(word, days, weeks=bool(weekly)) for word, count in counts.items()
        }
        notes.append(
            f"each count is raised by what {counted(days, 'day')} of immutable ones may take up: "
            "DSM may not count them"
        )
    found: dict[str, str] = {}
    newest = retention.minimum
    if days:
        newest = _uncounted(target) + max(retention.minimum, _in_an_hour(target))
    if newest > 0:
        found["last"] = str(newest)
    if retention.all_days > 0:
        found["within"] = f"{retention.all_days}d"
    found.update({word: str(counts[word]) for word in _ORDER if counts.get(word)})
    if not found:
        return _nothing_said("Smart without any rule")
    if target.held:
        held = counted(target.held, "scheduled snapshot is", "scheduled snapshots are")
        notes.append(
            f"nothing is pruned here, as {held} locked: DSM may keep another one for the same day"
        )
        return KeepRules("smart", None, tuple(notes), instead=found)
    return KeepRules("smart", found, tuple(notes))


_ORDER = ("hourly", "daily", "monthly", "yearly")
_KINDS: Mapping[RetentionKind, Callable[[OwnRetention, FoundTarget], KeepRules]] = {
    RetentionKind.NONE: _all,
    RetentionKind.KEEP_ALL: _all,
    RetentionKind.LATEST: _latest,
    RetentionKind.DAYS: _days,
    RetentionKind.ADVANCED: _advanced,
    RetentionKind.UNKNOWN: _unknown,
}


def _nothing_said(what: str) -> KeepRules:
    return KeepRules("unknown", None, (f"DSM's retention says {what}: nothing is pruned",))


def _said(retention: OwnRetention) -> str:
    parts = [f"{count} {word}" for word, count in (retention.counts or {}).items()]
    if retention.all_days:
        parts.append(f"all of {counted(retention.all_days, 'day')}")
    if retention.minimum:
        parts.append(f"at least {retention.minimum}")
    return f"Smart, {', '.join(parts)}" if parts else "Smart"


def _immutable_days(target: FoundTarget) -> int:
    own = target.settings.immutable_days if target.settings is not None else 0
    return max(own, target.immutable_days)


def _uncounted(target: FoundTarget) -> int:
    """Return how many scheduled snapshots may be immutable at one time, those now included."""
    own = target.settings
    if own is None or not own.immutable_days:
        return target.immutable
    return max(target.immutable, most_in_a_day(own.schedule) * (own.immutable_days + 1))


def _in_an_hour(target: FoundTarget) -> int:
    """Return how many scheduled snapshots an hour can hold, both its ends included."""
    schedule = target.settings.schedule if target.settings is not None else None
    repeat = schedule.repeat if schedule is not None and schedule.enabled else 0
    return 60 // repeat + 1 if repeat else 1


def _touched(word: str, days: int, *, weeks: bool) -> int:
    """Return how many periods a span of so many days and some minutes can touch."""
    if word == "daily" and weeks:
        return _WEEK * (days // _WEEK + 2)
    months = 2 if days < _SHORT_MONTH - 1 else 3
    return {"hourly": 24 * days + 2, "daily": days + 2, "monthly": months, "yearly": 2}[word]
