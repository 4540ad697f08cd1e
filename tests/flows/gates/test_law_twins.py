"""Every check of the law's family, broken once, and its twin that is in order."""

from __future__ import annotations

from datetime import date

import pytest

from flows.components import Component
from tests.flows.gates.builders import (
    GUEST,
    HELP,
    IS_GUEST,
    LINK,
    MODERATION,
    PII,
    SHOWN,
    SITE,
    Given,
    Twin,
    apex,
    company,
    field,
    network,
    part,
    remote,
    sends,
    whole,
)

SENSITIVE = ["personal", "sensitive-personal"]
LAST_COUNT = date(2026, 11, 1)
ASSESSED = {"kind": "security-assessment", "number": "CAC-2026-0042", "valid_until": "2028-06-30"}
CERTIFIED = {"kind": "certification", "number": "PIPC-2026-0007", "valid_until": "2028-06-30"}
IMPORTANT = {"important_data": "notified", "important_data_notice": "Catalogue of Shanghai, 2026, no. 12"}
CARD = (
    "<complianceGroup>PII</complianceGroup><label>ID card</label><length>18</length>"
    "<securityClassification>%s</securityClassification><type>Text</type>"
)
HEALTH = "<complianceGroup>HIPAA</complianceGroup><securityClassification>Restricted</securityClassification>"
CHILD = "<complianceGroup>PII;COPPA</complianceGroup><securityClassification>Restricted</securityClassification>"
AT_HOME = {"object": "Patient__c", "purpose": "care", "notice": "Notice 3", "impact_assessed_on": date(2026, 1, 5)}
REPORT = (
    "<Report><columns><field>Patient__c$Diagnosis__c</field></columns><format>Tabular</format>"
    "<reportType>CustomEntity$Patient__c</reportType></Report>"
)
RELAY = "<EventRelayConfig><destinationResourceName>arn:%s:events:%s:123456789012:event-bus/x</destinationResourceName>"
APP = "<ConnectedApp><oauthConfig><callbackUrl>https://%s/cb</callbackUrl></oauthConfig></ConnectedApp>"
MAIL = (
    "<EmailServicesFunction><apexClass>Inbound</apexClass><authorizedSenders>service@%s</authorizedSenders>"
    "<isActive>true</isActive></EmailServicesFunction>"
)


def of(people: int, sensitive: int, day: date = LAST_COUNT) -> dict[str, object]:
    return {"people": people, "sensitive_people": sensitive, "as_of": day}


def claims(exemption: str) -> dict[str, object]:
    return {"kind": "exempt", "exemption": exemption, "evidence": "Works agreement of 2026-01-12"}


def handles(body: str, **changes: object) -> Given:
    """Return a release with a sensitive field of Patient__c, and how the register says that it is handled."""
    entry = {**AT_HOME, "legal_basis": "consent", "separate_consent": True, "guardian_consent": True, **changes}
    return Given((field("Patient__c.Diagnosis__c", body),), register={"processing": [entry]})


def site(*components: Component, **about: object) -> Given:
    """Return a release with a site whose duties are met, but for these facts."""
    return Given((network(), SHOWN, *MODERATION, *components), {"sites": {"Help": {**HELP, **about}}})


def moderated(rule: str) -> Given:
    """Return a release with a site and one moderation rule that says this."""
    made = whole("ModerationRule:Help.R", f"<ModerationRule>\n{rule}</ModerationRule>")
    return Given((network(), SHOWN, made, MODERATION[1]), SITE)


def mails(address: str) -> Given:
    """Return a release with a flow that sends mail to an address, beside what it shows people."""
    to = f"<name>emailAddresses</name><value><stringValue>{address}</stringValue></value>"
    shown = "<screens><name>A</name><value><stringValue>help@acme.example</stringValue></value></screens>"
    sent = f"<actionType>emailSimple</actionType><inputParameters>{to}</inputParameters>"
    return Given((whole("Flow:Tell", f"<Flow>\n<actionCalls>{sent}</actionCalls>{shown}</Flow>"),))


def report(folder: str, shared_to: str = "Role") -> Given:
    shares = f"<folderShares><sharedTo>Ward</sharedTo><sharedToType>{shared_to}</sharedToType></folderShares>"
    components = (
        whole("ReportFolder:Ward", f"<ReportFolder><accessType>{folder}</accessType>{shares}</ReportFolder>"),
        whole("Report:Ward/Patients", REPORT),
        field("Patient__c.Diagnosis__c", HEALTH),
    )
    return Given(components)


