"""KMS: keys, aliases, encryption, secrets."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulators.alicloud.rpc_cloud import Cloud, Refusal

DAY = 86400


@pytest.fixture
def key(cloud: Cloud) -> str:
    """An enabled key."""
    ident: str = cloud("kms", "CreateKey", Description="ledger")["KeyMetadata"]["KeyId"]
    return ident


def metadata(cloud: Cloud, key: str) -> dict[str, str]:
    """Return what the service says of a key."""
    found: dict[str, str] = cloud("kms", "DescribeKey", KeyId=key)["KeyMetadata"]
    return found


def test_a_key_is_made_as_it_was_asked_for(cloud: Cloud) -> None:
    tags = json.dumps([{"TagKey": "team", "TagValue": "crm"}])
    sent = {"EnableAutomaticRotation": "true", "RotationInterval": "365d", "Tags": tags}
    made = cloud("kms", "CreateKey", Description="k", **sent)["KeyMetadata"]
    assert made["Arn"] == f"acs:kms:cn-shanghai:1234567890123456:key/{made['KeyId']}"
    assert (made["KeyState"], made["KeySpec"], made["Origin"]) == ("Enabled", "Aliyun_AES_256", "Aliyun_KMS")
    assert (made["AutomaticRotation"], made["RotationInterval"]) == ("Enabled", f"{365 * DAY}s")
    rows = cloud("kms", "ListTagResources", ResourceType="key", ResourceId__1=made["KeyId"])
    assert [(row["TagKey"], row["TagValue"]) for row in rows["TagResources"]["TagResource"]] == [("team", "crm")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=200), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_what_was_encrypted_comes_back_with_the_same_context_only(text: str, context: dict[str, str]) -> None:
    cloud = Cloud()
    key = cloud("kms", "CreateKey")["KeyMetadata"]["KeyId"]
    sent = {"EncryptionContext": json.dumps(context)}
    blob = cloud("kms", "Encrypt", KeyId=key, Plaintext=text, **sent)["CiphertextBlob"]
    assert text.encode() not in base64.b64decode(blob) or len(text) < 4
    assert cloud("kms", "Decrypt", CiphertextBlob=blob, **sent)["Plaintext"] == text
    with pytest.raises(Refusal, match=r"InvalidParameter\.CiphertextBlob"):
        cloud("kms", "Decrypt", CiphertextBlob=blob, EncryptionContext=json.dumps({**context, "more": "x"}))


def test_a_changed_ciphertext_is_refused(cloud: Cloud, key: str) -> None:
    raw = bytearray(base64.b64decode(cloud("kms", "Encrypt", KeyId=key, Plaintext="hello")["CiphertextBlob"]))
    raw[-1] ^= 1
    for blob in (base64.b64encode(raw).decode(), "AAAA", "not base64"):
        with pytest.raises(Refusal, match=r"InvalidParameter\.CiphertextBlob"):
            cloud("kms", "Decrypt", CiphertextBlob=blob)


def test_a_data_key_is_sealed_under_its_key(cloud: Cloud, key: str) -> None:
    made = cloud("kms", "GenerateDataKey", KeyId=key)
    assert len(base64.b64decode(made["Plaintext"])) == 32
    assert cloud("kms", "Decrypt", CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
    without = cloud("kms", "GenerateDataKeyWithoutPlaintext", KeyId=key, NumberOfBytes=64)
    assert "Plaintext" not in without


def test_rotation_adds_versions_and_old_ciphertexts_stay_readable(cloud: Cloud) -> None:
    sent = {"EnableAutomaticRotation": "true", "RotationInterval": "7d"}
    key = cloud("kms", "CreateKey", **sent)["KeyMetadata"]["KeyId"]
    first = metadata(cloud, key)["PrimaryKeyVersion"]
    blob = cloud("kms", "Encrypt", KeyId=key, Plaintext="old")["CiphertextBlob"]
    cloud.wait(8 * DAY)
    assert metadata(cloud, key)["PrimaryKeyVersion"] != first
    assert cloud("kms", "Decrypt", CiphertextBlob=blob)["Plaintext"] == "old"
    assert cloud("kms", "ListKeyVersions", KeyId=key)["TotalCount"] == 2
    with pytest.raises(Refusal, match="InvalidParameter"):
        cloud("kms", "UpdateRotationPolicy", KeyId=key, EnableAutomaticRotation="true", RotationInterval="1d")


def test_a_disabled_key_does_nothing_until_it_is_enabled(cloud: Cloud, key: str) -> None:
    cloud("kms", "DisableKey", KeyId=key)
    with pytest.raises(Refusal, match=r"Rejected\.Disabled"):
        cloud("kms", "Encrypt", KeyId=key, Plaintext="x")
    cloud("kms", "EnableKey", KeyId=key)
    assert cloud("kms", "Encrypt", KeyId=key, Plaintext="x")["KeyId"] == key


def test_a_key_is_deleted_after_its_waiting_time_unless_that_is_cancelled(cloud: Cloud, key: str) -> None:
    with pytest.raises(Refusal, match="InvalidParameter"):
        cloud("kms", "ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=6)
    cloud("kms", "ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    assert metadata(cloud, key)["KeyState"] == "PendingDeletion"
    cloud("kms", "CancelKeyDeletion", KeyId=key)
    assert metadata(cloud, key)["KeyState"] == "Enabled"
    cloud("kms", "ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    cloud.wait(7 * DAY)
    with pytest.raises(Refusal, match=r"Forbidden\.KeyNotFound"):
        metadata(cloud, key)


def test_deletion_protection_holds_a_key(cloud: Cloud, key: str) -> None:
    arn = metadata(cloud, key)["Arn"]
    sent = {"ProtectedResourceArn": arn, "DeletionProtectionDescription": "ledger"}
    cloud("kms", "SetDeletionProtection", EnableDeletionProtection="true", **sent)
    assert metadata(cloud, key)["DeletionProtectionDescription"] == "ledger"
    with pytest.raises(Refusal, match=r"Rejected\.DeletionProtection"):
        cloud("kms", "ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)


def test_an_alias_stands_for_its_key_and_is_unique(cloud: Cloud, key: str) -> None:
    cloud("kms", "CreateAlias", AliasName="alias/ledger", KeyId=key)
    assert metadata(cloud, "alias/ledger")["KeyId"] == key
    with pytest.raises(Refusal, match=r"Rejected\.AliasExist"):
        cloud("kms", "CreateAlias", AliasName="alias/ledger", KeyId=key)
    other = cloud("kms", "CreateKey")["KeyMetadata"]["KeyId"]
    cloud("kms", "UpdateAlias", AliasName="alias/ledger", KeyId=other)
    assert metadata(cloud, "alias/ledger")["KeyId"] == other
    assert [row["AliasName"] for row in cloud("kms", "ListAliases")["Aliases"]["Alias"]] == ["alias/ledger"]
    cloud("kms", "DeleteAlias", AliasName="alias/ledger")
    with pytest.raises(Refusal, match=r"Forbidden\.AliasNotFound"):
        metadata(cloud, "alias/ledger")


def test_a_key_policy_is_kept_as_it_was_sent(cloud: Cloud, key: str) -> None:
    assert "kms:*" in cloud("kms", "GetKeyPolicy", KeyId=key)["Policy"]
    policy = '{"Version": "1", "Statement": [ ]}'
    cloud("kms", "SetKeyPolicy", KeyId=key, Policy=policy)
    assert cloud("kms", "GetKeyPolicy", KeyId=key)["Policy"] == policy


def test_a_secret_has_versions_and_its_value_is_sealed_in_the_store(cloud: Cloud, key: str) -> None:
    sent = {"SecretName": "idp/client", "EncryptionKeyId": key}
    cloud("kms", "CreateSecret", SecretData="first-value", VersionId="v1", **sent)
    cloud("kms", "PutSecretValue", SecretName="idp/client", SecretData="second", VersionId="v2")
    assert cloud("kms", "GetSecretValue", SecretName="idp/client")["SecretData"] == "second"
    old = cloud("kms", "GetSecretValue", SecretName="idp/client", VersionStage="ACSPrevious")
    assert (old["SecretData"], old["VersionId"]) == ("first-value", "v1")
    assert "first-value" not in json.dumps(cloud.store.all("alicloud.kms_secret"))
    cloud("kms", "DisableKey", KeyId=key)
    with pytest.raises(Refusal, match=r"Rejected\.Disabled"):
        cloud("kms", "GetSecretValue", SecretName="idp/client")


def test_a_deleted_secret_can_be_restored_while_it_waits(cloud: Cloud) -> None:
    cloud("kms", "CreateSecret", SecretName="s", SecretData="x", VersionId="v1")
    cloud("kms", "DeleteSecret", SecretName="s", RecoveryWindowInDays=7)
    with pytest.raises(Refusal, match=r"Rejected\.ResourceInPendingDeletion"):
        cloud("kms", "GetSecretValue", SecretName="s")
    cloud("kms", "RestoreSecret", SecretName="s")
    assert cloud("kms", "GetSecretValue", SecretName="s")["SecretData"] == "x"
    cloud("kms", "DeleteSecret", SecretName="s", ForceDeleteWithoutRecovery="true")
    with pytest.raises(Refusal, match=r"Forbidden\.ResourceNotFound"):
        cloud("kms", "DescribeSecret", SecretName="s")
