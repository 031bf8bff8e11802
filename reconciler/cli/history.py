"""A target's saved history, as the run forward of a policy begins with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.errors import UserError
from reconciler.observed import read as read_saved
from reconciler.planning.future import present
from reconciler.planning.reading import read
from reconciler.planning.situation import Desired
from reconciler.planning.unit import Wish, holds_on, situate
from reconciler.policy.select import owner
from reconciler.wording import counted, moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.cli.settings import Settings
    from reconciler.forward.rules import Present
    from reconciler.model import Instant, Kind, Observation, ObservedTarget
    from reconciler.policy.model import Policy, PolicySet


@dataclass(frozen=True, slots=True)
class History:
    """What a target held at `now`; `words` says so for people."""

    kind: Kind
    present: tuple[Present, ...]
    now: Instant
    words: str


def history_of(
    settings: Settings, policies: PolicySet, policy: Policy, *, file: str, target: str | None
) -> History:
    """Return the history of the one saved target that the policy owns, or of the one named.

    Raises UserError where the file is no saved observation, a usage error where no target fits, or
    several do.
    """
    try:
        saved = read_saved(Path(file).read_text(encoding="utf-8"), file)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read as a saved observation") from error
    known = {unit.name: unit for unit in settings.configuration.units}
    found: list[tuple[str, Wish, Observation, ObservedTarget]] = []
    for one in saved:
        unit = known.get(one.name) or one.unit(file)
        wish = Wish(
            policies, unit, settings.configuration.brakes,
            installation=settings.configuration.installation,
            only_unit=len(known) == 1,
        )  # fmt: skip
        found += [
            (f"{one.name}/{t.kind}/{t.name}", wish, one.observation, t)
            for t in _owned(wish, policy, one.observation)
        ]
    fitting = [one for one in found if target is None or _fits(target, one[0])]
    if len(fitting) != 1:
        names = ", ".join(name for name, *_ in (fitting or found)[:5]) or "none"
        what = "several targets" if fitting else "no target"
        raise click.UsageError(
            f"{what} of policy `{policy.name}` in {file}: {names}; name one with --target"
        )
    return _history(policy, *fitting[0])


def _owned(wish: Wish, policy: Policy, observed: Observation) -> Iterator[ObservedTarget]:
    for target in observed.targets:
        owned = owner(
            wish.policies, wish.unit, target.kind, target.name, target.uuid,
            only_unit=wish.only_unit,
        )  # fmt: skip
        if owned.policy == policy and target.snapshots is not None:
            yield target


def _fits(text: str, name: str) -> bool:
    whole, wanted = name.casefold(), text.strip("/").casefold()
    return whole == wanted or whole.endswith(f"/{wanted}")


def _history(
    policy: Policy, name: str, wish: Wish, observed: Observation, target: ObservedTarget
) -> History:
    at = wish.zone_of(policy.timezone)
    desired = Desired(policy, at, holds_on(wish, target))
    members = present(read(target, desired, situate(wish, observed)))
    when = moment(observed.now, at, year=True)
    words = f"begun with the {counted(len(members), 'snapshot')} of {name} of {when}"
    return History(target.kind, members, observed.now, words)
