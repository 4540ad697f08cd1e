"""The cryptography of the emulated KMS: AES-256-GCM under a secret that each key version has in the store."""

from __future__ import annotations

import base64
import binascii
import json
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from emulators.alicloud.call import Call
from emulators.alicloud.errors import ApiError
from emulators.alicloud.kinds import KEY
from emulators.store import Document

_NONCE_BYTES = 12


def new_version(call: Call) -> Document:
    """Return a key version: its id, when it was made, its secret (Base64)."""
    number = call.store.next("alicloud.kms_key_version")
    ident = f"{number:08x}-0000-4000-8000-{number:012x}"
    return {"id": ident, "created": call.now, "secret": base64.b64encode(secrets.token_bytes(32)).decode()}


def seal(key: Document, plaintext: bytes, context: dict[str, str]) -> str:
    """Return `plaintext` under the key's newest version: a blob that names key and version, in Base64."""
    version = key["versions"][-1]
    nonce = secrets.token_bytes(_NONCE_BYTES)
    body = _cipher(version).encrypt(nonce, plaintext, _bound(key, version, context))
    head = json.dumps([key["id"], version["id"]]).encode()
    return base64.b64encode(len(head).to_bytes(2) + head + nonce + body).decode()


def unseal(call: Call, blob: str, context: dict[str, str]) -> tuple[Document, Document, bytes]:
    """Return key, key version and plaintext of a blob. Raises `ApiError` for a blob that is none."""
    try:
        raw = base64.b64decode(blob, validate=True)
        size = int.from_bytes(raw[:2])
        key_id, version_id = json.loads(raw[2 : 2 + size])
        nonce, body = raw[2 + size : 2 + size + _NONCE_BYTES], raw[2 + size + _NONCE_BYTES :]
    except (binascii.Error, ValueError):
        raise ApiError("InvalidParameter.CiphertextBlob") from None
    key = KEY.get(call, str(key_id))
    version = next((version for version in key["versions"] if version["id"] == version_id), None)
    if version is None:
        raise ApiError("InvalidParameter.CiphertextBlob")
    try:
        return key, version, _cipher(version).decrypt(nonce, body, _bound(key, version, context))
    except (InvalidTag, ValueError):
        raise ApiError("InvalidParameter.CiphertextBlob") from None


def encryption_context(call: Call) -> dict[str, str]:
    """Return the call's encryption context: what decryption must repeat."""
    if not call.get("EncryptionContext"):
        return {}
    context = call.data("EncryptionContext")
    if not isinstance(context, dict) or not all(isinstance(value, str) for value in context.values()):
        raise ApiError("InvalidParameter", name="EncryptionContext", rule="a JSON object of strings")
    return context


def _cipher(version: Document) -> AESGCM:
    return AESGCM(base64.b64decode(version["secret"]))


def _bound(key: Document, version: Document, context: dict[str, str]) -> bytes:
    return json.dumps([key["id"], version["id"], sorted(context.items())]).encode()
