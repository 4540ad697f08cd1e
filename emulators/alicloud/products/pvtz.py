"""PrivateZone: names that are known inside the VPCs that a zone is bound to."""

from __future__ import annotations

import re

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import PRIVATE_RECORD, PRIVATE_ZONE, VPC
from emulators.alicloud.resources import change, listed, page, shown
from emulators.store import Document

_pvtz = product("Pvtz")

_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?")
_HOST = re.compile(r"@|\*|(\*\.)?[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,251}[a-zA-Z0-9_])?")
_TYPES = ("A", "AAAA", "CNAME", "TXT", "MX", "PTR", "SRV")


@_pvtz("AddZone")
def add_zone(call: Call) -> Answer:
    name = call.need("ZoneName").lower()
    if not _NAME.fullmatch(name):
        raise ApiError("Zone.Invalid.Name", name=name)
    if PRIVATE_ZONE.all(call, ZoneName=name):
        raise ApiError("Zone.AlreadyExists", name=name)
    zone = PRIVATE_ZONE.create(
        call,
        ZoneName=name,
        ProxyPattern=call.choice("ProxyPattern", "ZONE", "RECORD", default="ZONE"),
        ResourceGroupId=call.get("ResourceGroupId", "rg-acfmemulator"),
        Remark="",
        IsPtr=name.endswith(("in-addr.arpa", "ip6.arpa")),
        DnsGroup="NORMAL_ZONE",
        vpcs=[],
    )
    return {"ZoneId": zone["id"], "ZoneName": name, "Success": True}


@_pvtz("DescribeZoneInfo")
def describe_zone_info(call: Call) -> Answer:
    return _view(call, PRIVATE_ZONE.named(call, "ZoneId"))


@_pvtz("DescribeZones")
def describe_zones(call: Call) -> Answer:
    found = PRIVATE_ZONE.all(call)
    if word := call.get("Keyword"):
        found = [zone for zone in found if word in zone["ZoneName"]]
    rows, counts = page(call, [_view(call, zone) for zone in found], most=100)
    counts["TotalItems"] = counts.pop("TotalCount")
    return {"Zones": {"Zone": rows}, **counts}


@_pvtz("SetProxyPattern")
def set_proxy_pattern(call: Call) -> Answer:
    return _changed(call, ProxyPattern="ProxyPattern")


@_pvtz("UpdateZoneRemark")
def update_zone_remark(call: Call) -> Answer:
    return _changed(call, Remark="Remark")


@_pvtz("DescribeSyncEcsHostTask")
def describe_sync_ecs_host_task(call: Call) -> Answer:
    raise ApiError("Ecs.SyncTask.NotExists", id=PRIVATE_ZONE.named(call, "ZoneId")["id"])


@_pvtz("BindZoneVpc")
def bind_zone_vpc(call: Call) -> Answer:
    zone = PRIVATE_ZONE.named(call, "ZoneId")
    vpcs = [{"VpcId": sent.get("VpcId", ""), "RegionId": sent.get("RegionId", "")} for sent in call.records("Vpcs")]
    known = {(ident, vpc["region"]) for ident, vpc in call.store.all(VPC.place)}
    for vpc in vpcs:
        if (vpc["VpcId"], vpc["RegionId"]) not in known:
            raise ApiError("ZoneVpc.NotExists.VpcId", id=vpc["VpcId"])
    PRIVATE_ZONE.save(call, zone | {"vpcs": vpcs})
    return {}


@_pvtz("DeleteZone")
def delete_zone(call: Call) -> Answer:
    zone = PRIVATE_ZONE.named(call, "ZoneId")
    if zone["vpcs"]:
        raise ApiError("Zone.VpcExists", id=zone["id"])
    for record in PRIVATE_RECORD.all(call, zone=zone["id"]):
        PRIVATE_RECORD.delete(call, record)
    PRIVATE_ZONE.delete(call, zone)
    return {"ZoneId": zone["id"]}


