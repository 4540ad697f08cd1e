"""What fields hold by their classification: business data, personal information, or sensitive personal information."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding
from flows.gates.reading import children, components_of, value, xml_of
from kit.yamlfile import read_yaml
from orgs.crossborder import DataClass
from orgs.editions import Edition
from orgs.federation import Federation, Org

TABLE_FILE = Path(__file__).with_name("classification.yml")


@cache
def table() -> dict[str, Any]:
    """Return the dated mapping of classifications to data classes, and the patterns."""
    data: dict[str, Any] = read_yaml(TABLE_FILE).data
    return data


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge whether the fields that go to a China org say what they hold."""
    if org.edition is not Edition.ALIBABA:
        return
    for component in components_of(bundle, "CustomField"):
        if not _holds_records(component):
            continue
        root = xml_of(component)
        if root is None:
            continue
        if not _groups(root) and _looks_personal(component.key.full_name, root):
            yield finding("K30.unclassified", component.key, component.source)
        elif _is_personal(root):
            yield from _level(component, root)


def class_of(bundle: Bundle, field: str) -> DataClass | None:
    """Return what a field (Object.Field) holds by its classification; None when the bundle doesn't say."""
    component = bundle.components.get(ComponentKey("CustomField", field))
    root = xml_of(component) if component else None
    if root is None:
        return None
    if _is_personal(root):
        return DataClass.SENSITIVE if _is_sensitive(root) else DataClass.PERSONAL
    return None if _looks_personal(field, root) else DataClass.BUSINESS


def sensitive_of(bundle: Bundle) -> dict[str, Component]:
    """Return the objects that have a sensitive field, each with the first one."""
    found: dict[str, Component] = {}
    for component in components_of(bundle, "CustomField"):
        if _holds_records(component) and _classified(component) and _is_sensitive(xml_of(component)):
            found.setdefault(component.key.full_name.partition(".")[0], component)
    return found


def minors_of(bundle: Bundle) -> frozenset[str]:
    """Return the objects that have a field about children (complianceGroup COPPA)."""
    groups = set(table()["minors"])
    return frozenset(
        component.key.full_name.partition(".")[0]
        for component in components_of(bundle, "CustomField")
        if _classified(component) and _groups(xml_of(component)) & groups
    )


def _level(component: Component, root: etree._Element) -> Iterator[Finding]:
    level = value(root, "securityClassification")
    if not level:
        yield finding("K30.no-level", component.key, component.source)
        return
    name = component.key.full_name.partition(".")[2]
    hint = re.search(table()["sensitive_names"], name)
    if hint and level in table()["low_classifications"]:
        texts = {"field": component.key.full_name, "hint": hint[0], "level": level}
        yield finding("R18.level-too-low", component.key, component.source, **texts)


def _classified(component: Component) -> bool:
    data = component.fragment.xml if component.fragment else b"".join(file.data for file in component.files)
    return b"<complianceGroup>" in data


def _groups(root: etree._Element | None) -> set[str]:
    return {group.strip() for group in value(root, "complianceGroup").split(";") if group.strip()}


def _is_personal(root: etree._Element | None) -> bool:
    return bool(_groups(root) & {*table()["personal_groups"], *table()["sensitive_groups"]})


def _is_sensitive(root: etree._Element | None) -> bool:
    if _groups(root) & set(table()["sensitive_groups"]):
        return True
    return _is_personal(root) and value(root, "securityClassification") in table()["sensitive_classifications"]


def _holds_records(component: Component) -> bool:
    owner = component.key.full_name.partition(".")[0]
    return not owner.endswith(tuple(table()["classified_objects_without"]))


def _looks_personal(field: str, root: etree._Element) -> bool:
    if children(root, "formula") or value(root, "complianceGroup"):
        return False
    kind = value(root, "type")
    if kind in table()["personal_types"]:
        return True
    name = field.partition(".")[2]
    return kind in ("Text", "TextArea", "LongTextArea", "Date") and bool(re.search(table()["personal_names"], name))
