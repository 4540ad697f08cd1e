"""API gateway at the hosts of its groups: calls of apps, signed, led to the function behind an API.

The signature is HMAC-SHA256 as "Request signatures" of API gateway has it (from knowledge, 2026-11-22): method, Accept,
Content-MD5, Content-Type, Date, the headers that X-Ca-Signature-Headers names, path and sorted query.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import Any, Literal

from emulators.alicloud.account import ACCOUNT_ID, AccessKey
from emulators.alicloud.fc.errors import FunctionError
from emulators.alicloud.fc.run import run
from emulators.alicloud.grants import may
from emulators.alicloud.kinds import ROLE
from emulators.alicloud.products.apigateway import API, APP, GROUP
from emulators.alicloud.sessions import trusts
from emulators.http import Request, Response
from emulators.service import World
from emulators.store import Document

SERVICE = "apigateway.aliyuncs.com"
MOST_SKEW_SECONDS = 15 * 60
NONCE_KIND = "alicloud.api_nonce"
_HOST = re.compile(r"(?P<group>[a-z0-9]{32})-(?P<region>[a-z0-9-]+)\.alicloudapi\.com")
_SIGNED = ("accept", "content-md5", "content-type", "date")


class CallRefused(Exception):
    """A call that isn't led on."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class GatewayCalls:
    """The groups of every region, as those see them who call an API."""

    name = "API gateway"
    waits: Literal[True] = True

    def __init__(self, world: World) -> None:
        self._world = world

    def owns(self, host: str) -> bool:
        """Return whether `host` is that of a group of APIs."""
        return _HOST.fullmatch(host) is not None

    def handle(self, request: Request) -> Response:
        """Answer as the function behind the API does, or refuse in a header."""
        ident = str(self._world.store.next("alicloud.request"))
        try:
            answer = self._answer(request)
        except CallRefused as error:
            return Response(error.status, b"", {"X-Ca-Request-Id": ident, "X-Ca-Error-Message": error.message})
        raw = str(answer.get("body") or "").encode()
        body = base64.b64decode(raw) if answer.get("isBase64Encoded") else raw
        return Response(int(answer["statusCode"]), body, {**(answer.get("headers") or {}), "X-Ca-Request-Id": ident})

    def _answer(self, request: Request) -> Any:
        place = _HOST.fullmatch(request.host)
        assert place is not None
        if self._world.store.get(GROUP.place, place["group"]) is None:
            raise CallRefused(404, "Group Not Found")
        stage = request.headers.get("x-ca-stage", "RELEASE").upper()
        api = next((api for _, api in self._world.store.all(API.place) if _is(api, place["group"], request)), None)
        if api is None or stage not in api["stages"]:
            raise CallRefused(404, "Invalid Path or Stage")
        if api["RequestConfig"]["RequestProtocol"] == "HTTPS" and not request.secure:
            raise CallRefused(400, "Unsupported Protocol")
        if api["AuthType"] == "APP":
            self._check_app(api, stage, request)
        function = api["ServiceConfig"]["FunctionComputeConfig"]
        self._check_role(place["region"], str(function.get("RoleArn", "")), str(function["FunctionName"]))
        event = {
            "path": request.path,
            "httpMethod": request.method,
            "headers": dict(request.headers),
            "queryParameters": request.query,
            "pathParameters": {},
            "body": base64.b64encode(request.body).decode(),
            "isBase64Encoded": True,
        }
        try:
            return run(self._world, place["region"], function["FunctionName"], json.dumps(event).encode())
        except FunctionError as error:
            raise CallRefused(503, f"Backend Failed: {error.code}") from None

    def _check_app(self, api: Document, stage: str, request: Request) -> None:
        key = request.headers.get("x-ca-key", "")
        app = next((app for _, app in self._world.store.all(APP.place) if app["key"] == key), None)
        if app is None:
            raise CallRefused(400, "Invalid AppKey")
        digest = hmac.digest(app["secret"].encode(), to_sign(request).encode(), "sha256")
        if not hmac.compare_digest(base64.b64encode(digest).decode(), request.headers.get("x-ca-signature", "")):
            text = to_sign(request).replace("\n", "#")
            raise CallRefused(400, f"Invalid Signature, Server StringToSign:`{text}`")
        if request.body and request.headers.get("content-md5") != _md5(request.body):
            raise CallRefused(400, "Invalid Content-MD5")
        stamp = request.headers.get("x-ca-timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) / 1000 - self._world.now()) > MOST_SKEW_SECONDS:
            raise CallRefused(400, "Timestamp Expired")
        if api["ForceNonceCheck"]:
            self._note_nonce(f"{key} {api['ApiId']}", request.headers.get("x-ca-nonce", ""))
        if [app["id"], stage] not in api["apps"]:
            raise CallRefused(403, "Unauthorized")

    def _note_nonce(self, caller: str, nonce: str) -> None:
        if not nonce:
            raise CallRefused(400, "Nonce Required")
        with self._world.store.transaction():
            if self._world.store.get(NONCE_KIND, f"{caller} {nonce}") is not None:
                raise CallRefused(400, "Nonce Used")
            self._world.store.put(NONCE_KIND, f"{caller} {nonce}", {})

    def _check_role(self, region: str, arn: str, function: str) -> None:
        name = arn.rpartition("/")[2]
        role = self._world.store.get(ROLE.place, name)
        resource = f"acs:fc:{region}:{ACCOUNT_ID}:functions/{function}"
        allowed = role is not None and trusts(role, "Service", {SERVICE}, {})
        session = AccessKey("STS.gateway", "", role=name)
        if not allowed or not may(self._world.store, session, "fc:InvokeFunction", resource, {}):
            raise CallRefused(503, "Backend Failed: the role of the API may not invoke the function")


def to_sign(request: Request) -> str:
    """Return what is signed of a call."""
    names = sorted(filter(None, request.headers.get("x-ca-signature-headers", "").lower().split(",")))
    lines = "".join(f"{name}:{request.headers.get(name, '')}\n" for name in names)
    query = "&".join(f"{name}={value}" if value else name for name, value in sorted(request.query.items()))
    head = "\n".join((request.method, *(request.headers.get(name, "") for name in _SIGNED)))
    return f"{head}\n{lines}{request.path}{f'?{query}' if query else ''}"


def _is(api: Document, group: str, request: Request) -> bool:
    asked = api["RequestConfig"]
    return (api["GroupId"], asked["RequestPath"], asked["RequestHttpMethod"]) == (group, request.path, request.method)


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body).digest()).decode()  # noqa: S324 - the protocol's own
