"""What every verb needs: configuration, policies, units, clock and logging."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UserError
from reconciler.fleet import Run
from reconciler.inventory.load import find_configuration, load_configuration
from reconciler.inventory.model import GitSource
from reconciler.inventory.select import select_units
from reconciler.policy.load import load_policies
from reconciler.report.style import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from structlog.typing import EventDict

    from reconciler.dsm import Clock
    from reconciler.inventory.model import Configuration, Unit
    from reconciler.policy.model import PolicySet
    from reconciler.store import Store


@dataclass(slots=True)
class Settings:
    """The options that stand before any verb, and what is loaded by them once."""

    config: str | None = None
    clock: Clock | None = None
    _configuration: Configuration | None = field(default=None)
    _store: Store | None = field(default=None)

    @property
    def configuration(self) -> Configuration:
        """The configuration file, looked for once; raises UserError or InvalidDocuments."""
        if self._configuration is None:
            path = find_configuration(self.config, os.environ, Path.cwd())
            self._configuration = load_configuration(_shown(path))
        return self._configuration

    def policies(self) -> PolicySet:
        """Load the policy repository of the configuration."""
        configuration = self.configuration
        if isinstance(configuration.policies, GitSource):
            raise UserError(
                "policies from git are not followed yet",
                next_step="clone the repository and write `policies: PATH` in reconciler.yaml",
            )
        loaded = load_policies(
            _shown(configuration.policies),
            units=configuration.units,
            brakes=configuration.brakes,
        )
        return replace(loaded, findings=(*configuration.findings, *loaded.findings))

    def units(self, expressions: Sequence[str]) -> tuple[Unit, ...]:
        """Return the units that `--nas` names, all of them without it."""
        units = self.configuration.units
        return select_units(units, expressions) if expressions else units

    @property
    def store(self) -> Store:
        """The state, opened once; raises PermanentError where it cannot be used."""
        if self._store is None:
            from reconciler.store import open_store

            configuration = self.configuration
            self._store = open_store(configuration.state, configuration.path.parent)
        return self._store

    def reread(self) -> None:
        """Forget the configuration, so that the file is read anew; the state stays open."""
        self._configuration = None

    def close(self) -> None:
        """Close the state, where it was opened."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def run(self, policies: PolicySet) -> Run:
        """Begin a run: with the machine's clock unless one was handed in."""
        from reconciler.dsm import SystemClock

        return Run(
            configuration=self.configuration,
            policies=policies,
            clock=self.clock or SystemClock(),
            environment=os.environ,
            store=self.store,
            identifier=run_identifier(),
        )


def run_identifier() -> str:
    """Return a new name for a run: when it began, and four random digits."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}"


def _shown(path: Path) -> Path:
    """Return the path as a person would type it here: relative where that is shorter."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve())
    except ValueError:
        return path


def configure_logging(form: str, *, verbose: bool, told: bool = False) -> None:
    """Send structured events to stderr, redacted; `form` is `console` or `json`.

    Warnings and worse, with `told` what happened too, with `verbose` every call.

    On a console what came from a NAS is written without anything that could steer the terminal.
    """
    import logging
    import sys

    import structlog

    from reconciler.cli.output import style
    from reconciler.dsm.redact import redact

    renderers: list[structlog.typing.Processor] = (
        [structlog.processors.JSONRenderer()]
        if form == "json"
        else [_harmless, structlog.dev.ConsoleRenderer(colors=style(error=True).colour)]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO if told else logging.WARNING
        ),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def _harmless(logger: object, method: str, event: EventDict) -> EventDict:
    """Write out whatever in an event could steer a terminal."""
    del logger, method
    return {key: value if isinstance(value, int | float) else printable(str(value))
            for key, value in event.items()}  # fmt: skip
