"""Policies from somewhere else than the folder as it stands: here another revision in git."""

from reconciler.source.git import folder_at

__all__ = ["folder_at"]
