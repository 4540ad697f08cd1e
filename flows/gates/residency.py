"""Residency: every host that a China org can send to is in the mainland, or in the register for what it gets.

Besides addresses: mail, links from org to org, relays to clouds abroad, and reports that show too much to too many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from lxml import etree

from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.gates.classification import class_of
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding, unknown
from flows.gates.reading import children, components_of, hosts_of, lines_of, place_of, raw, value, values, xml_of
from orgs.crossborder import DataClass, Register, Transfer, covers
from orgs.editions import Edition, rules_of
from orgs.federation import Federation, Org

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
    "ExternalClientApplication",
    "ExtlClntAppOauthSettings",
    "ExternalDataConnector",
    "PlatformEventChannel",
    "WebLink",
    "WorkflowOutboundMessage",
)
CODE = ("ApexClass", "ApexTrigger", "ApexPage", "ApexComponent", "AuraDefinitionBundle", "LightningComponentBundle")
SHARING = "org:salesforce-to-salesforce"  # how the register names that link
_MERGE_FIELD = re.compile(r"\{!\s*(\w+)\.(\w+)\s*\}")
# Salesforce to Salesforce is no metadata: code that shares records names its object; a fact of the org says if it's on.
_LINK = re.compile(
    r"(?P<arn>arn:aws[\w-]*:[\w-]+:[\w-]*:\d*[^<\s]*)"
    r"|<type>(?P<cross_org>SfdcOrg)</type>"
    r"|\b(?P<partner>PartnerNetworkRecordConnection)\b"
)
_LINKING = ("EventRelayConfig", "ExternalDataSource", "NamedCredential", "ApexClass", "ApexTrigger", "Flow")
_RECIPIENTS = ("emailAddresses", "emailAddressesArray", "ccRecipientAddressList", "bccRecipientAddressList")
_PATTERN_HOST = re.compile(r"^(?:https?://)?(\*\.[\w.-]+)")


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
                    yield unknown(
                        "K30", component.key, place, f"classification of {field}", place.file, f"{field} 的数据分类"
                    )
                elif kind not in allowed:
                    yield finding(
                        "R15.class-not-declared", component.key, place, host=host, field=field, kind=kind.value
                    )
    yield from _mail(bundle, org, facts)
    yield from _links(bundle, org, facts)
    yield from _reports(bundle)


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
    for component in components_of(bundle, "WorkflowAlert", "EmailServicesFunction", "Flow"):
        if component.key.type == "Flow" and b"emailSimple" not in raw(component):
            continue
        root = xml_of(component)
        addresses = values(root, "ccEmails") + values(root, "authorizedSenders") + values(root, "errorRoutingAddress")
        addresses += _mailed_by_flow(root)
        for address in (part for text in addresses for part in re.split(r"[\s,;]+", text) if "@" in part):
            host = address.rpartition("@")[2].lower()
            if not facts.register.is_mainland(host) and not _transfers(facts.register, org, host):
                yield finding("R01.undeclared-mail", component.key, component.source, domain=host, org=org.name)


def _mailed_by_flow(root: etree._Element | None) -> list[str]:
    """Return the addresses that the actions "Send Email" of a flow name (Metadata API, Flow: emailSimple)."""
    sent = [call for call in children(root, "actionCalls") if value(call, "actionType") == "emailSimple"]
    given = [one for call in sent for one in children(call, "inputParameters")]
    return [text for one in given if value(one, "name") in _RECIPIENTS for text in values(one, "stringValue")]


def _links(bundle: Bundle, org: Org, facts: Facts) -> Iterator[Finding]:
    """Yield configuration that joins the org to others without an address of its own: org to org, relays, clouds."""
    mine = facts.register.transfers_of(org.name)
    known = {name for transfer in mine for name in transfer.links}
    sharing = facts.org.salesforce_to_salesforce
    if sharing is None:
        fact = "whether Salesforce to Salesforce is on"
        yield unknown(
            "R01",
            f"org:{org.name}",
            None,
            fact,
            "--facts (salesforce_to_salesforce)",
            "是否启用 Salesforce to Salesforce",
        )
    elif sharing and SHARING not in known:
        yield finding("R01.undeclared-link", f"org:{org.name}", None, link="Salesforce to Salesforce", org=org.name)
    for component in components_of(bundle, *_LINKING):
        if str(component.key) in known or not _LINK.search(raw(component).decode("utf-8", "replace")):
            continue
        for place, line in lines_of(component, code=True):
            for match in _LINK.finditer(line):
                if not match[0].startswith("arn:aws-cn:"):
                    yield finding("R01.undeclared-link", component.key, place, link=match[0], org=org.name)


def _reports(bundle: Bundle) -> Iterator[Finding]:
    """Yield reports in public folders that show sensitive fields: strict protection (PIPL Art. 28)."""
    for report in components_of(bundle, "Report"):
        folder = report.key.full_name.rpartition("/")[0]
        shelf = bundle.components.get(ComponentKey("ReportFolder", folder))
        if shelf is None or not _is_for_all(xml_of(shelf)):
            continue
        for column in sorted(set(values(xml_of(report), "field"))):
            owner, _, name = re.sub(r"\.\w+__r(?=\$)", "", column).replace("$", ".").rpartition(".")
            field = f"{owner.rpartition('.')[2]}.{name}"
            if class_of(bundle, field) is DataClass.SENSITIVE:
                place = place_of(report, column)
                yield finding("R18.public-report", report.key, place, field=field, folder=folder)


def _is_for_all(folder: etree._Element | None) -> bool:
    """Return whether everybody in the org sees what is in a folder of reports."""
    return value(folder, "accessType").startswith("Public") or "Organization" in values(folder, "sharedToType")


def _is_test(component: Component) -> bool:
    """Return whether the component is an Apex test class: those make no callouts."""
    return component.key.type == "ApexClass" and any(
        re.match(r"(?i)\s*@istest\b", line) for _, line in lines_of(component, code=True)
    )
