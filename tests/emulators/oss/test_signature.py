"""Who gets in, and what the others are told."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest
import requests

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_KIND
from emulators.testing import Running
from tests.emulators.oss.oss_calls import refusal

LIST = oss.ListBucketsRequest()


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_a_wrong_secret_gets_the_service_s_own_error(make_client: Any, version: str) -> None:
    error = refusal(lambda: make_client(secret="wrong", signature_version=version).list_buckets(LIST))
    assert (error.status_code, error.code) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_an_unknown_key_gets_the_service_s_own_error(make_client: Any, version: str) -> None:
    error = refusal(lambda: make_client("LTAInobodyKnowsThisOne", signature_version=version).list_buckets(LIST))
    assert (error.status_code, error.code) == (403, "InvalidAccessKeyId")


@pytest.mark.parametrize("key", ["plain.txt", "folder/with blank.txt", "中文/数据 +&=?#%.json", "a~b'(c)!*.txt"])
def test_signatures_hold_for_every_kind_of_key(client: Any, bucket: str, key: str) -> None:
    client.put_object(oss.PutObjectRequest(bucket=bucket, key=key, body=b"x", metadata={"who": "runner"}))
    assert client.head_object(oss.HeadObjectRequest(bucket=bucket, key=key)).metadata["who"] == "runner"


def test_a_changed_request_no_longer_fits_its_signature(client: Any, bucket: str) -> None:
    url = client.presign(oss.GetObjectRequest(bucket=bucket, key="a")).url
    assert requests.get(url.replace("/a?", "/b?")).status_code == 403


def test_a_presigned_url_works_until_it_expires(client: Any, bucket: str, emulators: Running, clock: Any) -> None:
    client.put_object(oss.PutObjectRequest(bucket=bucket, key="a b", body=b"here"))
    get = oss.GetObjectRequest(bucket=bucket, key="a b")
    url = client.presign(get, expires=dt.timedelta(minutes=5)).url
    assert requests.get(url).content == b"here"
    clock.ahead = 301
    assert "Request has expired." in requests.get(url).text
    logged = emulators.emulators.log.tail(1)[0]["path"]
    assert "ignature=[redacted]" in logged
    assert ACCESS_KEY_ID not in logged


def test_a_clock_that_is_wrong_by_a_day_is_told_so(
    make_client: Any, emulators: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    signer = client._client._options.signer  # the SDK signs with the machine's clock
    original = signer.sign

    def late(context: Any) -> None:
        context.signing_time = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        original(context)

    monkeypatch.setattr(signer, "sign", late)
    error = refusal(lambda: client.list_buckets(LIST))
    assert (error.status_code, error.code) == (403, "RequestTimeTooSkewed")


def test_temporary_keys_need_their_token_and_end_in_time(make_client: Any, emulators: Running) -> None:
    def with_token(token: str, key_id: str) -> Any:
        provider = oss.credentials.StaticCredentialsProvider(key_id, "temporary", token)
        return make_client(credentials_provider=provider)

    for key_id, expires in (("STS.alive", time.time() + 60), ("STS.over", time.time() - 1)):
        document = {"secret": "temporary", "token": "the-token", "expires": expires}
        emulators.store.put(ACCESS_KEY_KIND, key_id, document)
    assert with_token("the-token", "STS.alive").list_buckets(LIST).status_code == 200
    assert refusal(lambda: with_token("another", "STS.alive").list_buckets(LIST)).code == "InvalidSecurityToken"
    assert refusal(lambda: with_token("the-token", "STS.over").list_buckets(LIST)).code == "SecurityTokenExpired"


def test_another_region_s_signature_is_refused(make_client: Any) -> None:
    client = make_client(region="cn-beijing", endpoint="oss-cn-shanghai.aliyuncs.com")
    assert refusal(lambda: client.list_buckets(LIST)).code == "InvalidArgument"


def test_who_does_not_sign_gets_in_only_where_the_public_may(client: Any, bucket: str) -> None:
    url = f"https://{bucket}.oss-cn-shanghai.aliyuncs.com/page"
    client.put_object(oss.PutObjectRequest(bucket=bucket, key="page", body=b"open"))
    assert requests.get(url).status_code == 403
    client.put_bucket_acl(oss.PutBucketAclRequest(bucket=bucket, acl="public-read"))
    assert requests.get(url).content == b"open"
    assert requests.put(url, data=b"x").status_code == 403
    assert requests.delete(url).status_code == 403
