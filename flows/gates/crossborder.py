"""The outbound-transfer decision (R01–R15) over the cross-border register."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from flows.bundle import Bundle
from flows.gates.facts import Facts
from flows.gates.finding import Finding, finding, unknown
from kit.problems import Place
from kit.yamlfile import read_yaml
from orgs.crossborder import DataClass, ImportantData, LegalBasis, MechanismKind, Register, Transfer
from orgs.editions import Edition
from orgs.federation import Federation, Org

TABLE_FILE = Path(__file__).with_name("crossborder.yml")
STRENGTH = {"none": 0, "exempt": 0, "contract-or-certification": 1, "assessment": 2}


@dataclass(frozen=True, slots=True)
class Decision:
    """What the table says: the rule and its outcome; or neither, and the facts without which it can't say."""

    rule: str = ""
    outcome: str = ""
    missing: tuple[str, ...] = ()


@cache
def table() -> dict[str, Any]:
    """Return the dated decision table."""
    data: dict[str, Any] = read_yaml(TABLE_FILE).data
    return data


def decide(facts: Mapping[str, object]) -> Decision:
    """Return the decision on these facts (see the table); an absent or None fact is unknown.

    The first rule whose condition holds wins. One whose condition is unknown ends the search without a decision, and
    so does the end of the table.
    """
    for entry in table()["decision"]:
        holds = [_all(alternative, facts) for alternative in entry["when"]]
        if True in holds:
            return Decision(entry["rule"], entry["outcome"])
        if None in holds:
            named = {name for alternative in entry["when"] for name in alternative}
            return Decision(missing=tuple(sorted(name for name in named if facts.get(name) is None)))
    return Decision(missing=("purpose",))


def facts_of(transfer: Transfer, register: Register, people: int | None, sensitive: int | None) -> dict[str, object]:
    """Return the facts of a transfer as the table names them, with these totals of the year."""
    classes = transfer.data_classes
    personal = None if classes is None else bool(classes & {DataClass.PERSONAL, DataClass.SENSITIVE})
    return {
        "leaves_mainland": transfer.leaves_mainland,
        "important_data": transfer.important_data,
        "purpose": transfer.purpose,
        "has_pi": personal,
        "data_origin": transfer.data_origin,
        "domestic_data_added": transfer.domestic_data_added,
        "free_trade_zone": transfer.free_trade_zone,
        "critical_infrastructure": register.critical_infrastructure,
        "people": people,
        "sensitive_people": sensitive,
    }


def totals(register: Register) -> tuple[int | None, int | None]:
    """Return how many people's data leaves in the year, not sensitive and sensitive, over all transfers that count.

    The sum over transfers is an upper bound for distinct people, and no splitting hides a threshold (CERT). None when
    a transfer that counts doesn't say.
    """
    people: int | None = 0
    sensitive: int | None = 0
    for transfer in register.transfers:
        facts = facts_of(transfer, register, None, None)
        if facts["has_pi"] is False or decide(facts).rule in table()["not_counted"]:
            continue
        volume = transfer.volume
        people = _plus(people, volume.people if volume else None)
        sensitive = _plus(sensitive, volume.sensitive_people if volume else None)
    return people, sensitive


def gate(bundle: Bundle, org: Org, federation: Federation, facts: Facts, today: date) -> Iterator[Finding]:  # noqa: ARG001  a gate's signature
    """Judge what the register says leaves a China org."""
    if org.edition is not Edition.ALIBABA:
        return
    people, sensitive = totals(facts.register)
    for at, transfer in enumerate(facts.register.transfers):
        if org.name in transfer.from_orgs:
            place = facts.register_file.place(("transfers", at))
            to = federation.org(transfer.to_org) if transfer.to_org else None
            if to and to.edition is not Edition.ALIBABA and transfer.leaves_mainland is False:
                yield finding("R01.claims-to-stay", f"transfer:{transfer.id}", place, to=to.name)
            yield from judge(transfer, facts.register, (people, sensitive), place, today)


def judge(
    transfer: Transfer, register: Register, year: tuple[int | None, int | None], place: Place, today: date
) -> Iterator[Finding]:
    """Yield what is wrong with one transfer, given the year's totals of all transfers."""
    name = f"transfer:{transfer.id}"
    judged = facts_of(transfer, register, *year)
    decision = decide(judged)
    for fact in decision.missing:
        yield unknown(table()["asks"].get(fact, "R01"), name, place, fact, place.file)
    if decision.rule == "R01":
        return
    yield from _claims(transfer, decision, name, place)
    if decision.rule:
        yield from _mechanism(transfer, decision, name, place, today)
    if judged["has_pi"] is not False:
        yield from _volume(transfer, decision, name, place, today)
        yield from _duties(transfer, name, place, today)


