"""The vectors that the Go test of the OSS gateway signs are what the official Python SDK signs."""

import datetime
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alibabacloud_oss_v2.credentials import Credentials
from alibabacloud_oss_v2.signer import SignerV4
from alibabacloud_oss_v2.types import HttpRequest, SigningContext

VECTORS = Path("toolchain/plugin/ossgateway/client/testdata/signature_v4.json")

REQUESTS: list[dict[str, Any]] = [
    {"Method": "GET", "Bucket": "acme-releases", "Path": "/", "Query": {"worm": ""}, "Headers": {}},
    {
        "Method": "PUT",
        "Bucket": "acme-releases",
        "Path": "/",
        "Query": {"httpsConfig": ""},
        "Headers": {"content-type": "application/xml", "content-md5": "ICy5YqxZB1uWSwcVLSNLcA=="},
    },
    {
        "Method": "POST",
        "Bucket": "acme-ledger",
        "Path": "/",
        "Query": {"worm": "", "wormId": "1666E2C5~a b/*+"},
        "Headers": {},
    },
    {
        "Method": "PUT",
        "Bucket": "b",
        "Path": "/",
        "Query": {"acl": ""},
        "Headers": {"x-oss-acl": "private", "host": "ignored"},
    },
    {"Method": "GET", "Bucket": "", "Path": "/", "Query": {"prefix": "acme", "max-keys": "1"}, "Headers": {}},
]


def signed(request: dict[str, Any]) -> dict[str, Any]:
    query = "&".join(
        f"{quote(k, safe='')}={quote(v, safe='')}" if v else quote(k, safe="") for k, v in request["Query"].items()
    )
    http = HttpRequest(request["Method"], f"https://host/?{query}", headers=dict(request["Headers"]))
    context = SigningContext(
        product="oss",
        region="cn-shanghai",
        bucket=request["Bucket"] or None,
        request=http,
        credentials=Credentials("ak", "sk"),
        signing_time=datetime.datetime(2026, 11, 22, 1, 2, 3, tzinfo=datetime.UTC),
    )
    SignerV4().sign(context)
    headers = {k.lower(): v for k, v in http.headers.items()}
    authorization = headers.pop("authorization")
    return {
        **request,
        "Headers": headers,
        "Region": "cn-shanghai",
        "Time": "20261122T010203Z",
        "Authorization": authorization,
    }


def test_the_vectors_of_the_go_test_are_what_the_official_python_sdk_signs() -> None:
    assert json.loads(VECTORS.read_text()) == [signed(request) for request in REQUESTS]
