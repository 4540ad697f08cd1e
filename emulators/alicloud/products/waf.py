"""WAF 3.0: the account's pay-as-you-go instance. Nothing is filtered."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.resources import Kind, pending

_waf = product("waf-openapi")

INSTANCE = Kind("waf_instance", "waf_v2_public_cn-", "Waf.Instance.NotFound", regional=False)


@_waf("CreatePostpaidInstance")
def create_postpaid_instance(call: Call) -> Answer:
    if INSTANCE.all(call):
        raise ApiError("Waf.Instance.Exists")
    return {"InstanceId": INSTANCE.create(call)["id"]}


@_waf("DescribeInstance")
def describe_instance(call: Call) -> Answer:
    found = INSTANCE.all(call)
    if not found:
        return {}
    (instance,) = found
    return {
        "InstanceId": instance["id"],
        "Status": 2 if pending(call, instance) else 1,
        "StartTime": int(instance["created"] * 1000),
        "EndTime": 4_102_444_800_000,
        "Edition": "default_version",
        "PayType": "POSTPAY",
        "Region": instance["region"],
        "InDebt": "0",
    }


@_waf("ReleaseInstance")
def release_instance(call: Call) -> Answer:
    INSTANCE.delete(call, INSTANCE.named(call, "InstanceId"))
    return {}
