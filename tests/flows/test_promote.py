from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flows.bundle import Bundle
from flows.failures import PromotionFailed
from flows.ledger import Event, Ledger, Overtaken
from flows.lock import Held
from flows.metadata_api import Unreachable
from flows.metadata_results import ComponentFailure
from flows.objectstore import Buckets, MemoryStore
from flows.promote import Promotion
from flows.run import Silent
from flows.view import outcome_text
from kit.problems import Place, Problem
from orgs.federation import Org, load_federation
from tests.flows.release_support import OrgInMemory, apex, bundle_of, custom_field, state_of

FIRST = bundle_of(apex("A"), apex("ATest", test=True), custom_field("Case", "X__c", "old"))
SECOND = bundle_of(apex("A", "{ int a; }"), apex("ATest", test=True), apex("B"))


class Killed(BaseException):
    """The process was killed: nothing gets to clean up."""


class Teller(Silent):
    """Keeps the steps that it is told."""

    def __init__(self, told: list[str]) -> None:
        self.told = told

    def step(self, text: str) -> None:
        self.told.append(text)


@pytest.fixture(scope="session")
def china_uat() -> Org:
    return load_federation().org("china-uat")


@pytest.fixture
def org() -> OrgInMemory:
    return OrgInMemory()


@pytest.fixture
def promotion(china_uat: Org, org: OrgInMemory) -> Promotion:
    buckets = Buckets(MemoryStore("releases"), MemoryStore("ledger"), MemoryStore("backups"))
    return Promotion(china_uat, lambda: org, Ledger.of(buckets), buckets.releases, buckets.backups)  # type: ignore[arg-type, return-value]


def events(promotion: Promotion) -> list[Event]:
    return [entry.record.event for entry in promotion.ledger.entries("china-uat")]


def on(call: str, error: Callable[[], BaseException]) -> Callable[[str], None]:
    """Return a hook that raises at the first call of that name; "verify" is the first retrieve after a deployment."""
    left, seen = [call], set()

    def before(name: str) -> None:
        seen.add(name)
        if name == "retrieve" and "wait deployment" in seen:
            name = "verify"
        if name in left:
            left.remove(name)
            raise error()

    return before


def test_a_first_release_is_validated_deployed_verified_and_recorded(promotion: Promotion, org: OrgInMemory) -> None:
    outcome = promotion.promote(FIRST)
    assert outcome.plan.counts == {"created": 3, "changed": 0, "deleted": 0}
    assert events(promotion) == [Event.STARTED, Event.VALIDATING, Event.DEPLOYING, Event.SUCCEEDED]
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)
    assert "classes/A.cls" in org.files
    assert promotion.ledger.verify() == (4, [])


def test_a_second_promote_of_the_same_bundle_does_nothing(promotion: Promotion, org: OrgInMemory) -> None:
    promotion.promote(FIRST)
    before = len(org.requests)
    outcome = promotion.promote(FIRST)
    assert outcome.plan.empty
    assert outcome.result is None
    assert len(org.requests) == before
    assert len(events(promotion)) == 4


def test_a_changed_field_ships_alone(promotion: Promotion, org: OrgInMemory) -> None:
    promotion.promote(FIRST)
    changed = bundle_of(apex("A"), apex("ATest", test=True), custom_field("Case", "X__c", "new"))
    outcome = promotion.promote(changed)
    assert [str(key) for key in outcome.plan.touched] == ["CustomField:Case.X__c"]
    assert b"classes" not in org.requests[org.deploys[-1]][0]


def test_what_the_bundle_lost_is_destroyed(promotion: Promotion, org: OrgInMemory) -> None:
    promotion.promote(FIRST)
    outcome = promotion.promote(SECOND)
    assert [str(key) for key in outcome.plan.deletes] == ["CustomField:Case.X__c"]
    assert b"destructiveChangesPost.xml" in org.requests[org.deploys[-1]][0]


def test_a_refused_release_is_recorded_as_failed_and_leads_to_the_source(
    promotion: Promotion, org: OrgInMemory
) -> None:
    org.fail = (ComponentFailure("ApexClass", "A", "Variable does not exist: x", "classes/A.cls", 1, 8),)
    with pytest.raises(PromotionFailed) as failed:
        promotion.promote(FIRST)
    assert failed.value.problems[0].place == Place("A.cls", 1)
    assert events(promotion)[-1] is Event.FAILED
    assert "Variable does not exist: x" in promotion.ledger.entries("china-uat")[-1].record.problems[0]
    assert org.files == {}
    assert org.deploys == []


