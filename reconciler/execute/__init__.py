"""The one room that writes to a NAS: it applies a permit and verifies each write by reading."""

from reconciler.execute.outcome import ActionOutcome, Result, TargetOutcome, UnitOutcome
from reconciler.execute.unit import execute

__all__ = ["ActionOutcome", "Result", "TargetOutcome", "UnitOutcome", "execute"]
