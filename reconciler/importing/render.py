"""Drafts as a policy file that a person reads and an editor checks."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from reconciler.importing.draft import covered, drafts
from reconciler.model import Kind
from reconciler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reconciler.importing.model import Draft, FoundTarget, Survey

_WIDTH = 96
_NAMED_ALONE = 3
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_OTHER_THAN_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_MAGIC = re.compile(r"[*?\[\]=]|^!")
_LONGEST_NAME = 63
_RESET = ("keep", "every", "cron", "at", "lock", "immutable", "replicate", "brakes", "suspend")


@dataclass(frozen=True, slots=True)
class Imported:
    """A rendered policy file: how many policies it holds and how many targets they cover."""

    text: str
    policies: int
    shares: int
    luns: int


def render(
    survey: Survey,
    *,
    schema: str,
    taken: Collection[str] = (),
    below_defaults: bool = False,
) -> Imported:
    """Write the policies of one NAS; `schema` is the path or address for the editor.

    `taken` are names of policies and templates that exist. With `below_defaults` the file stands
    under `_defaults.yaml`, whose rules it then takes out again. Where DSM does nothing by itself
    an example is written that does nothing either.
    """
    found = drafts(survey)
    used = set(taken)
    templates = _templates(found, survey.nas, used)
    body = [_policy(draft, survey.nas, templates, used) for draft in found]
    if not body:
        body = [_example(survey, used)]
    shared = [_template(name, items) for items, name in templates.items()]
    text = [*_head(survey, schema), "version: 1", "", *_defaults(survey, below=below_defaults)]
    if shared:
        text += ["templates:", *(line for block in shared for line in block), ""]
    text += ["policies:", *_between(body), *_left(survey)]
    targets = [target for draft in found for target in draft.targets]
    return Imported(
        "\n".join(line.rstrip() for line in text) + "\n",
        policies=len(found),
        shares=sum(target.kind is Kind.SHARE for target in targets),
        luns=sum(target.kind is Kind.LUN for target in targets),
    )


def _head(survey: Survey, schema: str) -> Iterator[str]:
    yield f"# yaml-language-server: $schema={schema}"
    yield from _comment(
        f"What DSM does by itself on {_one_line(survey.nas)}, said in policies. While DSM's "
        "schedules are on they stay without `every`: DSM takes the snapshots. To take over a "
        "target: switch off its schedule and retention in DSM (Snapshot Replication > Snapshots, "
        "for LUNs too), then write the lines that stand as a comment.",
    )


def _defaults(survey: Survey, *, below: bool) -> Iterator[str]:
    yield "defaults:"
    yield f"  timezone: {quoted(survey.timezone)}"
    if below:
        yield from (f"  {key}: null" for key in _RESET)
        yield "  pick: earliest"
    yield ""


_Items = tuple[tuple[str, str], ...]


def _templates(found: Sequence[Draft], nas: str, used: set[str]) -> dict[_Items, str]:
    """Name the `keep` that several policies share."""
    counts = Counter(tuple(draft.keep.rules.items()) for draft in found if draft.keep.rules)
    words = {tuple((d.keep.rules or {}).items()): d.keep.word for d in reversed(found)}
    return {
        items: _name(f"{nas}-dsm-{words[items]}", used)
        for items, number in counts.items()
        if number > 1
    }


def _template(name: str, items: _Items) -> list[str]:
    return [f"  {name}:", "    manage: scheduled", f"    keep: {_flow(dict(items))}"]


def _policy(draft: Draft, nas: str, templates: Mapping[_Items, str], used: set[str]) -> list[str]:
    keep = draft.keep
    first = draft.targets[0].name
    base = first if len(draft.targets) == 1 else keep.word
    lines = [f"  - name: {_name(f'{nas}-{base}', used)}"]
    lines += [f"    {line}" for note in draft.notes for line in _comment(note)]
    template = templates.get(tuple((keep.rules or {}).items()))
    if template is not None:
        lines.append(f"    extends: {template}")
    lines.append(f"    nas: {quoted(nas)}")
    lines += _selector(draft)
    if template is None:
        lines.append("    manage: scheduled")
    lines += [f"    {line}" for note in keep.notes for line in _comment(note)]
    if keep.rules and template is None:
        lines.append(f"    keep: {_flow(keep.rules)}")
    elif keep.instead:
        lines.append(f"    # keep: {_flow(keep.instead)}")
    lines += [f"    # {line}" for line in draft.later]
    return lines


def _selector(draft: Draft) -> list[str]:
    names = [_entry(target) for target in draft.targets]
    flow = f"    {draft.kind}s: [{', '.join(names)}]"
    if len(flow) <= _WIDTH:
        return [flow]
    return [f"    {draft.kind}s:", *(f"      - {name}" for name in names)]


def _entry(target: FoundTarget) -> str:
    """Return a selector's entry: the name, or the uuid where the name would read as a pattern."""
    unreadable = not target.name.isprintable() or "\ufffd" in target.name
    if unreadable or _MAGIC.search(target.name):
        return f"{{uuid: {quoted(target.uuid)}}}"
    return quoted(target.name)


