"""Where the command line prints: data on stdout, everything else on stderr."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from reconciler.report.style import Style
from reconciler.yamltree import hidden_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model import Finding

_WIDEST = 100
_NARROWEST = 40


def style(*, verbose: bool = False, error: bool = False) -> Style:
    """Return how to print to stdout (or stderr): its width, and whether in colour.

    At most 100 columns, exactly that where it is no terminal; no colour there or with `NO_COLOR`.
    """
    stream = sys.stderr if error else sys.stdout
    if not stream.isatty():
        return Style(width=_WIDEST, colour=False, verbose=verbose)
    columns = shutil.get_terminal_size((_WIDEST, 24)).columns
    colour = not os.environ.get("NO_COLOR") and draws(stream)
    return Style(width=max(_NARROWEST, min(_WIDEST, columns)), colour=colour, verbose=verbose)


def draws(stream: TextIO) -> bool:
    """Whether a stream is a terminal that follows colours and moves of the cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def interactive() -> bool:
    """Whether somebody can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def unseen() -> bool:
    """Whether somebody types here and would not see a question: stdout goes elsewhere."""
    return sys.stdin.isatty() and not sys.stdout.isatty()


def show(text: str) -> None:
    """Print data to stdout."""
    click.echo(text.rstrip("\n"))


def say(text: str) -> None:
    """Print a remark to stderr."""
    click.echo(text, err=True)


def sources(findings: Iterable[Finding]) -> Mapping[str, str]:
    """Read the files that findings speak of, for the lines around them; secrets are hidden."""
    texts: dict[str, str] = {}
    for path in {f.place.path for f in findings if f.place is not None}:
        try:
            text = Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        texts[path] = hidden_text(text)
    return texts


def say_findings(findings: Sequence[Finding]) -> None:
    """Print findings with their source lines to stderr."""
    from reconciler.report.findings import render_text, summary

    say(
        render_text(
            findings,
            sources=sources(findings),
            style=style(error=True),
            summary=f"{summary(findings)} Nothing was contacted.",
        ).rstrip("\n")
    )
