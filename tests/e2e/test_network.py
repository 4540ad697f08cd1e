"""Two networks side by side under the real engine and the real provider: one in a VPC that stands already, linked to
headquarters abroad, and one of its own with IPv6."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_tea_openapi.models import Config
from alibabacloud_vpc20160428 import models as vpc
from alibabacloud_vpc20160428.client import Client as VpcClient

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from emulators.testing import Running, running
from tests.e2e.ground import REGION, SETTINGS, Ground, write_project

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
pulumi.export("network_tunnels", network.tunnels)
"""
KEYS = {"first": "first-key-of-the-tunnels-d41d8cd98f", "second": "second-key-of-the-tunnels-0204e98009"}
ABROAD = "ap-southeast-1"
ZONES = [f"cn-shanghai-{zone}" for zone in "bfg"]


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
        client = _client(clouds)
        made = client.create_vpc(vpc.CreateVpcRequest(region_id=REGION, cidr_block="10.0.0.0/8"))
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


def _client(clouds: Running) -> VpcClient:
    keys = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET}
    proxy = clouds.environment["HTTPS_PROXY"]
    return VpcClient(Config(region_id=REGION, ca=str(clouds.ca_file), https_proxy=proxy, **keys))


def _available(client: VpcClient, ident: str) -> None:
    request = vpc.DescribeVpcAttributeRequest(region_id=REGION, vpc_id=ident)
    while client.describe_vpc_attribute(request).body.status != "Available":
        pass


def _seed(clouds: Running, kind: str, ident: str, **fields: str) -> None:
    """Put what another team made into the emulated account."""
    common = {"id": ident, "region": ABROAD, "created": 0, "ready": 0, "tags": {}}
    clouds.store.put(f"alicloud.{kind}", ident, common | fields)


