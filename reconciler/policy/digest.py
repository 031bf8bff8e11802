"""Digests: of the merged policies, which decide, and of the files, which were written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from reconciler.model import Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.policy.model import Hold, Policy

_NO_PART = frozenset({"place", "places"})


def of_policies(policies: Sequence[Policy], holds: Sequence[Hold]) -> str:
    """Return the SHA-256 of the effective policies and holds, wherever their lines stand."""
    canonical = json.dumps(
        {
            "policies": [_plain(one) for one in sorted(policies, key=lambda p: p.name)],
            "holds": [_plain(one) for one in sorted(holds, key=lambda h: h.name)],
        },
        sort_keys=True,
        ensure_ascii=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def of_files(files: Mapping[str, str]) -> str:
    """Return a short name for the files' contents: `sha256:` and 12 digits."""
    digest = hashlib.sha256()
    for path, text in sorted(files.items()):
        for part in (path, text):
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return f"sha256:{digest.hexdigest()[:12]}"


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, (type, Place)):
        return {
            field.name: _plain(getattr(value, field.name))
            for field in fields(value)
            if field.name not in _NO_PART
        }
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return value if isinstance(value, (int, str, bool, type(None))) else str(value)
