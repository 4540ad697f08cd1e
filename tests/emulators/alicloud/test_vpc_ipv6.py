"""IPv6: blocks of a VPC and its vSwitches, the gateway, and what lets an address out and nothing in."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import Any

import pytest

from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal


@pytest.fixture
def dual(cloud: Cloud) -> str:
    """A VPC with IPv6 that is available."""
    ident: str = cloud("vpc", "CreateVpc", CidrBlock="10.0.0.0/16", EnableIpv6="true")["VpcId"]
    cloud.wait()
    return ident


def switch(cloud: Cloud, vpc: str, number: int, **more: str) -> str:
    sent = {"VpcId": vpc, "CidrBlock": f"10.0.{number}.0/24", "ZoneId": "cn-shanghai-l", **more}
    ident: str = cloud("vpc", "CreateVSwitch", **sent)["VSwitchId"]
    cloud.wait()
    return ident


def block(cloud: Cloud, vswitch: str) -> str:
    shown: str = cloud("vpc", "DescribeVSwitchAttributes", VSwitchId=vswitch)["Ipv6CidrBlock"]
    return shown


def gateway(cloud: Cloud, vpc: str) -> str:
    ident: str = cloud("vpc", "CreateIpv6Gateway", VpcId=vpc, Name="six")["Ipv6GatewayId"]
    cloud.wait()
    return ident


@pytest.fixture
def ways(cloud: Cloud, dual: str) -> dict[str, str]:
    """A gateway, and an address that may send by it."""
    made = gateway(cloud, dual)
    vswitch = switch(cloud, dual, 1, Ipv6CidrBlock="1")
    address = cloud("vpc", "AllocateIpv6Address", VSwitchId=vswitch)["Ipv6AddressId"]
    sent = {"Ipv6GatewayId": made, "Ipv6AddressId": address, "Bandwidth": "5", "InternetChargeType": "PayByTraffic"}
    bandwidth = cloud("vpc", "AllocateIpv6InternetBandwidth", **sent)["InternetBandwidthId"]
    return {"gateway": made, "vswitch": vswitch, "address": address, "bandwidth": bandwidth}


def test_each_vpc_has_a_block_of_its_own_and_a_vswitch_the_part_of_it_that_it_asks_for(cloud: Cloud, dual: str) -> None:
    other = cloud("vpc", "CreateVpc", CidrBlock="10.0.0.0/16", EnableIpv6="true")["VpcId"]
    blocks = [IPv6Network(cloud("vpc", "DescribeVpcAttribute", VpcId=vpc)["Ipv6CidrBlock"]) for vpc in (dual, other)]
    assert not blocks[0].overlaps(blocks[1])
    assert {each.prefixlen for each in blocks} == {56}
    inside = IPv6Network(block(cloud, switch(cloud, dual, 1, Ipv6CidrBlock="255")))
    assert inside.subnet_of(blocks[0])
    assert (inside.prefixlen, f"{inside}".endswith("ff::/64")) == (64, True)
    with pytest.raises(Refusal, match=r"InvalidIpv6CidrBlock\.Overlapped"):
        switch(cloud, dual, 2, Ipv6CidrBlock="255")


def test_a_vpc_without_ipv6_gives_none_until_it_is_enabled(cloud: Cloud, vpc: str, vswitch: str) -> None:
    for action, sent in (
        ("CreateIpv6Gateway", {"VpcId": vpc}),
        ("ModifyVSwitchAttribute", {"VSwitchId": vswitch, "EnableIPv6": "true", "Ipv6CidrBlock": "3"}),
    ):
        with pytest.raises(Refusal, match=r"InvalidVpcIpv6\.NotEnabled"):
            cloud("vpc", action, **sent)
    with pytest.raises(Refusal, match=r"InvalidVSwitchIpv6\.NotEnabled"):
        cloud("vpc", "AllocateIpv6Address", VSwitchId=vswitch)
    cloud("vpc", "ModifyVpcAttribute", VpcId=vpc, EnableIPv6="true")
    cloud("vpc", "ModifyVSwitchAttribute", VSwitchId=vswitch, EnableIPv6="true", Ipv6CidrBlock="3")
    assert block(cloud, vswitch).endswith("03::/64")
    cloud("vpc", "ModifyVSwitchAttribute", VSwitchId=vswitch, EnableIPv6="false")
    assert block(cloud, vswitch) == ""


def test_a_vpc_has_one_ipv6_gateway_which_keeps_it_from_being_deleted(cloud: Cloud, dual: str) -> None:
    made = gateway(cloud, dual)
    with pytest.raises(Refusal, match=r"QuotaExceeded\.Ipv6Gateway"):
        gateway(cloud, dual)
    cloud("vpc", "ModifyIpv6GatewayAttribute", Ipv6GatewayId=made, Name="out")
    (shown,) = cloud("vpc", "DescribeIpv6Gateways", VpcId=dual)["Ipv6Gateways"]["Ipv6Gateway"]
    assert (shown["Ipv6GatewayId"], shown["Name"], shown["Status"]) == (made, "out", "Available")
    with pytest.raises(Refusal, match=r"DependencyViolation\.Ipv6Gateway"):
        cloud("vpc", "DeleteVpc", VpcId=dual)
    cloud("vpc", "DeleteIpv6Gateway", Ipv6GatewayId=made)
    assert cloud("vpc", "DescribeIpv6GatewayAttribute", Ipv6GatewayId=made)["Status"] == ""
    cloud("vpc", "DeleteVpc", VpcId=dual)


def row(cloud: Cloud, ways: dict[str, str]) -> dict[str, Any]:
    found = cloud("vpc", "DescribeIpv6Addresses", Ipv6InternetBandwidthId=ways["bandwidth"])
    (shown,) = found["Ipv6Addresses"]["Ipv6Address"]
    return dict(shown)


def test_an_address_sends_by_its_own_bandwidth(cloud: Cloud, ways: dict[str, str]) -> None:
    shown = row(cloud, ways)
    assert IPv6Address(shown["Ipv6Address"]) in IPv6Network(block(cloud, ways["vswitch"]))
    assert (shown["Ipv6GatewayId"], shown["NetworkType"]) == (ways["gateway"], "Public")
    cloud("vpc", "ModifyIpv6InternetBandwidth", Ipv6InternetBandwidthId=ways["bandwidth"], Bandwidth="7")
    assert row(cloud, ways)["Ipv6InternetBandwidth"]["Bandwidth"] == 7
    for action, sent in (
        ("DeleteIpv6Gateway", {"Ipv6GatewayId": ways["gateway"]}),
        ("ReleaseIpv6Address", {"Ipv6AddressId": ways["address"]}),
    ):
        with pytest.raises(Refusal, match=r"DependencyViolation\.Ipv6InternetBandwidth"):
            cloud("vpc", action, **sent)
    cloud("vpc", "DeleteIpv6InternetBandwidth", Ipv6InternetBandwidthId=ways["bandwidth"])
    found = cloud("vpc", "DescribeIpv6Addresses", Ipv6InternetBandwidthId=ways["bandwidth"])
    assert found["Ipv6Addresses"]["Ipv6Address"] == []
    with pytest.raises(Refusal, match=r"DependencyViolation\.Ipv6Address"):
        cloud("vpc", "DeleteVSwitch", VSwitchId=ways["vswitch"])
    cloud("vpc", "ReleaseIpv6Address", Ipv6AddressId=ways["address"])
    cloud("vpc", "DeleteVSwitch", VSwitchId=ways["vswitch"])


def test_one_rule_lets_an_address_out_alone_and_needs_its_bandwidth(cloud: Cloud, ways: dict[str, str]) -> None:
    sent = {"Ipv6GatewayId": ways["gateway"], "InstanceId": ways["address"], "Name": "out"}
    rule = cloud("vpc", "CreateIpv6EgressOnlyRule", **sent)["Ipv6EgressRuleId"]
    cloud.wait()
    with pytest.raises(Refusal, match=r"InvalidIpv6EgressOnlyRule\.Duplicated"):
        cloud("vpc", "CreateIpv6EgressOnlyRule", **sent)
    asked = {"Ipv6GatewayId": ways["gateway"], "Ipv6EgressOnlyRuleId": rule}
    (shown,) = cloud("vpc", "DescribeIpv6EgressOnlyRules", **asked)["Ipv6EgressOnlyRules"]["Ipv6EgressOnlyRule"]
    assert (shown["InstanceId"], shown["InstanceType"], shown["Status"]) == (
        ways["address"],
        "Ipv6Address",
        "Available",
    )
    with pytest.raises(Refusal, match=r"DependencyViolation\.Ipv6EgressOnlyRule"):
        cloud("vpc", "DeleteIpv6InternetBandwidth", Ipv6InternetBandwidthId=ways["bandwidth"])
    cloud("vpc", "DeleteIpv6EgressOnlyRule", Ipv6EgressOnlyRuleId=rule)
    assert cloud("vpc", "DescribeIpv6EgressOnlyRules", **asked)["Ipv6EgressOnlyRules"]["Ipv6EgressOnlyRule"] == []
    cloud("vpc", "DeleteIpv6InternetBandwidth", Ipv6InternetBandwidthId=ways["bandwidth"])
    with pytest.raises(Refusal, match=r"InvalidIpv6Address\.NoBandwidth"):
        cloud("vpc", "CreateIpv6EgressOnlyRule", **sent)
