"""How Alibaba Cloud RPC requests are signed, and who signed one.

Two families: parameters signed with HMAC-SHA1 or HMAC-SHA256 (signature version 1.0: tea-rpc, alibaba-cloud-sdk-go and
the older SDKs), and headers signed with ACS3-HMAC-SHA256 (the V2 SDKs). Source: Alibaba Cloud SDK, "Request structure
and signature" (V1.0 and V3), 2026-11.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from emulators.alicloud.account import ACCESS_KEY_KIND, ACCOUNT_ID, AccessKey, access_key
from emulators.alicloud.errors import ApiError
from emulators.alicloud.tables import limit
from emulators.http import Request
from emulators.service import World

_DIGESTS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}
_ACS3 = "ACS3-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ACS3}\s+Credential=(?P<key>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]+)"
)


@dataclass(frozen=True)
class Caller:
    """Who made a request. `kind` is what STS calls IdentityType: Account, RAMUser or AssumedRoleUser."""

    access_key_id: str
    kind: str = "Account"
    arn: str = f"acs:ram::{ACCOUNT_ID}:root"
    principal_id: str = ACCOUNT_ID
    user_id: str = ACCOUNT_ID
    role_id: str = ""


NOBODY = Caller("", "Anonymous", "", "", "")
"""Who makes a request that isn't signed."""


class Signatures:
    """Checks signatures. Remembers the nonces of the last quarter of an hour, as the gateway does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._nonces: dict[str, float] = {}

    def caller(self, request: Request, parameters: Mapping[str, str]) -> Caller:
        """Return who signed `request`. Raises `ApiError` as the gateway refuses it."""
        signed = _header_signed(request) or _query_signed(request, parameters)
        key = access_key(self._world.store, signed.access_key_id)
        if key is None:
            raise ApiError("InvalidAccessKeyId.NotFound")
        if not key.active:
            raise ApiError("InvalidAccessKeyId.Inactive")
        self._check_token(key, signed.token)
        if not hmac.compare_digest(signed.expected(key.secret), signed.signature):
            raise ApiError("SignatureDoesNotMatch", string_to_sign=signed.string_to_sign)
        self._check_freshness(signed)
        found = self._world.store.get(ACCESS_KEY_KIND, key.ident) or {}
        return Caller(key.ident, **found.get("caller", {}))

    def _check_token(self, key: AccessKey, token: str) -> None:
        if not key.token:
            return
        if not token:
            raise ApiError("MissingSecurityToken")
        if not hmac.compare_digest(key.token, token):
            raise ApiError("InvalidSecurityToken.MismatchWithAccessKey")
        if key.expires and key.expires <= self._world.now():
            raise ApiError("InvalidSecurityToken.Expired")

    def _check_freshness(self, signed: _Signed) -> None:
        now, window = self._world.now(), limit("signature_seconds")
        try:
            stamp = datetime.strptime(signed.timestamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise ApiError("InvalidTimeStamp.Format") from None
        if abs(now - stamp) > window:
            raise ApiError("InvalidTimeStamp.Expired")
        self._nonces = {nonce: until for nonce, until in self._nonces.items() if until > now}
        nonce = f"{signed.access_key_id} {signed.nonce}"
        if nonce in self._nonces:
            raise ApiError("SignatureNonceUsed")
        self._nonces[nonce] = now + window


@dataclass(frozen=True)
class _Signed:
    """The parts of a signed request, whichever way it was signed."""

    access_key_id: str
    algorithm: str
    signature: str
    string_to_sign: str
    timestamp: str
    nonce: str
    token: str

    def expected(self, secret: str) -> str:
        if self.algorithm == _ACS3:
            return hmac.new(secret.encode(), self.string_to_sign.encode(), hashlib.sha256).hexdigest()
        return sign_parameters(self.string_to_sign, secret, self.algorithm)


def encode(text: str) -> str:
    """Return `text` percent-encoded as signatures want it (RFC 3986: only letters, digits, `-_.~` stay)."""
    return quote(text, safe="~")


def canonical(parameters: Mapping[str, str]) -> str:
    """Return parameters as a canonical query string."""
    return "&".join(f"{encode(key)}={encode(value)}" for key, value in sorted(parameters.items()))


def parameters_to_sign(method: str, parameters: Mapping[str, str]) -> str:
    """Return what signature version 1.0 signs: method, path and every parameter but the signature itself."""
    unsigned = {key: value for key, value in parameters.items() if key != "Signature"}
    return f"{method}&%2F&{encode(canonical(unsigned))}"


def sign_parameters(string_to_sign: str, secret: str, method: str = "HMAC-SHA1") -> str:
    """Return the signature (version 1.0) of what `parameters_to_sign` gave, in Base64."""
    digest = hmac.new(f"{secret}&".encode(), string_to_sign.encode(), _DIGESTS[method]).digest()
    return base64.b64encode(digest).decode()


def headers_to_sign(request: Request, signed_headers: list[str], payload_hash: str) -> str:
    """Return what ACS3-HMAC-SHA256 signs: the hash of the canonical request, under the algorithm's name."""
    headers = "".join(f"{name}:{_header(request, name)}\n" for name in sorted(signed_headers))
    canonical_request = "\n".join(
        (
            request.method,
            request.raw_path,
            canonical(request.query),
            headers,
            ";".join(sorted(signed_headers)),
            payload_hash,
        )
    )
    return f"{_ACS3}\n{hashlib.sha256(canonical_request.encode()).hexdigest()}"


def _header(request: Request, name: str) -> str:
    fallback = request.host if name == "host" else ""
    return request.headers.get(name, fallback).strip()


def _header_signed(request: Request) -> _Signed | None:
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith("ACS3-"):
        return None
    found = _AUTHORIZATION.fullmatch(authorization.strip())
    payload_hash = hashlib.sha256(request.body).hexdigest()
    if found is None or request.headers.get("x-acs-content-sha256") != payload_hash:
        raise ApiError("IncompleteSignature")
    return _Signed(
        found["key"],
        _ACS3,
        found["signature"],
        headers_to_sign(request, found["headers"].split(";"), payload_hash),
        request.headers.get("x-acs-date", ""),
        request.headers.get("x-acs-signature-nonce", ""),
        request.headers.get("x-acs-security-token", ""),
    )


def _query_signed(request: Request, parameters: Mapping[str, str]) -> _Signed:
    if not parameters.get("AccessKeyId"):
        raise ApiError("MissingAccessKeyId")
    method = parameters.get("SignatureMethod", "")
    whole = all(parameters.get(name) for name in ("Signature", "SignatureNonce", "Timestamp"))
    if not whole or method not in _DIGESTS or parameters.get("SignatureVersion") != "1.0":
        raise ApiError("IncompleteSignature")
    return _Signed(
        parameters["AccessKeyId"],
        method,
        parameters["Signature"],
        parameters_to_sign(request.method, parameters),
        parameters["Timestamp"],
        parameters["SignatureNonce"],
        parameters.get("SecurityToken", ""),
    )
