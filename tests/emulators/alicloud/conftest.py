from __future__ import annotations

import pytest
from rpc_cloud import Cloud


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
