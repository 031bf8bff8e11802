"""Loading `reconciler.yaml`: found, read, held against its schema, and made into values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler import duration
from reconciler.errors import InvalidDocuments, UserError
from reconciler.findings import Findings
from reconciler.inventory.model import (
    Configuration,
    Daemon,
    GitSource,
    Notification,
    SecretReference,
    Tls,
    Unit,
    UnitBrakes,
)
from reconciler.inventory.secrets import mode_finding
from reconciler.layers import merge, suspended
from reconciler.model import Place
from reconciler.validate import validate
from reconciler.yamltree import Node, load
from reconciler.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.layers import Layer

_NAME = "reconciler.yaml"
_DEFAULTS = "_defaults.yaml"
_SYSTEM = Path("/etc/reconciler/reconciler.yaml")
_SYSTEM_STATE = Path("/var/lib/reconciler")
_HEX = re.compile(r"[0-9a-f]{64}")
_EMPTY: Layer = {}
_LOOPBACK = re.compile(r"\A(localhost|127(\.\d{1,3}){3}|\[?::1\]?)\Z", re.IGNORECASE)


def find_configuration(option: str | None, environment: Mapping[str, str], folder: Path) -> Path:
    """Return the configuration file; raises UserError that names every place looked at.

    `--config`, then `$RECONCILER_CONFIG`, then `reconciler.yaml` in the folder, then /etc.
    """
    named = option or environment.get("RECONCILER_CONFIG")
    if named:
        path = Path(named)
        if path.is_file():
            return path
        source = "--config" if option else "$RECONCILER_CONFIG"
        raise UserError(f"{source} names {named}, which is no file")
    for path in (folder / _NAME, _SYSTEM):
        if path.is_file():
            return path
    raise UserError(
        f"there is no configuration: not {folder / _NAME}, not {_SYSTEM}, and neither --config "
        "nor $RECONCILER_CONFIG names one",
        next_step="write reconciler.yaml (policies/README.md shows one), or try `reconcile demo`",
    )


def load_configuration(path: Path) -> Configuration:
    """Read a configuration; raises InvalidDocuments with every error, UserError if unreadable."""
    findings = Findings()
    root = _read(path, findings)
    base = path.parent
    node = root.value if root is not None else _EMPTY
    units = tuple(_units(node, base, findings)) if root is not None else ()
    _twins(units, findings)
    _no_inline_passwords(node, findings)
    if findings.errors or root is None:
        raise InvalidDocuments(findings.loud)
    state = str(node["state"].value) if "state" in node else _default_state(path)
    return Configuration(
        path=path,
        policies=_policies(node.get("policies"), base),
        state=state,
        state_folder=_state_folder(state, base),
        units=units,
        installation=str(node["installation"].value) if "installation" in node else "",
        daemon=_daemon(_inside(node, "daemon"), base),
        brakes=_brakes(_inside(node, "brakes")),
        notify=tuple(_notify(node.get("notify"), base)),
        findings=findings.all,
    )


def _read(path: Path, findings: Findings) -> Node | None:
    document = load(_text(path), str(path))
    findings.add(*document.findings)
    if document.root is None:
        return None
    if not isinstance(document.root.value, dict):
        findings.error("wrong-type", "the configuration is a map", document.root.place,
                       next_step="begin with `version: 1`")  # fmt: skip
        return None
    broken = validate(document.root, "config")
    findings.add(*broken)
    return None if broken or findings.errors else document.root


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}", next_step="let the reconciler read it"
        ) from error
    except UnicodeDecodeError:
        raise UserError(f"{path} is no UTF-8 text", next_step="save it as UTF-8") from None


def _no_inline_passwords(node: Layer, findings: Findings) -> None:
    """Refuse a password inside the address of the state or of a git repository."""
    git = _inside(node, "policies").get("git")
    for found in (node.get("state"), git):
        if found is not None and urlsplit(str(found.value)).password is not None:
            findings.error(
                "inline-secret", "an address holds a password itself", found.place,
                next_step="leave it out: a key file, ~/.pgpass or PGPASSFILE can hold it",
            )  # fmt: skip


def _inside(node: Layer, key: str) -> Layer:
    found = node.get(key)
    if found is None or not isinstance(found.value, dict):
        return _EMPTY
    return {k: v for k, v in found.value.items() if v.value is not None}


def _units(node: Layer, base: Path, findings: Findings) -> Iterator[Unit]:
    defaults = node.get("nas_defaults")
    for name, place, own in _inventory(node["nas"], base, findings):
        layers = [layer for layer in (defaults, *own) if layer is not None and layer.value]
        values, _ = merge(layers)
        built = _unit(name, place, values, base=base, findings=findings)
        if built is not None:
            yield built


def _inventory(
    nas: Node, base: Path, findings: Findings
) -> Iterator[tuple[str, Place, tuple[Node, ...]]]:
    """Yield each unit's name, place and layers: of this file, or of every file of a folder."""
    if isinstance(nas.value, dict):
        for name, node in nas.value.items():
            yield name, nas.keys[name], (node,)
        return
    folder = base / str(nas.value)
    files = sorted(_files_of_units(folder)) if folder.is_dir() else []
    if not any(path.name != _DEFAULTS for path in files):
        findings.error(
            "no-inventory", f"`nas` names {folder}, which holds no *.yaml file", nas.place,
            next_step="write a file there with a unit: NAME: {url: https://…}",
        )  # fmt: skip
    defaults = {p.parent: _mapping(p, "nas_defaults", findings) for p in files if _below(p)}
    for path in files:
        if _below(path):
            continue
        units = _mapping(path, "nas", findings)
        above = [at for at in reversed(path.parents) if at in defaults]
        for name, node in units.value.items():
            yield name, units.keys[name], (*(defaults[at] for at in above), node)


