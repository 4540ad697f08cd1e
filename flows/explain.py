"""Why an org gets a component as it does: which layer and file won, what it replaced, who removed it and why. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flows.components import Component, ComponentKey
from flows.compose import Layer
from flows.drift import Element, compare_components
from flows.package import lay_out
from flows.patch import patched
from kit.problems import Place, Problem, Refused, refuse_if_any

_NEAREST = 3


class Step(StrEnum):
    """What a layer does to a component."""

    BRINGS = "brings"
    REPLACES = "replaces"
    PATCHES = "patches"
    REMOVES = "removes"


@dataclass(frozen=True, slots=True)
class Deed:
    """What one layer does to the component, and where it says so. `reason` is that of a removal. `by` is the
    component that `remove.yml` names: it, or the container that it went with. `changes` are the elements in which a
    replacement or a patched component differs from what was there; their places are in the file that had it."""

    layer: str
    step: Step
    place: Place
    reason: str = ""
    by: ComponentKey | None = None
    changes: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A component's way through the layers, in their order. `winner` is what the org gets, None if nothing.

    A patched component stays its layer's; what it was patched with stands in its `patches`."""

    key: ComponentKey
    deeds: tuple[Deed, ...]
    winner: Component | None


def explain(layers: Iterable[Layer], key: ComponentKey, org: str) -> Explanation:
    """Return how the layers of `org` come to the component `key`. Raises `Refused` with the nearest names when no
    layer holds it."""
    given = tuple(layers)
    deeds: list[Deed] = []
    current: Component | None = None
    for layer in given:
        for removal in layer.removals:
            if current and removal.key in (current.key, current.parent):
                deeds.append(Deed(layer.name, Step.REMOVES, removal.place, removal.reason, removal.key))
                current = None
        patch = next((component for component in layer.patches if component.key == key), None)
        if current and patch:
            base, (current, problems) = current, patched(current, patch)
            refuse_if_any(problems, "the layers don't fit")
            deeds.append(Deed(layer.name, Step.PATCHES, patch.source, changes=_changes(base, current)))
        brought = next((component for component in layer.components if component.key == key), None)
        if brought:
            step = Step.REPLACES if current else Step.BRINGS
            changes = _changes(current, brought) if current else ()
            deeds.append(Deed(layer.name, step, brought.source, changes=changes))
            current = brought
    if not deeds:
        raise Refused(_unknown(key, given, org))
    return Explanation(key, tuple(deeds), current)


def _changes(old: Component, new: Component) -> tuple[Element, ...]:
    drifted = compare_components([old], lay_out([new]).files)
    return drifted[0].elements if drifted else ()


def _unknown(key: ComponentKey, layers: Sequence[Layer], org: str) -> Problem:
    known = sorted({component.key for layer in layers for component in layer.components})
    names = [each.full_name for each in known if each.type == key.type]
    types = {each.type for each in known}
    here = ", ".join(layer.name for layer in layers)
    what = f"no layer of {org} holds {key}"
    rule = f"the layers of {org} are {here}"
    if names:
        near = difflib.get_close_matches(key.full_name, names, _NEAREST) or names[:_NEAREST]
        return Problem(what, rule, f"did you mean {' or '.join(f'{key.type} {name!r}' for name in near)}?")
    elsewhere = [each for each in known if each.full_name == key.full_name]
    if elsewhere:
        return Problem(what, rule, f"did you mean {elsewhere[0].type} {key.full_name!r}?")
    near = difflib.get_close_matches(key.type, sorted(types), 1)
    fix = f"did you mean the type {near[0]}?" if near else f"the types here are {', '.join(sorted(types))}"
    return Problem(what, rule, fix)
