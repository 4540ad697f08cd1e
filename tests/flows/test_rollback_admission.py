"""What a rollback asks for: approvals of who may roll back, calendar, nobody locked out; in an emergency one key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.admission import Doorkeeper
from flows.approval import approve, known_approvers, read_approvals
from flows.components import ComponentKey
from flows.gates.finding import finding
from flows.ledger import Ledger
from flows.lockout import Accepted, Verdict
from flows.objectstore import Buckets, MemoryStore
from flows.promote import Promotion
from kit.problems import Problem, Refused
from orgs.federation import Federation, load_federation
from orgs.freezes import load_freezes
from tests.flows.release_support import OrgInMemory, apex, bundle_of

WORKING = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
FROZEN = datetime(2026, 10, 2, 2, 0, tzinfo=UTC)  # National Day
UPGRADE = datetime(2027, 2, 13, 4, 0, tzinfo=UTC)  # of the sandboxes' instance
FIRST = bundle_of(apex("A"), apex("ATest", test=True))
SECOND = bundle_of(apex("A", "{ int a; }"), apex("ATest", test=True))
REASON = "customers cannot log in"
PRODUCTION = "china-production"


def released(federation: Federation, folder: Path, name: str = PRODUCTION) -> Promotion:
    """Return what takes an org back that holds a second release; gates and rings let nothing pass."""
    org, held = federation.org(name), OrgInMemory()
    buckets = Buckets(MemoryStore("releases"), MemoryStore("ledger"), MemoryStore("backups"))
    promotion = Promotion(org, lambda: held, Ledger.of(buckets), buckets.releases, buckets.backups)  # type: ignore[arg-type, return-value]
    promotion.promote(FIRST)
    promotion.promote(SECOND)
    found = finding("R01.undeclared-host", "RemoteSiteSetting:A", None, host="a.com", address="https://a.com", org="x")
    promotion.keeper = Doorkeeper(
        org=org,
        federation=federation,
        freezes=load_freezes(None, federation),
        now=WORKING,
        gates=lambda _plan, _bundle: (found,),
        standings=list,
        signatures=lambda digest: read_approvals(folder / digest),
    )
    return promotion


def as_it_is(promotion: Promotion, **changes: object) -> None:
    """Change what the doorkeeper knows."""
    assert isinstance(promotion.keeper, Doorkeeper)
    promotion.keeper = replace(promotion.keeper, **changes)  # type: ignore[arg-type]


def sign(promotion: Promotion, keys: Path, folder: Path, *names: str, emergency: str = "") -> None:
    """Have approvers sign what a rollback would do."""
    digest = promotion.inverse().plan.digest
    for name in names:
        [approver] = [one for one in known_approvers(load_federation(), "local").approvers if one.name == name]
        approve(digest, keys.with_suffix("") / name, approver, folder / digest, emergency)


def refusal(promotion: Promotion) -> list[str]:
    """Return what a rollback is refused for; the ledger then says nothing of it."""
    before = len(promotion.ledger.entries(promotion.org.name))
    with pytest.raises(Refused) as refused:
        promotion.rollback()
    assert len(promotion.ledger.entries(promotion.org.name)) == before
    assert "may not be taken back now" in refused.value.headline
    assert all(problem.what_zh and problem.fix_zh for problem in refused.value.problems)
    return [problem.what for problem in refused.value.problems]


def test_production_is_taken_back_by_two_keys_and_gates_and_rings_are_not_asked(
    federation: Federation, keys: Path, tmp_path: Path
) -> None:
    promotion = released(federation, tmp_path)
    assert refusal(promotion) == [
        "a signature that may roll-back is missing",
        "a production org needs the signatures of two people",
        "a signature that may approve-core is missing",
    ]
    sign(promotion, keys, tmp_path, "li.wei", "anna.lindqvist")
    entry = promotion.rollback().entry
    assert entry
    assert {one["name"] for one in entry.record.approvals} == {"li.wei", "anna.lindqvist"}
    assert (entry.record.emergency, entry.record.overridden) == ("", ())


def test_in_an_emergency_the_second_key_alone_takes_production_back_even_on_a_holiday(
    federation: Federation, keys: Path, tmp_path: Path
) -> None:
    promotion = released(federation, tmp_path)
    as_it_is(promotion, now=FROZEN, emergency=REASON)
    assert "a signature that may approve-core in an emergency is missing" in refusal(promotion)
    sign(promotion, keys, tmp_path, "anna.lindqvist", emergency=REASON)
    entry = promotion.rollback().entry
    assert entry
    assert entry.record.emergency == REASON
    assert {(one["name"], one["namespace"]) for one in entry.record.approvals} == {
        ("anna.lindqvist", "sfoa-approval"),
        ("anna.lindqvist", "sfoa-emergency"),
    }
    assert any("is frozen until 2026-10-07" in what for what in entry.record.overridden)
    assert "a signature that may roll-back is missing" in entry.record.overridden


def test_the_owner_s_own_key_is_no_second_one(federation: Federation, keys: Path, tmp_path: Path) -> None:
    promotion = released(federation, tmp_path)
    as_it_is(promotion, emergency=REASON)
    sign(promotion, keys, tmp_path, "li.wei", emergency=REASON)
    assert any("li.wei is no approver of headquarters" in what for what in refusal(promotion))


def test_a_centre_without_the_power_to_roll_back_approves_none(
    federation: Federation, keys: Path, tmp_path: Path
) -> None:
    centres = tuple(
        one.model_copy(update={"powers": tuple(power for power in one.powers if power.value != "roll-back")})
        if one.name == "china"
        else one
        for one in federation.centres
    )
    promotion = released(federation.model_copy(update={"centres": centres}), tmp_path)
    sign(promotion, keys, tmp_path, "li.wei", "anna.lindqvist")
    assert any("li.wei's centre china may not roll-back" in what for what in refusal(promotion))


def test_no_emergency_takes_an_org_to_where_nobody_gets_in(federation: Federation, keys: Path, tmp_path: Path) -> None:
    promotion = released(federation, tmp_path)
    out = Problem("nobody gets in", "somebody does", "renew it", None, "", "无人能登录", "请续期")
    unknown = Problem("not tried", "it is tried", "try it", None, "", "未尝试", "请尝试")
    told: list[str] = []
    as_it_is(promotion, emergency=REASON, tell=told.append, lockout=lambda _p, _b: Verdict([out], [unknown]))
    sign(promotion, keys, tmp_path, "anna.lindqvist", emergency=REASON)
    assert refusal(promotion) == ["nobody gets in"]
    assert "Not known: not tried 未尝试" in told, "what nobody knows closes no way back"


def test_a_sandbox_is_taken_back_unsigned_and_in_a_freeze_with_headquarters_key(
    federation: Federation, keys: Path, tmp_path: Path
) -> None:
    promotion = released(federation, tmp_path, "china-uat")
    as_it_is(promotion, now=UPGRADE)
    [what] = refusal(promotion)
    assert "china-uat is frozen until 2027-02-14" in what
    as_it_is(promotion, emergency=REASON)
    sign(promotion, keys, tmp_path, "anna.lindqvist", emergency=REASON)
    entry = promotion.rollback().entry
    assert entry
    assert entry.record.emergency == REASON
    as_it_is(promotion, now=WORKING, emergency="")
    assert promotion.rollback().entry


def test_only_the_plan_that_was_approved_is_carried_out(federation: Federation, keys: Path, tmp_path: Path) -> None:
    promotion = released(federation, tmp_path)
    sign(promotion, keys, tmp_path, "li.wei", "anna.lindqvist")
    promotion.approved = promotion.inverse(0).plan
    with pytest.raises(Refused, match="is not what is planned now"):
        promotion.rollback()
    promotion.approved = promotion.inverse().plan
    assert promotion.rollback().entry


def test_the_ledger_says_where_an_assertion_was_tried_first(federation: Federation, tmp_path: Path) -> None:
    promotion = released(federation, tmp_path, "china-uat")
    tried = Accepted("china-staging", "2026-11-17T03:00:00.000+0000")
    as_it_is(
        promotion,
        gates=lambda _p, _b: (),
        lockout=lambda _p, _b: Verdict(tried=tried),
        org=federation.org("global-uat"),
    )
    entry = promotion.promote(FIRST).entry
    assert entry
    assert entry.record.tried == {"sandbox": "china-staging", "at": tried.at}
    assert promotion.ledger.last("china-uat") == entry, "it is read back as it was written"
    assert ComponentKey("ApexClass", "A") in promotion.ledger.state_of("china-uat")
