"""A folder of a git repository as another revision has it, in a temporary place."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 60
_LARGEST = 64 * 1024 * 1024


@contextmanager
def folder_at(folder: Path, revision: str) -> Iterator[Path]:
    """Hand out `folder` as `revision` (anything git takes as a commit) has it, read-only in spirit.

    Raises UserError where the folder is in no repository, or the revision is none or lacks it.
    """
    name = revision[:60]
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options",
                  f"{revision}^{{commit}}")  # fmt: skip
    if commit is None:
        raise UserError(
            f"`{name}` is no policy, and no revision of the git repository that holds {folder}",
            next_step="name a policy, a commit, a branch or a tag",
        )
    packed = _git(folder, "archive", "--format=tar", commit.decode("ascii").strip(), ".")
    if packed is None:
        raise UserError(f"{folder} cannot be read as of revision {name}")
    if len(packed) > _LARGEST:
        raise UserError(f"{folder} as of revision {name} is larger than 64 MiB")
    with tempfile.TemporaryDirectory(prefix="reconcile-") as place:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(place, filter="data")
        yield Path(place)


def _git(folder: Path, *words: str) -> bytes | None:
    """Run git in a folder and return what it printed, None where it failed."""
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(  # noqa: S603  no shell; the revision stands behind --end-of-options
            command, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise UserError(
            "another revision needs git, and there is no `git` on this machine",
            next_step="install git, or name another policy",
        ) from None
    except subprocess.TimeoutExpired:
        raise UserError(f"git took longer than {_SECONDS} s") from None
    return done.stdout if done.returncode == 0 else None
