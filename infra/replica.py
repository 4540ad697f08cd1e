"""The second copy of the buckets: in another region of the mainland, under a key of that region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_alicloud as ali

from infra.bucketkey import bucket_key
from infra.buckets import Buckets, expiring, replaced_expiring
from infra.sections.storage import ReplicaSettings
from infra.servicerole import Statement, allow, service_role
from infra.settings import Settings

SERVICE = "oss.aliyuncs.com"


@dataclass(frozen=True)
class Original:
    """A bucket to copy, and what has to stand on it before: its versioning, or its retention."""

    bucket: ali.oss.Bucket
    ready: pulumi.Resource


class Replica(pulumi.ComponentResource):
    """A copy of each bucket in a second region, to which OSS takes over what is written or overwritten.

    A deletion is not taken over. What already lies in a bucket is copied too. The copy of the ledger is under the
    ledger's own retention, and every copy is guarded as its original is.
    """

    buckets: dict[str, pulumi.Output[str]]
    """Name of the copy of each original."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        wanted: ReplicaSettings,
        source_key: pulumi.Input[str],
        originals: Mapping[str, Original],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sfoa:storage:Replica", name, None, opts)
        self._settings = settings
        keep, region = settings.storage, wanted.region
        provider = ali.Provider(
            f"{name}-region",
            region=region,
            account_id=settings.account_id,
            account_type=settings.account_type,
            opts=pulumi.ResourceOptions(parent=self),
        )
        placed = pulumi.ResourceOptions(parent=self, protect=settings.production, provider=provider)
        key = bucket_key(name, "replica", settings, wanted.kms_instance_id, placed)
        make = Buckets(self, name, settings, key.id, provider, "replica-")
        logs = make.make("logs", [expiring(keep.logs_retention_days)])
        lifecycles = {"releases": keep.releases_retention_days, "backups": keep.backups_retention_days}
        lifecycles["state"] = keep.backups_retention_days
        copies: dict[str, Original] = {}
        for part in originals:
            versioned = part in lifecycles
            copy = make.make(part, [replaced_expiring(lifecycles[part])] if versioned else ())
            make.log(part, copy, logs.id)
            make.bind(part, copy, (), keep.roles_only)  # a VPC is of one region: the runner's is none of this one's
            ready: pulumi.Resource = (
                make.keep_versions(part, copy)
                if versioned
                else make.retain(part, copy, keep.ledger_retention_days, keep.ledger_locked)
            )
            copies[part] = Original(copy, ready)
        role, rights = self._role(name, source_key, key.id, originals, copies)
        for part, original in originals.items():
            ali.oss.BucketReplication(
                f"{name}-{part}",
                bucket=original.bucket.id,
                action="PUT",
                historical_object_replication="enabled",
                destination=ali.oss.BucketReplicationDestinationArgs(
                    bucket=copies[part].bucket.id, location=f"oss-{region}"
                ),
                sync_role=role.role_name,
                source_selection_criteria=ali.oss.BucketReplicationSourceSelectionCriteriaArgs(
                    sse_kms_encrypted_objects=ali.oss.BucketReplicationSourceSelectionCriteriaSseKmsEncryptedObjectsArgs(
                        status="Enabled"
                    )
                ),
                encryption_configuration=ali.oss.BucketReplicationEncryptionConfigurationArgs(
                    replica_kms_key_id=key.id
                ),
                opts=pulumi.ResourceOptions(
                    parent=self,
                    protect=settings.production,
                    depends_on=[original.ready, copies[part].ready, rights],
                ),
            )
        self.buckets = {part: copy.bucket.id for part, copy in copies.items()}
        self.register_outputs({"buckets": self.buckets})

    def _role(
        self,
        name: str,
        source_key: pulumi.Input[str],
        key: pulumi.Input[str],
        originals: Mapping[str, Original],
        copies: Mapping[str, Original],
    ) -> tuple[ali.ram.Role, ali.ram.RolePolicyAttachment]:
        """Return the role that OSS copies by. Rights: help.aliyun.com, OSS, "Data replication", from knowledge."""
        settings = self._settings
        account = settings.account_id

        def rights(made: dict[str, object]) -> list[Statement]:
            def named(kind: str) -> list[str]:
                names = [str(value) for part, value in sorted(made.items()) if part.startswith(f"{kind}-")]
                return [f"acs:oss:*:{account}:{bucket}{rest}" for bucket in names for rest in ("", "/*")]

            return [
                allow(["oss:ReplicateList", "oss:ReplicateGet"], *named("from")),
                allow(["oss:ReplicateList", "oss:ReplicateGet", "oss:ReplicatePut"], *named("to")),
                allow(["kms:Decrypt"], f"acs:kms:*:{account}:key/{made['source']}"),
                allow(["kms:Decrypt", "kms:GenerateDataKey"], f"acs:kms:*:{account}:key/{made['key']}"),
            ]

        named: dict[str, pulumi.Input[object]] = {
            **{f"from-{part}": original.bucket.id for part, original in originals.items()},
            **{f"to-{part}": copy.bucket.id for part, copy in copies.items()},
            "source": source_key,
            "key": key,
        }
        return service_role(
            f"{name}-sync",
            settings.labels.plain("storage", "replica"),
            SERVICE,
            pulumi.Output.all(**named).apply(rights),
            settings.all_tags,
            pulumi.ResourceOptions(parent=self, protect=settings.production),
        )
