"""Buckets and everything that is configured on them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from string import Template
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest

from emulators.alicloud.oss.subresources import table
from emulators.coverage import unknown_actions
from emulators.testing import Running
from tests.emulators.oss.oss_calls import invoke, put_bucket_unchecked, refusal


def test_a_bucket_tells_what_it_is(client: Any, fresh_name: str) -> None:
    configuration = oss.CreateBucketConfiguration(storage_class="IA", data_redundancy_type="ZRS")
    client.put_bucket(oss.PutBucketRequest(bucket=fresh_name, create_bucket_configuration=configuration))
    info = client.get_bucket_info(oss.GetBucketInfoRequest(bucket=fresh_name)).bucket_info
    assert (info.storage_class, info.data_redundancy_type, info.acl) == ("IA", "ZRS", "private")
    assert info.location == "oss-cn-shanghai"
    assert info.sse_rule.sse_algorithm == "None"
    location = client.get_bucket_location(oss.GetBucketLocationRequest(bucket=fresh_name))
    assert location.location == "oss-cn-shanghai"


def test_a_bucket_is_found_by_its_prefix_and_gone_when_deleted(client: Any, bucket: str) -> None:
    def found() -> list[str]:
        listed = client.list_buckets(oss.ListBucketsRequest(prefix=bucket, max_keys=1)).buckets
        return [one.name for one in listed or []]

    assert found() == [bucket]
    client.delete_bucket(oss.DeleteBucketRequest(bucket=bucket))
    assert found() == []
    error = refusal(lambda: client.get_bucket_info(oss.GetBucketInfoRequest(bucket=bucket)))
    assert (error.status_code, error.code) == (404, "NoSuchBucket")


@pytest.mark.parametrize("wrong", ["ab", "-first", "last-", "under_score"])
def test_a_name_that_the_service_does_not_take_is_refused(client: Any, wrong: str) -> None:
    reply = put_bucket_unchecked(wrong)
    assert (reply.status_code, "<Code>InvalidBucketName</Code>" in reply.text) == (400, True)


def test_a_taken_name_is_refused(client: Any, bucket: str) -> None:
    error = refusal(lambda: client.put_bucket(oss.PutBucketRequest(bucket=bucket)))
    assert (error.status_code, error.code) == (409, "BucketAlreadyExists")


def test_a_bucket_with_anything_in_it_stays(client: Any, bucket: str) -> None:
    client.put_object(oss.PutObjectRequest(bucket=bucket, key="a", body=b"x"))
    error = refusal(lambda: client.delete_bucket(oss.DeleteBucketRequest(bucket=bucket)))
    assert (error.status_code, error.code) == (409, "BucketNotEmpty")


def test_a_bucket_answers_only_in_its_own_region(make_client: Any, client: Any, bucket: str) -> None:
    elsewhere = make_client(region="cn-beijing")
    error = refusal(lambda: elsewhere.get_bucket_info(oss.GetBucketInfoRequest(bucket=bucket)))
    assert (error.status_code, error.code) == (403, "AccessDenied")
    assert "specified endpoint" in error.message


CONFIGURED: dict[str, str] = json.loads((Path(__file__).parent / "configurations.json").read_text())
"""A document for each sub-resource; `$bucket` stands for the bucket's name."""


def test_every_sub_resource_that_can_be_put_is_tested() -> None:
    assert set(CONFIGURED) == {name for name, row in table().items() if "PUT" in row.methods}


@pytest.mark.parametrize("sub_resource", sorted(CONFIGURED))
def test_a_configuration_reads_back_as_it_was_put_and_goes_when_deleted(
    client: Any, bucket: str, sub_resource: str
) -> None:
    row, document = table()[sub_resource], Template(CONFIGURED[sub_resource]).substitute(bucket=bucket)

    def show() -> str:
        try:
            return str(invoke(client, "GET", bucket, sub_resource).content.decode())
        except oss.exceptions.OperationError as error:
            return str(error.unwrap().code)

    before = show()
    assert (before == row.missing) if row.missing else before.endswith(row.default)
    invoke(client, "PUT", bucket, sub_resource, document.encode())
    assert show().endswith(document)
    if "DELETE" in row.methods:
        assert invoke(client, "DELETE", bucket, sub_resource).status_code == 204
        assert show() == before


