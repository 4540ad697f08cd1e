"""IPv6: gateways of VPCs, addresses, what they may send to the internet, and rules that let them send alone."""

from __future__ import annotations

from ipaddress import IPv6Network

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import IPV6_ADDRESS, IPV6_GATEWAY, IPV6_RULE, VPC, VSWITCH
from emulators.alicloud.resources import change, identifier, listed, page, pending, shown, status, tag_list, tagged
from emulators.store import Document

_vpc = product("Vpc")

_DOCUMENTED = IPv6Network("2001:db8::/32")  # RFC 3849: addresses of examples, so that nobody's are given away
_ISP = "BGP"
_SUBNETS = 256  # of /64 in the /56 of a VPC


def vpc_block(call: Call) -> str:
    """Return a free IPv6 block of a VPC: a /56."""
    number = call.store.next("alicloud.ipv6_block")
    return str(IPv6Network((int(_DOCUMENTED.network_address) + (number << 72), 56)))


def vswitch_block(call: Call, vpc: Document) -> str:
    """Return the block that a call asks for a vSwitch: the /64 of that number in the VPC's /56."""
    whole = vpc.get("Ipv6CidrBlock", "")
    if not whole:
        raise ApiError("InvalidVpcIpv6.NotEnabled", id=vpc["id"])
    number = call.number("Ipv6CidrBlock", 0, high=_SUBNETS - 1)
    block = str(IPv6Network((int(IPv6Network(whole).network_address) + (number << 64), 64)))
    if any(sibling.get("Ipv6CidrBlock") == block for sibling in VSWITCH.all(call, VpcId=vpc["id"])):
        raise ApiError("InvalidIpv6CidrBlock.Overlapped", block=block)
    return block


@_vpc("CreateIpv6Gateway")
def create_ipv6_gateway(call: Call) -> Answer:
    vpc = VPC.named(call, "VpcId")
    if pending(call, vpc):
        raise ApiError("IncorrectStatus.Vpc", id=vpc["id"])
    if not vpc["EnabledIpv6"]:
        raise ApiError("InvalidVpcIpv6.NotEnabled", id=vpc["id"])
    if IPV6_GATEWAY.all(call, VpcId=vpc["id"]):
        raise ApiError("QuotaExceeded.Ipv6Gateway", id=vpc["id"])
    gateway = IPV6_GATEWAY.create(
        call, call.tags(), VpcId=vpc["id"], Name=call.get("Name"), Description=call.get("Description")
    )
    return {"Ipv6GatewayId": gateway["id"], "ResourceGroupId": vpc["ResourceGroupId"]}


@_vpc("DescribeIpv6GatewayAttribute")
def describe_ipv6_gateway_attribute(call: Call) -> Answer:
    # One that is not there is no error: clients look at the status.
    gateway = IPV6_GATEWAY.find(call, call.need("Ipv6GatewayId"))
    return _gateway(call, gateway) if gateway else {"Ipv6GatewayId": "", "Status": "", "VpcId": ""}


@_vpc("DescribeIpv6Gateways")
def describe_ipv6_gateways(call: Call) -> Answer:
    found = listed(call, "VpcId", tagged(call, IPV6_GATEWAY.all(call)), "VpcId")
    rows, counts = page(call, [_gateway(call, gateway) for gateway in listed(call, "Ipv6GatewayId", found)])
    return {"Ipv6Gateways": {"Ipv6Gateway": rows}, **counts}


@_vpc("ModifyIpv6GatewayAttribute")
def modify_ipv6_gateway_attribute(call: Call) -> Answer:
    gateway = IPV6_GATEWAY.named(call, "Ipv6GatewayId")
    change(call, gateway, Name="Name", Description="Description")
    IPV6_GATEWAY.save(call, gateway)
    return {}


@_vpc("DeleteIpv6Gateway")
def delete_ipv6_gateway(call: Call) -> Answer:
    gateway = IPV6_GATEWAY.named(call, "Ipv6GatewayId")
    sending = [each["id"] for each in _addresses(call, gateway["VpcId"]) if each["bandwidth"]]
    if sending:
        raise ApiError("DependencyViolation.Ipv6InternetBandwidth", ids=", ".join(sending))
    IPV6_GATEWAY.delete(call, gateway)
    return {}


@_vpc("AllocateIpv6Address")
def allocate_ipv6_address(call: Call) -> Answer:
    vswitch = VSWITCH.named(call, "VSwitchId")
    block = vswitch.get("Ipv6CidrBlock", "")
    if not block:
        raise ApiError("InvalidVSwitchIpv6.NotEnabled", id=vswitch["id"])
    number = len(IPV6_ADDRESS.all(call, VSwitchId=vswitch["id"])) + 1
    address = IPV6_ADDRESS.create(
        call,
        call.tags(),
        VSwitchId=vswitch["id"],
        VpcId=vswitch["VpcId"],
        Ipv6Address=str(IPv6Network(block)[number]),
        Ipv6AddressName=call.get("Name"),
        bandwidth={},
    )
    return {"Ipv6AddressId": address["id"], "Ipv6Address": address["Ipv6Address"]}


@_vpc("DescribeIpv6Addresses")
def describe_ipv6_addresses(call: Call) -> Answer:
    found = listed(call, "Ipv6AddressId", tagged(call, IPV6_ADDRESS.all(call)))
    for name in ("VpcId", "VSwitchId"):
        found = listed(call, name, found, name)
    wanted = call.get("Ipv6InternetBandwidthId")
    if wanted:
        found = [address for address in found if address["bandwidth"].get("Ipv6InternetBandwidthId") == wanted]
    rows, counts = page(call, [_address(call, address) for address in found])
    return {"Ipv6Addresses": {"Ipv6Address": rows}, **counts}