def test_a_release_goes_on_after_one_that_failed(promotion: Promotion, org: OrgInMemory) -> None:
    org.fail = (ComponentFailure("ApexClass", "A", "no", "classes/A.cls"),)
    with pytest.raises(PromotionFailed):
        promotion.promote(FIRST)
    org.fail = ()
    assert promotion.promote(FIRST).plan.counts["created"] == 3


def test_an_org_that_takes_no_quick_deploy_gets_the_same_package_the_long_way(
    promotion: Promotion, org: OrgInMemory
) -> None:
    org.quick = False
    promotion.promote(FIRST)
    (validated, _), (deployed, check_only) = org.requests.values()
    assert deployed == validated
    assert check_only is False


def test_a_component_that_the_org_does_not_give_back_fails_the_promote(promotion: Promotion, org: OrgInMemory) -> None:
    org.lose = "classes/A.cls"
    with pytest.raises(PromotionFailed, match="ApexClass:A was deployed, but"):
        promotion.promote(FIRST)
    assert events(promotion)[-1] is Event.FAILED


def test_a_component_that_the_org_rewrote_is_told_and_recorded(promotion: Promotion, org: OrgInMemory) -> None:
    def rewrite(call: str) -> None:
        if call == "retrieve" and org.deploys:
            org.files["classes/A.cls"] = b"public class A { /* rewritten */ }"

    org.before = rewrite
    outcome = promotion.promote(FIRST)
    assert outcome.verification
    assert [str(key) for key in outcome.verification.differs] == ["ApexClass:A"]
    assert outcome.entry
    assert outcome.entry.record.differs == ("ApexClass:A",)


STEPS = ["retrieve", "validate", "wait validation", "quick", "quick answered", "wait deployment", "verify"]


@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_any_step_is_finished_by_the_same_command(
    promotion: Promotion, org: OrgInMemory, step: str
) -> None:
    org.before = on(step, Killed)
    with pytest.raises(Killed):
        promotion.promote(FIRST)
    promotion.promote(FIRST)
    assert len(org.deploys) == 1, "it is deployed exactly once"
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)
    assert promotion.ledger.verify()[1] == []
    assert promotion.promote(FIRST).plan.empty


@pytest.mark.parametrize("step", STEPS)
def test_a_resumed_run_says_how_many_tests_its_validation_ran(
    promotion: Promotion, org: OrgInMemory, step: str
) -> None:
    org.before = on(step, Killed)
    with pytest.raises(Killed):
        promotion.promote(FIRST)
    outcome = promotion.promote(FIRST)
    assert "3 created, 0 changed, 0 deleted; 1 tests ran, none failed" in outcome_text(outcome, "oss://ledger/")


def dead_before_it_heard(promotion: Promotion, org: OrgInMemory) -> None:
    """Leave a run that asked for its deployment and died before it heard the answer."""
    org.before = on("quick answered", Killed)
    with pytest.raises(Killed):
        promotion.promote(FIRST)
    org.before = lambda _call: None


def test_a_user_who_may_not_list_deployments_deploys_once_more_and_is_told_so(
    promotion: Promotion, org: OrgInMemory
) -> None:
    dead_before_it_heard(promotion, org)
    org.unlisted = "INSUFFICIENT_ACCESS"
    told: list[str] = []
    promotion.reporter = Teller(told)
    promotion.promote(FIRST)
    assert any("doesn't show this user its deployments (INSUFFICIENT_ACCESS)" in step for step in told)
    assert len(org.deploys) == 2
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)


def test_an_org_that_does_not_say_whether_it_deployed_leaves_the_run_open(
    promotion: Promotion, org: OrgInMemory
) -> None:
    dead_before_it_heard(promotion, org)
    org.unlisted = "REQUEST_LIMIT_EXCEEDED"
    with pytest.raises(Unreachable, match="REQUEST_LIMIT_EXCEEDED"):
        promotion.promote(FIRST)
    assert events(promotion)[-1].is_open, "it is not known how it ended"
    org.unlisted = ""
    promotion.promote(FIRST)
    assert len(org.deploys) == 1, "nothing is deployed twice"
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_run_of_an_older_bundle_does_not_stand_in_the_way_of_a_newer_one(
    promotion: Promotion, org: OrgInMemory, step: str
) -> None:
    org.before = on(step, Killed)
    with pytest.raises(Killed):
        promotion.promote(FIRST)
    promotion.promote(SECOND)
    assert promotion.ledger.state_of("china-uat") == state_of(SECOND)
    assert promotion.ledger.verify()[1] == []


