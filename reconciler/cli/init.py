"""`reconcile init`: from an address to a configuration, policies and a first plan."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from reconciler import dsm
from reconciler.cli import output
from reconciler.cli.files import SECRET, Written, all_or_nothing
from reconciler.cli.import_ import schema_line, written
from reconciler.errors import CredentialError, InvalidDocuments, PermanentError, UserError
from reconciler.importing import zone as zones
from reconciler.importing.render import summary
from reconciler.inventory import edit
from reconciler.inventory.load import default_state, load_configuration
from reconciler.inventory.model import SecretReference
from reconciler.inventory.secrets import read_secret
from reconciler.model import Kind, Place
from reconciler.policy.load import load_policies, read_texts
from reconciler.schemafile import schema_text
from reconciler.store import open_store
from reconciler.survey import survey
from reconciler.wording import counted
from reconciler.zones import zone

if TYPE_CHECKING:
    from reconciler.cli.settings import Settings
    from reconciler.importing.model import Survey
    from reconciler.inventory.model import Configuration, Unit
    from reconciler.model import Observation
    from reconciler.store import Store

_FILE = "reconciler.yaml"
_ACCOUNT = "svc-snapshots"
_TWO_FACTOR = 403
_WRONG_PASSWORD = 400


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of `init`, as the command line gives them."""

    url: str
    name: str | None
    account: str | None
    password_file: str | None
    accept: str | None
    timezone: str | None
    replaced: bool
    asks: bool


@dataclass(frozen=True, slots=True)
class Met:
    """What was learned of the NAS: how to reach it, who it is, what DSM does there."""

    connection: dsm.Connection
    device_token: str
    serial: str
    found: Survey
    seen: Observation