@_vpc("ReleaseIpv6Address")
def release_ipv6_address(call: Call) -> Answer:
    address = IPV6_ADDRESS.named(call, "Ipv6AddressId")
    if address["bandwidth"]:
        raise ApiError("DependencyViolation.Ipv6InternetBandwidth", ids=address["id"])
    IPV6_ADDRESS.delete(call, address)
    return {}


@_vpc("AllocateIpv6InternetBandwidth")
def allocate_ipv6_internet_bandwidth(call: Call) -> Answer:
    gateway, address = IPV6_GATEWAY.named(call, "Ipv6GatewayId"), IPV6_ADDRESS.named(call, "Ipv6AddressId")
    if gateway["VpcId"] != address["VpcId"]:
        raise ApiError("InvalidIpv6AddressId.NotFound", id=address["id"])
    if address["bandwidth"]:
        raise ApiError("InvalidIpv6Address.BandwidthExist", id=address["id"])
    address["bandwidth"] = {
        "Ipv6InternetBandwidthId": f"ipv6bw-uf6{identifier(address['id'])}",
        "Bandwidth": call.number("Bandwidth", 1, low=1, high=5000),
        "InternetChargeType": call.choice(
            "InternetChargeType", "PayByTraffic", "PayByBandwidth", default="PayByBandwidth"
        ),
        "InstanceChargeType": "PostPaid",
        "BusinessStatus": "Normal",
    }
    IPV6_ADDRESS.save(call, address)
    made = address["bandwidth"]["Ipv6InternetBandwidthId"]
    return {"InternetBandwidthId": made, "Ipv6AddressId": address["id"]}


@_vpc("ModifyIpv6InternetBandwidth")
def modify_ipv6_internet_bandwidth(call: Call) -> Answer:
    address = _sending(call)
    address["bandwidth"]["Bandwidth"] = call.number("Bandwidth", 1, low=1, high=5000)
    IPV6_ADDRESS.save(call, address)
    return {}


@_vpc("DeleteIpv6InternetBandwidth")
def delete_ipv6_internet_bandwidth(call: Call) -> Answer:
    address = _sending(call)
    if IPV6_RULE.all(call, InstanceId=address["id"]):
        raise ApiError("DependencyViolation.Ipv6EgressOnlyRule", id=address["id"])
    address["bandwidth"] = {}
    IPV6_ADDRESS.save(call, address)
    return {}


@_vpc("CreateIpv6EgressOnlyRule")
def create_ipv6_egress_only_rule(call: Call) -> Answer:
    gateway, address = IPV6_GATEWAY.named(call, "Ipv6GatewayId"), IPV6_ADDRESS.named(call, "InstanceId")
    if not address["bandwidth"]:
        raise ApiError("InvalidIpv6Address.NoBandwidth", id=address["id"])
    if IPV6_RULE.all(call, InstanceId=address["id"]):
        raise ApiError("InvalidIpv6EgressOnlyRule.Duplicated", id=address["id"])
    rule = IPV6_RULE.create(
        call,
        gateway=gateway["id"],
        InstanceId=address["id"],
        InstanceType=call.choice("InstanceType", "Ipv6Address", default="Ipv6Address"),
        Name=call.get("Name"),
        Description=call.get("Description"),
    )
    return {"Ipv6EgressRuleId": rule["id"]}  # the service spells it so here, and with Only below


@_vpc("DescribeIpv6EgressOnlyRules")
def describe_ipv6_egress_only_rules(call: Call) -> Answer:
    found = listed(call, "Ipv6EgressOnlyRuleId", IPV6_RULE.all(call, gateway=call.need("Ipv6GatewayId")))
    views = [shown(rule) | {"Ipv6EgressOnlyRuleId": rule["id"], "Status": status(call, rule)} for rule in found]
    rows, counts = page(call, views)
    return {"Ipv6EgressOnlyRules": {"Ipv6EgressOnlyRule": rows}, **counts}


@_vpc("DeleteIpv6EgressOnlyRule")
def delete_ipv6_egress_only_rule(call: Call) -> Answer:
    IPV6_RULE.delete(call, IPV6_RULE.named(call, "Ipv6EgressOnlyRuleId"))
    return {}


def _addresses(call: Call, vpc: str) -> list[Document]:
    return IPV6_ADDRESS.all(call, VpcId=vpc)


def _sending(call: Call) -> Document:
    wanted = call.need("Ipv6InternetBandwidthId")
    for address in IPV6_ADDRESS.all(call):
        if address["bandwidth"].get("Ipv6InternetBandwidthId") == wanted:
            return address
    raise ApiError("InvalidIpv6InternetBandwidthId.NotFound", id=wanted)


def _gateway(call: Call, gateway: Document) -> Answer:
    return shown(gateway) | {
        "Ipv6GatewayId": gateway["id"],
        "RegionId": gateway["region"],
        "Status": status(call, gateway),
        "BusinessStatus": "Normal",
        "InstanceChargeType": "PostPaid",
        "ExpiredTime": "",
        "CreationTime": iso(gateway["created"]),
        "ResourceGroupId": "rg-acfmemulator",
        "OwnerId": int(ACCOUNT_ID),
        "Tags": tag_list(gateway),
    }


def _address(call: Call, address: Document) -> Answer:
    gateways = IPV6_GATEWAY.all(call, VpcId=address["VpcId"])
    return shown(address) | {
        "Ipv6AddressId": address["id"],
        "Ipv6GatewayId": gateways[0]["id"] if gateways else "",
        "Ipv6Isp": _ISP,
        "NetworkType": "Public" if address["bandwidth"] else "Private",
        "Status": status(call, address),
        "AllocationTime": iso(address["created"]),
        "Ipv6InternetBandwidth": address["bandwidth"],
        "Tags": tag_list(address),
    }
