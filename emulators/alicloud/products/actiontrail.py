"""Trails of ActionTrail: where the account's operations are recorded. No operation is delivered."""

from __future__ import annotations

import re
from typing import Any

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.oss.model import Shelf
from emulators.alicloud.resources import Kind, change, shown
from emulators.alicloud.sls.desk import PROJECT_KIND
from emulators.store import Document

_trail = product("Actiontrail")

TRAIL = Kind("trail", "", "TrailNotFoundException", regional=False)
MOST_TRAILS = 5  # quota of an account (ActionTrail, "Limits")
# ActionTrail API reference, CreateTrail: 6 to 36 characters.
_NAME = re.compile(r"[a-z][a-z0-9_-]{5,35}")
_DELIVERY = {
    name: name
    for name in (
        "OssBucketName",
        "OssKeyPrefix",
        "OssWriteRoleArn",
        "SlsProjectArn",
        "SlsWriteRoleArn",
        "MaxComputeProjectArn",
        "MaxComputeWriteRoleArn",
        "EventRW",
        "TrailRegion",
    )
}


@_trail("CreateTrail")
def create_trail(call: Call) -> Answer:
    name = call.need("Name")
    if not _NAME.fullmatch(name):
        raise ApiError("InvalidTrailNameException", id=name)
    if TRAIL.find(call, name):
        raise ApiError("TrailAlreadyExistsException", id=name)
    if len(TRAIL.all(call)) >= MOST_TRAILS:
        raise ApiError("MaximumNumberOfTrailsExceededException", most=MOST_TRAILS)
    delivery: Document = {field: call.get(field) for field in _DELIVERY} | {
        "EventRW": call.choice("EventRW", "Write", "Read", "All", default="All"),
        "TrailRegion": call.get("TrailRegion", "All"),
    }
    _check(call, delivery)
    trail = TRAIL.create(
        call,
        ident=name,
        **delivery,
        Name=name,
        HomeRegion=call.region,
        IsOrganizationTrail=call.flag("IsOrganizationTrail"),
        Status="Fresh",
        CreateTime=call.stamp,
        UpdateTime=call.stamp,
        StartLoggingTime="",
        StopLoggingTime="",
        selectors="",
    )
    return shown(trail)


@_trail("DescribeTrails")
def describe_trails(call: Call) -> Answer:
    wanted = [name for name in call.get("NameList").split(",") if name]
    found = [trail for trail in TRAIL.all(call) if not wanted or trail["id"] in wanted]
    return {"TrailList": [_view(trail) for trail in found]}


@_trail("UpdateTrail")
def update_trail(call: Call) -> Answer:
    trail = TRAIL.named(call, "Name")
    change(call, trail, **_DELIVERY)
    call.choice("EventRW", "Write", "Read", "All", default=trail["EventRW"])
    _check(call, trail)
    TRAIL.save(call, trail | {"UpdateTime": call.stamp})
    return shown(trail)


@_trail("StartLogging")
def start_logging(call: Call) -> Answer:
    return _switched(call, Status="Enable", StartLoggingTime=call.stamp)


@_trail("StopLogging")
def stop_logging(call: Call) -> Answer:
    return _switched(call, Status="Disable", StopLoggingTime=call.stamp)


@_trail("GetTrailStatus")
def get_trail_status(call: Call) -> Answer:
    trail = TRAIL.named(call, "Name")
    return {
        "IsLogging": trail["Status"] == "Enable",
        "OssBucketStatus": bool(trail["OssBucketName"]),
        "SlsLogStoreStatus": bool(trail["SlsProjectArn"]),
        "StartLoggingTime": trail["StartLoggingTime"],
        "StopLoggingTime": trail["StopLoggingTime"],
    }


@_trail("PutDataEventSelector")
def put_data_event_selector(call: Call) -> Answer:
    trail = TRAIL.named(call, "TrailName")
    TRAIL.save(call, trail | {"selectors": call.get("EventSelectors")})
    return {"TrailName": trail["id"], "EventSelectors": call.get("EventSelectors")}


@_trail("GetDataEventSelector")
def get_data_event_selector(call: Call) -> Answer:
    trail = TRAIL.named(call, "TrailName")
    answer: dict[str, Any] = {"TrailName": trail["id"], "SlsDeliveryConfigs": []}
    return answer | ({"DataEventSelectors": trail["selectors"]} if trail["selectors"] else {})


@_trail("DeleteTrail")
def delete_trail(call: Call) -> Answer:
    TRAIL.delete(call, TRAIL.named(call, "Name"))
    return {}


def _switched(call: Call, **fields: str) -> Answer:
    trail = TRAIL.named(call, "Name")
    TRAIL.save(call, trail | fields)
    return {}


def _check(call: Call, trail: Document) -> None:
    """Raise `ApiError` unless what the trail delivers to is there and is the account's own."""
    bucket, project = trail["OssBucketName"], trail["SlsProjectArn"]
    if not bucket and not project:
        raise ApiError("NeedDeliveryException")
    if bucket and Shelf(call.world).find_bucket(bucket) is None:
        raise ApiError("BucketDoesNotExistException", id=bucket)
    if project:
        found = re.fullmatch(rf"acs:log:(?P<region>[a-z0-9-]+):{ACCOUNT_ID}:project/(?P<name>[a-z0-9-]+)", project)
        document = call.store.get(PROJECT_KIND, found["name"]) if found else None
        if found is None or document is None or document["region"] != found["region"]:
            raise ApiError("SlsProjectDoesNotExistException", id=project)


def _view(trail: Document) -> Answer:
    return shown(trail) | {"Region": trail["HomeRegion"], "OssBucketLocation": "", "TrailArn": _arn(trail)}


def _arn(trail: Document) -> str:
    return f"acs:actiontrail:{trail['HomeRegion']}:{ACCOUNT_ID}:trail/{trail['id']}"
