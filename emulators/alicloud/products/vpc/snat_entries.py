"""SNAT entries: which vSwitches go out through which addresses of a NAT gateway."""

from __future__ import annotations

from ipaddress import IPv4Network

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import SNAT_ENTRY, VSWITCH
from emulators.alicloud.products.vpc.eip_addresses import bound_address
from emulators.alicloud.products.vpc.nat_gateways import of_table, usable
from emulators.alicloud.resources import change, listed, page, pending, shown, status
from emulators.alicloud.tables import delay, limit
from emulators.store import Document

_vpc = product("Vpc")


@_vpc("CreateSnatEntry")
def create_snat_entry(call: Call) -> Answer:
    nat = _nat(call)
    usable(call, nat)
    addresses = _addresses(call, nat)
    vswitch_id, source = call.get("SourceVSwitchId"), call.get("SourceCIDR")
    if bool(vswitch_id) == bool(source):
        raise ApiError("MissingParameter", name="SourceVSwitchId or SourceCIDR, and only one of them")
    if vswitch_id:
        vswitch = VSWITCH.get(call, vswitch_id)
        if vswitch["VpcId"] != nat["VpcId"]:
            raise ApiError("InvalidVSwitch.NotInVpc", vswitch=vswitch_id, vpc=nat["VpcId"])
        source = vswitch["CidrBlock"]
    source = str(IPv4Network(source)) if vswitch_id else str(call.network("SourceCIDR"))
    entries = SNAT_ENTRY.all(call, SnatTableId=nat["snat_table"])
    if any(entry["SourceCIDR"] == source for entry in entries):
        raise ApiError("Forbidden.SourceVSwitchId.Duplicated", source=source)
    if len(entries) >= limit("snat_entries_per_nat_gateway"):
        raise ApiError("QuotaExceeded.SnatEntry", most=limit("snat_entries_per_nat_gateway"))
    entry = SNAT_ENTRY.create(
        call,
        SnatTableId=nat["snat_table"],
        NatGatewayId=nat["id"],
        SourceVSwitchId=vswitch_id,
        SourceCIDR=source,
        SnatIp=",".join(addresses),
        SnatEntryName=call.get("SnatEntryName"),
        EipAffinity=str(call.number("EipAffinity", 0, high=1)),
    )
    return {"SnatEntryId": entry["id"]}


@_vpc("DescribeSnatTableEntries")
def describe_snat_table_entries(call: Call) -> Answer:
    found = SNAT_ENTRY.all(call)
    for parameter, field in (
        ("SnatTableId", "SnatTableId"),
        ("SnatEntryId", "id"),
        ("NatGatewayId", "NatGatewayId"),
        ("SourceVSwitchId", "SourceVSwitchId"),
        ("SourceCIDR", "SourceCIDR"),
        ("SnatEntryName", "SnatEntryName"),
    ):
        found = listed(call, parameter, found, field)
    views = [shown(e) | {"SnatEntryId": e["id"], "Status": status(call, e)} for e in found]
    rows, counts = page(call, views)
    return {"SnatTableEntries": {"SnatTableEntry": rows}, **counts}


@_vpc("ModifySnatEntry")
def modify_snat_entry(call: Call) -> Answer:
    nat, entry = _nat(call), _entry(call)
    usable(call, nat)
    if call.has("SnatIp"):
        entry["SnatIp"] = ",".join(_addresses(call, nat))
    if call.has("EipAffinity"):
        entry["EipAffinity"] = str(call.number("EipAffinity", 0, high=1))
    change(call, entry, SnatEntryName="SnatEntryName")
    SNAT_ENTRY.save(call, entry | {"ready": call.now + delay("snat_entry")})
    return {}


@_vpc("DeleteSnatEntry")
def delete_snat_entry(call: Call) -> Answer:
    usable(call, _nat(call))
    entry = _entry(call)
    if pending(call, entry):
        raise ApiError("IncorretSnatEntryStatus")  # the service spells it so
    SNAT_ENTRY.delete(call, entry)
    return {}


def _nat(call: Call) -> Document:
    return of_table(call, "SnatTableId", "snat_table", "InvalidSnatTableId.NotFound")


def _entry(call: Call) -> Document:
    entry = SNAT_ENTRY.named(call, "SnatEntryId")
    if entry["SnatTableId"] != call.need("SnatTableId"):
        raise ApiError("InvalidSnatEntryId.NotFound", id=entry["id"])
    return entry


def _addresses(call: Call, nat: Document) -> list[str]:
    addresses = [address.strip() for address in call.need("SnatIp").split(",")]
    for address in addresses:
        if nat["NetworkType"] == "internet":
            bound_address(call, nat, address)
        elif address != nat["private_ip"]:
            raise ApiError("EIP_NOT_IN_GATEWAY", ip=address, nat=nat["id"])
    return addresses
