"""IPsec connections: two tunnels, the devices at their other ends, and what holds them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal


def test_a_device_is_described_renamed_listed_and_kept_while_a_tunnel_ends_there(
    cloud: Cloud, devices: list[str], connection: str
) -> None:
    cloud("vpc", "ModifyCustomerGatewayAttribute", CustomerGatewayId=devices[0], Name="front")
    shown = cloud("vpc", "DescribeCustomerGateway", CustomerGatewayId=devices[0])
    assert (shown["IpAddress"], shown["Asn"], shown["Name"]) == ("203.0.113.1", 65011, "front")
    listed = cloud("vpc", "DescribeCustomerGateways")
    assert len(listed["CustomerGateways"]["CustomerGateway"]) == listed["TotalCount"] == 2
    with pytest.raises(Refusal, match=r"DependencyViolation\.VpnConnection"):
        cloud("vpc", "DeleteCustomerGateway", CustomerGatewayId=devices[0])
    cloud("vpc", "DeleteVpnAttachment", VpnConnectionId=connection)
    for device in devices:
        cloud("vpc", "DeleteCustomerGateway", CustomerGatewayId=device)
    with pytest.raises(Refusal, match=r"InvalidCustomerGatewayInstanceId\.NotFound"):
        cloud("vpc", "DescribeCustomerGateway", CustomerGatewayId=devices[0])


def test_a_connection_shows_its_tunnels_with_their_addresses(cloud: Cloud, devices: list[str], connection: str) -> None:
    shown = cloud("vpc", "DescribeVpnConnection", VpnConnectionId=connection)
    tunnels = shown["TunnelOptionsSpecification"]["TunnelOptions"]
    assert [tunnel["CustomerGatewayId"] for tunnel in tunnels] == devices
    assert [tunnel["TunnelIkeConfig"]["Psk"] for tunnel in tunnels] == ["shared-1", "shared-2"]
    assert len({tunnel["InternetIp"] for tunnel in tunnels}) == 2
    cloud("vpc", "ModifyVpnAttachmentAttribute", VpnConnectionId=connection, RemoteSubnet="172.16.0.0/12")
    after = cloud("vpc", "DescribeVpnConnection", VpnConnectionId=connection)
    assert (after["RemoteSubnet"], after["TunnelOptionsSpecification"]["TunnelOptions"]) == ("172.16.0.0/12", tunnels)


def test_a_connection_is_of_two_tunnels_to_devices_that_there_are(cloud: Cloud, devices: list[str]) -> None:
    ranges = {"LocalSubnet": "0.0.0.0/0", "RemoteSubnet": "0.0.0.0/0"}
    one: dict[str, Any] = {"TunnelOptionsSpecification__1__TunnelIndex": 1}
    with pytest.raises(Refusal, match=r"UnsupportedOperation\.SingleTunnel"):
        cloud("vpc", "CreateVpnAttachment", **ranges, **one)
    both = one | {"TunnelOptionsSpecification__2__TunnelIndex": 2}
    with pytest.raises(Refusal, match=r"InvalidCustomerGatewayInstanceId\.NotFound"):
        cloud("vpc", "CreateVpnAttachment", **ranges, **both)
    for number in (1, 2):
        both[f"TunnelOptionsSpecification__{number}__CustomerGatewayId"] = devices[number - 1]
    with pytest.raises(Refusal, match="TunnelBgpConfig"):
        cloud("vpc", "CreateVpnAttachment", **ranges, **both, EnableTunnelsBgp="true")
    with pytest.raises(Refusal, match="Psk"):
        cloud("vpc", "CreateVpnAttachment", **ranges, **both, TunnelOptionsSpecification__2__TunnelIkeConfig__Psk="a b")
    with pytest.raises(Refusal, match="IpAddress"):
        cloud("vpc", "CreateCustomerGateway", IpAddress="device.example")


def test_a_connection_stays_while_it_hangs_on_a_router(cloud: Cloud, connection: str) -> None:
    cen = cloud("cbn", "CreateCen", Name="backbone")["CenId"]
    cloud.wait()
    router = cloud("cbn", "CreateTransitRouter", CenId=cen, RegionId="cn-shanghai")["TransitRouterId"]
    cloud.wait()
    with pytest.raises(Refusal, match=r"InvalidVpnConnectionInstanceId\.NotFound"):
        cloud("cbn", "CreateTransitRouterVpnAttachment", TransitRouterId=router, VpnId="vco-none")
    made = cloud("cbn", "CreateTransitRouterVpnAttachment", TransitRouterId=router, VpnId=connection)
    cloud.wait()
    assert cloud("vpc", "DescribeVpnConnection", VpnConnectionId=connection)["AttachType"] == "CEN"
    with pytest.raises(Refusal, match=r"VpnConnection\.AttachedToTransitRouter"):
        cloud("vpc", "DeleteVpnAttachment", VpnConnectionId=connection)
    ident = made["TransitRouterAttachmentId"]
    cloud("cbn", "DeleteTransitRouterVpnAttachment", TransitRouterAttachmentId=ident)
    cloud("vpc", "DeleteVpnAttachment", VpnConnectionId=connection)
    with pytest.raises(Refusal, match=r"InvalidVpnConnectionInstanceId\.NotFound"):
        cloud("vpc", "DescribeVpnConnection", VpnConnectionId=connection)
