"""A unit put into a configuration as a person would: every other byte stays."""

from __future__ import annotations

import pytest

from reconciler.errors import InvalidDocuments, UserError
from reconciler.inventory import edit

_FILE = """\
# our units
version: 1
nas:
    hq-1:   # the big one
        url: https://hq-1:5001
        account: ops
        password: {env: HQ}   # from the vault
        serial: ["OLD"]       # since 2021

    # retired soon
    hq-2:
        url: https://hq-2:5001
        account: ops
        password: {env: HQ}

# limits
brakes: {max_deletes: 7}
"""
_NEW = {"url": "https://hq-3:5001", "account": "ops", "password": "{env: HQ}"}


def test_a_unit_stands_after_the_others_in_their_indentation() -> None:
    """The new lines follow the last unit, as deep as the others; nothing else changes."""
    after = edit.with_unit(_FILE, "r.yaml", "hq-3", _NEW)
    added = '    hq-3:\n        url: "https://hq-3:5001"\n'.replace('"', "")
    added += "        account: ops\n        password: {env: HQ}\n"
    assert after == _FILE.replace("\n\n# limits", f"\n{added}\n# limits")


def test_line_ends_stay_what_they_are() -> None:
    """A file of Windows keeps its line ends."""
    windows = _FILE.replace("\n", "\r\n")
    after = edit.with_unit(windows, "r.yaml", "hq-3", _NEW)
    assert after.replace("\r\n", "\n") == edit.with_unit(_FILE, "r.yaml", "hq-3", _NEW)
    assert after.count("\n") == after.count("\r\n")


def test_replaced_keys_keep_their_comments_and_new_ones_are_added() -> None:
    """Only the lines of that unit's keys change; a key that is new stands at its end."""
    values = {"serial": '["NEW"]', "timezone": "Europe/Zurich"}
    after = edit.replaced(_FILE, "r.yaml", "hq-1", values)
    expected = _FILE.replace('["OLD"] ', '["NEW"] ').replace(
        "since 2021\n", "since 2021\n        timezone: Europe/Zurich\n"
    )
    assert after == expected


@pytest.mark.parametrize(
    "source",
    [
        "version: 1\nnas: {a: {url: x}}\n",
        "version: 1\nnas: inventory/\n",
        "version: 1\n",
        "version: 1\nnas:\n",
        "- a\n",
    ],
)
def test_what_has_no_place_for_a_line_is_refused(source: str) -> None:
    """A map on one line, or none at all, is left to a person, with an error that says so."""
    with pytest.raises((UserError, InvalidDocuments)):
        edit.with_unit(source, "r.yaml", "b", _NEW)


def test_a_name_that_is_there_is_not_added_twice() -> None:
    """Names compare without case: a second HQ-1 is refused."""
    with pytest.raises(UserError):
        edit.with_unit(_FILE, "r.yaml", "HQ-1", _NEW)


def test_a_key_over_several_lines_is_left_to_a_person() -> None:
    """A value that is not on its key's line alone is not replaced by a program."""
    block = _FILE.replace('serial: ["OLD"]       # since 2021', "serial:\n            - OLD")
    with pytest.raises(UserError):
        edit.replaced(block, "r.yaml", "hq-1", {"serial": '["NEW"]'})
