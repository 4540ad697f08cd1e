"""The preflight against the emulated account: what it finds when all is well, and what each failure says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from emulators.testing import Running, running
from flows.commands.doctor import doctor
from infra.account import LiveAccount
from infra.preflight import Check, examine
from infra.settings import read_settings

BASE: dict[str, Any] = {"cidr": "10.20.0.0/16", "zones": [f"cn-shanghai-{zone}" for zone in "bfg"]}
NONE: Mapping[str, Any] = MappingProxyType({})
Examine = Callable[..., dict[str, Check]]


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("clouds")) as clouds:
        yield clouds


@pytest.fixture
def account(clouds: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Return the emulated cloud, empty, with this process's clients led to it."""
    requests.post(f"http://127.0.0.1:{clouds.port}/reset", timeout=60).raise_for_status()
    requests.delete(f"http://127.0.0.1:{clouds.port}/faults", timeout=60).raise_for_status()
    for name, value in clouds.environment.items():
        monkeypatch.setenv(name, value)
    return clouds


@pytest.fixture
def look(account: Running, config: Any) -> Examine:
    """Return what examines the local stack with changes to its config and to the environment."""

    def run(environ: Mapping[str, str] = NONE, network: Mapping[str, Any] = NONE, **changes: str) -> dict[str, Check]:
        values = config("local") | {"sfoa:network": json.dumps({**BASE, **network})} | changes
        account_id = changes.get("alicloud:accountId", "1234567890123456")
        settings = read_settings(values, {"ALIBABA_CLOUD_ACCOUNT_ID": account_id})
        found = examine(settings, LiveAccount(settings.region, {**account.environment, **environ}))
        return {check.name: check for check in found}

    return run


def failures(found: dict[str, Check]) -> dict[str, Check]:
    return {name: check for name, check in found.items() if not check.ok}


def seed_vpc(clouds: Running, ident: str, cidr: str, name: str = "theirs") -> None:
    fields = {"VpcName": name, "CidrBlock": cidr, "Description": "", "ResourceGroupId": "", "VRouterId": "vrt-1"}
    state = {"id": ident, "region": "cn-shanghai", "created": 0, "ready": 0, "tags": {}, "secondary": []}
    clouds.store.put("alicloud.vpc", ident, {**state, **fields, "user_cidrs": []})


def seed_eips(clouds: Running, count: int) -> None:
    for number in range(count):
        fields = {"Name": f"eip-{number}", "InstanceId": "", "IpAddress": f"198.51.100.{number}"}
        state = {"id": f"eip-{number}", "region": "cn-shanghai", "created": 0, "ready": 0, "tags": {}}
        clouds.store.put("alicloud.eip", f"eip-{number}", {**state, **fields, "protections": []})


def fault(clouds: Running, kind: str, host: str, action: str) -> None:
    order = {"host": host, "action": action, "kind": kind, "times": 3}
    requests.post(f"http://127.0.0.1:{clouds.port}/faults", json=order, timeout=60).raise_for_status()


def test_an_account_in_which_all_is_well_fails_nothing(look: Examine) -> None:
    found = look()
    assert failures(found) == {}
    assert {
        "credentials",
        "account",
        "account type",
        "zones",
        "addresses",
        "Kms ListKeys",
        "OSS ListBuckets",
    } <= found.keys()


