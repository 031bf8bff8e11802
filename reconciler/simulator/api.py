"""The shape of the method table: which versions of an API know which method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.simulator.nas import Nas
from reconciler.simulator.wire import Call, Reply

Answer = Callable[[Nas, Call], Reply]


@dataclass(frozen=True, slots=True)
class Method:
    """One method: its versions, its answer, whether it writes, whether it needs a session."""

    versions: frozenset[int]
    answer: Answer
    writes: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """One API: the range of versions it advertises, and its methods.

    The range is of the API, not of each method. `present` tells whether this NAS has it.
    """

    name: str
    lowest: int
    highest: int
    methods: Mapping[str, Method]
    json: bool = True
    present: Callable[[Nas], bool] = lambda _nas: True


def versions(*numbers: int) -> frozenset[int]:
    """Return the version numbers as a set."""
    return frozenset(numbers)