def _claims(transfer: Transfer, decision: Decision, name: str, place: Place) -> Iterator[Finding]:
    """Yield what is claimed of a transfer and not borne out: important data without a notice, another exemption."""
    if transfer.important_data is ImportantData.NOTIFIED and not transfer.important_data_notice:
        yield unknown("R03", name, place, "important_data_notice", place.file)
    claimed = transfer.mechanism.exemption if transfer.mechanism else None
    if transfer.mechanism is None or claimed is None:
        return
    if decision.rule and claimed != decision.rule:
        yield finding(f"{claimed}.claim", name, place, claimed=claimed, decided=decision.rule)
    elif claimed in table()["documented"] and not transfer.mechanism.evidence:
        yield unknown(claimed, name, place, "mechanism.evidence", place.file)


def _mechanism(transfer: Transfer, decision: Decision, name: str, place: Place, today: date) -> Iterator[Finding]:
    needed = STRENGTH[decision.outcome] > 0
    mechanism = transfer.mechanism
    if not needed and mechanism is None:
        return
    rule = decision.rule
    if mechanism is None:
        yield unknown(rule, name, place, "mechanism", place.file)
        return
    if mechanism.kind.value not in table()["accepted"][decision.outcome]:
        yield finding(f"{rule}.mechanism", name, place, declared=mechanism.kind.value)
        return
    if mechanism.kind is MechanismKind.EXEMPT:
        return
    if not mechanism.number:
        yield unknown(rule, name, place, "mechanism.number", place.file)
    until = mechanism.valid_until
    if until is None:
        if mechanism.kind is not MechanismKind.CONTRACT:
            yield unknown(rule, name, place, "mechanism.valid_until", place.file)
    elif until < today:
        yield finding("R12.expired", name, place, kind=mechanism.kind.value, number=mechanism.number, until=until)
    elif (until - today).days <= table()["figures"]["renewal_notice_days"]:
        yield finding("R12.expires", name, place, kind=mechanism.kind.value, number=mechanism.number, until=until)


def _volume(transfer: Transfer, decision: Decision, name: str, place: Place, today: date) -> Iterator[Finding]:
    volume = transfer.volume
    if volume is None or decision.rule in table()["not_counted"]:
        return  # without a volume the totals are unknown, which the decision says
    sensitive = transfer.data_classes is not None and DataClass.SENSITIVE in transfer.data_classes
    if volume.sensitive_people and not sensitive:
        yield finding("R18.class", name, place, count=volume.sensitive_people)
    if volume.as_of.year != today.year or volume.as_of > today:
        fact, zh = (
            f"volume since {today.year}-01-01 (as of {volume.as_of})",
            f"{today.year}-01-01 以来的数量({volume.as_of})",
        )
        yield unknown("R15", name, place, fact, place.file, zh)
    elif (today - volume.as_of).days > table()["figures"]["volume_age_days"]:
        yield finding("R15.old-volume", name, place, as_of=volume.as_of)


def _duties(transfer: Transfer, name: str, place: Place, today: date) -> Iterator[Finding]:
    if transfer.impact_assessed_on is None:
        yield unknown("R16", name, place, "impact_assessed_on", place.file)
    elif transfer.impact_assessed_on > today:
        yield finding("R16.late", name, place, day=transfer.impact_assessed_on)
    duties: list[tuple[str, str, bool | None]] = [
        ("R15", "individuals_notified", transfer.individuals_notified),
        ("R17", "recipient_contract", transfer.recipient_contract),
    ]
    sensitive = transfer.data_classes is not None and DataClass.SENSITIVE in transfer.data_classes
    if transfer.legal_basis is None:
        yield unknown("R15", name, place, "legal_basis", place.file)
    elif transfer.legal_basis is LegalBasis.CONSENT:
        duties.append(("R18" if sensitive else "R15", "separate_consent", transfer.separate_consent))
    until = transfer.contract_until
    if until and until < today:
        yield finding("R17.contract-expired", name, place, until=until)
    elif until and (until - today).days <= table()["figures"]["renewal_notice_days"]:
        yield finding("R17.contract-expires", name, place, until=until)
    for rule, fact, done in duties:
        if done is None:
            yield unknown(rule, name, place, fact, place.file)
        elif not done:
            yield finding(f"{rule}.{fact.replace('_', '-')}", name, place)


def _all(alternative: Mapping[str, object], facts: Mapping[str, object]) -> bool | None:
    answers = [_holds(condition, facts.get(name)) for name, condition in alternative.items()]
    return False if False in answers else None if None in answers else True


def _holds(condition: object, fact: object) -> bool | None:
    if fact is None:
        return None
    if isinstance(condition, bool):
        return fact is condition
    if isinstance(condition, Sequence):
        return fact in condition
    if isinstance(condition, Mapping) and isinstance(fact, int):
        least, below = condition.get("at_least"), condition.get("below")
        return (least is None or fact >= least) and (below is None or fact < below)
    raise TypeError(f"{condition!r} is no condition on {fact!r}")


def _plus(total: int | None, more: int | None) -> int | None:
    return None if total is None or more is None else total + more
