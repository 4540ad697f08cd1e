"""Who sent a request: OSS signatures version 1 and 4, in the Authorization header or in a presigned URL."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.resources import files
from urllib.parse import quote, unquote

from emulators.alicloud.account import AccessKey, access_key
from emulators.alicloud.oss.errors import OssError
from emulators.http import Request
from emulators.store import Store

MOST_SKEW_SECONDS = 15 * 60
MOST_PRESIGNED_SECONDS = 7 * 24 * 3600
_V4 = "OSS4-HMAC-SHA256"
_V4_ALWAYS = ("content-type", "content-md5")


@dataclass(frozen=True)
class Resource:
    """What a request is about: a bucket ("" for the service) and an object key ("" for the bucket)."""

    bucket: str
    key: str

    def path(self) -> str:
        """Return `/bucket/key`, as signatures name it."""
        return f"/{self.bucket}/{self.key}" if self.bucket else "/"


def authenticate(request: Request, resource: Resource, region: str, store: Store, now: float) -> AccessKey | None:
    """Return the AccessKey that signed a request, or None when it is not signed.

    Raises `OssError`: InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed, AccessDenied (an expired URL),
    InvalidSecurityToken, SecurityTokenExpired, InvalidArgument.
    """
    authorization = request.headers.get("authorization", "")
    if authorization.startswith(_V4):
        return _v4_header(request, resource, region, store, now)
    if authorization.startswith("OSS "):
        return _v1_header(request, resource, store, now)
    if request.query.get("x-oss-signature-version") == _V4:
        return _v4_query(request, resource, region, store, now)
    if "OSSAccessKeyId" in request.query and "Signature" in request.query:
        return _v1_query(request, resource, store, now)
    if authorization:
        raise OssError("InvalidArgument", "Authorization header is invalid.")
    return None


def _v1_header(request: Request, resource: Resource, store: Store, now: float) -> AccessKey:
    ident, _, given = request.headers["authorization"].removeprefix("OSS ").strip().partition(":")
    key = _known(store, ident, _token(request), now)
    dates = [
        date for name in ("x-oss-date", "date") if (date := request.headers.get(name, ""))
    ]  # a client signs the one or the other
    if not dates:
        raise OssError("AccessDenied", "OSS authentication requires a valid Date.")
    _refuse_skew(_http_date(dates[0]), now)
    expected = {_v1(key, text) for date in dates for text in _v1_texts(request, resource, date)}
    return _proven(key, given, expected)


def _v1_query(request: Request, resource: Resource, store: Store, now: float) -> AccessKey:
    query = request.query
    key = _known(store, query["OSSAccessKeyId"], query.get("security-token", ""), now)
    expires = query.get("Expires", "")
    if not expires.isdecimal() or float(expires) < now:
        raise OssError("AccessDenied", "Request has expired.")
    return _proven(key, query["Signature"], {_v1(key, text) for text in _v1_texts(request, resource, expires)})


def _v1_texts(request: Request, resource: Resource, date: str) -> set[str]:
    """Return what may have been signed: the official SDKs disagree about a few sub-resources."""
    signed, by_some = _signed_parameters()
    headers = "".join(
        f"{name}:{value}\n" for name, value in sorted(request.headers.items()) if name.startswith("x-oss-")
    )
    texts = set()
    for names in (signed, signed | by_some, signed - by_some):
        pairs = sorted((name, value) for name, value in request.query.items() if name in names)
        parameters = "&".join(f"{name}={value}" if value else name for name, value in pairs)
        target = resource.path() + (f"?{parameters}" if parameters else "")
        md5, kind = request.headers.get("content-md5", ""), request.headers.get("content-type", "")
        texts.add(f"{request.method}\n{md5}\n{kind}\n{date}\n{headers}{target}")
    return texts


def _v1(key: AccessKey, text: str) -> str:
    return base64.b64encode(hmac.digest(key.secret.encode(), text.encode(), "sha1")).decode()


def _v4_header(request: Request, resource: Resource, region: str, store: Store, now: float) -> AccessKey:
    fields = dict(
        part.strip().partition("=")[::2] for part in request.headers["authorization"].removeprefix(_V4).split(",")
    )
    ident, scope = _scope(fields.get("Credential", ""), region)
    key = _known(store, ident, _token(request), now)
    # The Go SDK that the Terraform provider uses sends no x-oss-date and signs its Date as it stands.
    date = request.headers.get("x-oss-date") or request.headers.get("date", "")
    _refuse_skew(_http_date(date), now)
    expected = _v4(key, request, resource, date, scope, fields.get("AdditionalHeaders", ""))
    return _proven(key, fields.get("Signature", ""), {expected})


def _v4_query(request: Request, resource: Resource, region: str, store: Store, now: float) -> AccessKey:
    query = request.query
    ident, scope = _scope(query.get("x-oss-credential", ""), region)
    key = _known(store, ident, query.get("x-oss-security-token", ""), now)
    date, life = query.get("x-oss-date", ""), query.get("x-oss-expires", "")
    if not life.isdecimal() or not 1 <= int(life) <= MOST_PRESIGNED_SECONDS:
        raise OssError("InvalidArgument", "x-oss-expires is invalid.")
    began = _iso_date(date)
    if began > now + MOST_SKEW_SECONDS:
        raise OssError("RequestTimeTooSkewed")
    if began + int(life) < now:
        raise OssError("AccessDenied", "Request has expired.")
    expected = _v4(key, request, resource, date, scope, query.get("x-oss-additional-headers", ""))
    return _proven(key, query.get("x-oss-signature", ""), {expected})


def _scope(credential: str, region: str) -> tuple[str, str]:
    ident, _, scope = credential.partition("/")
    parts = scope.split("/")
    if len(parts) != 4 or parts[3] != "aliyun_v4_request":
        raise OssError("InvalidArgument", "Invalid Credential in Authorization.")
    if parts[1] != region:
        raise OssError("InvalidArgument", f"Invalid signing region in Authorization header. Expected: {region}.")
    return ident, scope


def _v4(key: AccessKey, request: Request, resource: Resource, date: str, scope: str, additional: str) -> str:
    names = sorted(name for name in additional.lower().split(";") if name)
    pairs = set()  # the provider names inventoryId twice in an address, and signs it once
    for pair in request.raw_query.split("&"):
        name, _, value = pair.partition("=")
        if name and unquote(name) != "x-oss-signature":
            pairs.add((quote(unquote(name), safe=""), quote(unquote(value), safe="")))
    headers = "".join(
        f"{name}:{value.strip()}\n"
        for name, value in sorted(request.headers.items())
        if name.startswith("x-oss-") or name in _V4_ALWAYS or name in names
    )
    canonical = "\n".join(
        (
            request.method,
            quote(resource.path(), safe="/"),
            "&".join(f"{name}={value}" if value else name for name, value in sorted(pairs)),
            headers,
            ";".join(names),
            request.headers.get("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
        )
    )
    text = "\n".join((_V4, date, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    secret = f"aliyun_v4{key.secret}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    return hmac.new(secret, text.encode(), "sha256").hexdigest()


def _token(request: Request) -> str:
    return request.headers.get("x-oss-security-token") or request.headers.get("security-token", "")


def _known(store: Store, ident: str, token: str, now: float) -> AccessKey:
    key = access_key(store, ident)
    if key is None:
        raise OssError("InvalidAccessKeyId", OSSAccessKeyId=ident)
    if not key.active:
        raise OssError("InvalidAccessKeyId", "The Access Key Id is inactive.", OSSAccessKeyId=ident)
    if not hmac.compare_digest(key.token.encode(), token.encode()):
        raise OssError("InvalidSecurityToken")
    if key.expires and key.expires < now:
        raise OssError("SecurityTokenExpired")
    return key


def _proven(key: AccessKey, given: str, expected: set[str]) -> AccessKey:
    if not any(hmac.compare_digest(one.encode(), given.encode()) for one in expected):
        raise OssError("SignatureDoesNotMatch", OSSAccessKeyId=key.ident, SignatureProvided=given)
    return key


def _refuse_skew(sent: float, now: float) -> None:
    if abs(now - sent) > MOST_SKEW_SECONDS:
        raise OssError("RequestTimeTooSkewed", MaxAllowedSkewMilliseconds=str(MOST_SKEW_SECONDS * 1000))


def _http_date(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return _iso_date(text)


def _iso_date(text: str) -> float:
    try:
        return dt.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC).timestamp()
    except ValueError as error:
        raise OssError("AccessDenied", "OSS authentication requires a valid Date.") from error


@cache
def _signed_parameters() -> tuple[frozenset[str], frozenset[str]]:
    text = (files("emulators.alicloud.oss") / "signature.json").read_text(encoding="utf-8")
    table = json.loads(text)
    return frozenset(table["signed"]), frozenset(table["signed_by_some_clients"])
