"""NAT gateways (enhanced, for the internet or for a VPC's own addresses)."""

from __future__ import annotations

from ipaddress import IPv4Network

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import EIP, FORWARD_ENTRY, NAT_GATEWAY, ROUTE_ENTRY, SNAT_ENTRY, VPC, VSWITCH
from emulators.alicloud.products.vpc.route_entries import add_entry
from emulators.alicloud.products.vpc.vswitches import system_table
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

_EVERYWHERE = "0.0.0.0/0"


@_vpc("CreateNatGateway")
def create_nat_gateway(call: Call) -> Answer:
    vpc, vswitch = VPC.named(call, "VpcId"), VSWITCH.named(call, "VSwitchId")
    if call.get("NatType", "Enhanced") != "Enhanced":
        raise ApiError("InvalidNatType.NotSupported")
    network_type = call.choice("NetworkType", "internet", "intranet", default="internet")
    charge = call.choice("InstanceChargeType", "PostPaid", "PrePaid", default="PostPaid")
    if vswitch["VpcId"] != vpc["id"]:
        raise ApiError("InvalidVSwitch.NotInVpc", vswitch=vswitch["id"], vpc=vpc["id"])
    if pending(call, vswitch):
        raise ApiError("IncorrectStatus.VSWITCH")
    siblings = NAT_GATEWAY.all(call, VpcId=vpc["id"])
    if len(siblings) >= limit("nat_gateways_per_vpc"):
        raise ApiError("QuotaExceeded.NatGateway", most=limit("nat_gateways_per_vpc"))
    access = call.data("AccessMode") if call.get("AccessMode") else {"ModeValue": "route", "TunnelType": ""}
    nat = NAT_GATEWAY.create(
        call,
        call.tags(),
        VpcId=vpc["id"],
        Name=call.get("Name"),
        Description=call.get("Description"),
        NatType="Enhanced",
        NetworkType=network_type,
        InstanceChargeType=charge,
        InternetChargeType=call.get("InternetChargeType", "PayByLcu"),
        Spec=call.get("Spec"),
        EipBindMode=call.get("EipBindMode", "MULTI_BINDED"),
        AvailabilityMode=call.get("AvailabilityMode", "single-az"),
        IcmpReplyEnabled=call.flag("IcmpReplyEnabled", True),
        PrivateLinkEnabled=call.flag("PrivateLinkEnabled"),
        AccessMode=access if call.flag("PrivateLinkEnabled") else {},
        DeletionProtection=False,
        ResourceGroupId=vpc["ResourceGroupId"],
        SecurityProtectionEnabled=False,
        AutoPay=False,
        BusinessStatus="Normal",
        ExpiredTime="",
        vswitch=vswitch["id"],
        zone=vswitch["ZoneId"],
        # After the first address, which belongs to the system, and those of the gateways before it.
        private_ip=str(IPv4Network(vswitch["CidrBlock"])[1 + len(siblings) + 1]),
        default_route="",
    )
    nat["snat_table"] = f"stb-uf6{identifier(nat['id'])}"
    nat["forward_table"] = f"ftb-uf6{identifier(nat['id'])}"
    if network_type == "internet":
        _add_default_route(call, vpc, nat)
    NAT_GATEWAY.save(call, nat)
    return {
        "NatGatewayId": nat["id"],
        "SnatTableIds": {"SnatTableId": [nat["snat_table"]]},
        "ForwardTableIds": {"ForwardTableId": [nat["forward_table"]]},
        "FullNatTableIds": {"FullNatTableId": []},
        "BandwidthPackageIds": {"BandwidthPackageId": []},
    }


@_vpc("DescribeNatGateways")
def describe_nat_gateways(call: Call) -> Answer:
    found = tagged(call, NAT_GATEWAY.all(call))
    for parameter, field in (
        ("NatGatewayId", "id"),
        ("VpcId", "VpcId"),
        ("ZoneId", "zone"),
        ("Name", "Name"),
        ("NetworkType", "NetworkType"),
    ):
        found = listed(call, parameter, found, field)
    rows, counts = page(call, [_view(call, nat) for nat in found])
    return {"NatGateways": {"NatGateway": rows}, **counts}


@_vpc("GetNatGatewayAttribute")
def get_nat_gateway_attribute(call: Call) -> Answer:
    nat = NAT_GATEWAY.named(call, "NatGatewayId")
    view = _view(call, nat)
    private = view.pop("NatGatewayPrivateInfo")
    view.pop("SnatTableIds")
    view.pop("ForwardTableIds")
    return view | {
        "VSwitchId": nat["vswitch"],
        "IpList": view.pop("IpLists")["IpList"],
        "PrivateInfo": private,
        "SnatTable": {"SnatTableId": nat["snat_table"], "SnatEntryCount": len(_snat_entries(call, nat))},
        "ForwardTable": {"ForwardTableId": nat["forward_table"], "ForwardEntryCount": len(_forwards(call, nat))},
        "DeletionProtectionInfo": {"Enabled": nat["DeletionProtection"]},
        "BillingConfig": {
            "InstanceChargeType": nat["InstanceChargeType"],
            "InternetChargeType": nat["InternetChargeType"],
            "AutoPay": "false",
            "Spec": nat["Spec"],
        },
    }


