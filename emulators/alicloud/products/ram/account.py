"""The account as RAM sees it: its alias."""

from __future__ import annotations

import re

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError

_ram = product("Ram")

_PLACE = ("alicloud.ram_account", "alias")


@_ram("SetAccountAlias")
def set_account_alias(call: Call) -> Answer:
    alias = call.need("AccountAlias")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{1,48}[a-z0-9])", alias):
        raise ApiError("InvalidParameter", name="AccountAlias", rule="3 to 50 lower-case letters, digits and -")
    call.store.put(*_PLACE, {"alias": alias})
    return {}


@_ram("GetAccountAlias")
def get_account_alias(call: Call) -> Answer:
    # Without an alias of its own, an account goes by its number.
    return {"AccountAlias": (call.store.get(*_PLACE) or {"alias": ACCOUNT_ID})["alias"]}


@_ram("ClearAccountAlias")
def clear_account_alias(call: Call) -> Answer:
    call.store.delete(*_PLACE)
    return {}
