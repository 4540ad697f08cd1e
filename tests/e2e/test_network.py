"""A network in a VPC that stands already, linked to headquarters abroad: real engine, real provider, emulated cloud."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_tea_openapi.models import Config
from alibabacloud_vpc20160428 import models as vpc
from alibabacloud_vpc20160428.client import Client as VpcClient

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.testing import Running, running
from tests.e2e.released import BIN, ROOT
from toolchain.pins import cache_root

pytestmark = pytest.mark.e2e

PROGRAM = """
import pulumi
from infra.flowlogs import log_flows
from infra.network import Network
from infra.stack import stack_settings

settings = stack_settings()
network = Network("network", settings)
log_flows("flows", settings, network.vpc_id, "acme-logs", "network", pulumi.ResourceOptions(parent=network))
pulumi.export("vpc_id", network.vpc_id)
"""
ABROAD = "ap-southeast-1"
ZONES = [f"cn-shanghai-{zone}" for zone in "bfg"]


@dataclass(frozen=True)
class Ground:
    """A program with a network in it, and the cloud that it comes up in."""

    folder: Path
    clouds: Running

    def pulumi(self, *arguments: str) -> str:
        """Run a command of the engine that has to succeed, and return what it said."""
        command = [str(BIN / "pulumi"), *arguments, "--non-interactive", "--stack", "local"]
        environment = {
            **os.environ,
            **self.clouds.environment,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SFOA_TOOLCHAIN_CACHE": str(cache_root()),
        }
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout + done.stderr

    def count(self, kind: str) -> int:
        """Return how many documents of a kind the emulated cloud holds."""
        return self.clouds.store.kinds().get(f"alicloud.{kind}", 0)


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("network")) as clouds:
        yield clouds


@pytest.fixture(scope="module")
def theirs(clouds: Running) -> dict[str, Any]:
    """What the company has already: a VPC with switches for applications, and its network's two ends."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in clouds.environment.items():
            patch.setenv(name, value)
        keys = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET}
        client = VpcClient(Config(region_id="cn-shanghai", ca=str(clouds.ca_file), **keys))
        made = client.create_vpc(vpc.CreateVpcRequest(region_id="cn-shanghai", cidr_block="10.0.0.0/8"))
        ident = made.body.vpc_id
        _available(client, ident)
        switches = [
            client.create_vswitch(
                vpc.CreateVSwitchRequest(vpc_id=ident, zone_id=zone, cidr_block=f"10.99.{number}.0/24")
            ).body.v_switch_id
            for number, zone in enumerate(ZONES)
        ]
    _seed(clouds, "cen", "cen-theirs", Name="backbone", Description="", ProtectionLevel="REDUCED")
    _seed(clouds, "transit_router", "tr-abroad", CenId="cen-theirs", RegionId=ABROAD, TransitRouterName="headquarters")
    return {"vpc_id": ident, "vswitch_ids": {"app": switches}}


def _available(client: VpcClient, ident: str) -> None:
    request = vpc.DescribeVpcAttributeRequest(region_id="cn-shanghai", vpc_id=ident)
    while client.describe_vpc_attribute(request).body.status != "Available":
        pass


def _seed(clouds: Running, kind: str, ident: str, **fields: str) -> None:
    """Put what another team made into the emulated account."""
    common = {"id": ident, "region": ABROAD, "created": 0, "ready": 0, "tags": {}}
    clouds.store.put(f"alicloud.{kind}", ident, common | fields)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, clouds: Running, theirs: dict[str, Any]) -> Ground:
    """The network's program, with a config that adopts and links."""
    folder = tmp_path_factory.mktemp("program")
    (clouds.emulators.home / "pulumi-state").mkdir(exist_ok=True)
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "Pulumi.yaml").write_text("name: network\nruntime: python\n")
    config = json.loads(json.dumps(_config(theirs)))
    (folder / "Pulumi.local.yaml").write_text(json.dumps({"config": config}))
    ground = Ground(folder, clouds)
    ground.pulumi("stack", "select", "--create")
    return ground


