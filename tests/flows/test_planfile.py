"""A plan as a file: read back as it was written, and refused when it, or what is planned, is another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flows.plan import Plan, make_plan
from flows.planfile import read_plan, refuse_if_other, write_plan
from kit.problems import Refused
from tests.flows.release_support import apex, bundle_of, state_of

BUNDLE = bundle_of(apex("A"), apex("B", "{ int b; }"), apex("ATest", test=True))
SHIPPED = state_of(bundle_of(apex("B"), apex("Gone")))


def plan_of(*names: str) -> Plan:
    return make_plan(bundle_of(*map(apex, names)), SHIPPED, org="china-uat", production=False)


PLAN = make_plan(BUNDLE, SHIPPED, org="china-uat", production=False)


def test_a_plan_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    write_plan(PLAN, tmp_path / "plans" / "plan.json")
    assert read_plan(tmp_path / "plans" / "plan.json") == PLAN
    refuse_if_other(PLAN, read_plan(tmp_path / "plans" / "plan.json"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ApexClass:A", "ApexClass:Evil"),
        ("china-uat", "china-production"),
        ('"level": "RunSpecifiedTests"', '"level": "RunLocalTests"'),
        ("ApexClass:Gone", "CustomObject:Case"),
    ],
)
def test_a_plan_that_was_altered_is_refused(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "plan.json"
    write_plan(PLAN, file)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(Refused, match="was altered after it was made"):
        read_plan(file)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "plan": 7}', '{"format": 1, "plan": {"org": "x"}}'])
def test_what_is_no_plan_is_refused_and_crashes_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)
    with pytest.raises(Refused, match="this is no plan"):
        read_plan(file)
    with pytest.raises(Refused, match="cannot read the plan"):
        read_plan(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (replace(PLAN, org="china-east"), "the plan is for china-uat, and this is china-east"),
        (replace(PLAN, base="0" * 64), "china-uat received something since the plan was made"),
        (plan_of("A", "B", "ATest", "New"), "says nothing of what it now creates: ApexClass:New"),
        (plan_of("A", "B"), "the plan creates what it now doesn't: ApexClass:ATest"),
        (replace(PLAN, bundle_digest="0" * 64), "the release has other content"),
        (replace(PLAN, tests=plan_of("A").tests), "other tests run"),
    ],
)
def test_what_differs_from_the_approved_plan_is_said(now: Plan, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        refuse_if_other(PLAN, now)
    assert PLAN.digest[:12] in refused.value.headline
