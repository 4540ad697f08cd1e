"""The outbound-transfer decision, against a second reading of the rules, over the whole space of facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.gates.crossborder import STRENGTH, decide, judge, table, totals
from kit.problems import Place
from kit.yamlfile import parse_yaml
from orgs.crossborder import SCHEMA_FILE, Register, Transfer, schema_text

TODAY = date(2026, 11, 22)
PLACE = Place("orgs/cross-border.yml", 7)
COUNTS = [0, 1, 9_999, 10_000, 99_999, 100_000, 999_999, 1_000_000, 50_000_000]
SPACE: dict[str, list[Any]] = {
    "leaves_mainland": [True, False],
    "important_data": ["none", "not-notified", "notified"],
    "data_origin": ["mainland", "abroad-in-transit"],
    "domestic_data_added": [True, False],
    "purpose": [
        "business-activity",
        "contract-with-individual",
        "human-resources",
        "emergency",
        "statutory-duty",
        "other",
    ],
    "free_trade_zone": ["none", "on-negative-list", "outside-negative-list"],
    "critical_infrastructure": [True, False],
    "has_pi": [True, False],
    "people": COUNTS,
    "sensitive_people": COUNTS,
}
KNOWN = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in SPACE.items()})
PARTLY = st.fixed_dictionaries({name: st.sampled_from([None, *values]) for name, values in SPACE.items()})


def read_by_hand(f: Mapping[str, Any]) -> str:
    """Return the deciding rule for facts that are all known, "" when no rule decides."""
    if not f["leaves_mainland"]:
        return "R01"
    if f["important_data"] == "notified":
        return "R02"
    if f["purpose"] == "business-activity" and not f["has_pi"]:
        return "R04"
    if f["data_origin"] == "abroad-in-transit" and not f["domestic_data_added"]:
        return "R05"
    by_purpose = {
        "contract-with-individual": "R06",
        "human-resources": "R07",
        "emergency": "R08",
        "statutory-duty": "R09",
    }
    if f["purpose"] in by_purpose:
        return by_purpose[f["purpose"]]
    if f["free_trade_zone"] == "outside-negative-list":
        return "R10"
    if not f["has_pi"]:
        return ""
    if f["critical_infrastructure"]:
        return "R11"
    if f["people"] >= 1_000_000 or f["sensitive_people"] >= 10_000:
        return "R12"
    return "R13" if f["people"] >= 100_000 or f["sensitive_people"] else "R14"


@settings(max_examples=600)
@given(KNOWN)
def test_the_first_rule_that_holds_decides(facts: dict[str, Any]) -> None:
    assert decide(facts).rule == read_by_hand(facts)


@settings(max_examples=400)
@given(PARTLY, KNOWN)
def test_what_is_decided_on_some_facts_stays_decided_whatever_the_others_turn_out_to_be(
    partly: dict[str, Any], rest: dict[str, Any]
) -> None:
    decision = decide(partly)
    whole = {name: rest[name] if value is None else value for name, value in partly.items()}
    if decision.rule:
        assert decide(whole).rule == decision.rule
    else:
        assert decision.missing
        unknown = {name for name, value in partly.items() if value is None}
        assert set(decision.missing) <= unknown or not read_by_hand(whole)


@settings(max_examples=300)
@given(KNOWN, st.sampled_from(COUNTS), st.sampled_from(["people", "sensitive_people"]))
def test_more_people_never_make_the_outcome_lighter(facts: dict[str, Any], more: int, which: str) -> None:
    facts["has_pi"] = True
    before = decide(facts)
    after = decide({**facts, which: max(facts[which], more)})
    assert STRENGTH[after.outcome] >= STRENGTH[before.outcome]


def test_nothing_known_passes_nothing() -> None:
    assert decide({}) == decide(dict.fromkeys(SPACE))
    assert (decide({}).rule, decide({}).missing) == ("", ("leaves_mainland",))


def test_every_rule_of_the_table_decides_something() -> None:
    decided = {entry["rule"] for entry in table()["decision"]}
    assert decided == {f"R{number:02}" for number in (1, 2, *range(4, 15))}


def transfer(**changes: object) -> Transfer:
    """Return a transfer that is in order, with changes."""
    data: dict[str, object] = {
        "id": "escalations",
        "from_orgs": ["china-production"],
        "recipient": "Headquarters",
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
    return Transfer.model_validate({**data, **changes})


def found(*transfers: Transfer, cii: bool | None = False) -> list[str]:
    register = Register(as_of=TODAY, critical_infrastructure=cii, transfers=transfers)
    return [one.id for one in judge(transfers[0], register, totals(register), PLACE, TODAY)]


def of(people: int, sensitive: int, day: date = date(2026, 11, 1)) -> dict[str, object]:
    return {"people": people, "sensitive_people": sensitive, "as_of": day}


def by(kind: str, until: str | None = "2028-06-30", number: str = "GB-2026-0007") -> dict[str, object]:
    return {"kind": kind, "number": number, "valid_until": until}


NOTIFIED: dict[str, object] = {"important_data": "notified", "important_data_notice": "Catalogue 2026, no. 12"}
BOTH = ["personal", "sensitive-personal"]
CASES: list[tuple[str, dict[str, object], list[str]]] = [
    ("in order", {}, []),
    ("stays at home", {"leaves_mainland": False, "mechanism": None}, []),
    ("unknown whether it leaves", {"leaves_mainland": None}, ["R01.unknown"]),
    ("important data", NOTIFIED, ["R02.mechanism"]),
    ("important data, says who", {"important_data": "notified"}, ["R03.unknown", "R02.mechanism"]),
    ("important data, assessed", {**NOTIFIED, "mechanism": by("security-assessment")}, []),
    ("important data unknown", {"important_data": None}, ["R03.unknown"]),
    ("purpose unknown", {"purpose": None}, ["R01.unknown"]),
    ("classes unknown", {"data_classes": None, "purpose": "business-activity"}, ["R01.unknown"]),
    ("staff", {"purpose": "human-resources", "volume": None, "mechanism": None}, []),
    ("100,000 people", {"volume": of(100_000, 0)}, ["R13.mechanism"]),
    ("99,999 people", {"volume": of(99_999, 0)}, []),
    ("contract for 100,000", {"volume": of(100_000, 0), "mechanism": by("standard-contract", None)}, []),
    ("certified", {"volume": of(100_000, 0), "mechanism": by("certification")}, []),
    (
        "certificate without number",
        {"volume": of(100_000, 0), "mechanism": by("certification", number="")},
        ["R13.unknown"],
    ),
    ("certificate without end", {"volume": of(100_000, 0), "mechanism": by("certification", None)}, ["R13.unknown"]),
    ("certificate over", {"volume": of(100_000, 0), "mechanism": by("certification", "2026-11-21")}, ["R12.expired"]),
    (
        "certificate on its last day",
        {"volume": of(100_000, 0), "mechanism": by("certification", "2026-11-22")},
        ["R12.expires"],
    ),
    ("contract for 1,000,000", {"volume": of(1_000_000, 0), "mechanism": by("standard-contract")}, ["R12.mechanism"]),
    ("assessed for 1,000,000", {"volume": of(1_000_000, 0), "mechanism": by("security-assessment")}, []),
    ("one sensitive person", {"data_classes": BOTH, "volume": of(0, 1)}, ["R13.mechanism"]),
    ("10,000 sensitive", {"data_classes": BOTH, "volume": of(0, 10_000)}, ["R12.mechanism"]),
    ("sensitive undeclared", {"volume": of(0, 1), "mechanism": by("certification")}, ["R18.class"]),
    (
        "sensitive without consent",
        {"data_classes": BOTH, "volume": of(0, 1), "mechanism": by("certification"), "separate_consent": False},
        ["R18.separate-consent"],
    ),
    ("mechanism unknown", {"volume": of(100_000, 0), "mechanism": None}, ["R13.unknown"]),
    ("volume unknown", {"volume": None}, ["R15.unknown", "R15.unknown"]),
    ("volume of last year", {"volume": of(5_000, 0, date(2025, 12, 31))}, ["R15.unknown"]),
    ("volume of the spring", {"volume": of(5_000, 0, date(2026, 3, 1))}, ["R15.old-volume"]),
    ("nobody told", {"individuals_notified": False}, ["R15.individuals-notified"]),
    ("told or not", {"individuals_notified": None}, ["R15.unknown"]),
    ("no separate consent", {"separate_consent": False}, ["R15.separate-consent"]),
    ("consent unknown", {"separate_consent": None}, ["R15.unknown"]),
    ("another basis", {"legal_basis": "contract", "separate_consent": None}, []),
    ("basis unknown", {"legal_basis": None}, ["R15.unknown"]),
    ("not assessed", {"impact_assessed_on": None}, ["R16.unknown"]),
    ("assessed tomorrow", {"impact_assessed_on": date(2026, 11, 23)}, ["R16.late"]),
    ("no contract with the recipient", {"recipient_contract": False}, ["R17.recipient-contract"]),
    ("contract unknown", {"recipient_contract": None}, ["R17.unknown"]),
]


@pytest.mark.parametrize(("changes", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_transfer_gets_the_findings_of_its_case(changes: dict[str, object], expected: list[str]) -> None:
    assert found(transfer(**changes)) == expected


def test_an_operator_of_critical_infrastructure_needs_an_assessment() -> None:
    assert found(transfer(), cii=True) == ["R11.mechanism"]
    assert found(transfer(), cii=None) == ["R11.unknown"]


def test_splitting_a_transfer_hides_no_threshold() -> None:
    half = transfer(volume=of(60_000, 0))
    other = half.model_copy(update={"id": "another", "from_orgs": ("china-staging",)})
    assert found(half) == []
    assert found(half, other) == ["R13.mechanism"]
    assert found(half, transfer(id="staff", volume=of(60_000, 0), purpose="human-resources")) == []


def test_the_schema_of_the_register_is_the_model_s() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()


def test_a_finding_leads_to_the_line_of_its_transfer() -> None:
    file = parse_yaml("as_of: 2026-11-22\ntransfers:\n  - id: a\n  - id: b\n", "register.yml")
    assert file.place(("transfers", 1)) == Place("register.yml", 4)
