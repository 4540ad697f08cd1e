"""What hangs on a transit router: VPCs, VPN connections, border routers, and routers of other regions."""

from __future__ import annotations

from collections.abc import Callable

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, Handler, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import (
    TRANSIT_ASSOCIATION,
    TRANSIT_ATTACHMENT,
    TRANSIT_PROPAGATION,
    TRANSIT_ROUTER,
    VPC,
    VPN_CONNECTION,
    VSWITCH,
)
from emulators.alicloud.resources import change, listed, page, pending, shown, status, tag_list
from emulators.alicloud.tables import delay
from emulators.store import Document

_cbn = product("Cbn")


def _vpc(call: Call, router: Document) -> Document:
    vpc = VPC.named(call, "VpcId")
    if vpc["region"] != router["RegionId"]:
        raise ApiError("IllegalParam.Region", region=vpc["region"])
    mappings = [{"ZoneId": row.get("ZoneId", ""), "VSwitchId": row.get("VSwitchId", "")} for row in _zones(call)]
    if not mappings:
        raise ApiError("MissingParameter", name="ZoneMappings")
    for mapping in mappings:
        vswitch = VSWITCH.get(call, mapping["VSwitchId"])
        if vswitch["VpcId"] != vpc["id"]:
            raise ApiError("InvalidVSwitch.NotInVpc", vswitch=vswitch["id"], vpc=vpc["id"])
        if pending(call, vswitch):
            raise ApiError("IncorrectStatus.VpcOrVswitch", id=vswitch["id"])
    if TRANSIT_ATTACHMENT.all(call, VpcId=vpc["id"], TransitRouterId=router["id"]):
        raise ApiError("InvalidOperation.ChildInstanceExist", id=vpc["id"])
    return {
        "VpcId": vpc["id"],
        "VpcOwnerId": int(ACCOUNT_ID),
        "VpcRegionId": vpc["region"],
        "ZoneMappings": mappings,
        "OrderType": "PayByCenOwner",
    }


def _vpn(call: Call, router: Document) -> Document:
    zones = [{"ZoneId": row["ZoneId"]} for row in call.records("Zone") if "ZoneId" in row]
    return {
        "VpnId": VPN_CONNECTION.named(call, "VpnId")["id"],
        "VpnOwnerId": int(ACCOUNT_ID),
        "VpnRegionId": router["RegionId"],
        "Zones": zones,
        "OrderType": "PayByCenOwner",
    }


def _vbr(call: Call, router: Document) -> Document:
    return {
        "VbrId": call.need("VbrId"),
        "VbrOwnerId": int(ACCOUNT_ID),
        "VbrRegionId": router["RegionId"],
        "OrderType": "PayByCenOwner",
    }


def _peer(call: Call, router: Document) -> Document:
    peer = TRANSIT_ROUTER.named(call, "PeerTransitRouterId")
    region = call.get("PeerTransitRouterRegionId", peer["RegionId"])
    if region != peer["RegionId"] or region == router["RegionId"]:
        raise ApiError("IllegalParam.Region", region=region)
    if peer["CenId"] != router["CenId"]:
        raise ApiError("ParameterCenInstanceId", id=peer["CenId"])
    return {
        "PeerTransitRouterId": peer["id"],
        "PeerTransitRouterOwnerId": int(ACCOUNT_ID),
        "PeerTransitRouterRegionId": region,
        "RegionId": router["RegionId"],
        "Bandwidth": call.number("Bandwidth", 2, low=2, high=10000),
        "BandwidthType": call.choice("BandwidthType", "BandwidthPackage", "DataTransfer", default="BandwidthPackage"),
        "CenBandwidthPackageId": call.get("CenBandwidthPackageId"),
        "DefaultLinkType": call.get("DefaultLinkType", "Gold"),
    }


def _zones(call: Call) -> list[dict[str, str]]:
    return call.records("ZoneMappings")


_KINDS: dict[str, tuple[str, Callable[[Call, Document], Document]]] = {
    "Vpc": ("VPC", _vpc),
    "Vpn": ("VPN", _vpn),
    "Vbr": ("VBR", _vbr),
    "Peer": ("TR", _peer),
}


def _create(resource: str, fields: Callable[[Call, Document], Document]) -> Handler:
    def handler(call: Call) -> Answer:
        router = TRANSIT_ROUTER.named(call, "TransitRouterId")
        if pending(call, router):
            raise ApiError("IncorrectStatus.Status", id=router["id"])
        attachment = TRANSIT_ATTACHMENT.create(
            call,
            call.tags(),
            CenId=router["CenId"],
            TransitRouterId=router["id"],
            ResourceType=resource,
            TransitRouterAttachmentName=call.get("TransitRouterAttachmentName"),
            TransitRouterAttachmentDescription=call.get("TransitRouterAttachmentDescription"),
            AutoPublishRouteEnabled=call.flag("AutoPublishRouteEnabled"),
            ChargeType=call.get("ChargeType", "POSTPAY"),
            **fields(call, router),
        )
        return {"TransitRouterAttachmentId": attachment["id"]}

    return handler


def _list(resource: str) -> Handler:
    def handler(call: Call) -> Answer:
        found = TRANSIT_ATTACHMENT.all(call, ResourceType=resource)
        for parameter, field in (
            ("TransitRouterAttachmentId", "id"),
            ("CenId", "CenId"),
            ("TransitRouterId", "TransitRouterId"),
        ):
            found = listed(call, parameter, found, field)
        views = [
            shown(attachment)
            | {
                "TransitRouterAttachmentId": attachment["id"],
                "Status": status(call, attachment, "Attaching", "Attached"),
                "CreationTime": iso(attachment["created"]),
                "Tags": tag_list(attachment)["Tag"],
            }
            for attachment in found
        ]
        rows, counts = page(call, views)
        return {"TransitRouterAttachments": rows, **counts}

    return handler


def _update(call: Call) -> Answer:
    attachment = _settled(call)
    for name in ("TransitRouterAttachmentName", "TransitRouterAttachmentDescription", "BandwidthType"):
        change(call, attachment, **{name: name})
    if call.has("AutoPublishRouteEnabled"):
        attachment["AutoPublishRouteEnabled"] = call.flag("AutoPublishRouteEnabled")
    if call.has("Bandwidth"):
        attachment["Bandwidth"] = call.number("Bandwidth", 2, low=2, high=10000)
    attachment["ready"] = call.now + delay(TRANSIT_ATTACHMENT.name)
    TRANSIT_ATTACHMENT.save(call, attachment)
    return {}


def _delete(call: Call) -> Answer:
    attachment = _settled(call)
    joined = [
        each["id"]
        for kind in (TRANSIT_ASSOCIATION, TRANSIT_PROPAGATION)
        for each in kind.all(call, TransitRouterAttachmentId=attachment["id"])
    ]
    if joined:
        raise ApiError("IncorrectStatus.Status", id=", ".join(joined))
    TRANSIT_ATTACHMENT.delete(call, attachment)
    return {}


def _settled(call: Call) -> Document:
    attachment = TRANSIT_ATTACHMENT.named(call, "TransitRouterAttachmentId")
    if pending(call, attachment):
        raise ApiError("IncorrectStatus.Status", id=attachment["id"])
    return attachment


for _title, (_resource, _fields) in _KINDS.items():
    _cbn(f"CreateTransitRouter{_title}Attachment")(_create(_resource, _fields))
    _cbn(f"ListTransitRouter{_title}Attachments")(_list(_resource))
    _cbn(f"UpdateTransitRouter{_title}AttachmentAttribute")(_update)
    _cbn(f"DeleteTransitRouter{_title}Attachment")(_delete)
