"""Identity: nobody is locked out, and no deploy takes away a way in that the org has."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import date
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

from cryptography import x509
from lxml import etree

from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding, unknown
from flows.gates.reading import children, components_of, is_true, place_of, value, values, xml_of
from orgs.domains import hosts
from orgs.editions import Edition
from orgs.federation import Federation, Org

LEAST_ADMINS = 2  # a rule of the kit: one person on leave must not lock the company out
CERTIFICATE_NOTICE_DAYS = 30  # a figure of the kit: time for a rollover in two steps

Range = tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge the security settings, SAML configurations and login ranges of a bundle."""
    settings = bundle.components.get(ComponentKey("Settings", "Security"))
    root = xml_of(settings) if settings else None
    if settings is not None and root is not None:
        yield from _network(settings, root, facts)
        yield from _sign_on(settings, root, facts)
        if org.edition is Edition.ALIBABA:
            yield from _second_factor(settings, root)
    for component in components_of(bundle, "SamlSsoConfig"):
        yield from _saml(component, org, today)
    for component in components_of(bundle, "Profile"):
        yield from _login_ranges(component, facts)


def _network(settings: Component, root: etree._Element, facts: Facts) -> Iterator[Finding]:
    if not children(root, "networkAccess"):
        return
    place = place_of(settings, "<networkAccess")
    kept = {(value(entry, "start"), value(entry, "end")) for entry in children(root, "ipRanges")}
    if facts.org.trusted_ranges is None:
        yield unknown(
            "K40",
            settings.key,
            place,
            "the trusted ranges that the org has",
            "--facts (trusted_ranges)",
            "组织现有的可信 IP 范围",
        )
        return
    for start, end in sorted(set(facts.org.trusted_ranges) - kept):
        yield finding("K40.range-dropped", settings.key, place, start=start, end=end)


def _sign_on(settings: Component, root: etree._Element, facts: Facts) -> Iterator[Finding]:
    if is_true(root, "isLoginWithSalesforceCredentialsDisabled"):
        place = place_of(settings, "isLoginWithSalesforceCredentialsDisabled")
        admins = facts.org.break_glass_admins
        if admins is None:
            yield unknown(
                "K41",
                settings.key,
                place,
                "the break-glass administrators",
                "--facts (break_glass_admins)",
                "应急管理员",
            )
        elif len(set(admins)) < LEAST_ADMINS:
            yield finding("K41.no-break-glass", settings.key, place, count=len(set(admins)), least=LEAST_ADMINS)
    if "enableMultipleSamlConfigs" in {etree.QName(element).localname for element in root.iter(etree.Element)}:
        place = place_of(settings, "enableMultipleSamlConfigs")
        on, now = is_true(root, "enableMultipleSamlConfigs"), facts.org.multiple_saml_configs
        if now is None:
            fact = "whether the org allows several SAML configurations"
            yield unknown(
                "K42", settings.key, place, fact, "--facts (multiple_saml_configs)", "组织是否允许多个 SAML 配置"
            )
        elif now and not on:
            yield finding("K42.cannot-turn-off", settings.key, place)
        elif on and not now:
            yield finding("K42.one-way", settings.key, place)


def _second_factor(settings: Component, root: etree._Element) -> Iterator[Finding]:
    if is_true(root, "enableLightningLogin"):
        yield finding("K22.lightning-login", settings.key, place_of(settings, "enableLightningLogin"))
    if is_true(root, "enableMFADirectUILoginOptIn"):
        place = place_of(settings, "enableMFADirectUILoginOptIn")
        if not is_true(root, "skipSFAWhenMFADirectUILogin"):
            yield finding("K22.authenticator-only", settings.key, place)
        if not (is_true(root, "enableU2F") or is_true(root, "enableBuiltInAuthenticator")):
            yield finding("K22.no-other-method", settings.key, place)


def _saml(component: Component, org: Org, today: date) -> Iterator[Finding]:
    root = xml_of(component)
    wanted, given = hosts(org).saml_entity_id, value(root, "samlEntityId")
    if given != wanted:
        place = place_of(component, "samlEntityId")
        yield finding("K43.entity-id", component.key, place, given=given or "-", wanted=wanted)
    if value(root, "requestSigningCertId"):
        yield finding("K43.foreign-id", component.key, place_of(component, "requestSigningCertId"))
    place = place_of(component, "validationCert")
    try:
        body = "".join(part for part in value(root, "validationCert").splitlines() if "-----" not in part)
        certificate = x509.load_der_x509_certificate(base64.b64decode(body, validate=False))
    except (ValueError, binascii.Error):
        yield finding("K43.no-certificate", component.key, place)
        return
    until = certificate.not_valid_after_utc.date()
    if until < today:
        yield finding("K43.certificate-expired", component.key, place, until=until)
    elif (until - today).days <= CERTIFICATE_NOTICE_DAYS:
        yield finding("K43.certificate-expires", component.key, place, until=until)


def _login_ranges(component: Component, facts: Facts) -> Iterator[Finding]:
    if component.key.full_name not in ("Admin", "System Administrator"):
        return
    root = xml_of(component)
    if not children(root, "loginIpRanges"):
        return
    place = place_of(component, "<loginIpRanges")
    if facts.org.runner_addresses is None:
        yield unknown(
            "K44", component.key, place, "the runner's addresses", "--facts (runner_addresses)", "发布机的 IP 地址"
        )
        return
    try:
        pairs = zip(values(root, "startAddress"), values(root, "endAddress"), strict=True)
        ranges = [(ip_address(start), ip_address(end)) for start, end in pairs]
    except (AddressValueError, ValueError) as error:
        yield finding("K44.no-address", component.key, place, error=error)
        return
    for address in facts.org.runner_addresses:
        if not any(_within(address, one) for one in ranges):
            yield finding("K44.runner-locked-out", component.key, place, address=address)


def _within(address: str, bounds: Range) -> bool:
    one, (start, end) = ip_address(address), bounds
    return one.version == start.version == end.version and int(start) <= int(one) <= int(end)
