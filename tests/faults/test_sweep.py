"""One fault at every request of a pass in turn: whatever is cut, nothing is lost or made twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import scenes

from reconciler.execute import Result

if TYPE_CHECKING:
    from pathlib import Path


def test_the_scene_does_everything(tmp_path: Path) -> None:
    """Without faults the pass creates, locks, unlocks, deletes and syncs, and all of it is done."""
    bench = scenes.bench(tmp_path)
    _, outcome = bench.run()
    assert outcome is not None
    done = [(o.action.verb, getattr(o.action.change, "lock", None)) for o in outcome.outcomes]
    assert {o.result for o in outcome.outcomes} == {Result.DONE}
    assert {verb for verb, _ in done} == {"create", "set_attr", "delete", "sync"}
    assert {lock for verb, lock in done if verb == "set_attr"} == {True, False}
    bench.settles()


SWEEPS: list[tuple[str, dict[str, Any]]] = [
    ("reset_before", {}),
    ("reset_after", {}),
    ("html", {}),
    ("garbage", {}),
    ("truncated", {}),
    ("expire_session", {"code": 119}),
    ("expire_session", {"code": 105, "member": True}),
    ("error", {"code": 117}),
    ("error", {"code": 100, "member": True}),
    ("short_listing", {"method": "list"}),
    ("short_listing", {"method": "list_snapshot"}),
    ("empty_listing", {"method": "list"}),
    ("empty_listing", {"method": "list_snapshot"}),
]


@pytest.mark.parametrize(("kind", "settings"), SWEEPS)
def test_one_fault_at_every_request(tmp_path: Path, kind: str, settings: dict[str, Any]) -> None:
    """A fault at any request of a pass breaks no promise, and two passes later all is well."""
    position = 0
    while True:
        bench = scenes.bench(tmp_path)
        member = settings.get("member", False)
        fault = bench.fault(kind, after=position, **{**settings, "member": member})
        try:
            bench.run()
            if not fault.used:
                break
            bench.settles()
        except AssertionError as error:
            raise AssertionError(f"{kind} at request {position}: {error}") from error
        position += 1
    assert position > (3 if "method" in settings else 8 if member else 25), (
        "a sweep that hits nothing shows nothing"
    )
