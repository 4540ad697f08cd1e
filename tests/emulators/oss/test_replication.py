"""Replication and inventory: as the Terraform provider's SDKs send them, and through the official SDK's models."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import alibabacloud_oss_v2 as oss
import pytest
from lxml import etree

from emulators.alicloud.account import AccessKey
from emulators.alicloud.oss.signature import Resource, _v4
from emulators.http import Request
from tests.emulators.oss.oss_calls import refusal

ROLE = "acs:ram::1234567890123456:role/oss"
ENCRYPTED = (
    "<SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects>"
    "</SourceSelectionCriteria>"
)


def call(client: Any, method: str, bucket: str, body: str = "", **parameters: str) -> Any:
    asked = oss.OperationInput(
        op_name="Invoke",
        method=method,
        bucket=bucket,
        parameters={name.replace("_", "-"): value for name, value in parameters.items()},
        body=body.encode() or None,
        op_metadata={"sub-resource": list(parameters)},
    )
    return client.invoke_operation(asked).http_response


def rule(target: str, location: str = "oss-cn-beijing", more: str = "") -> str:
    """Return what resource_alicloud_oss_bucket_replication.go sends (1.285.0)."""
    return (
        "<ReplicationConfiguration><Rule><Action>PUT</Action>"
        f"<Destination><Bucket>{target}</Bucket><Location>{location}</Location></Destination>"
        f"<HistoricalObjectReplication>enabled</HistoricalObjectReplication>{more}</Rule></ReplicationConfiguration>"
    )


@pytest.fixture
def target(make_client: Any, fresh_name: str) -> str:
    name = f"{fresh_name}-north"
    make_client(region="cn-beijing").put_bucket(oss.PutBucketRequest(bucket=name))
    return name


@pytest.fixture
def account(make_client: Any) -> Any:
    return make_client(signature_version="v1")


@pytest.fixture
def source(account: Any, fresh_name: str) -> str:
    account.put_bucket(oss.PutBucketRequest(bucket=f"{fresh_name}-east"))
    return f"{fresh_name}-east"


def test_a_bucket_replicates_into_another_region_until_its_rule_is_deleted(
    account: Any, source: str, target: str
) -> None:
    added = call(account, "POST", source, rule(target), replication="", comp="add")
    ident = added.headers["x-oss-replication-rule-id"]
    shown = account.get_bucket_replication(oss.GetBucketReplicationRequest(bucket=source)).replication_configuration
    (kept,) = shown.rules
    assert (kept.id, kept.action, kept.destination.bucket, kept.destination.location) == (
        ident,
        "PUT",
        target,
        "oss-cn-beijing",
    )
    progress = call(account, "GET", source, replicationProgress="", rule_id=ident)
    assert etree.fromstring(progress.content).findtext("Rule/Progress/HistoricalObject") == "1"
    info = account.get_bucket_info(oss.GetBucketInfoRequest(bucket=source)).bucket_info
    assert info.cross_region_replication == "Enabled"
    again = refusal(lambda: call(account, "POST", source, rule(target), replication="", comp="add"))
    assert again.code == "BucketReplicationAlreadyExist"
    gone = f"<ReplicationRules><ID>{ident}</ID></ReplicationRules>"
    call(account, "POST", source, gone, replication="", comp="delete")
    missing = refusal(lambda: account.get_bucket_replication(oss.GetBucketReplicationRequest(bucket=source)))
    assert missing.code == "NoSuchReplicationConfiguration"


@pytest.mark.parametrize(
    ("location", "more", "code"),
    [
        ("oss-cn-hangzhou", "", "InvalidTargetBucket"),
        (
            "oss-cn-beijing",
            ENCRYPTED,
            "InvalidArgument",
        ),
    ],
)
def test_a_rule_that_could_not_work_is_refused(
    account: Any, source: str, target: str, location: str, more: str, code: str
) -> None:
    wrong = refusal(lambda: call(account, "POST", source, rule(target, location, more), replication="", comp="add"))
    assert wrong.code == code


def test_a_versioned_bucket_does_not_replicate_into_one_that_is_not(account: Any, source: str, target: str) -> None:
    enabled = oss.VersioningConfiguration(status="Enabled")
    account.put_bucket_versioning(oss.PutBucketVersioningRequest(bucket=source, versioning_configuration=enabled))
    wrong = refusal(lambda: call(account, "POST", source, rule(target), replication="", comp="add"))
    assert wrong.code == "InvalidTargetBucket"


def inventory(target: str, frequency: str = "Weekly") -> oss.InventoryConfiguration:
    place = oss.InventoryOSSBucketDestination(
        format="CSV", account_id="1234567890123456", role_arn=ROLE, bucket=f"acs:oss:::{target}", prefix="inventory"
    )
    return oss.InventoryConfiguration(
        id="all",
        is_enabled=True,
        destination=oss.InventoryDestination(oss_bucket_destination=place),
        schedule=oss.InventorySchedule(frequency=frequency),
        included_object_versions="Current",
    )


def test_an_inventory_is_kept_listed_and_deleted(account: Any, source: str) -> None:
    asked = {"bucket": source, "inventory_id": "all"}
    put = oss.PutBucketInventoryRequest(**asked, inventory_configuration=inventory(source))
    account.put_bucket_inventory(put)
    shown = account.get_bucket_inventory(oss.GetBucketInventoryRequest(**asked)).inventory_configuration
    assert shown.destination.oss_bucket_destination.bucket == f"acs:oss:::{source}"
    listed = account.list_bucket_inventory(oss.ListBucketInventoryRequest(bucket=source))
    assert [row.id for row in listed.list_inventory_configurations_result.inventory_configurations] == ["all"]
    account.delete_bucket_inventory(oss.DeleteBucketInventoryRequest(**asked))
    gone = refusal(lambda: account.get_bucket_inventory(oss.GetBucketInventoryRequest(**asked)))
    assert gone.code == "NoSuchInventoryConfiguration"


def test_an_inventory_goes_to_no_other_region_and_has_a_known_rhythm(account: Any, source: str, target: str) -> None:
    for wrong in (inventory(target), inventory(source, "Hourly")):
        put = oss.PutBucketInventoryRequest(bucket=source, inventory_id="all", inventory_configuration=wrong)
        assert refusal(partial(account.put_bucket_inventory, put)).code in ("InvalidArgument", "MalformedXML")


def test_a_parameter_that_is_named_twice_is_signed_once() -> None:
    """The provider asks for an inventory at "/?inventory&inventoryId=all" with inventoryId=all once more."""
    asked = Request("GET", "acme.oss-cn-shanghai.aliyuncs.com", "/?inventory&inventoryId=all")
    again = replace(asked, target=f"{asked.target}&inventoryId=all")
    date, scope = "20261122T000000Z", "20261122/cn-shanghai/oss/aliyun_v4_request"
    signed = {_v4(AccessKey("id", "secret"), one, Resource("acme", ""), date, scope, "") for one in (asked, again)}
    assert len(signed) == 1
