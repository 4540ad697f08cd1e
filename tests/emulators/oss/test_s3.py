"""OSS at its S3 hosts, called as AWS's SDKs call: virtual-hosted, Signature Version 4, written here anew."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import xml.etree.ElementTree as ET
from urllib.parse import quote

import alibabacloud_oss_v2 as oss
import pytest
import requests

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.testing import Running

HOST = "s3.oss-cn-shanghai.aliyuncs.com"


class S3:
    """A client of one bucket; `bucket` "" asks the service, and `secret` may be a wrong one."""

    def __init__(self, bucket: str, secret: str = ACCESS_KEY_SECRET) -> None:
        self.host = f"{bucket}.{HOST}" if bucket else HOST
        self.secret = secret

    def __call__(
        self, method: str, path: str = "/", body: bytes = b"", query: dict[str, str] | None = None, **headers: str
    ) -> requests.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {
            "host": self.host,
            "x-amz-date": dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ"),
            "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        }
        pairs = "&".join(f"{name}={quote(value, safe='~')}" for name, value in sorted((query or {}).items()))
        target = quote(path, safe="/~") + (f"?{pairs}" if pairs else "")
        names = sorted(sent)
        lines = "".join(f"{name}:{sent[name]}\n" for name in names)
        canonical = (
            f"{method}\n{quote(path, safe='/~')}\n{pairs}\n{lines}\n{';'.join(names)}\n{sent['x-amz-content-sha256']}"
        )
        scope = (sent["x-amz-date"][:8], "cn-shanghai", "s3", "aws4_request")
        text = "\n".join(
            (
                "AWS4-HMAC-SHA256",
                sent["x-amz-date"],
                "/".join(scope),
                hashlib.sha256(canonical.encode()).hexdigest(),
            )
        )
        key = f"AWS4{self.secret}".encode()
        for part in (*scope, text):
            key = hmac.digest(key, part.encode(), "sha256")
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/{'/'.join(scope)}, "
            f"SignedHeaders={';'.join(names)}, Signature={key.hex()}"
        )
        headers_sent = {**sent, "authorization": authorization}
        return requests.request(method, f"https://{self.host}{target}", data=body, headers=headers_sent, timeout=30)


def code(response: requests.Response) -> str:
    """Return the code of an error answer."""
    return ET.fromstring(response.content).findtext("Code") or ""


@pytest.fixture(scope="module")
def s3(emulators: Running) -> S3:
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    config.region = "cn-shanghai"
    oss.Client(config).put_bucket(oss.PutBucketRequest(bucket="acme-state"))
    return S3("acme-state")


def test_what_is_put_is_got_listed_copied_and_deleted(s3: S3) -> None:
    key = "/.pulumi/stacks/small/kept 客户.json"
    assert s3("PUT", key, b"{}", {"x-id": "PutObject"}, content_type="application/json").status_code == 200
    got = s3("GET", key, query={"x-id": "GetObject"})
    assert (got.content, got.headers["content-type"]) == (b"{}", "application/json")
    assert "x-amz-request-id" in got.headers
    source = quote(f"acme-state{key}", safe="/")
    assert s3("PUT", f"{key}.bak", x_amz_copy_source=source).status_code == 200
    listed = s3("GET", query={"list-type": "2", "prefix": ".pulumi/", "max-keys": "1000"})
    keys = [row.findtext("Key") for row in ET.fromstring(listed.content).iter("Contents")]
    assert keys == [key[1:], f"{key[1:]}.bak"]
    assert {s3("DELETE", one).status_code for one in (key, f"{key}.bak")} == {204}
    assert (s3("GET", key).status_code, code(s3("GET", key))) == (404, "NoSuchKey")


def test_user_metadata_comes_back_under_s3_s_names(s3: S3) -> None:
    s3("PUT", "/noted", b"x", x_amz_meta_about="state")
    assert s3("HEAD", "/noted").headers["x-amz-meta-about"] == "state"


def test_a_wrong_secret_is_refused(s3: S3) -> None:
    assert code(S3("acme-state", "another")("GET", "/noted")) == "SignatureDoesNotMatch"


def test_an_unsigned_request_is_refused(s3: S3) -> None:
    assert code(requests.get(f"https://acme-state.{HOST}/noted", timeout=30)) == "AccessDenied"


def test_path_style_is_refused_as_oss_refuses_it(s3: S3) -> None:
    assert code(S3("")("GET", "/acme-state/noted")) == "SecondLevelDomainForbidden"


def test_a_conditional_write_is_refused_because_oss_has_none_in_s3_s_words(s3: S3) -> None:
    assert code(s3("PUT", "/noted", b"y", if_none_match="*")) == "NotImplemented"


def test_a_policy_that_wants_a_vpc_keeps_objects_from_who_comes_from_none(s3: S3) -> None:
    """The bucket's own settings stay within reach, or such a policy could not be taken back."""
    statement = {
        "Effect": "Deny",
        "Principal": ["*"],
        "Action": ["oss:GetObject*"],
        "Resource": ["acs:oss:*:1234567890123456:acme-state/*"],
        "Condition": {"StringNotEquals": {"acs:SourceVpc": ["vpc-1"]}},
    }
    s3("PUT", "/bound", b"x")
    put = s3("PUT", body=json.dumps({"Version": "1", "Statement": [statement]}).encode(), query={"policy": ""})
    assert put.status_code == 200
    assert code(s3("GET", "/bound")) == "AccessDenied"
    assert s3("DELETE", query={"policy": ""}).status_code == 204
    assert s3("GET", "/bound").content == b"x"
