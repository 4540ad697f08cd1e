"""VPCs, vSwitches, route tables and network ACLs."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal


def test_a_vpc_is_pending_then_available_and_has_a_system_route_table(cloud: Cloud) -> None:
    made = cloud("vpc", "CreateVpc", CidrBlock="10.0.0.0/16", VpcName="main", Description="net")
    assert cloud("vpc", "DescribeVpcAttribute", VpcId=made["VpcId"])["Status"] == "Pending"
    cloud.wait(1)
    vpc = cloud("vpc", "DescribeVpcAttribute", VpcId=made["VpcId"])
    assert (vpc["Status"], vpc["CidrBlock"], vpc["VpcName"]) == ("Available", "10.0.0.0/16", "main")
    tables = cloud("vpc", "DescribeRouteTableList", VpcId=made["VpcId"])["RouterTableList"]["RouterTableListType"]
    assert [(table["RouteTableId"], table["VpcId"], table["RouteTableType"]) for table in tables] == [
        (made["RouteTableId"], made["VpcId"], "System")
    ]


@pytest.mark.parametrize("block", ["10.0.0.0/29", "10.0.0.0/7", "100.64.0.0/16", "127.0.0.0/8", "10.0.0.1/16", "ten"])
def test_a_block_that_no_vpc_may_have_is_refused(cloud: Cloud, block: str) -> None:
    with pytest.raises(Refusal, match=r"InvalidCidrBlock\.Malformed"):
        cloud("vpc", "CreateVpc", CidrBlock=block)


def test_only_so_many_vpcs_in_a_region(cloud: Cloud) -> None:
    for _ in range(10):
        cloud("vpc", "CreateVpc")
    with pytest.raises(Refusal, match=r"QuotaExceeded\.Vpc"):
        cloud("vpc", "CreateVpc")


def test_a_vpc_is_renamed_and_deleted(cloud: Cloud, vpc: str) -> None:
    cloud("vpc", "ModifyVpcAttribute", VpcId=vpc, VpcName="new", Description="")
    assert cloud("vpc", "DescribeVpcAttribute", VpcId=vpc)["VpcName"] == "new"
    cloud("vpc", "DeleteVpc", VpcId=vpc)
    with pytest.raises(Refusal) as refused:
        cloud("vpc", "DescribeVpcAttribute", VpcId=vpc)
    assert (refused.value.status, refused.value.code) == (404, "InvalidVpcId.NotFound")
    assert cloud.store.kinds().keys() & {"alicloud.vpc", "alicloud.route_table", "alicloud.route_entry"} == set()


def test_what_stands_in_a_vpc_keeps_it_from_being_deleted(cloud: Cloud, vpc: str, vswitch: str) -> None:
    group = cloud("ecs", "CreateSecurityGroup", VpcId=vpc)["SecurityGroupId"]
    with pytest.raises(Refusal, match=r"DependencyViolation\.VSwitch.*" + vswitch):
        cloud("vpc", "DeleteVpc", VpcId=vpc)
    cloud("vpc", "DeleteVSwitch", VSwitchId=vswitch)
    with pytest.raises(Refusal, match=r"DependencyViolation\.SecurityGroup.*" + group):
        cloud("vpc", "DeleteVpc", VpcId=vpc)
    cloud("ecs", "DeleteSecurityGroup", SecurityGroupId=group)
    cloud("vpc", "DeleteVpc", VpcId=vpc)


def test_secondary_blocks_widen_a_vpc(cloud: Cloud, vpc: str) -> None:
    with pytest.raises(Refusal, match=r"InvalidCidrBlock\.Overlapped"):
        cloud("vpc", "AssociateVpcCidrBlock", VpcId=vpc, SecondaryCidrBlock="10.0.128.0/17")
    cloud("vpc", "AssociateVpcCidrBlock", VpcId=vpc, SecondaryCidrBlock="192.168.0.0/16")
    sent = {"VpcId": vpc, "ZoneId": "cn-shanghai-b", "CidrBlock": "192.168.1.0/24"}
    cloud("vpc", "CreateVSwitch", **sent)
    with pytest.raises(Refusal, match=r"DependencyViolation\.VSwitch"):
        cloud("vpc", "UnassociateVpcCidrBlock", VpcId=vpc, SecondaryCidrBlock="192.168.0.0/16")


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("10.1.0.0/24", "InvalidCidrBlock: "),
        ("10.0.0.0/15", "InvalidCidrBlock.Malformed"),
        ("10.0.0.0/30", "InvalidCidrBlock.Malformed"),
        ("10.0.0.128/25", "InvalidCidrBlock.Overlapped"),
        ("10.0.0.0/16", "InvalidCidrBlock.Overlapped"),
    ],
)
def test_a_vswitch_lies_in_its_vpc_and_overlaps_no_other(
    cloud: Cloud, vpc: str, vswitch: str, block: str, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        cloud("vpc", "CreateVSwitch", VpcId=vpc, CidrBlock=block, ZoneId="cn-shanghai-b")
    assert code in str(refused.value)


@given(st.lists(st.tuples(st.integers(17, 26), st.integers(0, 2**16 - 1)), max_size=8))
def test_vswitches_that_are_taken_never_overlap(wanted: list[tuple[int, int]]) -> None:
    cloud = Cloud()
    vpc = cloud("vpc", "CreateVpc", CidrBlock="10.0.0.0/16")["VpcId"]
    cloud.wait()
    taken: list[IPv4Network] = []
    for mask, offset in wanted:
        block = IPv4Network((0x0A000000 + offset, mask), strict=False)
        sent = {"VpcId": vpc, "CidrBlock": block, "ZoneId": "cn-shanghai-b"}
        if any(block.overlaps(other) for other in taken):
            with pytest.raises(Refusal, match=r"InvalidCidrBlock\.Overlapped"):
                cloud("vpc", "CreateVSwitch", **sent)
        else:
            cloud("vpc", "CreateVSwitch", **sent)
            taken.append(block)


def test_a_zone_of_another_region_is_not_found(cloud: Cloud, vpc: str) -> None:
    with pytest.raises(Refusal, match=r"InvalidZoneId\.NotFound"):
        cloud("vpc", "CreateVSwitch", VpcId=vpc, CidrBlock="10.0.1.0/24", ZoneId="cn-beijing-c")


def test_a_vswitch_counts_its_free_addresses(cloud: Cloud, vswitch: str, nat: str) -> None:
    # 256, less the four of the system and the one of the NAT gateway.
    assert cloud("vpc", "DescribeVSwitchAttributes", VSwitchId=vswitch)["AvailableIpAddressCount"] == 251


def test_a_custom_route_table_takes_over_a_vswitch_and_gives_it_back(cloud: Cloud, vpc: str, vswitch: str) -> None:
    table = cloud("vpc", "CreateRouteTable", VpcId=vpc, RouteTableName="out")["RouteTableId"]
    cloud.wait()
    cloud("vpc", "AssociateRouteTable", RouteTableId=table, VSwitchId=vswitch)
    listed = cloud("vpc", "DescribeRouteTableList", RouteTableId=table)["RouterTableList"]["RouterTableListType"]
    assert listed[0]["VSwitchIds"]["VSwitchId"] == [vswitch]
    for action, sent in (("DeleteVSwitch", {"VSwitchId": vswitch}), ("DeleteRouteTable", {"RouteTableId": table})):
        with pytest.raises(Refusal, match="DependencyViolation"):
            cloud("vpc", action, **sent)
    cloud("vpc", "UnassociateRouteTable", RouteTableId=table, VSwitchId=vswitch)
    cloud("vpc", "DeleteRouteTable", RouteTableId=table)
    cloud("vpc", "DeleteVSwitch", VSwitchId=vswitch)


def test_route_entries_lead_to_what_there_is_and_only_once(cloud: Cloud, vpc: str, nat: str) -> None:
    table = cloud("vpc", "CreateRouteTable", VpcId=vpc)["RouteTableId"]
    sent = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "NextHopType": "NatGateway"}
    with pytest.raises(Refusal, match=r"InvalidNextHop\.NotFound"):
        cloud("vpc", "CreateRouteEntry", NextHopId="ngw-none", **sent)
    entry = cloud("vpc", "CreateRouteEntry", NextHopId=nat, **sent)["RouteEntryId"]
    with pytest.raises(Refusal, match=r"InvalidCIDRBlock\.Duplicate"):
        cloud("vpc", "CreateRouteEntry", NextHopId=nat, **sent)
    rows = cloud("vpc", "DescribeRouteEntryList", RouteTableId=table)["RouteEntrys"]["RouteEntry"]
    assert [(row["RouteEntryId"], row["NextHops"]["NextHop"][0]["NextHopId"]) for row in rows] == [(entry, nat)]
    with pytest.raises(Refusal, match=r"DependencyViolation\.RouteEntry"):
        cloud("vpc", "DeleteRouteTable", RouteTableId=table)
    cloud.wait()
    cloud("vpc", "DeleteRouteEntry", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NextHopId=nat)
    cloud("vpc", "DeleteRouteTable", RouteTableId=table)


def test_a_network_acl_guards_a_vswitch_until_it_is_unbound(cloud: Cloud, vpc: str, vswitch: str) -> None:
    acl = cloud("vpc", "CreateNetworkAcl", VpcId=vpc, NetworkAclName="edge")["NetworkAclAttribute"]["NetworkAclId"]
    cloud.wait()
    cloud(
        "vpc",
        "UpdateNetworkAclEntries",
        NetworkAclId=acl,
        UpdateIngressAclEntries="true",
        IngressAclEntries__1__NetworkAclEntryName="https",
        IngressAclEntries__1__Protocol="tcp",
        IngressAclEntries__1__Port="443/443",
        IngressAclEntries__1__Policy="accept",
        IngressAclEntries__1__SourceCidrIp="10.0.0.0/8",
    )
    shown = cloud("vpc", "DescribeNetworkAclAttributes", NetworkAclId=acl)["NetworkAclAttribute"]
    assert shown["Status"] == "Modifying"
    assert shown["IngressAclEntries"]["IngressAclEntry"][0]["SourceCidrIp"] == "10.0.0.0/8"
    binding = {"NetworkAclId": acl, "Resource__1__ResourceId": vswitch, "Resource__1__ResourceType": "VSwitch"}
    with pytest.raises(Refusal, match="IncorrectStatus"):
        cloud("vpc", "AssociateNetworkAcl", **binding)
    cloud.wait()
    cloud("vpc", "AssociateNetworkAcl", **binding)
    row = cloud("vpc", "DescribeNetworkAcls", NetworkAclId=acl)["NetworkAcls"]["NetworkAcl"][0]
    assert row["Resources"]["Resource"] == [{"ResourceId": vswitch, "ResourceType": "VSwitch", "Status": "BINDING"}]
    cloud.wait()
    with pytest.raises(Refusal, match="NetworkAclExistBinding"):
        cloud("vpc", "DeleteNetworkAcl", NetworkAclId=acl)
    with pytest.raises(Refusal, match=r"DependencyViolation\.NetworkAcl"):
        cloud("vpc", "DeleteVSwitch", VSwitchId=vswitch)
    cloud("vpc", "UnassociateNetworkAcl", **binding)
    with pytest.raises(Refusal, match=r"InvalidResource\.NotBinding"):
        cloud("vpc", "UnassociateNetworkAcl", **binding)
    cloud("vpc", "DeleteNetworkAcl", NetworkAclId=acl)