@click.command(name="init")
@click.argument("url")
@click.option("--name", metavar="N", help="Its name in the inventory; else what it calls itself.")
@click.option("--account", metavar="A", help="An administrator made for this.")
@click.option("--password-file", metavar="F", help="Read the password here, and go on doing so.")
@click.option("--accept", metavar="FINGERPRINT", help="Trust the certificate with this SHA-256.")
@click.option("--timezone", metavar="ZONE", help="The zone of the NAS, such as Europe/Zurich.")
@click.option("--replaced", is_flag=True, help="The unit of that name is a new machine.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Connect a NAS: trust its certificate, sign in, and write what DSM does today as policies.

    Asks for what the options do not say. Nothing is written to the NAS.
    """
    settings: Settings = ctx.obj
    root = ctx.find_root().params
    asks = output.interactive() and not root.get("no_input")
    wanted = Wanted(asks=asks, **options)
    path = Path(settings.config or os.environ.get("RECONCILER_CONFIG") or _FILE)
    configuration = load_configuration(path) if path.exists() else None
    _check(wanted, path, configuration)
    state = configuration.state if configuration is not None else default_state(path)
    with open_store(state, path.parent) as store:
        met = _meet(wanted, settings, store)
        _say_met(met)
        told = _write(wanted, met, path, configuration)
        if wanted.replaced:
            store.forget_serials(met.found.nas)
    output.show("\n" + told)
    output.show(f"Next: {_next(path)}")


def _next(path: Path) -> str:
    """Return the next command: lint where older policies do not fit beside the new unit."""
    after = load_configuration(path)
    if not isinstance(after.policies, Path):
        return "reconcile --dry-run"
    try:
        load_policies(after.policies, units=after.units, brakes=after.brakes)
    except InvalidDocuments:
        return "reconcile lint (policies that were there before need a word, such as `nas:`)"
    return "reconcile --dry-run"


def _check(wanted: Wanted, path: Path, configuration: Configuration | None) -> None:
    """Refuse before anything is asked what could not be written afterwards."""
    if configuration is None:
        if wanted.replaced:
            raise UserError(f"there is no {path}, so no unit in it is replaced")
        return
    known = [unit.name for unit in configuration.units]
    if wanted.replaced and wanted.name not in known:
        raise click.UsageError(f"--replaced needs --name, one of: {', '.join(known)}")
    if wanted.name in known and not wanted.replaced:
        raise UserError(
            f"{path} has a unit {wanted.name} already",
            next_step="--name names this one otherwise; --replaced says it is a new machine",
        )


def _meet(wanted: Wanted, settings: Settings, store: Store) -> Met:
    connection = _trusted(wanted, store)
    connection = replace(
        connection,
        account=_asked(wanted, wanted.account, "--account", _account),
        password=_password(wanted),
    )
    clock = settings.clock or dsm.SystemClock()
    latch = dsm.Latch(connection.latches, connection.name, connection.credential)
    closed = latch.lift(int(clock.time()))
    if closed is not None:
        raise _cured(closed, connection)
    try:
        return _signed_in(wanted, connection, clock)
    except CredentialError as error:
        if error.code != _TWO_FACTOR:
            raise _cured(error, connection) from error
        if not wanted.asks:
            raise CredentialError(
                str(error),
                code=error.code,
                next_step="run this on a terminal, which can ask for the one-time code",
            ) from error
    code = click.prompt("One-time code (asked once; a device token is stored in its place)")
    with_code = replace(connection, one_time_code=code.strip().replace(" ", ""))
    try:
        return _signed_in(wanted, with_code, clock)
    except CredentialError as error:
        raise _cured(error, connection) from error


def _cured(error: CredentialError, connection: dsm.Connection) -> CredentialError:
    """Say what to do about a refusal while there is no inventory yet."""
    step = error.next_step
    if error.code == _WRONG_PASSWORD:
        step = (
            f"check account {connection.account} and its password, then run this again; the same "
            "pair is not sent again for 5 min, as DSM blocks an address after a few"
        )
    return CredentialError(str(error), code=error.code, next_step=step)


def _trusted(wanted: Wanted, store: Store) -> dsm.Connection:
    """Return a connection whose certificate somebody or the system trusts."""
    seen = dsm.presented(wanted.url)
    host = wanted.url.split("//")[-1].rstrip("/").rsplit(":", 1)[0]
    plain = dsm.Connection(
        name=wanted.name or host, url=wanted.url.rstrip("/"), account="", password="",
        latches=store,
    )  # fmt: skip
    if seen is None or (not seen.distrust and wanted.accept is None):
        return plain
    if wanted.accept is not None:
        given = wanted.accept.casefold().removeprefix("sha256:").replace(":", "")
        if given != seen.fingerprint:
            raise PermanentError(
                f"{host} presents another certificate than --accept names: "
                f"sha256:{seen.fingerprint}",
                next_step=f"if that one is its own: --accept sha256:{seen.fingerprint}",
            )
        return replace(plain, fingerprints=(seen.fingerprint,))
    if not wanted.asks:
        raise PermanentError(
            f"the certificate of {host} is not trusted here: {seen.distrust}; it is "
            f"sha256:{seen.fingerprint}",
            next_step=f"if that one is its own: --accept sha256:{seen.fingerprint}",
        )
    kind = (
        "is self-signed" if seen.distrust == "self-signed" else f"is not trusted: {seen.distrust}"
    )
    half = len(seen.colons) // 2 + 1
    output.show(
        f"{host} answers. Its certificate {kind}:\n"
        f"  sha256 {seen.colons[:half]}\n         {seen.colons[half:]}\n"
        "  DSM shows it under Control Panel > Security > Certificate"
    )
    if not click.confirm("Trust exactly this certificate?", default=False):
        _stop("the certificate is not trusted, so nothing was sent")
    return replace(plain, fingerprints=(seen.fingerprint,))


def _asked(wanted: Wanted, given: str | None, option: str, ask: object) -> str:
    if given:
        return given
    if not wanted.asks:
        raise click.UsageError(f"{option} is missing, and nobody can be asked here")
    return str(ask()) if callable(ask) else ""


def _account() -> str:
    return str(
        click.prompt("Account (an administrator made for this, DSM offers no smaller role)",
                     default=_ACCOUNT)
    )  # fmt: skip


def _password(wanted: Wanted) -> str:
    if wanted.password_file is not None:
        reference = SecretReference(Place("--password-file"), file=Path(wanted.password_file))
        return read_secret(reference, environment=os.environ)
    return _asked(
        wanted, None, "--password-file",
        lambda: click.prompt("Password (stored in secrets/, mode 0600)", hide_input=True),
    )  # fmt: skip


def _signed_in(wanted: Wanted, connection: dsm.Connection, clock: dsm.Clock) -> Met:
    with dsm.open_reader(connection, clock) as reader:
        facts = reader.read_overview().facts
        stamp = reader.server_time
        now = stamp.date if stamp is not None else int(clock.time())
        name = wanted.name or _slug(facts.identity.hostname) or _slug(connection.name)
        where = wanted.timezone or _zone(wanted, facts.zone_name, facts.utc_offset, now)
        try:
            zone(where)
        except ValueError as error:
            raise UserError(str(error)) from error
        found, seen = survey(name, where, reader)
        return Met(connection, reader.device_token, facts.identity.serial, found, seen)


def _zone(wanted: Wanted, name: str, shift: int | None, now: int) -> str:
    """Find the NAS's zone: by its name, else this machine's where the clocks agree, else asked."""
    certain = zones.of_name(name, shift, now)
    if certain:
        return certain
    likely = zones.of_host(_host_zone(), shift, now)
    if not wanted.asks:
        raise UserError(
            f"the NAS calls its time zone `{name}`, which is not certain to be one of IANA's",
            next_step=f"--timezone {likely or 'Europe/Zurich'} says which it is",
        )
    while True:
        found = click.prompt(
            f"Time zone of the NAS (it says `{name}`)", default=likely or None, type=str
        )
        try:
            zone(found)
        except ValueError as error:
            output.say(f"  {error}")
            continue
        return str(found)


def _host_zone() -> str:
    """Return the IANA name of this machine's zone, "" where it cannot be told."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if named:
        return named
    target = Path("/etc/localtime").resolve()
    return str(target).partition("zoneinfo/")[2]


def _slug(text: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in text)
    return kept.strip("._-")[:63]


def _say_met(met: Met) -> None:
    """Say what was checked: rights, clock, counts, and who else prunes."""
    identity, found = met.seen.identity, met.found
    shares = sum(t.kind is Kind.SHARE for t in found.targets)
    luns = len(found.targets) - shares
    scheduled = sum(
        t.settings is not None and t.settings.schedule is not None and t.settings.schedule.enabled
        for t in found.targets
    )
    pruned = sum(
        t.settings is not None
        and t.settings.retention is not None
        and t.settings.retention.kind.prunes
        for t in found.targets
    )
    unread = [t for t in found.targets if t.kind is Kind.SHARE and "DSM 105" in t.left_alone]
    if unread:
        raise PermanentError(
            f"the account may not list snapshots: {unread[0].left_alone}",
            next_step="make it a member of DSM's administrators group; no smaller role may do this",
        )
    output.show(
        f"  ok    {found.nas}: {identity.model}, {identity.version}\n"
        "  ok    signed in, may list snapshots\n"
        f"  ok    clock {met.seen.skew:+.1f} s, zone {found.timezone}     "
        f"{counted(shares, 'share')}, {counted(luns, 'LUN')}"
    )
    if scheduled or pruned:
        output.show(
            f"  note  {scheduled} with DSM's schedule, {pruned} with DSM's retention"
            + (": two pruners until you switch them off" if pruned else "")
        )


def _write(wanted: Wanted, met: Met, path: Path, configuration: Configuration | None) -> str:
    """Write everything or nothing; return what was written, in words."""
    name, base = met.found.nas, path.parent
    root = configuration.policies if configuration is not None else base / "policies"
    with all_or_nothing() as files:
        values = _values(wanted, met, base, files)
        for schema in ("policy", "config"):
            files.instead(base / ".schemas" / f"{schema}.schema.json", schema_text(schema))
        said = "no policies (they come from git)"
        if isinstance(root, Path):
            said = _policies(met, root, base, files)
        place = _configure(name, values, path, configuration, wanted=wanted, files=files)
        _proven(path, name, configuration)
    return (
        f"Wrote {place}, {said},\n"
        "      .schemas/ (your editor completes and checks the keys). "
        "No write to the NAS was made."
    )


def _values(wanted: Wanted, met: Met, base: Path, files: Written) -> dict[str, str]:
    """Write the secrets, and return the unit's keys as YAML."""
    name, connection = met.found.nas, met.connection
    values = {"url": connection.url}
    if connection.fingerprints:
        values["tls"] = f'{{fingerprint: ["sha256:{connection.fingerprints[0]}"]}}'
    values["account"] = edit.text(connection.account)
    if wanted.password_file is not None:
        own = os.path.relpath(Path(wanted.password_file).resolve(), base.resolve())
        values["password"] = f"{{file: {edit.text(own)}}}"
    else:
        values["password"] = _secret(base, f"{name}.password", connection.password, wanted, files)
    if met.device_token:
        values["device_token"] = _secret(base, f"{name}.token", met.device_token, wanted, files)
    values["timezone"] = edit.text(met.found.timezone)
    if met.serial:
        values["serial"] = f'["{met.serial}"]'
    return values


def _secret(base: Path, name: str, content: str, wanted: Wanted, files: Written) -> str:
    path = base / "secrets" / name
    if wanted.replaced and path.exists():
        files.instead(path, content + "\n")
    else:
        files.new(path, content + "\n", mode=SECRET)
    return f"{{file: {edit.text(f'secrets/{name}')}}}"


def _policies(met: Met, root: Path, base: Path, files: Written) -> str:
    path = root / f"{met.found.nas}.yaml"
    if path.exists():
        return f"left {path} as it is"
    texts = read_texts(root) if root.is_dir() else {}
    imported = written(met.found, texts, schema=schema_line(path, base))
    files.new(path, imported.text)
    return f"{path} ({summary(imported)})"


def _configure(
    name: str,
    values: dict[str, str],
    path: Path,
    configuration: Configuration | None,
    *,
    wanted: Wanted,
    files: Written,
) -> Path:
    """Write the unit where units stand: a new file, the one there, or one more of a folder."""
    if configuration is None:
        head = (
            "# yaml-language-server: $schema=.schemas/config.schema.json\nversion: 1\n"
            f"installation: {installation()}  # in the mark on each snapshot; leave it alone\n"
            "policies: policies/\nnas:\n"
        )
        files.instead(path, head + "\n".join(edit.unit_lines(name, values)) + "\n")
        return path
    source = path.read_text(encoding="utf-8-sig")
    if wanted.replaced:
        place = next(unit.place for unit in configuration.units if unit.name == name)
        if Path(place.path).resolve() != path.resolve():
            raise UserError(f"{name} stands in {place}", next_step="write its new values there")
        files.instead(path, edit.replaced(source, str(path), name, values))
        return path
    folder = _inventory_folder(path, configuration)
    if folder is not None:
        one = folder / f"{name}.yaml"
        lines = [line[2:] for line in edit.unit_lines(name, values)]
        files.new(one, "\n".join(lines) + "\n")
        return one
    files.instead(path, edit.with_unit(source, str(path), name, values))
    return path


def _inventory_folder(path: Path, configuration: Configuration) -> Path | None:
    """Return the folder of units where `nas` names one."""
    place = configuration.units[0].place
    return Path(place.path).parent if Path(place.path).resolve() != path.resolve() else None


def _proven(path: Path, name: str, before: Configuration | None) -> None:
    """Load what was written; it must hold every unit of before, unchanged but for this one."""
    after = load_configuration(path)
    old = {unit.name: _bare(unit) for unit in before.units} if before is not None else {}
    new = {unit.name: _bare(unit) for unit in after.units}
    if set(new) != {*old, name} or any(new[k] != old[k] for k in old if k != name):
        raise UserError(f"{path} would not hold the same units any more, so it was left alone")


def _bare(unit: Unit) -> tuple[object, ...]:
    """Return what a unit says, the lines it stands on left aside."""
    secret = (unit.password.file, unit.password.env, unit.password.command)
    return (unit.url, unit.account, secret, unit.tls, unit.timezone, dict(unit.tags), unit.serials)


def installation() -> str:
    """Make up a readable name for an installation: two words and two digits."""
    return f"{secrets.choice(_FIRST)}-{secrets.choice(_SECOND)}-{secrets.randbelow(90) + 10}"


_FIRST = (
    "amber", "birch", "cedar", "coral", "ember", "fern", "flint", "hazel", "ivory", "juniper",
    "larch", "maple", "onyx", "pearl", "slate", "willow",
)  # fmt: skip
_SECOND = (
    "anchor", "beacon", "bridge", "cellar", "garden", "harbour", "island", "lantern", "meadow",
    "mill", "orchard", "quarry", "river", "summit", "tower", "valley",
)  # fmt: skip


def _stop(reason: str) -> NoReturn:
    output.say(reason)
    sys.stdout.flush()
    raise click.exceptions.Exit(1)