@pytest.mark.parametrize("step", STEPS)
def test_an_org_that_gives_no_answer_leaves_the_run_open(promotion: Promotion, org: OrgInMemory, step: str) -> None:
    org.before = on(step, lambda: Unreachable(Problem("no answer", "", "")))
    with pytest.raises(Unreachable):
        promotion.promote(FIRST)
    assert events(promotion)[-1].is_open
    promotion.promote(FIRST)
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)


def test_a_deployment_that_failed_while_nobody_looked_is_recorded_as_failed(
    promotion: Promotion, org: OrgInMemory
) -> None:
    org.before = on("wait deployment", Killed)
    with pytest.raises(Killed):
        promotion.promote(FIRST)
    org.fail = (ComponentFailure("ApexClass", "A", "no", "classes/A.cls"),)
    with pytest.raises(PromotionFailed):
        promotion.promote(FIRST)
    assert events(promotion)[-1] is Event.FAILED


def test_a_validation_changes_neither_org_nor_ledger(promotion: Promotion, org: OrgInMemory) -> None:
    outcome = promotion.validate(FIRST)
    assert outcome.result
    assert outcome.result.success
    assert org.files == {}
    assert events(promotion) == []


def test_every_release_starts_from_what_the_ledger_says(promotion: Promotion) -> None:
    for bundle in (FIRST, SECOND, FIRST, bundle_of()):
        promotion.promote(bundle)
        assert promotion.ledger.state_of("china-uat") == state_of(bundle)


def test_a_plan_altered_in_the_bucket_is_not_deployed(promotion: Promotion, org: OrgInMemory) -> None:
    org.before = on("wait deployment", Killed)
    with pytest.raises(Killed):
        promotion.promote(FIRST)
    releases = promotion.releases
    (key,) = releases.list("plans/")
    releases.put(key, releases.get(key).replace(b"ApexClass:A", b"ApexClass:Z", 1))
    with pytest.raises(Exception, match="was altered"):
        promotion.promote(FIRST)


def test_a_run_that_lost_the_org_while_it_slept_deploys_nothing(promotion: Promotion, org: OrgInMemory) -> None:
    def another_takes_over(call: str) -> None:
        if call == "wait validation":
            last = promotion.ledger.last("china-uat")
            assert last
            promotion.ledger.append("china-uat", last.record)

    org.before = another_takes_over
    with pytest.raises(Overtaken, match="another run wrote entry 3"):
        promotion.promote(FIRST)
    assert org.deploys == []


def test_a_run_that_lives_is_left_alone_and_named(promotion: Promotion, org: OrgInMemory) -> None:
    rival = replace(promotion)
    refused: list[Held] = []

    def rival_comes(call: str) -> None:
        if call == "wait validation" and not refused:
            with pytest.raises(Held) as held:
                rival.promote(SECOND)
            refused.append(held.value)

    org.before = rival_comes
    promotion.promote(FIRST)
    (problem,) = refused[0].problems
    assert "china-uat is held by run" in problem.what
    assert "last sign of life" in problem.what
    assert "take_over" in problem.fix
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)


def test_a_run_that_lives_can_be_taken_over_and_then_stops(promotion: Promotion, org: OrgInMemory) -> None:
    rival = replace(promotion, take_over=True)
    came: list[int] = []

    def rival_comes(call: str) -> None:
        if call == "wait validation" and not came:
            came.append(1)
            rival.promote(FIRST)

    org.before = rival_comes
    with pytest.raises(Overtaken):
        promotion.promote(FIRST)
    assert len(org.deploys) == 1
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)
    assert promotion.ledger.verify()[1] == []


def test_bundles_are_kept_by_digest(promotion: Promotion) -> None:
    promotion.promote(FIRST)
    assert promotion.releases.list("bundles/") == [f"bundles/{FIRST.digest}.zip"]
    assert isinstance(FIRST, Bundle)
