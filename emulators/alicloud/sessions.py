"""Sessions of roles: whom a role trusts, and the temporary AccessKeys that STS hands out for it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from emulators.alicloud.account import ACCESS_KEY_KIND, ACCOUNT_ID
from emulators.alicloud.call import Answer, iso
from emulators.alicloud.permissions import holds, many, statements_of
from emulators.store import Document, Store


def hand_out(store: Store, role: Document, session: str, expires: float, policy: str = "") -> Answer:
    """Keep an AccessKey of a role's session until `expires` (seconds since the epoch), and return STS's answer."""
    ident = f"STS.N{secrets.token_hex(12)}"
    secret, token = secrets.token_urlsafe(33), secrets.token_urlsafe(240)
    user = {
        "Arn": f"acs:ram::{ACCOUNT_ID}:assumed-role/{role['RoleName']}/{session}",
        "AssumedRoleId": f"{role['RoleId']}:{session}",
    }
    caller = {
        "kind": "AssumedRoleUser",
        "arn": user["Arn"],
        "principal_id": user["AssumedRoleId"],
        "role_id": role["RoleId"],
    }
    key = {"secret": secret, "token": token, "expires": expires, "caller": caller, "role": role["id"]}
    store.put(ACCESS_KEY_KIND, ident, key | {"policy": policy})
    keys = {
        "AccessKeyId": ident,
        "AccessKeySecret": secret,
        "SecurityToken": token,
        "Expiration": iso(expires),
    }
    return {"AssumedRoleUser": user, "Credentials": keys}


def trusts(role: Document, kind: str, principals: set[str], context: Mapping[str, str]) -> bool:
    """Return whether the role's trust policy lets one of `principals` in. A root stands for the whole account."""
    effects = {
        statement["Effect"]
        for statement in statements_of(json.loads(role["AssumeRolePolicyDocument"]))
        if principals & set(many(statement.get("Principal", {}).get(kind)))
        and holds(statement.get("Condition") or {}, context)
    }
    return effects == {"Allow"}
