"""Objects: what is written is read, under conditions, in versions, in parts and page by page."""

from __future__ import annotations

import base64
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from emulators.alicloud.oss.objects import crc64, span
from tests.emulators.oss.oss_calls import refusal


def put(client: Any, bucket: str, key: str = "a", body: bytes = b"x", **more: Any) -> Any:
    return client.put_object(oss.PutObjectRequest(bucket=bucket, key=key, body=body, **more))


def get(client: Any, bucket: str, key: str = "a", **more: Any) -> Any:
    return client.get_object(oss.GetObjectRequest(bucket=bucket, key=key, **more))


def delete(client: Any, bucket: str, key: str = "a", version: str | None = None) -> Any:
    return client.delete_object(oss.DeleteObjectRequest(bucket=bucket, key=key, version_id=version))


def versioning(client: Any, bucket: str, status: str) -> None:
    configuration = oss.VersioningConfiguration(status=status)
    client.put_bucket_versioning(oss.PutBucketVersioningRequest(bucket=bucket, versioning_configuration=configuration))


def test_an_object_reads_back_with_its_headers_and_metadata(client: Any, bucket: str) -> None:
    put(client, bucket, body=b"{}", content_type="application/json", metadata={"plan": "abc"}, tagging="k=v&l=w")
    reply = get(client, bucket)
    assert (reply.body.content, reply.content_type, reply.metadata["plan"]) == (b"{}", "application/json", "abc")
    assert reply.tagging_count == 2
    assert reply.last_modified.tzinfo is not None
    tags = client.get_object_tagging(oss.GetObjectTaggingRequest(bucket=bucket, key="a")).tag_set.tags
    assert [(tag.key, tag.value) for tag in tags] == [("k", "v"), ("l", "w")]


def test_a_large_body_arrives_whole(client: Any, bucket: str) -> None:
    body = bytes(range(256)) * 40_000
    put(client, bucket, body=body)
    assert get(client, bucket).body.content == body


def test_a_missing_object_is_said_to_be_missing_also_to_head(client: Any, bucket: str) -> None:
    for call in (
        lambda: get(client, bucket),
        lambda: client.head_object(oss.HeadObjectRequest(bucket=bucket, key="a")),
    ):
        error = refusal(call)
        assert (error.status_code, error.code) == (404, "NoSuchKey")
    assert delete(client, bucket).status_code == 204


def test_a_digest_that_does_not_fit_is_refused(client: Any, bucket: str) -> None:
    wrong = base64.b64encode(b"0" * 16).decode()
    error = refusal(lambda: put(client, bucket, content_md5=wrong))
    assert (error.status_code, error.code) == (400, "InvalidDigest")


def test_a_forbidden_overwrite_is_refused_and_changes_nothing(client: Any, bucket: str) -> None:
    put(client, bucket, body=b"first", forbid_overwrite=True)
    error = refusal(lambda: put(client, bucket, body=b"second", forbid_overwrite=True))
    assert (error.status_code, error.code) == (409, "FileAlreadyExists")
    assert get(client, bucket).body.content == b"first"
    put(client, bucket, body=b"third")
    assert get(client, bucket).body.content == b"third"


def test_of_many_who_write_at_once_exactly_one_wins(client: Any, bucket: str) -> None:
    def attempt(number: int) -> int:
        try:
            put(client, bucket, "lock", str(number).encode(), forbid_overwrite=True)
        except oss.exceptions.OperationError:
            return -1
        return number

    with ThreadPoolExecutor(8) as pool:
        won = [number for number in pool.map(attempt, range(16)) if number >= 0]
    assert len(won) == 1
    assert get(client, bucket, "lock").body.content == str(won[0]).encode()


def test_under_versioning_the_service_ignores_a_forbidden_overwrite(client: Any, bucket: str) -> None:
    versioning(client, bucket, "Enabled")
    put(client, bucket, body=b"first", forbid_overwrite=True)
    put(client, bucket, body=b"second", forbid_overwrite=True)
    assert get(client, bucket).body.content == b"second"


def test_conditions_decide_whether_an_object_is_read(client: Any, bucket: str) -> None:
    etag = put(client, bucket).etag
    assert get(client, bucket, if_match=etag).status_code == 200
    assert refusal(lambda: get(client, bucket, if_match='"other"')).status_code == 412
    assert refusal(lambda: get(client, bucket, if_none_match=etag)).status_code == 304
    before = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert refusal(lambda: get(client, bucket, if_unmodified_since=before)).status_code == 412
    assert get(client, bucket, if_modified_since=before).status_code == 200


def test_a_range_is_read_as_asked(client: Any, bucket: str) -> None:
    put(client, bucket, body=b"0123456789")
    reply = get(client, bucket, range_header="bytes=2-4")
    assert (reply.status_code, reply.body.content) == (206, b"234")
    assert reply.content_range == "bytes 2-4/10"
    assert get(client, bucket, range_header="bytes=-3").body.content == b"789"
    assert get(client, bucket, range_header="bytes=7-99").body.content == b"789"
    assert get(client, bucket, range_header="bytes=99-").body.content == b"0123456789"


