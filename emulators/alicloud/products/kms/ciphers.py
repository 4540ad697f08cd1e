"""Encrypt, decrypt and data keys."""

from __future__ import annotations

import base64
import secrets

from emulators.alicloud.actions import product
from emulators.alicloud.call import Answer, Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.products.kms.envelope import encryption_context, seal, unseal
from emulators.alicloud.products.kms.keys import check_enabled, usable_key
from emulators.alicloud.tables import limit

_kms = product("Kms")

_SPECS = {"AES_256": 32, "AES_128": 16}


@_kms("Encrypt")
def encrypt(call: Call) -> Answer:
    key, plaintext = usable_key(call), call.need("Plaintext").encode()
    if len(plaintext) > limit("kms_plaintext_bytes"):
        raise ApiError("InvalidParameter", name="Plaintext", rule=f"at most {limit('kms_plaintext_bytes')} bytes")
    blob = seal(key, plaintext, encryption_context(call))
    return {"CiphertextBlob": blob, "KeyId": key["id"], "KeyVersionId": key["versions"][-1]["id"]}


@_kms("Decrypt")
def decrypt(call: Call) -> Answer:
    key, version, plaintext = unseal(call, call.need("CiphertextBlob"), encryption_context(call))
    check_enabled(key)
    return {"Plaintext": plaintext.decode(), "KeyId": key["id"], "KeyVersionId": version["id"]}


@_kms("GenerateDataKey")
def generate_data_key(call: Call) -> Answer:
    blob, plaintext = _data_key(call)
    return {**blob, "Plaintext": plaintext}


@_kms("GenerateDataKeyWithoutPlaintext")
def generate_data_key_without_plaintext(call: Call) -> Answer:
    return _data_key(call)[0]


def _data_key(call: Call) -> tuple[Answer, str]:
    key, spec = usable_key(call), call.choice("KeySpec", *_SPECS, default="AES_256")
    size = call.number("NumberOfBytes", _SPECS[spec], low=1, high=1024)
    plaintext = base64.b64encode(secrets.token_bytes(size)).decode()
    blob = seal(key, plaintext.encode(), encryption_context(call))
    return {
        "CiphertextBlob": blob,
        "KeyId": key["id"],
        "KeyVersionId": key["versions"][-1]["id"],
    }, plaintext