def _example(survey: Survey, used: set[str]) -> list[str]:
    """Return a policy that does nothing until a person has read it: a repository needs one."""
    able = [target for target in survey.targets if not target.left_alone]
    shares = [target for target in able if target.kind is Kind.SHARE][:_NAMED_ALONE]
    names = ", ".join(_entry(target) for target in shares) or '"*"'
    return [
        f"  - name: {_name(f'{survey.nas}-example', used)}",
        "    # DSM takes and prunes nothing here by itself. This does nothing until `suspend` goes",
        f"    nas: {quoted(survey.nas)}",
        f"    shares: [{names}]",
        "    every: 1d",
        "    keep: {daily: 30, monthly: 12}",
        "    suspend: an example; take this line out when it says what you want",
    ]


def _left(survey: Survey) -> Iterator[str]:
    """Say of every target without a policy why it has none."""
    plain = [t for t in survey.targets if not covered(t) and not t.left_alone]
    said = [t for t in survey.targets if t.left_alone]
    if not plain and not said:
        return
    yield ""
    if plain:
        names = ", ".join(f"{target.kind}/{_one_line(target.name)}" for target in plain)
        yield from _comment(f"DSM neither takes nor prunes snapshots of: {names}")
    for target in said:
        label = f"{target.kind}/{_one_line(target.name)}"
        yield from _comment(f"left alone: {label}, {_one_line(target.left_alone)}")


def _between(blocks: Sequence[Sequence[str]]) -> Iterator[str]:
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield from block


def _comment(text: str) -> Iterator[str]:
    for line in wrap(_one_line(text), _WIDTH - 6, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"


def _one_line(text: str) -> str:
    """Keep a name from ending a comment: no line breaks, no control characters."""
    return "".join(c if c.isprintable() else " " for c in text)


def _flow(items: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"


def quoted(text: str) -> str:
    """Write a text as YAML that stays a text: plain where that is safe, else in double quotes."""
    plain = _PLAIN.fullmatch(text.replace("/", "_")) and text.casefold() not in _OTHER_THAN_TEXT
    return text if plain else json.dumps(text, ensure_ascii=False)


def _name(wanted: str, used: set[str]) -> str:
    """Return a name of a policy or template that is allowed and not used yet; it then is."""
    slug = re.sub(r"[^a-z0-9]+", "-", wanted.casefold()).strip("-")[: _LONGEST_NAME - 4].strip("-")
    slug = slug or "imported"
    number, name = 2, slug
    while name in used:
        name, number = f"{slug}-{number}", number + 1
    used.add(name)
    return name


def summary(imported: Imported) -> str:
    """Say what was imported: `2 policies, 3 shares as DSM treats them today`."""
    parts = [counted(imported.policies, "policy", "policies")]
    if imported.shares:
        parts.append(counted(imported.shares, "share"))
    if imported.luns:
        parts.append(counted(imported.luns, "LUN"))
    return ", ".join(parts) + (" as DSM treats them today" if imported.policies else "")
