"""Safety of metadata, in every edition: ids, secrets, rights over all data, guests, deletions that lose data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.gates.apex import is_test
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding, unknown
from flows.gates.reading import children, components_of, is_true, lines_of, place_of, raw, value, xml_of
from kit.problems import Place
from kit.yamlfile import read_yaml
from orgs.federation import Federation, Org

TABLE_FILE = Path(__file__).with_name("safety.yml")
_TAKEN_FOR_ASCII = "İıſ"  # letters that a pattern takes for i and s where it doesn't tell cases apart; lower() doesn't
_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@cache
def table() -> dict[str, Any]:
    """Return the dated lists and shapes."""
    data: dict[str, Any] = read_yaml(TABLE_FILE).data
    return data


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge what no org should get, whatever its edition."""
    for component in bundle.components.values():
        text = raw(component).decode("utf-8", "replace")
        test = is_test(component)
        if not test and _id_shape().search(text):
            yield from _ids(component)
        if any(shape.fits(text) for shape in _secret_shapes()):
            yield from _secrets(component, test=test)
    yield from _rights(bundle)
    yield from _guests(bundle)
    yield from _deletions(org, facts)


def is_record_id(text: str) -> bool:
    """Return whether `text` is a record id: known prefix, and for 18 characters the check of the first 15.

    Of 15 characters, the seventh is 0 in ids as they are given out, and five digits are asked for, so that no name is
    taken for an id.
    """
    kinds = table()["id_prefixes"]
    if text[:3] not in kinds and text[:2] not in kinds:
        return False
    if len(text) == 18:
        return id_check(text[:15]) == text[15:]
    return len(text) == 15 and text[6] == "0" and sum(letter.isdigit() for letter in text) >= 5


def id_check(text: str) -> str:
    """Return the three letters that make an id of 15 characters one of 18: which of its letters are capitals."""
    chunks = (text[at : at + 5] for at in (0, 5, 10))
    return "".join(
        _CHECK_LETTERS[sum(1 << at for at, letter in enumerate(chunk) if "A" <= letter <= "Z")] for chunk in chunks
    )


def _ids(component: Component) -> Iterator[Finding]:
    kinds = table()["id_prefixes"]
    for place, line in lines_of(component, code=True):
        for match in _id_shape().finditer(line):
            one = match[1]
            if is_record_id(one):
                kind = kinds.get(one[:3]) or kinds[one[:2]]
                yield finding("K70.hard-coded-id", component.key, place, id=one, kind=kind)


def _secrets(component: Component, *, test: bool) -> Iterator[Finding]:
    assigned = table()["assigned"]
    for place, line in lines_of(component, code=True):
        for shape in _secret_shapes():
            if shape.fits(line) and not (test and shape.entry is assigned):
                yield finding("K71.secret", component.key, place, kind=shape.entry["kind"], kind_zh=shape.entry["zh"])
                break


def _rights(bundle: Bundle) -> Iterator[Finding]:
    for component in components_of(bundle, "PermissionSet", "Profile", "MutingPermissionSet"):
        own = component.key.type == "Profile" and component.key.full_name in table()["own_profiles"]
        if own or component.key.type == "MutingPermissionSet":
            continue
        root = xml_of(component)
        for entry in children(root, "userPermissions"):
            right = value(entry, "name")
            if right in table()["all_data"] and is_true(entry, "enabled"):
                yield finding("K73.all-data", component.key, place_of(component, f"<name>{right}<"), right=right)
        for entry in children(root, "objectPermissions"):
            for right in table()["all_records"]:
                if is_true(entry, right):
                    name = value(entry, "object")
                    place = place_of(component, f"<object>{name}<")
                    yield finding("K73.all-records", component.key, place, right=right, object=name)


def _guests(bundle: Bundle) -> Iterator[Finding]:
    for component in components_of(bundle, "SharingGuestRule"):
        access = value(xml_of(component), "accessLevel") or "-"
        yield finding("K72.sharing-rule", component.key, component.source, access=access)
    for component in components_of(bundle, "CustomObject"):
        model = value(xml_of(component), "externalSharingModel")
        if model in table()["outside_models"]:
            place = place_of(component, "<externalSharingModel>")
            name = component.key.full_name
            yield finding("K72.outside-model", component.key, place, model=model, object=name)
    for component in components_of(bundle, "Network"):
        root = xml_of(component)
        for setting in table()["guest_settings"]:
            if is_true(root, setting):
                yield finding("K72.site-setting", component.key, place_of(component, setting), setting=setting)


def _deletions(org: Org, facts: Facts) -> Iterator[Finding]:
    """Yield what a plan deletes with data in it; without a plan, what overlays leave out that may hold data."""
    safe = {*facts.org.empty_components, *facts.org.exported_components}
    places: dict[ComponentKey, Place] = {removal.key: removal.place for removal in facts.removals}
    keys = facts.deletes if facts.deletes is not None else tuple(places)
    for key in keys:
        if key.type not in table()["data_types"] or str(key) in safe:
            continue
        if facts.deletes is None:
            fact = f"whether {org.name} has data in it"
            where, zh = "--facts (empty_components, exported_components), or a plan", f"{org.name} 中该组件是否有数据"
            yield unknown("K76", key, places[key], fact, where, zh, where.replace(", or a plan", " 或计划"))
        else:
            yield finding("K76.data-lost", key, places.get(key))


@cache
def _id_shape() -> re.Pattern[str]:
    # What stands before is looked at after the prefix has fitted: a pattern that begins with letters is searched for
    # by them, where one that begins with a look behind is tried everywhere.
    prefixes = sorted(table()["id_prefixes"])
    starts = "|".join(rf"{re.escape(prefix)}(?<![\w-]{'.' * len(prefix)})" for prefix in prefixes)
    return re.compile(rf"((?:{starts})(?:[A-Za-z0-9]{{12,13}}|[A-Za-z0-9]{{15,16}}))(?![\w-])")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a secret looks like: a pattern, and words, in lower case, one of which stands in all that it fits."""

    pattern: re.Pattern[str]
    entry: dict[str, Any]
    words: tuple[str, ...] = ()

    def fits(self, text: str) -> bool:
        """Return whether the pattern is found in `text`. Words are looked for first: a pattern that doesn't tell cases
        apart is tried at every letter, which takes some twenty times as long."""
        return (not self.words or _may_hold(text, self.words)) and bool(self.pattern.search(text))


def _may_hold(text: str, words: tuple[str, ...]) -> bool:
    folded = text.lower()
    return any(word in folded for word in words) or any(letter in text for letter in _TAKEN_FOR_ASCII)


@cache
def _secret_shapes() -> list[Shape]:
    entries = (*table()["secrets"], table()["assigned"])
    return [Shape(re.compile(entry["pattern"]), entry, tuple(entry.get("words", ()))) for entry in entries]
