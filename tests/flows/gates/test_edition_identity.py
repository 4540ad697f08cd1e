"""What an org's edition can't take, and who could be locked out."""

from __future__ import annotations

from datetime import date

import pytest

from flows.components import Component
from flows.gates import edition, identity
from tests.flows.gates.builders import (
    FEDERATION,
    LOGIN,
    MFA,
    RANGES,
    SEVERAL,
    SKIP,
    SSO_ONLY,
    TODAY,
    apex,
    bundle,
    facts,
    field,
    saml,
    security,
    whole,
)

Case = tuple[str, object, tuple[Component, ...], dict[str, object], list[str]]
CASES: list[Case] = [
    ("settings of the app", edition, (whole("Settings:Mobile", "<M></M>"),), {}, ["K20.unknown"]),
    ("app confirmed", edition, (whole("Settings:Mobile", "<M></M>"),), {"features": {"mobile-app": True}}, []),
    (
        "app denied",
        edition,
        (whole("Settings:Mobile", "<M></M>"),),
        {"features": {"mobile-app": False}},
        ["K20.missing"],
    ),
    ("Agentforce", edition, (whole("GenAiPlugin:P", "<G></G>"),), {}, ["K20.unknown"]),
    ("package's field", edition, (field("Account.sbqq__Rate__c", "<type>Text</type>"),), {}, ["K20.unknown"]),
    ("own field", edition, (field("Account.Rate__c", "<type>Text</type>"),), {}, []),
    ("own custom metadata", edition, (whole("CustomMetadata:Level__mdt.One", "<C></C>"),), {}, []),
    (
        "global host",
        edition,
        (apex("class A { String u = 'https://acme.my.salesforce.com'; }"),),
        {},
        ["K21.global-host"],
    ),
    ("global host in a comment", edition, (apex("/* login.salesforce.com */ class A {}"),), {}, []),
    ("a host that looks alike", edition, (apex("class A { String u = 'https://workforce.com'; }"),), {}, []),
    ("China host", edition, (apex("class A { String u = 'acme-cn.my.sfcrmproducts.cn'; }"),), {}, []),
    (
        "class too old",
        edition,
        (whole("ApexClass:A", "<A><apiVersion>30.0</apiVersion></A>"),),
        {},
        ["K10.below-floor"],
    ),
    ("class at the floor", edition, (whole("ApexClass:A", "<A><apiVersion>31.0</apiVersion></A>"),), {}, []),
    (
        "class too new",
        edition,
        (whole("ApexClass:A", "<A><apiVersion>68.0</apiVersion></A>"),),
        {},
        ["K10.above-ceiling"],
    ),
    ("ceiling low", edition, (), {"api_ceiling": "61.0"}, ["K10.above-ceiling"]),
    ("ceiling unknown", edition, (), {"api_ceiling": None}, ["K10.unknown"]),
    ("ranges unknown", identity, (security(RANGES),), {}, ["K40.unknown"]),
    (
        "range dropped",
        identity,
        (security(RANGES),),
        {"trusted_ranges": [["9.9.9.9", "9.9.9.9"]]},
        ["K40.range-dropped"],
    ),
    (
        "all dropped",
        identity,
        (security("<networkAccess/>"),),
        {"trusted_ranges": [["1.1.1.1", "1.1.1.9"]]},
        ["K40.range-dropped"],
    ),
    ("range kept", identity, (security(RANGES),), {"trusted_ranges": [["1.1.1.1", "1.1.1.9"]]}, []),
    ("SSO only, admins unknown", identity, (security(SSO_ONLY),), {}, ["K41.unknown"]),
    (
        "SSO only, one admin twice",
        identity,
        (security(SSO_ONLY),),
        {"break_glass_admins": ["a", "a"]},
        ["K41.no-break-glass"],
    ),
    ("SSO only, two admins", identity, (security(SSO_ONLY),), {"break_glass_admins": ["a", "b"]}, []),
    ("several SAML, unknown", identity, (security(SEVERAL % "true"),), {}, ["K42.unknown"]),
    ("several SAML, new", identity, (security(SEVERAL % "true"),), {"multiple_saml_configs": False}, ["K42.one-way"]),
    (
        "several SAML, off",
        identity,
        (security(SEVERAL % "false"),),
        {"multiple_saml_configs": True},
        ["K42.cannot-turn-off"],
    ),
    ("several SAML, as before", identity, (security(SEVERAL % "true"),), {"multiple_saml_configs": True}, []),
    (
        "Lightning login",
        identity,
        (security("<enableLightningLogin>true</enableLightningLogin>"),),
        {},
        ["K22.lightning-login"],
    ),
    ("Authenticator first", identity, (security(MFA),), {}, ["K22.authenticator-only"]),
    ("all methods", identity, (security(MFA + SKIP),), {}, []),
    ("no key, no built-in", identity, (security(MFA.replace("U2F", "X") + SKIP),), {}, ["K22.no-other-method"]),
    ("SAML in order", identity, (saml(date(2027, 11, 1)),), {}, []),
    ("SAML certificate over", identity, (saml(date(2026, 11, 1)),), {}, ["K43.certificate-expired"]),
    ("SAML certificate soon over", identity, (saml(date(2026, 12, 1)),), {}, ["K43.certificate-expires"]),
    ("SAML of another org", identity, (saml(date(2027, 11, 1), "https://other"),), {}, ["K43.entity-id"]),
    (
        "SAML with an id",
        identity,
        (saml(date(2027, 11, 1), more="<requestSigningCertId>0P1000000000001</requestSigningCertId>"),),
        {},
        ["K43.foreign-id"],
    ),
    (
        "SAML without certificate",
        identity,
        (
            whole(
                "SamlSsoConfig:I",
                f"<S><samlEntityId>{'https://acme-cn--uat.sandbox.my.sfcrmproducts.cn'}</samlEntityId></S>",
            ),
        ),
        {},
        ["K43.no-certificate"],
    ),
    ("runner's address unknown", identity, (whole("Profile:Admin", LOGIN),), {}, ["K44.unknown"]),
    (
        "runner locked out",
        identity,
        (whole("Profile:Admin", LOGIN),),
        {"runner_addresses": ["8.8.8.10"]},
        ["K44.runner-locked-out"],
    ),
    ("runner let in", identity, (whole("Profile:Admin", LOGIN),), {"runner_addresses": ["8.8.8.9"]}, []),
    (
        "no address",
        identity,
        (whole("Profile:Admin", LOGIN.replace("8.8.8.9", "x")),),
        {"runner_addresses": ["8.8.8.9"]},
        ["K44.no-address"],
    ),
]


@pytest.mark.parametrize(("gate", "components", "known", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_gate_says_of_a_case_what_is_wrong_and_no_more(
    gate: object, components: tuple[Component, ...], known: dict[str, object], expected: list[str]
) -> None:
    known = {"api_ceiling": "67.0", **known} if gate is edition else known
    found = gate.gate(bundle(*components), FEDERATION.org("china-uat"), FEDERATION, facts(**known), TODAY)  # type: ignore[attr-defined]
    assert sorted(one.id for one in found) == expected
