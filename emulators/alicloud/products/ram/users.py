"""RAM users."""

from __future__ import annotations

from emulators.alicloud.account import ACCESS_KEY_KIND
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import GROUP, USER
from emulators.alicloud.products.ram.names import cut, new_name
from emulators.alicloud.products.ram.numbers import entity_id
from emulators.alicloud.resources import change
from emulators.store import Document

_ram = product("Ram")

USER_NAME = r"[\w.-]{1,64}"
"""What a user name looks like."""


@_ram("CreateUser")
def create_user(call: Call) -> Answer:
    name = new_name(call, USER, "UserName", USER_NAME)
    user = USER.create(
        call,
        call.tags(),
        ident=name,
        UserId=entity_id(call, "user"),
        DisplayName=call.get("DisplayName", name),
        MobilePhone=call.get("MobilePhone"),
        Email=call.get("Email"),
        Comments=call.get("Comments"),
        updated=call.now,
        policies=[],
    )
    return {"User": _view(user)}


@_ram("GetUser")
def get_user(call: Call) -> Answer:
    return {"User": _view(USER.named(call, "UserName"))}


@_ram("ListUsers")
def list_users(call: Call) -> Answer:
    rows, more = cut(call, [_view(user) for user in USER.all(call)])
    return {"Users": {"User": rows}, **more}


@_ram("UpdateUser")
def update_user(call: Call) -> Answer:
    user = USER.named(call, "UserName")
    names = {"DisplayName", "MobilePhone", "Email", "Comments"}
    change(call, user, **{name: f"New{name}" for name in names})
    new = call.get("NewUserName", user["id"])
    if new != user["id"]:
        new_name(call, USER, "NewUserName", USER_NAME)
        USER.delete(call, user)
    USER.save(call, user | {"id": new, "updated": call.now})
    return {"User": _view(user | {"id": new})}


@_ram("DeleteUser")
def delete_user(call: Call) -> Answer:
    user = USER.named(call, "UserName")
    if user["policies"]:
        raise ApiError("DeleteConflict.User.Policy", id=user["id"])
    if any(user["id"] in group["members"] for group in GROUP.all(call)):
        raise ApiError("DeleteConflict.User.Group", id=user["id"])
    if any(key.get("user") == user["id"] for _, key in call.store.all(ACCESS_KEY_KIND)):
        raise ApiError("DeleteConflict.User.AccessKey", id=user["id"])
    USER.delete(call, user)
    return {}


def _view(user: Document) -> Answer:
    names = ("UserId", "DisplayName", "MobilePhone", "Email", "Comments")
    return {name: user[name] for name in names} | {
        "UserName": user["id"],
        "CreateDate": iso(user["created"]),
        "UpdateDate": iso(user["updated"]),
    }
