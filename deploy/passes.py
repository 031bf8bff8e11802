"""One pass each `daemon.interval` plus up to `daemon.jitter`, for a container.

SIGTERM ends it: at once between passes, else when the pass under way is over. Configuration and
policies are read anew for each pass. `--check` exits 1 where no pass has ended for longer than
three intervals and ten minutes, whatever that pass came to.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from reconciler.errors import ReconcilerError
from reconciler.inventory.load import find_configuration, load_configuration
from reconciler.inventory.model import Daemon

_BEAT = Path(os.environ.get("RECONCILER_BEAT", "/tmp/reconciler.beat"))  # noqa: S108  a tmpfs
_SLACK = 600.0


def _rhythm() -> Daemon:
    """Return how often passes run; the defaults where the configuration is wrong at the moment."""
    try:
        return load_configuration(find_configuration(None, os.environ, Path.cwd())).daemon
    except ReconcilerError:
        return Daemon()


def _check() -> int:
    try:
        age = time.time() - _BEAT.stat().st_mtime
    except OSError:
        return 1
    return int(age > 3 * _rhythm().interval + _SLACK)


def main(arguments: list[str]) -> int:
    """Run passes until SIGTERM or SIGINT; return 0."""
    if arguments == ["--check"]:
        return _check()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    _BEAT.touch()
    while not ended.is_set():
        command = (sys.executable, "-m", "reconciler", "--yes", "--log-format", "json")
        # A session of its own: the signal that ends this loop is not to cut off a write.
        code = subprocess.run(command, check=False, start_new_session=True).returncode  # noqa: S603
        _BEAT.touch()
        rhythm = _rhythm()
        wait = rhythm.interval + random.uniform(0, rhythm.jitter)  # noqa: S311  no secret
        print(f"pass ended with {code}; the next one in {wait:.0f} s", file=sys.stderr, flush=True)  # noqa: T201
        ended.wait(wait)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