def _files_of_units(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.yaml"):
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in inside):
            yield path


def _below(path: Path) -> bool:
    """Whether a file holds the defaults of the units of its folder and below."""
    return path.name == _DEFAULTS


def _mapping(path: Path, section: str, findings: Findings) -> Node:
    """Read a file of the inventory's folder as what stands under `section`; empty where wrong."""
    document = load(_text(path), str(path))
    findings.add(*document.findings)
    place = Place(str(path), 1, 1)
    if document.root is None or document.findings:
        return Node({}, place)
    root = document.root
    sections = {"version": Node(1, place), "nas": Node("-", place), section: root}
    broken = validate(Node(sections, root.place), "config")
    findings.add(*broken)
    return Node({}, place) if broken or not isinstance(root.value, dict) else root


def _unit(name: str, place: Place, values: Layer, *, base: Path, findings: Findings) -> Unit | None:
    missing = [key for key in ("url", "account", "password") if key not in values]
    if missing:
        findings.error("missing-key", f"unit {name} has no `{missing[0]}`", place,
                       next_step="write it here, or under `nas_defaults`")  # fmt: skip
        return None
    references = {
        key: _secret(values.get(key), base, unit=name)
        for key in ("password", "otp_secret", "device_token")
    }
    password = references["password"]
    if password is None:
        return None
    for reference in references.values():
        loose = mode_finding(reference.file) if reference and reference.file else None
        if loose is not None:
            findings.add(loose)
    url = str(values["url"].value).replace("{name}", name)
    return Unit(
        name=name,
        url=url.rstrip("/"),
        account=str(values["account"].value).replace("{name}", name),
        password=password,
        place=place,
        tls=_tls(_inside(values, "tls"), url, place=place, base=base, findings=findings),
        otp_secret=references["otp_secret"],
        device_token=references["device_token"],
        timezone=_zone(values.get("timezone"), findings),
        tags={k: str(v.value) for k, v in _inside(values, "tags").items()},
        serials=_texts(values.get("serial")),
        snapshots_per_share=_count(values, "snapshots_per_share"),
        snapshots_per_lun=_count(values, "snapshots_per_lun"),
        snapshots_per_unit=_count(values, "snapshots_per_nas"),
        suspended=suspended(values.get("suspend"), "by the inventory"),
    )


def _secret(node: Node | None, base: Path, *, unit: str = "") -> SecretReference | None:
    if node is None:
        return None
    inside: Layer = node.value
    if "file" in inside:
        text = str(inside["file"].value).replace("{name}", unit)
        return SecretReference(node.place, file=base / text)
    if "env" in inside:
        return SecretReference(node.place, env=str(inside["env"].value).replace("{name}", unit))
    words = inside["command"].value
    command = tuple(str(word.value).replace("{name}", unit) for word in words)
    return SecretReference(node.place, command=command)


def _tls(inside: Layer, url: str, *, place: Place, base: Path, findings: Findings) -> Tls:
    """Read `tls`; `insecure` and http:// are for loopback alone."""
    parts = urlsplit(url)
    local = bool(_LOOPBACK.match(parts.hostname or ""))
    insecure = bool(inside["insecure"].value) if "insecure" in inside else False
    if (insecure or parts.scheme == "http") and not local:
        what = "`tls: {insecure: true}`" if insecure else "http://"
        findings.error(
            "insecure", f"{what} is for loopback alone, and this is {parts.hostname}", place,
            next_step='use https:// and `tls: {fingerprint: ["sha256:…"]}`, which DSM shows under '
            "Control Panel > Security > Certificate",
        )  # fmt: skip
    prints = inside.get("fingerprint")
    ca_file = inside.get("ca_file")
    path = base / str(ca_file.value) if ca_file is not None else None
    if ca_file is not None and path is not None and not path.is_file():
        findings.error("no-file", f"ca_file {path} is no file", ca_file.place,
                       next_step="name the authority's certificate in PEM form")  # fmt: skip
    return Tls(
        ca_file=path,
        fingerprints=tuple(_prints(prints, findings)) if prints is not None else (),
        insecure=insecure,
    )


