"""What was altered, swapped or changed after it was approved is refused, with what it is and where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.drift_org import drift_of
from flows.ledger import Ledger
from flows.objectstore import Buckets, MemoryStore
from flows.planfile import read_plan, write_plan
from flows.promote import Promotion
from flows.shelf import Shelf
from kit.problems import Problem, Refused
from orgs.federation import load_federation
from tests.flows.release_support import OrgInMemory, apex, bundle_of, custom_field

FIRST = bundle_of(apex("A"), custom_field("Case", "X__c", "old"))
SECOND = bundle_of(apex("A", "{ int a; }"), apex("B"))


class Killed(BaseException):
    """The process was killed."""


@pytest.fixture
def org() -> OrgInMemory:
    return OrgInMemory()


@pytest.fixture
def ledger_store() -> MemoryStore:
    return MemoryStore("ledger")


@pytest.fixture
def promotion(org: OrgInMemory, ledger_store: MemoryStore) -> Promotion:
    buckets = Buckets(MemoryStore("releases"), ledger_store, MemoryStore("backups"))
    uat = load_federation().org("china-uat")
    made = Promotion(uat, lambda: org, Ledger.of(buckets), buckets.releases, buckets.backups)  # type: ignore[arg-type, return-value]
    made.promote(FIRST)
    return made


def refused(act: Callable[[], object]) -> Problem:
    with pytest.raises(Refused) as said:
        act()
    return said.value.problems[0]


def killed_while_it_deploys(promotion: Promotion, org: OrgInMemory) -> None:
    def kill(call: str) -> None:
        if call == "wait deployment":
            org.before = lambda _call: None
            raise Killed

    org.before = kill
    with pytest.raises(Killed):
        promotion.promote(SECOND)


@pytest.mark.parametrize("sequence", [1, 2, 3, 4])
def test_any_altered_entry_is_found_and_named(promotion: Promotion, ledger_store: MemoryStore, sequence: int) -> None:
    key = f"orgs/china-uat/{sequence:08d}.json"
    ledger_store.put(key, ledger_store.get(key).replace(b'"by": "', b'"by": "not '))
    _, problems = promotion.ledger.verify()
    assert problems
    where = {str(problem.place) for problem in problems}
    follower = f"orgs/china-uat/{sequence + 1:08d}.json"
    assert where & {key, follower}, "the entry itself, or the one after it, which vouches for it"


def test_nothing_is_promoted_after_an_altered_entry(
    promotion: Promotion, org: OrgInMemory, ledger_store: MemoryStore
) -> None:
    key = "orgs/china-uat/00000004.json"
    ledger_store.put(key, ledger_store.get(key).replace(b'"by": "', b'"by": "not '))
    asked = len(org.requests)
    problem = refused(lambda: promotion.promote(SECOND))
    assert "was altered: the org's head, in another bucket, knows other bytes" in problem.what
    assert str(problem.place) == key
    assert len(org.requests) == asked


def test_a_removed_entry_is_found_and_nothing_is_promoted_after_it(
    promotion: Promotion, ledger_store: MemoryStore
) -> None:
    del ledger_store.objects["orgs/china-uat/00000004.json"]
    problem = refused(lambda: promotion.promote(SECOND))
    assert "00000004.json is missing" in problem.what
    assert promotion.ledger.verify()[1]


def test_a_swapped_bundle_is_not_deployed(promotion: Promotion, org: OrgInMemory) -> None:
    killed_while_it_deploys(promotion, org)
    releases = promotion.releases
    releases.put(f"bundles/{SECOND.digest}.zip", releases.get(f"bundles/{FIRST.digest}.zip"))
    problem = refused(lambda: promotion.promote(SECOND))
    assert problem.what == f"bundles/{SECOND.digest}.zip was altered: it has the digest {FIRST.digest}"
    assert "access log" in problem.fix


def test_a_swapped_bundle_is_no_base_of_a_drift(promotion: Promotion, org: OrgInMemory) -> None:
    Shelf(promotion.releases, promotion.backups).keep(SECOND, promotion.plan(SECOND))
    releases = promotion.releases
    releases.put(f"bundles/{FIRST.digest}.zip", releases.get(f"bundles/{SECOND.digest}.zip"))
    problem = refused(lambda: drift_of("china-uat", promotion.ledger, releases, lambda _version: org))  # type: ignore[arg-type, return-value]
    assert f"bundles/{FIRST.digest}.zip was swapped: it holds the bundle {SECOND.digest}" in problem.what


def test_a_plan_altered_on_the_shelf_is_not_deployed(promotion: Promotion, org: OrgInMemory) -> None:
    killed_while_it_deploys(promotion, org)
    digest = promotion.ledger.entries("china-uat")[-1].record.plan
    releases, key = promotion.releases, f"plans/{digest}.json"
    releases.put(key, releases.get(key).replace(b"ApexClass:B", b"ApexClass:Z"))
    assert refused(lambda: promotion.promote(SECOND)).what.startswith(f"{key} was altered: it has the digest")


def test_a_plan_file_that_was_changed_after_approval_is_refused_by_its_digest(
    promotion: Promotion, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    write_plan(promotion.plan(SECOND), file)
    data = json.loads(file.read_text())
    data["plan"]["deletes"] = []
    file.write_text(json.dumps(data))
    problem = refused(lambda: read_plan(file))
    assert "the plan was altered after it was made" in problem.what
    assert str(problem.place).endswith("plan.json")


def test_what_is_not_in_the_approved_plan_is_named_and_nothing_is_asked_of_the_org(
    promotion: Promotion, org: OrgInMemory
) -> None:
    promotion.approved = promotion.plan(SECOND)
    asked = len(org.requests)
    problem = refused(lambda: promotion.promote(bundle_of(*SECOND.components.values(), apex("Smuggled"))))
    assert "the plan says nothing of what it now creates: ApexClass:Smuggled" in problem.what
    assert len(org.requests) == asked
