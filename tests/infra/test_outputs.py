from __future__ import annotations

import subprocess
import sys

import pytest

from infra.outputs import parse_outputs
from kit.problems import Refused

GOOD: dict[str, object] = {
    "contract_version": 1,
    "stack": "local",
    "environment": "local",
    "region": "cn-shanghai",
    "account_id": "1234567890123456",
    "network_vpc_id": "vpc-uf6example",
    "network_vswitch_ids": ["vsw-1", "vsw-2", "vsw-3"],
    "network_egress_ips": ["203.0.113.7", "203.0.113.8"],
    "network_security_group_ids": {"app": "sg-1", "data": "sg-2", "edge": "sg-3"},
    "storage_endpoint": "https://oss-cn-shanghai.aliyuncs.com",
    "storage_releases_bucket": "acme-local-storage-releases-1a2b3c",
    "storage_ledger_bucket": "acme-local-storage-ledger-1a2b3c",
    "storage_backups_bucket": "acme-local-storage-backups-1a2b3c",
    "storage_logs_bucket": "acme-local-storage-logs-1a2b3c",
    "storage_kms_key_id": "key-hzz1",
}


def test_what_pulumi_prints_is_read_and_keeps_its_order() -> None:
    outputs = parse_outputs(GOOD, "local")
    assert outputs.network_egress_ips == ("203.0.113.7", "203.0.113.8")
    assert outputs.network_security_group_ids["data"] == "sg-2"


def test_what_a_stack_exports_beyond_the_contract_is_ignored() -> None:
    assert parse_outputs({**GOOD, "note": "mine"}, "local") == parse_outputs(GOOD, "local")


def test_every_problem_of_the_outputs_is_reported_at_once() -> None:
    bad = {**GOOD, "network_egress_ips": ["10.0.0.300"], "storage_endpoint": "http://oss.example"}
    del bad["storage_ledger_bucket"]
    with pytest.raises(Refused) as refused:
        parse_outputs(bad, "stack local")
    whats = " ".join(problem.what for problem in refused.value.problems)
    assert len(refused.value.problems) == 3
    for key in ("network_egress_ips.0", "storage_endpoint", "storage_ledger_bucket"):
        assert key in whats
    assert all(problem.place and problem.place.file == "stack local" for problem in refused.value.problems)


def test_an_empty_stack_is_told_to_run_up_first() -> None:
    with pytest.raises(Refused, match="pulumi up"):
        parse_outputs({}, "local")


def test_a_contract_of_another_version_is_refused_by_its_number() -> None:
    with pytest.raises(Refused) as refused:
        parse_outputs({**GOOD, "contract_version": 2}, "local")
    assert refused.value.problems[0].value == "2"


def test_reading_the_contract_imports_neither_pulumi_nor_a_provider() -> None:
    code = "import sys, infra.outputs; print([m for m in sys.modules if m.startswith('pulumi')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
