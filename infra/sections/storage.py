"""The section `sfoa:storage`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.rules import (
    ForceDestroy,
    KeptDays,
    KeyRotationDays,
    KmsInstanceId,
    LedgerDays,
    LedgerLocked,
    LogsDays,
    SecondRegion,
    VpcId,
)
from infra.sections.base import Section


class ReplicaSettings(Section):
    """`replica`: a second copy of releases, backups, ledger and state, in another region of the mainland."""

    region: SecondRegion = Field(description="Region of the Chinese mainland, another than the stack's")
    kms_instance_id: KmsInstanceId | None = Field(
        None, description="Dedicated KMS instance of that region that holds the key there; the shared one when absent"
    )


class StorageSettings(Section):
    """`sfoa:storage`. Every span of time is in days."""

    ledger_retention_days: LedgerDays = Field(
        description="For how long no one can change or delete an entry of the release ledger"
    )
    ledger_locked: LedgerLocked = Field(
        True, description="Whether the ledger's retention policy is locked, which can't be taken back"
    )
    logs_retention_days: LogsDays = Field(365, description="For how long access logs are kept")
    releases_retention_days: KeptDays = Field(
        365, description="For how long a replaced or deleted bundle or snapshot can be brought back"
    )
    backups_retention_days: KeptDays = Field(
        90, description="For how long a replaced or deleted backup can be brought back"
    )
    force_destroy: ForceDestroy = Field(
        False, description="Whether `pulumi destroy` empties the buckets; never in production"
    )
    redundancy: Literal["ZRS", "LRS"] = Field("ZRS", description="ZRS over three zones, LRS within one")
    key_rotation_days: KeyRotationDays = Field(365, description="How often the KMS key is rotated")
    kms_instance_id: KmsInstanceId | None = Field(
        None, description="Dedicated KMS instance that holds the key; the shared one when absent"
    )
    state: bool = Field(
        False, description="Whether there is a bucket for Pulumi's state; its address is the output storage_state_url"
    )
    replica: ReplicaSettings | None = Field(None, description="A second copy in another region; off when absent")
    inventory: Literal["Daily", "Weekly"] | None = Field(
        None, description="How often OSS lists what each bucket holds, in the bucket of logs; off when absent"
    )
    roles_only: bool = Field(
        False,
        description="Whether objects are read and written by roles and the console alone, never by a long-lived key",
    )
    source_vpcs: tuple[VpcId, ...] = Field(
        (),
        description="VPCs from whose endpoints alone objects are read and written, the runner's too; any when empty",
    )
