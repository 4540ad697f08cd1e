"""AccessKeys of RAM users. They open the emulated account like its own."""

from __future__ import annotations

import secrets

from emulators.alicloud.account import ACCESS_KEY_KIND, ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import USER
from emulators.alicloud.tables import limit
from emulators.store import Document

_ram = product("Ram")


@_ram("CreateAccessKey")
def create_access_key(call: Call) -> Answer:
    user = USER.named(call, "UserName")
    if len(_keys(call, user["id"])) >= limit("access_keys_per_user"):
        raise ApiError("LimitExceeded.User.AccessKey", most=limit("access_keys_per_user"))
    ident, secret = f"LTAI5t{secrets.token_hex(9)}", secrets.token_urlsafe(22)
    caller = {
        "kind": "RAMUser",
        "arn": f"acs:ram::{ACCOUNT_ID}:user/{user['id']}",
        "principal_id": user["UserId"],
        "user_id": user["UserId"],
    }
    key = {"secret": secret, "status": "Active", "user": user["id"], "created": call.stamp, "caller": caller}
    call.store.put(ACCESS_KEY_KIND, ident, key)
    return {"AccessKey": _view(ident, key) | {"AccessKeySecret": secret}}


@_ram("ListAccessKeys")
def list_access_keys(call: Call) -> Answer:
    user = USER.named(call, "UserName")
    return {"AccessKeys": {"AccessKey": [_view(*found) for found in _keys(call, user["id"])]}}


@_ram("UpdateAccessKey")
def update_access_key(call: Call) -> Answer:
    ident, key = _named(call)
    call.store.put(ACCESS_KEY_KIND, ident, key | {"status": call.choice("Status", "Active", "Inactive")})
    return {}


@_ram("DeleteAccessKey")
def delete_access_key(call: Call) -> Answer:
    call.store.delete(ACCESS_KEY_KIND, _named(call)[0])
    return {}


def _keys(call: Call, user: str) -> list[tuple[str, Document]]:
    return [(ident, key) for ident, key in call.store.all(ACCESS_KEY_KIND) if key.get("user") == user]


def _named(call: Call) -> tuple[str, Document]:
    user, ident = USER.named(call, "UserName"), call.need("UserAccessKeyId")
    found = dict(_keys(call, user["id"])).get(ident)
    if found is None:
        raise ApiError("EntityNotExist.User.AccessKey", id=ident)
    return ident, found


def _view(ident: str, key: Document) -> Answer:
    return {"AccessKeyId": ident, "Status": key["status"], "CreateDate": key["created"]}
