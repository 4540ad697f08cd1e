"""Profiles and permission sets: which of their entries a retrieve gives, and which a deploy leaves alone.

The rules and their sources are in `access.json`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

from emulators.salesforce.metadata.components import Key
from emulators.salesforce.metadata.package import Incoming
from emulators.salesforce.metadata.references import references
from emulators.salesforce.metadata.xmlform import canonical, elements, local, text


def is_cut(kind: str, version: int | None) -> bool:
    """Return whether a retrieve gives only what a component of this type says of others in the same retrieve."""
    whole_from = int(_table()["permission_sets_whole_from"])
    return kind == "Profile" or (kind == "PermissionSet" and version is not None and version < whole_from)


def cut(key: Key, root: etree._Element, together: Collection[Key]) -> bytes:
    """Return a profile or permission set without its entries for components that are not retrieved `together`.

    A field or record type counts as retrieved when its object is.
    """
    for reference in references(key, root, {}):
        entry = reference.element
        while entry is not None and local(entry) != reference.removed:
            entry = entry.getparent()
        if not reference.removed or entry is None or entry.getparent() is None:
            continue
        target = reference.target
        owner = Key("CustomObject", target.full_name.partition(".")[0])
        if target not in together and not (target.type in ("CustomField", "RecordType") and owner in together):
            root.remove(entry)
    return canonical(root)


def over(held: etree._Element, coming: Incoming) -> Incoming:
    """Return a profile as an org keeps it: the entries that come laid over those that it holds.

    Of login hours and login ranges, which are lists of values, those that come replace all. Empty login hours take them
    away.
    """
    assert coming.element is not None
    result = copy.deepcopy(coming.element)
    for each in list(elements(result)):
        if local(each) in _table()["removed_when_empty"] and not len(each):
            result.remove(each)
    brought = {_identity(each) for each in elements(coming.element)}
    for each in elements(held):
        if _identity(each) not in brought:
            result.append(copy.deepcopy(each))
    return replace(coming, files={next(iter(coming.files)): canonical(result)})


def _identity(entry: etree._Element) -> tuple[str, ...]:
    """Return what tells an entry from others: its name, and what it is about; lists of values come whole."""
    about = [text(entry, name) for name in _table()["entries"].get(local(entry), ())]
    if local(entry) == "layoutAssignments":
        about[0] = about[0].partition("-")[0]
    return (local(entry), *about)


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads((files(__package__) / "access.json").read_text("utf-8"))
    return table
