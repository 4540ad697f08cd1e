"""What the tests of the emulated Salesforce share: who is called what, a clock, and a caller."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from emulators.http import Request, Response
from emulators.salesforce.api import Salesforce

CHINA = "acme-cn--uat.sandbox.my.sfcrmproducts.cn"
GLOBAL = "acme.my.salesforce.com"
RUNNER = "release.runner@acme-cn.example.uat"
GLOBAL_RUNNER = "release.runner@acme.example"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    seconds: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Caller:
    """Sends requests to the emulated Salesforce as one user of one org."""

    salesforce: Salesforce
    host: str
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, target: str, body: Any = None, *, host: str = "") -> Response:
        headers = dict(self.headers)
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        data = b"" if body is None else json.dumps(body).encode()
        return self.salesforce.handle(Request(method, host or self.host, target, headers, data))

    def get(self, target: str) -> Any:
        response = self("GET", target)
        assert response.status == 200, response.body
        return json.loads(response.body)

    def query(self, soql: str, api: str = "") -> Any:
        return self.get(f"/services/data/v67.0/{api}query/?{urlencode({'q': soql})}")

    def records(self, soql: str, api: str = "") -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.query(soql, api)["records"]
        for row in rows:
            row.pop("attributes")
        return rows

    def refused(self, method: str, target: str, body: Any = None) -> tuple[int, str, str]:
        response = self(method, target, body)
        (error,) = json.loads(response.body)
        return response.status, error["errorCode"], error["message"]


def post_form(salesforce: Salesforce, host: str, path: str = "token", **form: str) -> tuple[int, dict[str, str]]:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    target = f"/services/oauth2/{path}"
    response = salesforce.handle(Request("POST", host, target, headers, urlencode(form).encode()))
    return response.status, json.loads(response.body) if response.body else {}


Ask = Callable[..., tuple[int, dict[str, str]]]