@given(st.binary(max_size=64), st.integers(0, 80), st.integers(0, 80))
def test_a_range_is_the_slice_of_the_same_bounds(body: bytes, first: int, last: int) -> None:
    found = span(f"bytes={first}-{last}", len(body))
    if first <= last and first < len(body):
        assert found is not None
        assert body[found[0] : found[1] + 1] == body[first : last + 1]
    else:
        assert found is None


def test_the_checksum_is_the_published_one() -> None:
    assert int(crc64(b"123456789")) == 0x995DC9BBDF1939FA  # CRC-64/XZ check value, reveng catalogue


def test_a_copy_keeps_metadata_unless_told_otherwise(client: Any, bucket: str) -> None:
    put(client, bucket, body=b"x", metadata={"a": "1"}, content_type="text/plain")

    def copy(**more: Any) -> Any:
        client.copy_object(oss.CopyObjectRequest(bucket=bucket, key="b", source_bucket=bucket, source_key="a", **more))
        return get(client, bucket, "b")

    assert copy().metadata == {"a": "1"}
    assert copy().content_type == "text/plain"
    assert copy(metadata={"b": "2"}, metadata_directive="REPLACE").metadata == {"b": "2"}
    assert copy().body.content == b"x"


def test_versions_pile_up_and_come_back(client: Any, bucket: str) -> None:
    put(client, bucket, body=b"before")
    versioning(client, bucket, "Enabled")
    first, second = (put(client, bucket, body=body).version_id for body in (b"one", b"two"))
    marker = delete(client, bucket)
    assert marker.delete_marker
    assert refusal(lambda: get(client, bucket)).code == "NoSuchKey"
    assert get(client, bucket, version_id=first).body.content == b"one"
    assert get(client, bucket, version_id="null").body.content == b"before"
    listed = client.list_object_versions(oss.ListObjectVersionsRequest(bucket=bucket))
    assert [version.version_id for version in listed.version] == [second, first, "null"]
    assert [(one.version_id, one.is_latest) for one in listed.delete_marker] == [(marker.version_id, True)]
    delete(client, bucket, version=marker.version_id)
    assert get(client, bucket).body.content == b"two"
    delete(client, bucket, version=second)
    assert get(client, bucket).version_id == first
    error = refusal(lambda: get(client, bucket, version_id=second))
    assert error.code == "NoSuchVersion"


def test_suspended_versioning_writes_the_null_version_only(client: Any, bucket: str) -> None:
    versioning(client, bucket, "Enabled")
    kept = put(client, bucket, body=b"kept").version_id
    versioning(client, bucket, "Suspended")
    for body in (b"one", b"two"):
        assert put(client, bucket, body=body).version_id == "null"
    listed = client.list_object_versions(oss.ListObjectVersionsRequest(bucket=bucket)).version
    assert [version.version_id for version in listed] == ["null", kept]
    delete(client, bucket)
    assert get(client, bucket, version_id=kept).body.content == b"kept"


def test_a_versioned_bucket_is_emptied_by_its_versions(client: Any, bucket: str) -> None:
    versioning(client, bucket, "Enabled")
    for key in ("a", "b", "b"):
        put(client, bucket, key)
    delete(client, bucket)
    listed = client.list_object_versions(oss.ListObjectVersionsRequest(bucket=bucket))
    everything = [*listed.version, *listed.delete_marker]
    client.delete_multiple_objects(
        oss.DeleteMultipleObjectsRequest(
            bucket=bucket,
            objects=[oss.DeleteObject(key=one.key, version_id=one.version_id) for one in everything],
        )
    )
    assert client.delete_bucket(oss.DeleteBucketRequest(bucket=bucket)).status_code == 204


def test_an_object_goes_up_in_parts(client: Any, bucket: str) -> None:
    upload = client.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=bucket, key="big")).upload_id
    bodies = [b"a" * 102_400, b"b" * 102_400, b"c"]
    parts = []
    for number, body in enumerate(bodies, 1):
        request = oss.UploadPartRequest(bucket=bucket, key="big", upload_id=upload, part_number=number, body=body)
        parts.append(oss.UploadPart(part_number=number, etag=client.upload_part(request).etag))
    listed = client.list_parts(oss.ListPartsRequest(bucket=bucket, key="big", upload_id=upload))
    assert [part.size for part in listed.parts] == [102_400, 102_400, 1]

    def complete(chosen: list[Any]) -> Any:
        return client.complete_multipart_upload(
            oss.CompleteMultipartUploadRequest(
                bucket=bucket,
                key="big",
                upload_id=upload,
                complete_multipart_upload=oss.CompleteMultipartUpload(parts=chosen),
            )
        )

    assert refusal(lambda: complete(parts[::-1])).code == "InvalidPartOrder"
    wrong = oss.UploadPart(part_number=1, etag="0" * 32)
    assert refusal(lambda: complete([wrong])).code == "InvalidPart"
    assert complete(parts).etag.endswith('-3"')
    assert get(client, bucket, "big").body.content == b"".join(bodies)
    assert refusal(lambda: complete(parts)).code == "NoSuchUpload"


