"""The storage: encrypted, private, TLS-only buckets and the key that they share."""

from __future__ import annotations

import pulumi

from infra.bucketkey import bucket_key
from infra.buckets import Buckets, expiring, replaced_expiring
from infra.inventory import take_inventories
from infra.replica import Original, Replica
from infra.settings import Settings


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
        child = pulumi.ResourceOptions(parent=self)
        kept = pulumi.ResourceOptions(parent=self, protect=settings.production)
        self.kms_key_id = bucket_key(name, "buckets", settings, settings.storage.kms_instance_id, kept).id
        keep, make = settings.storage, Buckets(self, name, settings, self.kms_key_id)
        logs = make.make("logs", [expiring(keep.logs_retention_days)])
        releases = make.make("releases", [replaced_expiring(keep.releases_retention_days)])
        backups = make.make("backups", [replaced_expiring(keep.backups_retention_days)])
        ledger = make.make("ledger")
        retained = make.retain("ledger", ledger, keep.ledger_retention_days, keep.ledger_locked)
        versioned = {"releases": releases, "backups": backups}
        if keep.state:
            versioned["state"] = make.make("state", [replaced_expiring(keep.backups_retention_days)])
        originals = {part: Original(bucket, make.keep_versions(part, bucket)) for part, bucket in versioned.items()}
        originals["ledger"] = Original(ledger, retained)
        for part, bucket in (versioned | {"ledger": ledger}).items():
            make.log(part, bucket, logs.id)
            make.bind(part, bucket, keep.source_vpcs, keep.roles_only)
        if keep.inventory:
            take_inventories(
                name, settings, keep.inventory, versioned | {"ledger": ledger}, logs, self.kms_key_id, kept
            )
        if keep.replica:
            Replica(f"{name}-replica", settings, keep.replica, self.kms_key_id, originals, child)
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
