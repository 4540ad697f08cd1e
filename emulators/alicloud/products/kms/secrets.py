"""KMS secrets (generic ones): values in versions, each sealed under a key."""

from __future__ import annotations

import re

from emulators.alicloud.account import ACCOUNT_ID
from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call, iso
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import KEY, SECRET
from emulators.alicloud.products.kms.envelope import seal, unseal
from emulators.alicloud.products.kms.keys import add_key, check_enabled
from emulators.alicloud.resources import page
from emulators.alicloud.tables import limit
from emulators.store import Document

_kms = product("Kms")

_DAY = 86400
_CURRENT, _PREVIOUS = "ACSCurrent", "ACSPrevious"


@_kms("CreateSecret")
def create_secret(call: Call) -> Answer:
    name, version = call.need("SecretName"), call.need("VersionId")
    if not re.fullmatch(r"[\w/+=.@-]{1,64}", name, re.ASCII):
        raise ApiError("InvalidParameter", name="SecretName", rule="letters, digits and _/+=.@-, at most 64")
    if call.get("SecretType", "Generic") != "Generic":
        raise ApiError("UnsupportedOperation.SecretType", kind=call.get("SecretType"))
    if SECRET.find(call, name):
        raise ApiError("Rejected.ResourceExist", name=name)
    tags, key = call.tags("Tags") or call.tags(), _key(call)
    value = _value(call, key)
    secret = SECRET.create(
        call,
        tags,
        ident=name,
        Description=call.get("Description"),
        DKMSInstanceId=call.get("DKMSInstanceId"),
        updated=call.now,
        key=key["id"],
        versions={version: value | {"stages": [_CURRENT]}},
        policy=call.get("Policy"),
        delete_at=0,
    )
    return {
        "SecretName": name,
        "Arn": _arn(secret),
        "VersionId": version,
        "SecretType": "Generic",
        "AutomaticRotation": "Invalid",
        "DKMSInstanceId": secret["DKMSInstanceId"],
    }


@_kms("DescribeSecret")
def describe_secret(call: Call) -> Answer:
    secret = _secret(call, waiting=True)
    answer = {
        "SecretName": secret["id"],
        "SecretType": "Generic",
        "Arn": _arn(secret),
        "Description": secret["Description"],
        "EncryptionKeyId": secret["key"],
        "DKMSInstanceId": secret["DKMSInstanceId"],
        "AutomaticRotation": "Invalid",
        "CreateTime": iso(secret["created"]),
        "UpdateTime": iso(secret["updated"]),
        "PlannedDeleteTime": iso(secret["delete_at"]) if secret["delete_at"] else "",
    }
    if call.flag("FetchTags"):
        tags = [{"TagKey": key, "TagValue": value} for key, value in secret["tags"].items()]
        answer["Tags"] = {"Tag": tags}
    return answer


@_kms("ListSecrets")
def list_secrets(call: Call) -> Answer:
    views = [
        {
            "SecretName": secret["id"],
            "SecretType": "Generic",
            "CreateTime": iso(secret["created"]),
            "UpdateTime": iso(secret["updated"]),
        }
        for secret in SECRET.all(call)
        if not secret["delete_at"] or secret["delete_at"] > call.now
    ]
    rows, counts = page(call, views, most=100)
    return {"SecretList": {"Secret": rows}, **counts}


@_kms("GetSecretValue")
def get_secret_value(call: Call) -> Answer:
    secret = _secret(call)
    ident = call.get("VersionId") or _staged(secret, call.get("VersionStage", _CURRENT))
    version = secret["versions"].get(ident)
    if version is None:
        raise ApiError("Forbidden.ResourceNotFound", id=f"{secret['id']} {ident or call.get('VersionStage')}")
    key, _, plaintext = unseal(call, version["blob"], {"secret": secret["id"]})
    check_enabled(key)
    return {
        "SecretName": secret["id"],
        "SecretType": "Generic",
        "SecretData": plaintext.decode(),
        "SecretDataType": version["type"],
        "VersionId": ident,
        "VersionStages": {"VersionStage": version["stages"]},
        "CreateTime": iso(version["created"]),
        "AutomaticRotation": "Invalid",
    }


