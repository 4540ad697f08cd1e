"""CEN instances and their transit routers, one a region."""

from __future__ import annotations

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import CEN, TRANSIT_ATTACHMENT, TRANSIT_ROUTER
from emulators.alicloud.resources import change, listed, page, pending, shown, status, tag_list
from emulators.store import Document

_cbn = product("Cbn")


@_cbn("CreateCen")
def create_cen(call: Call) -> Answer:
    cen = CEN.create(
        call,
        call.tags(),
        Name=call.get("Name"),
        Description=call.get("Description"),
        ProtectionLevel=call.get("ProtectionLevel", "REDUCED"),
        ResourceGroupId=call.get("ResourceGroupId", "rg-acfmemulator"),
    )
    return {"CenId": cen["id"]}


@_cbn("DescribeCens")
def describe_cens(call: Call) -> Answer:
    found = CEN.all(call)
    for order in _filters(call):
        field = {"CenId": "id", "Name": "Name"}.get(order["Key"])
        if field is None:
            raise ApiError("InvalidParameter", name="Filter.Key", rule="CenId or Name")
        found = [cen for cen in found if cen[field] in order["values"]]
    views = [
        shown(cen)
        | {
            "CenId": cen["id"],
            "Status": status(call, cen, "Creating", "Active"),
            "CreationTime": iso(cen["created"]),
            "CenBandwidthPackageIds": {"CenBandwidthPackageId": []},
            "Tags": tag_list(cen),
        }
        for cen in found
    ]
    rows, counts = page(call, views)
    return {"Cens": {"Cen": rows}, **counts}


@_cbn("ModifyCenAttribute")
def modify_cen_attribute(call: Call) -> Answer:
    cen = CEN.named(call, "CenId")
    change(call, cen, Name="Name", Description="Description", ProtectionLevel="ProtectionLevel")
    CEN.save(call, cen)
    return {}


@_cbn("DeleteCen")
def delete_cen(call: Call) -> Answer:
    cen = CEN.named(call, "CenId")
    if routers := TRANSIT_ROUTER.all(call, CenId=cen["id"]):
        raise ApiError("InvalidOperation.CenInstanceStatus", ids=", ".join(router["id"] for router in routers))
    CEN.delete(call, cen)
    return {}


@_cbn("CreateTransitRouter")
def create_transit_router(call: Call) -> Answer:
    cen = CEN.named(call, "CenId")
    if pending(call, cen):
        raise ApiError("IncorrectStatus.Status", id=cen["id"])
    if TRANSIT_ROUTER.all(call, CenId=cen["id"], RegionId=call.region):
        raise ApiError("InvalidOperation.TransitRouterExist", region=call.region)
    router = TRANSIT_ROUTER.create(
        call,
        call.tags(),
        CenId=cen["id"],
        RegionId=call.region,
        TransitRouterName=call.get("TransitRouterName"),
        TransitRouterDescription=call.get("TransitRouterDescription"),
        SupportMulticast=call.flag("SupportMulticast"),
        Type="Enterprise",
        AliUid=int(ACCOUNT_ID),
    )
    return {"TransitRouterId": router["id"]}


@_cbn("ListTransitRouters")
def list_transit_routers(call: Call) -> Answer:
    found = TRANSIT_ROUTER.all(call)
    if call.get("CenId") and CEN.find(call, call.get("CenId")) is None:
        raise ApiError("ParameterCenInstanceId", id=call.get("CenId"))
    for parameter, field in (("TransitRouterId", "id"), ("CenId", "CenId"), ("RegionId", "RegionId")):
        found = listed(call, parameter, found, field)
    views = [
        shown(router)
        | {
            "TransitRouterId": router["id"],
            "Status": status(call, router, "Creating", "Active"),
            "CreationTime": iso(router["created"]),
            "Tags": tag_list(router)["Tag"],  # a flat list here
        }
        for router in found
    ]
    rows, counts = page(call, views)
    return {"TransitRouters": rows, **counts}


@_cbn("UpdateTransitRouter")
def update_transit_router(call: Call) -> Answer:
    router = TRANSIT_ROUTER.named(call, "TransitRouterId")
    change(
        call,
        router,
        TransitRouterName="TransitRouterName",
        TransitRouterDescription="TransitRouterDescription",
    )
    TRANSIT_ROUTER.save(call, router)
    return {}


@_cbn("DeleteTransitRouter")
def delete_transit_router(call: Call) -> Answer:
    router = TRANSIT_ROUTER.named(call, "TransitRouterId")
    attached = TRANSIT_ATTACHMENT.all(call, TransitRouterId=router["id"])
    attached += TRANSIT_ATTACHMENT.all(call, PeerTransitRouterId=router["id"])
    if attached:
        raise ApiError("InvalidOperation.AttachedChildInstanceExist", ids=", ".join(each["id"] for each in attached))
    TRANSIT_ROUTER.delete(call, router)
    return {}


def _filters(call: Call) -> list[Document]:
    """Return `Filter.N.Key` with its `Filter.N.Value.M`."""
    return [
        {"Key": record.get("Key", ""), "values": [value for name, value in record.items() if name != "Key"]}
        for record in call.records("Filter")
    ]
