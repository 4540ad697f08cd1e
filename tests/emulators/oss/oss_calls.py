"""What the tests of OSS share: calls that the SDK has no method for, and how a call is refused."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest
import requests

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET


def refusal(call: Callable[[], Any]) -> Any:
    """Return the service error that a call is refused with."""
    with pytest.raises(oss.exceptions.OperationError) as caught:
        call()
    error = caught.value.unwrap()
    assert isinstance(error, oss.exceptions.ServiceError), error
    return error


def invoke(client: Any, method: str, bucket: str | None, sub_resource: str, body: bytes = b"") -> Any:
    """Return the answer to an operation on a sub-resource of a bucket, or of the service."""
    call = oss.OperationInput(
        op_name="Invoke",
        method=method,
        bucket=bucket,
        parameters={sub_resource: ""},
        body=body or None,
        op_metadata={"sub-resource": [sub_resource]},
    )
    return client.invoke_operation(call).http_response


def put_bucket_unchecked(name: str) -> requests.Response:
    """Create a bucket without the SDK, which refuses wrong names itself; signed by hand, version 1."""
    date = formatdate(usegmt=True)
    text = f"PUT\n\n\n{date}\n/{name}/"
    signature = base64.b64encode(hmac.digest(ACCESS_KEY_SECRET.encode(), text.encode(), "sha1")).decode()
    headers = {"Date": date, "Authorization": f"OSS {ACCESS_KEY_ID}:{signature}"}
    return requests.put(f"https://{name}.oss-cn-shanghai.aliyuncs.com/", headers=headers)


def put_bucket_as_go(name: str, headers: Mapping[str, str], date: str = "") -> requests.Response:
    """Create a bucket as the Go SDK of the Terraform provider does (aliyun-oss-go-sdk v2.2.9, oss/auth.go).

    Signature version 4 over `Date` as it stands (`date`, by default now); there is no x-oss-date.
    """
    date = date or formatdate(usegmt=True)
    sent = {"x-oss-content-sha256": "UNSIGNED-PAYLOAD", **headers}
    lines = "".join(f"{key}:{value}\n" for key, value in sorted(sent.items()))
    canonical = f"PUT\n/{name}/\n\n{lines}\n\nUNSIGNED-PAYLOAD"
    day = parsedate_to_datetime(date).astimezone(dt.UTC).strftime("%Y%m%d")
    scope = (day, "cn-shanghai", "oss", "aliyun_v4_request")
    text = f"OSS4-HMAC-SHA256\n{date}\n{'/'.join(scope)}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"aliyun_v4{ACCESS_KEY_SECRET}".encode()
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"{ACCESS_KEY_ID}/{'/'.join(scope)}"
    authorization = f"OSS4-HMAC-SHA256 Credential={credential},Signature={key.hex()}"
    url = f"https://{name}.oss-cn-shanghai.aliyuncs.com/"
    return requests.put(url, headers={**sent, "Date": date, "Authorization": authorization})
