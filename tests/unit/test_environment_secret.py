"""Secrets from the environment."""

from __future__ import annotations

import pytest

from reconciler.inventory.model import SecretReference
from reconciler.inventory.secrets import SecretError, read_secret
from reconciler.model import Place


def test_bytes_that_are_no_text_are_refused_without_showing_them() -> None:
    """A password that no form could carry is told by its variable's name, not by a traceback."""
    reference = SecretReference(Place("reconciler.yaml", 3, 5), env="NAS_PASSWORD")
    with pytest.raises(SecretError, match="NAS_PASSWORD is no UTF-8 text") as caught:
        read_secret(reference, environment={"NAS_PASSWORD": "hunter\udcff2"})
    assert "hunter" not in str(caught.value)
