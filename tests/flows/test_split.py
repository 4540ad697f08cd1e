"""Plans larger than one request of the Metadata API: parted in order, deployed in order, resumed, taken back whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.bundle import Bundle
from flows.components import Component, ComponentKey, Fragment
from flows.failures import PromotionFailed
from flows.ledger import Event, Ledger, Record
from flows.metadata_results import ComponentFailure
from flows.objectstore import Buckets, MemoryStore
from flows.package import assemble
from flows.plan import Plan, TestLevel, Tests, make_plan
from flows.promote import Promotion
from flows.split import Limits, batches, metadata_limits, size_of, split
from kit.problems import Refused
from orgs.federation import load_federation
from tests.flows.release_support import OrgInMemory, apex, bundle_of, bundles, custom_field, state_of

MUCH = 10**9
FIRST = bundle_of(apex("A"), apex("Old"), apex("ATest", test=True))
SECOND = bundle_of(
    apex("A", "{ int a; }"),
    apex("ATest", test=True),
    apex("B"),
    apex("C"),
    custom_field("Account", "X__c", "x"),
    custom_field("Case", "Y__c", "y"),
)
FOUR = Limits(5, MUCH, MUCH)
"""With the manifests, two files of components fit into a part: SECOND takes three."""


class Killed(BaseException):
    """The process was killed: nothing gets to clean up."""


def few(files: int) -> Limits:
    return Limits(files, MUCH, MUCH)


def plan_of(bundle: Bundle, shipped: Bundle | None = None) -> Plan:
    return make_plan(bundle, state_of(shipped) if shipped else {}, org="china-uat", production=False)


def lookup(container: str, name: str, to: str) -> Component:
    """Return a field of an object that looks up another."""
    field = custom_field(container, name, "l")
    assert field.fragment
    xml = field.fragment.xml.replace(b"</fields>", f"<referenceTo>{to}</referenceTo></fields>".encode())
    return replace(field, fragment=Fragment(field.fragment.path, "CustomObject", "fields", xml))


def names(parts: tuple[Plan, ...]) -> list[list[str]]:
    return [[key.full_name for key in part.touched] for part in parts]


@pytest.fixture
def org() -> OrgInMemory:
    return OrgInMemory()


@pytest.fixture
def promotion(org: OrgInMemory) -> Promotion:
    buckets = Buckets(MemoryStore("releases"), MemoryStore("ledger"), MemoryStore("backups"))
    china_uat = load_federation().org("china-uat")
    made = Promotion(china_uat, lambda: org, Ledger.of(buckets), buckets.releases, buckets.backups)  # type: ignore[arg-type, return-value]
    made.promote(FIRST)
    made.limits = FOUR
    return made


def records(promotion: Promotion, run: int = -1) -> list[Record]:
    entries = [entry.record for entry in promotion.ledger.entries("china-uat")]
    return [record for record in entries if record.run == entries[run].run]


def kill_at(call: str, time: int) -> Callable[[str], None]:
    """Return a hook that kills at the n-th call of that name (from 1)."""
    left = [call] * time

    def before(name: str) -> None:
        if name == call and left:
            left.pop()
            if not left:
                raise Killed

    return before


def test_the_limits_are_those_that_salesforce_states() -> None:
    assert metadata_limits() == Limits(10_000, 39 * 1024 * 1024, 600 * 1024 * 1024)


def test_a_plan_that_fits_stays_one_deployment() -> None:
    plan = plan_of(SECOND, FIRST)
    assert split(plan, SECOND, metadata_limits()) == (plan,)


@given(bundles, bundles, st.integers(5, 9))
def test_parts_make_up_the_plan_and_each_fits_into_a_request(before: Bundle, after: Bundle, files: int) -> None:
    plan = plan_of(after, before)
    try:
        parts = split(plan, after, few(files))
    except Refused:
        return  # classes that name each other are more than a part: said, and not tried
    assert sorted(key for part in parts for key in part.touched) == list(plan.touched)
    assert tuple(key for part in parts for key in part.deletes) == plan.deletes
    for part in parts:
        package = assemble([after.components[key] for key in part.touched], "62.0", destructive_post=part.deletes)
        assert size_of(package).files <= files
        assert (part.org, part.base, part.bundle_digest) == (plan.org, plan.base, plan.bundle_digest)
    deleting = [bool(part.deletes) for part in parts]
    assert deleting == sorted(deleting), "deletions go last"


def test_bytes_part_a_plan_as_files_do() -> None:
    bundle = bundle_of(*(apex(f"C{number}", "{ /* " + "x" * 3000 + " */ }") for number in range(6)))
    plan = plan_of(bundle)
    parts = split(plan, bundle, Limits(10_000, MUCH, 8000))
    assert len(parts) > 2
    for part in parts:
        assert size_of(assemble([bundle.components[key] for key in part.touched], "62.0")).unzipped_bytes <= 8000
    assert len(split(plan, bundle, Limits(10_000, 10_000, MUCH))) == 1, "zipped it is small"


def test_what_is_referred_to_goes_first() -> None:
    bundle = bundle_of(
        lookup("A__c", "B__c", "B__c"), custom_field("B__c", "X__c", "x"), apex("Aaa", "{ Bbb b; }"), apex("Bbb")
    )
    assert names(split(plan_of(bundle), bundle, few(4))) == [["B__c.X__c"], ["A__c.B__c"], ["Bbb"], ["Aaa"]]


def test_what_refers_to_each_other_stays_together() -> None:
    bundle = bundle_of(
        lookup("A__c", "B__c", "B__c"), lookup("B__c", "A__c", "A__c"), apex("Aaa", "{ Bbb b; }"),
        apex("Bbb", "{ Aaa a; }"), apex("Ccc"),
    )  # fmt: skip
    parts = names(split(plan_of(bundle), bundle, few(5)))
    assert parts == [["A__c.B__c", "B__c.A__c"], ["Aaa", "Bbb"], ["Ccc"]]
    with pytest.raises(Refused, match=r"ApexClass:Aaa, ApexClass:Bbb: 2 files.*can't be parted"):
        split(plan_of(bundle), bundle, few(4))


def test_a_part_runs_the_tests_that_are_there_by_then() -> None:
    bundle = bundle_of(custom_field("Case", "X__c", "x"), apex("A"), apex("ATest", test=True), apex("BTest", test=True))
    parts = split(plan_of(bundle), bundle, few(4))
    assert [part.tests for part in parts] == [
        Tests(TestLevel.LOCAL),
        Tests(TestLevel.LOCAL),
        Tests(TestLevel.SPECIFIED, ("ATest",)),
        Tests(TestLevel.SPECIFIED, ("ATest", "BTest")),
    ]


@given(bundles, st.integers(2, 6))
def test_lots_to_retrieve_hold_every_component_once(bundle: Bundle, files: int) -> None:
    lots = list(batches(tuple(bundle.components), bundle, few(files)))
    assert [key for lot in lots for key in lot] == list(bundle.components)
    assert all(len(lot) < files for lot in lots)


def test_a_plan_in_parts_is_one_release_with_the_ids_of_each_part(promotion: Promotion, org: OrgInMemory) -> None:
    before = len(org.deploys)
    outcome = promotion.promote(SECOND)
    assert promotion.ledger.state_of("china-uat") == state_of(SECOND)
    assert "classes/Old.cls" not in org.files
    assert outcome.plan.counts == {"created": 4, "changed": 1, "deleted": 1}
    done = records(promotion)
    assert [(each.event, each.part) for each in done] == [
        (Event.STARTED, 0),
        *((event, part) for part in (1, 2, 3) for event in (Event.VALIDATING, Event.DEPLOYING)),
        (Event.SUCCEEDED, 3),
    ]
    assert {each.parts for each in done} == {3}
    ids = [each["deployment"] for each in done[-1].earlier] + [done[-1].deployment]
    assert ids == org.deploys[before:]
    assert len({each.snapshot for each in done[1:]}) == 1
    assert promotion.ledger.verify()[1] == []


def test_a_release_in_parts_is_taken_back_whole(promotion: Promotion, org: OrgInMemory) -> None:
    before = org.holds
    promotion.promote(SECOND)
    promotion.rollback()
    assert org.holds == before
    assert promotion.ledger.state_of("china-uat") == state_of(FIRST)


KILLS = [("validate", 1), ("wait deployment", 1), ("validate", 2), ("wait validation", 2), ("quick", 2),
         ("wait deployment", 2), ("validate", 3), ("wait deployment", 3)]  # fmt: skip


@pytest.mark.parametrize(("call", "time"), KILLS)
def test_a_run_killed_in_or_between_parts_goes_on_where_it_stood(
    promotion: Promotion, org: OrgInMemory, call: str, time: int
) -> None:
    before = len(org.deploys)
    org.before = kill_at(call, time)
    with pytest.raises(Killed):
        promotion.promote(SECOND)
    promotion.limits = metadata_limits()  # a newer kit, with other limits: the parts stay as they were
    promotion.promote(SECOND)
    parts = 1 if (call, time) == ("validate", 1) else 3
    assert len(org.deploys) - before == parts, "every part is deployed exactly once"
    assert promotion.ledger.state_of("china-uat") == state_of(SECOND)
    assert promotion.ledger.verify()[1] == []
    assert promotion.promote(SECOND).plan.empty


@pytest.mark.parametrize(("call", "time"), [("wait validation", 2), ("quick", 3)])
def test_a_killed_run_in_parts_makes_way_for_another_release_and_says_what_it_left(
    promotion: Promotion, org: OrgInMemory, call: str, time: int
) -> None:
    before = org.holds
    org.before = kill_at(call, time)
    with pytest.raises(Killed):
        promotion.promote(SECOND)
    third = bundle_of(apex("A", "{ int c; }"), apex("ATest", test=True))
    promotion.promote(third)
    closed = [entry.record for entry in promotion.ledger.entries("china-uat") if entry.record.event is Event.FAILED]
    assert f"the run died after part {time - 1} of 3" in closed[0].problems[0]
    assert (set(org.files), org.fields) == ({"classes/A.cls", "classes/ATest.cls"}, {})
    assert promotion.ledger.state_of("china-uat") == state_of(third)
    promotion.rollback(4)
    assert org.holds == before


def test_a_part_that_the_org_refuses_leaves_the_earlier_ones_which_the_ledger_knows(
    promotion: Promotion, org: OrgInMemory
) -> None:
    before, seen = org.holds, []

    def refuse(call: str) -> None:
        seen.append(call)
        if seen.count("validate") == 2:
            org.fail = (ComponentFailure("ApexClass", "B", "no", "classes/B.cls", 1),)

    org.before = refuse
    with pytest.raises(PromotionFailed):
        promotion.promote(SECOND)
    org.before, org.fail = (lambda _call: None), ()
    held = promotion.ledger.state_of("china-uat")
    assert {ComponentKey("CustomField", "Account.X__c"), ComponentKey("CustomField", "Case.Y__c")} <= held.keys()
    assert ComponentKey("ApexClass", "B") not in held
    assert [str(key) for key in promotion.plan(SECOND).creates] == ["ApexClass:B", "ApexClass:C"], "the rest is left"
    promotion.rollback()
    assert org.holds == before


def test_a_validation_in_parts_says_that_it_sees_the_first_only(promotion: Promotion, org: OrgInMemory) -> None:
    said: list[str] = []
    promotion.reporter = type("Teller", (), {"step": lambda _, text: said.append(text), "progress": lambda *_: None})()
    before, entries = org.holds, len(promotion.ledger.entries("china-uat"))
    promotion.validate(SECOND)
    assert any("takes 3 deployments" in text for text in said)
    assert (org.holds, len(promotion.ledger.entries("china-uat"))) == (before, entries)


def test_a_plan_in_parts_has_the_digest_of_the_plan_that_was_approved(promotion: Promotion) -> None:
    approved = promotion.plan(SECOND)
    promotion.approved = approved
    promotion.promote(SECOND)
    assert promotion.ledger.last_success("china-uat").record.plan == approved.digest  # type: ignore[union-attr]
    assert json.dumps(approved.as_json())


def test_the_ledger_names_the_release_that_a_bundle_came_out_of(promotion: Promotion) -> None:
    promotion.release = "f" * 64
    promotion.promote(SECOND)
    assert {record.release for record in records(promotion)} == {"f" * 64}
    promotion.rollback()
    assert {record.release for record in records(promotion)} == {""}, "what is restored comes out of a snapshot"