@_kms("PutSecretValue")
def put_secret_value(call: Call) -> Answer:
    secret, ident = _secret(call), call.need("VersionId")
    if ident in secret["versions"]:
        raise ApiError("Rejected.ResourceExist", name=f"{secret['id']} {ident}")
    value = _value(call, KEY.get(call, secret["key"]))
    for version in secret["versions"].values():
        kept = [stage for stage in version["stages"] if stage not in (_CURRENT, _PREVIOUS)]
        version["stages"] = [*kept, *([_PREVIOUS] if _CURRENT in version["stages"] else [])]
    secret["versions"][ident] = value | {"stages": [_CURRENT]}
    SECRET.save(call, secret | {"updated": call.now})
    return {
        "SecretName": secret["id"],
        "VersionId": ident,
        "VersionStages": {"VersionStage": [_CURRENT]},
    }


@_kms("ListSecretVersionIds")
def list_secret_version_ids(call: Call) -> Answer:
    secret, everything = _secret(call), call.flag("IncludeDeprecated")
    views = [
        {
            "VersionId": ident,
            "CreateTime": iso(version["created"]),
            "VersionStages": {"VersionStage": version["stages"]},
        }
        for ident, version in secret["versions"].items()
        if everything or version["stages"]
    ]
    rows, counts = page(call, views, most=100)
    return {"SecretName": secret["id"], "VersionIds": {"VersionId": rows}, **counts}


@_kms("UpdateSecret")
def update_secret(call: Call) -> Answer:
    secret = _secret(call)
    SECRET.save(call, secret | {"Description": call.get("Description"), "updated": call.now})
    return {"SecretName": secret["id"]}


@_kms("GetSecretPolicy")
def get_secret_policy(call: Call) -> Answer:
    return {"Policy": _secret(call)["policy"]}


@_kms("SetSecretPolicy")
def set_secret_policy(call: Call) -> Answer:
    secret = _secret(call)
    call.data("Policy")
    SECRET.save(call, secret | {"policy": call.get("Policy")})
    return {}


@_kms("DeleteSecret")
def delete_secret(call: Call) -> Answer:
    secret = _secret(call)
    if call.flag("ForceDeleteWithoutRecovery"):
        SECRET.delete(call, secret)
        return {"SecretName": secret["id"], "PlannedDeleteTime": call.stamp}
    delete_at = call.now + call.number("RecoveryWindowInDays", 30, low=7, high=30) * _DAY
    SECRET.save(call, secret | {"delete_at": delete_at})
    return {"SecretName": secret["id"], "PlannedDeleteTime": iso(delete_at)}


@_kms("RestoreSecret")
def restore_secret(call: Call) -> Answer:
    secret = _secret(call, waiting=True)
    SECRET.save(call, secret | {"delete_at": 0})
    return {"SecretName": secret["id"]}


def _secret(call: Call, waiting: bool = False) -> Document:
    """Return the secret of the call; one that waits for its deletion only where that is `waiting`'s sense."""
    secret = SECRET.named(call, "SecretName")
    if secret["delete_at"] and secret["delete_at"] <= call.now:
        SECRET.delete(call, secret)
        raise ApiError("Forbidden.ResourceNotFound", id=secret["id"])
    if secret["delete_at"] and not waiting:
        raise ApiError("Rejected.ResourceInPendingDeletion", id=secret["id"])
    return secret


def _key(call: Call) -> Document:
    """Return the key of a new secret; without one, the account's own key for secrets, made when first needed."""
    if ident := call.get("EncryptionKeyId"):
        key = KEY.get(call, ident)
        check_enabled(key)
        return key
    found = KEY.all(call, Description="Default key for secrets", Creator="Secrets Manager")
    return found[0] if found else add_key(call, Description="Default key for secrets", Creator="Secrets Manager")


def _value(call: Call, key: Document) -> Document:
    kind = call.choice("SecretDataType", "text", "binary", default="text")
    data = call.need("SecretData").encode()
    if len(data) > limit("kms_secret_bytes"):
        raise ApiError("InvalidParameter", name="SecretData", rule=f"at most {limit('kms_secret_bytes')} bytes")
    blob = seal(key, data, {"secret": call.need("SecretName")})
    return {"blob": blob, "type": kind, "created": call.now}


def _staged(secret: Document, stage: str) -> str:
    return next((ident for ident, version in secret["versions"].items() if stage in version["stages"]), "")


def _arn(secret: Document) -> str:
    return f"acs:kms:{secret['region']}:{ACCOUNT_ID}:secret/{secret['id']}"