def test_a_wrong_secret_is_found_first_and_alone(look: Examine) -> None:
    found = look({"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "wrong"})
    assert list(found) == ["credentials"]
    assert found["credentials"].detail.startswith("SignatureDoesNotMatch")
    assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET" in found["credentials"].fix
    assert "wrong" not in found["credentials"].detail


def test_credentials_of_another_account_are_found(look: Examine) -> None:
    bad = failures(look(**{"alicloud:accountId": "9999999999999999"}))
    assert bad.keys() == {"account"}
    assert "the stack is for 9999999999999999" in bad["account"].detail


def test_the_wrong_site_is_found(look: Examine) -> None:
    bad = failures(look(**{"alicloud:accountType": "International"}))
    assert bad["account type"].fix == "set alicloud:accountType: Domestic"


def test_a_denied_read_names_the_right_that_is_missing(look: Examine, account: Running) -> None:
    fault(account, "denied", "kms.*", "ListKeys")
    bad = failures(look())
    assert bad.keys() == {"Kms ListKeys"}
    assert bad["Kms ListKeys"].fix.startswith("allow kms:ListKeys ")


def test_a_service_that_is_not_open_is_found(look: Examine, account: Running) -> None:
    fault(account, "closed", "kms.*", "ListKeys")
    bad = failures(look())
    assert bad["Kms ListKeys"].fix.startswith("open the service once in its console")


def test_a_bucket_service_that_takes_no_more_is_found(look: Examine, account: Running) -> None:
    fault(account, "expired", "oss-*", "*")
    bad = failures(look())
    assert bad.keys() == {"OSS ListBuckets"}
    assert bad["OSS ListBuckets"].detail.startswith("SecurityTokenExpired")
    assert "renew its token" in bad["OSS ListBuckets"].fix


def test_every_service_that_the_stack_is_built_of_is_asked_and_no_other(look: Examine) -> None:
    asked = {"SLS ListProject", "Config DescribeConfigurationRecorder", "CloudMonitor DescribeContactGroupList"}
    asked |= {"FC ListFunctions", "API gateway DescribeApiGroups", "EventBridge ListEventBuses", "WAF DescribeInstance"}
    asked |= {"IMS GetSecurityPreference"}
    found = look()
    assert asked <= found.keys()
    assert "CAS ListUserCertificateOrder" not in found
    assert not asked & look(**dict.fromkeys(("sfoa:audit", "sfoa:integration", "sfoa:console"), "null")).keys()
    pages = {"domain": {"name": "pages.acme.example", "certificate_id": "1"}, "backends": ["203.0.113.7"]}
    web = look(**{"sfoa:integration": json.dumps({"pages": pages})})
    assert web["CAS ListUserCertificateOrder"].ok
    assert "EventBridge ListEventBuses" not in web


def test_logs_that_may_not_be_listed_name_the_right_that_is_missing(look: Examine, account: Running) -> None:
    fault(account, "denied", "*.log.aliyuncs.com", "*")
    bad = failures(look())
    assert bad.keys() == {"SLS ListProject"}
    assert "log:ListProject" in bad["SLS ListProject"].fix


def test_quotas_of_logs_buses_groups_and_buckets_are_counted(look: Examine, account: Running) -> None:
    for number in range(50):
        account.store.put("sls.project", f"p-{number}", {"projectName": f"p-{number}", "region": "cn-shanghai"})
    for number in range(10):
        bus = {"id": f"bus-{number}", "region": "cn-shanghai", "Description": ""}
        account.store.put("alicloud.event_bus", f"bus-{number}", bus)
    bad = failures(look())
    assert bad.keys() == {"quota of log projects of the region", "quota of custom event buses of the region"}
    found = look()
    assert found["quota of API groups of the region"].detail == "0 of 50 in use, 1 more needed"
    assert found["quota of buckets of the account"].detail == "0 of 100 in use, 6 more needed"


def test_the_devices_at_the_ends_of_tunnels_are_asked_after_where_there_are_any(
    look: Examine, account: Running
) -> None:
    assert "Vpc DescribeCustomerGateways" not in look()
    ends = {"first": {"address": "203.0.113.1"}, "second": {"address": "203.0.113.2"}}
    link = {"ipsec": {"country": "CN", "remote_ranges": ["192.168.0.0/16"], **ends}}
    keys = {"sfoa:tunnel_keys": json.dumps({tunnel: f"{tunnel}-pre-shared-key-of-the-tunnel" for tunnel in ends})}
    ours = {"Name": "acme-local-link-203-0-113-1", "IpAddress": "203.0.113.1"}
    state = {"id": "cgw-1", "region": "cn-shanghai", "created": 0, "ready": 0, "tags": {}}
    account.store.put("alicloud.customer_gateway", "cgw-1", state | ours)
    found = look(network={"link": link}, **keys)
    assert found["Vpc DescribeCustomerGateways"].ok
    assert found["quota of customer gateways of the region"].detail == "1 of 100 in use, 1 more needed"
    assert failures(found) == {}


def sso(directory: str) -> dict[str, str]:
    return {"sfoa:console": json.dumps({"cloud_sso": {"directory": directory}})}


def test_cloud_sso_is_asked_where_the_stack_has_it_and_another_s_directory_is_found(
    look: Examine, account: Running
) -> None:
    assert "CloudSSO ListDirectories" not in look()
    assert look(**sso("acme"))["CloudSSO directory"].detail == "none yet"
    made = {"id": "d-1", "region": "cn-shanghai", "created": 0, "ready": 0, "tags": {}, "DirectoryName": "theirs"}
    account.store.put("alicloud.sso_directory", "d-1", made)
    assert failures(look(**sso("theirs"))) == {}
    bad = failures(look(**sso("acme")))
    assert bad.keys() == {"CloudSSO directory"}
    assert bad["CloudSSO directory"].detail.startswith("theirs stands already")


def test_cloud_sso_that_may_not_be_read_names_the_right(look: Examine, account: Running) -> None:
    fault(account, "denied", "cloudsso.*", "ListDirectories")
    bad = failures(look(**sso("acme")))
    assert bad.keys() == {"CloudSSO ListDirectories"}
    assert bad["CloudSSO ListDirectories"].fix.startswith("allow cloudsso:ListDirectories ")


def test_an_overlapping_range_is_found_with_a_free_one(look: Examine, account: Running) -> None:
    seed_vpc(account, "vpc-a", "10.0.0.0/16")
    seed_vpc(account, "vpc-b", "10.20.128.0/20")
    bad = failures(look())
    assert bad.keys() == {"addresses"}
    assert bad["addresses"].detail == "10.20.0.0/16 overlaps vpc-b (10.20.128.0/20)"
    assert bad["addresses"].fix.endswith("such as 10.1.0.0/16")


def test_the_stack_s_own_vpc_is_no_conflict(look: Examine, account: Running) -> None:
    seed_vpc(account, "vpc-ours", "10.20.0.0/16", "acme-local-network-vpc")
    assert failures(look()) == {}


def test_quotas_that_leave_no_room_are_found_together(look: Examine, account: Running) -> None:
    for number in range(10):
        seed_vpc(account, f"vpc-{number}", f"172.16.{number}.0/24")
    seed_eips(account, 19)
    bad = failures(look())
    assert bad.keys() == {"quota of VPCs of the region", "quota of elastic IP addresses of the account"}
    assert all("Quota Center" in check.fix for check in bad.values())


def test_zones_that_are_not_sold_are_found(look: Examine) -> None:
    bad = failures(look(network={"zones": [f"cn-shanghai-{zone}" for zone in "bfz"]}))
    assert bad["zones"].detail.startswith("cn-shanghai-z:")
    assert "cn-shanghai-b" in bad["zones"].fix


@pytest.mark.parametrize(("cidr", "ok"), [("10.0.0.0/8", True), ("172.16.0.0/12", False)])
def test_an_adopted_vpc_holds_the_range(look: Examine, account: Running, cidr: str, ok: bool) -> None:
    seed_vpc(account, "vpc-theirs", cidr)
    assert look(network={"adopt": {"vpc_id": "vpc-theirs"}})["adopted VPC"].ok is ok


def test_an_adopted_vpc_that_is_not_there_is_found(look: Examine) -> None:
    bad = failures(look(network={"adopt": {"vpc_id": "vpc-none"}}))
    assert bad["adopted VPC"].detail == "vpc-none isn't in cn-shanghai"


def test_the_command_says_it_for_machines_and_ends_with_1(account: Running) -> None:
    fault(account, "denied", "ram.*", "ListRoles")
    done = CliRunner().invoke(doctor, ["--stack", "local", "--json"])
    envelope = json.loads(done.stdout)
    assert done.exit_code == envelope["status"] == 1
    (denied,) = [row for row in envelope["problems"] if row["name"].startswith("Ram")]
    assert denied["fix"].startswith("allow ram:ListRoles ")


def test_a_stack_without_a_file_and_one_without_credentials_are_told_what_to_do(
    account: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = CliRunner().invoke(doctor, ["--stack", "nowhere"])
    assert (unknown.exit_code, "there is no Pulumi.nowhere.yaml" in unknown.output) == (1, True)
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY"):
        monkeypatch.delenv(name)
    bare = CliRunner().invoke(doctor, ["--stack", "local"])
    assert (bare.exit_code, "the environment holds no AccessKey" in bare.output) == (1, True)


def test_idaas_is_asked_only_where_the_stack_builds_it(look: Examine, account: Running) -> None:
    asked = "IDaaS ListInstances"
    assert look()[asked].ok
    assert asked not in look(**{"sfoa:identity": "null"})
    fault(account, "denied", "eiam.*", "ListInstances")
    check = look()[asked]
    assert not check.ok
    assert "eiam:ListInstances" in check.fix
