"""Who watches a run: is told where it is, and may ask it to stop."""

from __future__ import annotations


class Watch:
    """Sees nothing and never asks to stop; a command line's own watch does both.

    The methods are called from several threads at once.
    """

    def halted(self) -> bool:
        """Whether nothing new may begin; what is under way is still brought to its end."""
        return False

    def begins(self, nas: str, place: str = "") -> None:
        """Hear that a unit, or `place` on it, is begun."""

    def ends(self, nas: str) -> None:
        """Hear that a unit is done with."""
