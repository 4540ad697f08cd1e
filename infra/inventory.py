"""Inventories: lists of what each bucket holds, which OSS writes to the bucket of logs."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_alicloud as ali

from infra.servicerole import Statement, allow, service_role
from infra.settings import Settings

PREFIX = "inventory"
# What lets a reader see that an object is encrypted, and which release it is part of.
FIELDS = ("Size", "LastModifiedDate", "ETag", "StorageClass", "EncryptionStatus")


def take_inventories(
    name: str,
    settings: Settings,
    frequency: str,
    buckets: Mapping[str, ali.oss.Bucket],
    logs: ali.oss.Bucket,
    key_id: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Let OSS list each of `buckets` under `inventory/` of `logs`, "Daily" or "Weekly", encrypted by the key."""
    account = settings.account_id

    def rights(made: list[str]) -> list[Statement]:
        return [
            allow(["oss:PutObject"], f"acs:oss:*:{account}:{made[0]}/{PREFIX}/*"),
            allow(["kms:GenerateDataKey", "kms:Decrypt"], f"acs:kms:{settings.region}:{account}:key/{made[1]}"),
        ]

    role, attached = service_role(
        f"{name}-{PREFIX}",
        settings.labels.plain("storage", PREFIX),
        "oss.aliyuncs.com",
        pulumi.Output.all(logs.id, key_id).apply(rights),
        settings.all_tags,
        opts,
    )
    for part, bucket in buckets.items():
        ali.oss.BucketInventory(
            f"{name}-{part}",
            bucket=bucket.id,
            inventory_id="all",
            is_enabled=True,
            included_object_versions="All",
            schedule=ali.oss.BucketInventoryScheduleArgs(frequency=frequency),
            optional_fields=ali.oss.BucketInventoryOptionalFieldsArgs(fields=list(FIELDS)),
            destination=ali.oss.BucketInventoryDestinationArgs(
                oss_bucket_destination=ali.oss.BucketInventoryDestinationOssBucketDestinationArgs(
                    format="CSV",
                    account_id=account,
                    bucket=logs.id.apply("acs:oss:::{}".format),
                    prefix=f"{PREFIX}/{part}",
                    role_arn=role.arn,
                    encryption=ali.oss.BucketInventoryDestinationOssBucketDestinationEncryptionArgs(
                        ssekms=ali.oss.BucketInventoryDestinationOssBucketDestinationEncryptionSsekmsArgs(key_id=key_id)
                    ),
                )
            ),
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[attached])),
        )
