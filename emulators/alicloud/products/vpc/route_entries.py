"""Route entries: where a route table sends what."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import NAT_GATEWAY, ROUTE_ENTRY, ROUTE_TABLE
from emulators.alicloud.products.vpc.route_tables import entry_view
from emulators.alicloud.resources import listed, pending
from emulators.alicloud.tables import limit
from emulators.store import Document

_vpc = product("Vpc")

# The emulated account has no other kind of resource that a route could point to.
_NEXT_HOPS = {"NatGateway": NAT_GATEWAY}


@_vpc("CreateRouteEntry")
def create_route_entry(call: Call) -> Answer:
    table = ROUTE_TABLE.named(call, "RouteTableId")
    entry = add_entry(
        call,
        table,
        str(call.network("DestinationCidrBlock")),
        call.need("NextHopType"),
        call.need("NextHopId"),
        call.get("RouteEntryName"),
        call.get("Description"),
    )
    return {"RouteEntryId": entry["id"]}


@_vpc("CreateRouteEntries")
def create_route_entries(call: Call) -> Answer:
    rows = call.records("RouteEntries")
    if not rows:
        raise ApiError("MissingParameter", name="RouteEntries.1")
    made, failed = [], []
    for row in rows:
        block, hop = row.get("DstCidrBlock", ""), row.get("NextHop", "")
        try:
            table = ROUTE_TABLE.get(call, row.get("RouteTableId", ""))
            # "Describption": the service spells it so.
            texts = row.get("Name", ""), row.get("Describption", "")
            made.append(add_entry(call, table, block, row.get("NextHopType", ""), hop, *texts)["id"])
        except ApiError as error:
            code = {"FailedCode": error.code, "FailedMessage": error.message}
            failed.append({"DstCidrBlock": block, "NextHop": hop, **code})
    return {
        "RouteEntryIds": made,
        "SuccessCount": len(made),
        "FailedCount": len(failed),
        "FailedRouteEntries": failed,
    }


@_vpc("DescribeRouteEntryList")
def describe_route_entry_list(call: Call) -> Answer:
    table = ROUTE_TABLE.named(call, "RouteTableId")
    found = ROUTE_ENTRY.all(call, RouteTableId=table["id"])
    for parameter, field in (
        ("RouteEntryId", "id"),
        ("DestinationCidrBlock", "DestinationCidrBlock"),
        ("RouteEntryName", "RouteEntryName"),
        ("RouteEntryType", "Type"),
        ("NextHopId", "InstanceId"),
        ("NextHopType", "NextHopType"),
    ):
        found = listed(call, parameter, found, field)
    rows = [entry_view(call, entry) for entry in found[: call.number("MaxResult", 100, low=1)]]
    return {"RouteEntrys": {"RouteEntry": rows}}


@_vpc("ModifyRouteEntry")
def modify_route_entry(call: Call) -> Answer:
    entry = ROUTE_ENTRY.named(call, "RouteEntryId")
    entry["RouteEntryName"] = call.get("RouteEntryName", entry["RouteEntryName"])
    entry["Description"] = call.get("Description", entry["Description"])
    ROUTE_ENTRY.save(call, entry)
    return {}


@_vpc("DeleteRouteEntry")
def delete_route_entry(call: Call) -> Answer:
    if call.get("RouteEntryId"):
        entry = ROUTE_ENTRY.named(call, "RouteEntryId")
    else:
        table, block = ROUTE_TABLE.named(call, "RouteTableId"), str(call.network("DestinationCidrBlock"))
        found = ROUTE_ENTRY.all(call, RouteTableId=table["id"], DestinationCidrBlock=block)
        found = listed(call, "NextHopId", found, "InstanceId")
        if not found:
            raise ApiError("InvalidRouteEntry.NotFound", id=block)
        entry = found[0]
    if entry["Type"] == "System":
        raise ApiError("OperationDenied.SystemRouteEntry")
    if pending(call, entry):
        raise ApiError("IncorrectRouteEntryStatus")
    ROUTE_ENTRY.delete(call, entry)
    return {}


def add_entry(
    call: Call,
    table: Document,
    destination: str,
    hop_type: str,
    hop_id: str,
    name: str = "",
    description: str = "",
) -> Document:
    """Add a custom entry to a route table and return it. Raises `ApiError` when it can't be."""
    kind = _NEXT_HOPS.get(hop_type)
    if kind is None or kind.find(call, hop_id) is None:
        raise ApiError("InvalidNextHop.NotFound", kind=hop_type, id=hop_id)
    entries = ROUTE_ENTRY.all(call, RouteTableId=table["id"])
    if any(entry["DestinationCidrBlock"] == destination for entry in entries):
        raise ApiError("InvalidCIDRBlock.Duplicate", block=destination)
    if sum(entry["Type"] == "Custom" for entry in entries) >= limit("custom_route_entries_per_route_table"):
        raise ApiError("QuotaExceeded.RouteEntry", most=limit("custom_route_entries_per_route_table"))
    return ROUTE_ENTRY.create(
        call,
        RouteTableId=table["id"],
        DestinationCidrBlock=destination,
        NextHopType=hop_type,
        InstanceId=hop_id,
        Type="Custom",
        RouteEntryName=name,
        Description=description,
    )
