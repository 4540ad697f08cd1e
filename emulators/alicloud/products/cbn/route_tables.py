"""Route tables of transit routers: which attachment looks routes up in one, and which makes its routes known there."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, Handler, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import (
    TRANSIT_ASSOCIATION,
    TRANSIT_ATTACHMENT,
    TRANSIT_PROPAGATION,
    TRANSIT_ROUTER,
    TRANSIT_TABLE,
)
from emulators.alicloud.resources import Kind, change, listed, page, pending, shown, status, tag_list
from emulators.store import Document

_cbn = product("Cbn")


@_cbn("CreateTransitRouterRouteTable")
def create_route_table(call: Call) -> Answer:
    router = TRANSIT_ROUTER.named(call, "TransitRouterId")
    if pending(call, router):
        raise ApiError("IncorrectStatus.Status", id=router["id"])
    table = TRANSIT_TABLE.create(
        call,
        call.tags(),
        TransitRouterId=router["id"],
        RegionId=router["RegionId"],
        TransitRouterRouteTableName=call.get("TransitRouterRouteTableName"),
        TransitRouterRouteTableDescription=call.get("TransitRouterRouteTableDescription"),
        TransitRouterRouteTableType="Custom",
    )
    return {"TransitRouterRouteTableId": table["id"]}


@_cbn("ListTransitRouterRouteTables")
def list_route_tables(call: Call) -> Answer:
    found = listed(call, "TransitRouterId", TRANSIT_TABLE.all(call), "TransitRouterId")
    if wanted := call.strings("TransitRouterRouteTableIds"):
        found = [table for table in found if table["id"] in wanted]
    views = [
        shown(table)
        | {
            "TransitRouterRouteTableId": table["id"],
            "TransitRouterRouteTableStatus": status(call, table, "Creating", "Active"),
            "CreateTime": iso(table["created"]),
            "Tags": tag_list(table)["Tag"],
        }
        for table in found
    ]
    rows, counts = page(call, views)
    return {"TransitRouterRouteTables": rows, **counts}


@_cbn("UpdateTransitRouterRouteTable")
def update_route_table(call: Call) -> Answer:
    table = TRANSIT_TABLE.named(call, "TransitRouterRouteTableId")
    for name in ("TransitRouterRouteTableName", "TransitRouterRouteTableDescription"):
        change(call, table, **{name: name})
    TRANSIT_TABLE.save(call, table)
    return {}


@_cbn("DeleteTransitRouterRouteTable")
def delete_route_table(call: Call) -> Answer:
    table = TRANSIT_TABLE.named(call, "TransitRouterRouteTableId")
    for kind in (TRANSIT_ASSOCIATION, TRANSIT_PROPAGATION):
        if used := kind.all(call, TransitRouterRouteTableId=table["id"]):
            raise ApiError("IncorrectStatus.Status", id=", ".join(each["id"] for each in used))
    TRANSIT_TABLE.delete(call, table)
    return {}


def _join(kind: Kind) -> Handler:
    def handler(call: Call) -> Answer:
        attachment = TRANSIT_ATTACHMENT.named(call, "TransitRouterAttachmentId")
        table = TRANSIT_TABLE.named(call, "TransitRouterRouteTableId")
        for part in (attachment, table):
            if pending(call, part):
                raise ApiError("IncorrectStatus.Status", id=part["id"])
        joined = {"TransitRouterAttachmentId": attachment["id"], "TransitRouterRouteTableId": table["id"]}
        if kind is TRANSIT_ASSOCIATION and kind.all(call, TransitRouterAttachmentId=attachment["id"]):
            raise ApiError("InvalidOperation.ChildInstanceExist", id=attachment["id"])
        kind.create(call, ident=f"{attachment['id']}:{table['id']}", ResourceType=attachment["ResourceType"], **joined)
        return {}

    return handler


def _leave(kind: Kind) -> Handler:
    def handler(call: Call) -> Answer:
        ident = f"{call.need('TransitRouterAttachmentId')}:{call.need('TransitRouterRouteTableId')}"
        kind.delete(call, kind.get(call, ident))
        return {}

    return handler


def _listing(kind: Kind, answer: str) -> Handler:
    def handler(call: Call) -> Answer:
        found = kind.all(call)
        for name in ("TransitRouterAttachmentId", "TransitRouterRouteTableId"):
            found = listed(call, name, found, name)
        rows, counts = page(call, [_view(call, each) for each in found])
        return {answer: rows, **counts}

    return handler


def _view(call: Call, joined: Document) -> Answer:
    return shown(joined) | {"Status": status(call, joined, "Associating", "Active")}


_cbn("AssociateTransitRouterAttachmentWithRouteTable")(_join(TRANSIT_ASSOCIATION))
_cbn("DissociateTransitRouterAttachmentFromRouteTable")(_leave(TRANSIT_ASSOCIATION))
_cbn("ListTransitRouterRouteTableAssociations")(_listing(TRANSIT_ASSOCIATION, "TransitRouterAssociations"))
_cbn("EnableTransitRouterRouteTablePropagation")(_join(TRANSIT_PROPAGATION))
_cbn("DisableTransitRouterRouteTablePropagation")(_leave(TRANSIT_PROPAGATION))
_cbn("ListTransitRouterRouteTablePropagations")(_listing(TRANSIT_PROPAGATION, "TransitRouterPropagations"))
