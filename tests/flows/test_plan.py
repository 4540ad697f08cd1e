from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given

from flows.bundle import Bundle
from flows.components import ComponentKey
from flows.plan import Plan, TestLevel, delete_order, make_plan, plan_from_json, state_after
from tests.flows.release_support import apex, bundle_of, bundles, custom_field, state_of


def plan_for(bundle: Bundle, shipped: dict[ComponentKey, str], production: bool = False) -> Plan:
    return make_plan(bundle, shipped, org="china-uat", production=production)


@given(bundles, bundles)
def test_a_plan_applied_to_what_the_org_holds_gives_the_bundle(before: Bundle, after: Bundle) -> None:
    plan = plan_for(after, state_of(before))
    assert state_after(plan, after, state_of(before)) == state_of(after)


@given(bundles, bundles)
def test_planning_again_is_empty(before: Bundle, after: Bundle) -> None:
    applied = state_after(plan_for(after, state_of(before)), after, state_of(before))
    assert plan_for(after, applied).empty


@given(bundles, bundles)
def test_a_component_is_touched_only_when_its_content_differs(before: Bundle, after: Bundle) -> None:
    plan = plan_for(after, state_of(before))
    same = {key for key, digest in state_of(before).items() if state_of(after).get(key) == digest}
    assert not same & {*plan.creates, *plan.changes, *plan.deletes}


@given(bundles, bundles)
def test_a_plan_survives_its_file(before: Bundle, after: Bundle) -> None:
    plan = plan_for(after, state_of(before))
    again = plan_from_json(json.loads(json.dumps(plan.as_json())))
    assert again == plan
    assert again.digest == plan.digest


@given(bundles, bundles, bundles)
def test_the_digest_tells_plans_from_different_states_apart(one: Bundle, other: Bundle, target: Bundle) -> None:
    same = state_of(one) == state_of(other)
    assert (plan_for(target, state_of(one)).digest == plan_for(target, state_of(other)).digest) is same


def test_one_changed_field_is_the_whole_plan() -> None:
    before = bundle_of(apex("A"), custom_field("Case", "X__c", "old"), custom_field("Case", "Y__c", "same"))
    after = bundle_of(apex("A"), custom_field("Case", "X__c", "new"), custom_field("Case", "Y__c", "same"))
    plan = plan_for(after, state_of(before))
    assert plan.touched == plan.changes == (ComponentKey("CustomField", "Case.X__c"),)
    assert plan.deletes == ()


def test_what_refers_is_deleted_before_what_it_refers_to() -> None:
    keys = [ComponentKey.parse(text) for text in (
        "CustomObject:Visit__c", "CustomField:Visit__c.Day__c", "Layout:Visit__c-Visit", "PermissionSet:Visits",
        "ApexClass:Visits", "ApexTrigger:OnVisit", "SomeFutureType:X", "RecordType:Visit__c.Plain",
    )]  # fmt: skip
    assert [key.type for key in delete_order(keys)] == [
        "PermissionSet", "Layout", "ApexTrigger", "ApexClass", "SomeFutureType", "RecordType", "CustomField",
        "CustomObject",
    ]  # fmt: skip


def test_settings_and_profiles_stay_in_the_org_when_a_release_no_longer_holds_them() -> None:
    shipped = {
        ComponentKey.parse(text): "0" * 64 for text in ("Settings:Case", "Profile:Sales", "Layout:Visit__c-Visit")
    }
    assert plan_for(bundle_of(), shipped).deletes == (ComponentKey("Layout", "Visit__c-Visit"),)


def test_a_sandbox_runs_the_bundle_s_own_tests() -> None:
    plan = plan_for(bundle_of(apex("A"), apex("ATest", test=True)), {})
    assert (plan.tests.level, plan.tests.classes) == (TestLevel.SPECIFIED, ("ATest",))


def test_production_runs_all_local_tests() -> None:
    plan = plan_for(bundle_of(apex("A"), apex("ATest", test=True)), {}, production=True)
    assert (plan.tests.level, plan.tests.classes) == (TestLevel.LOCAL, ())


def test_a_bundle_without_tests_still_runs_some_since_a_validation_must() -> None:
    assert plan_for(bundle_of(custom_field("Case", "X__c", "x")), {}).tests.level is TestLevel.LOCAL


def test_an_annotation_in_a_comment_or_string_makes_no_test_class() -> None:
    body = "{ // @IsTest\n /* @isTest */ String s = '@istest'; }"
    assert plan_for(bundle_of(apex("A", body)), {}).tests.level is TestLevel.LOCAL


def test_a_helper_that_only_tests_may_use_is_no_test_to_run() -> None:
    helper = apex("Records", "{ public static Case make() { return new Case(); } }", test=False)
    marked = replace(helper, files=(helper.files[0]._replace(data=b"@IsTest " + helper.files[0].data),))
    assert plan_for(bundle_of(marked, apex("ATest", test=True)), {}).tests.classes == ("ATest",)