@pytest.mark.parametrize("sub_resource", sorted(set(CONFIGURED) - {"policy"}))
def test_another_document_than_the_sub_resource_s_own_is_refused(client: Any, bucket: str, sub_resource: str) -> None:
    for body in (b"<Other/>", b"<Unclosed>", b"\x00"):
        assert refusal(partial(invoke, client, "PUT", bucket, sub_resource, body)).code == "MalformedXML"


@pytest.mark.parametrize(
    ("sub_resource", "document", "code"),
    [
        ("encryption", CONFIGURED["encryption"].replace("KMS</", "ROT13</"), "InvalidEncryptionAlgorithmError"),
        ("logging", CONFIGURED["logging"].replace("$bucket", "nobody-has-it"), "InvalidTargetBucketForLogging"),
        ("versioning", CONFIGURED["versioning"].replace("Enabled", "On"), "MalformedXML"),
        ("cors", "<CORSConfiguration/>", "MalformedXML"),
        ("lifecycle", "<LifecycleConfiguration/>", "InvalidArgument"),
        ("publicAccessBlock", CONFIGURED["publicAccessBlock"].replace("true", "yes"), "MalformedXML"),
        ("policy", '{"Version":"1","Statement":[{"Effect":"Perhaps"}]}', "InvalidPolicyDocument"),
        ("policy", "no json", "InvalidPolicyDocument"),
    ],
)
def test_a_configuration_with_wrong_values_is_refused(
    client: Any, bucket: str, sub_resource: str, document: str, code: str
) -> None:
    assert refusal(lambda: invoke(client, "PUT", bucket, sub_resource, document.encode())).code == code


def test_a_lifecycle_rule_without_an_id_gets_one(client: Any, bucket: str) -> None:
    document = CONFIGURED["lifecycle"].replace("<ID>old</ID>", "")
    invoke(client, "PUT", bucket, "lifecycle", document.encode())
    first, second = (invoke(client, "GET", bucket, "lifecycle").content for _ in range(2))
    assert b"<ID>rule-0</ID>" in first
    assert first == second


def test_the_go_sdk_s_spelling_of_the_access_monitor_is_taken(client: Any, bucket: str) -> None:
    invoke(client, "PUT", bucket, "accessmonitor", CONFIGURED["accessMonitor"].encode())
    info = client.get_bucket_info(oss.GetBucketInfoRequest(bucket=bucket)).bucket_info
    assert info.access_monitor == "Enabled"


def test_an_unknown_sub_resource_is_named_and_noted(client: Any, bucket: str, emulators: Running) -> None:
    error = refusal(lambda: invoke(client, "GET", bucket, "metaQuery"))
    assert error.code == "NotImplemented"
    assert "GET ?metaQuery on a bucket" in error.message
    noted = [(row["product"], row["action"]) for row in unknown_actions(emulators.store)]
    assert ("Oss", "GET ?metaQuery on a bucket") in noted


def test_where_public_access_is_blocked_nothing_opens_the_bucket(client: Any, bucket: str) -> None:
    policy = {
        "Version": "1",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["oss:GetObject"],
                "Principal": ["*"],
                "Resource": [f"acs:oss:*:*:{bucket}/*"],
            }
        ],
    }
    invoke(client, "PUT", bucket, "publicAccessBlock", CONFIGURED["publicAccessBlock"].encode())
    acl = oss.PutBucketAclRequest(bucket=bucket, acl="public-read")
    assert refusal(lambda: client.put_bucket_acl(acl)).code == "AccessDenied"
    body = json.dumps(policy).encode()
    assert refusal(lambda: invoke(client, "PUT", bucket, "policy", body)).code == "AccessDenied"
    invoke(client, "DELETE", bucket, "publicAccessBlock")
    client.put_bucket_acl(acl)
    assert client.get_bucket_acl(oss.GetBucketAclRequest(bucket=bucket)).acl == "public-read"
    assert client.get_bucket_info(oss.GetBucketInfoRequest(bucket=bucket)).bucket_info.acl == "public-read"


