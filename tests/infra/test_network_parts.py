"""What a network can have besides: a VPC that stands already, private names, flow logs, and a link out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pulumi.runtime.rpc import unwrap_rpc_secret

from infra.settings import read_settings
from kit.problems import Problem, Refused

BASE = {"cidr": "10.20.0.0/16", "zones": [f"cn-shanghai-{zone}" for zone in "bfg"]}
THREE = {tier: [f"vsw-{tier}{number}" for number in range(3)] for tier in ("app", "data", "edge")}
ACCOUNT = {"ALIBABA_CLOUD_ACCOUNT_ID": "1234567890123456"}
SOON = (datetime.now(UTC) + timedelta(days=400)).date().isoformat()
FILED = {"kind": "standard-contract", "number": "SH-2026-0042", "valid_until": SOON}
HEADQUARTERS = {"region": "ap-southeast-1", "transit_router_id": "tr-abroad", "bandwidth_mbps": 20}


def network(**more: Any) -> dict[str, str]:
    return {"sfoa:network": json.dumps(BASE | more)}


@pytest.fixture
def refused(config: Any) -> Any:
    def read(**more: Any) -> list[Problem]:
        with pytest.raises(Refused) as found:
            read_settings(config("local") | network(**more), ACCOUNT)
        return list(found.value.problems)

    return read


def test_an_adopted_vpc_is_not_made_and_all_that_is_missing_stands_in_it(stand: Any) -> None:
    standing = stand("local", network(adopt={"vpc_id": "vpc-theirs"}))
    assert not [r for r in standing.of("Network").values() if r.type.startswith("alicloud:")]
    inside = [r.inputs["vpcId"] for r in standing.of("Switch").values()]
    assert inside == ["vpc-theirs"] * 9
    assert standing.contract["network_vpc_id"] == "vpc-theirs"


def test_adopted_switches_and_gateway_are_used_and_their_acl_is_left_alone(stand: Any) -> None:
    adopt = {"vpc_id": "vpc-theirs", "vswitch_ids": THREE, "nat_gateway_id": "ngw-theirs"}
    standing = stand("local", network(adopt=adopt))
    for kind in ("Switch", "NatGateway", "NetworkAcl", "VpcNetworkAclAttachment"):
        assert not standing.of(kind), kind
    assert {e.inputs["sourceVswitchId"] for e in standing.of("SnatEntry").values()} == set(THREE["app"])
    assert {b.inputs["instanceId"] for b in standing.of("EipAssociation").values()} == {"ngw-theirs"}
    assert list(standing.contract["network_vswitch_ids"]) == THREE["app"]


def test_adoption_keeps_the_urns_of_all_that_is_made_either_way(stand: Any) -> None:
    made = {r.urn for r in stand("local", network()).resources}
    adopted = {r.urn for r in stand("local", network(adopt={"vpc_id": "vpc-theirs"})).resources}
    assert {urn.rpartition("::")[2] for urn in made - adopted} == {"network-vpc"}
    assert adopted <= made


def test_only_whole_tiers_are_adopted(refused: Any) -> None:
    (problem,) = refused(adopt={"vpc_id": "vpc-theirs", "vswitch_ids": {"app": ["vsw-1"]}})
    assert problem.what.startswith("sfoa:network.adopt.vswitch_ids.app")


def test_a_private_zone_is_bound_to_the_vpc_and_named_in_the_contract(stand: Any) -> None:
    records = [{"host": "db", "value": "10.20.64.9"}, {"host": "www", "type": "CNAME", "value": "db.acme.internal"}]
    standing = stand("local", network(private_zone={"name": "acme.internal", "records": records}))
    assert standing.contract["network_private_zone"] == "acme.internal"
    (bound,) = standing.of("ZoneAttachment").values()
    assert bound.inputs["vpcIds"] == ["network-vpc-id"]
    said = {(r.inputs["rr"], r.inputs["type"], r.inputs["value"]) for r in standing.of("ZoneRecord").values()}
    assert said == {("db", "A", "10.20.64.9"), ("www", "CNAME", "db.acme.internal")}


def test_ipv6_is_of_the_app_and_the_edge_tier_and_the_data_tier_has_none(stand: Any) -> None:
    standing = stand("local", network(ipv6={}))
    (vpc,) = (r for r in standing.of("Network").values() if r.type.startswith("alicloud:"))
    assert vpc.inputs["enableIpv6"] is True
    masks = {r.name: r.inputs.get("ipv6CidrBlockMask") for r in standing.of("Switch").values()}
    tiers = {name.split("-")[1] for name, mask in masks.items() if mask is not None}
    assert tiers == {"app", "edge"}
    numbers = [mask for mask in masks.values() if mask is not None]
    assert len(numbers) == len(set(numbers)) == 6
    assert not standing.of("Ipv6InternetBandwidth")
    assert not [r for r in standing.of("SecurityGroupRule").values() if "ipv6CidrIp" in r.inputs]


def test_an_address_that_may_call_out_by_ipv6_cannot_be_called(stand: Any) -> None:
    standing = stand("local", network(ipv6={"egress": ["ipv6-runner"], "egress_bandwidth_mbps": 5}))
    (gateway,) = standing.of("Ipv6Gateway").values()
    (bandwidth,) = standing.of("Ipv6InternetBandwidth").values()
    (rule,) = standing.of("Ipv6EgressRule").values()
    assert (bandwidth.inputs["ipv6AddressId"], bandwidth.inputs["bandwidth"]) == ("ipv6-runner", 5)
    assert rule.inputs["instanceId"] == "ipv6-runner"
    assert {each.inputs["ipv6GatewayId"] for each in (bandwidth, rule)} == {f"{gateway.name}-id"}


def test_ipv6_changes_no_urn_of_what_stands_without_it(stand: Any) -> None:
    before = {r.urn for r in stand("local", network()).resources}
    after = {r.urn for r in stand("local", network(ipv6={"egress": []})).resources}
    assert {urn.rpartition("::")[2] for urn in after - before} == {"network-ipv6"}
    assert before <= after


def test_ipv6_of_an_adopted_vpc_is_its_owner_s(refused: Any) -> None:
    (problem,) = refused(adopt={"vpc_id": "vpc-theirs"}, ipv6={})
    assert problem.what == "sfoa:network.ipv6: IPv6 in a VPC that is adopted"
    assert problem.fix


def test_flow_logs_go_to_the_project_that_is_named(stand: Any) -> None:
    standing = stand("local", network(flow_logs={"project": "acme-logs", "store": "flows"}))
    (log,) = standing.of("FlowLog").values()
    wanted = ("acme-logs", "flows", "All", "network-vpc-id")
    assert tuple(log.inputs[key] for key in ("projectName", "logStoreName", "trafficType", "resourceId")) == wanted


def test_flow_logs_that_no_project_takes_are_refused(config: Any) -> None:
    values = {key: value for key, value in config("local").items() if key != "sfoa:audit"}
    with pytest.raises(Refused) as found:
        read_settings(values | network(flow_logs={}), ACCOUNT)
    (problem,) = found.value.problems
    assert problem.what.endswith("sfoa:network has flow_logs, and no project takes them")
    assert "turn sfoa:audit on" in problem.fix


def test_every_way_of_a_link_hangs_on_one_router_and_routes_by_one_table(stand: Any) -> None:
    link = {
        "cen_id": "cen-ours",
        "vpn": {"id": "vco-1", "country": "CN"},
        "vbr": {"id": "vbr-1", "country": "CN"},
        "headquarters": HEADQUARTERS,
        "legal_basis": FILED,
    }
    standing = stand("local", network(link=link))
    (router,) = standing.of("TransitRouter").values()
    assert router.inputs["cenId"] == "cen-ours"
    assert not any("cen/instance:" in made.type for made in standing.resources)
    ways = [standing.of(f"TransitRouter{way}Attachment") for way in ("Vpc", "Vpn", "Vbr", "Peer")]
    assert [len(way) for way in ways] == [1, 1, 1, 1]
    (vpc,) = ways[0].values()
    assert [m["vswitchId"] for m in vpc.inputs["zoneMappings"]] == [f"network-app-{zone}-id" for zone in BASE["zones"]]
    (peer,) = ways[3].values()
    assert (peer.inputs["bandwidth"], peer.inputs["bandwidthType"]) == (20, "DataTransfer")
    for kind in ("Association", "Propagation"):
        assert len(standing.of(f"TransitRouterRouteTable{kind}")) == 4


PREMISES: dict[str, Any] = {
    "country": "CN",
    "first": {"address": "203.0.113.1"},
    "second": {"address": "203.0.113.2"},
    "remote_ranges": ["192.168.0.0/16", "172.16.0.0/12"],
}
END = {"asn": 65010, "inside": "169.254.10.0/30"}
BGP: dict[str, Any] = {
    "country": "CN",
    "bgp": True,
    "first": {"address": "203.0.113.1", **END},
    "second": {"address": "203.0.113.1", **END, "inside": "169.254.10.4/30"},
}
KEYS = {"first": "first-shared-key-of-the-tunnels", "second": "second-shared-key-of-the-tunnels"}


def tunnelled(ipsec: dict[str, Any], keys: dict[str, Any] = KEYS, **link: Any) -> dict[str, str]:
    return network(link={"ipsec": ipsec, **link}) | {"sfoa:tunnel_keys": json.dumps(keys)}


def tunnels_of(standing: Any) -> list[dict[str, Any]]:
    (made,) = standing.of("GatewayVpnAttachment").values()
    ends: list[dict[str, Any]] = unwrap_rpc_secret(made.inputs["tunnelOptionsSpecifications"])
    return ends


def test_tunnels_to_two_devices_protect_the_ranges_of_both_sides(stand: Any) -> None:
    standing = stand("local", tunnelled(PREMISES))
    (made,) = standing.of("GatewayVpnAttachment").values()
    assert (made.inputs["localSubnet"], made.inputs["remoteSubnet"]) == ("10.20.0.0/16", "192.168.0.0/16,172.16.0.0/12")
    devices = standing.of("CustomerGateway")
    assert {each.inputs["ipAddress"] for each in devices.values()} == {"203.0.113.1", "203.0.113.2"}
    first, second = tunnels_of(standing)
    assert (first["tunnelIndex"], second["tunnelIndex"]) == (1, 2)
    assert second["tunnelIkeConfig"]["remoteId"] == "203.0.113.2"
    assert "tunnelBgpConfig" not in first
    for phase in ("tunnelIkeConfig", "tunnelIpsecConfig"):
        assert {"aes256", "sha256", "group14"} <= {value for value in first[phase].values() if isinstance(value, str)}
    (hung,) = standing.of("TransitRouterVpnAttachment").values()
    assert (hung.name, hung.inputs["vpnId"]) == ("network-link-ipsec", "network-link-ipsec-id")
    for kind in ("Association", "Propagation"):
        assert "network-link-ipsec" in standing.of(f"TransitRouterRouteTable{kind}")


def test_tunnels_with_bgp_learn_every_route_and_may_end_at_one_device(stand: Any) -> None:
    standing = stand("local", tunnelled(BGP))
    (made,) = standing.of("GatewayVpnAttachment").values()
    assert (made.inputs["localSubnet"], made.inputs["enableTunnelsBgp"]) == ("0.0.0.0/0", True)
    (device,) = standing.of("CustomerGateway").values()
    assert device.inputs["asn"] == "65010"
    routing = [each["tunnelBgpConfig"] for each in tunnels_of(standing)]
    assert [each["localBgpIp"] for each in routing] == ["169.254.10.1", "169.254.10.5"]


def test_keys_of_tunnels_are_secret_inputs_and_the_contract_has_addresses_alone(stand: Any) -> None:
    standing = stand("local", tunnelled(PREMISES))
    told = standing.contract["network_tunnels"]
    assert not any(key in str(standing.contract) for key in KEYS.values())
    assert list(told) == ["198.51.100.1", "198.51.100.2"]
    (made,) = standing.of("GatewayVpnAttachment").values()
    assert made.secret_outputs == ("tunnelOptionsSpecifications",)
    assert all("psk" in path for path in made.secrets)
    assert len(made.secrets) == 2


def test_what_the_provider_takes_for_no_change_of_a_tunnel_is_a_new_connection(stand: Any) -> None:
    """The provider tells tunnels apart by number and device alone: with the same ones, it sees no new key."""

    def trigger(ipsec: dict[str, Any], keys: dict[str, Any] = KEYS) -> object:
        (made,) = stand("local", tunnelled(ipsec, keys)).of("GatewayVpnAttachment").values()
        assert made.deleted_first
        return made.replaced_with

    ranges = PREMISES | {"remote_ranges": ["192.168.0.0/16"]}
    named = PREMISES | {"first": PREMISES["first"] | {"remote_id": "front"}}
    changed = [trigger(PREMISES, KEYS | {"second": "third-shared-key-of-the-tunnels"}), trigger(named)]
    assert isinstance(trigger(PREMISES), str)
    assert trigger(ranges) == trigger(PREMISES), "ranges are changed in place"
    assert len({trigger(PREMISES), *changed}) == 3
    assert not any(key in str(trigger(PREMISES)) for key in KEYS.values())


def test_in_production_tunnels_can_be_replaced_and_their_devices_and_routes_with_them(stand: Any) -> None:
    link = {"ipsec": PREMISES, "vbr": {"id": "vbr-1", "country": "CN"}}
    config = {"cidr": "10.40.0.0/16", "zones": [f"cn-shanghai-{zone}" for zone in "efg"], "link": link}
    changes = {"sfoa:network": json.dumps(config), "sfoa:tunnel_keys": json.dumps(KEYS)}
    made = {r.name: r for r in stand("example-production", changes).resources if r.type.startswith("alicloud:")}
    assert not any(r.protect for name, r in made.items() if name.startswith("network-link-ipsec"))
    assert made["network-link-vbr"].protect


def test_what_ends_outside_the_cloud_says_in_which_country(stand: Any) -> None:
    basis = {"legal_basis": {"entry": "product-safety-escalations"}}
    standing = stand("local", tunnelled(PREMISES | {"country": "SE"}, vbr={"id": "vbr-1", "country": "CN"}, **basis))
    ends = {each.name: each.inputs["tags"]["far-end"] for each in standing.resources if "far-end" in str(each.inputs)}
    assert ends == {
        "network-link-ipsec": "SE",
        "network-link-ipsec-203.0.113.1": "SE",
        "network-link-ipsec-203.0.113.2": "SE",
        "network-link-vbr": "CN",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"country": "SE"}, "the link crosses the border (ipsec to SE) and names no legal basis"),
        ({"country": "HK"}, "the link crosses the border (ipsec to HK) and names no legal basis"),
        ({"remote_ranges": []}, "neither bgp nor remote_ranges"),
        ({"bgp": True}, "bgp beside remote_ranges"),
        ({"remote_ranges": [], "bgp": True}, "no asn and inside in first, second"),
        ({"first": {"address": "203.0.113.1", **END}}, "asn or inside in first, and no bgp"),
        ({"remote_ranges": ["10.20.64.0/20"]}, "10.20.64.0/20 overlaps 10.20.0.0/16"),
        ({"remote_ranges": ["0.0.0.0/0"]}, "too much of the address space"),
        ({"first": {"address": "192.168.1.1"}}, "not a public address"),
        ({"first": {"address": "vpn.example"}}, "not an IPv4 address"),
        (BGP | {"remote_ranges": [], "second": BGP["first"]}, "both tunnels have one inside range"),
        (BGP | {"remote_ranges": [], "second": BGP["second"] | {"asn": 65011}}, "one device with two AS numbers"),
        (BGP | {"remote_ranges": [], "first": BGP["first"] | {"inside": "169.254.1.0/30"}}, "not an inside range"),
    ],
)
def test_tunnels_that_lead_astray_are_refused(config: Any, change: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as refused:
        read_settings(config("local") | tunnelled(PREMISES | change), ACCOUNT)
    (problem,) = refused.value.problems
    assert said in problem.what


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "no key of the first and the second tunnel"),
        ({"first": KEYS["first"]}, "no key of the second tunnel"),
        (dict.fromkeys(KEYS, KEYS["first"]), "both tunnels have one key"),
        (KEYS | {"second": "too-short-a-key"}, "no pre-shared key"),
        (KEYS | {"second": "a key with spaces in it, which is long"}, "no pre-shared key"),
        (KEYS | {"third": KEYS["first"]}, "third"),
    ],
)
def test_a_key_is_there_for_each_tunnel_and_no_refusal_shows_one(config: Any, keys: dict[str, str], said: str) -> None:
    with pytest.raises(Refused) as refused:
        read_settings(config("local") | tunnelled(PREMISES, keys), ACCOUNT)
    assert said in "; ".join(problem.what for problem in refused.value.problems)
    assert not any(key in f"{refused.value} {refused.value.problems}" for key in keys.values())


def test_keys_without_tunnels_are_refused_and_sealed_ones_are_not_looked_into(config: Any) -> None:
    with pytest.raises(Refused, match="keys, and no tunnels"):
        read_settings(config("local") | network() | {"sfoa:tunnel_keys": json.dumps(KEYS)}, ACCOUNT)
    sealed = {tunnel: {"secure": "v1:abc"} for tunnel in KEYS}
    assert read_settings(config("local") | tunnelled(PREMISES, sealed), ACCOUNT).network.link


def test_the_legal_basis_stands_in_a_tag_on_everything_of_the_link_that_takes_tags(stand: Any) -> None:
    link = {"vbr": {"id": "vbr-1", "country": "SE"}, "legal_basis": {"entry": "product-safety-escalations"}}
    tagged = [r for r in stand("local", network(link=link)).resources if ":cen/" in r.type and "tags" in r.inputs]
    assert len(tagged) == 5
    assert {r.inputs["tags"]["legal-basis"] for r in tagged} == {"product-safety-escalations"}


def test_a_link_inside_the_mainland_needs_no_basis(stand: Any) -> None:
    inside = {"vpn": {"id": "vco-1", "country": "CN"}, "vbr": {"id": "vbr-1", "country": "CN"}}
    tags = [r.inputs.get("tags", {}) for r in stand("local", network(link=inside)).resources if ":cen/" in r.type]
    assert tags
    assert not any("legal-basis" in each for each in tags)


@pytest.mark.parametrize(
    ("way", "end"),
    [
        ({"vpn": {"id": "vco-1", "country": "SE"}}, "vpn to SE"),
        ({"vbr": {"id": "vbr-1", "country": "HK"}}, "vbr to HK"),
        ({"cen_id": "cen-ours", "headquarters": HEADQUARTERS}, "headquarters in ap-southeast-1"),
        (
            {"cen_id": "cen-ours", "headquarters": HEADQUARTERS | {"region": "cn-hongkong"}},
            "headquarters in cn-hongkong",
        ),
    ],
)
def test_a_link_across_the_border_without_a_legal_basis_is_refused(refused: Any, way: Any, end: str) -> None:
    (problem,) = refused(link=way)
    assert problem.what == (
        f"sfoa:network.link.legal_basis: the link crosses the border ({end}) and names no legal basis"
    )
    assert "PIPL Art. 38" in problem.rule
    assert "orgs/cross-border.yml" in problem.fix


@pytest.mark.parametrize(
    ("basis", "what"),
    [
        ({}, "neither a transfer nor a whole filing"),
        ({"entry": "product-safety-escalations", **FILED}, "neither a transfer nor a whole filing"),
        ({"kind": "standard-contract", "number": "1"}, "neither a transfer nor a whole filing"),
        (FILED | {"valid_until": "2024-01-31"}, "standard-contract SH-2026-0042 ended on 2024-01-31"),
        ({"entry": "no-such-transfer"}, "orgs/cross-border.yml has no transfer no-such-transfer"),
        ({"entry": "parts-catalogue-link"}, "parts-catalogue-link names no mechanism"),
    ],
)
def test_a_basis_that_does_not_hold_is_refused(refused: Any, basis: Any, what: str) -> None:
    (problem,) = refused(link={"vbr": {"id": "vbr-1", "country": "SE"}, "legal_basis": basis})
    assert problem.what == f"sfoa:network.link.legal_basis: {what}"
    assert problem.rule
    assert problem.fix


def test_an_exemption_is_named_by_its_transfer_and_is_no_filing(refused: Any) -> None:
    (problem,) = refused(link={"legal_basis": FILED | {"kind": "exempt"}})
    assert problem.what.startswith("sfoa:network.link.legal_basis.kind")


def test_headquarters_are_reached_inside_one_cen_instance(refused: Any) -> None:
    (problem,) = refused(link={"headquarters": HEADQUARTERS | {"region": "cn-beijing"}})
    assert problem.what == "sfoa:network.link.headquarters: headquarters without a CEN instance"
