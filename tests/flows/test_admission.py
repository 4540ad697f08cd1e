"""What lets a plan pass: gates, calendar, rings, approvals with the real ssh-keygen; and the same inside a promote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.admission import Doorkeeper
from flows.approval import approve, known_approvers, read_approvals, time_now
from flows.bundle import Bundle
from flows.gates.finding import Waived, finding, unknown
from flows.ledger import Ledger
from flows.objectstore import Buckets, MemoryStore
from flows.plan import Plan
from flows.promote import Promotion
from flows.rings import Standing, before
from kit.problems import Refused
from orgs.federation import Approval, Federation, load_federation
from orgs.freezes import load_freezes
from tests.flows.release_support import OrgInMemory, apex, bundle_of

WORKING = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
FROZEN = datetime(2026, 10, 2, 2, 0, tzinfo=UTC)  # National Day
BUNDLE = bundle_of(apex("A"), apex("ATest", test=True))
REASON = "customers cannot log in"


@pytest.fixture
def keeper(federation: Federation, tmp_path: Path) -> Doorkeeper:
    """Return who guards China's production on a working day: every org before it holds the release."""
    org = federation.org("china-production")
    return Doorkeeper(
        org=org,
        federation=federation,
        freezes=load_freezes(None, federation),
        now=WORKING,
        gates=lambda _plan, _bundle: (),
        standings=lambda: [Standing(each.name, True, WORKING) for each in before(org, federation)],
        signatures=lambda digest: read_approvals(tmp_path / digest),
    )


@pytest.fixture
def promotion(keeper: Doorkeeper) -> Promotion:
    org = OrgInMemory()
    buckets = Buckets(MemoryStore("releases"), MemoryStore("ledger"), MemoryStore("backups"))
    made = Promotion(keeper.org, lambda: org, Ledger.of(buckets), buckets.releases, buckets.backups)  # type: ignore[arg-type, return-value]
    made.keeper = keeper
    return made


def sign(promotion: Promotion, keys: Path, folder: Path, *names: str, emergency: str = "") -> Plan:
    """Have approvers sign what is planned for BUNDLE."""
    plan = promotion.plan(BUNDLE)
    federation = known_approvers(load_federation(), "local")
    for name in names:
        [approver] = [one for one in federation.approvers if one.name == name]
        approve(plan.digest, keys.with_suffix("") / name, approver, folder / plan.digest, emergency)
    return plan


def refusal(promotion: Promotion, bundle: Bundle = BUNDLE) -> list[str]:
    """Return what a promote is refused for; the ledger then says nothing of it."""
    with pytest.raises(Refused) as refused:
        promotion.promote(bundle)
    assert promotion.ledger.entries(promotion.org.name) == []
    assert all(problem.what_zh and problem.fix_zh for problem in refused.value.problems)
    return [problem.what for problem in refused.value.problems]


def test_an_approved_plan_passes_and_the_ledger_says_by_whom(promotion: Promotion, keys: Path, tmp_path: Path) -> None:
    plan = sign(promotion, keys, tmp_path, "li.wei", "anna.lindqvist")
    outcome = promotion.promote(BUNDLE)
    assert outcome.entry
    record = outcome.entry.record
    assert record.plan == plan.digest
    assert {(one["name"], one["centre"]) for one in record.approvals} == {("li.wei", "china"), ("anna.lindqvist", "hq")}
    again = promotion.ledger.entries("china-production")
    assert all(entry.record.approvals == record.approvals for entry in again)
    assert promotion.ledger.verify()[1] == []


def test_an_unsigned_plan_for_production_is_refused_before_the_org_is_touched(promotion: Promotion) -> None:
    assert len(refusal(promotion)) == 3


def test_approvals_of_another_plan_do_not_count(promotion: Promotion, keys: Path, tmp_path: Path) -> None:
    plan = sign(promotion, keys, tmp_path, "li.wei", "anna.lindqvist")
    other = bundle_of(apex("A", "{ int evil; }"), apex("ATest", test=True))
    (tmp_path / plan.digest).rename(tmp_path / promotion.plan(other).digest)
    assert sum("is not one over this plan" in what for what in refusal(promotion, other)) == 2


def test_a_delegation_that_is_over_approves_nothing(promotion: Promotion, keys: Path, tmp_path: Path) -> None:
    sign(promotion, keys, tmp_path, "li.wei", "anna.lindqvist")
    assert isinstance(promotion.keeper, Doorkeeper)
    promotion.keeper = replace(promotion.keeper, now=datetime(2028, 3, 15, tzinfo=UTC))
    assert any("li.wei's centre china may not promote on 2028-03-15" in what for what in refusal(promotion))


