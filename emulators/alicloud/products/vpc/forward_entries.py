"""Forward (DNAT) entries: which address and port of a NAT gateway leads to which one inside."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import FORWARD_ENTRY
from emulators.alicloud.products.vpc.eip_addresses import bound_address
from emulators.alicloud.products.vpc.nat_gateways import of_table, usable
from emulators.alicloud.resources import change, listed, page, shown, status
from emulators.alicloud.tables import delay
from emulators.store import Document

_vpc = product("Vpc")


@_vpc("CreateForwardEntry")
def create_forward_entry(call: Call) -> Answer:
    nat = _nat(call)
    usable(call, nat)
    fields: Document = {
        "ExternalIp": call.need("ExternalIp"),
        "ExternalPort": call.need("ExternalPort"),
        "InternalIp": call.need("InternalIp"),
        "InternalPort": call.need("InternalPort"),
        "IpProtocol": call.choice("IpProtocol", "TCP", "UDP", "Any"),
    }
    bound_address(call, nat, fields["ExternalIp"])
    _check_free(call, fields)
    entry = FORWARD_ENTRY.create(
        call,
        ForwardTableId=nat["forward_table"],
        NatGatewayId=nat["id"],
        ForwardEntryName=call.get("ForwardEntryName"),
        **fields,
    )
    return {"ForwardEntryId": entry["id"]}


@_vpc("DescribeForwardTableEntries")
def describe_forward_table_entries(call: Call) -> Answer:
    found = FORWARD_ENTRY.all(call)
    for name in (
        "ForwardTableId",
        "NatGatewayId",
        "ExternalIp",
        "ExternalPort",
        "InternalIp",
        "InternalPort",
        "IpProtocol",
    ):
        found = listed(call, name, found, name)
    found = listed(call, "ForwardEntryId", found)
    views = [shown(e) | {"ForwardEntryId": e["id"], "Status": status(call, e)} for e in found]
    rows, counts = page(call, views)
    return {"ForwardTableEntries": {"ForwardTableEntry": rows}, **counts}


@_vpc("ModifyForwardEntry")
def modify_forward_entry(call: Call) -> Answer:
    nat, entry = _nat(call), FORWARD_ENTRY.named(call, "ForwardEntryId")
    usable(call, nat)
    names = ("ExternalIp", "ExternalPort", "InternalIp", "InternalPort", "IpProtocol", "ForwardEntryName")
    change(call, entry, **{name: name for name in names})
    bound_address(call, nat, entry["ExternalIp"])
    _check_free(call, entry, entry["id"])
    FORWARD_ENTRY.save(call, entry | {"ready": call.now + delay("forward_entry")})
    return {}


@_vpc("DeleteForwardEntry")
def delete_forward_entry(call: Call) -> Answer:
    usable(call, _nat(call))
    FORWARD_ENTRY.delete(call, FORWARD_ENTRY.named(call, "ForwardEntryId"))
    return {}


def _nat(call: Call) -> Document:
    return of_table(call, "ForwardTableId", "forward_table", "InvalidForwardTableId.NotFound")


def _check_free(call: Call, fields: Document, itself: str = "") -> None:
    keys = ("ExternalIp", "ExternalPort", "IpProtocol")
    same = FORWARD_ENTRY.all(call, **{key: fields[key] for key in keys})
    if any(entry["id"] != itself for entry in same):
        raise ApiError("InvalidExternalPort.Duplicated", ip=fields["ExternalIp"])
