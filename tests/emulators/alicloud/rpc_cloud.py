"""An emulated account with a clock that tests move, and a client that signs as the SDKs do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.alicloud.api import AlibabaCloudApi
from emulators.http import Request, Response
from emulators.service import World
from emulators.store import Store

VERSIONS = {
    "vpc": "2016-04-28",
    "ecs": "2014-05-26",
    "cbn": "2017-09-12",
    "pvtz": "2018-01-01",
    "kms": "2016-01-20",
    "ram": "2015-05-01",
    "sts": "2015-04-01",
    "ims": "2019-08-15",
    "location": "2015-06-12",
    "business": "2017-12-14",
    "actiontrail": "2020-07-06",
    "config": "2020-09-07",
    "metrics": "2019-01-01",
    "eiam": "2021-12-01",
    "cloudsso": "2021-05-15",
    "apigateway": "2016-07-14",
    "eventbridge-console": "2020-04-01",
    "wafopenapi": "2021-10-01",
    "cas": "2020-04-07",
}
_NONCES = itertools.count(1)


class Refusal(Exception):
    """An error answer."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status, self.body, self.code, self.message = status, body, body["Code"], body["Message"]
        super().__init__(f"{status} {self.code}: {self.message}")


class Cloud:
    """The emulated account in a test's hands. `now` is the clock, in seconds since the epoch."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0
        self.store = Store(":memory:")
        self.api = AlibabaCloudApi(World(self.store, lambda: self.now))
        self.key, self.secret, self.token = ACCESS_KEY_ID, ACCESS_KEY_SECRET, ""

    def wait(self, seconds: float = 10) -> None:
        """Let time pass."""
        self.now += seconds

    def parameters(self, product: str, action: str, sent: Mapping[str, Any]) -> dict[str, str]:
        """Return the parameters of a call, with what every call carries, unsigned."""
        common = {
            "Action": action,
            "Version": VERSIONS.get(product, "2020-01-01"),
            "Format": "JSON",
            "AccessKeyId": self.key,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": f"nonce-{next(_NONCES)}",
            "Timestamp": datetime.fromtimestamp(self.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if self.token:
            common["SecurityToken"] = self.token
        return common | {name: str(value) for name, value in sent.items()}

    def respond(self, product: str, action: str, host: str = "", **sent: Any) -> Response:
        """Sign a call as tea-rpc does (common parameters in the query, the rest in a form) and return the answer."""
        parameters = self.parameters(product, action, {name.replace("__", "."): v for name, v in sent.items()})
        signature = sign("POST", parameters, self.secret)
        query = {name: parameters.pop(name) for name in ("Action", "Version", "Format", "SignatureNonce")}
        query |= {"Signature": signature}
        request = Request(
            "POST",
            host or host_of(product),
            f"/?{urlencode(query)}",
            {"content-type": "application/x-www-form-urlencoded"},
            urlencode(parameters).encode(),
        )
        return self.api.handle(request)

    def __call__(self, product: str, action: str, host: str = "", **sent: Any) -> dict[str, Any]:
        """Make a call; `Foo__1__Bar` stands for `Foo.1.Bar`. Raises `Refusal` for an error answer."""
        response = self.respond(product, action, host, **sent)
        body: dict[str, Any] = json.loads(response.body)
        if response.status != 200:
            raise Refusal(response.status, body)
        return body


def host_of(product: str) -> str:
    """Return the host that serves a product."""
    central = ("ram", "ims", "location", "business", "cbn", "pvtz")
    return f"{product}.aliyuncs.com" if product in central else f"{product}.cn-shanghai.aliyuncs.com"


def sign(method: str, parameters: Mapping[str, str], secret: str) -> str:
    """Return a version 1.0 signature, written here anew: the tests share no code with what they test."""
    pairs = [f"{quote(key, safe='~')}={quote(parameters[key], safe='~')}" for key in sorted(parameters)]
    text = f"{method}&%2F&" + quote("&".join(pairs), safe="~")
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()).decode()
