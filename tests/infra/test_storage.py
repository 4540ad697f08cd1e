from __future__ import annotations

import json
from typing import Any

import pytest

from emulators.alicloud.permissions import allows
from kit.problems import Refused

BUCKETS = {
    "storage-releases",
    "storage-ledger",
    "storage-backups",
    "storage-logs",
    "audit-trail",
    "integration-extracts",
}
COPIES = {"storage-replica-releases", "storage-replica-ledger", "storage-replica-backups"}
REPLICA = COPIES | {"storage-replica-logs"}


@pytest.fixture(scope="module")
def storage(stand: Any) -> Any:
    return stand("example-production")


@pytest.mark.parametrize(
    ("type_", "key", "value"),
    [
        ("BucketAcl", "acl", "private"),
        ("BucketPublicAccessBlock", "blockPublicAccess", True),
        ("BucketServerSideEncryption", "sseAlgorithm", "KMS"),
        ("BucketHttpsConfig", "enable", True),
        ("BucketHttpsConfig", "tlsVersions", ["TLSv1.2", "TLSv1.3"]),
    ],
)
def test_every_bucket_is_private_encrypted_and_reached_by_modern_tls_only(
    storage: Any, type_: str, key: str, value: object
) -> None:
    found = storage.of(type_)
    assert set(found) == BUCKETS | REPLICA
    assert {name: resource.inputs[key] for name, resource in found.items()} == dict.fromkeys(found, value)
    assert {r.inputs["bucket"] for r in found.values()} == {b.inputs["bucket"] for b in storage.of("Bucket").values()}


def test_each_bucket_is_encrypted_by_the_key_of_its_own_region(storage: Any) -> None:
    keys = {name: r.inputs["kmsMasterKeyId"] for name, r in storage.of("BucketServerSideEncryption").items()}
    assert keys == dict.fromkeys(BUCKETS, "storage-key-id") | dict.fromkeys(REPLICA, "storage-replica-key-id")


def test_the_ledger_its_copy_and_the_trail_are_under_retention_and_not_versioned(storage: Any) -> None:
    assert set(storage.of("BucketWorm")) == {"storage-ledger", "storage-replica-ledger", "audit-trail"}
    versioned = {"storage-releases", "storage-backups", "storage-replica-releases", "storage-replica-backups"}
    assert set(storage.of("BucketVersioning")) == versioned


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
    logged = {name: r for name, r in storage.of("BucketLogging").items() if name not in REPLICA}
    copied = {name: r.inputs["targetBucket"] for name, r in storage.of("BucketLogging").items() if name in REPLICA}
    assert copied == dict.fromkeys(COPIES, storage.of("Bucket")["storage-replica-logs"].inputs["bucket"])
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
    keys, alias = storage.of("Key"), storage.of("Alias")["storage-key"]
    assert set(keys) == set(storage.of("Alias")) == {"storage-key", "storage-replica-key"}
    for key in keys.values():
        assert (key.inputs["automaticRotation"], key.inputs["rotationInterval"]) == ("Enabled", "31536000s")
    assert (alias.inputs["aliasName"], alias.inputs["keyId"]) == (
        "alias/acme-production-storage-buckets",
        "storage-key-id",
    )


def test_each_bucket_has_a_copy_in_the_second_region_that_no_deletion_reaches(storage: Any) -> None:
    (region,) = (r for r in storage.of("alicloud").values() if r.name == "storage-replica-region")
    assert region.inputs["region"] == "cn-beijing"
    buckets, rules = storage.of("Bucket"), storage.of("BucketReplication")
    assert set(rules) == COPIES
    for name, rule in rules.items():
        original = buckets[name.replace("-replica-", "-")].inputs["bucket"]
        assert (rule.inputs["bucket"], rule.inputs["action"]) == (original, "PUT")
        assert rule.inputs["destination"] == {"bucket": buckets[name].inputs["bucket"], "location": "oss-cn-beijing"}
        assert rule.inputs["encryptionConfiguration"] == {"replicaKmsKeyId": "storage-replica-key-id"}
        assert rule.inputs["syncRole"] == storage.of("Role")["storage-replica-sync"].inputs["roleName"]


