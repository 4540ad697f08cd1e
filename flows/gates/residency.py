"""Residency: every host that a China org can send to is in the mainland, or in the register for what it gets."""

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
from flows.gates.finding import Finding, finding, unknown
from flows.gates.reading import children, components_of, hosts_of, lines_of, value, values, xml_of
from kit.yamlfile import read_yaml
from orgs.crossborder import DataClass, Register, Transfer, covers
from orgs.editions import Edition, rules_of
from orgs.federation import Federation, Org

TABLE_FILE = Path(__file__).with_name("residency.yml")
INTEGRATIONS = (
    "NamedCredential",
    "ExternalCredential",
    "ExternalServiceRegistration",
    "ExternalDataSource",
    "AuthProvider",
    "RemoteSiteSetting",
    "CspTrustedSite",
    "CorsWhitelistOrigin",
    "RedirectWhitelistUrl",
    "ConnectedApp",
    "WebLink",
    "WorkflowOutboundMessage",
)
CODE = ("ApexClass", "ApexTrigger", "ApexPage", "ApexComponent", "AuraDefinitionBundle", "LightningComponentBundle")
_MERGE_FIELD = re.compile(r"\{!\s*(\w+)\.(\w+)\s*\}")
_PATTERN_HOST = re.compile(r"^(?:https?://)?(\*\.[\w.-]+)")


@cache
def table() -> dict[str, Any]:
    """Return the dated patterns."""
    data: dict[str, Any] = read_yaml(TABLE_FILE).data
    return data


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge the hosts and the classification of what goes to a China org."""
    if org.edition is not Edition.ALIBABA:
        return
    own = rules_of(org.edition).domains
    for component in components_of(bundle, *INTEGRATIONS, *CODE):
        if _is_test(component):
            continue
        seen: set[str] = set()
        for place, host, address in (*hosts_of(component), *_patterns(component)):
            if host in seen or any(host == domain or host.endswith(f".{domain}") for domain in own):
                continue
            seen.add(host)
            if facts.register.is_mainland(host):
                continue
            transfers = _transfers(facts.register, org, host)
            if not transfers:
                yield finding("R01.undeclared-host", component.key, place, host=host, address=address, org=org.name)
                continue
            declared = [transfer.data_classes for transfer in transfers]
            if None in declared:
                yield unknown("R01", component.key, place, f"data_classes ({host})", facts.register_file.name)
                continue
            allowed = {kind for classes in declared for kind in classes or ()}
            for field, kind in _fields_sent(component, bundle, transfers):
                if kind is None:
                    yield unknown("K30", component.key, place, f"classification of {field}", place.file)
                elif kind not in allowed:
                    yield finding(
                        "R15.class-not-declared", component.key, place, host=host, field=field, kind=kind.value
                    )
    yield from _mail(bundle, org, facts)
    yield from _classification(bundle)


def class_of(bundle: Bundle, field: str) -> DataClass | None:
    """Return what a field (Object.Field) holds by its classification; None when the bundle doesn't say."""
    component = bundle.components.get(ComponentKey("CustomField", field))
    root = xml_of(component) if component else None
    if root is None:
        return None
    if "PII" in value(root, "complianceGroup").split(";"):
        restricted = value(root, "securityClassification") in table()["sensitive_classifications"]
        return DataClass.SENSITIVE if restricted else DataClass.PERSONAL
    return None if _looks_personal(field, root) else DataClass.BUSINESS


def _transfers(register: Register, org: Org, host: str) -> list[Transfer]:
    mine = register.transfers_of(org.name)
    return [transfer for transfer in mine if any(covers(pattern, host) for pattern in transfer.hosts)]


def _fields_sent(
    component: Component, bundle: Bundle, transfers: list[Transfer]
) -> Iterator[tuple[str, DataClass | None]]:
    fields: set[str] = {field for transfer in transfers for field in transfer.fields}
    whole = {name for transfer in transfers for name in transfer.objects}
    if component.key.type == "WorkflowOutboundMessage":
        root = xml_of(component)
        owner = component.key.full_name.partition(".")[0]
        fields |= {f"{owner}.{name}" for name in values(root, "fields") if name.endswith("__c")}
    text = "\n".join(line for _, line in lines_of(component))
    fields |= {f"{owner}.{name}" for owner, name in _MERGE_FIELD.findall(text) if name.endswith("__c")}
    for key in bundle.components:
        if key.type == "CustomField" and key.full_name.partition(".")[0] in whole:
            fields.add(key.full_name)
    for field in sorted(fields):
        yield field, class_of(bundle, field)


def _patterns(component: Component) -> Iterator[tuple[Any, str, str]]:
    """Yield hosts that are written with a wildcard or without a scheme, which no address matcher finds."""
    if component.key.type not in ("CorsWhitelistOrigin", "CspTrustedSite", "RedirectWhitelistUrl"):
        return
    for name in ("urlPattern", "endpointUrl", "url"):
        for text in values(xml_of(component), name):
            match = _PATTERN_HOST.match(text)
            if match:
                yield component.source, match[1].lower(), text


def _mail(bundle: Bundle, org: Org, facts: Facts) -> Iterator[Finding]:
    for component in components_of(bundle, "WorkflowAlert", "EmailServicesFunction"):
        root = xml_of(component)
        addresses = values(root, "ccEmails") + values(root, "authorizedSenders") + values(root, "errorRoutingAddress")
        for address in (part for text in addresses for part in re.split(r"[\s,;]+", text) if "@" in part):
            host = address.rpartition("@")[2].lower()
            if not facts.register.is_mainland(host) and not _transfers(facts.register, org, host):
                yield finding("R01.undeclared-mail", component.key, component.source, domain=host, org=org.name)


def _classification(bundle: Bundle) -> Iterator[Finding]:
    for component in components_of(bundle, "CustomField"):
        owner = component.key.full_name.partition(".")[0]
        if owner.endswith(tuple(table()["classified_objects_without"])):
            continue
        root = xml_of(component)
        if root is None:
            continue
        personal = "PII" in value(root, "complianceGroup").split(";")
        if not personal and _looks_personal(component.key.full_name, root):
            yield finding("K30.unclassified", component.key, component.source)
        elif personal and not value(root, "securityClassification"):
            yield finding("K30.no-level", component.key, component.source)


def _looks_personal(field: str, root: etree._Element) -> bool:
    if children(root, "formula") or value(root, "complianceGroup"):
        return False
    kind = value(root, "type")
    if kind in table()["personal_types"]:
        return True
    name = field.partition(".")[2]
    return kind in ("Text", "TextArea", "LongTextArea", "Date") and bool(re.search(table()["personal_names"], name))


def _is_test(component: Component) -> bool:
    """Return whether the component is an Apex test class: those make no callouts."""
    return component.key.type == "ApexClass" and any(
        re.match(r"(?i)\s*@istest\b", line) for _, line in lines_of(component, code=True)
    )