def test_a_key_that_is_not_the_approver_s_is_refused_when_it_signs(
    promotion: Promotion, keys: Path, tmp_path: Path
) -> None:
    plan = promotion.plan(BUNDLE)
    approver = known_approvers(load_federation(), "local").approvers[0]
    with pytest.raises(Refused, match=f"this is not the key of {approver.name}"):
        approve(plan.digest, keys.with_suffix("") / "li.wei", approver, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("policy", "signed", "missing"),
    [
        (Approval.NONE, [], 0),
        (Approval.OWNER, [], 1),
        (Approval.OWNER, ["anna.lindqvist"], 0),
        (Approval.TWO_KEYS, ["anna.lindqvist"], 1),
        (Approval.TWO_KEYS, ["anna.lindqvist", "marcus.weber"], 0),
    ],
)
def test_what_a_sandbox_needs_is_what_the_federation_says(
    promotion: Promotion, keys: Path, tmp_path: Path, policy: Approval, signed: Sequence[str], missing: int
) -> None:
    assert isinstance(promotion.keeper, Doorkeeper)
    policies = promotion.keeper.federation.approvals.model_copy(update={"sandbox": policy})
    federation = promotion.keeper.federation.model_copy(update={"approvals": policies})
    promotion.org = federation.org("global-uat")
    promotion.lock.org = "global-uat"
    promotion.keeper = replace(promotion.keeper, org=promotion.org, federation=federation)
    sign(promotion, keys, tmp_path, *signed)
    if missing:
        assert len(refusal(promotion)) == missing
    else:
        promotion.promote(BUNDLE)


def test_all_that_stops_a_plan_is_said_at_once(promotion: Promotion) -> None:
    assert isinstance(promotion.keeper, Doorkeeper)
    promotion.keeper = replace(promotion.keeper, now=FROZEN, standings=list)
    found = refusal(promotion)
    assert sum("is frozen until 2026-10-07" in what for what in found) == 1
    assert sum("ring 5 is closed" in what for what in found) == 6
    assert len(found) == 10


def test_an_emergency_passes_calendar_and_rings_but_no_approval(
    promotion: Promotion, keys: Path, tmp_path: Path
) -> None:
    assert isinstance(promotion.keeper, Doorkeeper)
    promotion.keeper = replace(promotion.keeper, now=FROZEN, standings=list, emergency=REASON)
    assert any("approve-core in an emergency is missing" in what for what in refusal(promotion))
    sign(promotion, keys, tmp_path, "anna.lindqvist", emergency=REASON)
    assert all("signature" in what for what in refusal(promotion)), "the owner's is still missing"
    sign(promotion, keys, tmp_path, "li.wei")
    outcome = promotion.promote(BUNDLE)
    assert outcome.entry
    assert outcome.entry.record.emergency == REASON
    assert len(outcome.entry.record.overridden) == 7
    assert {one["namespace"] for one in outcome.entry.record.approvals} == {"sfoa-approval", "sfoa-emergency"}


def test_the_reason_is_part_of_what_headquarters_signs(promotion: Promotion, keys: Path, tmp_path: Path) -> None:
    assert isinstance(promotion.keeper, Doorkeeper)
    promotion.keeper = replace(promotion.keeper, now=FROZEN, emergency="I would rather not wait")
    sign(promotion, keys, tmp_path, "anna.lindqvist", "li.wei", emergency=REASON)
    assert any("signature of li.wei" in what or "li.wei is no approver" in what for what in refusal(promotion))
    assert any("the signature of anna.lindqvist is not one over this plan" in what for what in refusal(promotion))


def test_who_approved_a_plan_for_its_time_has_not_let_it_pass_a_freeze(
    promotion: Promotion, keys: Path, tmp_path: Path
) -> None:
    assert isinstance(promotion.keeper, Doorkeeper)
    promotion.keeper = replace(promotion.keeper, now=FROZEN, emergency=REASON)
    plan = sign(promotion, keys, tmp_path, "anna.lindqvist", "li.wei")
    ordinary = tmp_path / plan.digest / "anna.lindqvist.sig"
    ordinary.with_name("anna.lindqvist.emergency.sig").write_text(ordinary.read_text())
    assert any("the signature of anna.lindqvist is not one over this plan" in what for what in refusal(promotion))


