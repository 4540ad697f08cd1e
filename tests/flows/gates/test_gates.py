"""Each gate over realistic metadata: what breaks a rule, and its twin that doesn't."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flows.bundle import Bundle, build_bundle
from flows.components import Component, ComponentKey, Fragment, MdapiFile
from flows.compose import compose_for
from flows.gates import content, edition, federationrules, identity, residency
from flows.gates.facts import Deviation, Facts, OrgFacts
from flows.gates.finding import DISCLAIMER, Finding, Severity, checks, finding, rules
from flows.gates.gather import deviations, gather
from flows.gates.report import as_sarif, counts, junit, text
from flows.gates.run import run_gates
from flows.gates.waivers import Waiver
from flows.source.project import read_project
from kit.problems import Place
from kit.yamlfile import parse_yaml
from orgs.crossborder import Register
from orgs.federation import load_federation

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 11, 22)
FEDERATION = load_federation()
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


def facts(**about_org: object) -> Facts:
    return Facts(REGISTER, parse_yaml("as_of: 2026-11-22", "cross-border.yml"), OrgFacts.model_validate(about_org))


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
SITE = {"sites": {"Help": {"icp_number": "沪ICP备12345678号", "takedown_contact": "duty@acme-cn.example"}}}
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
    ("phone unclassified", residency, (field("Visit__c.Phone__c", "<type>Phone</type>"),), {}, ["K30.unclassified"]),
    ("phone classified", residency, (field("Visit__c.Phone__c", PII + "<type>Phone</type>"),), {}, []),
    (
        "PII without level",
        residency,
        (field("V__c.A__c", "<complianceGroup>PII</complianceGroup>"),),
        {},
        ["K30.no-level"],
    ),
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
    ("site in order", content, (network(), SHOWN, *MODERATION), SITE, []),
    ("site unknown", content, (network(), SHOWN, *MODERATION), {}, ["R20.unknown", "R21.unknown"]),
    ("number not shown", content, (network(), *MODERATION), SITE, ["R21.number-not-shown"]),
    (
        "no filing, nobody to call",
        content,
        (network(), *MODERATION),
        {"sites": {"Help": {"icp_number": "", "takedown_contact": ""}}},
        ["R20.no-takedown-contact", "R21.no-number"],
    ),
    ("no moderation", content, (network(), SHOWN), SITE, ["R20.no-moderation"]),
    (
        "no flags",
        content,
        (whole("Network:Help", "<Network></Network>"), SHOWN, *MODERATION),
        SITE,
        ["R20.no-flagging"],
    ),
    (
        "self-registration",
        content,
        (network("<selfRegistration>true</selfRegistration>"), SHOWN, *MODERATION),
        SITE,
        ["R20.unknown"],
    ),
    (
        "self-registration without names",
        content,
        (network("<selfRegistration>true</selfRegistration>"), SHOWN, *MODERATION),
        {"sites": {"Help": {**SITE["sites"]["Help"], "real_name_verification": False}}},
        ["R20.no-real-names"],
    ),
    (
        "guest edits",
        content,
        (network(), SHOWN, *MODERATION, whole("Profile:G", GUEST % ("Edit", "Edit", IS_GUEST))),
        SITE,
        ["R20.guest-rights"],
    ),
    (
        "guest creates",
        content,
        (network(), SHOWN, *MODERATION, whole("Profile:G", GUEST % ("Create", "Create", IS_GUEST))),
        SITE,
        [],
    ),
    (
        "agent edits",
        content,
        (network(), SHOWN, *MODERATION, whole("Profile:G", GUEST % ("Edit", "Edit", ""))),
        SITE,
        [],
    ),
    ("number shown, no site", content, (SHOWN,), {}, []),
]


@pytest.mark.parametrize(("gate", "components", "known", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_gate_says_of_a_case_what_is_wrong_and_no_more(
    gate: object, components: tuple[Component, ...], known: dict[str, object], expected: list[str]
) -> None:
    known = {"api_ceiling": "67.0", **known} if gate is edition else known
    found = gate.gate(bundle(*components), FEDERATION.org("china-uat"), FEDERATION, facts(**known), TODAY)  # type: ignore[attr-defined]
    assert sorted(one.id for one in found) == expected


def test_a_global_org_is_not_judged_by_china_s_rules() -> None:
    mixed = bundle(remote("api.stripe.com"), network(), whole("Settings:Mobile", "<M></M>"), security(MFA))
    found = run_gates(
        mixed, FEDERATION.org("global-uat"), FEDERATION, replace(facts(api_ceiling="67.0"), deviations=()), TODAY
    )
    assert found == ()


def test_a_finding_leads_to_the_line() -> None:
    (found,) = residency.gate(bundle(remote("x.example.com")), FEDERATION.org("china-uat"), FEDERATION, facts(), TODAY)
    assert found.place == Place("metadata/x.xml", 3)


@pytest.mark.parametrize(
    ("org", "day", "expected"),
    [
        ("china-production", date(2026, 2, 14), []),
        ("china-production", date(2026, 2, 15), ["K50.freeze"]),
        ("china-production", date(2026, 2, 23), ["K50.freeze"]),
        ("china-production", date(2026, 2, 24), []),
        ("china-production", date(2027, 1, 1), ["K50.unknown"]),
        ("china-staging", date(2026, 2, 15), []),
        ("global-production", date(2026, 2, 15), []),
    ],
)
def test_nothing_goes_to_china_s_production_on_a_public_holiday(org: str, day: date, expected: list[str]) -> None:
    found = federationrules.gate(bundle(), FEDERATION.org(org), FEDERATION, replace(facts(), deviations=()), day)
    assert [one.id for one in found if one.id.startswith("K50")] == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, ["K51.unknown"]),
        ({"release": "r2", "releases": {}}, ["K51.unknown"]),
        ({"release": "r2", "releases": {"global-uat": ["r1"]}}, ["K51.skipped-ring"]),
        ({"release": "r2", "releases": {"global-uat": ["r1", "r2"]}}, []),
    ],
)
def test_a_ring_waits_for_the_ring_before(known: dict[str, object], expected: list[str]) -> None:
    told = replace(facts(**known), deviations=())
    assert [
        one.id for one in federationrules.gate(bundle(), FEDERATION.org("china-uat"), FEDERATION, told, TODAY)
    ] == expected


@pytest.mark.parametrize(
    ("since", "expected"),
    [(None, ["K52.unknown"]), (date(2026, 5, 1), ["K52.old-deviation"]), (date(2026, 11, 1), [])],
)
def test_an_override_that_grows_old_is_listed(since: date | None, expected: list[str]) -> None:
    one = apex("class A {}")
    told = replace(facts(), deviations=(Deviation(one.key, "china", "core", one.source, since),))
    found = federationrules.gate(bundle(one), FEDERATION.org("global-uat"), FEDERATION, told, TODAY)
    assert [each.id for each in found] == expected


ABROAD = bundle(remote("api.stripe.com"))


def waived(**changes: object) -> tuple[Finding, ...]:
    given: dict[str, object] = {
        "check": "R01.undeclared-host", "component": "RemoteSiteSetting:R", "orgs": ("china-uat",), "by": "li.wei",
        "reason": "The trial ends this week.", "until": TODAY, "place": Place("orgs/waivers.yml", 3),
    }  # fmt: skip
    told = replace(facts(), waivers=(Waiver(**{**given, **changes}),))  # type: ignore[arg-type]
    return run_gates(ABROAD, FEDERATION.org("china-uat"), FEDERATION, told, TODAY)


def test_a_waiver_by_somebody_with_the_power_lets_a_finding_pass_and_shows() -> None:
    found = waived()
    assert not any(one.blocks for one in found)
    assert counts(found)["waived"] == 1
    assert "The trial ends this week." in text("china-uat", found)


@pytest.mark.parametrize(
    "changes", [{"until": date(2026, 11, 21)}, {"by": "anna.lindqvist"}, {"by": "nobody"}], ids=str
)
def test_a_waiver_that_expired_or_that_nobody_may_give_does_not_count(changes: dict[str, object]) -> None:
    found = waived(**changes)
    assert [one.id for one in found if one.blocks] == ["R01.undeclared-host"]
    assert "K60.invalid" in {one.id for one in found}


def test_a_waiver_for_another_org_or_component_changes_nothing() -> None:
    for changes in ({"orgs": ("china-east",)}, {"component": "RemoteSiteSetting:S"}):
        assert [one.id for one in waived(**changes) if one.blocks] == ["R01.undeclared-host"]


def test_the_catalogue_speaks_both_languages_and_names_its_sources() -> None:
    for rule in rules().values():
        assert all((rule.title, rule.title_zh, rule.law, rule.article, rule.source))
    for check in checks().values():
        assert Severity(check["severity"])
        for name in ("what", "fix"):
            assert any("\u4e00" <= letter <= "\u9fff" for letter in check[f"{name}_zh"])
            assert check[name].isascii()


@pytest.mark.parametrize("org", [org.name for org in FEDERATION.orgs])
def test_the_sample_has_no_block_for_any_org(org: str) -> None:
    member = FEDERATION.org(org)
    release = compose_for(FEDERATION, member, ROOT)
    found = run_gates(release, member, FEDERATION, gather(read_project(ROOT), FEDERATION, member, None), TODAY)
    assert [str(one) for one in found if one.blocks] == []
    assert "K10.unknown" in {one.id for one in found}


def test_overrides_are_found_between_layers() -> None:
    from flows.compose import Layer

    core, china = apex("class A {}"), replace(apex("class A { }"), layer="china")
    (one,) = deviations([Layer("core", (core,)), Layer("china", (china, apex("class B {}", "B")))], {})
    assert (one.key, one.layer, one.replaces, one.since) == (core.key, "china", "core", None)


def test_text_and_junit_say_what_they_are_not() -> None:
    found = run_gates(ABROAD, FEDERATION.org("china-uat"), FEDERATION, facts(), TODAY)
    assert text("china-uat", found).endswith(DISCLAIMER)
    suite = ElementTree.fromstring(junit("china-uat", found).encode())[0]
    assert suite.get("failures") == "1"
    assert DISCLAIMER in "".join(suite.itertext())


def test_sarif_holds_each_finding_under_its_rule_and_a_waived_one_as_a_note() -> None:
    org = FEDERATION.org("china-uat")
    for found, expected in (
        (run_gates(ABROAD, org, FEDERATION, facts(), TODAY), ("R01.undeclared-host", "error")),
        (waived(), ("R01.undeclared-host.waived", "note")),
    ):
        (log,) = json.loads(json.dumps(as_sarif("china-uat", found)))["runs"]
        levels = {rule["id"]: rule["defaultConfiguration"]["level"] for rule in log["tool"]["driver"]["rules"]}
        assert expected in levels.items()
        assert len(log["results"]) == len(found)


def run(*arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    program = "from flows.cli import main; main(prog_name='sfoa')"
    command = [sys.executable, "-c", program, "gate", "--org", "china-uat", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)


def test_the_command_ends_with_1_when_a_finding_blocks(tmp_path: Path) -> None:
    stated = tmp_path / "facts.yml"
    stated.write_text('api_ceiling: "61.0"\n', encoding="utf-8")
    done = run("--json", "--facts", str(stated))
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["status"]) == (1, 1)
    assert answer["result"]["counts"]["block"] == len(answer["problems"]) > 1
    assert "API version 62.0 is above the org's ceiling 61.0" in {one["what"] for one in answer["problems"]}
    assert run("--format", "junit").returncode == 0


def test_an_unknown_fact_in_the_file_of_facts_is_refused(tmp_path: Path) -> None:
    stated = tmp_path / "facts.yml"
    stated.write_text("api_roof: 61.0\n", encoding="utf-8")
    done = run("--facts", str(stated))
    assert done.returncode == 1
    assert "api_roof" in done.stderr


def test_a_text_of_the_catalogue_is_filled() -> None:
    values: Mapping[str, object] = {"host": "a.example", "address": "https://a.example/", "org": "china-uat"}
    assert "a.example" in finding("R01.undeclared-host", "X:Y", None, **values).what_zh
