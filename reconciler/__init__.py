"""Declarative snapshot retention for Synology NAS."""

__version__ = "0.1.0"
