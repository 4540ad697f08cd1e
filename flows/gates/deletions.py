"""Deletions of what the same release still uses: the org would refuse them, after everything else was deployed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding
from flows.gates.reading import raw
from flows.gates.references import Reference, mentions, place_of, references, stems_of
from orgs.federation import Federation, Org

_SHOWN = 5


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge what a plan deletes by what the release goes on naming; without a plan nobody knows what is deleted."""
    targets = frozenset(key for key in facts.deletes or () if _is_ours(key) and key not in bundle.components)
    if not targets:
        return
    named = stems_of(targets)
    for component in bundle.components.values():
        text = component.key.full_name.encode() + b"\n" + raw(component)
        if mentions(text, named):
            yield from _judge(component, references(component, targets))


def _judge(component: Component, found: Sequence[Reference]) -> Iterator[Finding]:
    for one in found:
        if not one.goes:
            yield finding("K78.still-used", component.key, place_of(component, one), target=one.target)
    # A profile names every field: one finding for all of its entries.
    if fall := [one for one in found if one.goes]:
        names = ", ".join(str(one.target) for one in fall[:_SHOWN]) + (", …" if len(fall) > _SHOWN else "")
        yield finding("K78.entry-falls", component.key, place_of(component, fall[0]), count=len(fall), names=names)


def _is_ours(key: ComponentKey) -> bool:
    """Return whether it is gone once it is deleted: a standard object or field stays."""
    return key.type not in ("CustomObject", "CustomField") or key.full_name.rpartition(".")[2].count("__") > 0
