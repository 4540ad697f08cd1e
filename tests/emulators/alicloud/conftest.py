from __future__ import annotations

from typing import Any

import pytest

from tests.emulators.alicloud.rpc_cloud import Cloud


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def vpc(cloud: Cloud) -> str:
    """A VPC 10.0.0.0/16 that is available."""
    ident: str = cloud("vpc", "CreateVpc", CidrBlock="10.0.0.0/16", VpcName="main")["VpcId"]
    cloud.wait()
    return ident


@pytest.fixture
def vswitch(cloud: Cloud, vpc: str) -> str:
    """A vSwitch 10.0.0.0/24 that is available."""
    sent = {"VpcId": vpc, "CidrBlock": "10.0.0.0/24", "ZoneId": "cn-shanghai-l"}
    ident: str = cloud("vpc", "CreateVSwitch", **sent)["VSwitchId"]
    cloud.wait()
    return ident


@pytest.fixture
def nat(cloud: Cloud, vpc: str, vswitch: str) -> str:
    """An internet NAT gateway that is available."""
    ident: str = cloud("vpc", "CreateNatGateway", VpcId=vpc, VSwitchId=vswitch, NatType="Enhanced")["NatGatewayId"]
    cloud.wait()
    return ident


@pytest.fixture
def devices(cloud: Cloud) -> list[str]:
    """Two customer gateways with AS numbers."""
    return [
        cloud("vpc", "CreateCustomerGateway", IpAddress=f"203.0.113.{number}", Asn=65010 + number)["CustomerGatewayId"]
        for number in (1, 2)
    ]


@pytest.fixture
def connection(cloud: Cloud, devices: list[str]) -> str:
    """An IPsec connection of two tunnels."""
    tunnels: dict[str, Any] = {
        f"TunnelOptionsSpecification__{number}__{name}": value
        for number, device in enumerate(devices, 1)
        for name, value in {
            "TunnelIndex": number,
            "CustomerGatewayId": device,
            "TunnelIkeConfig__Psk": f"shared-{number}",
            "TunnelIkeConfig__IkeLifetime": 86400,
        }.items()
    }
    sent = {"LocalSubnet": "10.0.0.0/16", "RemoteSubnet": "192.168.0.0/16", "Name": "premises"}
    ident: str = cloud("vpc", "CreateVpnAttachment", **sent, **tunnels)["VpnConnectionId"]
    return ident
