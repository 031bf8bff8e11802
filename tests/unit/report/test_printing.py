"""Columns, wrapping, colours, and characters that could steer a terminal."""

from __future__ import annotations

import pytest

from reconciler.report import layout, listing
from reconciler.report.style import Hue, Style, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("documents", "documents"),
        ("写真 ü", "写真 ü"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\r", "a\\nb\\r"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eabc", "\\u202eabc"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
    ],
)
def test_what_could_steer_a_terminal_is_written_out(text: str, shown: str) -> None:
    """No control or format character of a name reaches the terminal."""
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("width", "columns"), [(40, 60), (60, 60), (80, 80), (100, 100), (250, 100)]
)
def test_the_width_in_use_has_bounds(width: int, columns: int) -> None:
    """However wide the terminal, 100 columns are used at most, and 60 at least."""
    assert Style(width=width).columns == columns


def test_paint_is_nothing_without_colour() -> None:
    """Without colour, or for a hue that is none, a text stays as it is."""
    assert Style().paint("x", Hue.DELETE) == "x"
    assert Style(colour=True).paint("x", Hue.NONE) == "x"
    assert Style(colour=True).paint("x", Hue.DELETE) == "\x1b[31mx\x1b[0m"


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("写真", 4), ("e\u0301", 1), ("…", 1)])
def test_widths_are_those_of_a_terminal(text: str, columns: int) -> None:
    """Wide characters take two columns and combining ones none."""
    assert layout.columns(text) == columns


def test_padding_counts_columns() -> None:
    """A padded text fills its columns, and a longer one is left as it is."""
    assert layout.pad("写", 4) == "写  "
    assert layout.pad("abcde", 4) == "abcde"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, ("",)),
        ("one two three", 8, ("one two", "three")),
        ("ab /a/long/path cd", 6, ("ab", "/a/long/path", "cd")),
        ("写真写 写", 6, ("写真写", "写")),
        ("write `keep: 3` there", 10, ("write", "`keep: 3`", "there")),
        ("say `a b c d e f g` so", 9, ("say `a b", "c d e f", "g` so")),
        ("an odd ` here", 9, ("an odd `", "here")),
        ("a  b", 9, ("a  b",)),
        ("is above 30 % now", 12, ("is above", "30 % now")),
        ("it is above 30", 12, ("it is above", "30")),
    ],
)
def test_wrapping_breaks_nothing_that_can_be_copied(
    text: str, width: int, lines: tuple[str, ...]
) -> None:
    """Lines are broken between words alone, and not inside what one line holds in backticks."""
    assert layout.wrap(text, width) == lines


def test_a_hanging_text_wraps_under_itself() -> None:
    """The lines that follow stand under the text, not under what leads it in."""
    text = "one two three four five six"
    assert layout.hang("- why: ", text, width=27) == (
        "- why: one two three four",
        "       five six",
    )


def test_parts_break_between_parts() -> None:
    """Parts stay whole where a line holds them, and are wrapped where none does."""
    assert layout.joined(("a", "b b"), " · ", width=7) == ("a · b b",)
    assert layout.joined(("aaa", "b b b"), " · ", width=7) == ("aaa", "b b b")
    assert layout.joined((), " · ", width=7) == ()


def test_a_list_without_rows_says_so() -> None:
    """An empty list is a sentence, not an empty table."""
    assert listing.render("holds", [], style=Style()) == "no holds\n"
