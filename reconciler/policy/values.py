"""Reading single values of a policy: durations, cadences, selectors, holds' moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from reconciler import calendar, duration
from reconciler.policy.model import Immutable, Pattern, Replicate, Selector, Window
from reconciler.retention import ALL, Keep
from reconciler.zones import first_instant, zone

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from reconciler.calendar import Cadence
    from reconciler.findings import Findings
    from reconciler.layers import Layer
    from reconciler.model import Instant, Place, Seconds
    from reconciler.yamltree import Node

_T = TypeVar("_T")
_LONGEST_IMMUTABLE = 30
_FIRST_YEAR, _LAST_YEAR = 1970, 2999  # beyond, a zone's offset can leave the calendar
_MINUTES_OF = {"m": "months"}


class Reader:
    """Reads the values of one merged policy or hold, and reports what cannot be read.

    Nodes have passed the JSON Schema, so their types are as it says.
    """

    def __init__(self, values: Layer, findings: Findings) -> None:
        self.values = values
        self.findings = findings

    def text(self, key: str, default: str = "") -> str:
        """Return a text, or `default` where the key is absent."""
        node = self.values.get(key)
        return str(node.value) if node is not None else default

    def number(self, key: str, default: int) -> int:
        """Return a whole number, or `default` where the key is absent."""
        node = self.values.get(key)
        return int(node.value) if node is not None else default

    def attempt(self, code: str, node: Node, read: Callable[[str], _T]) -> _T | None:
        """Return what `read` makes of a node's text; its ValueError becomes a finding there."""
        try:
            return read(str(node.value))
        except ValueError as error:
            self.findings.error(code, str(error), node.place)
            return None

    def zone(self) -> str:
        """Return the name of `timezone`, "" where it is absent or unknown."""
        node = self.values.get("timezone")
        if node is None or self.attempt("bad-zone", node, zone) is None:
            return ""
        return str(node.value)

    def cadence(self) -> Cadence | None:
        """Read `every` with `at`, or `cron`."""
        every, at, cron = (self.values.get(key) for key in ("every", "at", "cron"))
        if every is not None and cron is not None:
            self.findings.error(
                "two-cadences", "`every` and `cron` stand side by side", cron.place,
                next_step="leave one of the two out",
            )  # fmt: skip
        if every is not None:
            plain = self.attempt("bad-cadence", every, calendar.every)
            if at is None or plain is None:
                return plain
            return self._at(str(every.value), at)
        if at is not None:
            self.findings.error(
                "bad-cadence", "`at` goes with `every`, and there is none", at.place,
                next_step="write `every: 1d` beside it, or leave it out",
            )  # fmt: skip
        return self.attempt("bad-cadence", cron, calendar.cron) if cron is not None else None

    def _at(self, every: str, at: Node) -> Cadence | None:
        try:
            return calendar.every(every, str(at.value))
        except ValueError as error:
            self.findings.error(
                "bad-cadence", str(error), at.place,
                next_step='write `at: "02:30"`, with weeks `at: "sun 02:30"`, or leave it out',
            )  # fmt: skip
            return None

    def keep(self) -> Keep | None:
        """Read `keep`; one without any rule is an error, for it would keep nothing."""
        node = self.values.get("keep")
        if node is None:
            return None
        counts = {rule: self._count(rule, value) for rule, value in node.value.items()}
        keep = Keep(**counts)
        if keep.empty:
            self.findings.error(
                "keep-empty", "`keep` has no rule left, so it would keep nothing", node.place,
                next_step="name what is to stay, or write `keep: null` to delete nothing",
            )  # fmt: skip
            return None
        return keep

    def _count(self, rule: str, node: Node) -> int:
        if rule != "within":
            return ALL if node.value == "all" else int(node.value)
        if node.value == 0:
            return 0
        text = str(node.value)
        if text.endswith("m"):
            number = text[:-1]
            self.findings.error(
                "bad-duration",
                f"`{text}` is {_small(number)} minutes; for {_small(number)} months write "
                f"`monthly: {number}` or `within: {int(number) * 30}d`",
                node.place,
            )
            return duration.DAY
        return self.attempt("bad-duration", node, duration.parse) or duration.DAY

    def immutable(self) -> Immutable | None:
        """Read `immutable`: whole days, 1 to 30, of every snapshot or the first of a period."""
        node = self.values.get("immutable")
        if node is None:
            return None
        inside = node.value if isinstance(node.value, dict) else {"for": node}
        length = inside.get("for")
        if length is None or length.value is None:
            self.findings.error("missing-key", "`immutable` has no `for`", node.place)
            return None
        seconds = self.attempt("bad-duration", length, duration.parse)
        if seconds is None:
            return None
        days, rest = divmod(seconds, duration.DAY)
        if rest or not 1 <= days <= _LONGEST_IMMUTABLE:
            self.findings.error(
                "bad-immutable",
                f"`{length.value}` is not whole days from 1d to {_LONGEST_IMMUTABLE}d, which is "
                "what DSM can do",
                length.place,
                next_step="write whole days, such as 7d",
            )
            return None
        of = inside.get("of")
        period = calendar.Period(of.value) if of is not None and of.value is not None else None
        return Immutable(days, period)

    def length_or_none(self, node: Node | None, default: Seconds | None) -> Seconds | None:
        """Read a duration or `none`; `default` where the key is absent."""
        if node is None:
            return default
        if node.value == "none":
            return None
        return self.attempt("bad-duration", node, duration.parse)

    def replicate(self) -> Replicate | None:
        """Read `replicate`; its `every` is necessary."""
        node = self.values.get("replicate")
        if node is None:
            return None
        inside: Layer = node.value
        every = inside.get("every")
        if every is None:
            self.findings.error(
                "missing-key", "`replicate` has no `every`", node.place,
                next_step="say how often: replicate: {every: 6h}, or `replicate: null` to end it",
            )  # fmt: skip
            return None
        cadence = self.attempt("bad-cadence", every, calendar.every)
        if cadence is None:
            return None
        if "to" in inside and "plan" in inside:
            self.findings.error(
                "two-destinations", "`to` and `plan` stand side by side", inside["plan"].place,
                next_step="leave one of the two out",
            )  # fmt: skip
        window = inside.get("window")
        return Replicate(
            cadence,
            to=str(inside["to"].value) if "to" in inside else "",
            plan=str(inside["plan"].value) if "plan" in inside else "",
            lock_synced=bool(inside["lock_synced"].value) if "lock_synced" in inside else False,
            window=_window(str(window.value)) if window is not None else None,
            rpo=self.length_or_none(inside.get("rpo"), 2 * cadence.longest_gap),
        )

    def selector(self, key: str) -> Selector | None:
        """Read a selector's entries; the first must be positive."""
        node = self.values.get(key)
        if node is None:
            return None
        entries = node.value if isinstance(node.value, list) else [node]
        patterns = tuple(_pattern(entry, tags=key == "nas") for entry in entries)
        if patterns[0].negative:
            self.findings.error(
                "begins-negative", f"`{key}` begins with `!`, so it selects nothing",
                patterns[0].place, hint='begin with what to select, such as "*"',
            )  # fmt: skip
        self._undone(patterns)
        return Selector(patterns)

    def _undone(self, patterns: tuple[Pattern, ...]) -> None:
        """Warn of each `!` that a later entry takes back, a tag or a uuid by the same words."""
        for number, pattern in enumerate(patterns):
            if not pattern.negative:
                continue
            later = (p for p in patterns[number + 1 :] if not p.negative)
            undoing = next((p for p in later if p.covers(pattern)), None)
            if undoing is not None:
                self.findings.warning(
                    "undone", f"`{pattern.written}` is undone by `{undoing.written}` after it",
                    pattern.place, next_step="put what is taken out last",
                )  # fmt: skip