def _config(theirs: dict[str, Any]) -> dict[str, Any]:
    link = {
        "cen_id": "cen-theirs",
        "headquarters": {"region": ABROAD, "transit_router_id": "tr-abroad", "bandwidth_mbps": 20},
        "legal_basis": {"entry": "product-safety-escalations"},
    }
    network = {
        "cidr": "10.20.0.0/16",
        "zones": ZONES,
        "egress_ips": 1,
        "adopt": theirs,
        "private_zone": {"name": "acme.internal", "records": [{"host": "cache", "value": "10.20.64.10"}]},
        "link": link,
    }
    storage = {"ledger_retention_days": 1, "ledger_locked": False, "force_destroy": True}
    return {
        "alicloud:region": "cn-shanghai",
        "alicloud:accountType": "Domestic",
        "sfoa:company": "acme",
        "sfoa:environment": "local",
        "sfoa:network": network,
        "sfoa:storage": storage,
    }


@pytest.fixture(scope="module")
def up(ground: Ground) -> str:
    return ground.pulumi("up", "--yes", "--skip-preview")


def test_an_adopted_vpc_is_the_only_one_and_what_is_missing_stands_in_it(
    ground: Ground, up: str, theirs: dict[str, Any]
) -> None:
    assert ground.count("vpc") == 1
    assert ground.count("vswitch") == 9
    inside = {switch["VpcId"] for _, switch in ground.clouds.store.all("alicloud.vswitch")}
    assert inside == {theirs["vpc_id"]}
    assert f"adopted, not made: {theirs['vpc_id']}" in up


def test_the_data_tier_is_reached_from_the_adopted_switches_alone(ground: Ground, up: str) -> None:
    ((_, acl),) = ground.clouds.store.all("alicloud.network_acl")
    sources = {entry["SourceCidrIp"] for entry in acl["ingress"] if entry["Protocol"] == "tcp"}
    assert sources == {f"10.99.{number}.0/24" for number in range(3)}


def test_the_link_stands_with_its_bandwidth_routes_and_legal_basis(ground: Ground, up: str) -> None:
    attached = {each["ResourceType"]: each for _, each in ground.clouds.store.all("alicloud.transit_attachment")}
    assert attached.keys() == {"VPC", "TR"}
    assert (attached["TR"]["Bandwidth"], attached["TR"]["PeerTransitRouterRegionId"]) == (20, ABROAD)
    assert {each["tags"]["legal-basis"] for each in attached.values()} == {"product-safety-escalations"}
    assert (ground.count("transit_association"), ground.count("transit_propagation")) == (2, 2)


def test_the_flows_of_the_adopted_vpc_are_logged(ground: Ground, up: str, theirs: dict[str, Any]) -> None:
    ((_, log),) = ground.clouds.store.all("alicloud.flow_log")
    assert (log["ResourceId"], log["ProjectName"], log["TrafficType"]) == (theirs["vpc_id"], "acme-logs", "All")


def test_nothing_is_left_to_change(ground: Ground, up: str) -> None:
    ground.pulumi("preview", "--refresh", "--expect-no-changes")


def test_destroy_takes_what_was_made_and_leaves_what_was_adopted(
    ground: Ground, up: str, theirs: dict[str, Any]
) -> None:
    ground.pulumi("destroy", "--yes", "--skip-preview")
    left = [ident for ident, _ in ground.clouds.store.all("alicloud.vpc")]
    assert left == [theirs["vpc_id"]]
    assert [ident for ident, _ in ground.clouds.store.all("alicloud.vswitch")] == theirs["vswitch_ids"]["app"]
    gone = ("nat_gateway", "eip", "flow_log", "network_acl", "private_zone", "private_record", "transit_attachment")
    assert {kind: ground.count(kind) for kind in gone} == dict.fromkeys(gone, 0)
    assert [ident for ident, _ in ground.clouds.store.all("alicloud.cen")] == ["cen-theirs"]
