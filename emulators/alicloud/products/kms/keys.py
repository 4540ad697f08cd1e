"""KMS keys: life cycle, rotation, policy, deletion protection."""

from __future__ import annotations

import json
import re
from typing import Any

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import KEY
from emulators.alicloud.products.kms.envelope import new_version
from emulators.alicloud.resources import listed, page, shown
from emulators.store import Document

_kms = product("Kms")

_DAY = 86400
_UNITS = {"d": _DAY, "h": 3600, "m": 60, "s": 1}
ALIAS_KIND = "alicloud.kms_alias"
"""Kind of the store's documents of aliases, by region and alias: `name`, `region`, `key`."""


@_kms("CreateKey")
def create_key(call: Call) -> Answer:
    rotating = call.flag("EnableAutomaticRotation")
    usage = call.choice("KeyUsage", "ENCRYPT/DECRYPT", "SIGN/VERIFY", default="ENCRYPT/DECRYPT")
    spec = call.get("KeySpec", "Aliyun_AES_256")
    if spec != "Aliyun_AES_256" or usage != "ENCRYPT/DECRYPT":
        raise ApiError("UnsupportedOperation.KeySpec", spec=spec, usage=usage)
    if call.get("Origin", "Aliyun_KMS") != "Aliyun_KMS":
        raise ApiError("UnsupportedOperation.Origin")
    level = call.choice("ProtectionLevel", "SOFTWARE", "HSM", default="SOFTWARE")
    interval = _interval(call) if rotating else 0
    policy, tags = _policy(call), call.tags("Tags") or call.tags()
    key = add_key(
        call,
        tags,
        ProtectionLevel=level,
        Description=call.get("Description"),
        DKMSInstanceId=call.get("DKMSInstanceId"),
        Creator=ACCOUNT_ID,
        interval=interval,
        policy=policy,
    )
    return {"KeyMetadata": _view(key)}


@_kms("DescribeKey")
def describe_key(call: Call) -> Answer:
    return {"KeyMetadata": _view(named_key(call))}


@_kms("ListKeys")
def list_keys(call: Call) -> Answer:
    rows = [{"KeyId": key["id"], "KeyArn": _arn(key)} for key in _living(call)]
    rows_of_page, counts = page(call, rows, most=100)
    return {"Keys": {"Key": rows_of_page}, **counts}


@_kms("ListKeyVersions")
def list_key_versions(call: Call) -> Answer:
    key = named_key(call)
    rows = [_version_view(key, version) for version in key["versions"]]
    rows_of_page, counts = page(call, rows, most=100)
    return {"KeyVersions": {"KeyVersion": rows_of_page}, **counts}


@_kms("DescribeKeyVersion")
def describe_key_version(call: Call) -> Answer:
    key, ident = named_key(call), call.need("KeyVersionId")
    version = next((version for version in key["versions"] if version["id"] == ident), None)
    if version is None:
        raise ApiError("Forbidden.ResourceNotFound", id=ident)
    return {"KeyVersion": _version_view(key, version)}


@_kms("CreateKeyVersion")
def create_key_version(call: Call) -> Answer:
    key = usable_key(call)
    key["versions"].append(new_version(call))
    key["rotated"] = call.now
    KEY.save(call, key)
    return {"KeyVersion": _version_view(key, key["versions"][-1])}


@_kms("UpdateKeyDescription")
def update_key_description(call: Call) -> Answer:
    key = named_key(call)
    KEY.save(call, key | {"Description": call.get("Description")})
    return {}


@_kms("EnableKey")
def enable_key(call: Call) -> Answer:
    return _set_state(call, "Enabled", "Enabled", "Disabled")


@_kms("DisableKey")
def disable_key(call: Call) -> Answer:
    return _set_state(call, "Disabled", "Enabled", "Disabled")


@_kms("ScheduleKeyDeletion")
def schedule_key_deletion(call: Call) -> Answer:
    key = named_key(call)
    if not call.get("PendingWindowInDays"):
        raise ApiError("MissingParameter", name="PendingWindowInDays")
    days = call.number("PendingWindowInDays", 0, low=7, high=366)
    if key["DeletionProtection"] == "Enabled":
        raise ApiError("Rejected.DeletionProtection", id=key["id"])
    _refuse_states(key, "PendingDeletion")
    delete_at = call.now + days * _DAY
    KEY.save(call, key | {"KeyState": "PendingDeletion", "delete_at": delete_at, "DeleteDate": iso(delete_at)})
    return {}


@_kms("CancelKeyDeletion")
def cancel_key_deletion(call: Call) -> Answer:
    key = named_key(call)
    _refuse_states(key, "Enabled", "Disabled")
    KEY.save(call, key | {"KeyState": "Enabled", "delete_at": 0, "DeleteDate": ""})
    return {}


@_kms("UpdateRotationPolicy")
def update_rotation_policy(call: Call) -> Answer:
    key = usable_key(call)
    interval = _interval(call) if call.flag("EnableAutomaticRotation") else 0
    KEY.save(call, key | {"interval": interval, "rotated": call.now})
    return {}


@_kms("SetDeletionProtection")
def set_deletion_protection(call: Call) -> Answer:
    ident = call.get("ProtectedResourceArn").rpartition("/")[2] or call.need("KeyId")
    key = _settled(call, KEY.get(call, ident))
    _refuse_states(key, "PendingDeletion")
    protected = call.flag("EnableDeletionProtection")
    text = call.get("DeletionProtectionDescription") if protected else ""
    state = "Enabled" if protected else "Disabled"
    KEY.save(call, key | {"DeletionProtection": state, "DeletionProtectionDescription": text})
    return {}


