"""Cloud Config: the configuration recorder and its managed rules. Nothing is evaluated: no rule has a verdict."""

from __future__ import annotations

import json
from typing import Any

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.resources import Kind, change, page, shown
from emulators.store import Document

_config = product("Config")
_config_2019 = product("Config", "2019-01-08")  # the recorder, and what switches and deletes rules

RULE = Kind("config_rule", "cr-", "ConfigRuleNotExists", regional=False)
RECORDER = Kind("config_recorder", "", "ConfigurationRecorderNotStarted", regional=False)
_RECORDED = ["ACS::ActionTrail::Trail", "ACS::KMS::Key", "ACS::OSS::Bucket", "ACS::RAM::User", "ACS::VPC::VPC"]
_SCOPES = {
    name: name
    for name in (
        "Description",
        "ExcludeResourceIdsScope",
        "MaximumExecutionFrequency",
        "RegionIdsScope",
        "ResourceGroupIdsScope",
        "TagKeyScope",
        "TagValueScope",
    )
}


@_config_2019("StartConfigurationRecorder")
def start_configuration_recorder(call: Call) -> Answer:
    recorder = RECORDER.find(call, ACCOUNT_ID) or RECORDER.create(
        call,
        ident=ACCOUNT_ID,
        AccountId=int(ACCOUNT_ID),
        ConfigurationRecorderStatus="REGISTERED",
        OrganizationEnableStatus="false",
        OrganizationMasterId=int(ACCOUNT_ID),
        ResourceTypes=_RECORDED,
    )
    return {"ConfigurationRecorder": shown(recorder)}


@_config_2019("DescribeConfigurationRecorder")
def describe_configuration_recorder(call: Call) -> Answer:
    recorder = RECORDER.find(call, ACCOUNT_ID)
    unregistered = {"AccountId": int(ACCOUNT_ID), "ConfigurationRecorderStatus": "UNREGISTERED", "ResourceTypes": []}
    return {"ConfigurationRecorder": shown(recorder) if recorder else unregistered}


@_config_2019("PutConfigurationRecorder")
def put_configuration_recorder(call: Call) -> Answer:
    recorder = RECORDER.get(call, ACCOUNT_ID) | {"ResourceTypes": sorted(call.need("ResourceTypes").split(","))}
    RECORDER.save(call, recorder)
    return {"ConfigurationRecorder": shown(recorder)}


@_config("CreateConfigRule")
def create_config_rule(call: Call) -> Answer:
    RECORDER.get(call, ACCOUNT_ID)
    name = call.need("ConfigRuleName")
    if RULE.all(call, ConfigRuleName=name):
        raise ApiError("ConfigRuleExists", id=name)
    now = int(call.now * 1000)
    scopes: Document = {field: call.get(field) for field in _SCOPES}
    rule = RULE.create(
        call,
        **scopes,
        ConfigRuleName=name,
        AccountId=int(ACCOUNT_ID),
        ConfigRuleState="ACTIVE",
        RiskLevel=call.number("RiskLevel", 1, low=1, high=3),
        InputParameters=json.loads(call.get("InputParameters", "{}")),
        CreateTimestamp=now,
        ModifiedTimestamp=now,
        Compliance={"ComplianceType": "INSUFFICIENT_DATA", "Count": 0},
        owner=call.choice("SourceOwner", "ALIYUN", "CUSTOM_FC", "CUSTOM_CONFIGURATION"),
        identifier=call.need("SourceIdentifier"),
        triggers=call.get("ConfigRuleTriggerTypes"),
        resource_types=[kind for kind in call.get("ResourceTypesScope").split(",") if kind],
    )
    return {"ConfigRuleId": rule["id"]}


@_config("GetConfigRule")
def get_config_rule(call: Call) -> Answer:
    return {"ConfigRule": _view(RULE.named(call, "ConfigRuleId"))}


@_config("ListConfigRules")
def list_config_rules(call: Call) -> Answer:
    rows, counts = page(call, [_view(rule) for rule in RULE.all(call)], most=100)
    return {"ConfigRules": {"ConfigRuleList": list(rows), **counts}}


@_config("UpdateConfigRule")
def update_config_rule(call: Call) -> Answer:
    rule = RULE.named(call, "ConfigRuleId")
    change(call, rule, **_SCOPES)
    sent: dict[str, Any] = {"ModifiedTimestamp": int(call.now * 1000)}
    if call.has("RiskLevel"):
        sent["RiskLevel"] = call.number("RiskLevel", 1, low=1, high=3)
    if call.has("InputParameters"):
        sent["InputParameters"] = json.loads(call.get("InputParameters", "{}"))
    if call.has("ConfigRuleTriggerTypes"):
        sent["triggers"] = call.get("ConfigRuleTriggerTypes")
    if call.has("ResourceTypesScope"):
        sent["resource_types"] = call.need("ResourceTypesScope").split(",")
    RULE.save(call, rule | sent)
    return {"ConfigRuleId": rule["id"]}


@_config_2019("ActiveConfigRules")
def active_config_rules(call: Call) -> Answer:
    return _switched(call, "ACTIVE")


@_config_2019("StopConfigRules")
def stop_config_rules(call: Call) -> Answer:
    return _switched(call, "INACTIVE")


@_config_2019("DeleteConfigRules")
def delete_config_rules(call: Call) -> Answer:
    rules = _named(call)
    for rule in rules:
        RULE.delete(call, rule)
    return _done(rules)


def _switched(call: Call, state: str) -> Answer:
    rules = _named(call)
    for rule in rules:
        RULE.save(call, rule | {"ConfigRuleState": state})
    return _done(rules)


def _named(call: Call) -> list[Document]:
    return [RULE.get(call, ident) for ident in call.need("ConfigRuleIds").split(",")]


def _done(rules: list[Document]) -> Answer:
    rows = [{"ConfigRuleId": rule["id"], "Success": True, "ErrorCode": ""} for rule in rules]
    return {"OperateRuleResult": {"OperateRuleItemList": rows}}


def _view(rule: Document) -> Answer:
    details = [{"EventSource": "aliyun.config", "MessageType": rule["triggers"]}] if rule["triggers"] else []
    return shown(rule) | {
        "ConfigRuleId": rule["id"],
        "ConfigRuleArn": f"acs:config::{ACCOUNT_ID}:rule/{rule['id']}",
        "Source": {"Owner": rule["owner"], "Identifier": rule["identifier"], "SourceDetails": details},
        "Scope": {"ComplianceResourceTypes": rule["resource_types"]},
        "CreateBy": {"CreatorType": "CUSTOM", "CompliancePackId": ""},
    }
