"""Screens of the way in, against files: run with UPDATE_GOLDEN=1 to write them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.builtin import OwnRetention, OwnSchedule, OwnSettings
from reconciler.checkup import Check, Examined, Level
from reconciler.cli.doctor import render as render_checks
from reconciler.importing.model import FoundTarget, OwnReplication, Survey
from reconciler.importing.render import render
from reconciler.model import Kind, RetentionKind
from reconciler.report.style import Style

_FOLDER = Path(__file__).parent


def _golden(name: str, text: str) -> None:
    path = _FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def _survey() -> Survey:
    smart = OwnRetention(
        RetentionKind.ADVANCED,
        counts={"hourly": 24, "daily": 7, "weekly": 2, "monthly": 1},
        minimum=5,
        all_days=1,
    )
    latest = OwnRetention(RetentionKind.LATEST, latest=10)
    office = OwnSchedule(enabled=True, hour=8, last_hour=20, repeat=120)
    night = OwnSchedule(enabled=True, hour=2, minute=30)
    off = OwnSchedule(enabled=False, hour=4)
    to_cellar = OwnReplication("p-1", "cellar", OwnSchedule(enabled=True, repeat=360))

    def share(name: str, own: OwnSettings, **more: object) -> FoundTarget:
        return FoundTarget(Kind.SHARE, name, f"u-{name}", own, **more)

    return Survey(
        "attic",
        "Europe/Zurich",
        (
            share("documents", OwnSettings(office, smart), replications=(to_cellar,)),
            share("photos", OwnSettings(night, smart, immutable_days=7)),
            share("music", OwnSettings(night, latest)),
            share("video", OwnSettings(night, latest)),
            share("books", OwnSettings(OwnSchedule(enabled=True, weekdays=()), latest)),
            share("2024", OwnSettings(off, OwnRetention(RetentionKind.DAYS, days=30))),
            share("tax", OwnSettings(night, smart), held=2),
            share("scans", OwnSettings(OwnSchedule(enabled=True, by_date=True),
                                       OwnRetention(RetentionKind.UNKNOWN, text="policyType 84"))),
            share("surveillance", OwnSettings(OwnSchedule(enabled=False, exists=False),
                                              OwnRetention(RetentionKind.NONE))),
            FoundTarget(Kind.SHARE, "usbshare1", "u-9", None, left_alone="an external disk"),
            FoundTarget(Kind.LUN, "vmware-ds1", "u-10", OwnSettings(night, latest)),
        ),
    )  # fmt: skip


def test_the_imported_file() -> None:
    """A home's policies as they are written, each thing that cannot be said beside them."""
    text = render(_survey(), schema="../.schemas/policy.schema.json").text
    _golden("import-attic.txt", text)


@pytest.mark.parametrize("width", [80, 100])
def test_the_checks_of_two_units(width: int) -> None:
    """What is wrong comes first, each with its next step, a line to paste unbroken."""
    pin = "ab" * 32
    lab = Examined(
        "lab-3",
        (
            Check("certificate", Level.PROBLEM, f"another one than the inventory trusts: "
                  f"sha256:{pin}", 'if it was renewed, write:\ntls: {fingerprint: ["sha256:'
                  f'{pin}"]}}'),
        ),
    )  # fmt: skip
    attic = Examined(
        "attic",
        (
            Check("certificate", Level.OK, "trusted by fingerprint, until 2027-11-25"),
            Check("sign-in", Level.OK, "as svc-snapshots"),
            Check("clock", Level.OK, "+0.2 s"),
            Check("limits", Level.OK, "1024 (the NAS) a share, 256 (the NAS) a LUN, 65536 (the "
                  "NAS) the NAS"),
            Check("packages", Level.NOTE, "Snapshot Replication is not installed: no replication",
                  "install it in Package Center if a policy replicates"),
            Check("conflicts", Level.PROBLEM, "share/photos: two pruners, DSM's own retention is "
                  "on", "switch it off in DSM: Snapshot Replication > Snapshots > photos > "
                  "Settings > Retention"),
        ),
    )  # fmt: skip
    style = Style(width=width, colour=False, verbose=False)
    _golden(f"doctor-{width}.txt", render_checks((attic, lab), style) + "\n")
