"""A landing zone for tests that need no engine: its outputs, and the buckets that the release engine writes to."""

from __future__ import annotations

import shutil
from pathlib import Path

import alibabacloud_oss_v2 as oss

OUTPUTS = {
    "contract_version": 1,
    "stack": "local",
    "environment": "local",
    "region": "cn-shanghai",
    "account_id": "1234567890123456",
    "network_vpc_id": "vpc-1",
    "network_vswitch_ids": ["vsw-1"],
    "network_egress_ips": ["47.100.0.1"],
    "network_security_group_ids": {"app": "sg-1"},
    "storage_endpoint": "https://oss-cn-shanghai.aliyuncs.com",
    "storage_releases_bucket": "acme-releases",
    "storage_ledger_bucket": "acme-ledger",
    "storage_backups_bucket": "acme-backups",
    "storage_logs_bucket": "acme-logs",
    "storage_kms_key_id": "key-1",
}


def make_buckets() -> None:
    """Make the buckets for releases, ledger and backups; proxy, CA and credentials come from the environment."""
    config = oss.config.load_default()
    config.region, config.endpoint = "cn-shanghai", str(OUTPUTS["storage_endpoint"])
    config.credentials_provider = oss.credentials.EnvironmentVariableCredentialsProvider()
    client = oss.Client(config)
    for name in ("storage_releases_bucket", "storage_ledger_bucket", "storage_backups_bucket"):
        client.put_bucket(oss.PutBucketRequest(bucket=str(OUTPUTS[name])))


def own_federation(root: Path) -> None:
    """Give the project in `root` the sample's federation as its own."""
    (root / "orgs" / "scratch").mkdir(parents=True, exist_ok=True)
    for name in ("federation.yml", "scratch/dev.json"):
        shutil.copy(Path(__file__).parents[1] / "orgs" / name, root / "orgs" / name)
