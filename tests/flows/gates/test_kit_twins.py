"""Every check of edition, identity, safety and federation, broken once, and its twin that is in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.components import Component, ComponentKey
from flows.compose import Removal
from flows.features import Excluded
from flows.gates.facts import Deviation
from flows.gates.history import read_log
from flows.gates.safety import id_check, is_record_id
from flows.gates.waivers import Waiver
from kit.problems import Place
from orgs.checklist import Checklist
from orgs.federation import Edition, Federation, OrgKind, Strategy, Term
from orgs.partners import Partners
from tests.flows.gates.builders import (
    FEDERATION,
    LOGIN,
    MFA,
    PARTNERS,
    RANGES,
    SEVERAL,
    SKIP,
    SSO_ONLY,
    TODAY,
    Given,
    Twin,
    apex,
    field,
    part,
    remote,
    saml,
    security,
    sends,
    whole,
)

MOBILE = whole("Settings:Mobile", "<MobileSettings></MobileSettings>")
LATE, EARLY = date(2027, 11, 1), date(2026, 11, 1)
ENTITY = "https://acme-cn--uat.sandbox.my.sfcrmproducts.cn"
RECORD_ID = "012600000005uTG"
RIGHTS = (
    "<PermissionSet><label>Sync</label>\n<userPermissions>\n<enabled>%s</enabled>\n<name>ModifyAllData</name>"
    "</userPermissions></PermissionSet>"
)
RECORDS = (
    "<PermissionSet><objectPermissions><allowRead>true</allowRead><modifyAllRecords>false</modifyAllRecords>"
    "<object>Case</object><viewAllRecords>%s</viewAllRecords></objectPermissions></PermissionSet>"
)
OBJECT = "<CustomObject><externalSharingModel>%s</externalSharingModel><label>V</label></CustomObject>"
CODE = "public %s sharing class Visits {\n    %s\n    public static void close() {}\n}"
TRANSLATED = (
    "<CustomObjectTranslation><fields><label>金额</label><name>Amount__c</name></fields></CustomObjectTranslation>"
)
AMOUNT = field("Visit__c.Amount__c", "<label>Amount</label><type>Number</type>")
LABEL = part("CustomLabel:Hello", "labels", "<language>en_US</language><value>Hello</value>")
SECRETS = {
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Alibaba Cloud": "LTAI" + "5tExampleExample00",
    "AWS": "AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub": "ghp_" + "a1B2" * 9,
    "session id": "00D600000000001" + "!AQ4AQ" + "a1b2c3d4" * 6,
    "JWT": "eyJhbGciOiJSUzI1NiJ9" + ".eyJpc3MiOiIzTVZHOSJ9." + "c2lnbmF0dXJlc2lnbmF0dXJl",
    "literal": "String apiSecret = '" + "Tr0ub4dor-and-3-more';",
}


def labelled(*more: Component) -> Given:
    return Given((LABEL, *more))


def written(address: str, day: date, partners: Partners = PARTNERS) -> Given:
    """Return a release with one class, last changed by that author on that day."""
    one = apex("class A {}")
    return Given((one,), more={"authors": {one.key: {address: day}}, "partners": partners})


def partner(**changes: object) -> Partners:
    proof = {"number": "CP-1", "until": "2027-06-30"}
    one = {"name": "Yuanhang", "domains": ["yuanhang.example"], "china_practice": proof, "alibaba_contract": proof}
    return Partners.model_validate({"as_of": TODAY, "own_domains": [], "partners": [{**one, **changes}]})


def federation(**changes: object) -> Federation:
    return FEDERATION.model_copy(update=changes)


def owned_by(centre: str) -> Federation:
    orgs = tuple(one.model_copy(update={"coe": centre}) for one in FEDERATION.orgs)
    return federation(orgs=orgs, strategy=Strategy.FEDERATED)


def term(until: date) -> Federation:
    ends = Term(start=date(2026, 1, 1), end=until)
    centres = tuple(one.model_copy(update={"term": ends}) if one.delegated_by else one for one in FEDERATION.centres)
    return federation(centres=centres)


def ring(name: str, number: int) -> Federation:
    orgs = tuple(one.model_copy(update={"ring": number}) if one.name == name else one for one in FEDERATION.orgs)
    return federation(orgs=orgs, strategy=Strategy.HUB, hub="global-production")


def waived(until: date, by: str = "li.wei") -> Given:
    place = Place("orgs/waivers.yml", 3)
    reason = "The trial ends with this quarter."
    one = Waiver("R01.undeclared-host", "RemoteSiteSetting:R", ("china-uat",), by, reason, until, place)
    return Given((remote("api.stripe.com"),), more={"waivers": (one,)})


def overrides(since: date) -> Given:
    one = apex("class A {}")
    return Given((one,), more={"deviations": (Deviation(one.key, "china", "core", one.source, since),)})


def deletes(*names: str, **known: object) -> Given:
    return Given(known=known, more={"deletes": [ComponentKey.parse(name) for name in names]})


def without(name: str, component: Component) -> Given:
    return Given((component,), more={"deletes": [ComponentKey.parse(f"{name}__c")]})


RATED = part("ValidationRule:Visit__c.R", "validationRules", "<errorConditionFormula>Rated__c</errorConditionFormula>")
ABOUT = whole("ReportType:Visits", "<ReportType><baseObject>Visit__c</baseObject></ReportType>")
ONE_ORG = federation(
    strategy=Strategy.SINGLE,
    orgs=tuple(one for one in FEDERATION.orgs if one.kind is OrgKind.SANDBOX or one.edition is Edition.ALIBABA),
)
HUB = ring("china-production", 5)
TO_CHINA = replace(
    sends(to_org="china-production"), federation=federation(strategy=Strategy.HUB, hub="global-production")
)
CHANNELS = {"as_of": "2026-11-22", "orgs": {"china-uat": {"channels": ["wecom"]}}}
EXCLUDED = (Excluded(MOBILE.key, "Salesforce mobile app", "Salesforce 移动应用", "CHN3S", "datasheet", MOBILE.source),)


def sessions(inside: str) -> Given:
    return Given((security(f"<sessionSettings>\n{inside}\n</sessionSettings>"),))


def at_login(level: str) -> Given:
    body = f"<profile>admin</profile><requiredSessionLevel>{level}</requiredSessionLevel>"
    return Given((whole("ProfileSessionSetting:A", f"<ProfileSessionSetting>{body}</ProfileSessionSetting>"),))


TWINS: list[Twin] = [
    (
        "K23.weakened",
        sessions("<requireHttpOnly>false</requireHttpOnly>"),
        sessions("<requireHttpOnly>true</requireHttpOnly>"),
    ),
    (
        "K23.long-session",
        sessions("<sessionTimeout>TwelveHours</sessionTimeout>"),
        sessions("<sessionTimeout>TwoHours</sessionTimeout>"),
    ),
    ("K23.low-level", at_login("LOW"), at_login("HIGH_ASSURANCE")),
    (
        "K10.below-floor",
        Given((whole("ApexClass:A", "<ApexClass><apiVersion>30.0</apiVersion></ApexClass>"),)),
        Given((whole("ApexClass:A", "<ApexClass><apiVersion>31.0</apiVersion></ApexClass>"),)),
    ),
    ("K10.above-ceiling", Given(known={"api_ceiling": "61.0"}), Given(known={"api_ceiling": "62.0"})),
    (
        "K20.missing",
        Given((MOBILE,), {"features": {"mobile-app": False}}),
        Given((MOBILE,), {"features": {"mobile-app": True}}),
    ),
    ("K20.excluded", Given(more={"excluded": EXCLUDED}), Given((MOBILE,), {"features": {"mobile-app": True}})),
    (
        "K21.global-host",
        Given((apex("class A { String u = 'https://acme.my.salesforce.com/x'; }"),)),
        Given((apex("class A { String u = '/lightning/page/home'; }"),)),
    ),
    (
        "K21.china-host",
        Given((apex("class A { String u = 'https://acme-cn.my.sfcrmproducts.cn/x'; }"),), org="global-uat"),
        Given((apex("class A { String u = 'https://acme-cn.my.sfcrmproducts.cn/x'; }"),)),
    ),
    (
        "K21.instance-host",
        Given((apex("class A { String u = 'https://na224.salesforce.com/x'; }"),), org="global-uat"),
        Given((apex("class A { String u = 'https://acme.my.salesforce.com/x'; }"),), org="global-uat"),
    ),
    (
        "K22.lightning-login",
        Given((security("<enableLightningLogin>true</enableLightningLogin>"),)),
        Given((security("<enableLightningLogin>false</enableLightningLogin>"),)),
    ),
    ("K22.authenticator-only", Given((security(MFA),)), Given((security(MFA + SKIP),))),
    ("K22.no-other-method", Given((security(MFA.replace("U2F", "X") + SKIP),)), Given((security(MFA + SKIP),))),
    (
        "K40.range-dropped",
        Given((security(RANGES),), {"trusted_ranges": [["9.9.9.9", "9.9.9.9"]]}),
        Given((security(RANGES),), {"trusted_ranges": [["1.1.1.1", "1.1.1.9"]]}),
    ),
    (
        "K41.no-break-glass",
        Given((security(SSO_ONLY),), {"break_glass_admins": ["a"]}),
        Given((security(SSO_ONLY),), {"break_glass_admins": ["a", "b"]}),
    ),
    (
        "K42.one-way",
        Given((security(SEVERAL % "true"),), {"multiple_saml_configs": False}),
        Given((security(SEVERAL % "true"),), {"multiple_saml_configs": True}),
    ),
    (
        "K42.cannot-turn-off",
        Given((security(SEVERAL % "false"),), {"multiple_saml_configs": True}),
        Given((security(SEVERAL % "false"),), {"multiple_saml_configs": False}),
    ),
    ("K43.certificate-expired", Given((saml(EARLY),)), Given((saml(LATE),))),
    ("K43.certificate-expires", Given((saml(date(2026, 12, 1)),)), Given((saml(LATE),))),
    ("K43.entity-id", Given((saml(LATE, "https://acme.my.salesforce.com"),)), Given((saml(LATE, ENTITY),))),
    (
        "K43.foreign-id",
        Given((saml(LATE, more="<requestSigningCertId>0P1000000000001</requestSigningCertId>"),)),
        Given((saml(LATE),)),
    ),
    (
        "K43.no-certificate",
        Given((whole("SamlSsoConfig:I", f"<SamlSsoConfig><samlEntityId>{ENTITY}</samlEntityId></SamlSsoConfig>"),)),
        Given((saml(LATE),)),
    ),
    (
        "K44.runner-locked-out",
        Given((whole("Profile:Admin", LOGIN),), {"runner_addresses": ["8.8.8.10"]}),
        Given((whole("Profile:Admin", LOGIN),), {"runner_addresses": ["8.8.8.9"]}),
    ),
    (
        "K44.no-address",
        Given((whole("Profile:Admin", LOGIN.replace("8.8.8.9", "x")),), {"runner_addresses": ["8.8.8.9"]}),
        Given((whole("Profile:Admin", LOGIN),), {"runner_addresses": ["8.8.8.9"]}),
    ),
    (
        "K50.freeze",
        Given(org="china-production", today=date(2026, 2, 15)),
        Given(org="china-production", today=date(2026, 2, 24)),
    ),
    ("K52.old-deviation", overrides(date(2026, 5, 1)), overrides(date(2026, 11, 1))),
    (
        "K54.no-certification",
        written("li@yuanhang.example", TODAY, partner(china_practice=None)),
        written("li@yuanhang.example", TODAY, partner()),
    ),
    (
        "K54.certification-expired",
        written("li@yuanhang.example", TODAY, partner(china_practice={"number": "CP-1", "until": "2026-10-31"})),
        written("li@yuanhang.example", EARLY, partner(china_practice={"number": "CP-1", "until": "2026-11-01"})),
    ),
    (
        "K54.no-contract",
        written("li@yuanhang.example", TODAY, partner(alibaba_contract=None)),
        written("anna@acme.example", TODAY),
    ),
    (
        "K54.contract-expired",
        written("li@yuanhang.example", TODAY, partner(alibaba_contract={"number": "ALI-1", "until": "2026-10-31"})),
        written("li@yuanhang.example", TODAY, partner()),
    ),
    (
        "K54.expires",
        written("li@yuanhang.example", TODAY, partner(alibaba_contract={"number": "ALI-1", "until": "2026-12-31"})),
        written("li@yuanhang.example", TODAY, partner()),
    ),
    (
        "K55.several-productions",
        Given(federation=federation(strategy=Strategy.SINGLE)),
        Given(federation=ONE_ORG),
    ),
    (
        "K55.no-hub",
        Given(federation=federation(strategy=Strategy.HUB, hub="global-uat")),
        Given(federation=HUB),
    ),
    ("K55.spoke-first", Given(federation=ring("china-production", 3)), Given(federation=HUB)),
    ("K55.not-through-hub", TO_CHINA, Given(federation=HUB, register=sends(to_org="global-production").register)),
    ("K55.one-centre", Given(federation=owned_by("hq")), Given(federation=FEDERATION)),
    ("K56.ended", Given(federation=term(date(2026, 11, 21))), Given(federation=term(date(2027, 11, 21)))),
    ("K56.ends", Given(federation=term(date(2026, 12, 21))), Given(federation=term(date(2027, 11, 21)))),
    ("K60.invalid", waived(date(2026, 11, 21)), waived(date(2026, 12, 31))),
    ("K60.expires", waived(date(2026, 11, 30)), waived(date(2026, 12, 31))),
    (
        "K70.hard-coded-id",
        Given((apex(f"class A {{ Id kind = '{RECORD_ID}'; }}"),)),
        Given((apex("class A { Id kind = Schema.SObjectType.Case.getRecordTypeInfosByDeveloperName(); }"),)),
    ),
    (
        "K70.hard-coded-id",
        Given((whole("Flow:F", f"<Flow>\n<stringValue>{RECORD_ID}{id_check(RECORD_ID)}</stringValue></Flow>"),)),
        Given((whole("Flow:F", f"<Flow>\n<stringValue>{RECORD_ID}AAA</stringValue></Flow>"),)),
    ),
    *(
        ("K71.secret", Given((apex(f"class A {{ String s = '{one}'; {one}"),)), Given((apex("class A { }"),)))
        for one in SECRETS.values()
    ),
    (
        "K71.secret",
        Given((whole("AuthProvider:A", "<AuthProvider>\n<consumerSecret>8F3A1C77AB</consumerSecret></AuthProvider>"),)),
        Given((whole("AuthProvider:A", "<AuthProvider>\n<consumerSecret>******</consumerSecret></AuthProvider>"),)),
    ),
    (
        "K72.sharing-rule",
        Given((part("SharingGuestRule:Case.Open", "sharingGuestRules", "<accessLevel>Read</accessLevel>"),)),
        Given((part("SharingOwnerRule:Case.Open", "sharingOwnerRules", "<accessLevel>Read</accessLevel>"),)),
    ),
    (
        "K72.outside-model",
        Given((whole("CustomObject:Visit__c", OBJECT % "ReadWrite"),)),
        Given((whole("CustomObject:Visit__c", OBJECT % "Private"),)),
    ),
    (
        "K72.site-setting",
        Given((whole("Network:Help", "<Network>\n<enableGuestFileAccess>true</enableGuestFileAccess></Network>"),)),
        Given((whole("Network:Help", "<Network>\n<enableGuestFileAccess>false</enableGuestFileAccess></Network>"),)),
    ),
    (
        "K73.all-data",
        Given((whole("PermissionSet:Sync", RIGHTS % "true"),)),
        Given((whole("PermissionSet:Sync", RIGHTS % "false"),)),
    ),
    (
        "K73.all-records",
        Given((whole("PermissionSet:Sync", RECORDS % "true"),)),
        Given((whole("PermissionSet:Sync", RECORDS % "false"),)),
    ),
    (
        "K74.exposed",
        Given((apex(CODE % ("without", "@AuraEnabled"), "Visits"),)),
        Given((apex(CODE % ("with", "@AuraEnabled"), "Visits"),)),
    ),
    (
        "K74.without-sharing",
        Given((apex(CODE % ("without", ""), "Visits"),)),
        Given((apex("// without sharing would be wrong\n" + CODE % ("inherited", ""), "Visits"),)),
    ),
    (
        "K75.no-test",
        Given((apex(CODE % ("with", ""), "Visits"),)),
        Given((apex(CODE % ("with", ""), "Visits"), apex("@IsTest\nclass VisitsTest {}", "VisitsTest"))),
    ),
    (
        "K76.data-lost",
        deletes("CustomField:Account.Rating__c"),
        deletes("CustomField:Account.Rating__c", exported_components=["CustomField:Account.Rating__c"]),
    ),
    ("K76.data-lost", deletes("CustomObject:Visit__c", "Layout:Visit__c-L"), deletes("Layout:Visit__c-L")),
    ("K78.still-used", without("CustomField:Visit__c.Rated", RATED), without("CustomField:Visit__c.Rate", RATED)),
    ("K78.entry-falls", without("CustomObject:Visit", ABOUT), without("CustomObject:Visits", ABOUT)),
    (
        "K77.labels",
        labelled(),
        labelled(
            whole(
                "Translations:zh_CN",
                "<Translations><customLabels><label>你好</label><name>Hello</name></customLabels></Translations>",
            )
        ),
    ),
    ("K77.object", Given((AMOUNT,)), Given((AMOUNT, whole("CustomObjectTranslation:Visit__c-zh_CN", TRANSLATED)))),
    (
        "K77.fields",
        Given(
            (field("Visit__c.B__c", "<label>B</label>"), whole("CustomObjectTranslation:Visit__c-zh_CN", TRANSLATED))
        ),
        Given((AMOUNT, whole("CustomObjectTranslation:Visit__c-zh_CN", TRANSLATED))),
    ),
]

ORPHAN = apex("class A {}")
GONE = Removal(ComponentKey.parse("CustomField:Account.Rating__c"), "no use", Place("metadata/china/remove.yml", 3))
UNKNOWN: list[tuple[str, Given]] = [
    ("K10", Given(known={"api_ceiling": None})),
    ("K20", Given((MOBILE,))),
    ("K24", Given(more={"checklist": Checklist.model_validate(CHANNELS)})),
    ("K45", Given(more={"checklist": Checklist.model_validate({"as_of": "2026-11-22"})})),
    ("K30", Given((part("WebLink:V.L", "webLinks", "<url>https://parts.acme.example/{!V__c.Who__c}</url>"),))),
    ("K40", Given((security(RANGES),))),
    ("K41", Given((security(SSO_ONLY),))),
    ("K42", Given((security(SEVERAL % "true"),))),
    ("K44", Given((whole("Profile:Admin", LOGIN),))),
    ("K50", Given(org="china-production", today=date(2031, 3, 18))),
    ("K51", Given()),
    ("K52", Given(more={"deviations": None})),
    ("K54", Given(more={"authors": None})),
    ("K54", Given((ORPHAN,), more={"authors": {}})),
    ("K54", written("somebody@elsewhere.example", TODAY)),
    ("K55", Given(federation=federation(strategy=None))),
    ("K76", Given(more={"removals": (GONE,)})),
]


@pytest.mark.parametrize(("check", "broken", "twin"), TWINS, ids=[f"{at} {twin[0]}" for at, twin in enumerate(TWINS)])
def test_a_check_finds_what_breaks_it_and_lets_its_twin_pass(check: str, broken: Given, twin: Given) -> None:
    assert check in broken.ids()
    assert check not in twin.ids()


@pytest.mark.parametrize(("rule", "given"), UNKNOWN, ids=[f"{at} {case[0]}" for at, case in enumerate(UNKNOWN)])
def test_a_fact_that_nobody_stated_is_asked_for(rule: str, given: Given) -> None:
    assert f"{rule}.unknown" in given.ids()


def test_an_author_whom_nobody_knows_is_asked_for_by_domain_and_by_where_it_goes() -> None:
    given = written("somebody@elsewhere.example", TODAY)
    (found,) = [one for one in given.findings() if one.id == "K54.unknown"]
    where = "orgs/partners.yml: elsewhere.example → own_domains, or partners → domains"
    assert found.fix == f"state it in {where}"
    assert "orgs/partners.yml: elsewhere.example → own_domains" in found.fix_zh


def test_no_finding_repeats_the_secret() -> None:
    for secret in SECRETS.values():
        found = Given((apex(f"class A {{ String s = '{secret}'; {secret}"),)).findings()
        assert not any(secret in str(one.as_json()) for one in found)


def test_an_id_in_a_test_is_no_finding() -> None:
    test = apex(f"@IsTest\nclass ATest {{ Id kind = '{RECORD_ID}'; }}", "ATest")
    assert "K70.hard-coded-id" not in Given((test,)).ids()


@given(st.from_regex(r"\A001[A-Za-z0-9]{12}\Z"))
def test_an_id_of_eighteen_characters_is_known_by_its_check(short: str) -> None:
    assert is_record_id(short + id_check(short))
    assert not is_record_id(short + id_check(short)[:2] + "9")


def test_the_history_gives_the_first_day_and_each_author_s_last(tmp_path: Path) -> None:
    commits = ("2026-11-02 Li@yuanhang.example", "2026-01-05 anna@acme.example")
    log = "".join(f"//{commit}\n\nmetadata/core/A.cls\n" for commit in commits)
    known = read_log(log, tmp_path)[str(tmp_path / "metadata/core/A.cls")]
    assert known.first == date(2026, 1, 5)
    assert known.authors == {"li@yuanhang.example": date(2026, 11, 2), "anna@acme.example": date(2026, 1, 5)}
    assert read_log(log, tmp_path)[str(tmp_path / "metadata/core")].authors == known.authors
