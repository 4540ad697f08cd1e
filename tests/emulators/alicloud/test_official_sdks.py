"""The official Python SDKs, unchanged, through the running emulators."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_kms20160120 import models as kms
from alibabacloud_kms20160120.client import Client as KmsClient
from alibabacloud_ram20150501 import models as ram
from alibabacloud_ram20150501.client import Client as RamClient
from alibabacloud_sts20150401 import models as sts
from alibabacloud_sts20150401.client import Client as StsClient
from alibabacloud_tea_openapi.models import Config
from alibabacloud_vpc20160428 import models as vpc
from alibabacloud_vpc20160428.client import Client as VpcClient

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.testing import Running, running

TRUST = json.dumps(
    {
        "Version": "1",
        "Statement": [
            {
                "Action": "sts:AssumeRole",
                "Effect": "Allow",
                "Principal": {"RAM": ["acs:ram::1234567890123456:root"]},
            }
        ],
    }
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Running emulators that this process's clients go to."""
    with running(tmp_path) as emulators:
        for name, value in emulators.environment.items():
            monkeypatch.setenv(name, value)
        yield emulators


def config(world: Running, **more: Any) -> Config:
    """Return what an SDK client needs; the V2 SDKs take their CA from nowhere else."""
    keys = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET}
    return Config(region_id="cn-shanghai", ca=str(world.ca_file), **keys | more)


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_the_vpc_sdk_makes_a_network_with_either_signature(world: Running, algorithm: str | None) -> None:
    client = VpcClient(config(world, signature_algorithm=algorithm))
    tag = vpc.CreateVpcRequestTag(key="team", value="客户关系")
    made = client.create_vpc(
        vpc.CreateVpcRequest(region_id="cn-shanghai", cidr_block="10.0.0.0/16", vpc_name="主网络 *~", tag=[tag])
    ).body
    shown = client.describe_vpcs(vpc.DescribeVpcsRequest(region_id="cn-shanghai", vpc_id=made.vpc_id)).body
    (row,) = shown.vpcs.vpc
    assert (row.vpc_id, row.vpc_name, row.cidr_block) == (made.vpc_id, "主网络 *~", "10.0.0.0/16")
    assert [(tag.key, tag.value) for tag in row.tags.tag] == [("team", "客户关系")]
    tables = client.describe_route_table_list(
        vpc.DescribeRouteTableListRequest(region_id="cn-shanghai", vpc_id=made.vpc_id)
    ).body.router_table_list.router_table_list_type
    assert [(table.route_table_id, table.vpc_id) for table in tables] == [(made.route_table_id, made.vpc_id)]


def test_the_kms_sdk_encrypts_and_decrypts(world: Running) -> None:
    client = KmsClient(config(world))
    key = client.create_key(kms.CreateKeyRequest(description="d")).body.key_metadata
    blob = client.encrypt(kms.EncryptRequest(key_id=key.key_id, plaintext="aGVsbG8=")).body.ciphertext_blob
    assert client.decrypt(kms.DecryptRequest(ciphertext_blob=blob)).body.plaintext == "aGVsbG8="


def test_the_ram_and_sts_sdks_make_a_role_and_assume_it(world: Running) -> None:
    client = RamClient(config(world))
    role = client.create_role(ram.CreateRoleRequest(role_name="ship", assume_role_policy_document=TRUST)).body.role
    asked = sts.AssumeRoleRequest(role_arn=role.arn, role_session_name="release")
    keys = StsClient(config(world)).assume_role(asked).body.credentials
    temporary = {
        "access_key_id": keys.access_key_id,
        "access_key_secret": keys.access_key_secret,
        "security_token": keys.security_token,
    }
    who = StsClient(config(world, **temporary)).get_caller_identity().body
    assert who.arn == "acs:ram::1234567890123456:assumed-role/ship/release"


def test_the_sdk_raises_the_service_s_own_code(world: Running) -> None:
    client = StsClient(config(world, access_key_secret="another"))
    with pytest.raises(Exception) as raised:
        client.get_caller_identity()
    assert getattr(raised.value, "code", "") == "SignatureDoesNotMatch"
