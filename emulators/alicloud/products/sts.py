"""STS: who am I, and temporary AccessKeys for roles."""

from __future__ import annotations

import json
import re
import secrets

from emulators.alicloud.account import ACCESS_KEY_KIND, ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import ROLE
from emulators.alicloud.signature import Caller
from emulators.store import Document

_sts = product("Sts")


@_sts("GetCallerIdentity")
def get_caller_identity(call: Call) -> Answer:
    caller = call.caller
    answer = {
        "AccountId": ACCOUNT_ID,
        "Arn": caller.arn,
        "IdentityType": caller.kind,
        "PrincipalId": caller.principal_id,
    }
    if caller.role_id:
        return answer | {"RoleId": caller.role_id}
    return answer | {"UserId": caller.user_id}


@_sts("AssumeRole")
def assume_role(call: Call) -> Answer:
    arn, session = call.need("RoleArn"), call.need("RoleSessionName")
    found = re.fullmatch(rf"acs:ram::{ACCOUNT_ID}:role/(?P<name>[\w.-]+)", arn, re.ASCII)
    role = ROLE.find(call, found["name"]) if found else None
    if role is None:
        raise ApiError("EntityNotExist.Role", id=arn)
    if not re.fullmatch(r"[\w.@-]{2,64}", session, re.ASCII):
        raise ApiError("InvalidParameter.RoleSessionName")
    seconds = call.number("DurationSeconds", 3600)
    if not 900 <= seconds <= role["MaxSessionDuration"]:
        raise ApiError("InvalidParameter.DurationSeconds", most=role["MaxSessionDuration"])
    if not _trusts(role, call.caller):
        raise ApiError("NoPermission", action="sts:AssumeRole")
    return _hand_out(call, role, session, call.now + seconds)


def _hand_out(call: Call, role: Document, session: str, expires: float) -> Answer:
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
    call.store.put(ACCESS_KEY_KIND, ident, {"secret": secret, "token": token, "expires": expires, "caller": caller})
    keys = {
        "AccessKeyId": ident,
        "AccessKeySecret": secret,
        "SecurityToken": token,
        "Expiration": iso(expires),
    }
    return {"AssumedRoleUser": user, "Credentials": keys}


def _trusts(role: Document, caller: Caller) -> bool:
    """Return whether the role's trust policy lets the caller in. A root principal stands for the whole account."""
    root = f"acs:ram::{ACCOUNT_ID}:root"
    for statement in json.loads(role["AssumeRolePolicyDocument"])["Statement"]:
        named = statement.get("Principal", {}).get("RAM", [])
        named = [named] if isinstance(named, str) else named
        if statement.get("Effect") == "Allow" and ({root, caller.arn} & set(named)):
            return True
    return False
