"""Flow logs: who talked to whom in a VPC, kept in a log store. The emulator keeps the order, no traffic."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import FLOW_LOG, VPC, VSWITCH
from emulators.alicloud.resources import change, listed, page, pending, shown, tag_list, tagged
from emulators.store import Document

_vpc = product("Vpc")

_LOGGED = {"VPC": VPC, "VSwitch": VSWITCH}
_SETTLED = {True: "Active", False: "Inactive"}
_MOVING = {True: "Activating", False: "Deactivating"}


@_vpc("CreateFlowLog")
def create_flow_log(call: Call) -> Answer:
    kind = call.choice("ResourceType", *_LOGGED)
    resource = _LOGGED[kind].named(call, "ResourceId")
    traffic = call.choice("TrafficType", "All", "Allow", "Drop")
    if any(log["TrafficType"] == traffic for log in FLOW_LOG.all(call, ResourceId=resource["id"])):
        raise ApiError("Conflict.FlowLog", id=resource["id"])
    log = FLOW_LOG.create(
        call,
        call.tags(),
        ResourceId=resource["id"],
        ResourceType=kind,
        TrafficType=traffic,
        ProjectName=call.need("ProjectName"),
        LogStoreName=call.need("LogStoreName"),
        FlowLogName=call.get("FlowLogName"),
        Description=call.get("Description"),
        AggregationInterval=call.number("AggregationInterval", 10),
        IpVersion=call.get("IpVersion", "IPv4"),
        ResourceGroupId=call.get("ResourceGroupId", "rg-acfmemulator"),
        paths=call.strings("TrafficPath") or ["all"],
        active=True,
    )
    return {"FlowLogId": log["id"], "Success": "true", "ResourceGroupId": log["ResourceGroupId"]}


@_vpc("DescribeFlowLogs")
def describe_flow_logs(call: Call) -> Answer:
    found = listed(call, "FlowLogId", tagged(call, FLOW_LOG.all(call)))
    for name in ("ResourceId", "ResourceType", "TrafficType", "ProjectName", "LogStoreName", "FlowLogName"):
        found = listed(call, name, found, name)
    rows, counts = page(call, [_view(call, log) for log in found])
    counts |= {name: str(counts[name]) for name in ("TotalCount", "PageNumber", "PageSize")}  # strings, as nowhere else
    return {"FlowLogs": {"FlowLog": rows}, "Success": "true", **counts}


@_vpc("ModifyFlowLogAttribute")
def modify_flow_log_attribute(call: Call) -> Answer:
    log = FLOW_LOG.named(call, "FlowLogId")
    change(call, log, FlowLogName="FlowLogName", Description="Description", IpVersion="IpVersion")
    if call.has("AggregationInterval"):
        log["AggregationInterval"] = call.number("AggregationInterval", 10)
    FLOW_LOG.save(call, log)
    return {"Success": "true"}


@_vpc("ActiveFlowLog")  # the service spells it so
def active_flow_log(call: Call) -> Answer:
    return _switch(call, active=True)


@_vpc("DeactiveFlowLog")  # and so
def deactive_flow_log(call: Call) -> Answer:
    return _switch(call, active=False)


@_vpc("DeleteFlowLog")
def delete_flow_log(call: Call) -> Answer:
    log = FLOW_LOG.named(call, "FlowLogId")
    if pending(call, log):
        raise ApiError("IncorrectStatus.flowlog", id=log["id"])
    FLOW_LOG.delete(call, log)
    return {"Success": "true"}


def _switch(call: Call, *, active: bool) -> Answer:
    log = FLOW_LOG.named(call, "FlowLogId")
    if pending(call, log):
        raise ApiError("IncorrectStatus.flowlog", id=log["id"])
    FLOW_LOG.save(call, log | {"active": active})
    return {"Success": "true"}


def _view(call: Call, log: Document) -> Answer:
    states = _MOVING if pending(call, log) else _SETTLED
    return shown(log) | {
        "FlowLogId": log["id"],
        "RegionId": log["region"],
        "Status": states[log["active"]],
        "BusinessStatus": "Normal",
        "CreationTime": iso(log["created"]),
        "TrafficPath": {"TrafficPathList": log["paths"]},
        "Tags": tag_list(log),
    }
