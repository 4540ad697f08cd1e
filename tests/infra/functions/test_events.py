from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from infra.functions.events.entry import handle, keep


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder at which the bucket is mounted."""
    monkeypatch.setenv("EXTRACTS", str(tmp_path))
    return tmp_path


def call(body: str, **more: Any) -> dict[str, Any]:
    """Return the answer to a call by way of API gateway."""
    event = {"path": "/events", "httpMethod": "POST", "headers": {}, "body": body, "isBase64Encoded": False} | more
    return handle(json.dumps(event).encode(), None)


def files(bucket: Path) -> list[bytes]:
    return [path.read_bytes() for path in bucket.rglob("*.json")]


@pytest.mark.parametrize("encoded", [False, True])
def test_an_event_of_an_org_is_kept_as_it_came(bucket: Path, encoded: bool) -> None:
    text = '{"客户": "001"}'
    answer = call(base64.b64encode(text.encode()).decode() if encoded else text, isBase64Encoded=encoded)
    assert answer["statusCode"] == 202
    assert (bucket / json.loads(answer["body"])["kept"]).read_bytes() == text.encode()


def test_an_event_of_the_bus_is_kept_whole(bucket: Path) -> None:
    event = json.dumps({"id": "1", "source": "salesforce", "type": "AccountChange", "data": {}}).encode()
    assert handle(event, None)["statusCode"] == 200
    assert files(bucket) == [event]


def test_what_is_repeated_is_kept_once(bucket: Path) -> None:
    assert keep(bucket, b"{}", 0) == keep(bucket, b"{}", 1)
    assert files(bucket) == [b"{}"]


@pytest.mark.parametrize(("body", "status"), [("{", 400), ('"' + "x" * 2**20 + '"', 413)])
def test_what_is_no_event_is_refused(bucket: Path, body: str, status: int) -> None:
    assert call(body)["statusCode"] == status
    assert files(bucket) == []
