"""RAM policies: custom ones with versions, and the system's own."""

from __future__ import annotations

import json

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import GROUP, POLICY, ROLE, USER
from emulators.alicloud.products.ram.documents import policy_document
from emulators.alicloud.products.ram.names import cut, new_name
from emulators.alicloud.resources import Kind
from emulators.alicloud.tables import limit, table
from emulators.store import Document

_ram = product("Ram")

HOLDERS: dict[str, Kind] = {"User": USER, "Group": GROUP, "Role": ROLE}
"""What a policy can be attached to. Each keeps its attachments in `policies`: type, name, date."""


@_ram("CreatePolicy")
def create_policy(call: Call) -> Answer:
    name = new_name(call, POLICY, "PolicyName", r"[A-Za-z0-9-]{1,128}")
    document = policy_document(call, "PolicyDocument", "Action")
    policy = POLICY.create(
        call,
        call.tags(),
        ident=name,
        Description=call.get("Description"),
        updated=call.now,
        default="v1",
        last=1,
        versions={"v1": {"document": document, "created": call.now}},
    )
    return {"Policy": _view(call, policy)}


@_ram("GetPolicy")
def get_policy(call: Call) -> Answer:
    if _type(call) == "System":
        name = call.need("PolicyName")
        view = system_policy(name)
        version = {
            "VersionId": "v1",
            "IsDefaultVersion": True,
            "PolicyDocument": _system_document(name),
            "CreateDate": view["CreateDate"],
        }
        return {"Policy": view, "DefaultPolicyVersion": version}
    policy = POLICY.named(call, "PolicyName")
    version = _version_view(policy, policy["default"])
    return {"Policy": _view(call, policy), "DefaultPolicyVersion": version}


@_ram("ListPolicies")
def list_policies(call: Call) -> Answer:
    views = [_view(call, policy) for policy in POLICY.all(call)]
    views += [system_policy(name) for name in table("system_policies")["policies"]]
    if kind := call.get("PolicyType"):
        views = [view for view in views if view["PolicyType"] == kind]
    rows, more = cut(call, views)
    return {"Policies": {"Policy": rows}, **more}


@_ram("UpdatePolicyDescription")
def update_policy_description(call: Call) -> Answer:
    policy = POLICY.named(call, "PolicyName")
    policy |= {"Description": call.get("NewDescription"), "updated": call.now}
    POLICY.save(call, policy)
    return {"Policy": _view(call, policy)}


@_ram("CreatePolicyVersion")
def create_policy_version(call: Call) -> Answer:
    policy = POLICY.named(call, "PolicyName")
    document = policy_document(call, "PolicyDocument", "Action")
    strategy = call.choice("RotateStrategy", "None", "DeleteOldestNonDefaultVersionWhenLimitExceeded", default="None")
    if len(policy["versions"]) >= limit("policy_versions_per_policy"):
        if strategy == "None":
            raise ApiError("LimitExceeded.Policy.Version", most=limit("policy_versions_per_policy"))
        del policy["versions"][next(ident for ident in policy["versions"] if ident != policy["default"])]
    policy["last"] += 1
    ident = f"v{policy['last']}"
    policy["versions"][ident] = {"document": document, "created": call.now}
    if call.flag("SetAsDefault"):
        policy["default"] = ident
    POLICY.save(call, policy | {"updated": call.now})
    return {"PolicyVersion": _version_view(policy, ident)}


@_ram("GetPolicyVersion")
def get_policy_version(call: Call) -> Answer:
    policy = POLICY.named(call, "PolicyName")
    return {"PolicyVersion": _version_view(policy, _version(call, policy))}


@_ram("ListPolicyVersions")
def list_policy_versions(call: Call) -> Answer:
    policy = POLICY.named(call, "PolicyName")
    return {"PolicyVersions": {"PolicyVersion": [_version_view(policy, v) for v in policy["versions"]]}}


@_ram("SetDefaultPolicyVersion")
def set_default_policy_version(call: Call) -> Answer:
    policy = POLICY.named(call, "PolicyName")
    POLICY.save(call, policy | {"default": _version(call, policy), "updated": call.now})
    return {}


@_ram("DeletePolicyVersion")
def delete_policy_version(call: Call) -> Answer:
    policy = POLICY.named(call, "PolicyName")
    ident = _version(call, policy)
    if ident == policy["default"]:
        raise ApiError("DeleteConflict.Policy.Version.Default", id=f"{policy['id']} {ident}")
    del policy["versions"][ident]
    POLICY.save(call, policy)
    return {}


@_ram("DeletePolicy")
def delete_policy(call: Call) -> Answer:
    policy = POLICY.named(call, "PolicyName")
    if call.flag("CascadingDelete"):
        for kind in HOLDERS.values():
            for holder in kind.all(call):
                kept = [item for item in holder["policies"] if item["name"] != policy["id"] or item["type"] != "Custom"]
                kind.save(call, holder | {"policies": kept})
    for title, kind in HOLDERS.items():
        if attached(call, kind, "Custom", policy["id"]):
            raise ApiError(f"DeleteConflict.Policy.{title}", id=policy["id"])
    if len(policy["versions"]) > 1 and not call.flag("CascadingDelete"):
        raise ApiError("DeleteConflict.Policy.Version", id=policy["id"])
    POLICY.delete(call, policy)
    return {}


def attached(call: Call, kind: Kind, policy_type: str, name: str) -> list[tuple[Document, float]]:
    """Return what of a kind holds a policy, and since when (seconds since the epoch)."""
    return [
        (holder, item["date"])
        for holder in kind.all(call)
        for item in holder["policies"]
        if item["type"] == policy_type and item["name"] == name
    ]


def system_policy(name: str) -> Answer:
    """Return one of the system's policies. Raises `ApiError` for a name that is none."""
    if name not in table("system_policies")["policies"]:
        raise ApiError("EntityNotExist.Policy", id=name)
    return {
        "PolicyName": name,
        "PolicyType": "System",
        "Description": "",
        "DefaultVersion": "v1",
        "AttachmentCount": 0,
        "CreateDate": "2015-04-28T17:12:05Z",
        "UpdateDate": "2015-04-28T17:12:05Z",
    }


def _system_document(name: str) -> str:
    actions = table("system_policies")["policies"][name]
    return json.dumps({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})


def _type(call: Call) -> str:
    return call.choice("PolicyType", "Custom", "System", default="Custom")


def _version(call: Call, policy: Document) -> str:
    ident = call.need("VersionId")
    if ident not in policy["versions"]:
        raise ApiError("EntityNotExist.Policy.Version", id=f"{policy['id']} {ident}")
    return ident


def _version_view(policy: Document, ident: str) -> Answer:
    version = policy["versions"][ident]
    return {
        "VersionId": ident,
        "IsDefaultVersion": ident == policy["default"],
        "PolicyDocument": version["document"],
        "CreateDate": iso(version["created"]),
    }


def _view(call: Call, policy: Document) -> Answer:
    tags = [{"TagKey": key, "TagValue": value} for key, value in policy["tags"].items()]
    holders = sum(len(attached(call, kind, "Custom", policy["id"])) for kind in HOLDERS.values())
    return {
        "PolicyName": policy["id"],
        "PolicyType": "Custom",
        "Description": policy["Description"],
        "DefaultVersion": policy["default"],
        "PolicyDocument": policy["versions"][policy["default"]]["document"],
        "AttachmentCount": holders,
        "CreateDate": iso(policy["created"]),
        "UpdateDate": iso(policy["updated"]),
        "Tags": {"Tag": tags},
    }
