"""Route tables: custom ones beside each VPC's system table, and which vSwitches use them."""

from __future__ import annotations

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import ROUTE_ENTRY, ROUTE_TABLE, VPC, VSWITCH
from emulators.alicloud.products.vpc.networks import settled
from emulators.alicloud.products.vpc.vswitches import system_table
from emulators.alicloud.resources import change, listed, page, pending, shown, status, tag_list, tagged
from emulators.alicloud.tables import limit
from emulators.store import Document

_vpc = product("Vpc")


@_vpc("CreateRouteTable")
def create_route_table(call: Call) -> Answer:
    vpc = VPC.named(call, "VpcId")
    settled(call, vpc)
    most = limit("custom_route_tables_per_vpc")
    if len(ROUTE_TABLE.all(call, VpcId=vpc["id"], RouteTableType="Custom")) >= most:
        raise ApiError("QuotaExceeded.RouteTable", most=most)
    table = ROUTE_TABLE.create(
        call,
        call.tags(),
        VpcId=vpc["id"],
        RouterId=vpc["VRouterId"],
        RouteTableType="Custom",
        RouteTableName=call.get("RouteTableName"),
        Description=call.get("Description"),
        AssociateType=call.choice("AssociateType", "VSwitch", "Gateway", default="VSwitch"),
        RoutePropagationEnable=True,
        ResourceGroupId=vpc["ResourceGroupId"],
    )
    return {"RouteTableId": table["id"], "ResourceGroupId": vpc["ResourceGroupId"]}


@_vpc("DescribeRouteTableList")
def describe_route_table_list(call: Call) -> Answer:
    rows, counts = page(call, [_view(call, table) for table in _found(call)])
    return {"RouterTableList": {"RouterTableListType": rows}, **counts, "Code": "200", "Success": True}


@_vpc("DescribeRouteTables")
def describe_route_tables(call: Call) -> Answer:
    views = [
        _view(call, table)
        | {
            "VRouterId": table["RouterId"],
            "RouteEntrys": {
                "RouteEntry": [entry_view(call, entry) for entry in ROUTE_ENTRY.all(call, RouteTableId=table["id"])]
            },
        }
        for table in _found(call)
    ]
    rows, counts = page(call, views)
    return {"RouteTables": {"RouteTable": rows}, **counts}


@_vpc("ModifyRouteTableAttributes")
def modify_route_table_attributes(call: Call) -> Answer:
    table = ROUTE_TABLE.named(call, "RouteTableId")
    change(call, table, RouteTableName="RouteTableName", Description="Description")
    if call.has("RoutePropagationEnable"):
        table["RoutePropagationEnable"] = call.flag("RoutePropagationEnable")
    ROUTE_TABLE.save(call, table)
    return {"Code": "200", "Success": True}


@_vpc("AssociateRouteTable")
def associate_route_table(call: Call) -> Answer:
    table, vswitch = ROUTE_TABLE.named(call, "RouteTableId"), VSWITCH.named(call, "VSwitchId")
    if pending(call, table):
        raise ApiError("IncorrectStatus.RouteTable")
    if pending(call, vswitch):
        raise ApiError("IncorrectVSwitchStatus")
    if table["RouteTableType"] == "System" or table["VpcId"] != vswitch["VpcId"]:
        raise ApiError("OperationDenied.RouteTable", table=table["id"], vswitch=vswitch["id"])
    vswitch["route_table"] = table["id"]
    VSWITCH.save(call, vswitch)
    return {}


@_vpc("UnassociateRouteTable")
def unassociate_route_table(call: Call) -> Answer:
    table, vswitch = ROUTE_TABLE.named(call, "RouteTableId"), VSWITCH.named(call, "VSwitchId")
    if vswitch["route_table"] != table["id"] or table["RouteTableType"] == "System":
        raise ApiError("OperationDenied.RouteTable", table=table["id"], vswitch=vswitch["id"])
    vswitch["route_table"] = system_table(call, vswitch["VpcId"])["id"]
    VSWITCH.save(call, vswitch)
    return {}


@_vpc("DeleteRouteTable")
def delete_route_table(call: Call) -> Answer:
    table = ROUTE_TABLE.named(call, "RouteTableId")
    if table["RouteTableType"] == "System":
        raise ApiError("OperationDenied.SystemRouteTable")
    if users := VSWITCH.all(call, route_table=table["id"]):
        raise ApiError("DependencyViolation.VSwitch", ids=", ".join(vswitch["id"] for vswitch in users))
    if entries := ROUTE_ENTRY.all(call, RouteTableId=table["id"]):
        raise ApiError("DependencyViolation.RouteEntry", ids=", ".join(entry["id"] for entry in entries))
    ROUTE_TABLE.delete(call, table)
    return {}


def entry_view(call: Call, entry: Document) -> Answer:
    """Return a route entry as the describing actions show it."""
    hop = {"NextHopId": entry["InstanceId"], "NextHopType": entry["NextHopType"], "Enabled": 1, "Weight": 0}
    return shown(entry) | {
        "RouteEntryId": entry["id"],
        "Status": status(call, entry),
        "IpVersion": "ipv4",
        "NextHops": {"NextHop": [hop]},
    }


def _found(call: Call) -> list[Document]:
    found = tagged(call, ROUTE_TABLE.all(call))
    for parameter, field in (
        ("VpcId", "VpcId"),
        ("RouteTableId", "id"),
        ("RouterId", "RouterId"),
        ("VRouterId", "RouterId"),
        ("RouteTableName", "RouteTableName"),
        ("RouteTableType", "RouteTableType"),
    ):
        found = listed(call, parameter, found, field)
    return found


def _view(call: Call, table: Document) -> Answer:
    users = [vswitch["id"] for vswitch in VSWITCH.all(call, route_table=table["id"])]
    return shown(table) | {
        "RouteTableId": table["id"],
        "RouterType": "VRouter",
        "OwnerId": int(ACCOUNT_ID),
        "Status": status(call, table),
        "CreationTime": iso(table["created"]),
        "VSwitchIds": {"VSwitchId": users},
        "GatewayIds": {"GatewayIds": []},
        "Tags": tag_list(table),
    }
