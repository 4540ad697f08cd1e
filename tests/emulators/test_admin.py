"""Seed, reset, status, the request log and faults, as they are asked for over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from emulators.http import Request, Response
from emulators.service import Service, World
from emulators.testing import Running, running
from kit.problems import Problem, Refused

SALESFORCE = "acme-cn.my.sfcrmproducts.cn"
CLOUD = "vpc.cn-shanghai.aliyuncs.com"
BUCKET = "b.oss-cn-shanghai.aliyuncs.com"


class Orgs:
    """A service that takes a world file and counts what it is asked."""

    name = "orgs"

    def __init__(self, world: World) -> None:
        self._store = world.store

    def owns(self, host: str) -> bool:
        return host in (SALESFORCE, CLOUD, BUCKET)

    def handle(self, request: Request) -> Response:
        return Response.of_json({"count": self._store.next("asked")})

    def seed(self, world: dict[str, Any]) -> None:
        for org in world["orgs"]:
            if "name" not in org:
                raise Refused(Problem("an org has no name", "each has one", "name it"))
            self._store.put("org", org["name"], org)


def orgs(world: World) -> list[Service]:
    return [Orgs(world)]


@pytest.fixture
def emulators(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, orgs) as it:
        yield it


def ask(emulators: Running, method: str, path: str, **more: Any) -> requests.Response:
    return requests.request(method, f"http://127.0.0.1:{emulators.port}{path}", **more)


def call(emulators: Running, host: str, action: str = "") -> requests.Response:
    headers = {"x-acs-action": action} if action else {}
    return requests.get(f"http://{host}/", proxies=emulators.proxies, headers=headers)


def test_a_reset_empties_everything_but_brings_the_seeded_orgs_back(emulators: Running) -> None:
    assert ask(emulators, "POST", "/seed", json={"orgs": [{"name": "cn"}]}).json() == {"orgs": 1}
    emulators.store.put("bucket", "b", {})
    assert ask(emulators, "GET", "/status").json()["documents"] == {"bucket": 1, "org": 1}
    assert ask(emulators, "POST", "/reset").json() == {"reset": True, "seeded": True}
    assert emulators.store.kinds() == {"org": 1}


def test_a_reset_without_a_seed_leaves_nothing(emulators: Running) -> None:
    emulators.store.put("bucket", "b", {})
    assert ask(emulators, "POST", "/reset").json() == {"reset": True, "seeded": False}
    assert emulators.store.kinds() == {}


@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}", b'{"orgs": 3}', b'{"orgs": [{"name": "a"}, {}]}'])
def test_a_wrong_world_file_is_refused_whole(emulators: Running, body: bytes) -> None:
    reply = ask(emulators, "POST", "/seed", data=body)
    assert reply.status_code == 400
    assert {"what", "rule", "fix"} <= reply.json()["problems"][0].keys()
    assert emulators.store.kinds() == {}
    assert ask(emulators, "POST", "/reset").json()["seeded"] is False


def test_an_unknown_admin_call_names_the_known_ones(emulators: Running) -> None:
    reply = ask(emulators, "GET", "/nothing")
    assert reply.status_code == 404
    assert "POST /seed" in reply.json()["problems"][0]["rule"]


def test_the_log_keeps_order_and_limit(emulators: Running) -> None:
    for action in ("A", "B", "C"):
        call(emulators, CLOUD, action)
    shown = ask(emulators, "GET", "/requests?limit=2").json()["requests"]
    assert [entry["action"] for entry in shown] == ["B", "C"]
    assert ask(emulators, "GET", "/requests?limit=none").status_code == 400


@pytest.mark.parametrize(
    ("host", "kind", "status", "said"),
    [
        (SALESFORCE, "throttle", 403, "REQUEST_LIMIT_EXCEEDED"),
        (SALESFORCE, "expired", 401, "INVALID_SESSION_ID"),
        (SALESFORCE, "error500", 500, "UNKNOWN_EXCEPTION"),
        (CLOUD, "throttle", 400, '"Code":"Throttling.User"'),
        (CLOUD, "denied", 403, '"Code":"Forbidden.RAM"'),
        (CLOUD, "closed", 403, '"Code":"ServiceNotOpen"'),
        (CLOUD, "expired", 403, "InvalidSecurityToken.Expired"),
        (CLOUD, "error500", 500, '"Code":"InternalError"'),
        (BUCKET, "throttle", 503, "<Code>DownloadTrafficRateLimitExceeded</Code>"),
        (BUCKET, "expired", 403, "<Code>SecurityTokenExpired</Code>"),
        (BUCKET, "error500", 500, "<Code>InternalError</Code>"),
    ],
)
def test_a_fault_comes_in_the_service_s_own_shape_as_often_as_ordered(
    emulators: Running, host: str, kind: str, status: int, said: str
) -> None:
    ask(emulators, "POST", "/faults", json={"host": host, "kind": kind, "times": 2})
    for _ in range(2):
        reply = call(emulators, host)
        assert (reply.status_code, said in reply.text) == (status, True)
    assert call(emulators, host).json() == {"count": 1}
    assert ask(emulators, "GET", "/faults").json() == {"faults": []}


def test_a_fault_hits_only_the_action_that_it_names(emulators: Running) -> None:
    order = {"host": "*.aliyuncs.com", "action": "Create*", "kind": "throttle"}
    ask(emulators, "POST", "/faults", json=order)
    assert call(emulators, CLOUD, "DescribeVpcs").status_code == 200
    assert call(emulators, SALESFORCE, "CreateVpc").status_code == 200
    assert call(emulators, CLOUD, "CreateVpc").status_code == 400
    assert call(emulators, CLOUD, "CreateVpc").status_code == 200


def test_a_dropped_request_is_not_answered_and_changes_nothing(emulators: Running) -> None:
    ask(emulators, "POST", "/faults", json={"host": CLOUD, "kind": "drop"})
    with pytest.raises(requests.exceptions.ConnectionError):
        call(emulators, CLOUD)
    assert emulators.emulators.log.tail(1)[0]["fault"] == "drop"
    assert call(emulators, CLOUD).json() == {"count": 1}


def test_a_timeout_holds_the_connection_for_as_long_as_ordered(emulators: Running) -> None:
    ask(emulators, "POST", "/faults", json={"host": CLOUD, "kind": "timeout", "seconds": 0.3})
    began = time.monotonic()
    with pytest.raises(requests.exceptions.ConnectionError):
        call(emulators, CLOUD)
    assert time.monotonic() - began >= 0.3


def test_a_late_answer_comes_after_the_request_was_done(emulators: Running) -> None:
    ask(emulators, "POST", "/faults", json={"host": CLOUD, "kind": "late", "seconds": 0.3})
    began = time.monotonic()
    assert call(emulators, CLOUD).json() == {"count": 1}
    assert time.monotonic() - began >= 0.3
    assert emulators.emulators.log.tail(1)[0]["fault"] == "late"


def test_faults_can_be_taken_back(emulators: Running) -> None:
    ask(emulators, "POST", "/faults", json={"host": "*", "kind": "drop", "times": 1000})
    ask(emulators, "DELETE", "/faults")
    assert call(emulators, CLOUD).status_code == 200


def test_a_wrong_order_is_refused_with_everything_that_is_wrong(emulators: Running) -> None:
    order = {"kind": "flood", "times": 0, "seconds": -1, "extra": 1}
    problems = ask(emulators, "POST", "/faults", json=order).json()["problems"]
    said = " ".join(problem["what"] for problem in problems)
    assert all(key in said for key in ("host", "kind", "times", "seconds", "extra"))
    assert ask(emulators, "POST", "/faults", data=b"[]").status_code == 400