def relay(partition: str, region: str) -> Given:
    return Given((whole("EventRelayConfig:Visits", RELAY % (partition, region) + "</EventRelayConfig>"),))


def link(name: str) -> tuple[Component, ...]:
    return (
        part("WebLink:Visit__c.L", "webLinks", LINK % name),
        field("Visit__c.Who__c", PII),
        field("Visit__c.Part__c", "<type>Text</type>"),
    )


STAFF = {"purpose": "human-resources"}
TRANSIT = {"data_origin": "abroad-in-transit", "domestic_data_added": False}
TWINS: list[Twin] = [
    ("R01.undeclared-host", Given((remote("api.stripe.com"),)), Given((remote("pay.acme-cn.example"),))),
    (
        "R01.undeclared-host",
        Given((whole("ConnectedApp:Bi", APP % "bi.example.com"),)),
        Given((whole("ConnectedApp:Bi", APP % "bi.acme-cn.example"),)),
    ),
    (
        "R01.undeclared-mail",
        Given((whole("EmailServicesFunction:Inbound", MAIL % "acme.example"),)),
        Given((whole("EmailServicesFunction:Inbound", MAIL % "mail.acme-cn.example"),)),
    ),
    ("R01.undeclared-mail", mails("duty@acme.example"), mails("duty@mail.acme-cn.example")),
    ("R01.undeclared-link", relay("aws", "eu-north-1"), relay("aws-cn", "cn-north-1")),
    (
        "R01.undeclared-link",
        Given((whole("ExternalDataSource:Hq", "<ExternalDataSource>\n<type>SfdcOrg</type></ExternalDataSource>"),)),
        Given(
            (whole("ExternalDataSource:Hq", "<ExternalDataSource>\n<type>SfdcOrg</type></ExternalDataSource>"),),
            register={
                "transfers": [
                    {
                        "id": "hq",
                        "from_orgs": ["china-uat"],
                        "recipient": "Headquarters",
                        "links": ["ExternalDataSource:Hq"],
                    }
                ]
            },
        ),
    ),
    (
        "R01.undeclared-link",
        Given((apex("class Share { PartnerNetworkRecordConnection c; }", "Share"),)),
        Given((apex("class Share { // PartnerNetworkRecordConnection is gone\n}", "Share"),)),
    ),
    ("R01.undeclared-link", Given(known={"salesforce_to_salesforce": True}), Given()),
    (
        "R01.claims-to-stay",
        sends(to_org="global-production", leaves_mainland=False),
        sends(to_org="china-east", leaves_mainland=False),
    ),
    ("R02.mechanism", sends(**IMPORTANT), sends(**IMPORTANT, mechanism=ASSESSED)),
    (
        "R03.contradiction",
        sends(**IMPORTANT, mechanism=ASSESSED),
        sends(important_data="not-notified"),
    ),
    (
        "R04.claim",
        sends(purpose="business-activity", mechanism=claims("R04")),
        sends(purpose="business-activity", mechanism=claims("R04"), data_classes=["business"]),
    ),
    (
        "R05.claim",
        sends(**{**TRANSIT, "domestic_data_added": True}, mechanism=claims("R05")),
        sends(**TRANSIT, mechanism=claims("R05")),
    ),
    ("R06.claim", sends(mechanism=claims("R06")), sends(purpose="contract-with-individual", mechanism=claims("R06"))),
    ("R07.claim", sends(mechanism=claims("R07")), sends(**STAFF, mechanism=claims("R07"))),
    ("R08.claim", sends(**STAFF, mechanism=claims("R08")), sends(purpose="emergency", mechanism=claims("R08"))),
    ("R09.claim", sends(mechanism=claims("R09")), sends(purpose="statutory-duty", mechanism=claims("R09"))),
    (
        "R10.claim",
        sends(free_trade_zone="on-negative-list", mechanism=claims("R10")),
        sends(free_trade_zone="outside-negative-list", mechanism=claims("R10")),
    ),
    (
        "R11.mechanism",
        Given(register={"critical_infrastructure": True, "transfers": sends().register["transfers"]}),
        Given(register={"critical_infrastructure": True, "transfers": sends(mechanism=ASSESSED).register["transfers"]}),
    ),
    (
        "R12.mechanism",
        sends(volume=of(1_000_000, 0), mechanism=CERTIFIED),
        sends(volume=of(1_000_000, 0), mechanism=ASSESSED),
    ),
    (
        "R12.expired",
        sends(volume=of(100_000, 0), mechanism={**CERTIFIED, "valid_until": "2026-11-21"}),
        sends(volume=of(100_000, 0), mechanism=CERTIFIED),
    ),
    (
        "R12.expires",
        sends(volume=of(100_000, 0), mechanism={**CERTIFIED, "valid_until": "2026-12-31"}),
        sends(volume=of(100_000, 0), mechanism=CERTIFIED),
    ),
    ("R13.mechanism", sends(volume=of(100_000, 0)), sends(volume=of(100_000, 0), mechanism=CERTIFIED)),
    (
        "R14.claim",
        sends(volume=of(100_000, 0), mechanism=claims("R14")),
        sends(volume=of(99_999, 0), mechanism=claims("R14")),
    ),
    ("R15.old-volume", sends(volume=of(5, 0, date(2026, 3, 1))), sends()),
    ("R15.class-not-declared", Given(link("Who__c")), Given(link("Part__c"))),
    ("R15.individuals-notified", sends(individuals_notified=False), sends()),
    ("R15.separate-consent", sends(separate_consent=False), sends()),
    ("R16.late", sends(impact_assessed_on=date(2026, 11, 23)), sends()),
    ("R16.short-records", company(record_years=2), company()),
    ("R17.recipient-contract", sends(recipient_contract=False), sends()),
    ("R17.contract-expired", sends(contract_until="2026-11-21"), sends(contract_until="2028-11-21")),
    ("R17.contract-expires", sends(contract_until="2026-12-21"), sends(contract_until="2028-11-21")),
    (
        "R18.class",
        sends(volume=of(0, 1), mechanism=CERTIFIED),
        sends(volume=of(0, 1), mechanism=CERTIFIED, data_classes=SENSITIVE),
    ),
    (
        "R18.separate-consent",
        sends(volume=of(0, 1), mechanism=CERTIFIED, data_classes=SENSITIVE, separate_consent=False),
        sends(volume=of(0, 1), mechanism=CERTIFIED, data_classes=SENSITIVE),
    ),
    ("R18.no-consent", handles(HEALTH, separate_consent=False), handles(HEALTH)),
    ("R18.no-guardian", handles(CHILD, guardian_consent=False), handles(CHILD)),
    (
        "R18.level-too-low",
        Given((field("Contact.ID_Card__c", CARD % "Internal"),)),
        Given((field("Contact.ID_Card__c", CARD % "Restricted"),)),
    ),
    ("R18.public-report", report("Public"), report("Hidden")),
    ("R18.public-report", report("Shared", "Organization"), report("Shared", "Role")),
    ("R19.short-logs", company(log_retention_days=180), company(log_retention_days=184)),
    ("R19.no-classification", company(classified=False), company()),
    ("R19.no-backup", company(backed_up=False), company()),
    ("R19.no-encryption", company(encrypted=False), company()),
    ("R20.no-moderation", Given((network(), SHOWN), SITE), site()),
    ("R20.moderation-off", moderated("<active>false</active>"), moderated("<active>true</active>")),
    (
        "R20.moderation-of-some",
        moderated("<active>true</active><userCriteria>Help.Partners</userCriteria>"),
        moderated("<active>true</active>"),
    ),
    ("R20.no-flagging", Given((whole("Network:Help", "<Network></Network>"), SHOWN, *MODERATION), SITE), site()),
    ("R20.no-takedown-contact", site(takedown_contact=""), site()),
    ("R20.short-archive", site(content_days=30), site()),
    (
        "R20.no-real-names",
        Given(
            (network("<selfRegistration>true</selfRegistration>"),),
            {"sites": {"Help": {"real_name_verification": False}}},
        ),
        Given(
            (network("<selfRegistration>true</selfRegistration>"),),
            {"sites": {"Help": {"real_name_verification": True}}},
        ),
    ),
    (
        "R20.guest-rights",
        Given((whole("Profile:Help Guest", GUEST % ("Edit", "Edit", IS_GUEST)),)),
        Given((whole("Profile:Help Guest", GUEST % ("Create", "Create", IS_GUEST)),)),
    ),
    ("R21.no-number", site(icp_number=""), site()),
    ("R21.number-not-shown", site(icp_number="京ICP备00000001号"), site()),
    ("R22.overdue", company(people=20_000_000, last_audit_on="2024-01-01"), company(people=20_000_000)),
    ("R22.old", company(last_audit_on="2024-01-01"), company()),
    (
        "R23.no-officer",
        company(people=1_000_000),
        company(people=1_000_000, officer={"name": "Wu Lan", "contact": "pi@acme-cn.example"}),
    ),
    (
        "R23.not-reported",
        company(people=1_000_000, officer={"name": "Wu Lan", "contact": "pi@acme-cn.example"}),
        company(people=1_000_000, officer={"name": "Wu Lan", "contact": "x", "reported_on": "2026-02-01"}),
    ),
    (
        "R24.no-owner",
        company(important_data="notified", important_data_owner=""),
        company(important_data="notified", important_data_owner="Wu Lan, data security committee"),
    ),
    (
        "R24.assessment-overdue",
        company(important_data="notified", important_data_assessed_on="2025-11-01"),
        company(important_data="notified", important_data_assessed_on="2026-02-01"),
    ),
    ("R25.no-procedure", company(leaks_are_notified=False), company()),
    ("R26.too-late", company(incident_report_hours=5), company(incident_report_hours=4)),
    ("R26.late-final", company(incident_final_report_days=31), company(incident_final_report_days=30)),
    ("R27.too-late", company(vulnerability_report_hours=25), company(vulnerability_report_hours=24)),
    (
        "K30.unclassified",
        Given((field("Visit__c.Mobile__c", "<label>Mobile</label><type>Phone</type>"),)),
        Given((field("Visit__c.Mobile__c", PII + "<label>Mobile</label><type>Phone</type>"),)),
    ),
    (
        "K30.no-level",
        Given((field("Visit__c.Who__c", "<complianceGroup>PII;GDPR</complianceGroup>"),)),
        Given((field("Visit__c.Who__c", PII),)),
    ),
]

