"""Aligned tables: what is on a NAS, and what the policies say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.report.layout import columns, hang, pad
from reconciler.report.style import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.report.style import Style

_GAP = "  "
_ABSENT = "-"


def render(kind: str, rows: Sequence[Mapping[str, str]], *, style: Style) -> str:
    """Write rows as a table: a column for each key, in the order in which the keys appear.

    An empty value is a dash. The last column wraps under itself; no other is cut. Without rows it
    says that there are no `kind`. Ends with a line end.
    """
    if not rows:
        return f"no {printable(kind)}\n"
    keys = tuple(dict.fromkeys(key for row in rows for key in row))
    table = [keys, *(tuple(row.get(key) or _ABSENT for key in keys) for row in rows)]
    shown = [tuple(printable(cell) for cell in row) for row in table]
    widths = [max(columns(row[position]) for row in shown) for position in range(len(keys))]
    return "\n".join(line for row in shown for line in _row(row, widths, style)) + "\n"


def _row(row: Sequence[str], widths: Sequence[int], style: Style) -> Iterator[str]:
    first = "".join(
        pad(cell, width) + _GAP for cell, width in zip(row[:-1], widths[:-1], strict=True)
    )
    yield from hang(first, row[-1], width=style.columns)
