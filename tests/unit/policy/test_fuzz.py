"""Random policy files: findings of our own, in bounded time, never an exception.

`PYTHONPATH=. python tests/unit/policy/test_fuzz.py 100000` runs that many.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import pytest

from reconciler.errors import InvalidDocuments
from reconciler.policy.load import load_policies

_SEED = """version: 1
defaults: {timezone: Europe/Zurich}
templates:
  tier: {every: 1h, keep: {hourly: 24, within: 7d}, immutable: {for: 7d, of: daily}}
policies:
  - name: a
    extends: [tier]
    nas: [hq-*, "!hq-lab", site=x]
    shares: [a, {uuid: abc}, "!b*"]
    replicate: {to: dr, every: 6h, window: "22:00-05:00", rpo: 12h}
    lock: {newest: 3}
    rpo: 2d
    suspend: text
  - {name: b, nas: x, luns: [l], cron: "0 */4 * * *", lock: all, keep: {last: all}}
holds:
  - {name: h, reason: r, shares: [a], taken_after: 2026-09-01, review_on: 2027-01-01}
"""
_PIECES = (
    "null", "~", "", "0", "-1", "1e9", ".inf", ".nan", "9" * 30, "2026-02-30", "22:30", "on", "yes",
    "*", "*a", "&a", "&a [*a]", "!x", "!!binary x", "!", "<<: *a", "{", "}", "[", "]", "- ", "? ",
    ": ", "|", ">", "#", '"', "'", "\t", "\n", "\n\n", "  ", "\r\n", "---\n", "...\n",
    "%YAML 1.1\n",
    "\0", "\x07", "\x85", "\u2028", "\ufeff", "\ufffd", "é", "🙂", "{a: b}", "[a, [b]]", "all",
    "none", "6m", "7h", "999999w", "31d", "36h", "latest", "xx/yy", "[[[[", "{{{{", "`", "@",
    "0 0 31 2 *",
    "* * * * *", "sun 25:00", "a" * 300, "extends: [a, a]", "keep: {}", "immutable:", "name: a",
    "0001-01-01", "9999-12-31T23:59:59-12:00",
)  # fmt: skip


def _changed(dice: random.Random) -> str:
    """Return the seed file after a few random insertions, cuts, copies and replacements."""
    text = _SEED
    for _ in range(dice.randint(1, 6)):
        start = dice.randrange(len(text) + 1)
        end = min(len(text), start + dice.choice((0, 1, 3, 10, 60)))
        middle = dice.choice((dice.choice(_PIECES), text[start:end] * 2, ""))
        if dice.random() < 0.4:
            start = text.rfind(": ", 0, start) + 2
            ends = [at for at in (text.find(sign, start) for sign in ",}]\n") if at >= 0]
            end = min(ends, default=len(text))
        text = text[:start] + middle + text[end:]
    return text


def _run(number: int, folder: Path) -> tuple[bool, float]:
    """Load one random file; return whether it was accepted and the processor seconds it took."""
    path = folder / "a.yaml"
    path.write_bytes(_changed(random.Random(number)).encode())  # noqa: S311
    began = time.process_time()
    try:
        load_policies(folder, units=None)
    except InvalidDocuments as error:
        findings = error.findings
    else:
        return True, time.process_time() - began
    assert findings
    assert all(finding.text and finding.place and finding.place.path for finding in findings)
    return False, time.process_time() - began


@pytest.mark.parametrize("hundred", range(4))
def test_a_random_file_gives_findings_and_nothing_else(hundred: int, tmp_path: Path) -> None:
    """Whatever a file holds, loading it ends in a policy set or in findings with places."""
    spent = [_run(hundred * 100 + n, tmp_path)[1] for n in range(100)]
    assert max(spent) < 2


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        runs = [_run(n, Path(made)) for n in range(int(sys.argv[1]))]
    sys.stdout.write(
        f"{len(runs)} files, {sum(ok for ok, _ in runs)} accepted, "
        f"slowest {max(seconds for _, seconds in runs):.3f} s\n"
    )
