"""EventBridge: buses and rules. Events are taken and passed on at the account's own host (`eventbus.py`).

What is refused is answered with status 200, a code, and Success false: so the product does, and so its clients read it.
"""

from __future__ import annotations

import json
import re

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.resources import Kind, change
from emulators.store import Document

_bridge = product("EventBridge")

BUS = Kind("event_bus", "", "EventBusNotExist")
RULE = Kind("event_rule", "", "EventRuleNotExisted")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{1,126}")
_TARGETS = ("http", "https", "mysql")  # and every acs.…


@_bridge("CreateEventBus")
def create_event_bus(call: Call) -> Answer:
    name = call.need("EventBusName")
    if not _NAME.fullmatch(name) or name.startswith("eventbridge"):
        return _refused("EventBusNameInvalid", name)
    if BUS.find(call, name):
        return _refused("EventBusExist", name)
    BUS.create(call, ident=name, Description=call.get("Description"))
    return _done({"EventBusARN": _arn(call, f"eventbus/{name}")})


@_bridge("GetEventBus")
def get_event_bus(call: Call) -> Answer:
    bus = BUS.find(call, call.need("EventBusName"))
    if bus is None:
        return _refused(BUS.missing, call.get("EventBusName"))
    return _done(
        {
            "EventBusName": bus["id"],
            "EventBusARN": _arn(call, f"eventbus/{bus['id']}"),
            "Description": bus["Description"],
            "CreateTimestamp": int(bus["created"] * 1000),
        }
    )


@_bridge("ListEventBuses")
def list_event_buses(call: Call) -> Answer:
    buses = [
        {
            "EventBusName": bus["id"],
            "EventBusARN": _arn(call, f"eventbus/{bus['id']}"),
            "Description": bus["Description"],
        }
        for bus in BUS.all(call)
    ]
    return _done({"EventBuses": buses[: call.number("Limit", 100, low=1, high=100)], "Total": len(buses)})


@_bridge("UpdateEventBus")
def update_event_bus(call: Call) -> Answer:
    bus = BUS.find(call, call.need("EventBusName"))
    if bus is None:
        return _refused(BUS.missing, call.get("EventBusName"))
    change(call, bus, Description="Description")
    BUS.save(call, bus)
    return _done({})


@_bridge("DeleteEventBus")
def delete_event_bus(call: Call) -> Answer:
    bus = BUS.find(call, call.need("EventBusName"))
    if bus is None:
        return _refused(BUS.missing, call.get("EventBusName"))
    for rule in RULE.all(call, bus=bus["id"]):
        RULE.delete(call, rule)
    BUS.delete(call, bus)
    return _done({})


@_bridge("CreateRule")
def create_rule(call: Call) -> Answer:
    bus, name = call.need("EventBusName"), call.need("RuleName")
    if BUS.find(call, bus) is None:
        return _refused(BUS.missing, bus)
    if _rule(call) is not None:
        return _refused("EventRuleExisted", name)
    RULE.create(
        call,
        ident=f"{bus}:{name}",
        bus=bus,
        name=name,
        pattern=_pattern(call),
        Description=call.get("Description"),
        Status=call.choice("Status", "ENABLE", "DISABLE", default="ENABLE"),
        targets=_targets(call, "EventTargets"),
    )
    return _done({"RuleARN": _arn(call, f"eventbus/{bus}/rule/{name}")})


@_bridge("GetRule")
def get_rule(call: Call) -> Answer:
    rule = _rule(call)
    if rule is None:
        return _refused(RULE.missing, call.get("RuleName"))
    return _done(
        {
            "EventBusName": rule["bus"],
            "RuleName": rule["name"],
            "RuleARN": _arn(call, f"eventbus/{rule['bus']}/rule/{rule['name']}"),
            "FilterPattern": rule["pattern"],
            "Description": rule["Description"],
            "Status": rule["Status"],
            "Targets": rule["targets"],
            "CreatedTimestamp": int(rule["created"] * 1000),
        }
    )


@_bridge("UpdateRule")
def update_rule(call: Call) -> Answer:
    changes = {"pattern": _pattern(call)} | (
        {"Description": call.get("Description")} if call.has("Description") else {}
    )
    return _changed(call, changes)


@_bridge("PutTargets")
def put_targets(call: Call) -> Answer:
    return _changed(call, {"targets": _targets(call, "Targets")})


@_bridge("EnableRule")
def enable_rule(call: Call) -> Answer:
    return _changed(call, {"Status": "ENABLE"})


@_bridge("DisableRule")
def disable_rule(call: Call) -> Answer:
    return _changed(call, {"Status": "DISABLE"})


@_bridge("DeleteRule")
def delete_rule(call: Call) -> Answer:
    rule = _rule(call)
    if rule is None:
        return _refused(RULE.missing, call.get("RuleName"))
    RULE.delete(call, rule)
    return _done({})


def _rule(call: Call) -> Document | None:
    return RULE.find(call, f"{call.need('EventBusName')}:{call.need('RuleName')}")


def _changed(call: Call, fields: Document) -> Answer:
    rule = _rule(call)
    if rule is None:
        return _refused(RULE.missing, call.get("RuleName"))
    RULE.save(call, rule | fields)
    return _done({})


def _pattern(call: Call) -> str:
    """Return the pattern as it was sent: a JSON object."""
    if not isinstance(call.data("FilterPattern"), dict):
        raise ApiError("InvalidParameter", name="FilterPattern", rule="a JSON object")
    return call.get("FilterPattern")


def _targets(call: Call, parameter: str) -> list[Document]:
    targets = json.loads(call.get(parameter, "[]"))
    for target in targets:
        if not str(target.get("Type", "")).startswith("acs.") and target.get("Type") not in _TARGETS:
            raise ApiError("InvalidParameter", name=f"{parameter}.Type", rule="a type of target")
        if not target.get("DeadLetterQueue"):
            target.pop("DeadLetterQueue", None)
        target.setdefault("PushRetryStrategy", "BACKOFF_RETRY")
    return list(targets)


def _done(data: Answer) -> Answer:
    return {"Code": "Success", "Message": "success", "Success": True, "Data": data}


def _refused(code: str, name: str) -> Answer:
    return {"Code": code, "Message": ApiError(code, name=name).message, "Success": False}


def _arn(call: Call, path: str) -> str:
    return f"acs:eventbridge:{call.region}:{ACCOUNT_ID}:{path}"
