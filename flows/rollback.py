"""The way back: the plan that undoes what was promoted since an entry of the ledger. Pure but for its data file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from flows import xmltext
from flows.bundle import Bundle, build_bundle
from flows.components import Component, ComponentKey
from flows.ledger import Entry, Event
from flows.plan import Plan, State, delete_order, state_digest, tests_for
from flows.snapshot import of_files
from kit.problems import Problem
from kit.yamlfile import read_yaml

TABLE = Path(__file__).with_name("irreversible.yml")
_HOURS = "loginHours"


@dataclass(frozen=True, slots=True)
class Undone:
    """A run to undo: its plan, the snapshot of what the org held before it, and the packages that it installed, as
    the ledger has them."""

    plan: Plan
    snapshot: Bundle
    packages: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Inverse:
    """The way back: `plan`, the `bundle` of what the org gets back, and in words what it can't get back."""

    plan: Plan
    bundle: Bundle
    losses: tuple[str, ...]


def changes_of(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries of runs that changed their org: successes, and what failed only after it was deployed."""
    return [each for each in entries if each.record.event is Event.SUCCEEDED or each.record.held]


def before_last(changes: Sequence[Entry]) -> int:
    """Return the success that the last of these changes came after; 0 when it is the first of all."""
    return max((each.sequence for each in changes[:-1] if each.record.event is Event.SUCCEEDED), default=0)


def inverse(runs: Sequence[Undone], shipped: State, held: State, *, org: str, production: bool) -> Inverse:
    """Return what undoes `runs` (oldest first, at least one) in an org that last received `shipped`, and gave back
    `held`, which is more when a release failed in verification.

    Of a component that several runs touched, what the org held before the first of them counts.
    """
    there = {*shipped, *held}
    before: dict[ComponentKey, Component | None] = {}
    for run in runs:
        for key in (*run.plan.touched, *run.plan.deletes, *run.snapshot.components):
            before.setdefault(key, run.snapshot.components.get(key))
    restored = [_with_hours(component) for component in before.values() if component]
    gone = [key for key, component in before.items() if component is None and key in there]
    stays = [key for key in gone if _is_standard(key)]
    version = max((run.snapshot.api_version for run in runs), key=float)
    bundle = build_bundle(restored, version)
    plan = Plan(
        org=org,
        bundle_digest=bundle.digest,
        base=state_digest(shipped),
        creates=tuple(key for key in bundle.components if key not in there),
        changes=tuple(key for key in bundle.components if key in there),
        deletes=delete_order(key for key in gone if key not in stays),
        tests=tests_for(restored, production=production),
    )
    installed = [
        f"package {each['name']} {each['version']}: it stays installed" for run in runs for each in run.packages
    ]
    standard = [f"{key}: standard, it stays as it is" for key in sorted(stays)]
    return Inverse(plan, bundle, (*_losses(plan), *standard, *installed))


def obstacles(org: str, target: int, changes: Sequence[Entry]) -> list[Problem]:
    """Return why `org`, with the entries of these changes, can't be taken back to how it was after entry `target`."""
    sequences = [entry.sequence for entry in changes if entry.record.event is Event.SUCCEEDED]
    undone = [entry for entry in changes if entry.sequence > target]
    there = f"it is one of {', '.join(map(str, [0, *sequences]))}; `sfoa ledger show --org {org}` lists them"
    if target not in {0, *sequences}:
        return [Problem(f"entry {target} of {org} is no success", "a rollback leads to how an org was", there)]
    if not undone:
        return [Problem(f"{org} is where entry {target} left it", "there is something to undo", there)]
    return [
        Problem(
            f"entry {entry.sequence} of {org} names no snapshot: it was written before the kit took any",
            "a rollback restores what a snapshot holds",
            "promote the bundle of the earlier release instead: the option bundle",
        )
        for entry in undone
        if not entry.record.snapshot
    ]


def _losses(plan: Plan) -> list[str]:
    """Return what the Metadata API can't undo, component by component."""
    table = _table()
    return [
        f"{key}: {table[what][key.type]}"
        for what, keys in (("restored", plan.creates), ("removed", sorted(plan.deletes)), ("changed", plan.changes))
        for key in keys
        if key.type in table[what]
    ]


def _with_hours(component: Component) -> Component:
    """Return a profile that restricts no login hours with the empty element that takes such a restriction away.

    What a deployed profile leaves out stays as the org has it. Metadata API Developer Guide, "Profile" (66.0, read
    2026-11-22): login hours are always retrieved, and an explicit empty `loginHours` deletes them. There is no such
    thing for login ranges: both addresses of one are required, and the Tooling API only reads profiles.
    """
    if component.key.type != "Profile":
        return component
    files = []
    for file in component.files:
        root = xmltext.parse(file.data).root
        if not any(xmltext.local_name(child) == _HOURS for child in root):
            etree.SubElement(root, f"{{{xmltext.NAMESPACE}}}{_HOURS}")
        files.append((file.path, etree.tostring(root, xml_declaration=True, encoding="UTF-8")))
    return of_files(component.key, files)


def _is_standard(key: ComponentKey) -> bool:
    return key.type in _table()["standard"] and not key.full_name.rpartition(".")[2].endswith(("__c", "__mdt", "__e"))


@cache
def _table() -> Mapping[str, Any]:
    data: Mapping[str, Any] = read_yaml(TABLE).data
    return data