def _pattern(node: Node, *, tags: bool) -> Pattern:
    if isinstance(node.value, dict):
        return Pattern(str(node.value["uuid"].value), node.place, by_uuid=True)
    text = str(node.value)
    negative = text.startswith("!")
    text = text.removeprefix("!")
    tag, equals, value = text.partition("=")
    if tags and equals:
        return Pattern(value, node.place, negative=negative, tag=tag)
    return Pattern(text, node.place, negative=negative)


def _window(text: str) -> Window:
    start, _, end = text.partition("-")
    return Window(_minute(start), _minute(end))


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def moment(text: str, at: ZoneInfo) -> Instant:
    """Read a date (00:00) or a time, in `at` unless it states an offset; raises ValueError."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text}` is no date that exists; write one such as 2026-09-01") from None
    if not _FIRST_YEAR <= when.year <= _LAST_YEAR:
        raise ValueError(f"`{text}` is not between {_FIRST_YEAR} and {_LAST_YEAR}; write the year "
                         "the snapshots were taken in")  # fmt: skip
    if when.tzinfo is not None:
        return int(when.astimezone(UTC).timestamp())
    return first_instant(when, at)


def _small(number: str) -> str:
    words = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
             "eleven", "twelve")  # fmt: skip
    return words[int(number)] if int(number) < len(words) else number


def place_of(node: Node | None, default: Place) -> Place:
    """Return a node's place, or `default` where there is none."""
    return node.place if node is not None else default
