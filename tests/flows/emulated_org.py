"""The kit's own client of the Metadata API against an emulated org in this process: no sockets, and a clock that only
moves when somebody waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter

from emulators.http import Request
from emulators.salesforce.api import Salesforce
from emulators.service import World
from emulators.store import Store
from flows.metadata_api import MetadataApi
from flows.tokens import Session

HOST = "acme-cn--uat.sandbox.my.sfcrmproducts.cn"
WORLD = {
    "orgs": [
        {
            "name": "china-uat",
            "edition": "alibaba",
            "kind": "sandbox",
            "my_domain_host": HOST,
            "login_host": "test.sfcrmproducts.cn",
            "audience": "https://test.sfcrmproducts.cn",
            "instance": "CHN3S",
            "language": "zh_CN",
            "api_versions": {"floor": 31, "ceiling": 67},
            "users": [{"username": "runner@acme-cn.example.uat", "profile": "System Administrator"}],
            "connected_apps": [],
        }
    ]
}


@dataclass
class Clock:
    """Moves when somebody sleeps."""

    seconds: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class InProcess(BaseAdapter):
    """Sends requests to an emulated Salesforce without a socket."""

    def __init__(self, salesforce: Salesforce) -> None:
        super().__init__()
        self.salesforce = salesforce

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        target = url.path + (f"?{url.query}" if url.query else "")
        answer = self.salesforce.handle(Request(str(request.method), url.netloc, target, headers, body))
        made = requests.Response()
        made.status_code, made._content, made.url = answer.status, answer.body, str(request.url)
        made.headers.update(answer.headers)
        return made

    def close(self) -> None:
        pass


def emulated_api(api_version: str = "62.0") -> MetadataApi:
    """Return the Metadata API of an org in which nobody deployed anything."""
    clock = Clock()
    salesforce = Salesforce(World(Store(":memory:"), clock))
    salesforce.seed(WORLD)
    org = salesforce.orgs.by_host(HOST)
    assert org
    user = org.users[0]
    token = salesforce.sessions.open(org, user, "runner")
    session = Session("china-uat", HOST, user.username, f"https://{HOST}/id/{org.id}/{user.id}", token)
    api = MetadataApi(session, api_version, sleep=clock.sleep, clock=clock)
    api._http.mount("https://", InProcess(salesforce))
    return api