UNKNOWN: list[tuple[str, Given]] = [
    ("R01", sends(leaves_mainland=None)),
    ("R01", Given(known={"salesforce_to_salesforce": None})),
    ("R02", sends(**IMPORTANT, mechanism=None)),
    ("R03", sends(important_data=None)),
    ("R03", sends(important_data="notified", mechanism=ASSESSED)),
    ("R05", sends(**{**TRANSIT, "domestic_data_added": None})),
    ("R07", sends(**STAFF, mechanism={"kind": "exempt", "exemption": "R07"})),
    ("R10", sends(free_trade_zone=None)),
    ("R11", Given(register={"critical_infrastructure": None, "transfers": sends().register["transfers"]})),
    ("R13", sends(volume=of(100_000, 0), mechanism=None)),
    ("R15", sends(volume=None)),
    ("R16", company(record_years=None)),
    ("R16", handles(HEALTH, impact_assessed_on=None)),
    ("R17", sends(recipient_contract=None)),
    ("R18", Given((field("Patient__c.Diagnosis__c", HEALTH),))),
    ("R18", handles(CHILD, guardian_consent=None)),
    ("R19", company(log_retention_days=None)),
    ("R19", company(encrypted=None)),
    ("R20", site(content_days=None)),
    ("R21", site(icp_number=None)),
    ("R22", company(last_audit_on=None)),
    ("R23", company(people=None)),
    ("R24", company(important_data=None)),
    ("R24", company(important_data="notified")),
    ("R25", company(leaks_are_notified=None)),
    ("R26", company(incident_report_hours=None)),
    ("R27", company(vulnerability_report_hours=None)),
]


@pytest.mark.parametrize(("check", "broken", "twin"), TWINS, ids=[f"{at} {twin[0]}" for at, twin in enumerate(TWINS)])
def test_a_check_finds_what_breaks_it_and_lets_its_twin_pass(check: str, broken: Given, twin: Given) -> None:
    assert check in broken.ids()
    assert check not in twin.ids()


@pytest.mark.parametrize(("rule", "given"), UNKNOWN, ids=[f"{at} {case[0]}" for at, case in enumerate(UNKNOWN)])
def test_a_fact_that_nobody_stated_is_asked_for(rule: str, given: Given) -> None:
    assert f"{rule}.unknown" in given.ids()


def test_a_company_in_order_is_asked_nothing() -> None:
    assert {one.id for one in sends().findings() if one.component == "transfer:escalations"} == set()
    assert {one.id for one in company().findings() if one.component == "register:standing"} == set()