@_vpc("ModifyNatGatewayAttribute")
def modify_nat_gateway_attribute(call: Call) -> Answer:
    nat = NAT_GATEWAY.named(call, "NatGatewayId")
    usable(call, nat)
    change(call, nat, Name="Name", Description="Description", EipBindMode="EipBindMode")
    if call.has("IcmpReplyEnabled"):
        nat["IcmpReplyEnabled"] = call.flag("IcmpReplyEnabled")
    NAT_GATEWAY.save(call, nat)
    return {}


@_vpc("ModifyNatGatewaySpec")
def modify_nat_gateway_spec(call: Call) -> Answer:
    nat = NAT_GATEWAY.named(call, "NatGatewayId")
    if nat["InternetChargeType"] == "PayByLcu":
        raise ApiError("OperationUnsupported.PayByLcu")
    nat["Spec"] = call.need("Spec")
    NAT_GATEWAY.save(call, nat)
    return {}


@_vpc("DeleteNatGateway")
def delete_nat_gateway(call: Call) -> Answer:
    nat = NAT_GATEWAY.named(call, "NatGatewayId")
    if pending(call, nat):
        raise ApiError("IncorrectStatus.NatGateway")
    if nat["DeletionProtection"]:
        raise ApiError("OperationDenied.DeletionProtection", id=nat["id"])
    eips, snats, forwards = _eips(call, nat), _snat_entries(call, nat), _forwards(call, nat)
    routes = [entry for entry in ROUTE_ENTRY.all(call, InstanceId=nat["id"]) if entry["id"] != nat["default_route"]]
    if not call.flag("Force"):
        for code, found in (
            ("DependencyViolation.EIPS", eips),
            ("DependencyViolation.SnatEntry", snats),
            ("DependencyViolation.ForwardEntry", forwards),
            ("DependencyViolation.RouteEntry", routes),
        ):
            if found:
                raise ApiError(code, ids=", ".join(document["id"] for document in found))
    for eip in eips:
        eip["InstanceId"], eip["InstanceType"] = "", ""
        EIP.save(call, eip)
    for kind, found in ((SNAT_ENTRY, snats), (FORWARD_ENTRY, forwards), (ROUTE_ENTRY, routes)):
        for document in found:
            kind.delete(call, document)
    if default := ROUTE_ENTRY.find(call, nat["default_route"]):
        ROUTE_ENTRY.delete(call, default)
    NAT_GATEWAY.delete(call, nat)
    return {}


def usable(call: Call, nat: Document) -> None:
    """Raise `ApiError` when a NAT gateway is still pending."""
    if pending(call, nat):
        raise ApiError("IncorrectStatus.NATGW")


def of_table(call: Call, parameter: str, field: str, missing: str) -> Document:
    """Return the NAT gateway whose SNAT or forward table a parameter names. Raises `ApiError` for none."""
    ident = call.need(parameter)
    found = NAT_GATEWAY.all(call, **{field: ident})
    if not found:
        raise ApiError(missing, id=ident)
    return found[0]


def _add_default_route(call: Call, vpc: Document, nat: Document) -> None:
    """The service points a VPC's default route to its first internet gateway, and takes it back with the gateway."""
    table = system_table(call, vpc["id"])
    if not ROUTE_ENTRY.all(call, RouteTableId=table["id"], DestinationCidrBlock=_EVERYWHERE):
        entry = add_entry(call, table, _EVERYWHERE, "NatGateway", nat["id"], "", "Created by system.")
        nat["default_route"] = entry["id"]


def _eips(call: Call, nat: Document) -> list[Document]:
    return EIP.all(call, InstanceId=nat["id"])


def _snat_entries(call: Call, nat: Document) -> list[Document]:
    return SNAT_ENTRY.all(call, SnatTableId=nat["snat_table"])


def _forwards(call: Call, nat: Document) -> list[Document]:
    return FORWARD_ENTRY.all(call, ForwardTableId=nat["forward_table"])


def _view(call: Call, nat: Document) -> Answer:
    snat_ips = {ip for entry in _snat_entries(call, nat) for ip in entry["SnatIp"].split(",")}
    addresses = [
        {
            "AllocationId": eip["id"],
            "IpAddress": eip["IpAddress"],
            "PrivateIpAddress": nat["private_ip"],
            "UsingStatus": "UsedBySnatTable" if eip["IpAddress"] in snat_ips else "Idle",
            "SnatEntryEnabled": eip["IpAddress"] in snat_ips,
        }
        for eip in _eips(call, nat)
    ]
    view = shown(nat) | {
        "NatGatewayId": nat["id"],
        "RegionId": nat["region"],
        "Status": status(call, nat, "Creating"),
        "CreationTime": iso(nat["created"]),
        "IpLists": {"IpList": addresses},
        "SnatTableIds": {"SnatTableId": [nat["snat_table"]]},
        "ForwardTableIds": {"ForwardTableId": [nat["forward_table"]]},
        "FullNatTableIds": {"FullNatTableId": []},
        "NatGatewayPrivateInfo": {
            "VswitchId": nat["vswitch"],
            "IzNo": nat["zone"],
            "EniInstanceId": f"eni-uf6{identifier(nat['id'])}",
            "PrivateIpAddress": nat["private_ip"],
            "MaxBandwidth": 5120,
            "EniType": "indirect",
        },
        "Tags": tag_list(nat),
    }
    if not nat["AccessMode"]:
        del view["AccessMode"]
    return view
