from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pulumi_alicloud as ali
import pytest

from infra.outputs import LandingZoneOutputs, parse_outputs

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def local(stand: Any) -> Any:
    return stand("local")


@pytest.fixture(scope="module")
def production(stand: Any) -> Any:
    return stand("example-production")


@pytest.mark.parametrize("stack", ["local", "example-production"])
def test_every_urn_is_the_one_that_stands_in_users_states(stand: Any, stack: str) -> None:
    """A URN that changes replaces what stands. Rewrite the file only when that is meant."""
    urns = sorted(resource.urn for resource in stand(stack).resources)
    assert urns == (HERE / f"urns.{stack}.txt").read_text(encoding="utf-8").splitlines()


def test_the_stack_exports_exactly_the_contract(local: Any) -> None:
    assert set(local.contract) <= set(LandingZoneOutputs.model_fields)
    outputs = parse_outputs(local.contract, "local")
    assert outputs.network_egress_ips == ("203.0.113.1", "203.0.113.2")
    assert len(outputs.network_vswitch_ids) == 3
    assert set(outputs.network_security_group_ids) == {"app", "data", "edge"}
    assert outputs.storage_ledger_bucket.startswith("acme-local-ledger-")
    assert outputs.storage_endpoint == "https://oss-cn-shanghai.aliyuncs.com"


def test_every_cloud_resource_is_the_child_of_its_component(local: Any) -> None:
    components = {r.urn for r in local.resources if r.type.startswith("sfoa:")}
    assert all(r.parent in components for r in local.resources if r.type.startswith("alicloud:"))


def test_no_urn_stands_twice(production: Any) -> None:
    urns = [r.urn for r in production.resources]
    assert len(urns) == len(set(urns))


def test_tags_stand_on_every_resource_whose_class_takes_them(local: Any) -> None:
    for resource in local.resources:
        if not resource.type.startswith("alicloud:"):
            continue
        _, path, name = resource.type.split(":")
        taken = "tags" in inspect.signature(getattr(getattr(ali, path.split("/")[0]), name)._internal_init).parameters
        assert ("tags" in resource.inputs) == taken, resource.urn
        if taken:
            assert resource.inputs["tags"]["managed-by"] == "pulumi"
            assert resource.inputs["tags"]["cost-center"] == "crm"


def test_production_protects_all_but_the_rules_between_tiers_and_the_local_stack_nothing(
    local: Any, production: Any
) -> None:
    free = {"SecurityGroup", "SecurityGroupRule", "NetworkAcl", "VpcNetworkAclAttachment"}
    for resource in production.resources:
        if resource.type.startswith("alicloud:"):
            assert resource.protect == (resource.type.rpartition(":")[2] not in free), resource.urn
    assert not any(resource.protect for resource in local.resources)


def test_production_asks_the_cloud_itself_to_refuse_deletion(local: Any, production: Any) -> None:
    for type_, on, off in (("EipAddress", True, False), ("NatGateway", True, False), ("Key", "Enabled", "Disabled")):
        assert {r.inputs["deletionProtection"] for r in production.of(type_).values()} == {on}
        assert {r.inputs["deletionProtection"] for r in local.of(type_).values()} == {off}


def test_no_deprecated_argument_is_used(local: Any, production: Any) -> None:
    known = 0
    for resource in (*local.resources, *production.resources):
        if resource.type.startswith("alicloud:"):
            _, path, name = resource.type.split(":")
            source = inspect.getsource(getattr(getattr(ali, path.split("/")[0]), name))
            deprecated = set(re.findall(r"@_utilities\.deprecated\(.*?\)\n +def (\w+)\(", source))
            snake = {re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower() for key in resource.inputs}
            assert not snake & deprecated, resource.urn
            known += len(deprecated)
    assert known, "the SDK no longer marks deprecated arguments as this test expects"
