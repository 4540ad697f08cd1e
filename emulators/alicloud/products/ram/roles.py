"""RAM roles."""

from __future__ import annotations

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import ROLE
from emulators.alicloud.products.ram.documents import policy_document
from emulators.alicloud.products.ram.names import cut, new_name
from emulators.alicloud.products.ram.numbers import entity_id
from emulators.store import Document

_ram = product("Ram")

_DOCUMENT = "AssumeRolePolicyDocument"


@_ram("CreateRole")
def create_role(call: Call) -> Answer:
    name = new_name(call, ROLE, "RoleName", r"[\w.-]{1,64}")
    role = ROLE.create(
        call,
        call.tags(),
        ident=name,
        RoleName=name,
        RoleId=entity_id(call, "role"),
        Arn=f"acs:ram::{ACCOUNT_ID}:role/{name}",
        Description=call.get("Description"),
        AssumeRolePolicyDocument=policy_document(call, _DOCUMENT, "Principal"),
        MaxSessionDuration=_duration(call, "MaxSessionDuration", 3600),
        updated=call.now,
        policies=[],
    )
    return {"Role": _view(role)}


@_ram("GetRole")
def get_role(call: Call) -> Answer:
    return {"Role": _view(ROLE.named(call, "RoleName"))}


@_ram("ListRoles")
def list_roles(call: Call) -> Answer:
    views = [{k: v for k, v in _view(role).items() if k != _DOCUMENT} for role in ROLE.all(call)]
    rows, more = cut(call, views)
    return {"Roles": {"Role": rows}, **more}


@_ram("UpdateRole")
def update_role(call: Call) -> Answer:
    role = ROLE.named(call, "RoleName")
    if call.get(f"New{_DOCUMENT}"):
        role[_DOCUMENT] = policy_document(call, f"New{_DOCUMENT}", "Principal")
    if call.has("NewDescription"):
        role["Description"] = call.get("NewDescription")
    role["MaxSessionDuration"] = _duration(call, "NewMaxSessionDuration", role["MaxSessionDuration"])
    role["updated"] = call.now
    ROLE.save(call, role)
    return {"Role": _view(role)}


@_ram("DeleteRole")
def delete_role(call: Call) -> Answer:
    role = ROLE.named(call, "RoleName")
    if role["policies"]:
        raise ApiError("DeleteConflict.Role.Policy", id=role["id"])
    ROLE.delete(call, role)
    return {}


def _duration(call: Call, parameter: str, default: int) -> int:
    return call.number(parameter, default, low=3600, high=43200)


def _view(role: Document) -> Answer:
    names = ("RoleName", "RoleId", "Arn", "Description", _DOCUMENT, "MaxSessionDuration")
    tags = [{"TagKey": key, "TagValue": value} for key, value in role["tags"].items()]
    return {name: role[name] for name in names} | {
        "CreateDate": iso(role["created"]),
        "UpdateDate": iso(role["updated"]),
        "Tags": {"Tag": tags},
    }
