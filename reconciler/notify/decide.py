"""Which conditions are told now: each once, again after a day, and when it is over (P21).

`decide` is a pure function of what stands, what was told, and now; it is asked for one channel at a
time, since each remembers what it was told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.duration import DAY, WEEK, spoken
from reconciler.planning.plan import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.model import Instant, Seconds

    Key = tuple[str, str]
    """A unit's name ("" for the policy repository) and what on it."""

FAILURE = "failure"
FILES = "files"
"""What of the policy repository stands for the files themselves."""

RECOVERED = "recovered"
_AGAIN: Mapping[str, Seconds] = {State.SUSPENDED.value: WEEK}
_ORDER = tuple(state.value for state in State)
"""Of several states a target shows the first: while it does, a later one may stand behind it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is to be told: `event` is a word of `notify.events`.

    `thing` says what on the unit ("" the unit itself), stable over renames. `subject` names it for
    people, `headline` may add to that in the title. `lines` are the message's, the first of them
    its fact. `tags` are what `only` reads.
    """

    event: str
    nas: str
    thing: str
    subject: str
    headline: str = ""
    lines: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> Key:
        """What it is about."""
        return self.nas, self.thing


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel was told and has not been told the end of; `first` and `last` are when."""

    nas: str
    thing: str
    event: str
    subject: str
    first: Instant
    last: Instant


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `title` is the event's word and the subject."""

    event: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What could be judged: `heard` are the units with a pass, `read` those that could be read.

    `policies` says that the entries of the policy repository could be judged too, `files` that the
    files were. `states` are those of all targets that were read, `facts` what can be said of one
    that is well again.
    """

    heard: frozenset[str]
    read: frozenset[str]
    policies: bool = False
    files: bool = False
    states: Mapping[Key, str] = field(default_factory=dict)
    facts: Mapping[Key, str] = field(default_factory=dict)

    def judges(self, told: Told) -> bool:
        """Whether the absence of a condition says that it is over."""
        if not told.nas:
            return self.files if told.thing == FILES else self.policies
        return told.nas in (self.read if told.thing else self.heard)


def decide(
    conditions: Sequence[Condition],
    told: Sequence[Told],
    *,
    scope: Scope,
    now: Instant,
    wants: Callable[[Condition], bool],
    recovered: bool = True,
) -> tuple[tuple[Message, ...], tuple[Told, ...]]:
    """Return the messages of one channel, and what it will have been told once they are sent.

    Only what `wants` says is told. Equal events of one unit are one message. A state hidden by
    another one that comes before it is neither over nor told again meanwhile.
    """
    standing = {(one.key, one.event): one for one in conditions}
    fresh: list[Condition] = []
    kept: list[Told] = []
    over: list[Told] = []
    for old in told:
        here = standing.pop(((old.nas, old.thing), old.event), None)
        if here is not None and not wants(here):
            over.append(old)
        elif here is not None and now - old.last >= _AGAIN.get(old.event, DAY):
            fresh.append(here)
            kept.append(replace(old, subject=here.subject, last=now))
        elif here is not None or _hidden(old, scope) or not scope.judges(old):
            kept.append(old)
        else:
            over.append(old)
    new = [one for one in standing.values() if wants(one)]
    kept += [Told(*one.key, one.event, one.subject, now, now) for one in new]
    messages = _messages([*fresh, *new])
    if recovered:
        messages += _ends(over, scope, now)
    return tuple(messages), tuple(kept)


def _hidden(old: Told, scope: Scope) -> bool:
    """Whether the thing is in a state that comes before the one told, and so may hide it."""
    here = scope.states.get((old.nas, old.thing), "")
    if here not in _ORDER or old.event not in _ORDER:
        return False
    return _ORDER.index(here) < _ORDER.index(old.event)


def _messages(conditions: Sequence[Condition]) -> list[Message]:
    groups: dict[tuple[str, str], list[Condition]] = {}
    for one in conditions:
        groups.setdefault((one.event, one.nas), []).append(one)
    return [_message(event, nas, same) for (event, nas), same in groups.items()]


def _message(event: str, nas: str, same: Sequence[Condition]) -> Message:
    if len(same) == 1:
        more = f": {same[0].headline}" if same[0].headline else ""
        title = f"{event.upper()}  {same[0].subject}{more}"
        return Message(event, title, "\n".join(same[0].lines))
    title = f"{event.upper()}  {nas or 'policies'}: {len(same)} of them"
    lines = (f"{one.subject}: {' '.join(one.lines[:1])}" for one in same)
    return Message(event, title, "\n".join(lines))


def _ends(over: Sequence[Told], scope: Scope, now: Instant) -> list[Message]:
    groups: dict[tuple[str, str], list[Told]] = {}
    for old in over:
        groups.setdefault((old.event, old.nas), []).append(old)
    found: list[Message] = []
    for (event, nas), same in groups.items():
        after = spoken(now - min(old.first for old in same))
        if len(same) == 1:
            fact = scope.facts.get((nas, same[0].thing), "")
            text = f"{fact}, after {after} {event}." if fact else f"After {after} {event}."
            found.append(Message(RECOVERED, f"RECOVERED  {same[0].subject}", text))
            continue
        title = f"RECOVERED  {nas or 'policies'}: {len(same)} of them"
        subjects = "\n".join(old.subject for old in same)
        found.append(Message(RECOVERED, title, f"After {after} {event}:\n{subjects}"))
    return found
