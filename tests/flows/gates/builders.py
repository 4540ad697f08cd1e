"""Builders of realistic metadata and of facts, shared by the tests of the gates."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flows.bundle import Bundle, build_bundle
from flows.components import Component, ComponentKey, Fragment, MdapiFile
from flows.gates.facts import Facts, OrgFacts
from flows.gates.run import run_gates
from kit.problems import Place
from kit.yamlfile import parse_yaml
from orgs.crossborder import Register
from orgs.federation import Federation, load_federation
from orgs.freezes import load_freezes
from orgs.partners import Partners

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 11, 22)
FEDERATION = load_federation()
FREEZES = load_freezes(None, FEDERATION)
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
REGISTER = Register.model_validate(
    {
        "as_of": TODAY,
        "critical_infrastructure": False,
        "mainland_hosts": [{"host": "*.acme-cn.example", "operator": "Acme China", "as_of": TODAY}],
        "transfers": [
            {
                "id": "catalogue",
                "from_orgs": ["china-uat"],
                "recipient": "Headquarters",
                "hosts": ["parts.acme.example"],
                "data_classes": ["business"],
                "leaves_mainland": True,
            }
        ],
    }
)


KNOWN: dict[str, object] = {"salesforce_to_salesforce": False}


def facts(**about_org: object) -> Facts:
    return Facts(
        REGISTER, parse_yaml("as_of: 2026-11-22", "cross-border.yml"), OrgFacts.model_validate(KNOWN | about_org)
    )


def whole(key: str, body: str, path: str = "x.xml", layer: str = "core") -> Component:
    """Return a component of one file; a body that starts with a tag is its XML without namespace."""
    if body.startswith("<"):
        name, _, rest = body[1:].partition(">")
        body = f"<?xml version='1.0'?>\n<{name} {XMLNS}>{rest}"
    file = MdapiFile(path, body.encode())
    return Component(ComponentKey.parse(key), "0" * 64, layer, Place(f"metadata/{path}", 1), files=(file,))


def part(key: str, tag: str, body: str) -> Component:
    made = Fragment("objects/X.object", "CustomObject", tag, f"<{tag}>\n{body}\n</{tag}>".encode())
    return Component(ComponentKey.parse(key), "0" * 64, "core", Place("metadata/x", 1), fragment=made)


def field(name: str, body: str) -> Component:
    return whole(f"CustomField:{name}", f"<CustomField>{body}</CustomField>")


def security(body: str) -> Component:
    return whole("Settings:Security", f"<SecuritySettings>\n{body}\n</SecuritySettings>")


def remote(host: str) -> Component:
    return whole("RemoteSiteSetting:R", f"<RemoteSiteSetting>\n<url>https://{host}/a</url></RemoteSiteSetting>")


def apex(body: str, name: str = "A") -> Component:
    return whole(f"ApexClass:{name}", body, f"classes/{name}.cls")


def network(body: str = "") -> Component:
    return whole("Network:Help", f"<Network>{body}<allowMembersToFlag>true</allowMembersToFlag></Network>")


def bundle(*components: Component, version: str = "62.0") -> Bundle:
    return build_bundle(components, version)


def certificate(until: date) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    end = datetime(until.year, until.month, until.day, 12, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(end - timedelta(days=900))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def saml(until: date, entity: str = "https://acme-cn--uat.sandbox.my.sfcrmproducts.cn", more: str = "") -> Component:
    body = f"<samlEntityId>{entity}</samlEntityId><validationCert>{certificate(until)}</validationCert>{more}"
    return whole("SamlSsoConfig:Idp", f"<SamlSsoConfig>{body}</SamlSsoConfig>")


PII = "<complianceGroup>PII</complianceGroup><securityClassification>Confidential</securityClassification>"
LINK = "<url>https://parts.acme.example/p/{!Visit__c.%s}</url>"
MODERATION = (whole("ModerationRule:R", "<ModerationRule></ModerationRule>"), whole("KeywordList:K", "<K></K>"))
HELP: dict[str, object] = {
    "icp_number": "沪ICP备12345678号",
    "takedown_contact": "duty@acme-cn.example",
    "content_days": 60,
}
SITE: dict[str, object] = {"sites": {"Help": HELP}}
SHOWN = part("CustomLabel:Icp", "labels", "<value>沪ICP备12345678号-1</value>")
RANGES = "<networkAccess><ipRanges><start>1.1.1.1</start><end>1.1.1.9</end></ipRanges></networkAccess>"
MFA = "<enableMFADirectUILoginOptIn>true</enableMFADirectUILoginOptIn><enableU2F>true</enableU2F>"
SKIP = "<skipSFAWhenMFADirectUILogin>true</skipSFAWhenMFADirectUILogin>"
SSO_ONLY = "<isLoginWithSalesforceCredentialsDisabled>true</isLoginWithSalesforceCredentialsDisabled>"
SEVERAL = "<enableMultipleSamlConfigs>%s</enableMultipleSamlConfigs>"
LOGIN = (
    "<Profile><loginIpRanges><endAddress>8.8.8.9</endAddress><startAddress>8.8.8.1</startAddress></loginIpRanges>"
    "</Profile>"
)
GUEST = "<Profile><objectPermissions><allow%s>true</allow%s><object>Case</object></objectPermissions>%s</Profile>"
IS_GUEST = "<userLicense>Guest</userLicense>"


STANDING = {
    "log_retention_days": 184,
    "classified": True,
    "backed_up": True,
    "encrypted": True,
    "record_years": 3,
    "people": 40_000,
    "last_audit_on": date(2026, 3, 2),
    "important_data": "none",
    "leaks_are_notified": True,
    "incident_report_hours": 4,
    "incident_final_report_days": 30,
    "vulnerability_report_hours": 24,
}
PARTNERS = Partners.model_validate(
    {
        "as_of": TODAY,
        "own_domains": ["acme.example"],
        "partners": [
            {
                "name": "Yuanhang",
                "domains": ["yuanhang.example"],
                "china_practice": {"number": "CP-1", "until": "2027-06-30"},
                "alibaba_contract": {"number": "ALI-1", "until": "2027-06-30"},
            }
        ],
    }
)


@dataclass(frozen=True)
class Given:
    """What a release meets: its components, what is known of org and company, and the day. In order as it is."""

    components: tuple[Component, ...] = ()
    known: Mapping[str, object] = attribute(default_factory=dict)
    register: Mapping[str, object] = attribute(default_factory=dict)
    standing: Mapping[str, object] = attribute(default_factory=dict)
    more: Mapping[str, Any] = attribute(default_factory=dict)
    org: str = "china-uat"
    today: date = TODAY
    federation: Federation = FEDERATION

    def ids(self) -> set[str]:
        """Return the ids of everything that all gates find."""
        return {one.id for one in self.findings()}

    def findings(self) -> tuple[Any, ...]:
        """Return everything that all gates find."""
        base = REGISTER.model_dump(exclude_none=True, exclude={"standing"})
        data = {**base, "standing": {**STANDING, **self.standing}, **self.register}
        known = {"api_ceiling": "67.0", **KNOWN, **self.known}
        told = Facts(
            Register.model_validate(data),
            parse_yaml("as_of: 2026-11-22", "cross-border.yml"),
            OrgFacts.model_validate(known),
            deviations=(),
            partners=PARTNERS,
            authors={one.key: {"anna@acme.example": TODAY} for one in self.components},
        )
        more = dict(self.more)
        deletes = more.pop("deletes", None)
        release = bundle(*self.components)
        org = self.federation.org(self.org)
        told = replace(told, **more)
        return run_gates(release, org, self.federation, told, self.today, deletes=deletes, freezes=FREEZES)


Twin = tuple[str, Given, Given]


def transfer_data(**changes: object) -> dict[str, object]:
    """Return the entry of a transfer from china-uat that is in order, with changes."""
    data: dict[str, object] = {
        "id": "escalations",
        "from_orgs": ["china-uat"],
        "recipient": "Headquarters",
        "hosts": ["service.acme.example"],
        "data_classes": ["personal"],
        "leaves_mainland": True,
        "important_data": "none",
        "data_origin": "mainland",
        "domestic_data_added": True,
        "purpose": "other",
        "free_trade_zone": "none",
        "volume": {"people": 5_000, "sensitive_people": 0, "as_of": date(2026, 11, 1)},
        "legal_basis": "consent",
        "mechanism": {"kind": "exempt"},
        "impact_assessed_on": date(2026, 1, 5),
        "individuals_notified": True,
        "separate_consent": True,
        "recipient_contract": True,
    }
    return {**data, **changes}


def sends(**changes: object) -> Given:
    """Return a release of a company whose one transfer is in order, with changes."""
    return Given(register={"transfers": [transfer_data(**changes)]})


def company(**changes: object) -> Given:
    """Return a release of a company that meets its standing duties, with changes."""
    return Given(standing=changes)
