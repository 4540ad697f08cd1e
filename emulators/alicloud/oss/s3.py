"""OSS at the hosts at which it speaks S3: `<bucket>.s3.oss-<region>.aliyuncs.com`, signed with AWS Signature Version 4.

Source: OSS, "Compatibility with Amazon S3" (virtual-hosted addressing only; from knowledge, page not opened), and what
AWS SDK for Go v2 sends for list, get, put, copy and delete.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from dataclasses import replace
from urllib.parse import quote, unquote

from emulators.alicloud.account import AccessKey, access_key
from emulators.alicloud.oss import errors
from emulators.alicloud.oss.api import ObjectStorage
from emulators.alicloud.oss.errors import OssError
from emulators.alicloud.oss.signature import MOST_SKEW_SECONDS
from emulators.http import Request, Response
from emulators.service import World

_HOST = re.compile(r"(?:(?P<bucket>[^.]+)\.)?s3\.oss-(?P<region>[a-z]{2,}-[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com")
_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<key>[^/]+)/(?P<scope>\d{{8}}/[^/]+/s3/aws4_request),\s*"
    r"SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_UNSIGNED = "UNSIGNED-PAYLOAD"
_IGNORED = ("x-id",)  # the SDKs' own note of the operation's name


class S3Storage:
    """S3's protocol over the same buckets. What OSS doesn't take of S3 is refused: path style, chunked signing."""

    name = "OSS (S3)"

    def __init__(self, world: World) -> None:
        self._world = world
        self._storage = ObjectStorage(world)

    def owns(self, host: str) -> bool:
        """Return whether `host` is one at which OSS speaks S3."""
        return _HOST.fullmatch(host) is not None

    def handle(self, request: Request) -> Response:
        """Answer one request, with S3's header names."""
        request_id = secrets.token_hex(12).upper()
        try:
            response = self._answer(request)
        except OssError as error:
            response = errors.answer(error, request, request_id)
        named = {_renamed(name, "x-oss-", "x-amz-"): text for name, text in response.headers.items()}
        return replace(response, headers={"Server": "AliyunOSS", "x-amz-request-id": request_id, **named})

    def _answer(self, request: Request) -> Response:
        place = _HOST.fullmatch(request.host)
        if place is None:
            raise OssError("InvalidArgument", f"{request.host} is no host of OSS for S3.")
        bucket, region = place["bucket"] or "", place["region"]
        if not bucket and request.path != "/":
            raise OssError("SecondLevelDomainForbidden")
        caller = self._caller(request)
        return self._storage.perform(_as_oss(request), bucket, region, caller)

    def _caller(self, request: Request) -> AccessKey:
        found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if found is None:
            raise OssError("AccessDenied", "The request is not signed with AWS Signature Version 4 in a header.")
        key = access_key(self._world.store, found["key"])
        if key is None or not key.active:
            raise OssError("InvalidAccessKeyId", OSSAccessKeyId=found["key"])
        if not hmac.compare_digest(key.token, request.headers.get("x-amz-security-token", "")):
            raise OssError("InvalidSecurityToken")
        if key.expires and key.expires < self._world.now():
            raise OssError("SecurityTokenExpired")
        date = request.headers.get("x-amz-date", "")
        if abs(self._world.now() - _seconds(date)) > MOST_SKEW_SECONDS:
            raise OssError("RequestTimeTooSkewed")
        expected = _signature(key, request, date, found["scope"], found["headers"].split(";"))
        if not hmac.compare_digest(expected, found["signature"]):
            raise OssError("SignatureDoesNotMatch", OSSAccessKeyId=key.ident, SignatureProvided=found["signature"])
        return key


def _signature(key: AccessKey, request: Request, date: str, scope: str, signed: list[str]) -> str:
    payload = request.headers.get("x-amz-content-sha256", "")
    if payload != _UNSIGNED and payload != hashlib.sha256(request.body).hexdigest():
        raise OssError("InvalidArgument", "x-amz-content-sha256 is neither UNSIGNED-PAYLOAD nor the body's hash.")
    pairs = sorted(pair.partition("=")[::2] for pair in request.raw_query.split("&") if pair)
    query = "&".join(f"{quote(unquote(name), safe='~')}={quote(unquote(value), safe='~')}" for name, value in pairs)
    sent = {"host": request.host, **request.headers}
    headers = "".join(f"{name}:{' '.join(sent.get(name, '').split())}\n" for name in signed)
    canonical = "\n".join((request.method, request.raw_path, query, headers, ";".join(signed), payload))
    text = "\n".join((_ALGORITHM, date, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    secret = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    return hmac.new(secret, text.encode(), "sha256").hexdigest()


def _as_oss(request: Request) -> Request:
    """Return the request in OSS's own words. Raises `OssError` NotImplemented for what OSS doesn't take of S3."""
    if request.method == "PUT" and "if-none-match" in request.headers:
        raise OssError("NotImplemented", "A header you provided implies functionality that is not implemented.")
    kept = [pair for pair in request.raw_query.split("&") if pair and pair.partition("=")[0] not in _IGNORED]
    query = "&".join(_renamed(pair, "x-amz-", "x-oss-") for pair in kept)
    headers = {_renamed(name, "x-amz-", "x-oss-"): text for name, text in request.headers.items()}
    return replace(request, target=request.raw_path + (f"?{query}" if query else ""), headers=headers)


def _renamed(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old) if name.lower().startswith(old) else name


def _seconds(date: str) -> float:
    try:
        return dt.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC).timestamp()
    except ValueError:
        raise OssError("AccessDenied", "x-amz-date is not a time such as 20260101T000000Z.") from None
