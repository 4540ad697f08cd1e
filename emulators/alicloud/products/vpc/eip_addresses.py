"""Elastic IP addresses. The emulator hands out addresses of the documentation ranges (RFC 5737): they lead nowhere."""

from __future__ import annotations

from ipaddress import IPv4Network

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import EIP, FORWARD_ENTRY, NAT_GATEWAY, SNAT_ENTRY
from emulators.alicloud.resources import change, listed, page, pending, shown, tag_list, tagged
from emulators.alicloud.tables import delay, limit
from emulators.store import Document

_vpc = product("Vpc")

_RANGES = [IPv4Network(text) for text in ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24")]
_ADDRESSES = [str(address) for block in _RANGES for address in block.hosts()]
# What an address is on its way to, by what it is bound to.
_CHANGING = {True: "Associating", False: "Unassociating"}


@_vpc("AllocateEipAddress")
def allocate_eip_address(call: Call) -> Answer:
    charge = call.choice("InternetChargeType", "PayByBandwidth", "PayByTraffic", default="PayByBandwidth")
    bandwidth = call.number("Bandwidth", 5, low=1, high=1000)
    payment = call.choice("InstanceChargeType", "PostPaid", "PrePaid", default="PostPaid")
    taken = [eip for _, eip in call.store.all(EIP.place)]
    if len(taken) >= limit("eips_per_account"):
        raise ApiError("QuotaExceeded.Eip", most=limit("eips_per_account"))
    address = _free_address(call, {eip["IpAddress"] for eip in taken})
    eip = EIP.create(
        call,
        call.tags(),
        IpAddress=address,
        Name=call.get("Name"),
        Description=call.get("Description"),
        Bandwidth=str(bandwidth),
        EipBandwidth=str(bandwidth),
        InternetChargeType=charge,
        ChargeType=payment,
        ISP=call.get("ISP", "BGP"),
        Netmode=call.get("Netmode", "public"),
        Mode="NAT",
        BizType="CloudBox" if call.get("Zone") else "Default",
        Zone=call.get("Zone"),
        ResourceGroupId=call.get("ResourceGroupId", "rg-acfmemulator"),
        PublicIpAddressPoolId=call.get("PublicIpAddressPoolId"),
        DeletionProtection=False,
        HDMonitorStatus="OFF",
        InstanceId="",
        InstanceType="",
        PrivateIpAddress="",
        VpcId="",
        protections=call.strings("SecurityProtectionTypes"),
    )
    return {
        "AllocationId": eip["id"],
        "EipAddress": address,
        "OrderId": 0,
        "ResourceGroupId": eip["ResourceGroupId"],
    }


@_vpc("DescribeEipAddresses")
def describe_eip_addresses(call: Call) -> Answer:
    found = tagged(call, EIP.all(call))
    for parameter, field in (
        ("AllocationId", "id"),
        ("EipAddress", "IpAddress"),
        ("EipName", "Name"),
        ("AssociatedInstanceId", "InstanceId"),
        ("AssociatedInstanceType", "InstanceType"),
        ("ISP", "ISP"),
        ("ChargeType", "ChargeType"),
    ):
        found = listed(call, parameter, found, field)
    views = [_view(call, eip) for eip in found]
    if wanted := call.get("Status"):
        views = [view for view in views if view["Status"] == wanted]
    rows, counts = page(call, views, most=100)
    return {"EipAddresses": {"EipAddress": rows}, **counts}


@_vpc("ModifyEipAddressAttribute")
def modify_eip_address_attribute(call: Call) -> Answer:
    eip = EIP.named(call, "AllocationId")
    if call.has("Bandwidth"):
        bandwidth = str(call.number("Bandwidth", 5, low=1, high=1000))
        eip["Bandwidth"], eip["EipBandwidth"] = bandwidth, bandwidth
    change(call, eip, Name="Name", Description="Description")
    EIP.save(call, eip)
    return {}


@_vpc("AssociateEipAddress")
def associate_eip_address(call: Call) -> Answer:
    eip, ident = EIP.named(call, "AllocationId"), call.need("InstanceId")
    if call.need("InstanceType") != "Nat":
        raise ApiError("InvalidInstanceType.NotEmulated", kind=call.get("InstanceType"))
    nat = NAT_GATEWAY.find(call, ident)
    if nat is None:
        raise ApiError("InvalidInstanceId.NotFound", id=ident)
    if pending(call, nat):
        raise ApiError("IncorrectStatus.NatGateway")
    if eip["InstanceId"] or pending(call, eip):
        raise ApiError("IncorrectEipStatus", id=eip["id"])
    if nat["NetworkType"] != "internet":
        raise ApiError("InvalidBindingStatus", id=nat["id"])
    if len(EIP.all(call, InstanceId=nat["id"])) >= limit("eips_per_nat_gateway"):
        raise ApiError("QuotaExceeded.EipOfNatGateway", most=limit("eips_per_nat_gateway"))
    # Only addresses that are bound to a network interface or an address show a private address and a VPC.
    bound = {"InstanceId": nat["id"], "InstanceType": "Nat", "ready": call.now + delay("eip_association")}
    EIP.save(call, eip | bound)
    return {}


@_vpc("UnassociateEipAddress")
def unassociate_eip_address(call: Call) -> Answer:
    eip = EIP.named(call, "AllocationId")
    if not eip["InstanceId"]:
        raise ApiError("IncorrectEipStatus", id=eip["id"])
    if call.get("InstanceId") not in ("", eip["InstanceId"]):
        raise ApiError("InvalidInstanceId.NotFound", id=call.get("InstanceId"))
    if any(eip["IpAddress"] in entry["SnatIp"].split(",") for entry in SNAT_ENTRY.all(call)):
        raise ApiError("InvalidIpStatus.HasBeenUsedBySnatTable", ip=eip["IpAddress"])
    if FORWARD_ENTRY.all(call, ExternalIp=eip["IpAddress"]):
        raise ApiError("InvalidIpStatus.HasBeenUsedByForwardEntry", ip=eip["IpAddress"])
    free = {"InstanceId": "", "InstanceType": "", "ready": call.now + delay("eip_association")}
    EIP.save(call, eip | free)
    return {}


@_vpc("ReleaseEipAddress")
def release_eip_address(call: Call) -> Answer:
    eip = EIP.named(call, "AllocationId")
    if eip["InstanceId"] or pending(call, eip):
        raise ApiError("IncorrectEipStatus", id=eip["id"])
    if eip["DeletionProtection"]:
        raise ApiError("OperationDenied.DeletionProtection", id=eip["id"])
    EIP.delete(call, eip)
    return {}


def bound_address(call: Call, nat: Document, address: str) -> None:
    """Raise `ApiError` when an address isn't an EIP of the NAT gateway."""
    if not EIP.all(call, InstanceId=nat["id"], IpAddress=address):
        raise ApiError("EIP_NOT_IN_GATEWAY", ip=address, nat=nat["id"])


def _free_address(call: Call, taken: set[str]) -> str:
    while True:
        address = _ADDRESSES[call.store.next("alicloud.eip.address") % len(_ADDRESSES)]
        if address not in taken:
            return address


def _view(call: Call, eip: Document) -> Answer:
    steady = "InUse" if eip["InstanceId"] else "Available"
    return shown(eip) | {
        "AllocationId": eip["id"],
        "RegionId": eip["region"],
        "Status": _CHANGING[bool(eip["InstanceId"])] if pending(call, eip) else steady,
        "AllocationTime": iso(eip["created"]),
        "ExpiredTime": "",
        "OperationLocks": {"LockReason": []},
        "AvailableRegions": {"AvailableRegion": [eip["region"]]},
        "SecurityProtectionTypes": {"SecurityProtectionType": eip["protections"]},
        "Tags": tag_list(eip),
    }
