"""The audit trail's records and their chain, apart from where they are kept.

A record is a JSON object. Its digest is the SHA-256 of its canonical form (keys sorted, no spaces,
ASCII), which holds the digest of the record before it in `previous`; the first one of a unit holds
64 zeros. Numbers count from 1 without a gap. An exported trail is one record a line with its
`digest` added, so that anyone can verify it:

    import hashlib, json, sys
    number, previous = 0, "0" * 64
    for line in sys.stdin:
        record = json.loads(line)
        digest = record.pop("digest")
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        ok = hashlib.sha256(text.encode("ascii")).hexdigest() == digest
        ok = ok and record["previous"] == previous and record["number"] == number + 1
        if not ok:
            sys.exit(f"record {record['number']} of {record['nas']} is not what was written")
        number, previous = record["number"], digest
    print(number, previous)   # the head: compare it with one kept elsewhere
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BEGINNING = "0" * 64
"""What stands for the digest before a unit's first record."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of one unit's trail: how many records, and the digest of the last."""

    nas: str
    number: int = 0
    digest: str = BEGINNING


@dataclass(frozen=True, slots=True)
class Record:
    """One record: `text` is its canonical form, of which `digest` is the SHA-256."""

    text: str
    digest: str

    @property
    def body(self) -> dict[str, Any]:
        """The record's fields."""
        decoded: dict[str, Any] = json.loads(self.text)
        return decoded

    @property
    def line(self) -> str:
        """The record as a line of an exported trail, its digest first."""
        return f'{{"digest":"{self.digest}",{self.text[1:]}'


@dataclass(frozen=True, slots=True)
class Broken:
    """The first record of a trail that is not what was written, and how that shows."""

    nas: str
    number: int
    text: str


def seal(head: Head, fields: Mapping[str, Any]) -> Record:
    """Make the record that follows `head`; it overrides `nas`, `number` and `previous`."""
    body = {**fields, "nas": head.nas, "number": head.number + 1, "previous": head.digest}
    text = canonical(body)
    return Record(text, _digest(text))


def canonical(body: Mapping[str, Any]) -> str:
    """Write a record in the one form that its digest is of."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def parse(line: str) -> Record:
    """Read a line of an exported trail; raises ValueError where it is none."""
    decoded = json.loads(line)
    if not isinstance(decoded, dict) or not isinstance(decoded.get("digest"), str):
        raise ValueError("not a record: it has no digest")  # noqa: TRY004  one error for a bad line
    digest = decoded.pop("digest")
    return Record(canonical(decoded), digest)


def verify(records: Iterable[Record], heads: Mapping[str, Head]) -> tuple[list[Head], list[Broken]]:
    """Follow the chain of each unit in `records`; return the heads reached and the first breaks.

    Records of several units may be mixed, each unit's in order. `heads` are heads kept elsewhere:
    a trail that does not reach one, or holds another record at its number, was cut or rewritten.
    After a unit's first break the rest of it is not judged.
    """
    reached: dict[str, Head] = {}
    broken: dict[str, Broken] = {}
    for record in records:
        body = record.body
        nas = str(body.get("nas"))
        if nas in broken:
            continue
        head = reached.get(nas, Head(nas))
        fault = _fault(record, body, head, heads.get(nas))
        if fault:
            broken[nas] = Broken(nas, head.number + 1, fault)
        else:
            reached[nas] = Head(nas, head.number + 1, record.digest)
    for nas, kept in heads.items():
        end = reached.get(nas, Head(nas))
        if nas not in broken and end.number < kept.number:
            text = f"the trail ends at {end.number}, the head kept elsewhere is {kept.number}"
            broken[nas] = Broken(nas, end.number + 1, text)
    return list(reached.values()), list(broken.values())


def _fault(record: Record, body: Mapping[str, Any], head: Head, kept: Head | None) -> str:
    """Say what is wrong with the record after `head`, "" where nothing is."""
    if _digest(record.text) != record.digest:
        return "its content is not what its digest was made of"
    if body.get("number") != head.number + 1:
        return f"its number is {body.get('number')}, {head.number + 1} was to come"
    if body.get("previous") != head.digest:
        return "it does not follow the record before it"
    if kept is not None and kept.number == head.number + 1 and kept.digest != record.digest:
        return "it is another record than the head kept elsewhere"
    return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
