"""What a plain scalar means: YAML 1.2's core values alone, so that 1.1's traps stay text.

`22:30`, `on`, `yes`, `012`, `0x1F` and bare dates are text; a whole number is decimal without
leading zeros; only `true`, `false`, `null` and `~` are more than text.
"""

from __future__ import annotations

import re

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None}
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")


def resolve(text: str) -> str | int | float | bool | None:
    """Return the value of a plain scalar; a number of more than 18 digits stays text."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text
