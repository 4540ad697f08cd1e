"""What a preview will do, in plain words: by component, with what is dangerous first. Values are never shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra.policy.keeping import STATE
from infra.policy.model import Resource
from infra.policy.preview import Step


class Does(StrEnum):
    """What happens to a resource."""

    CREATES = "creates"
    UPDATES = "updates"
    REPLACES = "replaces"
    DELETES = "deletes"
    FORGETS = "forgets"


# A replacement comes as several steps, of which one is enough; what changes nothing is not told.
TOLD = {
    "create": Does.CREATES,
    "import": Does.CREATES,
    "update": Does.UPDATES,
    "replace": Does.REPLACES,
    "create-replacement": Does.REPLACES,
    "import-replacement": Does.REPLACES,
    "delete": Does.DELETES,
    "discard": Does.FORGETS,
}
ADDRESSES = frozenset({"ecs.EipAddress", "ecs.EipAssociation", "vpc.NatGateway", "vpc.SnatEntry"})


@dataclass(frozen=True)
class Change:
    """What happens to one resource; property paths are the wire's, `dependents` are logical names."""

    does: Does
    kind: str
    name: str
    component: str
    changed: tuple[str, ...]
    replaced_by: tuple[str, ...]
    dependents: tuple[str, ...]
    danger: str

    def as_json(self) -> dict[str, object]:
        """Return the change as plain data."""
        return {
            "does": self.does.value,
            "type": self.kind,
            "name": self.name,
            "component": self.component,
            "changed": list(self.changed),
            "replaced_by": list(self.replaced_by),
            "dependents": list(self.dependents),
            "danger": self.danger,
        }


def changes(steps: Sequence[Step]) -> list[Change]:
    """Return what the steps do, each resource once, by component and then in the engine's order."""
    told: dict[str, Change] = {}
    for step in steps:
        if step.op in TOLD and step.urn not in told and step.state.get("custom", True):
            told[step.urn] = _change(step, steps)
    return sorted(told.values(), key=lambda change: change.component)


def as_text(found: Sequence[Change]) -> str:
    """Return the changes for a terminal."""
    lines = [_summary(found)]
    lines += [f"! DANGER: {change.kind} {change.name}: {change.danger}" for change in found if change.danger]
    for component, group in _by_component(found):
        lines += ["", component]
        lines += [f"  {change.does} {change.kind} {change.name}{_why(change, str)}" for change in group]
    return "\n".join(lines)


def as_markdown(found: Sequence[Change]) -> str:
    """Return the changes for a merge request."""
    lines = ["### What this change does to the cloud", "", _summary(found)]
    dangers = [change for change in found if change.danger]
    if dangers:
        lines += ["", "> **Danger**"]
        lines += [f"> - **{change.kind} `{change.name}`**: {change.danger}" for change in dangers]
    for component, group in _by_component(found):
        lines += ["", f"#### {component}", ""]
        for change in group:
            mark = "⚠️ " if change.danger else ""
            lines.append(f"- {mark}{change.does} {change.kind} `{change.name}`{_why(change, _code)}")
    return "\n".join(lines)


def _change(step: Step, steps: Sequence[Step]) -> Change:
    does = TOLD[step.op]
    kind = Resource(str(step.state.get("type", "")), "", {}).kind
    touches = does is not Does.CREATES
    return Change(
        does,
        kind,
        _name(step.urn),
        _component(str(step.state.get("parent", ""))),
        step.changed if touches else (),
        step.replaced_by if does is Does.REPLACES else (),
        tuple(_dependents(step.urn, steps)) if does in (Does.REPLACES, Does.DELETES) else (),
        _danger(does, kind, bool(step.old.get("protect"))),
    )


def _danger(does: Does, kind: str, protected: bool) -> str:
    if does not in (Does.REPLACES, Does.DELETES):
        return ""
    reasons = []
    if kind in STATE:
        reasons.append("it bears state that can't be made again")
    if kind in ADDRESSES:
        reasons.append("the orgs trust the addresses that traffic leaves by; new ones must be allowed there first")
    if protected:
        reasons.append("it is protected, so the engine will refuse")
    return "; ".join(reasons)


def _dependents(urn: str, steps: Sequence[Step]) -> Iterator[str]:
    """Yield the logical names of what depends on a resource, before or after, each once."""
    seen = set()
    for step in steps:
        needs = {*_needs(step.old), *_needs(step.new)}
        if urn in needs and step.urn not in seen:
            seen.add(step.urn)
            yield f"{Resource(str(step.state.get('type', '')), '', {}).kind} {_name(step.urn)}"


def _needs(state: Mapping[str, Any]) -> list[str]:
    return list(state.get("dependencies") or ())


def _component(parent: str) -> str:
    type_ = parent.split("::")[2].rpartition("$")[2] if parent.count("::") >= 3 else ""
    return _name(parent) if type_.startswith("sfoa:") else "stack"


def _name(urn: str) -> str:
    return urn.split("::", 3)[-1]


def _summary(found: Sequence[Change]) -> str:
    if not found:
        return "Nothing changes."
    counts = {does: sum(change.does is does for change in found) for does in Does}
    return ", ".join(f"{does} {count}" for does, count in counts.items() if count).capitalize() + "."


def _by_component(found: Sequence[Change]) -> list[tuple[str, list[Change]]]:
    names = dict.fromkeys(change.component for change in found)
    return [(name, [change for change in found if change.component == name]) for name in names]


def _code(path: str) -> str:
    return f"`{path}`"


def _why(change: Change, say: Any) -> str:
    parts = []
    if change.replaced_by:
        parts.append(f"forced by {', '.join(map(say, change.replaced_by))}")
    elif change.changed:
        parts.append(f"changes {', '.join(map(say, change.changed))}")
    if change.dependents:
        parts.append(f"on it depend {', '.join(map(say, change.dependents))}")
    return f": {'; '.join(parts)}" if parts else ""
