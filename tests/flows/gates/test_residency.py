"""What may leave: hosts, mail, links, classified fields."""

from __future__ import annotations

import pytest

from flows.components import Component
from flows.gates import classification, residency
from kit.problems import Place
from tests.flows.gates.builders import FEDERATION, LINK, PII, TODAY, apex, bundle, facts, field, part, remote, whole

Case = tuple[str, object, tuple[Component, ...], dict[str, object], list[str]]
CASES: list[Case] = [
    ("host abroad", residency, (remote("api.stripe.com"),), {}, ["R01.undeclared-host"]),
    ("host in the mainland", residency, (remote("a.acme-cn.example"),), {}, []),
    ("host that only ends alike", residency, (remote("evilacme-cn.example"),), {}, ["R01.undeclared-host"]),
    ("the org's own host", residency, (remote("acme-cn.my.sfcrmproducts.cn"),), {}, []),
    ("host in the register", residency, (remote("parts.acme.example"),), {}, []),
    (
        "wildcard origin",
        residency,
        (whole("CorsWhitelistOrigin:C", "<C><urlPattern>https://*.example.org</urlPattern></C>"),),
        {},
        ["R01.undeclared-host"],
    ),
    (
        "Apex with a host",
        residency,
        (apex("class A { String u = 'https://x.example.com/y'; }"),),
        {},
        ["R01.undeclared-host"],
    ),
    ("Apex with a host in a comment", residency, (apex("class A { // https://x.example.com\n}"),), {}, []),
    ("Apex test with a host", residency, (apex("@IsTest\nclass A { String u = 'https://x.example.com'; }"),), {}, []),
    (
        "link with a personal field",
        residency,
        (part("WebLink:Visit__c.L", "webLinks", LINK % "Who__c"), field("Visit__c.Who__c", PII)),
        {},
        ["R15.class-not-declared"],
    ),
    (
        "link with a business field",
        residency,
        (part("WebLink:Visit__c.L", "webLinks", LINK % "Part__c"), field("Visit__c.Part__c", "<type>Text</type>")),
        {},
        [],
    ),
    (
        "link with a field nobody knows",
        residency,
        (part("WebLink:V.L", "webLinks", LINK % "Who__c"),),
        {},
        ["K30.unknown"],
    ),
    (
        "mail abroad",
        residency,
        (part("WorkflowAlert:Case.A", "alerts", "<ccEmails>hq@acme.example</ccEmails>"),),
        {},
        ["R01.undeclared-mail"],
    ),
    (
        "mail at home",
        residency,
        (part("WorkflowAlert:Case.A", "alerts", "<ccEmails>a@mail.acme-cn.example</ccEmails>"),),
        {},
        [],
    ),
    (
        "phone unclassified",
        classification,
        (field("Visit__c.Phone__c", "<type>Phone</type>"),),
        {},
        ["K30.unclassified"],
    ),
    ("phone classified", classification, (field("Visit__c.Phone__c", PII + "<type>Phone</type>"),), {}, []),
    (
        "PII without level",
        classification,
        (field("V__c.A__c", "<complianceGroup>PII</complianceGroup>"),),
        {},
        ["K30.no-level"],
    ),
]


@pytest.mark.parametrize(("gate", "components", "known", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_gate_says_of_a_case_what_is_wrong_and_no_more(
    gate: object, components: tuple[Component, ...], known: dict[str, object], expected: list[str]
) -> None:
    known = {"api_ceiling": "67.0", **known}
    found = gate.gate(bundle(*components), FEDERATION.org("china-uat"), FEDERATION, facts(**known), TODAY)  # type: ignore[attr-defined]
    assert sorted(one.id for one in found) == expected


def test_a_finding_leads_to_the_line() -> None:
    (found,) = residency.gate(bundle(remote("x.example.com")), FEDERATION.org("china-uat"), FEDERATION, facts(), TODAY)
    assert found.place == Place("metadata/x.xml", 3)