def test_an_unfinished_upload_keeps_the_bucket_until_it_is_aborted(client: Any, bucket: str) -> None:
    upload = client.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=bucket, key="k")).upload_id
    listed = client.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=bucket)).uploads
    assert [one.upload_id for one in listed] == [upload]
    remove = oss.DeleteBucketRequest(bucket=bucket)
    assert refusal(lambda: client.delete_bucket(remove)).code == "BucketNotEmpty"
    client.abort_multipart_upload(oss.AbortMultipartUploadRequest(bucket=bucket, key="k", upload_id=upload))
    assert client.delete_bucket(remove).status_code == 204


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_pages_hold_everything_once_and_in_order(client: Any, bucket: str, page: int) -> None:
    keys = ["a", "b/1", "b/2", "c/1/x", "中", "d", "é", "e/"]
    for key in keys:
        put(client, bucket, key)
    paginator = client.list_objects_v2_paginator(limit=page)
    pages = list(paginator.iter_page(oss.ListObjectsV2Request(bucket=bucket)))
    assert [one.key for listed in pages for one in listed.contents or []] == sorted(keys, key=str.encode)
    grouped = list(paginator.iter_page(oss.ListObjectsV2Request(bucket=bucket, delimiter="/")))
    assert [one.prefix for listed in grouped for one in listed.common_prefixes or []] == ["b/", "c/", "e/"]
    assert [one.key for listed in grouped for one in listed.contents or []] == ["a", "d", "é", "中"]
    old = client.list_objects_paginator(limit=page)
    listed_old = list(old.iter_page(oss.ListObjectsRequest(bucket=bucket, prefix="b/")))
    assert [one.key for listed in listed_old for one in listed.contents or []] == ["b/1", "b/2"]


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_pages_of_versions_hold_everything_once(client: Any, bucket: str, page: int) -> None:
    versioning(client, bucket, "Enabled")
    made = {(key, put(client, bucket, key).version_id) for key in ("a", "b", "a", "c", "a", "b")}
    made.add(("c", delete(client, bucket, "c").version_id))
    paginator = client.list_object_versions_paginator(limit=page)
    seen = [
        (one.key, one.version_id)
        for listed in paginator.iter_page(oss.ListObjectVersionsRequest(bucket=bucket))
        for one in [*(listed.version or []), *(listed.delete_marker or [])]
    ]
    assert sorted(seen) == sorted(made)


def test_an_object_s_own_acl_opens_it_alone(client: Any, bucket: str) -> None:
    put(client, bucket, "open", acl="public-read")
    put(client, bucket, "shut")
    base = f"https://{bucket}.oss-cn-shanghai.aliyuncs.com"
    assert requests.get(f"{base}/open").status_code == 200
    assert requests.get(f"{base}/shut").status_code == 403
    client.put_object_acl(oss.PutObjectAclRequest(bucket=bucket, key="open", acl="private"))
    assert requests.get(f"{base}/open").status_code == 403
    assert client.get_object_acl(oss.GetObjectAclRequest(bucket=bucket, key="open")).acl == "private"


@pytest.mark.parametrize("key", ["/leading", "\\leading", "k" * 1024])
def test_a_key_that_the_service_does_not_take_is_refused(client: Any, bucket: str, key: str) -> None:
    assert refusal(lambda: put(client, bucket, key)).code == "InvalidObjectName"


def test_an_operation_that_is_not_emulated_is_named(client: Any, bucket: str) -> None:
    put(client, bucket)
    error = refusal(lambda: get(client, bucket, process="image/resize,w_1"))
    assert (error.code, "x-oss-process" in error.message) == ("NotImplemented", True)


def test_an_object_s_tags_are_replaced_and_go_when_deleted(client: Any, bucket: str) -> None:
    put(client, bucket, tagging="team=crm")
    tags = oss.TagSet(tags=[oss.Tag(key="team", value="audit"), oss.Tag(key="kind", value="trail")])
    tagging = oss.Tagging(tag_set=tags)
    client.put_object_tagging(oss.PutObjectTaggingRequest(bucket=bucket, key="a", tagging=tagging))
    asked = oss.GetObjectTaggingRequest(bucket=bucket, key="a")
    assert {tag.key: tag.value for tag in client.get_object_tagging(asked).tag_set.tags} == {
        "team": "audit",
        "kind": "trail",
    }
    client.delete_object_tagging(oss.DeleteObjectTaggingRequest(bucket=bucket, key="a"))
    assert not client.get_object_tagging(asked).tag_set.tags
