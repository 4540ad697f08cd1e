"""Which tests a plan runs, and why; and what it costs, as far as the ledger knows."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from flows.bundle import Bundle
from flows.components import Component, ComponentKey, MdapiFile
from flows.cost import cost_of
from flows.ledger import Entry, Event, Ledger, Record
from flows.objectstore import Buckets, MemoryStore
from flows.plan import Plan, TestLevel, Tests, make_plan
from flows.planning import plan_for
from flows.relatedtests import Wanted, choose
from flows.split import Limits, metadata_limits
from flows.view import cost_line, lines_of_tests
from kit.problems import Place
from orgs.federation import load_federation
from tests.flows.release_support import apex, bundle_of, custom_field, state_of

RELATED, LOCAL, SPECIFIED = Wanted.RELATED, TestLevel.LOCAL, TestLevel.SPECIFIED


def checking(name: str, code: str) -> Component:
    """Return a test class with that code in its only test method."""
    return apex(name, f"{{ @IsTest static void works() {{ {code} }} }}")


def trigger(name: str, on: str, code: str = "") -> Component:
    data = f"trigger {name} on {on} (before insert) {{ {code} }}".encode()
    file = MdapiFile(f"triggers/{name}.trigger", data)
    return Component(
        ComponentKey("ApexTrigger", name), hashlib.sha256(data).hexdigest(), "core", Place(name, 1), files=(file,)
    )


TESTS = (
    checking("ATest", "new A();"),
    checking("BTest", "B.go();"),
    checking("CTest", "new Case();"),
    checking("DTest", ""),
)
CODE = bundle_of(apex("A"), apex("B", "{ A a; }"), *TESTS, trigger("OnCase", "Case", "B.go();"))


def planned(bundle: Bundle, old: Bundle, wanted: Wanted = RELATED, production: bool = False) -> Plan:
    plan = make_plan(bundle, state_of(old), org="china-uat", production=production)
    return replace(plan, tests=choose(wanted, plan, bundle.components, production=production))


def changed(*new: Component) -> Bundle:
    return bundle_of(*{**CODE.components, **{each.key: each for each in new}}.values())


def related(*new: Component, production: bool = False) -> dict[str, str]:
    """Return the tests, with reasons, of a plan that brings `new` to an org that has CODE."""
    tests = planned(changed(*new), CODE, production=production).tests
    assert tests.level is SPECIFIED, tests
    return dict(zip(tests.classes, tests.because, strict=True))


def test_tests_that_name_a_class_run_directly_or_by_what_they_use() -> None:
    assert related(apex("A", "{ int a; }")) == {
        "ATest": "names ApexClass:A",
        "BTest": "names ApexClass:B, which names ApexClass:A",
    }


def test_a_test_that_changes_runs_and_no_other() -> None:
    assert related(checking("DTest", "// new")) == {"DTest": "it changes itself"}


def test_what_only_a_comment_names_is_not_related() -> None:
    more = checking("ETest", "/* A */ // A")
    tests = planned(bundle_of(*CODE.components.values(), more, apex("A2")), bundle_of(*CODE.components.values(), more))
    assert tests.tests.level is LOCAL


def test_a_trigger_concerns_tests_that_name_its_object() -> None:
    assert related(trigger("OnCase", "Case", "B.stop();")) == {"CTest": "names ApexTrigger:OnCase"}


def test_a_field_concerns_tests_that_name_it_even_in_a_string() -> None:
    test = checking("QTest", "Database.query('SELECT Visited__c FROM Case');")
    old = changed(test)
    new = bundle_of(*old.components.values(), custom_field("Case", "Visited__c", "x"))
    tests = planned(new, old).tests
    assert (tests.classes, tests.because) == (("QTest",), ("names CustomField:Case.Visited__c",))


def test_where_no_test_names_what_changes_all_local_ones_run_and_it_is_said() -> None:
    tests = planned(changed(custom_field("Case", "X__c", "x")), CODE).tests
    assert (tests.level, tests.classes) == (LOCAL, ())
    assert "no test of the release names what changes" in tests.because[0]


def test_production_runs_related_tests_when_they_reach_every_class_and_trigger() -> None:
    assert list(related(apex("A", "{ int a; }"), production=True)) == ["ATest", "BTest"]
    assert list(related(trigger("OnCase", "Case", "B.x();"), production=True)) == ["CTest"]


@pytest.mark.parametrize("wanted", [RELATED, Wanted.SPECIFIED])
def test_production_runs_all_when_a_class_would_go_without_a_test(wanted: Wanted) -> None:
    tests = planned(changed(apex("A", "{ int a; }"), apex("Lonely")), CODE, wanted, production=True).tests
    assert tests.level is LOCAL
    assert "no chosen test names ApexClass:Lonely" in tests.because[0]


def test_all_and_specified_and_usual_are_what_they_say() -> None:
    new = changed(apex("A", "{ int a; }"))
    assert planned(new, CODE, Wanted.ALL).tests.level is LOCAL
    assert planned(new, CODE, Wanted.SPECIFIED).tests.classes == ("ATest", "BTest", "CTest", "DTest")
    assert planned(new, CODE, Wanted.USUAL) == make_plan(new, state_of(CODE), org="china-uat", production=False)


def test_reasons_are_shown_and_part_of_the_digest() -> None:
    plan = planned(changed(apex("A", "{ int a; }")), CODE)
    assert "  ATest: names ApexClass:A" in lines_of_tests(plan.tests)
    assert plan.digest != replace(plan, tests=replace(plan.tests, because=())).digest


def entry(components: int, seconds: float, run: int, level: TestLevel = SPECIFIED) -> Entry:
    record = Record(
        Event.SUCCEEDED, "r", "b", "p", {"created": components},
        tests={"level": level.value, "run": run, "failed": 0, "seconds": 10.0 * run},
        seconds={"validate": seconds + 10.0 * run, "deploy": 0.0},
    )  # fmt: skip
    return Entry("china-uat", 1, "", "2026-11-22T00:00:00Z", "me", record, "d")


PLAN = replace(planned(CODE, bundle_of()), tests=Tests(SPECIFIED, ("ATest", "BTest")))


def test_how_long_it_takes_is_told_from_the_org_s_own_deployments() -> None:
    past = [entry(10, seconds, 5) for seconds in (60, 120, 600)]
    cost = cost_of(PLAN, CODE, metadata_limits(), past)
    assert (cost.parts, cost.files, cost.tests, cost.deployments) == (1, 8, 2, 3)
    assert cost.minutes == round((7 * 12 + 2 * 10) / 60, 1), "the median of seconds for each component and test"
    assert "about 1.7 minutes (median of 3 earlier deployments)" in cost_line(cost, metadata_limits())


@pytest.mark.parametrize(
    ("past", "plan", "why"),
    [
        ([], PLAN, "holds no deployment"),
        ([entry(3, 5, 0)], PLAN, "ran a test"),
        ([entry(3, 5, 2)], replace(PLAN, tests=Tests(LOCAL)), "never ran RunLocalTests"),
    ],
)
def test_what_nobody_knows_is_said_to_be_unknown(past: list[Entry], plan: Plan, why: str) -> None:
    cost = cost_of(plan, CODE, metadata_limits(), past)
    assert cost.minutes is None
    assert why in cost.unknown
    assert "how long: unknown" in cost_line(cost, metadata_limits())


def test_a_plan_in_parts_costs_what_all_parts_do() -> None:
    whole, parted = (cost_of(PLAN, CODE, limits, []) for limits in (metadata_limits(), Limits(5, 10**9, 10**9)))
    assert parted.parts > whole.parts == 1
    assert parted.files == whole.files + parted.parts - 1, "each has its own package.xml"


@pytest.mark.parametrize("wanted", list(Wanted))
def test_a_promote_of_an_approved_plan_runs_the_tests_that_were_approved(wanted: Wanted) -> None:
    buckets = Buckets(MemoryStore("releases"), MemoryStore("ledger"), MemoryStore("backups"))
    org = load_federation().org("china-uat")
    ledger = Ledger.of(buckets)
    index = ledger.put_index(state_of(CODE))
    ledger.append(org.name, Record(Event.SUCCEEDED, "r", "b", "p", {"created": 1}, index=index))
    new = changed(apex("A", "{ int a; }"))
    approved = plan_for(org, new, ledger, buckets.releases, wanted)
    assert plan_for(org, new, ledger, buckets.releases, approved=approved) == approved
    other = replace(approved, tests=Tests(SPECIFIED, ("DTest",)))
    assert plan_for(org, new, ledger, buckets.releases, approved=other).tests != other.tests, "no choice leads there"
