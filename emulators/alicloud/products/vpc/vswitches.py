"""vSwitches: the subnets of a VPC, one zone each."""

from __future__ import annotations

from ipaddress import IPv4Network

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import (
    IPV6_ADDRESS,
    NAT_GATEWAY,
    NETWORK_ACL,
    ROUTE_ENTRY,
    ROUTE_TABLE,
    SNAT_ENTRY,
    VPC,
    VSWITCH,
)
from emulators.alicloud.products.vpc.ipv6 import vswitch_block
from emulators.alicloud.products.vpc.networks import blocks, settled
from emulators.alicloud.products.vpc.zones import zone_ids
from emulators.alicloud.resources import change, listed, page, pending, shown, status, tag_list, tagged
from emulators.alicloud.tables import limit
from emulators.store import Document

_vpc = product("Vpc")

# The first and the last three addresses of a vSwitch belong to the system.
_SYSTEM_ADDRESSES = 4


@_vpc("CreateVSwitch")
def create_vswitch(call: Call) -> Answer:
    vpc, block, zone = VPC.named(call, "VpcId"), call.network("CidrBlock"), call.need("ZoneId")
    if zone not in zone_ids(call.region):
        raise ApiError("InvalidZoneId.NotFound", zone=zone)
    settled(call, vpc)
    if not 16 <= block.prefixlen <= 29:
        raise ApiError("InvalidCidrBlock.Malformed", value=block)
    if not any(block.subnet_of(whole) for whole in blocks(vpc)):
        raise ApiError("InvalidCidrBlock", block=block, vpc=vpc["id"])
    siblings = VSWITCH.all(call, VpcId=vpc["id"])
    if any(block.overlaps(IPv4Network(sibling["CidrBlock"])) for sibling in siblings):
        raise ApiError("InvalidCidrBlock.Overlapped", block=block)
    if len(siblings) >= limit("vswitches_per_vpc"):
        raise ApiError("QuotaExceeded.VSwitch", most=limit("vswitches_per_vpc"))
    vswitch = VSWITCH.create(
        call,
        call.tags(),
        VpcId=vpc["id"],
        CidrBlock=str(block),
        ZoneId=zone,
        VSwitchName=call.get("VSwitchName"),
        Description=call.get("Description"),
        ResourceGroupId=vpc["ResourceGroupId"],
        Ipv6CidrBlock=vswitch_block(call, vpc) if call.has("Ipv6CidrBlock") else "",
        route_table=system_table(call, vpc["id"])["id"],
        network_acl="",
    )
    ROUTE_ENTRY.create(
        call,
        RouteTableId=vswitch["route_table"],
        DestinationCidrBlock=str(block),
        NextHopType="local",
        InstanceId=vswitch["id"],
        Type="System",
        RouteEntryName="",
        Description="Created with vSwitch by system.",
    )
    return {"VSwitchId": vswitch["id"]}


@_vpc("DescribeVSwitchAttributes")
def describe_vswitch_attributes(call: Call) -> Answer:
    return _view(call, VSWITCH.named(call, "VSwitchId"))


@_vpc("DescribeVSwitches")
def describe_vswitches(call: Call) -> Answer:
    found = tagged(call, VSWITCH.all(call))
    for parameter, field in (
        ("VSwitchId", "id"),
        ("VpcId", "VpcId"),
        ("ZoneId", "ZoneId"),
        ("VSwitchName", "VSwitchName"),
        ("RouteTableId", "route_table"),
    ):
        found = listed(call, parameter, found, field)
    rows, counts = page(call, [_view(call, vswitch) for vswitch in found])
    return {"VSwitches": {"VSwitch": rows}, **counts}


@_vpc("ModifyVSwitchAttribute")
def modify_vswitch_attribute(call: Call) -> Answer:
    vswitch = VSWITCH.named(call, "VSwitchId")
    if pending(call, vswitch):
        raise ApiError("IncorrectVSwitchStatus")
    if call.has("EnableIPv6"):
        wanted = call.flag("EnableIPv6")
        addresses = IPV6_ADDRESS.all(call, VSwitchId=vswitch["id"])
        if addresses and not wanted:
            raise ApiError("DependencyViolation.Ipv6Address", ids=", ".join(each["id"] for each in addresses))
        vswitch["Ipv6CidrBlock"] = vswitch_block(call, VPC.get(call, vswitch["VpcId"])) if wanted else ""
    change(call, vswitch, VSwitchName="VSwitchName", Description="Description")
    VSWITCH.save(call, vswitch)
    return {}


@_vpc("DeleteVSwitch")
def delete_vswitch(call: Call) -> Answer:
    vswitch = VSWITCH.named(call, "VSwitchId")
    if pending(call, vswitch):
        raise ApiError("IncorrectVSwitchStatus")
    table = ROUTE_TABLE.get(call, vswitch["route_table"])
    dependents = {
        "DependencyViolation.EnhancedNatgw": NAT_GATEWAY.all(call, vswitch=vswitch["id"]),
        "DependencyViolation.Ipv6Address": IPV6_ADDRESS.all(call, VSwitchId=vswitch["id"]),
        "DependencyViolation.SnatEntry": SNAT_ENTRY.all(call, SourceVSwitchId=vswitch["id"]),
        "DependencyViolation.RouteTable": [table] if table["RouteTableType"] == "Custom" else [],
        "DependencyViolation.NetworkAcl": NETWORK_ACL.all(call, id=vswitch["network_acl"]),
    }
    for code, found in dependents.items():
        if found:
            raise ApiError(code, ids=", ".join(document["id"] for document in found))
    for entry in ROUTE_ENTRY.all(call, InstanceId=vswitch["id"], Type="System"):
        ROUTE_ENTRY.delete(call, entry)
    VSWITCH.delete(call, vswitch)
    return {}


def system_table(call: Call, vpc_id: str) -> Document:
    """Return the system route table of a VPC."""
    return ROUTE_TABLE.all(call, VpcId=vpc_id, RouteTableType="System")[0]


def _view(call: Call, vswitch: Document) -> Answer:
    table = ROUTE_TABLE.get(call, vswitch["route_table"])
    # A NAT gateway takes one private address of its vSwitch.
    used = len(NAT_GATEWAY.all(call, vswitch=vswitch["id"]))
    total = IPv4Network(vswitch["CidrBlock"]).num_addresses - _SYSTEM_ADDRESSES
    return shown(vswitch) | {
        "VSwitchId": vswitch["id"],
        "OwnerId": int(ACCOUNT_ID),
        "Status": status(call, vswitch),
        "CreationTime": iso(vswitch["created"]),
        "IsDefault": False,
        "Ipv6CidrBlock": vswitch.get("Ipv6CidrBlock", ""),
        "NetworkAclId": vswitch["network_acl"],
        "AvailableIpAddressCount": total - used,
        "RouteTable": {"RouteTableId": table["id"], "RouteTableType": table["RouteTableType"]},
        "Tags": tag_list(vswitch),
    }
