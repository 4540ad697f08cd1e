"""Buckets as the landing zone makes every one of them: private, TLS-only, encrypted by a key of ours, logged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_alicloud as ali

from infra.settings import Settings

TLS_VERSIONS = ("TLSv1.2", "TLSv1.3")
STALE_UPLOAD_DAYS = 7
# What touches data; help.aliyun.com, OSS, "Actions in bucket policies", from knowledge.
OBJECT_ACTIONS = (
    "oss:AbortMultipartUpload",
    "oss:DeleteObject*",
    "oss:GetObject*",
    "oss:ListObject*",
    "oss:PutObject*",
    "oss:RestoreObject",
)

# Ids of what STS hands out to a role, and of what the console signs by; help.aliyun.com, OSS, "Bucket Policy examples",
# "Require temporary credentials for API calls". A condition on acs:PrincipalArn is taken there, but isn't enforced.
TEMPORARY_KEYS = ("STS.*", "TMP.*")

# Split resources set these on the bucket; left to itself, `oss.Bucket` would see them after a refresh and undo them.
SET_ELSEWHERE = ["logging", "server_side_encryption_rule", "versioning"]


@dataclass(frozen=True)
class Buckets:
    """Makes the buckets of one component. `prefix` begins each resource's logical name.

    `provider` stands for another region than the stack's; `named` begins what buckets are called after.
    """

    parent: pulumi.Resource
    prefix: str
    settings: Settings
    key_id: pulumi.Input[str]
    provider: ali.Provider | None = None
    named: str = ""

    def make(self, part: str, lifecycle: Sequence[ali.oss.BucketLifecycleRuleArgs] = ()) -> ali.oss.Bucket:
        """Return a bucket that is private, refuses public grants and old TLS, and encrypts by the shared key."""
        bucket = ali.oss.Bucket(
            f"{self.prefix}-{part}",
            bucket=self.settings.labels.bucket(self.named + part),
            redundancy_type=self.settings.storage.redundancy,
            force_destroy=self.settings.storage.force_destroy,
            lifecycle_rules=list(lifecycle) or None,
            tags=self.settings.all_tags,
            opts=pulumi.ResourceOptions.merge(self.kept, pulumi.ResourceOptions(ignore_changes=SET_ELSEWHERE)),
        )
        ali.oss.BucketAcl(f"{self.prefix}-{part}", bucket=bucket.id, acl="private", opts=self.kept)
        ali.oss.BucketPublicAccessBlock(
            f"{self.prefix}-{part}", bucket=bucket.id, block_public_access=True, opts=self.kept
        )
        ali.oss.BucketServerSideEncryption(
            f"{self.prefix}-{part}",
            bucket=bucket.id,
            sse_algorithm="KMS",
            kms_master_key_id=self.key_id,
            opts=self.kept,
        )
        ali.oss.BucketHttpsConfig(
            f"{self.prefix}-{part}", bucket=bucket.id, enable=True, tls_versions=list(TLS_VERSIONS), opts=self.kept
        )
        return bucket

    def keep_versions(self, part: str, bucket: ali.oss.Bucket) -> ali.oss.BucketVersioning:
        """Let what is overwritten or deleted in a bucket be brought back."""
        return ali.oss.BucketVersioning(f"{self.prefix}-{part}", bucket=bucket.id, status="Enabled", opts=self.kept)

    def retain(self, part: str, bucket: ali.oss.Bucket, days: int, locked: bool) -> ali.oss.BucketWorm:
        """Let nobody change or delete an object of a bucket for `days`; a locked policy can't be taken back."""
        return ali.oss.BucketWorm(
            f"{self.prefix}-{part}",
            bucket=bucket.id,
            retention_period_in_days=days,
            status="Locked" if locked else "InProgress",
            opts=self.kept,
        )

    def log(self, part: str, bucket: ali.oss.Bucket, logs: pulumi.Input[str]) -> None:
        """Log access to a bucket in the bucket `logs`."""
        ali.oss.BucketLogging(
            f"{self.prefix}-{part}", bucket=bucket.id, target_bucket=logs, target_prefix=f"{part}/", opts=self.kept
        )

    def bind(self, part: str, bucket: ali.oss.Bucket, vpcs: Sequence[str], roles_only: bool) -> None:
        """Refuse calls for the objects of a bucket from elsewhere than `vpcs` (any, when empty) or without a role.

        The bucket's own settings stay within reach from everywhere, so that nobody locks themselves out for good.
        """
        conditions: list[dict[str, dict[str, list[str]]]] = []
        if vpcs:
            conditions.append({"StringNotEquals": {"acs:SourceVpc": list(vpcs)}})
        if roles_only:
            conditions.append({"StringNotLike": {"acs:AccessId": list(TEMPORARY_KEYS)}})
        if not conditions:
            return
        account = self.settings.account_id

        def document(name: str) -> str:
            denied = {
                "Effect": "Deny",
                "Principal": ["*"],
                "Action": list(OBJECT_ACTIONS),
                "Resource": [f"acs:oss:*:{account}:{name}", f"acs:oss:*:{account}:{name}/*"],
            }
            # One statement each: the conditions of one must all hold.
            return json.dumps({"Version": "1", "Statement": [denied | {"Condition": one} for one in conditions]})

        ali.oss.BucketPolicy(
            f"{self.prefix}-{part}", bucket=bucket.id, policy=bucket.id.apply(document), opts=self.kept
        )

    @property
    def kept(self) -> pulumi.ResourceOptions:
        """The options of everything here: what guards a bucket must stand as long as the bucket does."""
        return pulumi.ResourceOptions(parent=self.parent, protect=self.settings.production, provider=self.provider)


def expiring(days: int) -> ali.oss.BucketLifecycleRuleArgs:
    """Return the rule that removes objects after `days`."""
    return ali.oss.BucketLifecycleRuleArgs(
        id="expire",
        enabled=True,
        prefix="",
        expirations=[ali.oss.BucketLifecycleRuleExpirationArgs(days=days)],
        abort_multipart_uploads=[_stale_uploads()],
    )


def replaced_expiring(days: int) -> ali.oss.BucketLifecycleRuleArgs:
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
