"""VPCs: create, describe, modify, delete, secondary CIDR blocks."""

from __future__ import annotations

from ipaddress import IPv4Network

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import (
    IPV6_GATEWAY,
    NAT_GATEWAY,
    NETWORK_ACL,
    ROUTE_ENTRY,
    ROUTE_TABLE,
    SECURITY_GROUP,
    TRANSIT_ATTACHMENT,
    VPC,
    VSWITCH,
)
from emulators.alicloud.products.vpc.ipv6 import vpc_block
from emulators.alicloud.resources import (
    change,
    identifier,
    listed,
    page,
    pending,
    shown,
    status,
    tag_list,
    tagged,
)
from emulators.alicloud.tables import limit
from emulators.store import Document

_vpc = product("Vpc")

# Ranges that no VPC may have; every other IPv4 range with a mask of 8 to 28 is allowed.
_RESERVED = [IPv4Network(text) for text in ("100.64.0.0/10", "224.0.0.0/4", "127.0.0.0/8", "169.254.0.0/16")]


@_vpc("CreateVpc")
def create_vpc(call: Call) -> Answer:
    block = call.network("CidrBlock", "172.16.0.0/12")
    _check_block(block)
    if len(VPC.all(call)) >= limit("vpcs_per_region"):
        raise ApiError("QuotaExceeded.Vpc", most=limit("vpcs_per_region"))
    vpc = VPC.create(
        call,
        call.tags(),
        CidrBlock=str(block),
        VpcName=call.get("VpcName"),
        Description=call.get("Description"),
        ResourceGroupId=call.get("ResourceGroupId", "rg-acfmemulator"),
        DnsHostnameStatus="ENABLED" if call.flag("EnableDnsHostname") else "DISABLED",
        EnabledIpv6=call.flag("EnableIpv6"),
        Ipv6CidrBlock=vpc_block(call) if call.flag("EnableIpv6") else "",
        secondary=[],
        user_cidrs=[text for text in call.get("UserCidr").split(",") if text],
    )
    vpc["VRouterId"] = f"vrt-uf6{identifier(vpc['id'])}"
    VPC.save(call, vpc)
    table = ROUTE_TABLE.create(
        call,
        VpcId=vpc["id"],
        RouterId=vpc["VRouterId"],
        RouteTableType="System",
        RouteTableName="",
        Description="",
        AssociateType="VSwitch",
        RoutePropagationEnable=True,
        ResourceGroupId=vpc["ResourceGroupId"],
    )
    return {
        "VpcId": vpc["id"],
        "VRouterId": vpc["VRouterId"],
        "RouteTableId": table["id"],
        "ResourceGroupId": vpc["ResourceGroupId"],
    }


@_vpc("DescribeVpcAttribute")
def describe_vpc_attribute(call: Call) -> Answer:
    return _view(call, VPC.named(call, "VpcId")) | {"ClassicLinkEnabled": False}


@_vpc("DescribeVpcs")
def describe_vpcs(call: Call) -> Answer:
    found = tagged(call, listed(call, "VpcName", listed(call, "VpcId", VPC.all(call)), "VpcName"))
    rows, counts = page(call, [_view(call, vpc) for vpc in found])
    return {"Vpcs": {"Vpc": rows}, **counts}


@_vpc("ModifyVpcAttribute")
def modify_vpc_attribute(call: Call) -> Answer:
    vpc = VPC.named(call, "VpcId")
    settled(call, vpc)
    if call.has("CidrBlock"):
        block = call.network("CidrBlock")
        _check_block(block)
        if any(not IPv4Network(v["CidrBlock"]).subnet_of(block) for v in VSWITCH.all(call, VpcId=vpc["id"])):
            raise ApiError("InvalidCidrBlock.NotContainVSwitches")
        vpc["CidrBlock"] = str(block)
    change(call, vpc, VpcName="VpcName", Description="Description")
    if call.flag("EnableIPv6") and not vpc["EnabledIpv6"]:
        vpc |= {"EnabledIpv6": True, "Ipv6CidrBlock": vpc_block(call)}
    if call.has("EnableDnsHostname"):
        vpc["DnsHostnameStatus"] = "ENABLED" if call.flag("EnableDnsHostname") else "DISABLED"
    VPC.save(call, vpc)
    return {}


