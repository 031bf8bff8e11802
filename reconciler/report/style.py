"""How something is printed: how wide, with colour or without, folded or in full."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_NARROWEST = 60
_WIDEST = 100
_RESET = "\x1b[0m"


class Hue(StrEnum):
    """A colour by what it repeats, as the parameters of a terminal's colour sequence."""

    CREATE = "32"
    ATTRIBUTE = "33"
    DELETE = "31"
    SYNC = "34"
    WAIT = "1;35"
    ERROR = "31"
    WARNING = "33"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Style:
    """How to print. `verbose` lists what is folded; colour repeats what sign and word say."""

    width: int = _WIDEST
    colour: bool = False
    verbose: bool = False

    @property
    def columns(self) -> int:
        """The columns in use: 100 at most, however wide the terminal, and 60 at least."""
        return max(_NARROWEST, min(self.width, _WIDEST))

    def paint(self, text: str, hue: Hue) -> str:
        """Return the text in a colour, or as it is where none is wanted."""
        return f"\x1b[{hue}m{text}{_RESET}" if self.colour and hue else text


def printable(text: str) -> str:
    r"""Return text from outside with every character that could steer a terminal written out.

    Control and format characters (escape sequences, line ends, changes of the writing direction),
    lone surrogates and separators of lines become escapes such as `\x1b`; the rest stays.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
