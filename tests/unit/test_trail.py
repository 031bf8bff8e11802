"""The chain of the audit trail: whatever is done to an exported trail is found."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import trail
from reconciler.trail import BEGINNING, Head, Record, parse, seal, verify

if TYPE_CHECKING:
    from pathlib import Path


def chain(nas: str, *notes: str) -> list[Record]:
    """Return a unit's trail of one record a note."""
    head, made = Head(nas), []
    for note in notes:
        record = seal(head, {"event": "intent", "note": note})
        head = Head(nas, head.number + 1, record.digest)
        made.append(record)
    return made


def first_break(records: list[Record], heads: dict[str, Head] | None = None) -> tuple[int, str]:
    """Return the number and text of the one break found."""
    _, (broken,) = verify(records, heads or {})
    return broken.number, broken.text


def test_a_record_holds_the_digest_of_the_one_before() -> None:
    """The first record follows zeros, each other one the digest of the one before it."""
    first, second = chain("attic", "a", "b")
    assert first.body["previous"] == BEGINNING
    assert second.body["previous"] == first.digest
    assert [r.body["number"] for r in (first, second)] == [1, 2]
    assert first.digest == hashlib.sha256(first.text.encode()).hexdigest()


def test_what_was_written_is_verified() -> None:
    """Two units' trails, mixed, are followed apart, up to their heads."""
    attic, cellar = chain("attic", "a", "b"), chain("cellar", "x")
    heads, broken = verify([attic[0], cellar[0], attic[1]], {})
    assert broken == []
    assert heads == [Head("attic", 2, attic[1].digest), Head("cellar", 1, cellar[0].digest)]


def test_fields_cannot_forge_their_place() -> None:
    """Whatever the fields say, unit, number and previous are those of the chain."""
    record = seal(Head("attic", 4, "d" * 64), {"nas": "x", "number": 1, "previous": "y"})
    assert {k: record.body[k] for k in ("nas", "number", "previous")} == {
        "nas": "attic", "number": 5, "previous": "d" * 64,
    }  # fmt: skip


def test_an_edited_record_is_named() -> None:
    """One changed character is found at its record."""
    made = chain("attic", "a", "b", "c")
    made[1] = replace(made[1], text=made[1].text.replace('"b"', '"B"'))
    assert first_break(made) == (2, "its content is not what its digest was made of")


def test_an_edited_record_with_its_digest_made_anew_breaks_the_next_one() -> None:
    """Who edits a record has to rewrite everything after it, which a kept head shows."""
    made = chain("attic", "a", "b", "c")
    text = made[1].text.replace('"b"', '"B"')
    made[1] = Record(text, hashlib.sha256(text.encode()).hexdigest())
    assert first_break(made) == (3, "it does not follow the record before it")


def test_a_removed_record_is_named() -> None:
    """A gap shows at the record that stands where another was to come."""
    made = chain("attic", "a", "b", "c")
    assert first_break([made[0], made[2]]) == (2, "its number is 3, 2 was to come")


def test_two_swapped_records_are_named() -> None:
    """A reordering shows at the first of the two."""
    made = chain("attic", "a", "b", "c")
    assert first_break([made[0], made[2], made[1]])[0] == 2


def test_a_cut_tail_shows_against_a_head_kept_elsewhere() -> None:
    """Only a head that was exported before shows that the end is missing."""
    made = chain("attic", "a", "b", "c")
    kept = {"attic": Head("attic", 3, made[2].digest)}
    assert verify(made, kept)[1] == []
    assert verify(made[:2], {})[1] == []
    number, text = first_break(made[:2], kept)
    assert (number, text) == (3, "the trail ends at 2, the head kept elsewhere is 3")
    assert first_break([], kept)[0] == 1


def test_a_rewritten_trail_shows_against_a_head_kept_elsewhere() -> None:
    """A whole trail made anew is another one than the head speaks of."""
    kept = {"attic": Head("attic", 2, chain("attic", "a", "b")[1].digest)}
    other = chain("attic", "a", "B", "c")
    assert first_break(other, kept) == (2, "it is another record than the head kept elsewhere")


def test_after_a_break_the_other_units_are_still_judged() -> None:
    """One unit's break does not hide another's."""
    attic, cellar = chain("attic", "a", "b", "c"), chain("cellar", "x", "y", "z")
    _, broken = verify([attic[1], attic[2], cellar[0], cellar[2]], {})
    assert [(b.nas, b.number) for b in broken] == [("attic", 1), ("cellar", 2)]


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers(), max_size=4))
def test_a_line_comes_back_as_its_record(fields: dict[str, object]) -> None:
    """An exported line is one line of ASCII that is read back as the same record."""
    record = seal(Head("attic"), {k: v for k, v in fields.items() if k != "digest"})
    assert "\n" not in record.line
    assert record.line.isascii()
    assert parse(record.line) == record
    assert json.loads(record.line)["digest"] == record.digest


@pytest.mark.parametrize("line", ["", "[]", "{}", "nonsense", '{"digest": 1}', '{"number": 1}'])
def test_a_line_that_is_no_record_is_refused(line: str) -> None:
    """Garbage in an exported trail is an error, never a record."""
    with pytest.raises(ValueError, match=r"(not a record|Expecting value)"):
        parse(line)


def test_the_published_algorithm_verifies_an_export(tmp_path: Path) -> None:
    """The twenty lines of the documentation find what `verify` finds, run as they stand."""
    code = re.search(r"\n\n((?: {4}.*\n|\n)+)", trail.__doc__ or "")
    assert code is not None
    script = tmp_path / "verify.py"
    script.write_text(re.sub(r"^ {4}", "", code[1], flags=re.MULTILINE), encoding="utf-8")
    made = chain("attic", "a", "é", "c")

    def run(records: list[Record]) -> tuple[int, str]:
        done = subprocess.run(  # noqa: S603  the documentation's own script
            [sys.executable, script], input="".join(f"{r.line}\n" for r in records),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    assert run(made) == (0, f"3 {made[2].digest}\n")
    code_two, said = run([made[0], made[2]])
    assert (code_two, said) == (1, "record 3 of attic is not what was written\n")