@_pvtz("AddZoneRecord")
def add_zone_record(call: Call) -> Answer:
    zone = PRIVATE_ZONE.named(call, "ZoneId")
    fields = {"zone": zone["id"], "Status": "ENABLE", "Remark": call.get("Remark"), **_record(call, zone, "")}
    number = call.store.next("alicloud.private_record.number")
    record = PRIVATE_RECORD.create(call, ident=str(number), **fields)
    return {"RecordId": int(record["id"]), "Success": True}


@_pvtz("DescribeZoneRecords")
def describe_zone_records(call: Call) -> Answer:
    zone = PRIVATE_ZONE.named(call, "ZoneId")
    found = PRIVATE_RECORD.all(call, zone=zone["id"])
    if word := call.get("Keyword"):
        found = [record for record in found if word in record["Rr"]]
    views = [shown(record) | {"RecordId": int(record["id"]), "ZoneId": zone["id"]} for record in found]
    rows, counts = page(call, views, most=100)
    counts["TotalItems"] = counts.pop("TotalCount")
    return {"Records": {"Record": rows}, **counts}


@_pvtz("UpdateZoneRecord")
def update_zone_record(call: Call) -> Answer:
    record = PRIVATE_RECORD.named(call, "RecordId")
    zone = PRIVATE_ZONE.get(call, record["zone"])
    PRIVATE_RECORD.save(call, record | _record(call, zone, record["id"]))
    return {"RecordId": int(record["id"])}


@_pvtz("UpdateRecordRemark")
def update_record_remark(call: Call) -> Answer:
    record = PRIVATE_RECORD.named(call, "RecordId")
    change(call, record, Remark="Remark")
    PRIVATE_RECORD.save(call, record)
    return {}


@_pvtz("SetZoneRecordStatus")
def set_zone_record_status(call: Call) -> Answer:
    record = PRIVATE_RECORD.named(call, "RecordId")
    PRIVATE_RECORD.save(call, record | {"Status": call.choice("Status", "ENABLE", "DISABLE")})
    return {"RecordId": int(record["id"]), "Status": call.get("Status")}


@_pvtz("DeleteZoneRecord")
def delete_zone_record(call: Call) -> Answer:
    record = PRIVATE_RECORD.named(call, "RecordId")
    PRIVATE_RECORD.delete(call, record)
    return {"RecordId": int(record["id"])}


def _record(call: Call, zone: Document, itself: str) -> Document:
    """Return the fields of a record that a call sends. Raises `ApiError` for a name that no record may have."""
    host, kind, value = call.need("Rr"), call.choice("Type", *_TYPES), call.need("Value")
    if not _HOST.fullmatch(host):
        raise ApiError("Record.Invalid.Rr", name=host)
    siblings = [r for r in PRIVATE_RECORD.all(call, zone=zone["id"], Rr=host) if r["id"] != itself]
    if any(other["Type"] == kind and other["Value"] == value for other in siblings):
        raise ApiError("Record.Conflict", name=host)
    if any("CNAME" in (kind, other["Type"]) and kind != other["Type"] for other in siblings):
        raise ApiError("Record.Conflict", name=host)
    ttl, priority = call.number("Ttl", 60, low=5, high=86400), call.number("Priority", 1, low=1, high=99)
    return {"Rr": host, "Type": kind, "Value": value, "Ttl": ttl} | ({"Priority": priority} if kind == "MX" else {})


def _changed(call: Call, **fields: str) -> Answer:
    zone = PRIVATE_ZONE.named(call, "ZoneId")
    change(call, zone, **fields)
    PRIVATE_ZONE.save(call, zone)
    return {"ZoneId": zone["id"]}


def _view(call: Call, zone: Document) -> Answer:
    names = {ident: vpc["VpcName"] for ident, vpc in call.store.all(VPC.place)}
    bound = [{**vpc, "VpcName": names.get(vpc["VpcId"], ""), "RegionName": vpc["RegionId"]} for vpc in zone["vpcs"]]
    return shown(zone) | {
        "ZoneId": zone["id"],
        "RecordCount": len(PRIVATE_RECORD.all(call, zone=zone["id"])),
        "BindVpcs": {"Vpc": listed(call, "BindVpcId", bound, "VpcId")},
        "CreateTime": iso(zone["created"]),
        "CreateTimestamp": int(zone["created"] * 1000),
    }