def _prints(node: Node, findings: Findings) -> Iterator[str]:
    for one in node.value if isinstance(node.value, list) else [node]:
        text = str(one.value).casefold().removeprefix("sha256:").replace(":", "").strip()
        if _HEX.fullmatch(text):
            yield text
        else:
            findings.error(
                "bad-fingerprint", "a fingerprint is sha256: and 64 hex digits", one.place,
                next_step="openssl x509 -noout -fingerprint -sha256 shows a certificate's",
            )  # fmt: skip


def _zone(node: Node | None, findings: Findings) -> str:
    if node is None:
        return ""
    try:
        zone(str(node.value))
    except ValueError as error:
        findings.error("bad-zone", str(error), node.place)
    return str(node.value)


def _texts(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    return (
        tuple(str(n.value) for n in node.value)
        if isinstance(node.value, list)
        else (str(node.value),)
    )


def _count(values: Layer, key: str) -> int | None:
    node = values.get(key)
    return int(node.value) if node is not None else None


def _twins(units: Sequence[Unit], findings: Findings) -> None:
    """Warn of two entries with one address: most likely one unit twice."""
    first: dict[str, Unit] = {}
    names: dict[str, Unit] = {}
    for unit in units:
        twin = first.setdefault(unit.url.casefold(), unit)
        if twin is not unit:
            findings.warning("one-url", f"{unit.name} has the address of {twin.name}", unit.place,
                             next_step="take one of the two out, or mend its `url`")  # fmt: skip
        same = names.setdefault(unit.name.casefold(), unit)
        if same is not unit:
            findings.error("duplicate-name", f"unit {unit.name} exists twice; also at "
                           f"{same.place}", unit.place,
                           next_step="rename one of the two")  # fmt: skip


def _policies(node: Node | None, base: Path) -> Path | GitSource:
    if node is None:
        return base / "policies"
    if not isinstance(node.value, dict):
        return base / str(node.value)
    inside: Layer = node.value
    verify = _inside(inside, "verify")
    return GitSource(
        url=str(inside["git"].value),
        branch=str(inside["branch"].value) if "branch" in inside else "main",
        path=str(inside["path"].value) if "path" in inside else ".",
        poll=duration.parse(str(inside["poll"].value)) if "poll" in inside else 120,
        ssh_key=_secret(inside.get("ssh_key"), base),
        known_hosts=_secret(inside.get("known_hosts"), base),
        allowed_signers=_secret(verify.get("ssh_allowed_signers"), base),
    )


def _default_state(path: Path) -> str:
    in_etc = path.resolve().is_relative_to("/etc")
    return f"sqlite:///{_SYSTEM_STATE / 'state.db'}" if in_etc else "sqlite:///state.db"


def _state_folder(state: str, base: Path) -> Path:
    if state.startswith("sqlite:///"):
        return (base / state.removeprefix("sqlite:///")).parent
    return base


def _daemon(inside: Layer, base: Path) -> Daemon:
    plain = Daemon()
    return Daemon(
        interval=_seconds(inside, "interval", plain.interval),
        jitter=_seconds(inside, "jitter", plain.jitter),
        listen=str(inside["listen"].value) if "listen" in inside else plain.listen,
        token=_secret(inside.get("token"), base),
    )


def _seconds(inside: Layer, key: str, default: int) -> int:
    if key not in inside:
        return default
    text = str(inside[key].value)
    return int(text[:-1]) if text.endswith("s") else duration.parse(text)


def _brakes(inside: Layer) -> UnitBrakes:
    plain, target = UnitBrakes(), _inside(inside, "per_target")
    approvals = inside.get("require_approval")
    return UnitBrakes(
        max_deletes=_whole(inside, "max_deletes", plain.max_deletes),
        max_deletes_per_day=_whole(inside, "max_deletes_per_day", plain.max_deletes_per_day),
        max_clock_skew=_seconds(inside, "max_clock_skew", plain.max_clock_skew),
        max_immutable=_seconds(inside, "max_immutable", plain.max_immutable),
        require_approval=_texts(approvals),
        target_max_deletes=_whole(target, "max_deletes", plain.target_max_deletes),
        target_max_delete_percent=_whole(
            target, "max_delete_percent", plain.target_max_delete_percent
        ),
    )


def _whole(inside: Layer, key: str, default: int) -> int:
    return int(inside[key].value) if key in inside else default


def _notify(node: Node | None, base: Path) -> Iterator[Notification]:
    for entry in node.value if node is not None else ():
        for kind in ("apprise", "healthchecks"):
            address = _secret(entry.value.get(kind), base)
            if address is not None:
                yield Notification(
                    kind,
                    address,
                    events=_texts(entry.value.get("events")),
                    only=_texts(entry.value.get("only")),
                )
