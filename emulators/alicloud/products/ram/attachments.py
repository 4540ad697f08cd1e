"""Which users, groups and roles have which policies."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, Handler, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import POLICY
from emulators.alicloud.products.ram.names import cut
from emulators.alicloud.products.ram.policies import HOLDERS, attached, system_policy
from emulators.alicloud.tables import limit
from emulators.store import Document

_ram = product("Ram")


def _attaching(title: str) -> Handler:
    def attach(call: Call) -> Answer:
        kind, holder = HOLDERS[title], HOLDERS[title].named(call, f"{title}Name")
        policy_type, name = _policy(call)
        if _find(holder, policy_type, name):
            raise ApiError(f"EntityAlreadyExists.{title}.Policy", id=holder["id"], name=name)
        if len(holder["policies"]) >= limit("policies_per_role"):
            raise ApiError(f"LimitExceeded.{title}.Policy", most=limit("policies_per_role"))
        holder["policies"].append({"type": policy_type, "name": name, "date": call.now})
        kind.save(call, holder)
        return {}

    return attach


def _detaching(title: str) -> Handler:
    def detach(call: Call) -> Answer:
        kind, holder = HOLDERS[title], HOLDERS[title].named(call, f"{title}Name")
        policy_type, name = call.choice("PolicyType", "Custom", "System"), call.need("PolicyName")
        found = _find(holder, policy_type, name)
        if found is None:
            raise ApiError(f"EntityNotExist.{title}.Policy", id=f"{holder['id']} {name}")
        holder["policies"].remove(found)
        kind.save(call, holder)
        return {}

    return detach


def _listing(title: str) -> Handler:
    def policies_of(call: Call) -> Answer:
        holder = HOLDERS[title].named(call, f"{title}Name")
        rows = [
            {
                "PolicyName": item["name"],
                "PolicyType": item["type"],
                "AttachDate": iso(item["date"]),
                **_more(call, item),
            }
            for item in holder["policies"]
        ]
        return {"Policies": {"Policy": rows}}

    return policies_of


for _title in HOLDERS:
    _ram(f"AttachPolicyTo{_title}")(_attaching(_title))
    _ram(f"DetachPolicyFrom{_title}")(_detaching(_title))
    _ram(f"ListPoliciesFor{_title}")(_listing(_title))


@_ram("ListEntitiesForPolicy")
def list_entities_for_policy(call: Call) -> Answer:
    policy_type, name = _policy(call)
    answer: Answer = {}
    for title, kind in HOLDERS.items():
        rows = [
            {f"{title}Name": holder["id"], "AttachDate": iso(date)}
            for holder, date in attached(call, kind, policy_type, name)
        ]
        piece, _ = cut(call, rows)
        answer[f"{title}s"] = {title: piece}
    return answer | {"IsTruncated": False}


def _policy(call: Call) -> tuple[str, str]:
    """Return type and name of the call's policy. Raises `ApiError` when there is none."""
    policy_type, name = call.choice("PolicyType", "Custom", "System"), call.need("PolicyName")
    if policy_type == "System":
        system_policy(name)
    else:
        POLICY.get(call, name)
    return policy_type, name


def _find(holder: Document, policy_type: str, name: str) -> Document | None:
    return next((item for item in holder["policies"] if item["type"] == policy_type and item["name"] == name), None)


def _more(call: Call, item: Document) -> Answer:
    if item["type"] == "System":
        return {"DefaultVersion": "v1", "Description": ""}
    policy = POLICY.get(call, item["name"])
    return {"DefaultVersion": policy["default"], "Description": policy["Description"]}
