"""The storage: four encrypted, private, TLS-only buckets and the key that they share."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_alicloud as ali

from infra.settings import Settings

AREA = "storage"
TLS_VERSIONS = ("TLSv1.2", "TLSv1.3")
STALE_UPLOAD_DAYS = 7
SECONDS_OF_A_DAY = 86_400
KEY_WAIT_DAYS = {True: 30, False: 7}  # production → days between the key's deletion and its end

# Split resources set these on the bucket; left to itself, `oss.Bucket` would see them after a refresh and undo them.
SET_ELSEWHERE = ["logging", "server_side_encryption_rule", "versioning"]


class Storage(pulumi.ComponentResource):
    """Buckets for releases, the ledger, backups and access logs, and one KMS key.

    The ledger is under a retention policy and therefore unversioned: OSS documents the two as exclusive
    (InitiateBucketWorm, older editions), and no regional difference can break what doesn't combine them.
    """

    releases: pulumi.Output[str]
    ledger: pulumi.Output[str]
    backups: pulumi.Output[str]
    logs: pulumi.Output[str]
    kms_key_id: pulumi.Output[str]

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sfoa:storage:Storage", name, None, opts)
        self._prefix = name
        self._settings = settings
        self._key = self._kms_key()
        keep = settings.storage
        logs = self._bucket("logs", [_expiring(keep.logs_retention_days)])
        releases = self._bucket("releases", [_replaced_expiring(keep.releases_retention_days)])
        backups = self._bucket("backups", [_replaced_expiring(keep.backups_retention_days)])
        ledger = self._bucket("ledger", [])
        for part, bucket in (("releases", releases), ("backups", backups)):
            self._keep_versions(part, bucket)
        self._retain("ledger", ledger)
        for part, bucket in (("releases", releases), ("backups", backups), ("ledger", ledger)):
            self._log(part, bucket, logs)
        self.releases, self.ledger, self.backups, self.logs = releases.id, ledger.id, backups.id, logs.id
        self.kms_key_id = self._key.id
        self.register_outputs(
            {
                "releases": self.releases,
                "ledger": self.ledger,
                "backups": self.backups,
                "logs": self.logs,
                "kms_key_id": self.kms_key_id,
            }
        )

    def _kms_key(self) -> ali.kms.Key:
        settings = self._settings
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
            opts=self._kept(),
        )
        ali.kms.Alias(
            f"{self._prefix}-key",
            alias_name=settings.labels.kms_alias(AREA, "buckets"),
            key_id=key.id,
            opts=self._kept(),
        )
        return key

    def _bucket(self, part: str, lifecycle: Sequence[ali.oss.BucketLifecycleRuleArgs]) -> ali.oss.Bucket:
        """Return a bucket that is private, refuses public grants and old TLS, and encrypts by the shared key."""
        bucket = ali.oss.Bucket(
            f"{self._prefix}-{part}",
            bucket=self._settings.labels.bucket(part),
            redundancy_type=self._settings.storage.redundancy,
            force_destroy=self._settings.storage.force_destroy,
            lifecycle_rules=list(lifecycle) or None,
            tags=self._settings.all_tags,
            opts=pulumi.ResourceOptions(parent=self, protect=self._settings.production, ignore_changes=SET_ELSEWHERE),
        )
        ali.oss.BucketAcl(f"{self._prefix}-{part}", bucket=bucket.id, acl="private", opts=self._kept())
        ali.oss.BucketPublicAccessBlock(
            f"{self._prefix}-{part}", bucket=bucket.id, block_public_access=True, opts=self._kept()
        )
        ali.oss.BucketServerSideEncryption(
            f"{self._prefix}-{part}",
            bucket=bucket.id,
            sse_algorithm="KMS",
            kms_master_key_id=self._key.id,
            opts=self._kept(),
        )
        ali.oss.BucketHttpsConfig(
            f"{self._prefix}-{part}",
            bucket=bucket.id,
            enable=True,
            tls_versions=list(TLS_VERSIONS),
            opts=self._kept(),
        )
        return bucket

    def _keep_versions(self, part: str, bucket: ali.oss.Bucket) -> None:
        ali.oss.BucketVersioning(
            f"{self._prefix}-{part}",
            bucket=bucket.id,
            status="Enabled",
            opts=self._kept(),
        )

    def _retain(self, part: str, bucket: ali.oss.Bucket) -> None:
        keep = self._settings.storage
        ali.oss.BucketWorm(
            f"{self._prefix}-{part}",
            bucket=bucket.id,
            retention_period_in_days=keep.ledger_retention_days,
            status="Locked" if keep.ledger_locked else "InProgress",
            opts=self._kept(),
        )

    def _log(self, part: str, bucket: ali.oss.Bucket, logs: ali.oss.Bucket) -> None:
        ali.oss.BucketLogging(
            f"{self._prefix}-{part}",
            bucket=bucket.id,
            target_bucket=logs.id,
            target_prefix=f"{part}/",
            opts=self._kept(),
        )

    def _kept(self) -> pulumi.ResourceOptions:
        """Return the options of everything here: what guards a bucket must stand as long as the bucket does."""
        return pulumi.ResourceOptions(parent=self, protect=self._settings.production)


def _expiring(days: int) -> ali.oss.BucketLifecycleRuleArgs:
    """Return the rule that removes objects after `days`."""
    return ali.oss.BucketLifecycleRuleArgs(
        id="expire",
        enabled=True,
        prefix="",
        expirations=[ali.oss.BucketLifecycleRuleExpirationArgs(days=days)],
        abort_multipart_uploads=[_stale_uploads()],
    )


def _replaced_expiring(days: int) -> ali.oss.BucketLifecycleRuleArgs:
    """Return the rule that keeps what is current for ever, and what was replaced or deleted for `days`."""
    return ali.oss.BucketLifecycleRuleArgs(
        id="expire-replaced",
        enabled=True,
        prefix="",
        expirations=[ali.oss.BucketLifecycleRuleExpirationArgs(expired_object_delete_marker=True)],
        noncurrent_version_expirations=[ali.oss.BucketLifecycleRuleNoncurrentVersionExpirationArgs(days=days)],
        abort_multipart_uploads=[_stale_uploads()],
    )


def _stale_uploads() -> ali.oss.BucketLifecycleRuleAbortMultipartUploadArgs:
    return ali.oss.BucketLifecycleRuleAbortMultipartUploadArgs(days=STALE_UPLOAD_DAYS)
