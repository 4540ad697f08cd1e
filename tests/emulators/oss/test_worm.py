"""Retention: what is written stays, for as long as the policy says, whoever asks."""

from __future__ import annotations

import re
from typing import Any

import alibabacloud_oss_v2 as oss

from emulators.alicloud.oss.worm import DAY_SECONDS
from emulators.testing import Running
from tests.emulators.oss.oss_calls import refusal


def initiate(client: Any, bucket: str, days: int = 2) -> str:
    configuration = oss.InitiateWormConfiguration(retention_period_in_days=days)
    request = oss.InitiateBucketWormRequest(bucket=bucket, initiate_worm_configuration=configuration)
    return str(client.initiate_bucket_worm(request).worm_id)


def complete(client: Any, bucket: str, ident: str) -> Any:
    return client.complete_bucket_worm(oss.CompleteBucketWormRequest(bucket=bucket, worm_id=ident))


def show(client: Any, bucket: str) -> Any:
    return client.get_bucket_worm(oss.GetBucketWormRequest(bucket=bucket)).worm_configuration


def put(client: Any, bucket: str, key: str = "entry", body: bytes = b"1") -> Any:
    return client.put_object(oss.PutObjectRequest(bucket=bucket, key=key, body=body))


def delete(client: Any, bucket: str, key: str = "entry", version: str | None = None) -> Any:
    return client.delete_object(oss.DeleteObjectRequest(bucket=bucket, key=key, version_id=version))


def later(emulators: Running, seconds: float) -> None:
    """Let time pass: everything that is remembered is older by `seconds`."""
    for kind in ("oss.bucket", "oss.object"):
        for ident, document in emulators.store.all(kind):
            if kind == "oss.bucket" and document["worm"]:
                document["worm"]["created"] -= seconds
            for version in document.get("versions", []):
                version["modified"] -= seconds
            emulators.store.put(kind, ident, document)


def test_a_policy_is_in_progress_until_it_is_locked(client: Any, bucket: str) -> None:
    ident = initiate(client, bucket)
    assert re.fullmatch(r"[0-9A-F]{32}", ident)
    worm = show(client, bucket)
    assert (worm.worm_id, worm.state, worm.retention_period_in_days) == (ident, "InProgress", 2)
    complete(client, bucket, ident)
    assert show(client, bucket).state == "Locked"
    assert refusal(lambda: complete(client, bucket, ident)).code == "WORMConfigurationLocked"


def test_what_is_retained_is_neither_overwritten_nor_deleted(client: Any, bucket: str, emulators: Running) -> None:
    complete(client, bucket, initiate(client, bucket))
    put(client, bucket)
    for attempt in (lambda: put(client, bucket, body=b"2"), lambda: delete(client, bucket)):
        error = refusal(attempt)
        assert (error.status_code, error.code) == (409, "FileImmutable")
    many = oss.DeleteMultipleObjectsRequest(bucket=bucket, objects=[oss.DeleteObject(key="entry")])
    assert not client.delete_multiple_objects(many).deleted_objects
    assert client.get_object(oss.GetObjectRequest(bucket=bucket, key="entry")).body.content == b"1"
    put(client, bucket, "another")
    later(emulators, 2 * DAY_SECONDS)
    assert delete(client, bucket).status_code == 204


def test_an_unlocked_policy_protects_and_can_be_dropped(client: Any, bucket: str) -> None:
    initiate(client, bucket)
    put(client, bucket)
    assert refusal(lambda: delete(client, bucket)).code == "FileImmutable"
    client.abort_bucket_worm(oss.AbortBucketWormRequest(bucket=bucket))
    assert refusal(lambda: show(client, bucket)).code == "NoSuchWORMConfiguration"
    assert delete(client, bucket).status_code == 204


def test_an_unlocked_policy_ends_after_a_day(client: Any, bucket: str, emulators: Running) -> None:
    ident = initiate(client, bucket)
    put(client, bucket)
    later(emulators, DAY_SECONDS + 1)
    assert show(client, bucket).state == "Expired"
    assert refusal(lambda: complete(client, bucket, ident)).code == "NoSuchWORMConfiguration"
    assert delete(client, bucket).status_code == 204


def test_a_locked_policy_grows_but_never_shrinks_or_goes(client: Any, bucket: str) -> None:
    ident = initiate(client, bucket)

    def extend(days: int) -> Any:
        configuration = oss.ExtendWormConfiguration(retention_period_in_days=days)
        return client.extend_bucket_worm(
            oss.ExtendBucketWormRequest(bucket=bucket, worm_id=ident, extend_worm_configuration=configuration)
        )

    assert refusal(lambda: extend(3)).code == "InvalidWORMConfiguration"
    complete(client, bucket, ident)
    extend(3)
    assert show(client, bucket).retention_period_in_days == 3
    assert refusal(lambda: extend(1)).code == "InvalidWORMConfiguration"
    abort = oss.AbortBucketWormRequest(bucket=bucket)
    assert refusal(lambda: client.abort_bucket_worm(abort)).code == "WORMConfigurationLocked"


def test_a_second_policy_and_a_wrong_length_are_refused(client: Any, bucket: str) -> None:
    assert refusal(lambda: initiate(client, bucket, 0)).code == "InvalidArgument"
    assert refusal(lambda: initiate(client, bucket, 25_551)).code == "InvalidArgument"
    initiate(client, bucket)
    assert refusal(lambda: initiate(client, bucket)).code == "WORMConfigurationAlreadyExists"


def versioning(client: Any, bucket: str, status: str) -> Any:
    configuration = oss.VersioningConfiguration(status=status)
    return client.put_bucket_versioning(
        oss.PutBucketVersioningRequest(bucket=bucket, versioning_configuration=configuration)
    )


def test_under_versioning_new_versions_come_but_old_ones_stay(client: Any, bucket: str) -> None:
    versioning(client, bucket, "Enabled")
    complete(client, bucket, initiate(client, bucket))
    first = put(client, bucket).version_id
    put(client, bucket, body=b"2")
    assert refusal(lambda: delete(client, bucket, version=first)).code == "FileImmutable"
    marker = delete(client, bucket)
    assert marker.delete_marker is True
    delete(client, bucket, version=marker.version_id)
    assert client.get_object(oss.GetObjectRequest(bucket=bucket, key="entry")).body.content == b"2"
    assert refusal(lambda: versioning(client, bucket, "Suspended")).code == "InvalidArgument"


def test_suspended_versioning_takes_no_policy(client: Any, bucket: str) -> None:
    versioning(client, bucket, "Enabled")
    versioning(client, bucket, "Suspended")
    assert refusal(lambda: initiate(client, bucket)).code == "InvalidWORMConfiguration"
