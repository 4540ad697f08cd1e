from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET, ACCOUNT_ID
from emulators.alicloud.eventbus import UNDELIVERED
from emulators.testing import Running, running
from infra.functions.events.bus import MOST_BYTES, event_of
from infra.functions.events.entry import handle, keep


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A cloud with a bus, whose one rule leads nowhere: what comes there is kept as undelivered."""
    with running(tmp_path_factory.mktemp("bus")) as made:
        made.store.put("alicloud.event_bus", "changes", {"id": "changes", "region": "cn-shanghai"})
        rule = {
            "id": "changes:keep",
            "Status": "ENABLE",
            "pattern": "{}",
            "targets": [{"Id": "keep", "Type": "acs.mns"}],
        }
        made.store.put("alicloud.event_rule", "changes:keep", rule)
        yield made


@pytest.fixture
def bucket(clouds: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder at which the bucket is mounted."""
    for name in ("HTTPS_PROXY", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, clouds.environment[name])
    host = f"{ACCOUNT_ID}.eventbridge.cn-shanghai.aliyuncs.com"
    for name, value in {"EXTRACTS": str(tmp_path), "BUS": "changes", "BUS_HOST": host}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def call(body: str, secret: str = ACCESS_KEY_SECRET, **more: Any) -> dict[str, Any]:
    """Return the answer to a call by way of API gateway."""
    event = {"path": "/events", "httpMethod": "POST", "headers": {}, "body": body, "isBase64Encoded": False} | more
    keys = SimpleNamespace(access_key_id=ACCESS_KEY_ID, access_key_secret=secret, security_token="")
    return handle(json.dumps(event).encode(), SimpleNamespace(credentials=keys))


def files(bucket: Path) -> list[bytes]:
    return [path.read_bytes() for path in bucket.rglob("*.json")]


@pytest.mark.parametrize("encoded", [False, True])
def test_an_event_of_an_org_goes_onto_the_bus_as_it_came(clouds: Running, bucket: Path, encoded: bool) -> None:
    change = {"payload": {"ChangeEventHeader": {"entityName": "Account", "changeType": "UPDATE"}, "客户": "001"}}
    text = json.dumps(change, ensure_ascii=False)
    answer = call(base64.b64encode(text.encode()).decode() if encoded else text, isBase64Encoded=encoded)
    assert answer["statusCode"] == 202
    kept = clouds.store.get(UNDELIVERED, f"changes:keep:keep:{json.loads(answer['body'])['event']}")
    assert kept is not None
    assert (kept["event"]["data"], kept["event"]["type"]) == (change, "salesforce:ChangeEvent:Account")
    assert files(bucket) == []


def test_the_same_body_is_the_same_event_and_its_type_tells_change_events_apart() -> None:
    assert event_of(b'{"a": 1}', "b")["id"] == event_of(b'{"a": 1}', "b")["id"]
    assert event_of(b'{"a": 1}', "b")["type"] == event_of(b"[]", "b")["type"] == "salesforce:PlatformEvent"
    long = json.dumps({"ChangeEventHeader": {"entityName": "客户/" + "X" * 90 + "__c"}}).encode()
    assert len(event_of(long, "b")["type"]) <= 64


def test_an_event_that_the_bus_does_not_take_is_the_caller_s_to_send_again(bucket: Path) -> None:
    answer = call("{}", secret="ended")
    assert (answer["statusCode"], json.loads(answer["body"])) == (503, {"error": "try again"})
    assert files(bucket) == []


def test_an_event_too_large_for_the_bus_is_kept_at_once(bucket: Path) -> None:
    text = json.dumps({"客": "x" * MOST_BYTES}, ensure_ascii=False)
    answer = call(text)
    assert (bucket / json.loads(answer["body"])["kept"]).read_bytes() == text.encode()


def test_an_event_of_the_bus_is_kept_whole(bucket: Path) -> None:
    event = json.dumps({"id": "1", "source": "salesforce", "type": "AccountChange", "data": {}}).encode()
    assert handle(event, None)["statusCode"] == 200
    assert files(bucket) == [event]


def test_what_is_repeated_is_kept_once(bucket: Path) -> None:
    assert keep(bucket, b"1", b"{}", 0) == keep(bucket, b"1", b'{"time": 1}', 1)
    assert files(bucket) == [b'{"time": 1}']


@pytest.mark.parametrize(("body", "status"), [("{", 400), ('"' + "x" * 2**20 + '"', 413)])
def test_what_is_no_event_is_refused(bucket: Path, body: str, status: int) -> None:
    assert call(body)["statusCode"] == status
    assert files(bucket) == []
