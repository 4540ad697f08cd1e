"""Event rules of CloudMonitor: which system events of a product go to which contacts. No event happens."""

from __future__ import annotations

import re
from collections.abc import Mapping

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.products.cms.contacts import CONTACT_GROUP, DONE
from emulators.alicloud.resources import Kind, page, shown
from emulators.store import Document

_cms = product("Cms")

EVENT_RULE = Kind("cms_event_rule", "", "EventRuleNotExists", regional=False)
_LISTS = ("EventTypeList", "LevelList", "NameList")
_TARGETS = {
    "ContactParameters": "ContactParameter",
    "FcParameters": "FCParameter",
    "MnsParameters": "MnsParameter",
    "OpenApiParameters": "OpenApiParameters",
    "SlsParameters": "SlsParameter",
    "WebhookParameters": "WebhookParameter",
}


@_cms("PutEventRule")
def put_event_rule(call: Call) -> Answer:
    name = call.need("RuleName")
    sent = next(iter(call.records("EventPattern")), {})
    pattern: Document = {"Product": sent.get("Product", "")}
    pattern |= {"SQLFilter": sent["SQLFilter"]} if sent.get("SQLFilter") else {}
    pattern |= {field: {field: _many(sent, field)} for field in _LISTS}
    fields: Document = {
        "Name": name,
        "GroupId": call.get("GroupId"),
        "SilenceTime": call.number("SilenceTime", 86_400),
        "Description": call.get("Description"),
        "State": call.choice("State", "ENABLED", "DISABLED", default="ENABLED"),
        "EventType": "SYSTEM",
        "EventPattern": pattern,
    }
    before = EVENT_RULE.find(call, name)
    if before:
        EVENT_RULE.save(call, before | fields)
    else:
        EVENT_RULE.create(call, ident=name, targets={}, **fields)
    return DONE | {"Data": "1"}


@_cms("DescribeEventRuleList")
def describe_event_rule_list(call: Call) -> Answer:
    found = [shown(rule) for rule in EVENT_RULE.all(call) if rule["id"].startswith(call.get("NamePrefix"))]
    rows, counts = page(call, found, most=100)
    return DONE | {"EventRules": {"EventRule": list(rows)}, "Total": counts["TotalCount"]}


@_cms("PutEventRuleTargets")
def put_event_rule_targets(call: Call) -> Answer:
    rule = EVENT_RULE.named(call, "RuleName")
    sent = {name: records for name in _TARGETS if (records := call.records(name))}
    for contact in sent.get("ContactParameters", []):
        CONTACT_GROUP.get(call, contact.get("ContactGroupName", ""))
    EVENT_RULE.save(call, rule | {"targets": rule["targets"] | sent})
    return DONE


@_cms("DescribeEventRuleTargetList")
def describe_event_rule_target_list(call: Call) -> Answer:
    targets = EVENT_RULE.named(call, "RuleName")["targets"]
    return DONE | {name: {item: targets.get(name, [])} for name, item in _TARGETS.items()}


@_cms("DeleteEventRules")
def delete_event_rules(call: Call) -> Answer:
    for name in call.strings("RuleNames"):
        EVENT_RULE.delete(call, EVENT_RULE.get(call, name))
    return DONE


def _many(sent: Mapping[str, str], field: str) -> list[str]:
    places = {int(found[1]): value for key, value in sent.items() if (found := re.fullmatch(rf"{field}\.(\d+)", key))}
    return [places[place] for place in sorted(places)]
