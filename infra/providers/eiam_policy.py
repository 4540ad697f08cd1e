"""A conditional access policy of IDaaS EIAM by which a second factor is demanded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pulumi
from pulumi import dynamic

from infra.providers.eiam_client import Eiam, EiamProvider, Missing, ours

KIND = {
    "ConditionalAccessPolicyType": "arn:alibaba:idaas:authn:access:policy:system",
    "DecisionType": "enforcement",
    "EvaluateAt": "arn:alibaba:idaas:authn:access:rule:eval_at:after_step1",
    "Priority": 1,
}
EXCLUDED = ("ExcludeGroups", "ExcludeOrganizationalUnits", "ExcludeUsers")


class MfaPolicyProvider(EiamProvider):
    """Makes, reads, changes and deletes such policies.

    No `groups` means everyone. `enabled` is always true as an input; in the state it says whether the second factor
    is really demanded, of all of them: a policy that was switched off or given exceptions is put right.
    """

    mutable: ClassVar = ("name", "groups", "methods", "interval_seconds", "enabled")

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Make the policy and switch it on; one that an interrupted run made is taken over."""
        eiam, within = Eiam(props["region"]), {"InstanceId": props["instance_id"]}
        rows = eiam.rows("ListConditionalAccessPolicies", "ConditionalAccessPolicies", **within)
        found = next((row for row in rows if row["ConditionalAccessPolicyName"] == props["name"]), None)
        if found is not None:
            ours(found, props["description"], f"policy {props['name']!r}", "rename it, or delete it")
            ident = str(found["ConditionalAccessPolicyId"])
            return dynamic.CreateResult(ident, self._set(ident, props))
        made = eiam.call(
            "CreateConditionalAccessPolicy", **within, **KIND, Description=props["description"], **_rules(eiam, props)
        )
        ident = made["ConditionalAccessPolicyId"]
        eiam.call("EnableConditionalAccessPolicy", **within, ConditionalAccessPolicyId=ident)
        return dynamic.CreateResult(ident, self.state(ident, props))

    def state(self, ident: str, props: dict[str, Any]) -> dict[str, Any]:
        """Return whom the policy asks for what, how often, and whether it does."""
        eiam, within = Eiam(props["region"]), {"InstanceId": props["instance_id"]}
        asked = eiam.call("GetConditionalAccessPolicy", **within, ConditionalAccessPolicyId=ident)
        found = asked["ConditionalAccessPolicy"]
        users = (found.get("ConditionsConfig") or {}).get("Users") or {}
        decision = found.get("DecisionConfig") or {}
        whole = props.get("groups") or _root(eiam, within) in (users.get("IncludeOrganizationalUnits") or [])
        demanded = (decision.get("Effect"), decision.get("MfaType")) == ("allow", "mfa_required")
        return {
            **{name: props.get(name) for name in ("region", "instance_id", "description")},
            "name": found["ConditionalAccessPolicyName"],
            "groups": users.get("IncludeGroups"),
            "methods": decision.get("MfaAuthenticationMethods"),
            "interval_seconds": decision.get("MfaAuthenticationIntervalSeconds"),
            "enabled": bool(
                found["Status"] == "enabled" and demanded and whole and not any(users.get(name) for name in EXCLUDED)
            ),
        }

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Change the policy where it stands, without a moment in which it is off."""
        return dynamic.UpdateResult(self._set(_id, _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Switch the policy off and delete it."""
        eiam, where = Eiam(_props["region"]), {"InstanceId": _props["instance_id"], "ConditionalAccessPolicyId": _id}
        try:
            if eiam.call("GetConditionalAccessPolicy", **where)["ConditionalAccessPolicy"]["Status"] == "enabled":
                eiam.call("DisableConditionalAccessPolicy", **where)
            eiam.call("DeleteConditionalAccessPolicy", **where)
        except Missing:
            return

    def _set(self, ident: str, props: dict[str, Any]) -> dict[str, Any]:
        eiam, where = Eiam(props["region"]), {"InstanceId": props["instance_id"], "ConditionalAccessPolicyId": ident}
        eiam.call("UpdateConditionalAccessPolicy", **where, **_rules(eiam, props))
        if eiam.call("GetConditionalAccessPolicy", **where)["ConditionalAccessPolicy"]["Status"] != "enabled":
            eiam.call("EnableConditionalAccessPolicy", **where)
        return self.state(ident, props)


class MfaPolicy(dynamic.Resource, module="eiam", name="MfaPolicy"):
    """A policy that asks `groups`, or everyone, for a second factor. It has no switch to turn it off."""

    def __init__(
        self,
        name: str,
        *,
        region: pulumi.Input[str],
        instance_id: pulumi.Input[str],
        policy_name: str,
        description: str,
        groups: Sequence[str],
        methods: Sequence[str],
        interval_seconds: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "region": region,
            "instance_id": instance_id,
            "name": policy_name,
            "description": description,
            "groups": list(groups),
            "methods": list(methods),
            "interval_seconds": interval_seconds,
            "enabled": True,
        }
        super().__init__(MfaPolicyProvider(), name, props, opts)


def _rules(eiam: Eiam, props: dict[str, Any]) -> dict[str, Any]:
    groups = props.get("groups")
    units = {"IncludeOrganizationalUnits": [_root(eiam, {"InstanceId": props["instance_id"]})]}
    return {
        "ConditionalAccessPolicyName": props["name"],
        "ConditionsConfig": {"Users": {"IncludeGroups": groups} if groups else units},
        "DecisionConfig": {
            "Effect": "allow",
            "MfaType": "mfa_required",
            "MfaAuthenticationMethods": props["methods"],
            "MfaAuthenticationIntervalSeconds": int(props["interval_seconds"]),
        },
    }


def _root(eiam: Eiam, within: dict[str, Any]) -> str:
    """Return the organizational unit that everyone of an instance is in."""
    found = eiam.call("GetRootOrganizationalUnit", **within)["OrganizationalUnit"]
    return str(found["OrganizationalUnitId"])