def test_on_an_ordinary_day_an_emergency_is_none(promotion: Promotion, keys: Path, tmp_path: Path) -> None:
    assert isinstance(promotion.keeper, Doorkeeper)
    promotion.keeper = replace(promotion.keeper, emergency=REASON)
    sign(promotion, keys, tmp_path, "anna.lindqvist", "li.wei")
    outcome = promotion.promote(BUNDLE)
    assert outcome.entry
    assert (outcome.entry.record.emergency, outcome.entry.record.overridden) == ("", ())


def test_an_unknown_fact_stops_production_and_is_told_for_a_sandbox(
    promotion: Promotion, keys: Path, tmp_path: Path
) -> None:
    assert isinstance(promotion.keeper, Doorkeeper)
    found = unknown("K10", "org:x", None, "the highest API version of the org", "--facts (api_ceiling)")
    promotion.keeper = replace(promotion.keeper, gates=lambda _plan, _bundle: (found,))
    sign(promotion, keys, tmp_path, "anna.lindqvist", "li.wei")
    [what] = refusal(promotion)
    assert "the highest API version of the org is not known" in what
    told: list[str] = []
    sandbox = promotion.keeper.federation.org("china-uat")
    for shown in ({"org": sandbox}, {"lenient": True}):
        replace(promotion.keeper, **shown, tell=told.append).check(promotion.plan(BUNDLE), BUNDLE)
        assert told.pop().startswith("K10.unknown needs-info")


def test_what_a_gate_blocks_goes_nowhere_and_what_was_waived_is_in_the_ledger(
    promotion: Promotion, keys: Path, tmp_path: Path
) -> None:
    assert isinstance(promotion.keeper, Doorkeeper)
    sign(promotion, keys, tmp_path, "anna.lindqvist", "li.wei")
    found = finding("R01.undeclared-host", "RemoteSiteSetting:A", None, host="a.com", address="https://a.com", org="x")
    promotion.keeper = replace(promotion.keeper, gates=lambda _plan, _bundle: (found,))
    [what] = refusal(promotion)
    assert "a.com" in what
    with pytest.raises(Refused, match=r"a\.com"):
        promotion.validate(BUNDLE)
    waived = replace(found, waived=Waived("li.wei", "It answers nobody any more.", date(2026, 12, 1)))
    promotion.keeper = replace(promotion.keeper, gates=lambda _plan, _bundle: (waived,))
    outcome = promotion.promote(BUNDLE)
    assert outcome.entry
    [kept] = outcome.entry.record.waived
    assert (kept["check"], kept["by"], kept["until"]) == ("R01.undeclared-host", "li.wei", "2026-12-01")


def test_a_plan_changed_after_approval_is_not_deployed(promotion: Promotion, keys: Path, tmp_path: Path) -> None:
    promotion.approved = sign(promotion, keys, tmp_path, "anna.lindqvist", "li.wei")
    with pytest.raises(Refused, match="the release has other content"):
        promotion.promote(bundle_of(apex("A", "{ int b; }"), apex("ATest", test=True)))
    assert promotion.promote(BUNDLE).entry
    assert promotion.promote(BUNDLE).plan.empty, "the plan was carried out: there is nothing to do"


def test_the_emulators_keys_and_clock_count_nowhere_else(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = load_federation()
    monkeypatch.setenv("SFOA_APPROVERS", str(keys))
    monkeypatch.setenv("SFOA_NOW", "2026-11-18T10:00:00+08:00")
    assert known_approvers(shipped, "local").approvers != shipped.approvers
    assert time_now("local") == WORKING
    for environment in ("production", "staging", "Local", ""):
        with pytest.raises(Refused, match=f"SFOA_APPROVERS is set, and the stack's environment is {environment}"):
            known_approvers(shipped, environment)
        with pytest.raises(Refused, match=f"SFOA_NOW is set, and the stack's environment is {environment}"):
            time_now(environment)


@pytest.mark.parametrize("told", ["yesterday", "2026-11-18T10:00:00"])
def test_a_clock_that_tells_no_time_is_refused(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFOA_NOW", told)
    with pytest.raises(Refused, match="is no time"):
        time_now("local")


@pytest.mark.parametrize("text", ["{", "[]", '{"li.wei": "no key"}'])
def test_a_file_that_holds_no_keys_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "approvers.json"
    file.write_text(text)
    monkeypatch.setenv("SFOA_APPROVERS", str(file))
    with pytest.raises(Refused, match="no approvers' keys"):
        known_approvers(load_federation(), "local")
