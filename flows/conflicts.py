"""Whether someone changed by hand, in the org, what a run is about to overwrite."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from flows.components import Component, ComponentKey
from flows.failures import PromotionFailed
from flows.plan import Plan, State
from kit.problems import Problem
from kit.yamlfile import read_yaml

RULES = Path(__file__).with_name("retrieve_rules.yml")


class Conflict(PromotionFailed):
    """The org holds components that were changed by hand, and nobody agreed to overwrite them."""


def conflicts_of(plan: Plan, held: State, now: Mapping[ComponentKey, Component]) -> dict[ComponentKey, str]:
    """Return what the plan touches of which the org holds something else than it gave back after the last success,
    and what happened to it. `held` is that, `now` what the org gives back now.

    What was never shipped, or never looked at, has nothing to be compared with. What is gone anyway may be deleted.
    """
    found = {}
    for key in (*plan.touched, *plan.deletes):
        if key not in held or key.type in _depends_on_context():
            continue
        if key not in now:
            if key not in plan.deletes:
                found[key] = "was deleted in the org by hand"
        elif now[key].digest != held[key]:
            found[key] = "was changed in the org by hand"
    return dict(sorted(found.items()))


def refuse_conflicts(conflicts: Mapping[ComponentKey, str], accepted: Collection[ComponentKey], org: str) -> None:
    """Raise `Conflict` with every conflict that isn't accepted."""
    left = {key: what for key, what in conflicts.items() if key not in accepted}
    if not left:
        return
    names = ",".join(map(str, left))
    raise Conflict(
        [
            Problem(
                f"{key}: {what}",
                "a run overwrites only what the kit itself brought to the org",
                f"bring the change home first, or agree to lose it: accept_overwrite {names}",
            )
            for key, what in left.items()
        ],
        f"{org} was changed by hand where this run would write: {len(left)} of its components. Nothing was deployed. "
        f"To overwrite them, name them: accept_overwrite {names}",
    )


@cache
def _depends_on_context() -> frozenset[str]:
    return frozenset(read_yaml(RULES).data["depends_on_what_else_is_retrieved"])
