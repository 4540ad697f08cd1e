"""The storage: encrypted, private, TLS-only buckets and the key that they share."""

from __future__ import annotations

import pulumi
import pulumi_alicloud as ali

from infra.buckets import Buckets, expiring, replaced_expiring
from infra.settings import Settings

AREA = "storage"
SECONDS_OF_A_DAY = 86_400
KEY_WAIT_DAYS = {True: 30, False: 7}  # production → days between the key's deletion and its end


class Storage(pulumi.ComponentResource):
    """Buckets for releases, the ledger, backups and access logs, one KMS key, and on demand a bucket of Pulumi's state.

    The ledger is under a retention policy and therefore unversioned: OSS documents the two as exclusive
    (InitiateBucketWorm, older editions), and no regional difference can break what doesn't combine them.
    """

    releases: pulumi.Output[str]
    ledger: pulumi.Output[str]
    backups: pulumi.Output[str]
    logs: pulumi.Output[str]
    kms_key_id: pulumi.Output[str]
    state_url: pulumi.Output[str] | None
    """Address for `pulumi login`; None without a bucket of state."""

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sfoa:storage:Storage", name, None, opts)
        self._prefix = name
        self._settings = settings
        self.kms_key_id = self._kms_key().id
        keep, make = settings.storage, Buckets(self, name, settings, self.kms_key_id)
        logs = make.make("logs", [expiring(keep.logs_retention_days)])
        releases = make.make("releases", [replaced_expiring(keep.releases_retention_days)])
        backups = make.make("backups", [replaced_expiring(keep.backups_retention_days)])
        ledger = make.make("ledger")
        make.retain("ledger", ledger, keep.ledger_retention_days, keep.ledger_locked)
        versioned = {"releases": releases, "backups": backups}
        if keep.state:
            versioned["state"] = make.make("state", [replaced_expiring(keep.backups_retention_days)])
        for part, bucket in versioned.items():
            make.keep_versions(part, bucket)
        for part, bucket in (versioned | {"ledger": ledger}).items():
            make.log(part, bucket, logs.id)
            if keep.source_vpcs:
                make.bind(part, bucket, keep.source_vpcs)
        self.releases, self.ledger, self.backups, self.logs = releases.id, ledger.id, backups.id, logs.id
        self.state_url = versioned["state"].id.apply(self._login) if keep.state else None
        self.register_outputs(
            {
                "releases": self.releases,
                "ledger": self.ledger,
                "backups": self.backups,
                "logs": self.logs,
                "kms_key_id": self.kms_key_id,
            }
        )

    def _login(self, bucket: str) -> str:
        """Return a bucket's address as Pulumi's S3 backend takes it: OSS answers S3's protocol at hosts of its own."""
        region = self._settings.region
        return f"s3://{bucket}?region={region}&endpoint=https://s3.oss-{region}.aliyuncs.com"

    def _kms_key(self) -> ali.kms.Key:
        settings = self._settings
        kept = pulumi.ResourceOptions(parent=self, protect=settings.production)
        key = ali.kms.Key(
            f"{self._prefix}-key",
            description=f"Buckets of {settings.company} {settings.environment.value}",
            key_spec="Aliyun_AES_256",
            key_usage="ENCRYPT/DECRYPT",
            dkms_instance_id=settings.storage.kms_instance_id,
            automatic_rotation="Enabled",
            # KMS answers in seconds, and the provider compares texts
            rotation_interval=f"{settings.storage.key_rotation_days * SECONDS_OF_A_DAY}s",
            deletion_protection="Enabled" if settings.production else "Disabled",
            pending_window_in_days=KEY_WAIT_DAYS[settings.production],
            tags=settings.all_tags,
            opts=kept,
        )
        ali.kms.Alias(
            f"{self._prefix}-key",
            alias_name=settings.labels.kms_alias(AREA, "buckets"),
            key_id=key.id,
            opts=kept,
        )
        return key
