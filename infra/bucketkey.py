"""The KMS key that the buckets of one region share."""

from __future__ import annotations

import pulumi
import pulumi_alicloud as ali

from infra.settings import Settings

AREA = "storage"
SECONDS_OF_A_DAY = 86_400
KEY_WAIT_DAYS = {True: 30, False: 7}  # production → days between the key's deletion and its end


def bucket_key(
    prefix: str, alias: str, settings: Settings, instance: str | None, opts: pulumi.ResourceOptions
) -> ali.kms.Key:
    """Return a key that rotates, and that production doesn't let go; `instance` is a dedicated KMS of its region."""
    key = ali.kms.Key(
        f"{prefix}-key",
        description=f"Buckets of {settings.company} {settings.environment.value}",
        key_spec="Aliyun_AES_256",
        key_usage="ENCRYPT/DECRYPT",
        dkms_instance_id=instance,
        automatic_rotation="Enabled",
        # KMS answers in seconds, and the provider compares texts
        rotation_interval=f"{settings.storage.key_rotation_days * SECONDS_OF_A_DAY}s",
        deletion_protection="Enabled" if settings.production else "Disabled",
        pending_window_in_days=KEY_WAIT_DAYS[settings.production],
        tags=settings.all_tags,
        opts=opts,
    )
    ali.kms.Alias(
        f"{prefix}-key",
        alias_name=settings.labels.kms_alias(AREA, alias),
        key_id=key.id,
        opts=opts,
    )
    return key
