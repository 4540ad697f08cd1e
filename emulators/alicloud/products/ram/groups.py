"""RAM user groups and their members."""

from __future__ import annotations

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import GROUP, USER
from emulators.alicloud.products.ram.names import cut, new_name
from emulators.alicloud.products.ram.numbers import entity_id
from emulators.alicloud.resources import change
from emulators.store import Document

_ram = product("Ram")


@_ram("CreateGroup")
def create_group(call: Call) -> Answer:
    name = new_name(call, GROUP, "GroupName", r"[\w.-]{1,64}")
    group = GROUP.create(
        call,
        ident=name,
        GroupId=f"g-{entity_id(call, 'group')}",
        Comments=call.get("Comments"),
        updated=call.now,
        members={},
        policies=[],
    )
    return {"Group": _view(group)}


@_ram("GetGroup")
def get_group(call: Call) -> Answer:
    return {"Group": _view(GROUP.named(call, "GroupName"))}


@_ram("ListGroups")
def list_groups(call: Call) -> Answer:
    rows, more = cut(call, [_view(group) for group in GROUP.all(call)])
    return {"Groups": {"Group": rows}, **more}


@_ram("UpdateGroup")
def update_group(call: Call) -> Answer:
    group = GROUP.named(call, "GroupName")
    change(call, group, Comments="NewComments")
    GROUP.save(call, group | {"updated": call.now})
    return {"Group": _view(group)}


@_ram("DeleteGroup")
def delete_group(call: Call) -> Answer:
    group = GROUP.named(call, "GroupName")
    if group["policies"]:
        raise ApiError("DeleteConflict.Group.Policy", id=group["id"])
    if group["members"]:
        raise ApiError("DeleteConflict.Group.User", id=group["id"])
    GROUP.delete(call, group)
    return {}


@_ram("AddUserToGroup")
def add_user_to_group(call: Call) -> Answer:
    group, user = GROUP.named(call, "GroupName"), USER.named(call, "UserName")
    if user["id"] in group["members"]:
        raise ApiError("EntityAlreadyExists.User.Group", id=user["id"], name=group["id"])
    group["members"][user["id"]] = call.now
    GROUP.save(call, group)
    return {}


@_ram("RemoveUserFromGroup")
def remove_user_from_group(call: Call) -> Answer:
    group, user = GROUP.named(call, "GroupName"), USER.named(call, "UserName")
    if user["id"] not in group["members"]:
        raise ApiError("EntityNotExist.User.Group", id=f"{user['id']} {group['id']}")
    del group["members"][user["id"]]
    GROUP.save(call, group)
    return {}


@_ram("ListUsersForGroup")
def list_users_for_group(call: Call) -> Answer:
    group = GROUP.named(call, "GroupName")
    views = [
        {
            "UserName": name,
            "JoinDate": iso(date),
            "DisplayName": USER.get(call, name)["DisplayName"],
        }
        for name, date in group["members"].items()
    ]
    rows, more = cut(call, views)
    return {"Users": {"User": rows}, **more}


@_ram("ListGroupsForUser")
def list_groups_for_user(call: Call) -> Answer:
    user = USER.named(call, "UserName")
    rows = [
        {"GroupName": group["id"], "JoinDate": iso(group["members"][user["id"]]), "Comments": group["Comments"]}
        for group in GROUP.all(call)
        if user["id"] in group["members"]
    ]
    return {"Groups": {"Group": rows}}


def _view(group: Document) -> Answer:
    return {
        "GroupName": group["id"],
        "GroupId": group["GroupId"],
        "Comments": group["Comments"],
        "CreateDate": iso(group["created"]),
        "UpdateDate": iso(group["updated"]),
    }
