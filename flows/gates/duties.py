"""Standing duties of the company (R16, R19, R22–R27), and how sensitive information is handled at home (R18).

No machine sees most of it: what `standing` and `processing` of the cross-border register leave out is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flows.bundle import Bundle
from flows.gates.classification import minors_of, sensitive_of
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding, unknown
from kit.problems import Place
from kit.yamlfile import YamlFile, read_yaml
from orgs.crossborder import ImportantData, LegalBasis, Processing, Standing
from orgs.editions import Edition
from orgs.federation import Federation, Org

TABLE_FILE = Path(__file__).with_name("duties.yml")
SUBJECT = "register:standing"


@cache
def figures() -> dict[str, Any]:
    """Return the dated figures: days, years, hours and people."""
    data: dict[str, Any] = read_yaml(TABLE_FILE).data
    return data


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge what the company owes at all times, and the sensitive fields that the bundle brings to a China org."""
    if org.edition is not Edition.ALIBABA:
        return
    yield from standing_duties(facts, today)
    yield from _handling(bundle, facts, today)


def standing_duties(facts: Facts, today: date) -> Iterator[Finding]:
    """Yield which standing duties are not met, and which nobody stated."""
    duties, file = facts.register.standing, facts.register_file
    yield from _keeping(duties, file)
    yield from _audit(duties, file, today)
    yield from _officer(duties, file)
    yield from _important(duties, file, today)
    yield from _reporting(duties, facts.register.critical_infrastructure, file)
    for at, transfer in enumerate(facts.register.transfers):
        claims = transfer.important_data is ImportantData.NOTIFIED
        if claims and duties.important_data in (ImportantData.NONE, ImportantData.NOT_NOTIFIED):
            yield finding("R03.contradiction", f"transfer:{transfer.id}", file.place(("transfers", at)))


def _keeping(duties: Standing, file: YamlFile) -> Iterator[Finding]:
    limits = figures()
    if duties.record_years is None:
        yield _ask("R16", "record_years", file)
    elif duties.record_years < limits["record_years"]:
        texts = {"years": duties.record_years, "least": limits["record_years"]}
        yield finding("R16.short-records", SUBJECT, _at(file, "record_years"), **texts)
    if duties.log_retention_days is None:
        yield _ask("R19", "log_retention_days", file)
    elif duties.log_retention_days < limits["log_days"]:
        texts = {"days": duties.log_retention_days, "least": limits["log_days"]}
        yield finding("R19.short-logs", SUBJECT, _at(file, "log_retention_days"), **texts)
    kept = {"classified": "no-classification", "backed_up": "no-backup", "encrypted": "no-encryption"}
    for fact, check in kept.items():
        done = getattr(duties, fact)
        if done is None:
            yield _ask("R19", fact, file)
        elif not done:
            yield finding(f"R19.{check}", SUBJECT, _at(file, fact))


def _audit(duties: Standing, file: YamlFile, today: date) -> Iterator[Finding]:
    if duties.people is None:
        yield _ask("R22", "people", file)
    if duties.last_audit_on is None:
        yield _ask("R22", "last_audit_on", file)
        return
    years = figures()["audit_years"]
    if today - duties.last_audit_on > timedelta(days=years * 365 + 1):
        many = duties.people is not None and duties.people > figures()["audit_people"]
        texts = {"day": duties.last_audit_on, "people": duties.people, "years": years}
        yield finding("R22.overdue" if many else "R22.old", SUBJECT, _at(file, "last_audit_on"), **texts)


def _officer(duties: Standing, file: YamlFile) -> Iterator[Finding]:
    if duties.people is None:
        yield _ask("R23", "people", file)
        return
    if duties.people < figures()["officer_people"]:
        return
    place = _at(file, "officer")
    if duties.officer is None:
        yield finding("R23.no-officer", SUBJECT, place, people=duties.people)
    elif duties.officer.reported_on is None:
        yield finding("R23.not-reported", SUBJECT, place, name=duties.officer.name)