def _ground(folder: Path, clouds: Running, stack: str) -> Ground:
    (clouds.emulators.home / "pulumi-state").mkdir()
    write_project(folder, "network", PROGRAM)
    return Ground(folder, clouds, stack)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, clouds: Running, theirs: dict[str, Any]) -> Ground:
    """A stack that adopts and links."""
    ground = _ground(tmp_path_factory.mktemp("adopting"), clouds, "acme")
    _configure(ground, _config(theirs))
    ground.init()
    for tunnel, key in KEYS.items():
        ground.pulumi("config", "set", "--path", "--secret", f"sfoa:tunnel_keys.{tunnel}", key)
    return ground


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A stack with IPv6, to be, in a cloud of its own."""
    with running(tmp_path_factory.mktemp("cloud")) as clouds:
        yield _ground(tmp_path_factory.mktemp("six"), clouds, "six")


def _count(ground: Ground, kind: str) -> int:
    return len(ground.kept(f"alicloud.{kind}"))


def _configure(ground: Ground, network: dict[str, Any]) -> None:
    own = {"sfoa:company": ground.stack, "sfoa:environment": "local", "sfoa:network": network}
    ground.configure({**SETTINGS, **own})


def _config(theirs: dict[str, Any]) -> dict[str, Any]:
    link = {
        "cen_id": "cen-theirs",
        "headquarters": {"region": ABROAD, "transit_router_id": "tr-abroad", "bandwidth_mbps": 20},
        "ipsec": {
            "country": "SE",
            "first": {"address": "203.0.113.1", "asn": 65010, "inside": "169.254.10.0/30"},
            "second": {"address": "203.0.113.2", "asn": 65010, "inside": "169.254.10.4/30"},
            "bgp": True,
        },
        "legal_basis": {"entry": "product-safety-escalations"},
    }
    return {
        "cidr": "10.20.0.0/16",
        "zones": ZONES,
        "egress_ips": 1,
        "adopt": theirs,
        "private_zone": {"name": "acme.internal", "records": [{"host": "cache", "value": "10.20.64.10"}]},
        "link": link,
    }


def _with_ipv6(ground: Ground, **more: Any) -> str:
    _configure(ground, {"cidr": "10.20.0.0/16", "zones": ZONES, "egress_ips": 1, "ipv6": more})
    return ground.up()


def _land_six(ground: Ground) -> str:
    """Bring the network with IPv6 up, let a machine in it have an address, and let that one out; return its id."""
    ground.init()
    _with_ipv6(ground)
    switches = [row for row in ground.resources() if row["type"].endswith(":Switch") and "-app-" in row["urn"]]
    request = vpc.AllocateIpv6AddressRequest(region_id=REGION, v_switch_id=switches[0]["id"])
    address: str = _client(ground.clouds).allocate_ipv_6address(request).body.ipv_6address_id
    _with_ipv6(ground, egress=[address], egress_bandwidth_mbps=5)
    return address


@pytest.fixture(scope="module")
def ups(ground: Ground, six: Ground) -> Iterator[dict[str, Future[str]]]:
    """Both stacks, brought up at the same time."""
    with ThreadPoolExecutor(2) as pool:
        yield {"adopting": pool.submit(ground.up), "six": pool.submit(_land_six, six)}


@pytest.fixture(scope="module")
def up(ups: dict[str, Future[str]]) -> str:
    return ups["adopting"].result()


@pytest.fixture(scope="module")
def inside(ups: dict[str, Future[str]]) -> str:
    """The IPv6 address."""
    return ups["six"].result()


def test_an_adopted_vpc_is_the_only_one_and_what_is_missing_stands_in_it(
    ground: Ground, up: str, theirs: dict[str, Any]
) -> None:
    assert _count(ground, "vpc") == 1
    assert _count(ground, "vswitch") == 9
    inside = {switch["VpcId"] for _, switch in ground.clouds.store.all("alicloud.vswitch")}
    assert inside == {theirs["vpc_id"]}
    assert f"adopted, not made: {theirs['vpc_id']}" in up


def test_the_data_tier_is_reached_from_the_adopted_switches_alone(ground: Ground, up: str) -> None:
    ((_, acl),) = ground.clouds.store.all("alicloud.network_acl")
    sources = {entry["SourceCidrIp"] for entry in acl["ingress"] if entry["Protocol"] == "tcp"}
    assert sources == {f"10.99.{number}.0/24" for number in range(3)}


def test_the_link_stands_with_its_bandwidth_routes_and_legal_basis(ground: Ground, up: str) -> None:
    attached = {each["ResourceType"]: each for _, each in ground.clouds.store.all("alicloud.transit_attachment")}
    assert attached.keys() == {"VPC", "VPN", "TR"}
    assert (attached["TR"]["Bandwidth"], attached["TR"]["PeerTransitRouterRegionId"]) == (20, ABROAD)
    assert {each["tags"]["legal-basis"] for each in attached.values()} == {"product-safety-escalations"}
    assert (_count(ground, "transit_association"), _count(ground, "transit_propagation")) == (3, 3)


def test_the_tunnels_stand_to_both_devices_and_hang_on_the_router(ground: Ground, up: str) -> None:
    (made,) = ground.kept("alicloud.vpn_connection")
    devices = {each["id"]: each for each in ground.kept("alicloud.customer_gateway")}
    first, second = made["tunnels"]
    assert [devices[each["CustomerGatewayId"]]["IpAddress"] for each in (first, second)] == [
        "203.0.113.1",
        "203.0.113.2",
    ]
    assert [each["TunnelIkeConfig"]["Psk"] for each in (first, second)] == list(KEYS.values())
    assert (second["TunnelIkeConfig"]["IkeVersion"], second["TunnelBgpConfig"]["LocalBgpIp"]) == (
        "ikev2",
        "169.254.10.5",
    )
    for each in (made, *devices.values()):
        assert (each["tags"]["far-end"], each["tags"]["legal-basis"]) == ("SE", "product-safety-escalations")
    (hung,) = (each for each in ground.kept("alicloud.transit_attachment") if each["ResourceType"] == "VPN")
    assert hung["VpnId"] == made["id"]
    assert ground.outputs()["network_tunnels"] == [first["InternetIp"], second["InternetIp"]]


def test_no_pre_shared_key_is_said_or_stands_in_the_state(ground: Ground, up: str) -> None:
    refreshed = ground.pulumi("refresh", "--yes", "--skip-preview", "--diff", "--expect-no-changes")
    shown = [up, refreshed, ground.pulumi("stack", "export"), ground.pulumi("stack", "output", "--json")]
    shown += [path.read_text(encoding="utf-8") for path in ground.root.glob("Pulumi.*.yaml")]
    state = ground.clouds.emulators.home / "pulumi-state"
    shown += [path.read_text(encoding="utf-8") for path in state.rglob("*.json")]
    assert len(shown) > 5
    for text in shown:
        assert not any(key in text for key in KEYS.values())


def test_the_flows_of_the_adopted_vpc_are_logged(ground: Ground, up: str, theirs: dict[str, Any]) -> None:
    ((_, log),) = ground.clouds.store.all("alicloud.flow_log")
    assert (log["ResourceId"], log["ProjectName"], log["TrafficType"]) == (theirs["vpc_id"], "acme-logs", "All")


def test_nothing_is_left_to_change(ground: Ground, up: str) -> None:
    """The tests above have refreshed the state."""
    ground.pulumi("preview", "--expect-no-changes")


def test_destroy_takes_what_was_made_and_leaves_what_was_adopted(
    ground: Ground, up: str, theirs: dict[str, Any]
) -> None:
    ground.pulumi("destroy", "--yes", "--skip-preview")
    left = [ident for ident, _ in ground.clouds.store.all("alicloud.vpc")]
    assert left == [theirs["vpc_id"]]
    assert [ident for ident, _ in ground.clouds.store.all("alicloud.vswitch")] == theirs["vswitch_ids"]["app"]
    gone = (
        "customer_gateway",
        "vpn_connection",
        "nat_gateway",
        "eip",
        "flow_log",
        "network_acl",
        "private_zone",
        "private_record",
        "transit_attachment",
    )
    assert {kind: _count(ground, kind) for kind in gone} == dict.fromkeys(gone, 0)
    assert [ident for ident, _ in ground.clouds.store.all("alicloud.cen")] == ["cen-theirs"]


def test_an_address_of_ipv6_may_call_out_and_cannot_be_called(six: Ground, inside: str) -> None:
    (address,), (gateway,), (rule,) = (
        six.kept(f"alicloud.ipv6_{kind}") for kind in ("address", "gateway", "egress_rule")
    )
    assert (address["id"], address["bandwidth"]["Bandwidth"]) == (inside, 5)
    assert (rule["InstanceId"], rule["gateway"]) == (inside, gateway["id"])
    assert gateway["tags"]["company"] == "six"
    assert not [
        rule for group in six.kept("alicloud.security_group") for rule in group["rules"] if rule["Ipv6SourceCidrIp"]
    ]


def test_the_data_tier_has_no_ipv6(six: Ground, inside: str) -> None:
    blocks = {switch["VSwitchName"]: switch["Ipv6CidrBlock"] for switch in six.kept("alicloud.vswitch")}
    assert {name.split("-")[3] for name, block in blocks.items() if block} == {"app", "edge"}
    given = [block for block in blocks.values() if block]
    assert len(set(given)) == len(given) == 6


def test_with_ipv6_nothing_is_left_to_change(six: Ground, inside: str) -> None:
    six.unchanged()


def test_an_address_that_is_named_no_more_is_let_out_no_more(six: Ground, inside: str) -> None:
    _with_ipv6(six)
    (address,) = six.kept("alicloud.ipv6_address")
    assert address["bandwidth"] == {}
    assert (_count(six, "ipv6_egress_rule"), _count(six, "ipv6_gateway")) == (0, 1)
