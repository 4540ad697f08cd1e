"""What the program registers keeps the rules; and the table of taggable types is the SDK's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.policy import sdk
from infra.policy.catalogue import RULES
from infra.policy.keeping import STATE, taggable
from infra.policy.model import Resource, Stack, plain, violations
from infra.providers import eiam


@pytest.mark.parametrize("stack", ["local", "example-production"])
def test_the_shipped_stacks_break_no_rule(stand: Any, stack: str) -> None:
    seen = stand(stack).resources
    resources = tuple(Resource(r.type, r.name, plain(r.inputs), r.urn, r.protect) for r in seen)
    assert Stack(resources).production is (stack == "example-production")
    assert [(v.rule.id, v.resource.name, v.found) for v in violations(RULES, Stack(resources))] == []


def test_the_table_of_taggable_types_is_that_of_the_sdk() -> None:
    assert sdk.taggable_types() == json.loads(sdk.FILE.read_text(encoding="utf-8"))["types"]
    assert "alicloud:vpc/network:Network" in taggable()
    assert "alicloud:oss/bucketAcl:BucketAcl" not in taggable()


def test_every_rule_is_about_resources_that_the_sdk_has() -> None:
    known = {Resource(token, "", {}).kind for token in sdk.tokens()}
    known |= {f"pulumi-python:{getattr(eiam, name)._resource_type_name}" for name in eiam.__all__}
    assert known >= STATE
    assert {kind for rule in RULES for kind in rule.kinds} <= known
