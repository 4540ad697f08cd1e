"""The presets of `sfdx-project.json`, which lay some types out in more files than usual.

What a component is, and what package.xml calls it, they don't change: the bundle of a project is the same with and
without them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from flows.metadata_types import ChildType, MetadataType, TypeTable, metadata_types, table_of, type_of

PRESETS = Path(__file__).with_name("metadata_presets.json")


@cache
def presets() -> Mapping[str, tuple[MetadataType, ...]]:
    """Return the presets that Salesforce publishes: by name, the types that each lays out otherwise."""
    data = json.loads(PRESETS.read_text(encoding="utf-8"))
    return {name: tuple(type_of(entry) for entry in types) for name, types in data["presets"].items()}


def laid_out_by(types: Iterable[MetadataType], suffixes: Mapping[str, str] | None = None) -> TypeTable:
    """Return the table of types with these in place of those of the same name; of several, the last one counts.

    `suffixes` (suffix → name of a type) say which type is meant where several share one.
    """
    usual = metadata_types()
    own = {kind.name: _as_the_api_has_it(kind, usual.by_name.get(kind.name)) for kind in types}
    if not own:
        return usual
    kept = [kind for kind in usual.types if kind.name not in own]
    meant = {**usual.suffixes, **(suffixes or {})}
    return table_of([*kept, *own.values()], meant, usual.source, usual.as_of, usual.api_version)


def _as_the_api_has_it(kind: MetadataType, usual: MetadataType | None) -> MetadataType:
    """Return a type with the names that package.xml knows: they don't depend on how the source is laid out."""
    if usual is None:
        return kind
    known = {child.name: child for child in usual.children}
    children = tuple(_named_as(child, known.get(child.name, child)) for child in kind.children)
    if kind.has_loose_children:
        children = usual.children
    return kind._replace(children=children, fixed_name=usual.fixed_name)


def _named_as(child: ChildType, usual: ChildType) -> ChildType:
    return child._replace(addressable=usual.addressable, bare_name=usual.bare_name)
