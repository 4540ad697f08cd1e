"""Aliases of KMS keys."""

from __future__ import annotations

import re

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.products.kms.keys import ALIAS_KIND, named_key
from emulators.alicloud.resources import page
from emulators.store import Document

_kms = product("Kms")


@_kms("CreateAlias")
def create_alias(call: Call) -> Answer:
    name, key = call.need("AliasName"), named_key(call)
    if not re.fullmatch(r"alias/[\w/-]{1,249}", name, re.ASCII) or name.startswith("alias/acs"):
        raise ApiError("InvalidParameter", name="AliasName", rule="alias/ and letters, digits, _, - and /")
    if call.store.get(ALIAS_KIND, f"{call.region} {name}"):
        raise ApiError("Rejected.AliasExist", name=name)
    call.store.put(ALIAS_KIND, f"{call.region} {name}", {"name": name, "region": call.region, "key": key["id"]})
    return {}


@_kms("UpdateAlias")
def update_alias(call: Call) -> Answer:
    alias = _alias(call)
    call.store.put(ALIAS_KIND, f"{call.region} {alias['name']}", alias | {"key": named_key(call)["id"]})
    return {}


@_kms("DeleteAlias")
def delete_alias(call: Call) -> Answer:
    call.store.delete(ALIAS_KIND, f"{call.region} {_alias(call)['name']}")
    return {}


@_kms("ListAliases")
def list_aliases(call: Call) -> Answer:
    return _rows(call, [alias for _, alias in call.store.all(ALIAS_KIND, f"{call.region} ")])


@_kms("ListAliasesByKeyId")
def list_aliases_by_key_id(call: Call) -> Answer:
    key = named_key(call)
    aliases = [alias for _, alias in call.store.all(ALIAS_KIND, f"{call.region} ")]
    return _rows(call, [alias for alias in aliases if alias["key"] == key["id"]])


def _alias(call: Call) -> Document:
    name = call.need("AliasName")
    alias = call.store.get(ALIAS_KIND, f"{call.region} {name}")
    if alias is None:
        raise ApiError("Forbidden.AliasNotFound", id=name)
    return alias


def _rows(call: Call, aliases: list[Document]) -> Answer:
    views = [
        {
            "AliasName": alias["name"],
            "AliasArn": f"acs:kms:{alias['region']}:{ACCOUNT_ID}:{alias['name']}",
            "KeyId": alias["key"],
        }
        for alias in aliases
    ]
    rows, counts = page(call, views, most=100)
    return {"Aliases": {"Alias": rows}, **counts}