def _important(duties: Standing, file: YamlFile, today: date) -> Iterator[Finding]:
    if duties.important_data is None:
        yield _ask("R24", "important_data", file)
    if duties.important_data is not ImportantData.NOTIFIED:
        return
    if duties.important_data_owner is None:
        yield _ask("R24", "important_data_owner", file)
    elif not duties.important_data_owner:
        yield finding("R24.no-owner", SUBJECT, _at(file, "important_data_owner"))
    day = duties.important_data_assessed_on
    if day is None:
        yield _ask("R24", "important_data_assessed_on", file)
    elif (today - day).days > figures()["assessment_days"]:
        yield finding("R24.assessment-overdue", SUBJECT, _at(file, "important_data_assessed_on"), day=day)


def _reporting(duties: Standing, critical: bool | None, file: YamlFile) -> Iterator[Finding]:
    limits = figures()
    if duties.leaks_are_notified is None:
        yield _ask("R25", "leaks_are_notified", file)
    elif not duties.leaks_are_notified:
        yield finding("R25.no-procedure", SUBJECT, _at(file, "leaks_are_notified"))
    hours = limits["critical_hours"] if critical else limits["incident_hours"]
    deadlines = [
        ("R26", "incident_report_hours", "too-late", "hours", hours),
        ("R26", "incident_final_report_days", "late-final", "days", limits["final_report_days"]),
        ("R27", "vulnerability_report_hours", "too-late", "hours", limits["vulnerability_hours"]),
    ]
    for rule, fact, check, unit, most in deadlines:
        stated = getattr(duties, fact)
        if stated is None:
            yield _ask(rule, fact, file)
        elif stated > most:
            yield finding(f"{rule}.{check}", SUBJECT, _at(file, fact), **{unit: stated, "least": most})


def _handling(bundle: Bundle, facts: Facts, today: date) -> Iterator[Finding]:
    entries = {entry.object: (at, entry) for at, entry in enumerate(facts.register.processing)}
    minors = minors_of(bundle)
    for owner, component in sensitive_of(bundle).items():
        if owner not in entries:
            fact = f"purpose, notice and legal basis of the sensitive information in {owner}"
            where, zh = f"{facts.register_file.name}: processing", f"{owner} 中敏感信息的处理目的、告知与法律依据"
            yield unknown("R18", f"CustomObject:{owner}", component.source, fact, where, zh)
            continue
        at, entry = entries[owner]
        yield from _entry(entry, facts.register_file.place(("processing", at)), owner in minors, today)


def _entry(entry: Processing, place: Place, minors: bool, today: date) -> Iterator[Finding]:
    name = f"processing:{entry.object}"
    if entry.legal_basis is None:
        yield unknown("R18", name, place, "legal_basis", place.file)
    elif entry.legal_basis is LegalBasis.CONSENT and entry.separate_consent is None:
        yield unknown("R18", name, place, "separate_consent", place.file)
    elif entry.legal_basis is LegalBasis.CONSENT and not entry.separate_consent:
        yield finding("R18.no-consent", name, place, object=entry.object)
    if minors and entry.guardian_consent is None:
        yield unknown("R18", name, place, "guardian_consent", place.file)
    elif minors and not entry.guardian_consent:
        yield finding("R18.no-guardian", name, place, object=entry.object)
    if entry.impact_assessed_on is None:
        yield unknown("R16", name, place, "impact_assessed_on", place.file)
    elif entry.impact_assessed_on > today:
        yield finding("R16.late", name, place, day=entry.impact_assessed_on)


def _ask(rule: str, fact: str, file: YamlFile) -> Finding:
    return unknown(rule, SUBJECT, _at(file, fact), f"standing.{fact}", file.name)


def _at(file: YamlFile, fact: str) -> Place:
    return file.place(("standing", fact))