@_vpc("DeleteVpc")
def delete_vpc(call: Call) -> Answer:
    vpc = VPC.named(call, "VpcId")
    settled(call, vpc)
    tables = ROUTE_TABLE.all(call, VpcId=vpc["id"])
    dependents = {
        "DependencyViolation": TRANSIT_ATTACHMENT.all(call, VpcId=vpc["id"]),
        "DependencyViolation.VSwitch": VSWITCH.all(call, VpcId=vpc["id"]),
        "DependencyViolation.SecurityGroup": SECURITY_GROUP.all(call, VpcId=vpc["id"]),
        "DependencyViolation.NatGateway": NAT_GATEWAY.all(call, VpcId=vpc["id"]),
        "DependencyViolation.Ipv6Gateway": IPV6_GATEWAY.all(call, VpcId=vpc["id"]),
        "DependencyViolation.NetworkAcl": NETWORK_ACL.all(call, VpcId=vpc["id"]),
        "DependencyViolation.RouteTable": [table for table in tables if table["RouteTableType"] == "Custom"],
    }
    for code, found in dependents.items():
        if found:
            raise ApiError(code, ids=", ".join(document["id"] for document in found))
    for table in tables:
        for entry in ROUTE_ENTRY.all(call, RouteTableId=table["id"]):
            ROUTE_ENTRY.delete(call, entry)
        ROUTE_TABLE.delete(call, table)
    VPC.delete(call, vpc)
    return {}


@_vpc("AssociateVpcCidrBlock")
def associate_vpc_cidr_block(call: Call) -> Answer:
    vpc, block = VPC.named(call, "VpcId"), call.network("SecondaryCidrBlock")
    settled(call, vpc)
    _check_block(block)
    if any(block.overlaps(other) for other in blocks(vpc)):
        raise ApiError("InvalidCidrBlock.Overlapped", block=block)
    if len(vpc["secondary"]) >= limit("secondary_cidr_blocks_per_vpc"):
        raise ApiError("QuotaExceeded.SecondaryCidrBlock", most=limit("secondary_cidr_blocks_per_vpc"))
    vpc["secondary"].append(str(block))
    VPC.save(call, vpc)
    return {}


@_vpc("UnassociateVpcCidrBlock")
def unassociate_vpc_cidr_block(call: Call) -> Answer:
    vpc, block = VPC.named(call, "VpcId"), call.network("SecondaryCidrBlock")
    settled(call, vpc)
    if str(block) not in vpc["secondary"]:
        raise ApiError("InvalidCidrBlock.NotFound", block=block)
    if any(IPv4Network(v["CidrBlock"]).subnet_of(block) for v in VSWITCH.all(call, VpcId=vpc["id"])):
        raise ApiError("DependencyViolation.VSwitch", ids="vSwitches in the secondary CIDR block")
    vpc["secondary"].remove(str(block))
    VPC.save(call, vpc)
    return {}


def blocks(vpc: Document) -> list[IPv4Network]:
    """Return the CIDR blocks of a VPC, the first one first."""
    return [IPv4Network(text) for text in (vpc["CidrBlock"], *vpc["secondary"])]


def settled(call: Call, vpc: Document) -> None:
    """Raise `ApiError` when a VPC is still pending."""
    if pending(call, vpc):
        raise ApiError("IncorrectVpcStatus")


def _check_block(block: IPv4Network) -> None:
    if not 8 <= block.prefixlen <= 28 or any(block.overlaps(reserved) for reserved in _RESERVED):
        raise ApiError("InvalidCidrBlock.Malformed", value=block)


def _view(call: Call, vpc: Document) -> Answer:
    tables = [table["id"] for table in ROUTE_TABLE.all(call, VpcId=vpc["id"])]
    block = vpc.get("Ipv6CidrBlock", "")
    return shown(vpc) | {
        "VpcId": vpc["id"],
        "RegionId": vpc["region"],
        "OwnerId": int(ACCOUNT_ID),
        "Status": status(call, vpc),
        "CreationTime": iso(vpc["created"]),
        "IsDefault": False,
        "Ipv6CidrBlock": block,
        "Ipv6CidrBlocks": {"Ipv6CidrBlock": [{"Ipv6CidrBlock": block, "Ipv6Isp": "BGP"}] if block else []},
        "SecondaryCidrBlocks": {"SecondaryCidrBlock": vpc["secondary"]},
        "UserCidrs": {"UserCidr": vpc["user_cidrs"]},
        "VSwitchIds": {"VSwitchId": [v["id"] for v in VSWITCH.all(call, VpcId=vpc["id"])]},
        "RouterTableIds": {"RouterTableIds": tables},
        "NatGatewayIds": {"NatGatewayIds": [nat["id"] for nat in NAT_GATEWAY.all(call, VpcId=vpc["id"])]},
        "AssociatedCens": {"AssociatedCen": []},
        "Tags": tag_list(vpc),
    }
