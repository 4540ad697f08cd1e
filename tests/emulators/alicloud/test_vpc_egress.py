"""NAT gateways, elastic IP addresses, SNAT and forward entries."""

from __future__ import annotations

import pytest

from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal


def bound_eip(cloud: Cloud, nat: str) -> tuple[str, str]:
    """Return id and address of an EIP that is bound to a NAT gateway."""
    eip = cloud("vpc", "AllocateEipAddress", Name="out", Bandwidth=10)
    sent = {"AllocationId": eip["AllocationId"], "InstanceId": nat, "InstanceType": "Nat"}
    cloud("vpc", "AssociateEipAddress", **sent)
    cloud.wait()
    return eip["AllocationId"], eip["EipAddress"]


def snat_table(cloud: Cloud, nat: str) -> str:
    """Return the SNAT table of a NAT gateway."""
    row = cloud("vpc", "DescribeNatGateways", NatGatewayId=nat)["NatGateways"]["NatGateway"][0]
    table: str = row["SnatTableIds"]["SnatTableId"][0]
    return table


def test_a_nat_gateway_shows_every_field_that_clients_take_for_granted(cloud: Cloud, vpc: str, vswitch: str) -> None:
    sent = {"VpcId": vpc, "VSwitchId": vswitch, "NatType": "Enhanced"}
    made = cloud("vpc", "CreateNatGateway", **sent)
    row = cloud("vpc", "DescribeNatGateways", NatGatewayId=made["NatGatewayId"])["NatGateways"]["NatGateway"][0]
    assert row["Status"] == "Creating"
    assert row["InstanceChargeType"] == "PostPaid"
    assert row["NatGatewayPrivateInfo"]["VswitchId"] == vswitch
    assert row["SnatTableIds"] == made["SnatTableIds"]
    assert row["ForwardTableIds"] == made["ForwardTableIds"]
    cloud.wait()
    assert cloud("vpc", "GetNatGatewayAttribute", NatGatewayId=made["NatGatewayId"])["Status"] == "Available"
    assert cloud("vpc", "ListEnhanhcedNatGatewayAvailableZones")["Zones"]


def test_normal_gateways_and_strange_vswitches_are_refused(cloud: Cloud, vpc: str, vswitch: str) -> None:
    with pytest.raises(Refusal, match="InvalidNatType"):
        cloud("vpc", "CreateNatGateway", VpcId=vpc, VSwitchId=vswitch, NatType="Normal")
    other = cloud("vpc", "CreateVpc")["VpcId"]
    with pytest.raises(Refusal, match=r"InvalidVSwitch\.NotInVpc"):
        cloud("vpc", "CreateNatGateway", VpcId=other, VSwitchId=vswitch)


def test_the_first_internet_gateway_gets_the_default_route_and_takes_it_along(cloud: Cloud, vpc: str, nat: str) -> None:
    table = cloud("vpc", "DescribeRouteTableList", VpcId=vpc)["RouterTableList"]["RouterTableListType"][0]

    def routes() -> list[str]:
        found = cloud("vpc", "DescribeRouteEntryList", RouteTableId=table["RouteTableId"], NextHopId=nat)
        return [row["DestinationCidrBlock"] for row in found["RouteEntrys"]["RouteEntry"]]

    assert routes() == ["0.0.0.0/0"]
    cloud("vpc", "DeleteNatGateway", NatGatewayId=nat)
    assert routes() == []


def test_eip_addresses_are_unique_and_run_out(cloud: Cloud) -> None:
    addresses = {cloud("vpc", "AllocateEipAddress")["EipAddress"] for _ in range(20)}
    assert len(addresses) == 20
    with pytest.raises(Refusal, match=r"QuotaExceeded\.Eip"):
        cloud("vpc", "AllocateEipAddress")


def test_an_eip_goes_through_its_states(cloud: Cloud, nat: str) -> None:
    ident = cloud("vpc", "AllocateEipAddress")["AllocationId"]

    def status() -> str:
        rows = cloud("vpc", "DescribeEipAddresses", AllocationId=ident)["EipAddresses"]["EipAddress"]
        return str(rows[0]["Status"])

    seen = [status()]
    for action in ("AssociateEipAddress", "UnassociateEipAddress"):
        cloud("vpc", action, AllocationId=ident, InstanceId=nat, InstanceType="Nat")
        seen.append(status())
        cloud.wait()
        seen.append(status())
    assert seen == ["Available", "Associating", "InUse", "Unassociating", "Available"]
    cloud("vpc", "ReleaseEipAddress", AllocationId=ident)
    assert cloud("vpc", "DescribeEipAddresses", AllocationId=ident)["EipAddresses"]["EipAddress"] == []


def test_an_eip_binds_once_and_isn_t_released_while_it_is_bound(cloud: Cloud, nat: str) -> None:
    ident, _ = bound_eip(cloud, nat)
    with pytest.raises(Refusal, match="IncorrectEipStatus"):
        cloud("vpc", "AssociateEipAddress", AllocationId=ident, InstanceId=nat, InstanceType="Nat")
    with pytest.raises(Refusal, match="IncorrectEipStatus"):
        cloud("vpc", "ReleaseEipAddress", AllocationId=ident)


