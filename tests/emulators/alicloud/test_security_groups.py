"""Security groups and their rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal


@pytest.fixture
def group(cloud: Cloud, vpc: str) -> str:
    """A security group in the VPC."""
    ident: str = cloud("ecs", "CreateSecurityGroup", VpcId=vpc, SecurityGroupName="web")["SecurityGroupId"]
    return ident


def rules(cloud: Cloud, group: str, **more: str) -> list[dict[str, Any]]:
    """Return the rules of a group."""
    answer = cloud("ecs", "DescribeSecurityGroupAttribute", SecurityGroupId=group, **more)
    found: list[dict[str, Any]] = answer["Permissions"]["Permission"]
    return found


HTTPS = {
    "Permissions__1__IpProtocol": "tcp",
    "Permissions__1__PortRange": "443/443",
    "Permissions__1__SourceCidrIp": "10.0.0.0/8",
    "Permissions__1__Policy": "accept",
    "Permissions__1__Priority": "1",
}


def test_a_rule_is_shown_with_what_the_provider_matches_on(cloud: Cloud, group: str) -> None:
    cloud("ecs", "AuthorizeSecurityGroup", SecurityGroupId=group, **HTTPS)
    (rule,) = rules(cloud, group, Direction="ingress", NicType="intranet")
    assert rule["SecurityGroupRuleId"].startswith("sgr-")
    wanted = {
        "Direction": "ingress",
        "IpProtocol": "TCP",
        "PortRange": "443/443",
        "SourceCidrIp": "10.0.0.0/8",
        "Policy": "Accept",
        "Priority": "1",
    }
    assert wanted.items() <= rule.items()
    assert rules(cloud, group, Direction="egress") == []


def test_authorizing_twice_makes_one_rule_and_revoking_twice_is_no_error(cloud: Cloud, group: str) -> None:
    for _ in range(2):
        cloud("ecs", "AuthorizeSecurityGroup", SecurityGroupId=group, **HTTPS)
    assert len(rules(cloud, group)) == 1
    single = {name.removeprefix("Permissions__1__"): value for name, value in HTTPS.items()}
    for _ in range(2):
        cloud("ecs", "RevokeSecurityGroup", SecurityGroupId=group, **single)
    assert rules(cloud, group) == []


def test_inbound_and_outbound_rules_are_apart(cloud: Cloud, group: str) -> None:
    sent = {"IpProtocol": "all", "PortRange": "-1/-1", "DestCidrIp": "0.0.0.0/0", "Policy": "drop"}
    cloud("ecs", "AuthorizeSecurityGroupEgress", SecurityGroupId=group, **sent)
    assert [rule["Direction"] for rule in rules(cloud, group)] == ["egress"]
    source = {"SourceCidrIp": "0.0.0.0/0"}
    cloud("ecs", "RevokeSecurityGroup", SecurityGroupId=group, **sent, **source)
    assert len(rules(cloud, group)) == 1
    cloud("ecs", "RevokeSecurityGroupEgress", SecurityGroupId=group, **sent)
    assert rules(cloud, group) == []


def test_a_rule_s_description_is_changed_by_its_fields_and_by_its_id(cloud: Cloud, group: str) -> None:
    cloud("ecs", "AuthorizeSecurityGroup", SecurityGroupId=group, **HTTPS)
    single = {name.removeprefix("Permissions__1__"): value for name, value in HTTPS.items()}
    cloud("ecs", "ModifySecurityGroupRule", SecurityGroupId=group, Description="tls", **single)
    (rule,) = rules(cloud, group)
    assert rule["Description"] == "tls"
    ident = rule["SecurityGroupRuleId"]
    cloud("ecs", "ModifySecurityGroupRule", SecurityGroupId=group, SecurityGroupRuleId=ident, Policy="drop")
    (rule,) = rules(cloud, group)
    assert (rule["Policy"], rule["Description"], rule["SecurityGroupRuleId"]) == ("Drop", "tls", ident)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("IpProtocol", "sctp", "InvalidIpProtocol.ValueNotSupported"),
        ("PortRange", "-1/-1", "InvalidParam.PortRange"),
        ("PortRange", "443", "InvalidParam.PortRange"),
        ("PortRange", "500/400", "InvalidParam.PortRange"),
        ("SourceCidrIp", "10.0.0.1/8", "InvalidParam.SourceIp"),
        ("SourceCidrIp", "", "MissingParameter"),
        ("Policy", "maybe", "InvalidPolicy.Malformed"),
        ("Priority", "101", "InvalidPriority.ValueNotSupported"),
    ],
)
def test_a_malformed_rule_is_refused_and_nothing_is_kept(
    cloud: Cloud, group: str, field: str, value: str, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        cloud("ecs", "AuthorizeSecurityGroup", SecurityGroupId=group, **HTTPS | {f"Permissions__1__{field}": value})
    assert refused.value.code == code
    assert rules(cloud, group) == []


def test_a_group_that_another_one_s_rule_names_is_not_deleted(cloud: Cloud, vpc: str, group: str) -> None:
    other = cloud("ecs", "CreateSecurityGroup", VpcId=vpc)["SecurityGroupId"]
    sent = {"IpProtocol": "tcp", "PortRange": "22/22", "SourceGroupId": group}
    cloud("ecs", "AuthorizeSecurityGroup", SecurityGroupId=other, **sent)
    with pytest.raises(Refusal, match="DependencyViolation.*" + other):
        cloud("ecs", "DeleteSecurityGroup", SecurityGroupId=group)
    cloud("ecs", "DeleteSecurityGroup", SecurityGroupId=other)
    cloud("ecs", "DeleteSecurityGroup", SecurityGroupId=group)
    assert cloud("ecs", "DescribeSecurityGroups")["SecurityGroups"]["SecurityGroup"] == []


def test_the_inner_policy_is_changed_on_normal_groups_only(cloud: Cloud, vpc: str, group: str) -> None:
    cloud("ecs", "ModifySecurityGroupPolicy", SecurityGroupId=group, InnerAccessPolicy="Drop")
    assert cloud("ecs", "DescribeSecurityGroupAttribute", SecurityGroupId=group)["InnerAccessPolicy"] == "Drop"
    sent = {"VpcId": vpc, "SecurityGroupType": "enterprise"}
    enterprise = cloud("ecs", "CreateSecurityGroup", **sent)["SecurityGroupId"]
    with pytest.raises(Refusal, match=r"InvalidSecurityGroupType\.NotSupported"):
        cloud("ecs", "ModifySecurityGroupPolicy", SecurityGroupId=enterprise, InnerAccessPolicy="Accept")


def test_regions_and_zones_are_the_table_s(cloud: Cloud) -> None:
    zones = [row["ZoneId"] for row in cloud("ecs", "DescribeZones")["Zones"]["Zone"]]
    assert zones == [f"cn-shanghai-{letter}" for letter in "befglm"]
    regions = [row["RegionId"] for row in cloud("ecs", "DescribeRegions")["Regions"]["Region"]]
    assert "cn-shanghai" in regions
