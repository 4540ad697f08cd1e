"""Who signed a request to SLS: its signatures of version 1 (`LOG id:signature`) and of version 4.

Source: SLS, "Request signature"; as aliyun-log-go-sdk 0.1.108 (HMAC-SHA1) and the V2 SDKs' gateway (HMAC-SHA256) sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from emulators.alicloud.account import AccessKey, access_key
from emulators.alicloud.sls.errors import LogError
from emulators.http import Request
from emulators.store import Store

MOST_SKEW_SECONDS = 15 * 60
_DIGESTS = {"hmac-sha1": "sha1", "hmac-sha256": "sha256"}
_V4 = "SLS4-HMAC-SHA256"
_V4_HEADER = re.compile(rf"{_V4} Credential=(?P<key>[^/]+)/(?P<scope>[^,]+),\s*Signature=(?P<signature>[0-9a-f]+)")
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


def authenticate(request: Request, store: Store, now: float) -> AccessKey:
    """Return the AccessKey that signed a request. Raises `LogError` when none did, or not rightly."""
    authorization = request.headers.get("authorization", "")
    if found := _V4_HEADER.fullmatch(authorization):
        key = _known(store, found["key"], request, now)
        _refuse_skew(_iso(request.headers.get("x-log-date", "")), now)
        return _proven(key, found["signature"], _v4(key, request, found["scope"]))
    if not authorization.startswith("LOG ") or ":" not in authorization:
        raise LogError("Unauthorized", why="The request is not signed.")
    ident, _, given = authorization.removeprefix("LOG ").partition(":")
    key = _known(store, ident, request, now)
    _refuse_skew(_http_date(request.headers.get("date", "")), now)
    return _proven(key, given, _v1(key, request))


def _v1(key: AccessKey, request: Request) -> str:
    digest = _DIGESTS.get(request.headers.get("x-log-signaturemethod", ""))
    if digest is None:
        raise LogError("ParameterInvalid", name="x-log-signaturemethod", rule=f"one of {', '.join(_DIGESTS)}")
    # Only what is signed is taken for what was sent.
    sent = hashlib.md5(request.body).hexdigest().upper()  # noqa: S324 - the protocol's own
    md5 = request.headers.get("content-md5", "")
    if request.body and md5 != sent:
        raise LogError("SignatureNotMatch", given=md5)
    headers = "".join(f"{name}:{value.strip()}\n" for name, value in sorted(_own(request).items()))
    pairs = "&".join(f"{name}={value}" for name, value in sorted(request.query.items()))
    resource = request.raw_path + (f"?{pairs}" if pairs else "")
    kind, date = request.headers.get("content-type", ""), request.headers.get("date", "")
    text = f"{request.method}\n{md5}\n{kind}\n{date}\n{headers}{resource}"
    return base64.b64encode(hmac.digest(key.secret.encode(), text.encode(), digest)).decode()


def _v4(key: AccessKey, request: Request, scope: str) -> str:
    sent = hashlib.sha256(request.body).hexdigest() if request.body else _EMPTY_SHA256
    payload = request.headers.get("x-log-content-sha256", "")
    if payload != sent:
        raise LogError("SignatureNotMatch", given=payload)
    signed = dict(sorted({**_own(request), **_named(request, "host", "content-type")}.items()))
    query = "&".join(
        f"{name}={quote(value, safe='~')}" if value else name for name, value in sorted(request.query.items())
    )
    headers = "".join(f"{name}:{value.strip()}\n" for name, value in signed.items())
    canonical = "\n".join((request.method, request.raw_path, query, headers, ";".join(signed), payload))
    text = "\n".join(
        (_V4, request.headers.get("x-log-date", ""), scope, hashlib.sha256(canonical.encode()).hexdigest())
    )
    secret = f"aliyun_v4{key.secret}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    return hmac.new(secret, text.encode(), "sha256").hexdigest()


def _own(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name.startswith(("x-log-", "x-acs-"))}


def _named(request: Request, *names: str) -> dict[str, str]:
    found = {"host": request.host, **request.headers}
    return {name: found[name] for name in names if name in found}


def _known(store: Store, ident: str, request: Request, now: float) -> AccessKey:
    key = access_key(store, ident)
    if key is None or not key.active:
        raise LogError("Unauthorized", why=f"AccessKeyId not found: {ident}")
    if not hmac.compare_digest(key.token.encode(), request.headers.get("x-acs-security-token", "").encode()):
        raise LogError("Unauthorized", why="The security token is not the AccessKey's.")
    if key.expires and key.expires < now:
        raise LogError("Unauthorized", why="The security token is expired.")
    return key


def _proven(key: AccessKey, given: str, expected: str) -> AccessKey:
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise LogError("SignatureNotMatch", given=given)
    return key


def _refuse_skew(sent: float, now: float) -> None:
    if abs(now - sent) > MOST_SKEW_SECONDS:
        raise LogError("RequestTimeTooSkewed")


def _http_date(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        raise LogError("ParameterInvalid", name="Date", rule="an HTTP date") from None


def _iso(text: str) -> float:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise LogError("ParameterInvalid", name="x-log-date", rule="a time such as 20260101T000000Z") from None