def test_snat_entries_use_addresses_of_their_gateway_and_hold_them(cloud: Cloud, vswitch: str, nat: str) -> None:
    table, free = snat_table(cloud, nat), cloud("vpc", "AllocateEipAddress")["EipAddress"]
    with pytest.raises(Refusal, match="EIP_NOT_IN_GATEWAY"):
        cloud("vpc", "CreateSnatEntry", SnatTableId=table, SourceVSwitchId=vswitch, SnatIp=free)
    ident, address = bound_eip(cloud, nat)
    sent = {"SnatTableId": table, "SourceVSwitchId": vswitch, "SnatIp": address}
    entry = cloud("vpc", "CreateSnatEntry", **sent)["SnatEntryId"]
    with pytest.raises(Refusal, match=r"SourceVSwitchId\.Duplicated"):
        cloud("vpc", "CreateSnatEntry", **sent)
    row = cloud("vpc", "DescribeSnatTableEntries", SnatTableId=table, SnatEntryId=entry)
    assert row["SnatTableEntries"]["SnatTableEntry"][0]["SourceCIDR"] == "10.0.0.0/24"
    assert row["SnatTableEntries"]["SnatTableEntry"][0]["Status"] == "Pending"
    cloud.wait()
    with pytest.raises(Refusal, match="HasBeenUsedBySnatTable"):
        cloud("vpc", "UnassociateEipAddress", AllocationId=ident, InstanceId=nat)
    with pytest.raises(Refusal, match=r"DependencyViolation\.EIPS"):
        cloud("vpc", "DeleteNatGateway", NatGatewayId=nat)
    with pytest.raises(Refusal, match=r"DependencyViolation\.EnhancedNatgw"):
        cloud("vpc", "DeleteVSwitch", VSwitchId=vswitch)
    cloud("vpc", "DeleteSnatEntry", SnatTableId=table, SnatEntryId=entry)
    cloud("vpc", "UnassociateEipAddress", AllocationId=ident, InstanceId=nat)
    cloud("vpc", "DeleteNatGateway", NatGatewayId=nat)
    cloud("vpc", "DeleteVSwitch", VSwitchId=vswitch)


def test_a_forced_delete_takes_everything_of_a_gateway_along(cloud: Cloud, vswitch: str, nat: str) -> None:
    ident, address = bound_eip(cloud, nat)
    sent = {"SnatTableId": snat_table(cloud, nat), "SourceVSwitchId": vswitch, "SnatIp": address}
    cloud("vpc", "CreateSnatEntry", **sent)
    cloud("vpc", "DeleteNatGateway", NatGatewayId=nat, Force="true")
    assert cloud("vpc", "DescribeSnatTableEntries")["TotalCount"] == 0
    row = cloud("vpc", "DescribeEipAddresses", AllocationId=ident)["EipAddresses"]["EipAddress"][0]
    assert (row["Status"], row["InstanceId"], row["PrivateIpAddress"]) == ("Available", "", "")


def test_deletion_protection_holds_a_gateway_and_an_address(cloud: Cloud, nat: str) -> None:
    eip = cloud("vpc", "AllocateEipAddress")["AllocationId"]
    for ident, kind, action, name in (
        (nat, "NATGW", "DeleteNatGateway", "NatGatewayId"),
        (eip, "EIP", "ReleaseEipAddress", "AllocationId"),
    ):
        cloud("vpc", "DeletionProtection", InstanceId=ident, Type=kind, ProtectionEnable="true")
        with pytest.raises(Refusal, match=r"OperationDenied\.DeletionProtection"):
            cloud("vpc", action, **{name: ident})
        cloud("vpc", "DeletionProtection", InstanceId=ident, Type=kind, ProtectionEnable="false")
        cloud("vpc", action, **{name: ident})


def test_forward_entries_hold_a_port_and_an_address(cloud: Cloud, nat: str) -> None:
    row = cloud("vpc", "DescribeNatGateways", NatGatewayId=nat)["NatGateways"]["NatGateway"][0]
    table, (ident, address) = row["ForwardTableIds"]["ForwardTableId"][0], bound_eip(cloud, nat)
    sent = {
        "ForwardTableId": table,
        "ExternalIp": address,
        "ExternalPort": "443",
        "InternalIp": "10.0.0.9",
        "InternalPort": "8443",
        "IpProtocol": "tcp",
    }
    entry = cloud("vpc", "CreateForwardEntry", **sent)["ForwardEntryId"]
    with pytest.raises(Refusal, match=r"InvalidExternalPort\.Duplicated"):
        cloud("vpc", "CreateForwardEntry", **sent)
    cloud("vpc", "ModifyForwardEntry", ForwardTableId=table, ForwardEntryId=entry, InternalPort="9443")
    rows = cloud("vpc", "DescribeForwardTableEntries", ForwardTableId=table)["ForwardTableEntries"]
    assert rows["ForwardTableEntry"][0]["InternalPort"] == "9443"
    with pytest.raises(Refusal, match="HasBeenUsedByForwardEntry"):
        cloud("vpc", "UnassociateEipAddress", AllocationId=ident, InstanceId=nat)
    cloud("vpc", "DeleteForwardEntry", ForwardTableId=table, ForwardEntryId=entry)