@_kms("GetKeyPolicy")
def get_key_policy(call: Call) -> Answer:
    return {"Policy": named_key(call)["policy"]}


@_kms("SetKeyPolicy")
def set_key_policy(call: Call) -> Answer:
    key = named_key(call)
    call.need("Policy")
    KEY.save(call, key | {"policy": _policy(call)})
    return {}


@_kms("ListKeyPolicies")
def list_key_policies(call: Call) -> Answer:
    named_key(call)
    return {"PolicyNames": ["default"]}


def add_key(call: Call, tags: dict[str, str] | None = None, **fields: str | int) -> Document:
    """Create and return a symmetric key, enabled, with one version; `fields` replace what it has by default."""
    defaults: dict[str, Any] = {
        "KeySpec": "Aliyun_AES_256",
        "KeyUsage": "ENCRYPT/DECRYPT",
        "Origin": "Aliyun_KMS",
        "ProtectionLevel": "SOFTWARE",
        "Description": "",
        "DKMSInstanceId": "",
        "DeletionProtection": "Disabled",
        "DeletionProtectionDescription": "",
        "KeyState": "Enabled",
        "MaterialExpireTime": "",
        "DeleteDate": "",
        "interval": 0,
        "rotated": call.now,
        "policy": "",
        "versions": [new_version(call)],
        "delete_at": 0,
    }
    return KEY.create(call, tags, **(defaults | fields))


def named_key(call: Call) -> Document:
    """Return the key that `KeyId` names: an id, an ARN or an alias. Raises `ApiError` for none."""
    ident = call.need("KeyId")
    if ident.startswith("acs:kms:"):
        ident = ident.partition("key/")[2]
    if ident.startswith("alias/"):
        alias = call.store.get(ALIAS_KIND, f"{call.region} {ident}")
        if alias is None:
            raise ApiError("Forbidden.AliasNotFound", id=ident)
        ident = alias["key"]
    return _settled(call, KEY.get(call, ident))


def usable_key(call: Call) -> Document:
    """Return the key that `KeyId` names. Raises `ApiError` unless it is enabled."""
    key = named_key(call)
    check_enabled(key)
    return key


def check_enabled(key: Document) -> None:
    """Raise `ApiError` unless a key is enabled."""
    _refuse_states(key, "Disabled", "PendingDeletion")


def _settled(call: Call, key: Document) -> Document:
    """Return a key as it is by now: rotated when that was due. Raises `ApiError` when its time is over."""
    if key["delete_at"] and key["delete_at"] <= call.now:
        KEY.delete(call, key)
        raise ApiError("Forbidden.KeyNotFound", id=key["id"])
    if key["interval"] and key["KeyState"] == "Enabled" and key["rotated"] + key["interval"] <= call.now:
        key["rotated"] += key["interval"] * int((call.now - key["rotated"]) // key["interval"])
        key["versions"].append(new_version(call))
        KEY.save(call, key)
    return key


def _living(call: Call) -> list[Document]:
    found = [key for key in KEY.all(call) if not key["delete_at"] or key["delete_at"] > call.now]
    return listed(call, "KeyState", found, "KeyState")


def _refuse_states(key: Document, *states: str) -> None:
    if key["KeyState"] in states:
        raise ApiError(f"Rejected.{key['KeyState']}", id=key["id"])


def _set_state(call: Call, state: str, *allowed: str) -> Answer:
    key = named_key(call)
    if key["KeyState"] not in allowed:
        raise ApiError(f"Rejected.{key['KeyState']}", id=key["id"])
    KEY.save(call, key | {"KeyState": state})
    return {}


def _interval(call: Call) -> int:
    """Return the rotation interval in seconds: 7 to 730 days."""
    found = re.fullmatch(r"(\d{1,9})([dhms])", call.need("RotationInterval"))
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 7 * _DAY <= seconds <= 730 * _DAY:
        raise ApiError("InvalidParameter", name="RotationInterval", rule="from 7d to 730d")
    return seconds


def _policy(call: Call) -> str:
    """Return the key policy; without one, the account's root may do everything, as the service sets it."""
    if not call.get("Policy"):
        statement = {
            "Action": ["kms:*"],
            "Effect": "Allow",
            "Principal": {"RAM": [f"acs:ram::{ACCOUNT_ID}:*"]},
            "Resource": ["*"],
            "Sid": "kms default key policy",
        }
        return json.dumps({"Statement": [statement], "Version": "1"})
    policy = call.data("Policy")
    if not isinstance(policy, dict) or not isinstance(policy.get("Statement"), list):
        raise ApiError("InvalidParameter", name="Policy", rule="a policy document with a list Statement")
    return call.get("Policy")


def _arn(key: Document) -> str:
    return f"acs:kms:{key['region']}:{ACCOUNT_ID}:key/{key['id']}"


def _version_view(key: Document, version: Document) -> Answer:
    return {"KeyId": key["id"], "KeyVersionId": version["id"], "CreationDate": iso(version["created"])}


def _view(key: Document) -> Answer:
    view = shown(key) | {
        "KeyId": key["id"],
        "Arn": _arn(key),
        "CreationDate": iso(key["created"]),
        "PrimaryKeyVersion": key["versions"][-1]["id"],
        "LastRotationDate": iso(key["rotated"]),
        "AutomaticRotation": "Enabled" if key["interval"] else "Disabled",
    }
    if key["interval"]:
        view["RotationInterval"] = f"{key['interval']}s"
        view["NextRotationDate"] = iso(key["rotated"] + key["interval"])
    return view
