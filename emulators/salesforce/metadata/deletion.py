"""Destructive changes: what may go, what goes with it, and what stands in the way.

Source: Metadata API Developer Guide, "Deleting Components from an Organization" (excerpt read 2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from lxml import etree

from emulators.salesforce.metadata.components import Key
from emulators.salesforce.metadata.messages import DeployMessage, error, warning
from emulators.salesforce.metadata.package import Incoming, Member
from emulators.salesforce.metadata.state import OrgState
from emulators.salesforce.metadata.types import type_table
from emulators.salesforce.metadata.xmlform import canonical, fragment, local


def delete_all(
    state: OrgState, listed: Iterable[tuple[str, Member]], *, ignore_warnings: bool
) -> Iterator[DeployMessage]:
    """Take the listed components out of `state`, as far as nothing stands in the way, and yield what happened.

    Those of one list may name each other. Entries that only mention a component (a layout's item, a permission)
    go with it; anything else that names it stands in the way.
    """
    listed = list(listed)
    batch: set[Key] = set()
    for _, member in listed:
        if state.holds(member.key):
            batch |= {member.key, *_goes_along(state, member.key)}
    referrers = _referrers(state, batch)
    for path, member in listed:
        yield _delete_one(state, path, member, batch, referrers, ignore_warnings=ignore_warnings)


def _delete_one(
    state: OrgState,
    path: str,
    member: Member,
    batch: set[Key],
    referrers: dict[Key, set[Key]],
    *,
    ignore_warnings: bool,
) -> DeployMessage:
    key = member.key
    if not type_table().knows(key.type):
        return error(key, path, f"Unknown type name '{key.type}' specified in {_name(path)}", member.line)
    if key.full_name == "*":
        return error(key, path, f"Wildcard (*) is not supported in {_name(path)}", member.line)
    if not state.holds(key):
        if key in state.gone:
            return DeployMessage(path, key.full_name, key.type, deleted=True, changed=True)
        return warning(key, path, f"No {key.type} named: {key.full_name} found", ignored=ignore_warnings)
    if key in state.held and state.held[key].standard:
        return error(
            key, path, f"Cannot delete {_spaced(key.type).lower()} {key.full_name}: it is standard", member.line
        )
    going = {key, *_goes_along(state, key)}
    blockers: list[Key] = []
    entries: list[tuple[Key, Key]] = []
    for target in sorted(going):
        for referrer in sorted(referrers.get(target, ())):
            if referrer in batch or not state.holds(referrer):
                continue
            ways = [way for way in state.references(referrer) if way.target == target]
            if all(way.removed for way in ways):
                entries.append((referrer, target))
            else:
                blockers.append(referrer)
    if blockers:
        users = ", ".join(f"{_spaced(user.type)} - {user.full_name}" for user in dict.fromkeys(blockers))
        what = _spaced(key.type).lower()
        why = f"This {what} is referenced elsewhere in salesforce.com. Remove the usage and try again. : {users}."
        return error(key, path, why, member.line)
    for referrer, target in entries:
        _strip(state, referrer, target)
    for each in going:
        state.remove(each)
    held = state.held.get(key)
    return DeployMessage(path, key.full_name, key.type, id=held.id if held else "", deleted=True, changed=True)


def _goes_along(state: OrgState, key: Key) -> list[Key]:
    """Return what an org deletes together with a component: its children, and the layouts of an object."""
    kind = type_table().types.get(key.type)
    if kind is None or not kind.children:
        return []
    own = set(kind.children.values())
    dot, dash = f"{key.full_name}.", f"{key.full_name}-"
    return [
        other
        for other in state.all_keys()
        if (other.type in own and (kind.children_named_alone or other.full_name.startswith(dot)))
        or (key.type == "CustomObject" and other.type == "Layout" and other.full_name.startswith(dash))
    ]


def _referrers(state: OrgState, targets: set[Key]) -> dict[Key, set[Key]]:
    found: dict[Key, set[Key]] = {}
    for key in state.all_keys():
        for target in state.targets(key):
            if target in targets and target != key:
                found.setdefault(target, set()).add(key)
    return found


def _strip(state: OrgState, referrer: Key, target: Key) -> None:
    """Take the entries that name `target` out of a component's content."""
    root = state.element(referrer)
    if root is None:
        return
    for way in state.references(referrer):
        spot: etree._Element | None = way.element
        if way.target != target or spot is None:
            continue
        while spot is not None and local(spot) != way.removed:
            spot = spot.getparent()
        if spot is not None and (above := spot.getparent()) is not None:
            above.remove(spot)
            root = above.getroottree().getroot() if referrer not in state.incoming else root
    coming = state.incoming.get(referrer)
    held = state.held.get(referrer)
    parent = coming.parent if coming else held.parent if held else None
    path = next(iter(coming.files if coming else held.files if held else {}))
    children = type_table().types[referrer.type].children if parent is None else ()
    data = fragment(root).encode() if parent else canonical(root, children)
    if coming:
        state.add(replace(coming, files={path: data}))
    else:
        state.add(Incoming(referrer, path, {path: data}, root, b"", parent))


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
