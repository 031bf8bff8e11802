"""The signed-in clients of units: one for each unit at the most, for one pass or for many."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from reconciler import dsm
from reconciler.errors import Refusal
from reconciler.inventory.secrets import read_secret
from reconciler.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from reconciler.dsm import Clock, Latches, Reader, Writer
    from reconciler.inventory.model import SecretReference, Unit


@dataclass(frozen=True, slots=True)
class _Open:
    """A signed-in client; closing `stack` signs it out."""

    connection: dsm.Connection
    client: Reader
    stack: ExitStack


class Sessions:
    """Open clients by unit; a context manager that signs all of them out.

    With `read_only` no client is made that could write. With `lasting` a client that served a pass
    well stays signed in for the next one; a session that DSM ended meanwhile signs in again by
    itself, and another address or credential ends it. One thread at a time asks for one unit.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        environment: Mapping[str, str],
        latches: Latches,
        read_only: bool,
        watch: Watch | None = None,
        lasting: bool = False,
    ) -> None:
        self.read_only = read_only
        self.over = False
        self._clock = clock
        self._environment = environment
        self._latches = latches
        self._watch = watch or Watch()
        self._lasting = lasting
        self._open: dict[str, _Open] = {}
        self._writers: dict[str, Writer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A unit may still be read where a signal broke off the run: it signs out by itself.
        self.over = True

    def names(self) -> tuple[str, ...]:
        """Name the units that are signed in."""
        return tuple(self._open)

    def reader(self, unit: Unit) -> Reader:
        """Return a signed-in client, which may be that of an earlier pass.

        Raises SecretError where a secret cannot be read, and what a sign-in raises.
        """
        connection = self._connection(unit)
        known = self._open.get(unit.name)
        if known is not None and known.connection == connection:
            return known.client
        self.sign_out(unit.name)
        stack = ExitStack()
        if self.read_only:
            opened = dsm.open_reader(connection, self._clock, self._watch)
            client: Reader = stack.enter_context(opened)
        else:
            writer = stack.enter_context(dsm.open_writer(connection, self._clock, self._watch))
            self._writers[unit.name] = client = writer
        self._open[unit.name] = _Open(connection, client, stack)
        return client

    def writer(self, nas: str) -> Writer:
        """Return the client of a unit that was read in this pass; raises Refusal in a dry run."""
        if nas not in self._writers:
            raise Refusal(f"{nas} is not signed in for writing")
        return self._writers[nas]

    def done(self, nas: str, *, well: bool) -> None:
        """Hear that a pass is over with a unit: it is signed out, unless it may stay signed in."""
        if not (self._lasting and well) or self.over:
            self.sign_out(nas)

    def sign_out(self, nas: str) -> None:
        """Sign out of a unit; one that is not signed in is left alone."""
        self._writers.pop(nas, None)
        known = self._open.pop(nas, None)
        if known is not None:
            known.stack.close()

    def _connection(self, unit: Unit) -> dsm.Connection:
        return dsm.Connection(
            name=unit.name,
            url=unit.url,
            account=unit.account,
            password=self._secret(unit.password),
            otp_seed=self._secret(unit.otp_secret),
            device_token=self._secret(unit.device_token),
            ca_file=unit.tls.ca_file,
            fingerprints=unit.tls.fingerprints,
            insecure=unit.tls.insecure,
            latches=self._latches,
        )

    def _secret(self, reference: SecretReference | None) -> str:
        if reference is None:
            return ""
        return read_secret(reference, environment=self._environment)
