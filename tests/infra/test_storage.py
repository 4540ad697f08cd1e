from __future__ import annotations

import json
from typing import Any

import pytest

BUCKETS = {
    "storage-releases",
    "storage-ledger",
    "storage-backups",
    "storage-logs",
    "audit-trail",
    "integration-extracts",
}


@pytest.fixture(scope="module")
def storage(stand: Any) -> Any:
    return stand("example-production")


@pytest.mark.parametrize(
    ("type_", "key", "value"),
    [
        ("BucketAcl", "acl", "private"),
        ("BucketPublicAccessBlock", "blockPublicAccess", True),
        ("BucketServerSideEncryption", "sseAlgorithm", "KMS"),
        ("BucketServerSideEncryption", "kmsMasterKeyId", "storage-key-id"),
        ("BucketHttpsConfig", "enable", True),
        ("BucketHttpsConfig", "tlsVersions", ["TLSv1.2", "TLSv1.3"]),
    ],
)
def test_every_bucket_is_private_encrypted_and_reached_by_modern_tls_only(
    storage: Any, type_: str, key: str, value: object
) -> None:
    found = storage.of(type_)
    assert set(found) == BUCKETS
    assert {name: resource.inputs[key] for name, resource in found.items()} == dict.fromkeys(BUCKETS, value)
    assert {r.inputs["bucket"] for r in found.values()} == {b.inputs["bucket"] for b in storage.of("Bucket").values()}


def test_the_ledger_and_the_trail_are_under_retention_and_not_versioned(storage: Any) -> None:
    assert set(storage.of("BucketWorm")) == {"storage-ledger", "audit-trail"}
    assert set(storage.of("BucketVersioning")) == {"storage-releases", "storage-backups"}


def test_production_locks_the_ledger_and_the_local_stack_leaves_it_open(stand: Any, storage: Any) -> None:
    locked = storage.of("BucketWorm")["storage-ledger"]
    open_ = stand("local").of("BucketWorm")["storage-ledger"]
    assert (locked.inputs["status"], locked.inputs["retentionPeriodInDays"]) == ("Locked", 1095)
    assert open_.inputs["status"] == "InProgress"


def test_only_the_local_stack_s_buckets_are_emptied_when_destroyed(stand: Any, storage: Any) -> None:
    assert {b.inputs["forceDestroy"] for b in storage.of("Bucket").values()} == {False}
    assert {b.inputs["forceDestroy"] for b in stand("local").of("Bucket").values()} == {True}


def test_access_to_every_bucket_but_the_logs_is_logged_there(storage: Any) -> None:
    logs = storage.of("Bucket")["storage-logs"].inputs["bucket"]
    logged = storage.of("BucketLogging")
    assert set(logged) == BUCKETS - {"storage-logs"}
    assert {r.inputs["targetBucket"] for r in logged.values()} == {logs}
    assert len({r.inputs["targetPrefix"] for r in logged.values()}) == len(logged)


def test_logs_expire_and_nothing_that_is_current_does(storage: Any) -> None:
    def days(name: str) -> list[int]:
        rules = storage.of("Bucket")[name].inputs.get("lifecycleRules", [])
        return [e["days"] for rule in rules for e in rule.get("expirations", []) if "days" in e]

    assert days("storage-logs") == [365]
    assert [days(name) for name in sorted(BUCKETS - {"storage-logs", "integration-extracts"})] == [[]] * 4


def test_a_refresh_cannot_make_a_bucket_undo_its_split_resources(storage: Any) -> None:
    for bucket in storage.of("Bucket").values():
        assert set(bucket.ignored) == {"logging", "serverSideEncryptionRule", "versioning"}


def test_the_key_rotates_and_has_the_alias_of_its_stack(storage: Any) -> None:
    (key,) = storage.of("Key").values()
    (alias,) = storage.of("Alias").values()
    assert (key.inputs["automaticRotation"], key.inputs["rotationInterval"]) == ("Enabled", "31536000s")
    assert (alias.inputs["aliasName"], alias.inputs["keyId"]) == (
        "alias/acme-production-storage-buckets",
        "storage-key-id",
    )


def test_the_bucket_of_pulumi_s_state_is_made_on_demand_and_keeps_versions(stand: Any, storage: Any) -> None:
    section = json.dumps({"ledger_retention_days": 1095, "state": True})
    standing = stand("example-production", {"sfoa:storage": section})
    assert set(standing.of("Bucket")) - set(storage.of("Bucket")) == {"storage-state"}
    assert "storage-state" in standing.of("BucketVersioning")
    bucket = standing.of("Bucket")["storage-state"]
    assert bucket.protect
    name, region = bucket.inputs["bucket"], "cn-shanghai"
    assert standing.contract["storage_state_url"] == (
        f"s3://{name}?region={region}&endpoint=https://s3.oss-{region}.aliyuncs.com"
    )
    assert "storage_state_url" not in storage.contract


def test_objects_are_bound_to_named_vpcs_and_the_settings_of_buckets_to_none(stand: Any, storage: Any) -> None:
    section = json.dumps({"ledger_retention_days": 1095, "source_vpcs": ["vpc-runner"]})
    policies = stand("example-production", {"sfoa:storage": section}).of("BucketPolicy")
    assert set(policies) == {"storage-releases", "storage-backups", "storage-ledger"}  # services write to the others
    for resource in policies.values():
        (statement,) = json.loads(resource.inputs["policy"])["Statement"]
        assert (statement["Effect"], statement["Principal"]) == ("Deny", ["*"])
        assert statement["Condition"] == {"StringNotEquals": {"acs:SourceVpc": ["vpc-runner"]}}
        assert not [action for action in statement["Action"] if "Bucket" in action or action in ("*", "oss:*")]
    assert not storage.of("BucketPolicy")