def test_the_account_s_block_of_public_access_covers_every_bucket(client: Any, bucket: str) -> None:
    try:
        invoke(client, "PUT", None, "publicAccessBlock", CONFIGURED["publicAccessBlock"].encode())
        acl = oss.PutBucketAclRequest(bucket=bucket, acl="public-read")
        assert refusal(lambda: client.put_bucket_acl(acl)).code == "AccessDenied"
    finally:
        invoke(client, "DELETE", None, "publicAccessBlock")


def test_a_policy_that_asks_for_tls_shuts_plain_http_out(make_client: Any, client: Any, bucket: str) -> None:
    policy = Template(CONFIGURED["policy"]).substitute(bucket=bucket)
    invoke(client, "PUT", bucket, "policy", policy.encode())
    plain = make_client(disable_ssl=True)
    error = refusal(lambda: plain.get_bucket_info(oss.GetBucketInfoRequest(bucket=bucket)))
    assert (error.code, "bucket policy" in error.message) == ("AccessDenied", True)
    assert client.get_bucket_info(oss.GetBucketInfoRequest(bucket=bucket)).status_code == 200


def test_a_policy_that_asks_for_temporary_keys_shuts_long_lived_ones_out(client: Any, bucket: str) -> None:
    denied = {
        "Effect": "Deny",
        "Principal": ["*"],
        "Action": ["oss:GetObject*"],
        "Resource": [f"acs:oss:*:*:{bucket}/*"],
        "Condition": {"StringNotLike": {"acs:AccessId": ["STS.*", "TMP.*"]}},
    }
    client.put_object(oss.PutObjectRequest(bucket=bucket, key="one", body=b"1"))
    invoke(client, "PUT", bucket, "policy", json.dumps({"Version": "1", "Statement": [denied]}).encode())
    assert refusal(lambda: client.get_object(oss.GetObjectRequest(bucket=bucket, key="one"))).code == "AccessDenied"
    invoke(client, "DELETE", bucket, "policy")
    assert client.get_object(oss.GetObjectRequest(bucket=bucket, key="one")).status_code == 200


def test_a_bucket_made_with_an_encryption_has_it_and_gives_it_to_its_objects(client: Any, fresh_name: str) -> None:
    request = oss.PutBucketRequest(
        bucket=fresh_name,
        headers={"x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": "key-7"},
    )
    client.put_bucket(request)
    rule = client.get_bucket_encryption(oss.GetBucketEncryptionRequest(bucket=fresh_name)).server_side_encryption_rule
    assert rule.apply_server_side_encryption_by_default.kms_master_key_id == "key-7"
    client.put_object(oss.PutObjectRequest(bucket=fresh_name, key="a", body=b"x"))
    head = client.head_object(oss.HeadObjectRequest(bucket=fresh_name, key="a"))
    assert (head.server_side_encryption, head.server_side_encryption_key_id) == ("KMS", "key-7")


def test_a_bucket_says_what_lies_in_it_and_whether_its_policy_opens_it(client: Any, bucket: str) -> None:
    client.put_object(oss.PutObjectRequest(bucket=bucket, key="a", body=b"12345"))
    stat = client.get_bucket_stat(oss.GetBucketStatRequest(bucket=bucket))
    assert (stat.object_count, stat.storage) == (1, 5)
    closed = client.get_bucket_policy_status(oss.GetBucketPolicyStatusRequest(bucket=bucket))
    assert closed.policy_status.is_public is False