def test_what_stands_in_the_second_region_is_made_by_its_provider(storage: Any) -> None:
    regional = [
        r for r in storage.resources if r.name.startswith("storage-replica-") and r.type.startswith("alicloud:")
    ]
    there = {r.name for r in regional if "storage-replica-region" in r.provider}
    elsewhere = {(r.type.rpartition(":")[2], r.name) for r in regional if "storage-replica-region" not in r.provider}
    assert there == REPLICA | {"storage-replica-key"}
    here = {"BucketReplication", "Role", "Policy", "RolePolicyAttachment"}  # on the originals, and RAM has no region
    assert {kind for kind, _ in elsewhere} == here


def test_the_role_that_copies_reads_originals_and_writes_copies_alone(storage: Any) -> None:
    rights = [json.loads(storage.of("ram/policy:Policy")["storage-replica-sync"].inputs["policyDocument"])]
    buckets = {name: r.inputs["bucket"] for name, r in storage.of("Bucket").items()}

    def may(action: str, bucket: str) -> bool:
        return allows(rights, action, f"acs:oss:oss-cn-shanghai:1234567890123456:{buckets[bucket]}/1", {})

    assert may("oss:ReplicateGet", "storage-ledger")
    assert may("oss:ReplicatePut", "storage-replica-ledger")
    assert not may("oss:ReplicatePut", "storage-ledger")
    assert not may("oss:ReplicateGet", "audit-trail")
    assert not any(may(action, name) for action in ("oss:GetObject", "oss:DeleteObject") for name in buckets)


def test_inventories_of_every_bucket_but_the_logs_lie_there_encrypted(storage: Any) -> None:
    found, logs = storage.of("BucketInventory"), storage.of("Bucket")["storage-logs"].inputs["bucket"]
    assert set(found) == {"storage-releases", "storage-backups", "storage-ledger"}
    for resource in found.values():
        place = resource.inputs["destination"]["ossBucketDestination"]
        assert place["bucket"] == f"acs:oss:::{logs}"
        assert place["encryption"] == {"ssekms": {"keyId": "storage-key-id"}}
        assert place["roleArn"] == "acs:ram::1234567890123456:role/acme-production-storage-inventory"
        assert resource.inputs["schedule"] == {"frequency": "Weekly"}


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("ap-southeast-1", "not a region of the Chinese mainland"),
        ("cn-hongkong", "not a region of the Chinese mainland"),
        ("cn-shanghai", "the stack's own region"),
    ],
)
def test_a_copy_abroad_or_beside_its_original_is_refused(stand: Any, region: str, said: str) -> None:
    section = json.dumps({"ledger_retention_days": 1095, "replica": {"region": region}})
    with pytest.raises(Refused, match=said):
        stand("example-production", {"sfoa:storage": section})


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


def test_roles_read_and_write_objects_and_long_lived_keys_do_not(stand: Any) -> None:
    section = json.dumps(
        {
            "ledger_retention_days": 1095,
            "source_vpcs": ["vpc-runner"],
            "roles_only": True,
            "replica": {"region": "cn-beijing"},
        }
    )
    standing = stand("example-production", {"sfoa:storage": section})
    runner = json.loads(standing.of("ram/policy:Policy")["console-release-runner"].inputs["policyDocument"])

    def may(action: str, bucket: str, key_id: str, vpc: str) -> bool:
        policy = json.loads(standing.of("BucketPolicy")[bucket].inputs["policy"])
        resource = f"acs:oss:oss-cn-shanghai:1234567890123456:{standing.of('Bucket')[bucket].inputs['bucket']}"
        path = resource if "Bucket" in action else f"{resource}/bundles/1"
        everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        rights = runner if key_id == "STS.runner" else everything
        return allows([rights, policy], action, path, {"acs:AccessId": key_id, "acs:SourceVpc": vpc})

    for bucket in ("storage-releases", "storage-backups", "storage-ledger"):
        assert may("oss:PutObject", bucket, "STS.runner", "vpc-runner")
        assert may("oss:GetObject", bucket, "TMP.console", "vpc-runner")
        for key_id, vpc in (("LTAI.user", "vpc-runner"), ("STS.other", "vpc-other"), ("LTAI.user", "vpc-other")):
            assert not may("oss:GetObject", bucket, key_id, vpc)
        # Whoever the policy shuts out by a slip can take it back, from anywhere, with any key of the account.
        assert may("oss:DeleteBucketPolicy", bucket, "LTAI.account", "")
    assert may("oss:GetObject", "storage-replica-ledger", "STS.restore", "vpc-of-beijing")
    assert not may("oss:GetObject", "storage-replica-ledger", "LTAI.user", "vpc-of-beijing")
