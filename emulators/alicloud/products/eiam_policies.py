"""IDaaS EIAM: conditional access policies, by which a second factor is demanded."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import EIAM_INSTANCE, EIAM_POLICY
from emulators.alicloud.products.eiam import nested
from emulators.alicloud.resources import shown
from emulators.store import Document

_eiam = product("Eiam")

_SYSTEM = "arn:alibaba:idaas:authn:access:policy:system"
_AFTER_FIRST_FACTOR = "arn:alibaba:idaas:authn:access:rule:eval_at:after_step1"
_METHODS = {"ia_otp_sms", "ia_otp_email", "ia_totp", "ia_webauthn"}
_INTERVAL = range(300, 86_401)


@_eiam("CreateConditionalAccessPolicy")
def create_conditional_access_policy(call: Call) -> Answer:
    instance = EIAM_INSTANCE.named(call, "InstanceId")
    made = EIAM_POLICY.create(
        call,
        InstanceId=instance["id"],
        ConditionalAccessPolicyName=call.need("ConditionalAccessPolicyName"),
        ConditionalAccessPolicyType=call.choice("ConditionalAccessPolicyType", _SYSTEM),
        Description=call.get("Description"),
        EvaluateAt=call.choice("EvaluateAt", _AFTER_FIRST_FACTOR),
        DecisionType=call.choice("DecisionType", "enforcement"),
        Priority=call.number("Priority", 1, low=1, high=100),
        ConditionsConfig=nested(call, "ConditionsConfig"),
        DecisionConfig=_decision(call),
        Status="disabled",
        CreateTime=int(call.now * 1000),
    )
    return {"ConditionalAccessPolicyId": made["id"]}


@_eiam("GetConditionalAccessPolicy")
def get_conditional_access_policy(call: Call) -> Answer:
    return {"ConditionalAccessPolicy": _view(_policy(call))}


@_eiam("ListConditionalAccessPolicies")
def list_conditional_access_policies(call: Call) -> Answer:
    found = EIAM_POLICY.all(call, InstanceId=EIAM_INSTANCE.named(call, "InstanceId")["id"])
    start, most = call.number("NextToken", 0), call.number("MaxResults", 20, low=1, high=100)
    answer: Answer = {
        "ConditionalAccessPolicies": [_view(made) for made in found[start : start + most]],
        "TotalCount": len(found),
    }
    return answer | ({"NextToken": str(start + most)} if start + most < len(found) else {})


@_eiam("UpdateConditionalAccessPolicy")
def update_conditional_access_policy(call: Call) -> Answer:
    made = _policy(call)
    made["ConditionalAccessPolicyName"] = call.get("ConditionalAccessPolicyName", made["ConditionalAccessPolicyName"])
    made["ConditionsConfig"] = nested(call, "ConditionsConfig") or made["ConditionsConfig"]
    made["Priority"] = call.number("Priority", made["Priority"], low=1, high=100)
    EIAM_POLICY.save(call, made | {"DecisionConfig": _decision(call)})
    return {}


@_eiam("EnableConditionalAccessPolicy")
def enable_conditional_access_policy(call: Call) -> Answer:
    EIAM_POLICY.save(call, _policy(call) | {"Status": "enabled"})
    return {}


@_eiam("DisableConditionalAccessPolicy")
def disable_conditional_access_policy(call: Call) -> Answer:
    EIAM_POLICY.save(call, _policy(call) | {"Status": "disabled"})
    return {}


@_eiam("DeleteConditionalAccessPolicy")
def delete_conditional_access_policy(call: Call) -> Answer:
    made = _policy(call)
    if made["Status"] == "enabled":
        raise ApiError("OperationDenied.EntityEnabled", id=made["id"])
    EIAM_POLICY.delete(call, made)
    return {}


def _decision(call: Call) -> Answer:
    sent = nested(call, "DecisionConfig")
    name = "DecisionConfig"
    if sent.get("Effect") not in ("allow", "deny"):
        raise ApiError("InvalidParameter", name=f"{name}.Effect", rule="allow or deny")
    if sent["Effect"] == "allow" and sent.get("MfaType") not in ("directly_access", "mfa_required"):
        raise ApiError("InvalidParameter", name=f"{name}.MfaType", rule="directly_access or mfa_required")
    if not set(sent.get("MfaAuthenticationMethods", [])) <= _METHODS:
        raise ApiError("InvalidParameter", name=f"{name}.MfaAuthenticationMethods", rule=f"of {sorted(_METHODS)}")
    if "MfaAuthenticationIntervalSeconds" in sent:
        seconds = str(sent["MfaAuthenticationIntervalSeconds"])
        if not seconds.isdigit() or int(seconds) not in _INTERVAL:
            raise ApiError("InvalidParameter", name=f"{name}.MfaAuthenticationIntervalSeconds", rule="300 to 86400")
        sent["MfaAuthenticationIntervalSeconds"] = int(seconds)
    return sent


def _policy(call: Call) -> Document:
    instance, made = EIAM_INSTANCE.named(call, "InstanceId"), EIAM_POLICY.named(call, "ConditionalAccessPolicyId")
    if made["InstanceId"] != instance["id"]:
        raise ApiError(EIAM_POLICY.missing, id=made["id"])
    return made


def _view(made: Document) -> Answer:
    return {"ConditionalAccessPolicyId": made["id"], **shown(made)}
