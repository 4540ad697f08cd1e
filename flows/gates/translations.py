"""Orgs whose people read Chinese: labels, objects and fields without a zh_CN text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding
from flows.gates.reading import children, components_of, value, xml_of
from orgs.federation import Federation, Org

LANGUAGE = "zh_CN"
_SHOWN = 5  # names that a finding gives
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_NOT_SHOWN = ("__mdt", "__e", "__b", "__x")  # what people don't see in pages of records


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge whether an org of that language gets its texts."""
    if org.language != LANGUAGE:
        return
    yield from _labels(bundle)
    fields: dict[str, list[Component]] = {}
    for component in components_of(bundle, "CustomField"):
        owner = component.key.full_name.partition(".")[0]
        if not owner.endswith(_NOT_SHOWN):
            fields.setdefault(owner, []).append(component)
    for owner, its in fields.items():
        yield from _object(bundle, owner, its)


def _labels(bundle: Bundle) -> Iterator[Finding]:
    file = bundle.components.get(ComponentKey("Translations", LANGUAGE))
    done = {value(entry, "name") for entry in children(xml_of(file), "customLabels")} if file else set()
    missing = [
        label
        for label in components_of(bundle, "CustomLabel")
        if label.key.full_name not in done and not _is_chinese(label, "value")
    ]
    if missing:
        names = [label.key.full_name for label in missing]
        place = missing[0].source
        yield finding("K77.labels", f"Translations:{LANGUAGE}", place, count=len(names), names=_listed(names))


def _object(bundle: Bundle, owner: str, fields: Sequence[Component]) -> Iterator[Finding]:
    key = ComponentKey("CustomObjectTranslation", f"{owner}-{LANGUAGE}")
    file = bundle.components.get(key)
    if file is None and owner.endswith("__c"):
        if not all(_is_chinese(field, "label") for field in fields):
            yield finding("K77.object", f"CustomObject:{owner}", fields[0].source, object=owner)
        return
    done = {value(entry, "name") for entry in children(xml_of(file), "fields")} if file else set()
    names = [
        field.key.full_name.partition(".")[2]
        for field in fields
        if field.key.full_name.partition(".")[2] not in done and not _is_chinese(field, "label")
    ]
    if names:
        yield finding("K77.fields", key, fields[0].source, count=len(names), names=_listed(names))


def _is_chinese(component: Component, element: str) -> bool:
    root = xml_of(component)
    return value(root, "language") == LANGUAGE or bool(_CHINESE.search(value(root, element)))


def _listed(names: Sequence[str]) -> str:
    more = f", … (+{len(names) - _SHOWN})" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
